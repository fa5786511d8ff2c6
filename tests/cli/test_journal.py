from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.core.clock import from_iso
from runbook.core.entry import GENESIS, canonical, entry_hash
from tests.cli.conftest import Shell


def tamper(home: Path, *statements: str) -> None:
    """Alter a journal behind the program's back, past the triggers that guard it."""
    db = sqlite3.connect(home / "runs" / "arc" / "journal.db")
    try:
        for guard in ("entry_stays", "entry_remains"):
            db.execute(f"DROP TRIGGER IF EXISTS {guard}")
        for statement in statements:
            db.execute(statement)
        db.commit()
    finally:
        db.close()


def test_a_sound_journal_is_ok_and_names_its_head(shell: Shell, parked: Path) -> None:
    ended = shell("journal", "check", "arc")
    doc = json.loads(shell("journal", "check", "arc", "--json").out)
    assert ended.code == 0
    assert "OK" in ended.out
    assert doc["head"] in ended.out
    assert doc["ok"] is True


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["UPDATE entry SET data = '{}' WHERE seq = 7"], "row 7"),
        (["UPDATE entry SET at_ms = at_ms + 1 WHERE seq = 9"], "row 9"),
        (["DELETE FROM entry WHERE seq = 5"], "row 5 is missing"),
        (["DELETE FROM entry WHERE seq > 20"], "missing at the end"),
        (
            [
                "UPDATE entry SET seq = -1 WHERE seq = 10",
                "UPDATE entry SET seq = 10 WHERE seq = 11",
                "UPDATE entry SET seq = 11 WHERE seq = -1",
            ],
            "row 10",
        ),
    ],
)
def test_a_tampered_journal_is_found_and_the_row_named(
    statements: list[str], words: str, shell: Shell, parked: Path
) -> None:
    tamper(parked, *statements)
    ended = shell("journal", "check", "arc")
    assert ended.code == 1
    assert words in ended.out
    assert json.loads(shell("journal", "check", "arc", "--json").out)["ok"] is False


@pytest.mark.parametrize("args", [("status", "arc"), ("journal", "check", "arc"), ("resume", "arc", "--headless")])
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda home: tamper(home, "PRAGMA user_version = 99"), "schema 99"),
        (lambda home: (home / "runs/arc/journal.db").write_bytes(b"garbage" * 999), "damaged"),
    ],
)
def test_newer_and_damaged_journals_are_told_in_a_sentence(
    harm: Callable[[Path], object], words: str, args: tuple[str, ...], shell: Shell, parked: Path
) -> None:
    harm(parked)
    ended = shell(*args)
    assert ended.code == 1
    assert words in ended.err
    assert "Something broke" not in ended.err


def test_an_export_holds_every_entry_and_its_chain_can_be_checked_without_us(shell: Shell, parked: Path) -> None:
    head, *rows = map(json.loads, shell("journal", "export", "arc").out.splitlines())
    assert head["run"]["id"] == "arc"
    previous = GENESIS
    for number, row in enumerate(rows, 1):
        assert row["seq"] == number
        at_ms, data = from_iso(row["at"]), canonical(row["data"])
        previous = entry_hash(previous, number, at_ms, row["kind"], row["node"], row["to"], data)
        assert previous == row["hash"]
    assert previous in shell("journal", "check", "arc").out


def test_an_export_holds_no_signed_addresses(shell: Shell, finished: Path) -> None:
    text = shell("journal", "export", "arc").out
    assert "operationStatuses" not in text
    assert "Bearer" not in text
