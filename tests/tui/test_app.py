"""Opening, leaving, the home screen, and what the first paint may import."""

from __future__ import annotations

import subprocess
import sys
import threading

from runbook.core.error import RunUnknown
from runbook.tui.app import RunbookApp, farewell
from runbook.tui.screens.opening import OpeningScreen
from runbook.tui.screens.run import RunScreen
from tests.tui.conftest import idle, press, screen_text, showing
from tests.tui.sample import S, Store, context, node, ready, running, view, wait


async def test_the_app_paints_before_the_run_is_open() -> None:
    gate = threading.Event()

    def slow() -> Store:
        gate.wait(30)
        return Store(ready())

    app = RunbookApp(slow, redraw_s=0.0, settle_s=0.0)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert isinstance(app.screen, OpeningScreen)
        assert "opening the run…" in screen_text(app)
        gate.set()
        await idle(pilot)
        assert isinstance(app.screen, RunScreen)


async def test_a_run_that_cannot_be_opened_ends_the_app_with_its_error() -> None:
    def fail() -> Store:
        raise RunUnknown("There is no run 'x'.", "`runbook runs` lists them.")

    app = RunbookApp(fail)
    async with app.run_test():
        pass
    assert isinstance(app.failure, RunUnknown)


async def test_leaving_while_opening_still_closes_what_was_opened() -> None:
    gate = threading.Event()
    store = Store(ready())

    def slow() -> Store:
        gate.wait(30)
        return store

    app = RunbookApp(slow)
    async with app.run_test() as pilot:
        await pilot.press("q")
    gate.set()
    app.close()
    assert store.is_closed


async def test_q_leaves_says_how_to_resume_and_lets_go_of_the_run() -> None:
    store = Store(running())
    async with showing(store) as (pilot, app):
        await pilot.press("q")
    assert app.farewell == "Run arc-1 stays as you left it. To go on, any day: runbook resume arc-1"
    assert app.return_code == 0
    assert store.is_closed
    assert store.listeners == []


async def test_ctrl_q_leaves_from_a_dialog_too() -> None:
    async with showing(Store(ready("disruptive"))) as (pilot, app):
        await press(pilot, "a")
        await pilot.press("ctrl+q")
    assert "runbook resume arc-1" in app.farewell


def test_the_farewell_fits_the_end_of_the_run() -> None:
    over = view(context(), book={"steps": []}, expanded=frozenset())
    assert "runbook report arc-1" in farewell(over, False)
    assert "To look on or go on: runbook resume arc-1" in farewell(ready(), True)
    waits = view(context(), node("approval", state=S.WAITING, waiting=wait()))
    told = "Run arc-1 waits for the Arc team at Microsoft. To go on, any day: .venv/bin/runbook resume arc-1"
    assert farewell(waits, False, ".venv/bin/runbook") == told


def test_the_first_paint_imports_nothing_heavy() -> None:
    code = """
import asyncio, sys
from runbook.tui.app import RunbookApp
from runbook.tui.screens.opening import OpeningScreen
async def main():
    app = RunbookApp(lambda: None)
    app._start_opening = lambda _: app.push_screen(OpeningScreen())
    async with app.run_test() as pilot:
        await pilot.pause()
asyncio.run(main())
heavy = {"azure", "pydantic", "yaml", "apsw", "aiohttp", "jmespath", "jinja2", "dns"}
print(sorted(heavy & {m.partition(".")[0] for m in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_run_is_shown_as_it_was_left_until_it_is_open() -> None:
    store, gate = Store(running()), threading.Event()

    def slow() -> Store:
        gate.wait(10)
        return store

    app = RunbookApp(slow, glance=ready, redraw_s=0.0, settle_s=0.0)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        while not isinstance(app.screen, RunScreen):
            await pilot.pause()
        await pilot.pause()
        assert app.screen.is_opening
        text = screen_text(app)
        assert "Opening the run: this is how it was left" in text
        assert "Create private endpoint pe-arc" in text or "pe-arc" in text
        await pilot.press("a")
        await pilot.pause()
        gate.set()
        await idle(pilot)
        assert not app.screen.is_opening
        assert "settling" in screen_text(app)
        await pilot.press("q")
    app.close()
    assert store.commands == []
    assert store.is_closed
    assert app.farewell.startswith("Run arc-1 stays")


async def test_leaving_before_the_run_is_open_lets_go_of_it() -> None:
    store, gate = Store(running()), threading.Event()

    def slow() -> Store:
        gate.wait(10)
        return store

    app = RunbookApp(slow, glance=ready, redraw_s=0.0, settle_s=0.0)
    async with app.run_test() as pilot:
        while not isinstance(app.screen, RunScreen):
            await pilot.pause()
        await pilot.press("q")
    gate.set()
    app.close()
    assert store.is_closed
    assert app.farewell == "Run arc-1 stays as you left it. To go on, any day: runbook resume arc-1"
