"""What the engine costs beyond the durable writes it cannot do without. Ratios to a floor measured in the same run."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from runbook.core.state import RunState
from runbook.engine.world import Limits
from runbook.journal.store import Journal
from tests.benchmarks.table import show
from tests.engine.tiny import Rig, TinyArm, tiny_book

pytestmark = pytest.mark.bench

NODES = 1_000
COMMITS_A_NODE = 4
"""Ready, approved, intent, answer or done: what one approved change must have on the disk."""


def floor_s(folder: Path, commits: int) -> float:
    """Seconds for as many bare commits of one row, on the same disk with the same settings."""
    db = apsw.Connection(str(folder / "floor.db"))
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, data TEXT)")
    row = ("x" * 300,)
    began = time.perf_counter()
    for _ in range(commits):
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO entry (data) VALUES (?)", row)
        db.execute("COMMIT")
    took = time.perf_counter() - began
    db.close()
    return took


def run_s(folder: Path, steps: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> tuple[float, int]:
    """Seconds and commits for a run of these steps, every change approved."""
    commits = 0
    append = Journal.append

    def counted(self: Journal, *args: Any) -> Any:
        nonlocal commits
        commits += 1
        return append(self, *args)

    monkeypatch.setattr(Journal, "append", counted)

    async def drive() -> float:
        rig = Rig(folder, tiny_book(*steps), TinyArm(), durable=True, limits=Limits(activities=NODES))
        began = time.perf_counter()
        await rig.engine.run()
        took = time.perf_counter() - began
        assert rig.outcome() is RunState.DONE
        rig.close()
        return took

    took = asyncio.run(drive())
    monkeypatch.setattr(Journal, "append", append)
    return took, commits


def test_a_durable_step_costs_little_beyond_its_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [{"id": f"s{i}", **({"needs": [f"s{i - 1}"]} if i else {})} for i in range(NODES)]
    took, commits = run_s(tmp_path, chain, monkeypatch)
    floor = floor_s(tmp_path, commits)
    show(f"{NODES} nodes one after another, {commits} commits", took, floor, 2.0)
    assert commits >= 3 * NODES
    assert took <= 2.0 * floor


def test_nodes_side_by_side_share_commits_and_beat_that_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    took, commits = run_s(tmp_path, [{"id": f"s{i}"} for i in range(NODES)], monkeypatch)
    floor = floor_s(tmp_path, COMMITS_A_NODE * NODES)
    show(f"{NODES} nodes side by side, {commits} commits", took, floor, 1.0)
    assert took <= floor
