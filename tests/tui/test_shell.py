"""What every screen has: help that can be searched, the palette, settings, themes, mapped keys, title and bell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook.core.error import Unwritable
from runbook.tui.app import RunbookApp
from runbook.tui.live import LiveScreen, Wanted
from runbook.tui.screens.help import found
from runbook.tui.screens.run import RunScreen
from runbook.tui.settings import Kept, Settings
from runbook.tui.themes import OF_NAME
from tests.tui.conftest import from_another_thread, idle, press, screen_text, showing, write
from tests.tui.sample import S, Store, context, node, ready, running, view


async def test_help_is_narrowed_down_by_what_is_typed() -> None:
    async with showing(Store(ready()), (120, 36)) as (pilot, app):
        await press(pilot, "question_mark")
        text = await write(pilot, "clipboard")
        assert "Nothing here speaks of that." in text
        await press(pilot, *["backspace"] * len("clipboard"))
        text = await write(pilot, "own reason")
        assert "Nothing here" in text
        await press(pilot, *["backspace"] * len("own reason"))
        text = await write(pilot, "reason stands")
        assert "Leave this node out; the reason stands in the report." in text
        assert "Say go to the selected" not in text
        await press(pilot, "escape")
        assert isinstance(app.screen, RunScreen)


def test_nothing_asked_finds_every_line() -> None:
    rows = [(("a", ""),), (), (("b", ""),)]
    assert found(rows, "  ") == rows
    assert found(rows, "b") == [(("b", ""),)]


async def test_the_palette_offers_every_key_and_does_what_is_chosen() -> None:
    store = Store(ready())
    async with showing(store, (120, 36)) as (pilot, app):
        text = await press(pilot, "ctrl+p")
        assert "Approve (a)" in text
        await write(pilot, "settings", "enter")
        assert "Ring when a run needs you" in screen_text(app)


async def test_a_setting_changes_at_once_and_is_kept() -> None:
    saved: list[tuple[str, object]] = []
    kept = Kept(Settings(), "settings.yaml", lambda name, value: saved.append((name, value)))
    async with showing(Store(ready()), kept=kept) as (pilot, app):
        assert app.theme == OF_NAME["dark"].name
        text = await press(pilot, "comma", "enter")
        assert "light" in text
        assert app.theme == OF_NAME["light"].name
        await press(pilot, "down", "down", "enter", "escape")
        assert saved == [("theme", "light"), ("bell", True)]
        assert isinstance(app.screen, RunScreen)


async def test_a_setting_that_cannot_be_kept_holds_all_the_same_and_says_so() -> None:
    def full(name: str, value: object) -> None:
        raise Unwritable("settings.yaml cannot be written: disk full.", "Make room.")

    async with showing(Store(ready()), kept=Kept(Settings(), "settings.yaml", full)) as (pilot, app):
        text = await press(pilot, "comma", "enter")
        assert "disk full" in text
        assert app.settings.theme == "light"


async def test_a_mapped_key_acts_and_stands_in_the_line_at_the_bottom() -> None:
    kept = Kept(Settings(keys={"run.approve": "y", "run.pause": "f4"}))
    store = Store(ready())
    async with showing(store, (120, 36), kept=kept) as (pilot, app):
        line = screen_text(app).splitlines()[-1]
        assert "y Approve" in line
        assert "f4 Pause" in line
        await press(pilot, "a")
        assert not store.commands
        await press(pilot, "y")
        assert [type(c).__name__ for c in store.commands] == ["Approve"]
        assert "y  Say go to" in await press(pilot, "question_mark")


@pytest.mark.parametrize("theme", list(OF_NAME))
async def test_every_theme_shows_the_same_words(theme: str) -> None:
    async with showing(Store(ready()), kept=Kept(Settings(theme=theme))) as (_, app):
        themed = screen_text(app)
    async with showing(Store(ready())) as (_, app):
        assert screen_text(app) == themed


async def test_the_bell_rings_when_a_run_comes_to_need_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(RunbookApp, "bell", lambda self: rung.append("rung"))
    store = Store(running())
    async with showing(store, kept=Kept(Settings(bell=True))) as (pilot, _):
        assert rung == []
        await from_another_thread(lambda: store.put(ready()))
        await idle(pilot)
        assert rung == ["rung"]
        await from_another_thread(lambda: store.put(replace(ready(), head=99)))
        await idle(pilot)
        assert rung == ["rung"]


async def test_what_a_screen_above_wants_is_done_at_its_node() -> None:
    class Above(LiveScreen[Wanted | None]):
        def draw(self) -> None:
            pass

    error = {"code": "X", "message": "", "hint": ""}
    broken = (node("associate", key, state=S.FAILED, error=error) for key in ("m1", "m2"))
    store = Store(view(context(), *broken))
    async with showing(store) as (pilot, app):
        run = app.screen
        assert isinstance(run, RunScreen)
        above = Above(store)
        run.show_above(above)
        await idle(pilot)
        above.dismiss(Wanted("retry", "associate[m2]"))
        await idle(pilot)
        assert run.key == ("node", "associate[m2]")
        assert [getattr(c, "node", "") for c in store.commands] == ["associate[m2]"]


async def test_help_shows_every_key_and_closes() -> None:
    async with showing(Store(ready()), (120, 36)) as (pilot, app):
        text = await press(pilot, "question_mark")
        assert "Say go to the selected node's changes" in text
        await press(pilot, "escape")
        assert isinstance(app.screen, RunScreen)
