"""Looking back: what a fold of the first entries would give, at any entry, and in brief at once."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest

from runbook.core.entry import Entry
from runbook.core.error import Damaged
from runbook.core.mark import mark_of
from runbook.core.view import RunView
from runbook.home import journal_path
from runbook.journal.fold import fold
from runbook.journal.past import ToldPast
from runbook.journal.reader import JournalPast
from runbook.journal.replay import Replay
from tests.crash.harness import RUN
from tests.journeys.scenes import rehearse


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal with waits, refusals, lost answers and rules."""
    folder = tmp_path_factory.mktemp("trouble")
    rehearse(folder, "arc-trouble")
    return folder


@pytest.fixture(scope="module")
def entries(home: Path) -> list[Entry]:
    return JournalPast(journal_path(home, RUN)).entries(0, 10_000)


@pytest.mark.parametrize("shortest", [3, 40, 10_000])
def test_the_run_at_any_entry_is_the_fold_of_the_entries_up_to_it(entries: list[Entry], shortest: int) -> None:
    replay = Replay(ToldPast(entries), shortest)
    places = random.Random(7).choices(range(len(entries) + 1), k=60)
    for seq in [len(entries), *places, 0, 1]:
        view, entry = replay.at(seq)
        assert view == fold(RunView(), entries[:seq])
        assert entry == (entries[seq - 1] if seq else None)


def test_what_is_kept_for_looking_back_does_not_grow_with_the_run(entries: list[Entry]) -> None:
    replay = Replay(ToldPast(entries), 1)
    for seq in range(len(entries)):
        replay.at(seq)
    assert replay.kept <= 60
    assert len(entries) > 100


def test_reading_ahead_ends_and_makes_every_entry_near(entries: list[Entry]) -> None:
    replay = Replay(ToldPast(entries), 5)
    assert not replay.is_near(len(entries))
    rounds = 0
    while replay.reach(len(entries)):
        rounds += 1
        assert rounds <= len(entries)
    assert all(replay.is_near(seq) for seq in range(len(entries) + 1))


def test_the_newest_view_is_taken_as_it_is_known(entries: list[Entry]) -> None:
    replay = Replay(ToldPast(entries), 5)
    newest = fold(RunView(), entries)
    replay.know(newest)
    assert replay.is_near(len(entries))
    assert replay.at(len(entries)) == (newest, entries[-1])
    assert replay.covered == 0


def test_the_journal_tells_in_brief_what_its_entries_tell_in_full(home: Path, entries: list[Entry]) -> None:
    marks = JournalPast(journal_path(home, RUN)).marks()
    assert marks == [mark_of(entry) for entry in entries]
    assert any(mark.asks for mark in marks)
    assert any(mark.who for mark in marks)
    assert JournalPast(journal_path(home, RUN)).marks(5) == marks[5:]


def test_a_row_that_is_missing_or_unreadable_is_named(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "journal.db"
    source = apsw.Connection(str(journal_path(home, RUN)))
    copy = apsw.Connection(str(broken))
    with copy.backup("main", source, "main") as backup:
        backup.step()
    copy.execute("DROP TRIGGER entry_stays; DROP TRIGGER entry_remains")
    copy.execute("UPDATE entry SET state = 'dreaming' WHERE seq = 30")
    with pytest.raises(Damaged, match="Row 30 "):
        JournalPast(broken).marks()
    copy.execute("DELETE FROM entry WHERE seq BETWEEN 8 AND 9")
    with pytest.raises(Damaged, match="rows 8 to 9 are missing"):
        JournalPast(broken).marks()
    source.close()
    copy.close()
