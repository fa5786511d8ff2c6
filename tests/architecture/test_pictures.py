"""README's pictures are there, say what they show, and refer to nothing outside of themselves."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.architecture.pictures import FOLDER, PICTURES, alone, drawn, in_readme, references
from tests.architecture.repository import ROOT


def test_readme_shows_every_picture_with_its_words() -> None:
    wanted = {(picture.alt, f"assets/pictures/{name}.svg") for name, picture in PICTURES.items()}
    assert set(in_readme()) == wanted
    assert all((ROOT / path).is_file() for _, path in in_readme())
    assert {file.stem for file in FOLDER.iterdir()} == set(PICTURES)


@pytest.mark.parametrize("name", list(PICTURES))
def test_a_picture_is_whole_small_and_needs_nothing_else(name: str) -> None:
    svg = (FOLDER / f"{name}.svg").read_text("utf-8")
    assert references(svg) == []
    assert alone(svg) == svg
    assert len(svg) < 100_000
    assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_what_lies_outside_is_found_and_a_font_is_left_out() -> None:
    style = '<style>@font-face { src: url("https://x.example/f.woff2"); }</style>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{style}</svg>\n'
    assert references(svg)
    assert references(alone(svg)) == []
    assert references('<svg><image href="cat.png"/></svg>')


@pytest.mark.soak
@pytest.mark.parametrize("name", list(PICTURES))
def test_a_picture_is_drawn_as_it_is_kept(name: str) -> None:
    assert drawn(name) == (FOLDER / f"{name}.svg").read_text("utf-8"), "run `python -m tests.architecture.pictures`"
