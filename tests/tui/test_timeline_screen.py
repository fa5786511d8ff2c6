"""The timeline screen: opens on any journal, scrubs, jumps, plays, grows, and goes to a node of the run."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from runbook.core.entry import Entry, Kind
from runbook.core.error import Damaged, JournalError
from runbook.core.event import Event
from runbook.core.mark import Mark
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.home import journal_path
from runbook.journal.fold import fold
from runbook.journal.past import Past, ToldPast
from runbook.journal.reader import JournalPast
from runbook.tui.app import RunbookApp
from runbook.tui.keys import SCREENS
from runbook.tui.live import Wanted
from runbook.tui.present.lanes import WORDS
from runbook.tui.present.text import as_text
from runbook.tui.screens.run import RunScreen
from runbook.tui.screens.timeline import TimelineScreen
from runbook.tui.widgets.prose import Prose
from tests.crash.harness import RUN, Played
from tests.journeys.scenes import no_words, rehearse
from tests.tui.conftest import SIZES, from_another_thread, idle, press, screen_text, showing
from tests.tui.sample import Store


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return rehearse(tmp_path_factory.mktemp("preview"), "arc-preview")


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return rehearse(tmp_path_factory.mktemp("stuck"), "arc-trouble", answer=no_words)


class Shown:
    """The screen alone, and what it came back with."""

    def __init__(self, pilot: Pilot[None], app: RunbookApp, screen: TimelineScreen) -> None:
        self.pilot, self.app, self.screen = pilot, app, screen
        self.answers: list[Wanted | None] = []

    @property
    def text(self) -> str:
        return screen_text(self.app)

    async def press(self, *keys: str) -> str:
        return await press(self.pilot, *keys)


@asynccontextmanager
async def opened(past: Past, size: tuple[int, int] = (80, 24), *, is_animated: bool = False) -> AsyncIterator[Shown]:
    app = RunbookApp(lambda: Store(RunView()), redraw_s=0.0, settle_s=0.0)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.animation_level = "full" if is_animated else "none"
        await idle(pilot)
        shown = Shown(pilot, app, TimelineScreen(past))
        app.push_screen(shown.screen, shown.answers.append)
        await idle(pilot)
        yield shown
    app.close()


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_a_finished_run_opens_at_its_end_with_bars_totals_and_the_last_entry(
    played: Played, size: tuple[int, int]
) -> None:
    async with opened(ToldPast(played.entries), size) as shown:
        head = len(played.entries)
        assert f"#{head} of {head}" in shown.text
        assert f"{played.view.totals[NodeState.DONE]} done" in shown.text
        assert "░░░" in shown.text
        assert "2 d" in shown.text
        assert "Timeline of crash" in shown.text
        assert "Esc Back" in shown.text
        assert all(len(row) <= size[0] for row in shown.text.splitlines())


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_a_run_without_entries_says_so(size: tuple[int, int]) -> None:
    async with opened(ToldPast(), size) as shown:
        assert "no entry yet" in shown.text
        for key in ("left", "end", "space", "z", "f", "right_square_bracket", "enter", "e"):
            await shown.press(key)
        assert shown.screen.seq == 0


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_a_run_of_one_entry_can_be_looked_at(played: Played, size: tuple[int, int]) -> None:
    async with opened(ToldPast(played.entries[:1]), size) as shown:
        assert "#1 of 1" in shown.text
        assert "The run was created" in shown.text
        await shown.press("left", "right", "z", "home", "end", "space")
        assert "#1 of 1" in shown.text


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_a_run_that_got_stuck_shows_where(stuck: Played, size: tuple[int, int]) -> None:
    async with opened(ToldPast(stuck.entries), size) as shown:
        text = await shown.press("F")
        seq = shown.screen.seq
        assert stuck.entries[seq - 1].to in (NodeState.BLOCKED, NodeState.FAILED)
        assert "rule forbids" in text or "Failed:" in text
        assert "■" in text or "✗" in text


async def test_left_and_right_go_one_entry_and_what_is_shown_is_the_fold_up_to_there(played: Played) -> None:
    async with opened(ToldPast(played.entries)) as shown:
        for keys in (("left",), ("left",), ("home",), ("right",), ("end",), ("left",)):
            await shown.press(*keys)
            assert shown.screen.back.then is not None
            seq, view, entry = shown.screen.back.then
            assert seq == shown.screen.seq
            assert view == fold(RunView(), played.entries[:seq])
            assert entry == played.entries[seq - 1]
        assert shown.screen.seq == len(played.entries) - 1


async def test_brackets_jump_to_what_needed_a_person_and_say_when_there_is_no_more(played: Played) -> None:
    async with opened(ToldPast(played.entries)) as shown:
        await shown.press("home", "right_square_bracket")
        entry = played.entries[shown.screen.seq - 1]
        assert entry.to is NodeState.READY
        assert shown.screen.key is not None
        text = await shown.press("e")
        assert shown.screen.key == ("node", entry.node)
        assert "ready" in text
        await shown.press("end")
        assert "Nobody was needed after this" in await shown.press("right_square_bracket")


async def test_shift_and_an_arrow_go_to_where_the_selected_row_began_something_new(played: Played) -> None:
    async with opened(ToldPast(played.entries)) as shown:
        await shown.press("home", "right_square_bracket", "e")
        node = shown.screen.key[1] if shown.screen.key else ""
        await shown.press("shift+right")
        entry = played.entries[shown.screen.seq - 1]
        assert (entry.node, entry.to is not None) == (node, True)
        before = shown.screen.seq
        await shown.press("shift+left")
        assert shown.screen.seq < before


async def test_enter_folds_a_group_and_goes_to_a_node(played: Played) -> None:
    async with opened(ToldPast(played.entries), (120, 36)) as shown:
        count = len(shown.screen.rows)
        await shown.press("enter")
        assert len(shown.screen.rows) != count
        await shown.press("home", "right_square_bracket", "e")
        node = shown.screen.key[1] if shown.screen.key else ""
        await shown.press("enter")
        assert shown.answers == [Wanted("", node)]


async def test_without_animations_space_is_one_step(played: Played) -> None:
    async with opened(ToldPast(played.entries)) as shown:
        await shown.press("home", "space")
        assert not shown.screen.is_playing
        assert 1 < shown.screen.seq < 60


async def test_playing_goes_on_until_the_end_and_any_move_stops_it(played: Played) -> None:
    async with opened(ToldPast(played.entries), is_animated=True) as shown:
        await shown.pilot.press("home", "space")
        assert shown.screen.is_playing
        await shown.pilot.press("left")
        assert not shown.screen.is_playing
        await shown.pilot.press("space")
        for _ in range(len(played.entries) + 1):
            if not shown.screen.is_playing:
                break
            shown.screen.play_on()
        assert shown.screen.seq == len(played.entries)
        await shown.press("plus", "minus", "minus")
        await idle(shown.pilot)


async def test_waits_are_shortened_or_not_by_a_key(played: Played) -> None:
    async with opened(ToldPast(played.entries), (120, 36)) as shown:
        assert "long waits shortened" in shown.text
        axis = as_text(shown.screen.query_one("#time-axis", Prose).rows)
        assert re.search(r" \d+ (d|h)|┄", axis), axis
        assert "time as it went by" in await shown.press("z")


async def test_a_click_in_a_bar_moves_the_cursor_there(played: Played) -> None:
    async with opened(ToldPast(played.entries), (120, 36)) as shown:
        await shown.pilot.click("#time-rows", offset=(60, 2))
        await idle(shown.pilot)
        assert shown.screen.seq < len(played.entries)
        assert shown.screen.key == shown.screen.rows[2].key


class Broken(ToldPast):
    """A past whose rows cannot be read."""

    def marks(self, after: int = 0) -> list[Mark]:
        raise Damaged("In the journal row 7 is missing.", "`runbook journal check` names every damaged row.")


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_a_damaged_journal_is_told_with_what_to_do(size: tuple[int, int]) -> None:
    async with opened(Broken(), size) as shown:
        assert "row 7 is missing" in shown.text
        assert "runbook journal check" in shown.text
        await shown.press("left", "space", "z", "enter", "escape")
        assert shown.answers == [None]


class Busy(ToldPast):
    """A past that cannot be read once."""

    def marks(self, after: int = 0) -> list[Mark]:
        if not self.is_free:
            raise JournalError("The journal is being written by another process.", "Try again in a moment.")
        return super().marks(after)

    is_free = False


async def test_what_could_not_be_read_is_tried_again_when_something_new_is_committed(played: Played) -> None:
    past = Busy()
    store = Attached(RunView())
    store.commit(played.entries[:50])
    past.told = store.log
    app = RunbookApp(lambda: store, redraw_s=0.0, settle_s=0.0)
    app.animation_level = "none"
    async with app.run_test(size=(80, 24)) as pilot:
        await idle(pilot)
        app.push_screen(TimelineScreen(past, store, redraw_s=0.0))
        await idle(pilot)
        assert "being written by another process" in screen_text(app)
        past.is_free = True
        await from_another_thread(lambda: store.commit(played.entries[50:60]))
        await idle(pilot)
        assert "#60 of 60" in screen_text(app)
    app.close()


class Attached(Store):
    """A store whose journal grows."""

    def commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.log.append(entry)
            self.held = fold(self.held, [entry])
            for listener in tuple(self.listeners):
                listener(Event(entry, None, self.held))

    def past(self) -> ToldPast:
        told = ToldPast()
        told.told = self.log
        return told


@pytest.mark.parametrize("is_read_only", [False, True])
async def test_h_opens_the_timeline_of_a_run_which_grows_and_leads_back_to_the_node(
    played: Played, is_read_only: bool
) -> None:
    store = Attached(RunView(), is_read_only=is_read_only)
    store.commit(played.entries[:100])
    async with showing(store, (120, 36)) as (pilot, app):
        text = await press(pilot, "h")
        assert isinstance(app.screen, TimelineScreen)
        assert "#100 of 100" in text
        await from_another_thread(lambda: store.commit(played.entries[100:150]))
        await idle(pilot)
        assert "#150 of 150" in screen_text(app)
        await press(pilot, "home")
        await from_another_thread(lambda: store.commit(played.entries[150:200]))
        await idle(pilot)
        assert "#1 of 200" in screen_text(app)
        await press(pilot, "right_square_bracket", "e", "enter")
        run = app.screen
        assert isinstance(run, RunScreen)
        asked = next(e for e in played.entries if e.kind is Kind.OBSERVED and e.to is NodeState.READY)
        assert run.key == ("node", asked.node)
        assert store.commands == []


@pytest.fixture
def left_alone(tmp_path: Path) -> Path:
    """The journal of a run that nobody has open."""
    rehearse(tmp_path, "arc-ga")
    return journal_path(tmp_path, RUN)


async def test_the_journal_of_a_run_nobody_has_opened_can_be_looked_at(left_alone: Path) -> None:
    async with opened(JournalPast(left_alone), (120, 36)) as shown:
        assert "Timeline of crash" in shown.text
        assert "done" in shown.text


async def test_the_help_explains_every_key_and_every_fill(played: Played) -> None:
    async with opened(ToldPast(played.entries), (120, 36)) as shown:
        text = as_text(shown.screen.help_rows({}))
        assert all(key.tooltip in text for key in SCREENS["timeline"])
        assert all(word in text for word in WORDS)
        assert "Let the cursor move by itself" in await shown.press("question_mark")
