"""The summary of a new run, and how it begins from there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbook.cli.making import Workshop
from runbook.core.entry import Kind
from runbook.core.error import ContextError, Unwritable
from runbook.home import journal_path, run_ids
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.sim.scenario_files import load_scenario
from runbook.tui.app import RunbookApp
from runbook.tui.making import Making, Sight, Terms
from runbook.tui.present.how import LIVE, Prefill, prefill_of
from runbook.tui.present.text import as_text
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.home import HomeScreen
from runbook.tui.screens.new_run import NewRunScreen
from runbook.tui.screens.run import RunScreen
from runbook.tui.screens.summary import SummaryScreen
from tests.live.cloud import azure
from tests.tui.conftest import idle, screen_text, small_and_usual, write
from tests.tui.forms import ARC, AVD, at, clear, form, home_of, keys, the_form, told


@small_and_usual
@pytest.mark.parametrize(
    ("book", "told"), [(ARC, "Ask for AllowPrivateEndpoints"), (AVD, "Create placeholder workspace")]
)
async def test_the_summary_says_what_would_be_created_and_who_must_say_go(
    tmp_path: Path, book: str, told: str, size: tuple[int, int]
) -> None:
    async with form(tmp_path, book, size) as (pilot, app):
        text = await keys(pilot, "f5")
        assert isinstance(app.screen, SummaryScreen)
        assert "✓ looked at by reading alone" in text
        assert "nodes:" in text
        whole = as_text(app.screen._text())
        assert told in whole
        assert "Gates: where somebody must say go" in whole
        assert "Link the networks to …  (by the book; not read yet)" in whole
        assert "until done: " in whole
        assert "Takes: About" in whole
        assert not list(run_ids(tmp_path))
        await keys(pilot, "escape")
        assert isinstance(app.screen, NewRunScreen)


async def test_a_plan_shows_every_node_with_its_command_and_makes_no_run(tmp_path: Path) -> None:
    async with form(tmp_path) as (pilot, app):
        await keys(pilot, "f5", "end", "ctrl+u")
        await write(pilot, "plan")
        await idle(pilot)
        assert isinstance(app.screen, SummaryScreen)
        whole = as_text(app.screen._text())
        assert "Node by node" in whole
        assert "$ az " in whole
        await keys(pilot, "f5")
        assert isinstance(app.screen, SummaryScreen)
        assert not list(run_ids(tmp_path))


async def test_a_look_says_how_far_it_is_and_can_be_given_up(tmp_path: Path) -> None:
    begun: list[Terms] = []

    async def look(terms: Terms, told: Callable[[int, int], None]) -> Sight:
        begun.append(terms)
        told(3, 36)
        await asyncio.Event().wait()
        raise AssertionError

    async with form(tmp_path, change=lambda m: replace(m, look=look)) as (pilot, app):
        await pilot.press("f5")
        while not begun or "3 of 36 steps" not in screen_text(app):
            await pilot.pause(0.01)
        text = await keys(pilot, "f8")
        assert "not looked at" in text
        assert "32 steps in 9 phases" in text
        assert "Disruptive, by the book's own words" in text or isinstance(app.screen, SummaryScreen)


async def test_a_look_that_fails_says_why_and_leaves_what_the_book_says(tmp_path: Path) -> None:
    async def look(terms: Terms, told: Callable[[int, int], None]) -> Sight:
        raise ContextError("This account sees no such subscription.", "Choose another.")

    async with form(tmp_path, change=lambda m: replace(m, look=look)) as (pilot, _):
        text = await keys(pilot, "f5")
        assert "This account sees no such subscription. Choose another." in text
        assert "32 steps in 9 phases" in text


async def test_a_rehearsal_is_made_of_what_was_typed_and_opened_and_q_goes_home(tmp_path: Path) -> None:
    async with form(tmp_path) as (pilot, app):
        await clear(pilot, "scope_name")
        await write(pilot, "pls-mine")
        await keys(pilot, "f5", "f5")
        assert isinstance(app.screen, RunScreen)
        view = app.screen.view
        assert view.inputs["scope_name"] == "pls-mine"
        assert view.scenario == "arc-preview"
        assert view.mode == "rehearsal"
        await keys(pilot, "q")
        assert isinstance(app.screen, HomeScreen)


async def test_speed_and_edition_are_those_that_were_chosen(tmp_path: Path) -> None:
    async with form(tmp_path, size=(120, 36)) as (pilot, app):
        await keys(pilot, "f5", "down", "down")
        await write(pilot, "gaa")
        assert "one of preview, ga, auto" in screen_text(app)
        assert "an answer above is wrong" in await keys(pilot, "f5")
        await keys(pilot, "backspace", "down")
        await write(pilot, "max")
        await idle(pilot)
        await keys(pilot, "f5")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.view.edition == "ga"
        assert app.screen.attachment.speed is None


async def test_a_run_that_cannot_be_made_comes_back_with_everything_as_it_was(tmp_path: Path) -> None:
    def create(terms: Terms, said: Sequence[str]) -> str:
        raise Unwritable("The state folder cannot be written.", "Make room.")

    async with form(tmp_path, change=lambda m: replace(m, create=create)) as (pilot, app):
        await clear(pilot, "scope_name")
        await write(pilot, "pls-mine")
        await keys(pilot, "f5", "f5")
        assert isinstance(app.screen, SummaryScreen)
        assert told(app, "#summary-told") == "The state folder cannot be written. Make room."
        await keys(pilot, "escape")
        filled = the_form(app).form
        assert filled is not None
        assert filled.texts["scope_name"] == "pls-mine"


async def test_a_run_that_was_made_but_not_opened_is_not_made_twice(tmp_path: Path) -> None:
    tries: list[str] = []

    def change(making: Making) -> Making:
        def open_run(run: str, terms: Terms, said: Sequence[str]) -> Any:
            tries.append(run)
            if len(tries) == 1:
                raise Unwritable("Not now.", "")
            return making.open_run(run, terms, said)

        return replace(making, open_run=open_run)

    async with form(tmp_path, change=change) as (pilot, app):
        await keys(pilot, "f5", "f5")
        assert "was made: it can be resumed" in told(app, "#summary-told")
        await keys(pilot, "f5")
        assert isinstance(app.screen, RunScreen)
        assert len(set(tries)) == 1
        assert len(list(run_ids(tmp_path))) == 1


async def test_the_inputs_of_a_run_that_exists_can_be_changed_for_another(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path).making
    terms = Terms(ARC, "rehearsal", "arc-ga", "ga", "", load_scenario("arc-ga").inputs | {"scope_name": "pls-one"})
    run = workshop.create(terms, ())
    journal = Journal.open(journal_path(tmp_path, run), write=False)
    prefill = prefill_of(load_view(journal))
    journal.close()
    assert (prefill.source, prefill.place, prefill.edition) == (f"run {run}", "arc-ga", "ga")
    async with form(tmp_path, prefill=prefill) as (pilot, app):
        filled = the_form(app).form
        assert filled is not None
        assert filled.judged.values["scope_name"] == "pls-one"
        assert "✓ from run" in screen_text(app)
        await clear(pilot, "scope_name")
        await write(pilot, "pls-two")
        await keys(pilot, "f5", "f5")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.view.inputs["scope_name"] == "pls-two"
        assert app.screen.view.edition == "ga"
        assert len(list(run_ids(tmp_path))) == 2


# ---------------------------------------------------------------- live


@small_and_usual
async def test_a_live_run_begins_only_when_every_subscription_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        inputs = {n: v for n, v in there.scenario.inputs.items()}
        prefill = Prefill(inputs, "file in.yaml", LIVE, "ga")
        async with form(tmp_path, ARC, size, prefill=prefill, sign_in=there.signed_in) as (pilot, app):
            await at(pilot, "machines")
            assert "srv-app-01" in await keys(pilot, "f2")
            await keys(pilot, "escape", "f5")
            assert isinstance(app.screen, SummaryScreen)
            assert app.screen.mode == "plan"
            await keys(pilot, "end", "ctrl+u")
            await write(pilot, "live")
            text = await keys(pilot)
            assert "Contoso Landing Zone" in text
            text = await keys(pilot, "f5")
            assert isinstance(app.screen, Dialog)
            assert "This run will change real resources." in text
            await write(pilot, "contoso landing zone", "enter")
            assert "Type exactly: Contoso Landing Zone" in screen_text(app)
            await keys(pilot, "escape")
            assert isinstance(app.screen, SummaryScreen)
            assert not list(run_ids(tmp_path))
            await keys(pilot, "f5")
            for name in there.scenario.subscriptions:
                await write(pilot, name.name, "enter")
            assert isinstance(app.screen, RunScreen), screen_text(app)
            assert app.screen.view.mode == "live"
            assert there.writes == []
            await keys(pilot, "q")
        (run,) = run_ids(tmp_path)
        journal = Journal.open(journal_path(tmp_path, run), write=False)
        noted = [e.data["text"] for e in journal.entries() if e.kind is Kind.NOTED]
        journal.close()
        assert any("confirmed that this run writes to Contoso Landing Zone" in text for text in noted)


async def test_a_live_run_that_cannot_be_pinned_says_why(tmp_path: Path) -> None:
    inputs = load_scenario("arc-ga").inputs
    async with form(tmp_path, prefill=Prefill(inputs, "file in.yaml", LIVE)) as (pilot, app):
        text = await keys(pilot, "f5")
        assert "Nobody is signed in to the Azure CLI. Sign in (az login)." in text
        await keys(pilot, "end", "ctrl+u")
        await write(pilot, "live")
        text = await keys(pilot, "f5")
        assert isinstance(app.screen, SummaryScreen)
        assert "Nobody is signed in to the Azure CLI. Sign in (az login)." in text
        assert not list(run_ids(tmp_path))


async def test_home_opens_the_form_of_a_book_that_it_asks_for(tmp_path: Path) -> None:
    app = RunbookApp(home=home_of(Workshop(tmp_path).making))
    async with app.run_test() as pilot:
        await idle(pilot)
        text = await keys(pilot, "n")
        assert "Which book?" in text
        assert "arc-private-link" in text
        text = await keys(pilot, "down", "enter")
        assert "New run: Azure Virtual Desktop" in text
        await keys(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)
        await keys(pilot, "n", "escape")
        assert isinstance(app.screen, HomeScreen)
    app.close()
