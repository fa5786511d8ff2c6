from __future__ import annotations

import asyncio
import math
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import _wait, events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from runbook.tui.app import RunbookApp
from runbook.tui.around import Around
from runbook.tui.settings import Kept
from runbook.tui.widgets import map_view
from tests.tui.sample import Store

SIZES = [
    pytest.param((80, 24), id="80x24"),
    pytest.param((120, 36), id="120x36", marks=pytest.mark.soak),
    pytest.param((200, 60), id="200x60", marks=pytest.mark.soak),
]
"""The least, a usual, and a large one: the larger two in the long suite, and drawn by the pictures."""
every_size = pytest.mark.parametrize("size", SIZES)
small_and_usual = pytest.mark.parametrize("size", SIZES[:2])


@pytest.fixture(autouse=True)
def _calm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # However slow the machine is, no map is skipped.
    monkeypatch.setattr(map_view, "_COSTLY_S", math.inf)
    # How long the pilot looks whether the process works: ``idle`` asks the app itself.
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 0.002)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 0.0002)


async def idle(pilot: Pilot[None]) -> None:
    """Come back when nothing is on its way: no worker, no command, no message, nothing to be laid out or painted."""
    app = pilot.app
    assert isinstance(app, RunbookApp)
    quiet, work = 0, ""
    for _ in range(20_000):
        await pilot.pause()
        work = _work(app)
        quiet = 0 if work else quiet + 1
        if quiet == 2:
            return
    raise AssertionError(f"the app never came to rest: {work or 'now and then something'}")


def _work(app: RunbookApp) -> str:
    """What is still on its way; empty when nothing is."""
    screen = app.screen
    if app._resize_event is not None:  # it is handed on after a moment, in case another one follows
        return "a resize"
    if busy := [other for other in app.screen_stack if getattr(other, "is_busy", False)]:
        return f"busy: {busy}"
    if app.is_busy:
        return f"workers: {[worker for worker in app.workers if not worker.is_finished]}"
    if screen._layout_required or screen._scroll_required or screen._dirty_widgets or screen._callbacks:
        return f"to be drawn: {screen._dirty_widgets} {screen._callbacks}"
    return ", ".join(str(pump) for pump in (app, *screen.walk_children(with_self=True)) if pump.message_queue_size)


def screen_text(app: RunbookApp) -> str:
    """What a person would read on the terminal, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)


async def press(pilot: Pilot[None], *keys: str) -> str:
    """Press keys, wait, and read the screen."""
    for key in keys:
        await pilot.press(key)
        await idle(pilot)
    assert isinstance(pilot.app, RunbookApp)
    return screen_text(pilot.app)


async def write(pilot: Pilot[None], text: str, *keys: str) -> str:
    """Type a text as fast as a terminal hands it over, then press keys, wait, and read the screen."""
    driver = pilot.app._driver
    assert driver is not None
    for character in text:
        key = events.Key(_character_to_key(character), character)
        key.set_sender(pilot.app)
        driver.send_message(key)
    await idle(pilot)
    return await press(pilot, *keys)


@asynccontextmanager
async def showing(
    store: Store, size: tuple[int, int] = (80, 24), kept: Kept | None = None, around: Around | None = None
) -> AsyncIterator[tuple[Pilot[None], RunbookApp]]:
    """The app on a store, ready and at rest."""
    app = RunbookApp(lambda: store, redraw_s=0.0, settle_s=0.0, around=around or Around(kept=kept or Kept()))
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await idle(pilot)
        yield pilot, app
    app.close()


async def from_another_thread(work: Callable[[], object]) -> None:
    """Run something where the engine would: in a thread that is not the screen's."""
    thread = threading.Thread(target=work)
    thread.start()
    await asyncio.get_running_loop().run_in_executor(None, thread.join)
