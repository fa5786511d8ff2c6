"""Opening a long run: what a screen waits for before it can show anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.core.entry import Draft, Kind
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.journal.load import keep_snapshot, load_view
from runbook.journal.store import Journal
from tests.benchmarks.table import tell
from tests.journal.conftest import driven
from tests.journal.walks import CREATED, carried, expanded

pytestmark = pytest.mark.bench

ENTRIES = 100_000
NODES = 1_000
BEHIND = 2_000
"""Entries after the snapshot: about as many as a driver lets come together."""


def life(number: int) -> Iterator[Draft]:
    """Nodes that look, wait and look again, round after round."""
    node = f"zone[n{number % NODES}]"
    if (number // NODES) % 2:
        yield Draft(Kind.OBSERVED, node, NodeState.WAITING, carried(Kind.OBSERVED, number=1))
    else:
        yield Draft(Kind.BEGUN, node, NodeState.OBSERVING)


@pytest.fixture
def long_journal(tmp_path: Path) -> Path:
    """A journal of 100,000 entries about 1,000 nodes, with a snapshot 2,000 entries before its end."""
    journal = Journal.create(tmp_path / "journal.db", durable=False)
    journal.add_driver(0, driven(1))
    view = fold(RunView(), journal.append([CREATED, expanded("zone", *(f"n{i}" for i in range(NODES)))], 0, 1))
    drafts = [draft for number in range(ENTRIES - 2) for draft in life(number)]
    for start in range(0, len(drafts), 1_000):
        entries = journal.append(drafts[start : start + 1_000], start, 1)
        view = fold(view, entries)
        if start + 1_000 + 2 <= ENTRIES - BEHIND < start + 2_000 + 2:
            keep_snapshot(journal, view)
    journal.close()
    return tmp_path / "journal.db"


def opened_s(path: Path) -> tuple[float, RunView]:
    began = time.perf_counter()
    journal = Journal.open(path, write=False)
    view = load_view(journal)
    took = time.perf_counter() - began
    journal.close()
    return took, view


def test_a_run_of_a_hundred_thousand_entries_opens_within_a_second(long_journal: Path) -> None:
    with_snapshot, view = opened_s(long_journal)
    db = Journal.open(long_journal)
    db.save_snapshot(0, "", "none", "")
    db.close()
    without, whole = opened_s(long_journal)
    tell(
        f"open a run of {ENTRIES} entries, {NODES} nodes, with its snapshot",
        f"{with_snapshot * 1000:>9.1f} ms (≤ 1000)",
    )
    tell("the same, every entry folded anew", f"{without * 1000:>9.1f} ms")
    assert view == whole
    assert view.head == ENTRIES
    assert with_snapshot <= 1.0
