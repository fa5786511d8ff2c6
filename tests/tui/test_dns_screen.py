"""The screen of names, through Pilot: what is wrong is found by a key, and its cause and fix stand below."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable

from runbook.core.error import NotSent
from runbook.core.view import RunView
from runbook.dns.estate import Wanted
from runbook.dns.look import look
from runbook.dns.model import MEANINGS, WORDS, Rule, Table
from runbook.tui.app import RunbookApp
from runbook.tui.around import Around
from runbook.tui.present import dns as present
from runbook.tui.present.text import as_text
from runbook.tui.screens.dns import DnsScreen
from runbook.tui.screens.run import RunScreen
from tests.dns.test_look import GBL, WANT, WE, cloud
from tests.steps.table import TableDns
from tests.tui.conftest import idle, press, screen_text
from tests.tui.sample import Store, ready

SMALL, LARGE, LEAST = (80, 24), (200, 60), (60, 15)
RIGHT = {GBL: "10.0.0.4", WE: "10.0.0.5"}
PUBLIC = {GBL: "10.0.0.4", WE: "203.0.113.9"}


def table(answers: dict[str, str], **other: object) -> Table:
    return asyncio.run(look(WANT, cloud(**other), TableDns({"on-premises": answers})))


def empty() -> Table:
    return asyncio.run(look(Wanted((), WANT.networks, "azure", ()), cloud(), TableDns({})))


@asynccontextmanager
async def showing(
    read: Callable[[RunView], Table] | None, size: tuple[int, int] = SMALL
) -> AsyncIterator[tuple[Pilot[None], RunbookApp]]:
    """The run screen with this way of reading names, at rest."""
    app = RunbookApp(lambda: Store(ready()), around=Around(names=read), redraw_s=0.0, settle_s=0.0)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await idle(pilot)
        yield pilot, app
    app.close()


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x60"])
async def test_the_table_stands_above_the_cause_of_the_selected_cell(size: tuple[int, int]) -> None:
    wrong = await asyncio.to_thread(table, PUBLIC)
    async with showing(lambda _: wrong, size) as (pilot, app):
        text = await press(pilot, "D")
        for part in ("Names of", "nothing is written", "hub", "the premises", GBL, "10.0.0.4", "✓ ok", "✗ stale"):
            assert part in text, text
        text = await press(pilot, "n")
        assert "✗ stale-cache  we.his.arc.azure.com" in text
        for part in ("at the premises", "Must be: 10.0.0.5", "Answers: 203.0.113.9", "Cause: ", "Fix: "):
            assert part in text, text
        assert all(len(row) <= size[0] for row in text.splitlines())
        assert "Back" in text.splitlines()[-1]
        await press(pilot, "q")
        assert isinstance(app.screen, RunScreen)


async def test_in_the_smallest_terminal_table_and_cause_both_show() -> None:
    wrong = await asyncio.to_thread(table, PUBLIC)
    async with showing(lambda _: wrong, LEAST) as (pilot, _):
        text = await press(pilot, "D")
        for part in ("we.his.arc.azure.com", "✗ stale-cache", "at the premises", "Must be: 10.0.0.5"):
            assert part in text, text
        assert "Back" in text.splitlines()[-1]


async def test_the_name_itself_tells_zone_endpoint_and_every_trouble() -> None:
    wrong = await asyncio.to_thread(table, PUBLIC)
    async with showing(lambda _: wrong, LARGE) as (pilot, app):
        await press(pilot, "D", "n")
        app.screen.query_one("#names", DataTable).move_cursor(row=1, column=0)
        await idle(pilot)
        text = screen_text(app)
        assert "Zone: privatelink.his.arc.azure.com" in text
        assert "pe-arc" in text
        assert "✗ stale-cache at the premises" in text


async def test_r_reads_again_and_keeps_the_place() -> None:
    tables = [await asyncio.to_thread(table, PUBLIC), await asyncio.to_thread(table, RIGHT)]
    asked: list[str] = []

    def read(view: RunView) -> Table:
        asked.append(view.id)
        return tables[len(asked) - 1]

    async with showing(read) as (pilot, app):
        await press(pilot, "D", "n")
        at = app.screen.query_one("#names", DataTable).cursor_coordinate
        text = await press(pilot, "r")
        assert "nothing wrong" in text
        assert app.screen.query_one("#names", DataTable).cursor_coordinate == at
        assert "Nothing that can be proven from here is wrong" not in text
        await press(pilot, "n")
    assert len(asked) == 2


async def test_while_it_is_read_the_screen_says_so_and_can_be_left() -> None:
    release = threading.Event()
    right = await asyncio.to_thread(table, RIGHT)

    def read(view: RunView) -> Table:
        release.wait(10)
        return right

    async with showing(read) as (pilot, app):
        await pilot.press("D")
        for _ in range(20):
            await pilot.pause()
        assert "reading Azure and asking DNS" in screen_text(app)
        await pilot.press("escape")
        for _ in range(20):
            await pilot.pause()
        assert isinstance(app.screen, RunScreen)
        release.set()
        await idle(pilot)


async def test_what_cannot_be_read_is_told_with_what_to_do() -> None:
    def read(view: RunView) -> Table:
        raise NotSent("No way to management.azure.com.", "Check the network, then press r.")

    async with showing(read) as (pilot, _):
        text = await press(pilot, "D")
        assert "could not be read; r tries again" in text
        assert "No way to management.azure.com." in text
        assert "Check the network" in text


async def test_a_run_without_names_says_when_they_come() -> None:
    nothing = await asyncio.to_thread(empty)
    async with showing(lambda _: nothing) as (pilot, _):
        assert "They come with the endpoint" in " ".join((await press(pilot, "D", "n", "c")).split())


async def test_without_a_way_to_read_names_the_key_does_nothing() -> None:
    async with showing(None) as (pilot, app):
        await press(pilot, "D")
        assert isinstance(app.screen, RunScreen)


async def test_what_stands_below_can_be_copied() -> None:
    wrong = await asyncio.to_thread(table, PUBLIC)
    async with showing(lambda _: wrong) as (pilot, app):
        await press(pilot, "D", "n", "c")
        assert app.clipboard.startswith("✗ stale-cache  we.his.arc.azure.com")
        assert isinstance(app.screen, DnsScreen)


def test_the_next_wrong_cell_goes_round_and_round() -> None:
    wrong = table({GBL: "203.0.113.9", WE: "203.0.113.9"})
    first = present.next_wrong(wrong, 0, 0)
    assert first is not None
    second = present.next_wrong(wrong, *first)
    assert second is not None
    assert second != first
    assert present.next_wrong(wrong, *second) == first
    assert present.next_wrong(table(RIGHT), 0, 0) is None


def test_text_from_outside_can_neither_style_nor_drive_the_terminal() -> None:
    evil = table({GBL: "NX\x1b[31m[bold]", WE: "10.0.0.5"})
    rows = present.detail(present.Reading(evil), 0, 3)
    assert evil.cells[GBL, "on-premises"].rule is Rule.SERVER_FAILURE
    assert "\x1b" not in as_text(rows)


def test_every_rule_has_a_word_that_fits_and_a_meaning_that_the_help_shows() -> None:
    assert set(WORDS) == set(MEANINGS) == set(Rule)
    assert max(map(len, WORDS.values())) <= 7
    shown = as_text(present.signs())
    assert all(meaning in shown for meaning in MEANINGS.values())


async def test_the_help_of_the_screen_explains_its_own_signs() -> None:
    wrong = await asyncio.to_thread(table, PUBLIC)
    async with showing(lambda _: wrong, LARGE) as (pilot, _):
        text = await press(pilot, "D", "question_mark")
        assert "Read Azure and look every name up again" in text
        assert "an old answer in a cache" in text
        assert "where every node begins" not in text


@pytest.mark.parametrize("width", range(60, 130, 5))
def test_a_place_that_needs_little_room_leaves_it_to_those_that_need_more(width: int) -> None:
    whole = table({"on-premises": "10.0.0.4"})
    titles = [place.title for place in whole.places]
    heads = present.columns(whole, width)[2:]
    used = len(WE) + len("10.0.0.4") + sum(map(len, heads)) + 2 * (2 + len(heads))
    assert heads == titles or used <= max(width, 70)
    assert heads == titles or width < 80
