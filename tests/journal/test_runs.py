"""The list of runs: cheap to read again, and no run hides another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.core.entry import Draft, Kind
from runbook.core.error import Damaged, TooNew
from runbook.core.expected import Move
from runbook.core.state import NodeState
from runbook.home import journal_path, private_folder, run_dir
from runbook.journal import lease
from runbook.journal.history import History
from runbook.journal.runs import Listed, Runs
from runbook.journal.store import Journal
from tests.journal.conftest import driven
from tests.journal.walks import CREATED, expanded

S = NodeState


def make(home: Path, run: str, *drafts: Draft, at_s: int = 1_000, archived: bool = False) -> Path:
    """A run on the disk, written to at a moment of the machine's clock."""
    path = private_folder(run_dir(home, run, archived=archived)) / "journal.db"
    journal = Journal.create(path, durable=False)
    journal.add_driver(0, driven(1))
    journal.append([Draft(CREATED.kind, data={**CREATED.data, "id": run}), *drafts], 1_000, 1)
    journal.close()
    os.utime(path, (at_s, at_s))
    return path


def ids(runs: Runs) -> list[str]:
    return [run.id for run in runs.read()]


def test_the_run_written_to_last_comes_first(tmp_path: Path) -> None:
    make(tmp_path, "old", at_s=1_000)
    make(tmp_path, "new", at_s=2_000)
    listed = list(Runs(tmp_path).read())
    assert [(run.id, run.touched_ms) for run in listed] == [("new", 2_000_000), ("old", 1_000_000)]
    assert all(run.summary is not None and run.driver is None for run in listed)


def test_what_has_not_changed_is_not_folded_again(tmp_path: Path) -> None:
    for number in range(20):
        make(tmp_path, f"run-{number}", expanded("zone", "a"))
    runs = Runs(tmp_path)
    first = list(runs.read())
    assert runs.folded == 20
    assert list(runs.read()) == first
    assert runs.folded == 20
    journal = Journal.open(journal_path(tmp_path, "run-7"), durable=False)
    journal.append([expanded("links", "x", "y")], 2_000, 1)
    journal.close()
    again = {run.id: run for run in runs.read()}
    assert runs.folded == 21
    changed = again["run-7"].summary
    assert changed is not None
    assert changed.total == 3


def test_a_run_that_is_written_to_while_its_journal_is_open_is_followed(tmp_path: Path) -> None:
    make(tmp_path, "run-1", expanded("zone", "a"))
    runs = Runs(tmp_path)
    list(runs.read())
    journal = Journal.open(journal_path(tmp_path, "run-1"), durable=False)
    for number, key in enumerate("bcd"):  # the first reading folds all, the next ones only what came
        journal.append([expanded("links", *"bcd"[: number + 1])], 2_000 + number, 1)
        (listed,) = runs.read()
        assert listed.summary is not None
        assert listed.summary.total == 2 + number, key
    journal.close()


def test_a_touched_file_with_the_same_entries_gives_the_same_run(tmp_path: Path) -> None:
    path = make(tmp_path, "run-1", expanded("zone", "a"))
    runs = Runs(tmp_path)
    (before,) = runs.read()
    os.utime(path, (5_000, 5_000))
    (after,) = runs.read()
    # A file's time that moved while no entry came is somebody looking.
    assert (before.summary, after.touched_ms) == (after.summary, before.touched_ms)


def test_damaged_and_later_runs_are_listed_and_hide_no_other(tmp_path: Path) -> None:
    make(tmp_path, "sound")
    private_folder(run_dir(tmp_path, "garbage")).joinpath("journal.db").write_bytes(b"\x00not a journal" * 400)
    private_folder(run_dir(tmp_path, "empty")).joinpath("journal.db").write_bytes(b"")
    later = make(tmp_path, "later")
    journal = Journal.open(later, durable=False)
    journal._db.execute("PRAGMA user_version = 999")
    journal.close()
    nonsense = make(tmp_path, "nonsense", Draft(Kind.NOTED, node="nobody"))
    assert nonsense.exists()
    listed = {run.id: run for run in Runs(tmp_path).read()}
    assert set(listed) == {"sound", "garbage", "empty", "later", "nonsense"}
    assert listed["sound"].summary is not None
    assert isinstance(listed["later"].fault, TooNew)
    for id_ in ("garbage", "nonsense"):
        assert isinstance(listed[id_].fault, Damaged), id_
    assert listed["empty"].summary is None


def test_who_drives_is_told_while_they_do(tmp_path: Path) -> None:
    path = make(tmp_path, "run-1")
    runs = Runs(tmp_path)
    journal = Journal.open(path, durable=False)
    held = lease.take(journal)
    (listed,) = runs.read()
    assert listed.driver is not None
    assert listed.driver.epoch == held.epoch
    held.release()
    journal.close()
    (listed,) = runs.read()
    assert listed.driver is None


def test_runs_that_are_gone_are_forgotten_and_those_put_away_are_listed_apart(tmp_path: Path) -> None:
    make(tmp_path, "here")
    make(tmp_path, "away", archived=True)
    runs = Runs(tmp_path)
    assert ids(runs) == ["here"]
    (away,) = runs.read(archived=True)
    assert (away.id, away.is_archived) == ("away", True)
    journal_path(tmp_path, "here").unlink()
    assert ids(runs) == []
    assert [run.id for run in runs.read(archived=True)] == ["away"]


def test_looking_writes_nothing(tmp_path: Path) -> None:
    path = make(tmp_path, "run-1", expanded("zone", "a"))
    before = path.read_bytes()
    runs = Runs(tmp_path)
    for _ in range(3):
        list(runs.read())
    assert path.read_bytes() == before
    (listed,) = runs.read()
    assert listed.touched_ms == 1_000_000  # what a reader leaves behind is nobody's writing


# ---------------------------------------------------------------- what earlier runs took

MIN = 60_000


def walk(home: Path, run: str, minutes: int, mode: str = "rehearsal", scenario: str = "none") -> None:
    """A run whose one node settled for so many minutes, and is done."""
    path = private_folder(run_dir(home, run)) / "journal.db"
    journal = Journal.create(path, durable=False)
    journal.add_driver(0, driven(1))
    book = {"id": "b", "version": 1, "steps": [{"id": "zone"}]}
    created = Draft(CREATED.kind, data={**CREATED.data, "id": run, "mode": mode, "scenario": scenario, "book": book})
    busy = {"verdict": "in_progress", "due_ms": 1}
    journal.append([created, expanded("zone", "a")], 0, 1)
    journal.append([Draft(Kind.BEGUN, "zone[a]", S.OBSERVING)], 0, 1)
    journal.append([Draft(Kind.OBSERVED, "zone[a]", S.SETTLING, busy)], 0, 1)
    journal.append([Draft(Kind.BEGUN, "zone[a]", S.OBSERVING)], minutes * MIN, 1)
    journal.append([Draft(Kind.OBSERVED, "zone[a]", S.DONE, {"verdict": "satisfied"})], minutes * MIN, 1)
    journal.close()


def found(home: Path) -> list[Listed]:
    return list(Runs(home).read())


def test_moves_are_read_without_what_they_carry_and_no_more_than_asked_for(tmp_path: Path) -> None:
    walk(tmp_path, "one", 2)
    journal = Journal.open(journal_path(tmp_path, "one"), write=False)
    try:
        assert [move.to for move in journal.moves(10)] == [S.OBSERVING, S.SETTLING, S.OBSERVING, S.DONE]
        assert journal.moves(1) == [Move(0, "zone[a]", S.OBSERVING)]
    finally:
        journal.close()


def test_finished_runs_of_the_same_kind_teach(tmp_path: Path) -> None:
    for number, minutes in enumerate((1, 2, 3)):
        walk(tmp_path, f"r-{number}", minutes)
    walk(tmp_path, "real", 50, mode="live")
    make(tmp_path, "unfinished", expanded("zone", "a"))
    history = History(tmp_path)
    told = history.of_book("b", found(tmp_path))
    assert told.runs == 3
    assert told.steps[("zone", S.SETTLING)].words() == "usually 1 min to 3 min"
    assert told.active is not None
    assert told.active.median_ms == 2 * MIN
    assert history.of_book("b", found(tmp_path), "live").steps[("zone", S.SETTLING)].median_ms == 50 * MIN
    assert history.of_book("other", found(tmp_path)).runs == 0


def test_a_live_run_learns_from_rehearsals_only_where_there_is_nothing_else_and_says_so(tmp_path: Path) -> None:
    walk(tmp_path, "r-1", 4)
    told = History(tmp_path).of_book("b", found(tmp_path), "live")
    assert told.steps[("zone", S.SETTLING)].words() == "took 4 min once before in rehearsals"


def test_runs_of_the_same_scenario_come_first(tmp_path: Path) -> None:
    walk(tmp_path, "r-1", 4, scenario="slow")
    walk(tmp_path, "r-2", 1, scenario="quick")
    history = History(tmp_path)
    assert history.of_book("b", found(tmp_path), "rehearsal", "slow").steps[("zone", S.SETTLING)].median_ms == 4 * MIN
    assert history.of_book("b", found(tmp_path), "rehearsal", "unknown").runs == 2


def test_a_run_teaches_itself(tmp_path: Path) -> None:
    walk(tmp_path, "r-1", 4)
    assert History(tmp_path).of_run("r-1")[("zone", S.SETTLING)].words() == "took 4 min once before here"
    assert History(tmp_path).of_run("nobody") == {}


def test_a_journal_is_read_once_as_long_as_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walk(tmp_path, "r-1", 4)
    listed, history = found(tmp_path), History(tmp_path)
    first = history.of_book("b", listed)
    journal_path(tmp_path, "r-1").unlink()
    assert history.of_book("b", listed) == first
