"""Questions to the operator: what they judge by, and how a dialog leads through them."""

from __future__ import annotations

import sys

import pytest

from runbook.core.clock import from_iso, iso
from runbook.core.command import Attest, Retry
from runbook.tui.app import RunbookApp
from runbook.tui.question import Field, Question
from runbook.tui.screens import questions
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.waiting import WaitingScreen
from tests.tui.conftest import idle, press, screen_text, showing, write
from tests.tui.matters import asked, opened
from tests.tui.sample import NOW, S, Store, context, node, ready, view, wait

ONE = node("approval", state=S.WAITING, waiting=wait(attest="They approved it"))
TODAY = iso(NOW)[:10]


def test_the_day_of_an_answer_is_asked_and_judged_by_the_clock_of_the_run() -> None:
    field = next(f for f in questions.attest(view(context(), ONE), ONE, NOW).fields if f.id == "dated")
    assert f"such as {TODAY}" in field.label
    assert not field.problem(TODAY), "the example must be one that is taken"
    assert TODAY in field.problem("soon")
    assert "lies ahead" in field.problem(iso(NOW + 3 * 86_400_000)[:10])
    assert "lies ahead" in field.problem(iso(NOW + 60_000))


def test_today_without_an_hour_is_now_and_not_before_what_it_answers() -> None:
    answers = {"text": "Ben wrote", "evidence": "", "reference": ""}
    assert questions.attest_command(ONE, "ana", {**answers, "dated": TODAY}, NOW).dated_ms == NOW
    before = questions.attest_command(ONE, "ana", {**answers, "dated": "2026-10-01"}, NOW)
    assert before.dated_ms == from_iso("2026-10-01")
    assert questions.attest_command(ONE, "ana", {**answers, "dated": ""}, NOW).dated_ms is None


async def test_a_dialog_says_at_every_field_what_enter_does_and_where_the_cursor_is() -> None:
    one = node("approval", state=S.WAITING, waiting=wait(attest="They approved it"))
    store = Store(view(context(), one))
    async with showing(store) as (pilot, _):
        text = await opened(pilot, store.held, "t")
        assert "field 1 of 4; Enter: next field" in text
        assert text.count("› [") == 1
        assert text.count("  [ ") == 3
        text = await write(pilot, "Ben wrote", "enter", "enter", "enter")
        assert "field 4 of 4; Enter: Attest" in text
        assert "Type a day" in await write(pilot, "soon", "enter")
        await write(pilot, TODAY, "enter")
        (word,) = store.commands
        assert isinstance(word, Attest)
        assert word.dated_ms == NOW, "what was refused is selected: typing takes its place"


async def test_a_grave_question_names_the_way_to_its_button() -> None:
    intent = {"seq": 4, "digest": "d", "title": "Run it", "repeat": "never", "at_ms": NOW, "locks": []}
    store = Store(view(context(), node("endpoint", state=S.IN_DOUBT, intent=intent)))
    async with showing(store) as (pilot, _):
        text = await press(pilot, "r")
        assert "Tab, Enter: Send again" in text
        text = await press(pilot, "tab")
        assert " Enter: Send again" in text
        await press(pilot, "enter")
        assert store.commands == [Retry("endpoint")]


async def test_what_is_filled_in_already_is_replaced_by_typing() -> None:
    question = Question("Save?", (), "Save", (Field("path", "File:", value="a.txt"),))
    async with showing(Store(view(context()))) as (pilot, app):
        given: list[object] = []
        app.push_screen(Dialog(question), given.append)
        await idle(pilot)
        await write(pilot, "b", "enter")
        assert given == [{"path": "b"}]


async def test_keys_that_never_mean_anything_from_a_seat_are_not_shown() -> None:
    def keys(app: RunbookApp) -> str:
        return screen_text(app).splitlines()[-1]

    async with showing(Store(ready())) as (_, app):
        assert "a Approve" in keys(app)
        assert "s Skip" in keys(app)
    over = view(context(), book={"title": "One", "phases": [], "steps": []}, expanded=frozenset())
    for store in (Store(ready(), is_read_only=True, driver="bob"), Store(over)):
        async with showing(store) as (_, app):
            for gone in ("Approve", "Attest", "Skip", "Pause", "Retry"):
                assert gone not in keys(app)
            assert "q Quit" in keys(app)


async def test_a_mail_program_is_offered_only_where_one_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held)
        assert isinstance(app.screen, WaitingScreen)
        assert {"copy", "save"} <= app.screen.can()
        assert "mail" not in app.screen.can()
