"""The form of a new run, its lists and its summary, as an operator meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from runbook.book import load_inputs
from runbook.cli.making import Workshop
from runbook.core.entry import Kind
from runbook.core.error import ContextError, Refused, RunbookError, Unwritable
from runbook.home import journal_path, run_ids
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.sim.scenario_files import load_scenario
from runbook.tui.app import RunbookApp
from runbook.tui.making import Making, Sight, Terms
from runbook.tui.present.form import LIVE, Prefill, prefill_of
from runbook.tui.present.text import as_text
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.home import Home, HomeScreen
from runbook.tui.screens.new_run import NewRunScreen
from runbook.tui.screens.pick import Fixed, PickScreen, Plain
from runbook.tui.screens.run import RunScreen
from runbook.tui.screens.summary import SummaryScreen
from runbook.tui.widgets.prose import Prose
from tests.live.cloud import azure
from tests.tui.conftest import idle, press, screen_text, write
from tests.tui.sample import Store, ready

ARC, AVD = "arc-private-link", "avd-private-link"
SIZES = [(80, 24), (120, 36)]
SUB = "11111111-1111-4111-8111-111111111111"


class Reads:
    """Choices as a test wants them: a list, an error, or an answer that never comes."""

    def __init__(self, *labels: str, error: RunbookError | None = None, is_silent: bool = False) -> None:
        self.labels, self.error, self.is_silent = labels, error, is_silent
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def offer(self, of: str, within: Sequence[str]) -> Fixed:
        self.asked.append((of, tuple(within)))
        if self.is_silent:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return Fixed([Plain(f"value-{label}", label, f"detail of {label}") for label in self.labels], ["one is hidden"])


def refuse() -> Any:
    raise ContextError("Nobody is signed in to the Azure CLI.", "Sign in (az login).")


@asynccontextmanager
async def form(
    home: Path,
    book: str = ARC,
    size: tuple[int, int] = (80, 24),
    change: Callable[[Making], Making] = lambda making: making,
    prefill: Prefill | None = None,
    sign_in: Callable[[], Any] = refuse,
) -> AsyncIterator[tuple[Pilot[None], RunbookApp]]:
    """The app with the form on the screen, ready and at rest."""
    making = change(Workshop(home, sign_in).making)
    nothing = Home(list, list, lambda _: Store(ready()), lambda _: Store(ready()), making)
    app = RunbookApp(home=nothing, redraw_s=0.0, settle_s=0.0)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await idle(pilot)
        app.push_screen(NewRunScreen(making, book, prefill))
        await settle(pilot)
        yield pilot, app
    app.close()


async def settle(pilot: Pilot[None]) -> None:
    """Until nothing is on its way on any screen of the stack."""
    app = pilot.app
    assert isinstance(app, RunbookApp)
    for _ in range(6000):
        await pilot.pause(0.005)
        if not app.is_busy and not any(getattr(screen, "is_busy", False) for screen in app.screen_stack):
            await pilot.pause()
            return
    raise AssertionError("the screens never came to rest")


async def keys(pilot: Pilot[None], *names: str) -> str:
    for name in names:
        await pilot.press(name)
        await settle(pilot)
    if not names:
        await settle(pilot)
    assert isinstance(pilot.app, RunbookApp)
    return screen_text(pilot.app)


def the_form(app: RunbookApp) -> NewRunScreen:
    return next(s for s in app.screen_stack if isinstance(s, NewRunScreen))


def told(app: RunbookApp, place: str) -> str:
    """The text of a part of the screen, without the line ends that its room asks for."""
    return as_text(app.screen.query_one(place, Prose).rows)


async def at(pilot: Pilot[None], name: str) -> str:
    """Put the cursor into a field."""
    the_form(pilot.app)._row(name).box.focus()  # type: ignore[arg-type]
    return await keys(pilot)


async def clear(pilot: Pilot[None], name: str) -> None:
    await at(pilot, name)
    await keys(pilot, "end", "ctrl+u")


EMPTY = Prefill({}, "nothing", LIVE)
"""A form on the operator's own Azure, with nothing filled in."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("book", [ARC, AVD])
async def test_an_empty_form_says_what_is_required_without_colour(
    tmp_path: Path, book: str, size: tuple[int, int]
) -> None:
    async with form(tmp_path, book, size, prefill=EMPTY) as (pilot, app):
        text = screen_text(app)
        assert "required are empty" in text
        assert "* Which subscription" in text
        assert "○ required" in text
        assert "for example 11111111-1111-4111-8111-111111111111" in text
        text = await keys(pilot, "f5")
        assert isinstance(app.screen, NewRunScreen)
        assert "Not yet: this field is empty or wrong." in text
        assert app.screen._at == app.screen.form.first_open()  # type: ignore[union-attr]


@pytest.mark.parametrize(("book", "scenario"), [(ARC, "arc-preview"), (AVD, "avd-small")])
async def test_the_books_own_scenario_fills_the_form(tmp_path: Path, book: str, scenario: str) -> None:
    async with form(tmp_path, book) as (_, app):
        assert "✓ all that is required is given" in screen_text(app)
        assert "✓ from scenario" in screen_text(app)
        assert the_form(app).place == scenario
        filled = the_form(app).form
        assert filled is not None
        wanted = {n: v for n, v in load_scenario(scenario).inputs.items() if n in filled.book.inputs}
        assert {n: filled.judged.values[n] for n in wanted} == wanted


async def test_what_is_wrong_is_said_below_the_field_and_in_the_help_while_typing(tmp_path: Path) -> None:
    async with form(tmp_path) as (pilot, app):
        await clear(pilot, "subscription")
        text = await write(pilot, "1234")
        assert "expected a subscription id, found the text '1234'" in text
        assert "✗ wrong" in text
        assert "✗ 1 is wrong" in text
        assert "Wrong: expected a subscription id" in text
        await keys(pilot, "ctrl+u")
        text = await write(pilot, SUB)
        assert "✓ given" in text
        assert isinstance(app.screen, NewRunScreen)


async def test_keys_go_from_field_to_field_and_help_follows(tmp_path: Path) -> None:
    async with form(tmp_path) as (pilot, app):
        screen = the_form(app)
        await keys(pilot, "tab")
        assert screen._at == "subscription"
        text = await keys(pilot, "down", "down")
        assert screen._at == "location"
        assert "A scope serves the servers of its own region." in text
        await keys(pilot, "shift+tab", "up")
        assert screen._at == "subscription"
        await at(pilot, "resource_group")
        await keys(pilot, "enter")
        assert screen._at == "endpoint_resource_group"
        text = await keys(pilot, "f1")
        assert "Write what is filled in to a YAML file." in text


@pytest.mark.parametrize("size", SIZES)
async def test_a_list_is_read_searched_and_taken_from(tmp_path: Path, size: tuple[int, int]) -> None:
    async with form(tmp_path, size=size) as (pilot, app):
        await at(pilot, "subnet")
        text = await keys(pilot, "enter")
        assert isinstance(app.screen, PickScreen)
        assert "vnet-hub/pe" in text
        assert "27 free" in text
        text = await write(pilot, "hub gate")
        assert "vnet-hub/GatewaySubnet" in text
        text = await keys(pilot, "enter")
        filled = the_form(app).form
        assert filled is not None
        assert filled.texts["subnet"].endswith("/vnet-hub/subnets/GatewaySubnet")
        assert "vnet-hub/GatewaySubnet" in text


async def test_several_are_marked_by_tab_and_stand_in_the_field(tmp_path: Path) -> None:
    async with form(tmp_path) as (pilot, app):
        await at(pilot, "machines")
        await keys(pilot, "f2", "tab", "down", "tab")
        text = screen_text(app)
        assert "Take 2 marked" in text
        assert text.count("[x]") == 2
        text = await keys(pilot, "enter")
        assert "2: srv-app-01, srv-db-01" in text
        await keys(pilot, "f2", "f4", "f4")
        assert "Take 0 marked" in screen_text(app)
        await keys(pilot, "enter")
        filled = the_form(app).form
        assert filled is not None
        assert filled.judged.values["machines"] == []


async def test_a_list_asks_for_what_the_input_names_in_the_chosen_subscriptions(tmp_path: Path) -> None:
    reads = Reads("a", "b")
    async with form(tmp_path, change=lambda m: replace(m, choices=lambda _: reads)) as (pilot, app):
        await at(pilot, "machines")
        await keys(pilot, "f2")
        assert "one is hidden" in screen_text(app)
        assert reads.asked == [("Microsoft.HybridCompute/machines", (SUB, SUB.replace("1", "2")))] or reads.asked
        of, within = reads.asked[0]
        assert of == "Microsoft.HybridCompute/machines"
        assert within == (SUB, "22222222-2222-4222-8222-222222222222")
        await keys(pilot, "escape")
        await at(pilot, "subscription")
        await keys(pilot, "f2", "escape", "f2")
        assert reads.asked[1:] == [("subscription", ())]  # what was read once is not read again
        await keys(pilot, "f5")
        assert len(reads.asked) == 3


async def test_a_list_that_cannot_be_read_says_why_and_typing_goes_on(tmp_path: Path) -> None:
    error = Refused("You may not list here.", status=403, arm_code="AuthorizationFailed", hint="Ask the owner.")
    reads = Reads(error=error)
    async with form(tmp_path, change=lambda m: replace(m, choices=lambda _: reads)) as (pilot, app):
        await clear(pilot, "location")
        await keys(pilot, "enter")
        assert "cannot be read: AuthorizationFailed: You may not list here. Ask the owner." in told(app, "#pick-told")
        assert "type the value by hand" in told(app, "#pick-told")
        reads.error, reads.labels = None, ("northeurope",)
        assert "northeurope" in await keys(pilot, "f5")
        await keys(pilot, "escape")
        text = await write(pilot, "uksouth")
        assert isinstance(app.screen, NewRunScreen)
        assert "uksouth" in text


async def test_nobody_signed_in_is_told_where_the_list_would_stand(tmp_path: Path) -> None:
    async with form(tmp_path, prefill=EMPTY) as (pilot, app):
        await at(pilot, "subscription")
        await keys(pilot, "enter")
        assert "Nobody is signed in to the Azure CLI. Sign in (az login)." in told(app, "#pick-told")


async def test_a_list_under_way_says_so_and_escape_gives_it_up(tmp_path: Path) -> None:
    reads = Reads(is_silent=True)
    async with form(tmp_path, change=lambda m: replace(m, choices=lambda _: reads)) as (pilot, app):
        await at(pilot, "vnet")
        await pilot.press("enter")
        while not reads.asked:
            await pilot.pause(0.01)
        assert "reading in scenario arc-preview" in screen_text(app)
        await keys(pilot, "escape")
        assert isinstance(app.screen, NewRunScreen)


async def test_another_place_fills_in_its_own_answers_and_keeps_what_was_typed(tmp_path: Path) -> None:
    async with form(tmp_path) as (pilot, app):
        await clear(pilot, "scope_name")
        await write(pilot, "pls-mine")
        await at(pilot, "_place")
        await keys(pilot, "enter")
        await write(pilot, "azure")
        text = await keys(pilot, "enter")
        assert "your own Azure" in text
        assert "5 required are empty" in text
        filled = the_form(app).form
        assert filled is not None
        assert filled.touched == {"scope_name": "pls-mine"}


async def test_a_scenario_that_does_not_exist_holds_up_the_summary_and_says_so(tmp_path: Path) -> None:
    async with form(tmp_path) as (pilot, app):
        text = await write(pilot, "x")
        assert "There is no scenario 'arc-previewx'" in text
        await keys(pilot, "f5")
        assert isinstance(app.screen, NewRunScreen)


# ---------------------------------------------------------------- files


async def test_inputs_are_saved_and_never_over_a_file_without_asking(tmp_path: Path) -> None:
    path = tmp_path / "in.yaml"
    async with form(tmp_path) as (pilot, app):
        await clear(pilot, "scope_name")
        await write(pilot, "pls-mine")
        await keys(pilot, "ctrl+s", "end", "ctrl+u")
        await write(pilot, str(path))
        text = await keys(pilot, "enter")
        assert "Saved:" in text
        assert load_inputs(path)["scope_name"] == "pls-mine"
        await clear(pilot, "scope_name")
        await write(pilot, "pls-other")
        await keys(pilot, "ctrl+s", "end", "ctrl+u")
        await write(pilot, str(path))
        text = await keys(pilot, "enter")
        assert "Replace the file?" in text
        await keys(pilot, "escape")
        assert load_inputs(path)["scope_name"] == "pls-mine"
        await keys(pilot, "ctrl+s", "end", "ctrl+u")
        await write(pilot, str(path))
        await keys(pilot, "enter", "shift+tab", "enter")
        assert load_inputs(path)["scope_name"] == "pls-other"
        await keys(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)


async def test_a_file_fills_the_fields_it_names_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "in.yaml"
    path.write_text("location: North Europe\ndns: own\n")
    async with form(tmp_path) as (pilot, app):
        await keys(pilot, "ctrl+o")
        await write(pilot, str(path))
        text = await keys(pilot, "enter")
        assert "2 fields filled in" in text
        filled = the_form(app).form
        assert filled is not None
        assert filled.judged.values["location"] == "northeurope"
        assert filled.judged.values["dns"] == "own"
        assert filled.is_right
        assert filled.sources["location"] == "file in.yaml"
        assert filled.sources["vnet"] == "scenario arc-preview"


async def test_what_is_wrong_in_a_file_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "in.yaml"
    path.write_text("dns: azur\nlocatoin: westeurope\n")
    async with form(tmp_path, size=(120, 36)) as (pilot, app):
        await keys(pilot, "ctrl+o")
        await write(pilot, str(path))
        await keys(pilot, "enter")
        text = told(app, "#dialog-text")
        assert "in.yaml:1:6: input `dns`: expected one of azure, own" in text
        assert "in.yaml:2:1: there is no input `locatoin`; did you mean `location`?" in text
        await keys(pilot, "enter")
        assert "✗ 1 is wrong" in screen_text(app)
        path.write_text("dns: [\n")
        await keys(pilot, "ctrl+o")
        await write(pilot, str(path))
        await keys(pilot, "enter")
        text = told(app, "#dialog-text")
        assert "Nothing was filled in." in text
        assert "in.yaml:2:1: not YAML" in text


async def test_leaving_asks_before_anything_typed_is_lost(tmp_path: Path) -> None:
    async with form(tmp_path) as (pilot, app):
        await at(pilot, "scope_name")
        await write(pilot, "x")
        text = await keys(pilot, "escape")
        assert "What you typed is not saved: scope_name." in text
        await keys(pilot, "escape")
        assert isinstance(app.screen, NewRunScreen)
        assert app.screen.form is not None
        assert app.screen.form.texts["scope_name"] == "pls-arcx"
        await keys(pilot, "escape", "shift+tab", "enter")
        assert isinstance(app.screen, HomeScreen)


async def test_several_pasted_lines_become_members_of_a_list(tmp_path: Path) -> None:
    from textual.events import Paste

    async with form(tmp_path, prefill=EMPTY) as (pilot, app):
        await at(pilot, "additional_subscriptions")
        other = SUB.replace("1", "2")
        app.screen.query_one("#row-additional_subscriptions Box").post_message(Paste(f"{SUB}\n  {other},\n"))
        await keys(pilot)
        filled = the_form(app).form
        assert filled is not None
        assert filled.judged.values["additional_subscriptions"] == [SUB, "22222222-2222-4222-8222-222222222222"]


# ---------------------------------------------------------------- the summary


@pytest.mark.parametrize("size", SIZES)
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
        await settle(pilot)
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
        await settle(pilot)
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


@pytest.mark.parametrize("size", SIZES)
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
                await pilot.press(*(c if c != " " else "space" for c in name.name))
                await keys(pilot, "enter")
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


async def test_home_opens_the_form_of_the_highlighted_book(tmp_path: Path) -> None:
    from tests.tui.test_app import Shelf

    making = Workshop(tmp_path).making
    app = RunbookApp(home=Home(list, lambda: [Shelf()], lambda _: Store(ready()), lambda _: Store(ready()), making))
    async with app.run_test() as pilot:
        await idle(pilot)
        assert "n New run" in screen_text(app)
        await keys(pilot, "n")
        assert isinstance(app.screen, NewRunScreen)
        await keys(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)
        await press(pilot, "enter")
        assert isinstance(app.screen, RunScreen)
    app.close()
