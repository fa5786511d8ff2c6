"""The form of a new run, its lists and its files, as an operator meets them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from textual.events import Key

from runbook.book import load_inputs
from runbook.core.error import Refused
from runbook.sim.scenario_files import load_scenario
from runbook.tui.screens.home import HomeScreen
from runbook.tui.screens.new_run import NewRunScreen
from runbook.tui.screens.pick import PickScreen
from runbook.tui.widgets.field_row import FieldRow
from tests.tui.conftest import idle, screen_text, small_and_usual, write
from tests.tui.forms import ARC, AVD, EMPTY, SUB, Reads, at, clear, form, keys, the_form, told


@small_and_usual
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


@small_and_usual
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


async def test_a_text_that_is_typed_in_one_burst_stands_there_as_it_was_typed(tmp_path: Path) -> None:
    text = "rg-typed-over-a-slow-line-0123456789"
    async with form(tmp_path, size=(120, 36)) as (pilot, app):
        box = app.screen.query_one("#row-resource_group", FieldRow).box
        box.focus()
        box.value = ""
        await idle(pilot)
        for letter in text:  # as a terminal hands them in: without waiting for anything
            app.post_message(Key("minus" if letter == "-" else letter, letter))
            await asyncio.sleep(0)
        await idle(pilot)
        assert box.value == text
        held = the_form(app).form
        assert held is not None
        assert held.texts["resource_group"] == text


async def test_escape_in_the_list_of_books_goes_back_one_level_only(tmp_path: Path) -> None:
    async with form(tmp_path, book="") as (pilot, app):
        assert isinstance(app.screen, PickScreen)
        await keys(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)
        await keys(pilot, "escape")
        assert app.is_running


async def test_a_name_that_azure_would_refuse_is_refused_while_typing(tmp_path: Path) -> None:
    async with form(tmp_path, size=(120, 36)) as (pilot, app):
        await clear(pilot, "resource_group")
        await write(pilot, "rg arc")
        assert "a blank cannot stand in it" in told(app, "#new-help-text")
