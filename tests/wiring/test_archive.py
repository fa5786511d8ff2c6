"""Putting runs away and bringing them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.core.command import Abort
from runbook.core.error import Driven, RunUnknown, UsageError
from runbook.home import journal_path, private_folder, run_dir, run_ids
from runbook.journal import lease
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.wiring import Wish, answer_run, create_run
from runbook.wiring.archive import archive, unarchive


def made(home: Path, run: str = "") -> str:
    return create_run(home, Wish("arc-private-link", run=run), durable=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if not p.name.endswith(("-shm", "-wal"))}


def test_a_run_that_is_over_moves_whole_and_comes_back_as_it_was(tmp_path: Path) -> None:
    run = made(tmp_path)
    answer_run(tmp_path, run, Abort("enough"))
    before = contents(run_dir(tmp_path, run))
    place = archive(tmp_path, run)
    assert place == run_dir(tmp_path, run, archived=True)
    assert contents(place) == before
    assert (run_ids(tmp_path), run_ids(tmp_path, archived=True)) == ([], [run])
    assert unarchive(tmp_path, run) == run_dir(tmp_path, run)
    assert contents(run_dir(tmp_path, run)) == before
    assert (run_ids(tmp_path), run_ids(tmp_path, archived=True)) == ([run], [])


def test_an_unfinished_run_is_put_away_only_when_that_is_said(tmp_path: Path) -> None:
    run = made(tmp_path)
    with pytest.raises(UsageError, match="neither done nor aborted"):
        archive(tmp_path, run)
    assert run_ids(tmp_path) == [run]
    archive(tmp_path, run, unfinished=True)
    assert run_ids(tmp_path) == []


def test_a_driven_run_stays_where_it_is(tmp_path: Path) -> None:
    run = made(tmp_path)
    journal = Journal.open(journal_path(tmp_path, run), durable=False)
    held = lease.take(journal)
    try:
        with pytest.raises(Driven, match="driven by"):
            archive(tmp_path, run, unfinished=True)
    finally:
        held.release()
        journal.close()
    assert run_ids(tmp_path) == [run]
    archive(tmp_path, run, unfinished=True)
    assert not list(run_dir(tmp_path, run, archived=True).glob("*.lock"))


def test_nobody_can_begin_to_drive_while_a_run_is_being_moved(tmp_path: Path) -> None:
    run = made(tmp_path)
    journal = Journal.open(journal_path(tmp_path, run), durable=False)
    try:
        claimed = lease.claim(journal.path.parent, journal.drivers())
        with pytest.raises(Driven):
            lease.take(journal)
        claimed.release()
        lease.take(journal).release()
    finally:
        journal.close()


def test_putting_away_writes_nothing_into_the_journal(tmp_path: Path) -> None:
    run = made(tmp_path)
    place = archive(tmp_path, run, unfinished=True)
    journal = Journal.open(place / "journal.db", write=False)
    try:
        assert journal.drivers() == []
        assert load_view(journal).id == run
    finally:
        journal.close()


def test_a_damaged_run_can_be_put_away(tmp_path: Path) -> None:
    folder = private_folder(run_dir(tmp_path, "broken"))
    (folder / "journal.db").write_bytes(b"not a journal at all" * 100)
    archive(tmp_path, "broken")
    assert run_ids(tmp_path, archived=True) == ["broken"]
    unarchive(tmp_path, "broken")
    assert run_ids(tmp_path) == ["broken"]


def test_who_asks_for_a_run_that_was_put_away_is_told(tmp_path: Path) -> None:
    run = made(tmp_path)
    archive(tmp_path, run, unfinished=True)
    with pytest.raises(RunUnknown, match=r"archive .* --undo"):
        journal_path(tmp_path, run)
    with pytest.raises(RunUnknown, match="--undo"):
        archive(tmp_path, run)
    with pytest.raises(RunUnknown, match="No run"):
        unarchive(tmp_path, "another")


def test_no_run_gets_the_name_of_one_that_was_put_away(tmp_path: Path) -> None:
    run = made(tmp_path)
    archive(tmp_path, run, unfinished=True)
    assert made(tmp_path) == "arc-private-link-2"
    with pytest.raises(UsageError, match="already"):
        made(tmp_path, run)


def test_a_run_is_never_brought_back_onto_another(tmp_path: Path) -> None:
    run = made(tmp_path)
    archive(tmp_path, run, unfinished=True)
    private_folder(run_dir(tmp_path, run))
    with pytest.raises(UsageError, match="exists already"):
        unarchive(tmp_path, run)
