"""Every screen's looks as pictures: at three sizes, dark, light and without colour, compared to the cell.

A picture that changed on purpose is taken anew with ``pytest tests/tui/test_pictures.py --take-pictures``; read what
changed before committing it. Clock and data are fixed, so the same code gives the same picture.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest
from textual.widgets import Input

from runbook.tui.app import RunbookApp
from runbook.tui.around import Around
from runbook.tui.settings import Kept, Settings
from tests.tui.conftest import idle
from tests.tui.looks import LOOKS, SIZES, Look
from tests.tui.picture import colours, strips, words

TAKEN_WITH: Final = "8.2.8"
"""The Textual whose pictures are kept: another one draws frames and scroll bars its own way."""

KEPT: Final = Path(__file__).parent / "pictures"
TAKEN: Final = [(name, size) for name, look in LOOKS.items() for size in look.sizes]


async def taken(look: Look, size: tuple[int, int], themes: Sequence[str] = ("light", "dark")) -> str:
    """The words of a look, and its cells without colour and in each of these themes."""
    given = look.app()
    around = Around(Kept(Settings(animations=False)), **given.pop("around", {}))
    app = RunbookApp(**given, around=around, redraw_s=0.0, settle_s=0.0)
    async with app.run_test(size=size, notifications=True) as pilot:
        await idle(pilot)
        for key in look.keys:
            await pilot.press(key)
            await idle(pilot)
        if look.then is not None:
            look.then(app)
            await idle(pilot)
        parts = [words(strips(app)), "== without colour", colours(strips(app))]
        app._filters.clear()  # NO_COLOR is a filter over what is drawn
        for theme in themes:
            app.set_one("theme", theme)
            await idle(pilot)
            assert words(strips(app)) == parts[0] or look.tells_theme, "without colour the words differ"
            parts += [f"== {theme}", colours(strips(app))]
    app.close()
    return "\n".join([*parts, ""])


SMALL = ("80x24", "50x12")
LONG = pytest.mark.soak
"""Two seconds of work a picture: the larger ones are compared in the long suite and for a clean checkout's verdict."""


@pytest.mark.skipif(
    version("textual") != TAKEN_WITH,
    reason=f"the pictures were taken with Textual {TAKEN_WITH}, here is {version('textual')}",
)
@pytest.mark.parametrize(("name", "size"), [pytest.param(*one, marks=[] if one[1] in SMALL else LONG) for one in TAKEN])
async def test_a_look_is_drawn_as_its_picture_shows_it(
    name: str, size: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(Input, "cursor_blink", False)
    monkeypatch.setenv("NO_COLOR", "1")
    picture = await taken(LOOKS[name], SIZES[size])
    file = KEPT / f"{name}-{size}.txt"
    if request.config.getoption("--take-pictures"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(picture, encoding="utf-8")
    assert picture == file.read_text(encoding="utf-8")


def test_no_picture_is_kept_of_a_look_that_is_gone() -> None:
    assert {f.name for f in KEPT.iterdir()} == {f"{name}-{size}.txt" for name, size in TAKEN}


@contextmanager
def load() -> Iterator[None]:
    """A busy process for every core."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(50))
def test_the_pictures_are_the_same_on_a_loaded_machine(number: int) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-k", "test_a_look_is_drawn", str(Path(__file__))]
    with load():
        done = subprocess.run(command, capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stdout[-3000:]
