"""``check`` names what was done to a journal by somebody who got past its triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.entry import GENESIS, Draft, Kind, entry_hash
from runbook.core.state import NodeState
from runbook.journal.store import Journal
from tests.journal.conftest import driven

ROWS = 8
Tamper = Callable[..., list[str]]


def fill(journal: Journal) -> None:
    drafts = [Draft(Kind.NOTED, data={"n": n}) for n in range(ROWS - 2)]
    journal.append([*drafts, Draft(Kind.BEGUN, "zone[blob]", NodeState.OBSERVING), Draft(Kind.NOTED)], 1, 1)


@pytest.fixture
def tamper(path: Path, journal: Journal) -> Tamper:
    """Run SQL on a journal of eight rows behind its back, and check it afterwards."""
    fill(journal)
    assert journal.check() == []

    def deed(*statements: str) -> list[str]:
        db = apsw.Connection(str(path))
        db.execute("DROP TRIGGER IF EXISTS entry_stays; DROP TRIGGER IF EXISTS entry_remains")
        for sql in statements:
            db.execute(sql)
        db.close()
        return journal.check()

    return deed


@pytest.mark.parametrize(
    "change",
    [
        """data = '{"n":99}'""",
        "data = data || ' '",
        "kind = 'aborted'",
        "at_ms = 2",
        "node = 'zone[blob]'",
        "node = ''",
        "state = 'done'",
        "hash = 'f' || substr(hash, 2)",
    ],
)
def test_an_altered_row_is_named_and_no_other(tamper: Tamper, change: str) -> None:
    (fault,) = tamper(f"UPDATE entry SET {change} WHERE seq = 4")
    assert fault.startswith("row 4 (")
    assert fault.endswith(") was altered or reordered")


def faults_of(seq: int) -> str:
    return f"row {seq} (noted) was altered or reordered"


def test_an_altered_row_of_a_node_is_named_with_its_node(tamper: Tamper) -> None:
    assert tamper("UPDATE entry SET state = 'done' WHERE seq = 7") == [
        "row 7 (begun of zone[blob]) was altered or reordered"
    ]


def test_the_first_and_the_last_row_are_watched_too(tamper: Tamper) -> None:
    assert tamper("UPDATE entry SET data = '{}' WHERE seq = 1") == [faults_of(1)]
    assert tamper("""UPDATE entry SET data = '{"x":1}' WHERE seq = 8""") == [faults_of(1), faults_of(8)]


def test_a_row_altered_together_with_its_hash_is_betrayed_by_the_next(path: Path, tamper: Tamper) -> None:
    db = apsw.Connection(str(path))
    hashes = {0: GENESIS, **{int(str(s)): str(h) for s, h in db.execute("SELECT seq, hash FROM entry")}}
    db.close()
    forged = entry_hash(hashes[3], 4, 1, "noted", None, None, "{}")
    assert tamper(f"UPDATE entry SET data = '{{}}', hash = '{forged}' WHERE seq = 4") == [faults_of(5)]


def test_the_last_row_altered_together_with_its_hash_is_betrayed_by_the_recorded_head(
    path: Path, tamper: Tamper
) -> None:
    db = apsw.Connection(str(path))
    before = str(db.execute("SELECT hash FROM entry WHERE seq = 7").get)
    db.close()
    forged = entry_hash(before, 8, 1, "noted", None, None, '{"x":1}')
    faults = tamper(f"""UPDATE entry SET data = '{{"x":1}}', hash = '{forged}' WHERE seq = 8""")
    assert faults == ["the last row is not the recorded head"]


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        ("seq = 1", "row 1 is missing"),
        ("seq = 4", "row 4 is missing"),
        ("seq IN (4, 5, 6)", "rows 4 to 6 are missing"),
        ("seq = 8", "row 8 is missing at the end"),
        ("seq >= 6", "rows 6 to 8 are missing at the end"),
        ("TRUE", "rows 1 to 8 are missing at the end"),
    ],
)
def test_missing_rows_are_named_wherever_they_were(tamper: Tamper, where: str, fault: str) -> None:
    assert tamper(f"DELETE FROM entry WHERE {where}") == [fault]


def test_several_gaps_are_all_named(tamper: Tamper) -> None:
    faults = tamper("DELETE FROM entry WHERE seq IN (2, 5, 8)")
    assert faults == ["row 2 is missing", "row 5 is missing", "row 8 is missing at the end"]


@pytest.mark.parametrize("sql", ["DELETE FROM meta", "UPDATE meta SET value = 'gone'", "UPDATE meta SET value = ''"])
def test_a_tail_cut_off_together_with_the_recorded_head_is_still_noticed(tamper: Tamper, sql: str) -> None:
    assert tamper("DELETE FROM entry WHERE seq = 8", sql) == ["the last row is not the recorded head"]


def test_two_neighbours_that_changed_places_are_named(tamper: Tamper) -> None:
    assert tamper(*swap(4, 5)) == [faults_of(4), faults_of(5)]


def test_two_distant_rows_that_changed_places_are_among_those_named(tamper: Tamper) -> None:
    assert {faults_of(2), faults_of(5)} <= set(tamper(*swap(2, 5)))


def test_a_row_renumbered_to_the_end_leaves_a_gap(tamper: Tamper) -> None:
    faults = tamper("UPDATE entry SET seq = 9 WHERE seq = 4")
    assert "row 4 is missing" in faults
    assert "row 9 (noted) was altered or reordered" in faults


def test_a_row_put_in_before_the_first_is_named(tamper: Tamper) -> None:
    faults = tamper("INSERT INTO entry SELECT 0, at_ms, kind, node, state, data, hash, side FROM entry WHERE seq = 1")
    assert faults == ["row 0 does not belong to the journal"]


def test_what_is_outside_the_chain_may_change(tamper: Tamper) -> None:
    assert tamper("UPDATE entry SET side = NULL", "DELETE FROM driver", "DELETE FROM snapshot") == []


def test_an_empty_journal_holds(journal: Journal) -> None:
    assert journal.check() == []


def test_a_driver_may_append_while_its_journal_is_checked(path: Path, journal: Journal) -> None:
    fill(journal)
    reader = Journal.open(path, write=False)

    def append_before_the_head_is_read(_: object, sql: str, __: object) -> bool:
        if "meta" in sql:
            journal.append([Draft(Kind.NOTED)], 1, 1)
        return True

    reader._db.exec_trace = append_before_the_head_is_read
    assert reader.check() == []
    assert journal.head()[0] == ROWS + 1
    reader.close()


def swap(a: int, b: int) -> Iterable[str]:
    yield f"UPDATE entry SET seq = 100 WHERE seq = {a}"
    yield f"UPDATE entry SET seq = {a} WHERE seq = {b}"
    yield f"UPDATE entry SET seq = {b} WHERE seq = 100"


@given(seq=st.integers(1, ROWS), column=st.sampled_from(["data", "kind", "node", "hash"]), text=st.text("abc\n"))
def test_no_row_is_altered_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, seq: int, column: str, text: str
) -> None:
    path = tmp_path_factory.mktemp("run") / "journal.db"
    journal = Journal.create(path, durable=False)
    journal.add_driver(0, driven(1))
    fill(journal)
    journal._db.execute("DROP TRIGGER entry_stays")
    journal._db.execute(f"UPDATE entry SET {column} = ? WHERE seq = ?", (text, seq))
    assert any(fault.startswith(f"row {seq} ") for fault in journal.check())
    journal.close()
