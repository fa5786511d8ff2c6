"""Whatever can be read on a screen can be read: in every theme, also what is selected, dimmed or not filled in."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from textual.widgets import Input

from runbook.tui.settings import THEMES
from tests.tui.contrast import Pair, pairs, ratio
from tests.tui.looks import LOOKS, SIZES
from tests.tui.test_pictures import KEPT, TAKEN, taken

DIALOGS = frozenset(
    "home-take-over new-list disruptive batch attest skip failure-raw help palette settings run-sign-in".split()
)
"""Above a screen that is greyed meanwhile."""


def unreadable(found: Iterable[Pair]) -> set[str]:
    return {f"{p.section}: {p.style} has {p.ratio:.2f}: {p.text}" for p in found if not p.is_readable}


def test_black_on_white_has_the_greatest_contrast_there_is() -> None:
    black, white = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    assert round(ratio(black, white), 3) == round(ratio(white, black), 3) == 21.0
    assert ratio(white, white) == 1.0


def test_grey_on_grey_is_found_and_what_is_below_a_dialog_is_not() -> None:
    picture = "\n".join(
        ["ab", "╭╮", "╰╯", "== dark", "a1 b1", "b2", "b2", "a = #777777 on #888888", "b = #ffffff on #000000", ""]
    )
    assert {p.text for p in pairs(picture, False) if not p.is_readable} == {"a"}
    assert {p.text for p in pairs(picture, False)} == {"a", "b"}
    assert not list(pairs(picture, True))


@pytest.mark.parametrize("name", list(LOOKS))
def test_every_letter_of_a_picture_stands_out(name: str) -> None:
    found = [
        pair
        for of, size in TAKEN
        if of == name
        for pair in pairs((KEPT / f"{name}-{size}.txt").read_text("utf-8"), name in DIALOGS)
    ]
    assert found, "no letter was looked at"
    assert not unreadable(found)


@pytest.mark.parametrize("name", ["home", "new", "run-ready", "names", "timeline"])
async def test_every_letter_stands_out_in_the_contrast_theme(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Input, "cursor_blink", False)
    monkeypatch.setenv("NO_COLOR", "1")
    others = [theme for theme in THEMES if theme not in ("light", "dark")]
    picture = await taken(LOOKS[name], SIZES["80x24"], others)
    found = list(pairs(picture, False))
    assert {p.section for p in found} >= set(others)
    assert not unreadable(found)
