from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.entry import GENESIS, Draft, Entry, Kind, entry_hash
from runbook.core.error import Damaged, JournalError, LeaseLost, RunUnknown, TooNew, Unwritable
from runbook.core.state import NodeState
from runbook.journal.store import Journal
from tests.journal.conftest import driven

LOOK = Draft(Kind.BEGUN, "zone[blob]", NodeState.OBSERVING)
NOTE = Draft(Kind.NOTED, data={"text": "grüße", "n": [1, None, {"x": True}]})
SIGNED = Draft(Kind.ACCEPTED, "zone[blob]", NodeState.SETTLING, {"status": 201}, side="https://arm/op?sig=hush")

only_posix = pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")

# ------------------------------------------------------------ appending and reading


def test_what_was_appended_is_read_back_after_reopening(path: Path) -> None:
    journal = Journal.create(path)
    journal.add_driver(0, driven(1))
    written = journal.append([LOOK, NOTE], 1_000, 1) + journal.append([SIGNED], 2_000, 1)
    journal.close()
    reopened = Journal.open(path, write=False)
    assert list(reopened.entries()) == written
    assert reopened.head() == (3, written[-1].hash)
    assert reopened.check() == []
    reopened.close()


def test_rows_are_numbered_from_one_and_chained(journal: Journal) -> None:
    assert journal.head() == (0, GENESIS)
    first, second = journal.append([NOTE, NOTE], 5, 1)
    assert (first.seq, second.seq) == (1, 2)
    assert first == Entry.chain(NOTE, 1, 5, GENESIS)
    assert second == Entry.chain(NOTE, 2, 5, first.hash)


def test_a_reopened_journal_is_continued_where_it_ended(path: Path, journal: Journal) -> None:
    last = journal.append([NOTE], 1, 1)[-1]
    other = Journal.open(path, durable=False)
    assert other.append([NOTE], 2, 1) == [Entry.chain(NOTE, 2, 2, last.hash)]
    other.close()


def test_time_never_runs_backwards_in_a_journal(journal: Journal) -> None:
    journal.append([NOTE], 1_000, 1)
    assert [e.at_ms for e in journal.append([NOTE, NOTE], 400, 1)] == [1_000, 1_000]
    assert journal.append([NOTE], 1_001, 1)[0].at_ms == 1_001


def test_entries_can_be_chosen_by_number_by_node_and_as_the_last_few(journal: Journal) -> None:
    journal.append([NOTE, LOOK, NOTE, LOOK, LOOK], 1, 1)
    assert [e.seq for e in journal.entries(after=3)] == [4, 5]
    assert [e.seq for e in journal.entries(node="zone[blob]")] == [2, 4, 5]
    assert [e.seq for e in journal.entries(node="zone[blob]", last=2)] == [4, 5]
    assert [e.seq for e in journal.entries(last=2)] == [4, 5]
    assert list(journal.entries(node="nobody")) == []


@given(text=st.text(st.characters(codec="utf-8")))
def test_any_text_survives_the_journal(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("run") / "journal.db"
    journal = Journal.create(path, durable=False)
    journal.add_driver(0, driven(1))
    journal.append([Draft(Kind.NOTED, text or None, None, {text: [text]})], 1, 1)
    assert next(journal.entries()).data == {text: [text]}
    assert journal.check() == []
    journal.close()


def test_what_stands_beside_an_entry_is_kept_but_is_in_no_entry_and_in_no_hash(path: Path, journal: Journal) -> None:
    entry = journal.append([SIGNED], 1, 1)[0]
    assert journal.side(entry.seq) == SIGNED.side
    assert journal.side(99) is None
    assert "hush" not in repr(list(journal.entries()))
    assert entry.hash == entry_hash(GENESIS, 1, 1, "accepted", "zone[blob]", "settling", '{"status":201}')


def test_a_reader_sees_a_drivers_appends_without_reopening(path: Path, journal: Journal) -> None:
    reader = Journal.open(path, write=False)
    assert list(reader.entries()) == []
    journal.append([NOTE], 1, 1)
    assert [e.seq for e in reader.entries()] == [1]
    reader.close()


# ------------------------------------------------------------ epochs


def test_an_append_under_an_older_epoch_writes_nothing(path: Path, journal: Journal) -> None:
    journal.append([NOTE], 1, 1)
    other = Journal.open(path, durable=False)
    other.add_driver(1, driven(2))
    with pytest.raises(LeaseLost):
        journal.append([NOTE, SIGNED], 2, 1)
    with pytest.raises(LeaseLost):
        journal.check_epoch(1)
    assert [e.seq for e in other.entries()] == [1]
    other.check_epoch(2)
    assert [e.seq for e in other.append([NOTE], 3, 2)] == [2]
    assert other.check() == []
    other.close()


def test_a_driver_that_takes_over_again_goes_on_after_what_the_other_wrote(path: Path, journal: Journal) -> None:
    journal.append([NOTE], 1, 1)
    other = Journal.open(path, durable=False)
    other.add_driver(1, driven(2))
    other.append([NOTE], 2, 2)
    other.close()
    journal.add_driver(2, driven(3))
    assert [e.seq for e in journal.append([NOTE], 3, 3)] == [3]
    assert journal.check() == []


def test_only_one_of_two_can_begin_the_next_epoch(path: Path, journal: Journal) -> None:
    other = Journal.open(path, durable=False)
    other.add_driver(1, driven(2))
    with pytest.raises(LeaseLost, match="took this run just now"):
        journal.add_driver(1, driven(2))
    assert [d.epoch for d in journal.drivers()] == [1, 2]
    other.close()


def test_before_anybody_drives_only_its_maker_can_append(path: Path) -> None:
    journal = Journal.create(path, durable=False)
    with pytest.raises(LeaseLost):
        journal.append([NOTE], 1, 1)
    assert [e.seq for e in journal.append([NOTE], 1, 0)] == [1]
    journal.add_driver(0, driven(1))
    with pytest.raises(LeaseLost):
        journal.append([NOTE], 2, 0)
    journal.close()


# ------------------------------------------------------------ files


@only_posix
def test_every_file_is_readable_by_its_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        journal = Journal.create(path)
        journal.add_driver(0, driven(1))
    finally:
        os.umask(before)
    files = list(path.parent.iterdir())
    assert {f.name for f in files} >= {"journal.db", "journal.db-wal"}
    assert {f.name: oct(f.stat().st_mode & 0o777) for f in files} == {f.name: "0o600" for f in files}
    journal.close()


def test_a_run_that_exists_is_not_created_again(path: Path, journal: Journal) -> None:
    with pytest.raises(Unwritable, match="exists already"):
        Journal.create(path)
    assert journal.check() == []


def test_a_run_that_does_not_exist_is_unknown_and_is_not_made(path: Path) -> None:
    with pytest.raises(RunUnknown, match="No run 'run-1'"):
        Journal.open(path)
    assert not path.exists()


def test_a_journal_cannot_be_created_in_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(Unwritable, match="Cannot create"):
        Journal.create(tmp_path / "nowhere" / "journal.db")


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize(
    "content", [b"this is not a database, however long it may be. " * 50, b"SQLite format 3\0" * 99]
)
def test_a_file_that_is_no_database_is_damaged(path: Path, write: bool, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Damaged, match="is damaged"):
        Journal.open(path, write=write)
    assert path.read_bytes() == content


def test_a_database_that_is_no_journal_is_damaged(path: Path) -> None:
    apsw.Connection(str(path)).execute("CREATE TABLE entry (x)")
    reader = Journal.open(path, write=False)
    with pytest.raises(Damaged, match="not a runbook journal"):
        list(reader.entries())
    reader.close()
    with pytest.raises(Damaged, match="not a runbook journal"):
        Journal.open(path)


def test_a_torn_page_is_damage(path: Path) -> None:
    journal = Journal.create(path, durable=False)
    journal.add_driver(0, driven(1))
    for _ in range(40):
        journal.append([NOTE] * 20, 1, 1)
    journal.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    reader = Journal.open(path, write=False)
    with pytest.raises(Damaged):
        list(reader.entries())
    reader.close()


def test_a_row_of_an_unknown_kind_is_damage_and_is_named(journal: Journal) -> None:
    journal.append([NOTE, NOTE], 1, 1)
    with journal._db as db:
        db.execute("DROP TRIGGER entry_stays")
        db.execute("UPDATE entry SET kind = 'sung' WHERE seq = 2")
    with pytest.raises(Damaged, match="Row 2 of"):
        list(journal.entries())


def test_a_journal_held_by_somebody_else_for_too_long_is_said_to_be_held(path: Path, journal: Journal) -> None:
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    journal._db.set_busy_timeout(0)
    with pytest.raises(JournalError, match="by another process"):
        journal.append([NOTE], 1, 1)
    other.execute("ROLLBACK")
    other.close()
    assert journal.append([NOTE], 1, 1)


# ------------------------------------------------------------ where nothing can be written


def test_a_full_disk_is_said_to_be_full_and_nothing_of_the_append_stays(journal: Journal) -> None:
    journal.append([NOTE], 1, 1)
    pages = journal._db.pragma("page_count")
    journal._db.pragma("max_page_count", pages + 2)
    with pytest.raises(Unwritable, match="is full"):
        journal.append([NOTE, Draft(Kind.NOTED, data={"text": "x" * 100_000})], 2, 1)
    assert [e.seq for e in journal.entries()] == [1]
    journal._db.pragma("max_page_count", 1_000_000)
    assert [e.seq for e in journal.append([NOTE], 3, 1)] == [2]
    assert journal.check() == []


def test_a_journal_opened_for_reading_cannot_be_appended_to(path: Path, journal: Journal) -> None:
    reader = Journal.open(path, write=False)
    with pytest.raises(Unwritable, match="cannot be written"):
        reader.append([NOTE], 1, 1)
    reader.close()


def _as_nobody(script: str, *args: Path) -> list[str]:
    """Run a script as a user whom permission bits bind, since root writes anywhere; what it printed, by line."""
    start = """
        import os, sys
        from pathlib import Path
        import filelock
        from runbook.core.error import Unwritable
        from runbook.journal.lease import driver
        from runbook.journal.store import Journal
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        path = Path(sys.argv[1])
    """
    run = subprocess.run(
        [sys.executable, "-B", "-c", textwrap.dedent(start) + textwrap.dedent(script), *map(str, args)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@pytest.fixture
def read_only(path: Path, journal: Journal) -> Iterator[Path]:
    """A closed journal of one row in a folder, with an awkward name, in which nobody may write."""
    journal.append([NOTE], 1, 1)
    journal.close()
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        folder = Path(above) / "50% of what? #1"
        folder.mkdir()
        shutil.copy(path, folder / "journal.db")
        (folder / "journal.db").chmod(0o444)
        folder.chmod(0o555)
        yield folder / "journal.db"
        folder.chmod(0o755)


@only_posix
def test_a_journal_in_a_read_only_folder_can_be_read(read_only: Path) -> None:
    script = """
        journal = Journal.open(path, write=False)
        print(len(list(journal.entries())), journal.check(), driver(journal))
    """
    assert _as_nobody(script, read_only) == ["1 [] None"]


@only_posix
def test_a_journal_copied_with_its_newest_rows_still_in_the_log_is_not_shown_without_them(
    path: Path, journal: Journal
) -> None:
    journal.append([NOTE], 1, 1)
    with tempfile.TemporaryDirectory() as copy:
        for name in ("journal.db", "journal.db-wal"):
            shutil.copy(path.with_name(name), copy)
            (Path(copy) / name).chmod(0o444)
        Path(copy).chmod(0o555)
        script = """
            try:
                Journal.open(path, write=False)
            except Unwritable as error:
                print(error.hint)
        """
        said = _as_nobody(script, Path(copy) / "journal.db")
        Path(copy).chmod(0o755)
    assert said == ["Copy the whole folder to where you may write, and open it there."]


@only_posix
def test_nothing_is_opened_for_writing_or_created_in_a_read_only_folder(read_only: Path) -> None:
    script = """
        for deed, file in ((Journal.open, path), (Journal.create, path.with_name("new.db"))):
            try:
                deed(file)
            except Unwritable as error:
                print(error.hint)
    """
    said = _as_nobody(script, read_only)
    assert said == ["Check the folder's rights and the disk.", "Check the folder and its rights."]


# ------------------------------------------------------------ schema


def test_a_journal_of_a_later_release_is_refused_and_left_alone(path: Path, journal: Journal) -> None:
    journal._db.execute("PRAGMA user_version = 99")
    journal.close()
    before = path.read_bytes()
    for write in (True, False):
        with pytest.raises(TooNew, match="schema 99"):
            Journal.open(path, write=write)
    assert path.read_bytes() == before


def test_an_empty_file_is_brought_to_the_newest_schema(path: Path) -> None:
    path.touch()
    journal = Journal.open(path, durable=False)
    assert journal._db.pragma("user_version") == 1
    tables = {row[0] for row in journal._db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert tables == {"meta", "entry", "driver", "snapshot"}
    assert list(journal.entries()) == []
    journal.close()


def test_opening_again_migrates_nothing(path: Path, journal: Journal) -> None:
    journal.append([NOTE], 1, 1)
    before = journal._db.execute("SELECT sql FROM sqlite_schema").fetchall()
    again = Journal.open(path, durable=False)
    assert again._db.execute("SELECT sql FROM sqlite_schema").fetchall() == before
    assert len(list(again.entries())) == 1
    again.close()


@pytest.mark.parametrize("sql", ["UPDATE entry SET data = '{}'", "DELETE FROM entry"])
def test_the_database_itself_refuses_to_alter_or_remove_a_row(journal: Journal, sql: str) -> None:
    journal.append([NOTE], 1, 1)
    with pytest.raises(apsw.ConstraintError, match="entries are never"):
        journal._db.execute(sql)
    assert journal.check() == []


def test_a_journal_that_lost_its_end_takes_nothing_more_and_can_still_be_read(path: Path, journal: Journal) -> None:
    journal.append([Draft(Kind.NOTED, data={"text": str(n)}) for n in range(5)], 1, 1)
    journal.close()
    db = apsw.Connection(str(path))
    db.execute("DROP TRIGGER entry_stays; DROP TRIGGER entry_remains")
    db.execute("DELETE FROM entry WHERE seq >= (SELECT max(seq) FROM entry)")
    db.close()
    with pytest.raises(Damaged, match="not those that were written last"):
        Journal.open(path)
    left = Journal.open(path, write=False)
    assert "missing at the end" in str(left.check())
    left.close()
