"""The compare screen: picks a run, lists what differs, shows each difference left and right, leads to the node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from runbook.core.error import Damaged, RunbookError
from runbook.core.state import NodeState, RunState
from runbook.core.summary import RunSummary, summary
from runbook.core.view import RunView
from runbook.journal.past import Past, ToldPast
from runbook.tui.app import RunbookApp
from runbook.tui.around import Around
from runbook.tui.live import Wanted
from runbook.tui.present.text import as_text
from runbook.tui.runs import Runs, of_same_book
from runbook.tui.screens.compare import CompareScreen, PickRun
from runbook.tui.screens.run import RunScreen
from runbook.tui.screens.timeline import TimelineScreen
from runbook.tui.widgets.prose import Prose
from tests import estate
from tests.crash.harness import Played
from tests.journeys.scenes import no_words, rehearse
from tests.tui.conftest import SIZES, idle, press, screen_text
from tests.tui.house import House, listed, named
from tests.tui.sample import Store


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return rehearse(tmp_path_factory.mktemp("preview"), "arc-preview")


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return rehearse(tmp_path_factory.mktemp("stuck"), "arc-trouble", answer=no_words)


def row(id_: str, mode: str = "rehearsal", book: str = "arc-private-link") -> RunSummary:
    return replace(summary(RunView()), id=id_, book=book, mode=mode, state=RunState.DONE)


def runs(pasts: Mapping[str, Past], listed: Sequence[RunSummary] | None = None) -> Runs:
    def past(run: str) -> Past:
        return pasts[run]

    return Runs(lambda: [row(name) for name in pasts] if listed is None else listed, past)


class Shown:
    """The screen alone, and what it came back with."""

    def __init__(self, pilot: Pilot[None], app: RunbookApp, screen: CompareScreen) -> None:
        self.pilot, self.app, self.screen = pilot, app, screen
        self.answers: list[Wanted | None] = []

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def detail(self) -> str:
        """The whole of the difference, in sight or not."""
        return as_text(self.screen.query_one("#compare-text", Prose).rows)

    async def press(self, *keys: str) -> str:
        return await press(self.pilot, *keys)


@asynccontextmanager
async def opened(known: Runs, other: str = "", size: tuple[int, int] = (80, 24)) -> AsyncIterator[Shown]:
    app = RunbookApp(lambda: Store(RunView()), redraw_s=0.0, settle_s=0.0, around=Around(runs=known))
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await idle(pilot)
        shown = Shown(pilot, app, CompareScreen("one", known, other=other))
        app.push_screen(shown.screen, shown.answers.append)
        await idle(pilot)
        yield shown
    app.close()


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_two_runs_stand_side_by_side_with_what_differs(
    played: Played, stuck: Played, size: tuple[int, int]
) -> None:
    known = runs({"one": ToldPast(played.entries), "two": ToldPast(stuck.entries)})
    async with opened(known, "two", size) as shown:
        assert "grave" in shown.text
        assert "different" in shown.text
        assert "done | blocked" in shown.text
        assert "The runs" in shown.text
        assert "Back" in shown.text
        assert "│" in shown.text
        assert all(len(line) <= size[0] for line in shown.text.splitlines())


async def test_the_other_run_is_chosen_from_a_list_of_the_same_book(played: Played, stuck: Played) -> None:
    pasts = {"one": ToldPast(played.entries), "two": ToldPast(stuck.entries)}
    listed = [row("one"), row("two", "live"), row("three", book="avd-private-link")]
    async with opened(runs(pasts, listed)) as shown:
        assert isinstance(shown.app.screen, PickRun)
        assert "two" in shown.text
        assert "three" not in shown.text
        await shown.press("enter")
        assert shown.screen.other == "two"
        assert "grave" in shown.text
        await shown.press("o", "escape")
        assert shown.screen.comparison is not None


async def test_who_chooses_no_run_is_back(played: Played) -> None:
    async with opened(runs({"one": ToldPast(played.entries), "two": ToldPast()})) as shown:
        await shown.press("escape")
        assert shown.answers == [None]


async def test_without_another_run_of_the_book_that_is_said(played: Played) -> None:
    async with opened(runs({"one": ToldPast(played.entries)})) as shown:
        assert "no other run of the book" in shown.text
        await shown.press("d", "c", "enter", "escape")
        assert shown.answers == [None]


async def test_everything_is_listed_by_a_key_and_the_selection_stays(played: Played, stuck: Played) -> None:
    known = runs({"one": ToldPast(played.entries), "two": ToldPast(stuck.entries)})
    async with opened(known, "two", (120, 36)) as shown:
        await shown.press("down", "down", "down")
        item, text = shown.screen.item, await shown.press("d")
        assert shown.screen.item == item
        assert "= " in text
        assert "everything" in text
        assert "only differences" in await shown.press("d")


async def test_enter_leads_to_the_node(played: Played, stuck: Played) -> None:
    known = runs({"one": ToldPast(played.entries), "two": ToldPast(stuck.entries)})
    async with opened(known, "two", (120, 36)) as shown:
        for _ in range(40):
            if shown.screen.item is not None and shown.screen.item.kind == "node":
                break
            await shown.press("down")
        item = shown.screen.item
        assert item is not None
        await shown.press("enter")
        assert shown.answers == [Wanted("", item.left)]


async def test_equal_runs_are_said_to_be_equal(played: Played) -> None:
    known = runs({"one": ToldPast(played.entries), "two": ToldPast(played.entries)})
    async with opened(known, "two") as shown:
        assert "nothing was decided, done or met otherwise" in shown.text
        assert "There is no difference to show" in shown.text
        assert "same" in await shown.press("d")


@pytest.mark.parametrize("count", [0, 1])
async def test_a_run_that_has_hardly_begun_can_be_compared(played: Played, count: int) -> None:
    known = runs({"one": ToldPast(played.entries), "two": ToldPast(played.entries[:count])})
    async with opened(known, "two") as shown:
        assert shown.screen.comparison is not None
        assert not shown.screen.comparison.is_equal


class Broken(ToldPast):
    """A past that cannot be read."""

    def newest(self) -> RunView:
        raise Damaged("Row 7 cannot be read.", "`runbook journal check` names every damaged row.")


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_a_damaged_journal_is_told_with_what_to_do(played: Played, size: tuple[int, int]) -> None:
    async with opened(runs({"one": ToldPast(played.entries), "two": Broken()}), "two", size) as shown:
        assert "Row 7 cannot be read" in shown.text
        assert "runbook journal check" in shown.text


async def test_runs_that_cannot_be_listed_are_told() -> None:
    def fails() -> Sequence[RunSummary]:
        raise RunbookError("The folder cannot be read.", "Check its rights.")

    async with opened(Runs(fails, lambda _: ToldPast())) as shown:
        assert "The folder cannot be read." in shown.text


async def test_c_opens_the_comparison_of_a_run_and_leads_back_to_its_node(played: Played, stuck: Played) -> None:
    known = runs({"crash": ToldPast(played.entries), "two": ToldPast(stuck.entries)})
    store = Store(played.view, is_read_only=True, log=list(played.entries))
    app = RunbookApp(lambda: store, redraw_s=0.0, settle_s=0.0, around=Around(runs=known))
    app.animation_level = "none"
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await idle(pilot)
        await press(pilot, "C", "enter")
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        for _ in range(40):
            if screen.item is not None and screen.item.kind == "node":
                break
            await press(pilot, "down")
        assert screen.item is not None
        goal = screen.item.left
        await press(pilot, "enter")
        run = app.screen
        assert isinstance(run, RunScreen)
        assert run.key == ("node", goal)
        assert run.view.nodes[goal].state is not NodeState.PENDING
    app.close()


def test_runs_of_another_mode_come_first() -> None:
    listed = [row("a"), row("b", "live"), row("me"), row("other", book="avd")]
    assert [r.id for r in of_same_book(listed, "me")] == ["b", "a"]
    assert of_same_book(listed, "unknown") == []


async def test_many_nodes_of_which_the_same_is_to_be_said_are_one_row() -> None:
    whole, half = estate.entries(estate.finished()), estate.entries(estate.midway())
    async with opened(runs({"one": ToldPast(whole), "two": ToldPast(half)}), "two", (120, 36)) as shown:
        assert "≠ 200 × Look the names" in shown.text
        for _ in range(10):
            await shown.press(*[] if len(shown.screen.items) > 12 else ["down"])
        assert len(shown.screen.items) > 12
        assert f"The same is to be said of {len(shown.screen.items) - 1} more" in shown.detail


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_from_the_home_screen_runs_are_looked_back_at_without_being_opened(
    played: Played, stuck: Played, size: tuple[int, int]
) -> None:
    known = runs({"one": ToldPast(played.entries), "two": ToldPast(stuck.entries)})
    house = House([listed(named(played.view, "one")), listed(named(stuck.view, "two"), 9)])  # "two" needs somebody
    app = RunbookApp(home=house.given(), around=Around(runs=known), redraw_s=0.0, settle_s=0.0)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await idle(pilot)
        text = await press(pilot, "h")
        assert isinstance(app.screen, TimelineScreen)
        assert f"#{len(stuck.entries)} of {len(stuck.entries)}" in text
        await press(pilot, "escape", "c", "enter")
        assert isinstance(app.screen, CompareScreen)
        assert "grave" in screen_text(app)
        assert house.asked == []
        for _ in range(40):
            if app.screen.item is not None and app.screen.item.kind == "node":
                break
            await press(pilot, "down")
        await press(pilot, "enter")
        assert house.asked == [("open", "two")]
    app.close()
