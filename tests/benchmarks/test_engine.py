"""What the engine costs beyond the durable writes it cannot do without. Ratios to a floor measured in the same run.

The floor makes the same commits with the same rows through bare apsw, on the same disk with the same settings and
turn and turn about with the engine, so that a disk that changes its mind changes it for both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from runbook.core.state import RunState
from runbook.engine.world import Limits
from runbook.journal.migrate import migrate
from runbook.journal.store import Journal
from tests.benchmarks.table import show, tell
from tests.engine.tiny import Rig, TinyArm, tiny_book

pytestmark = pytest.mark.bench

NODES = 1_000
ROUNDS = 5
INTENT_EFFECT_VERIFIED = 3

Batch = list[tuple[Any, ...]]


def engine_s(folder: Path, steps: list[dict[str, Any]], limits: Limits) -> tuple[float, list[int], list[Batch]]:
    """Seconds for a run of these steps, every change approved; the size of each commit; the rows of each."""
    sizes: list[int] = []
    append = Journal.append

    def counted(self: Journal, drafts: Any, *rest: Any) -> Any:
        sizes.append(len(drafts))
        return append(self, drafts, *rest)

    async def drive() -> float:
        book = tiny_book(*steps)
        rig = Rig(folder, book, TinyArm(), durable=True, limits=limits)
        began = time.perf_counter()
        await rig.engine.run()
        took = time.perf_counter() - began
        assert rig.outcome() is RunState.DONE
        rig.close()
        return took

    Journal.append = counted  # type: ignore[method-assign,assignment]
    try:
        took = asyncio.run(drive())
    finally:
        Journal.append = append  # type: ignore[method-assign]
    db = apsw.Connection(str(folder / "journal.db"))
    rows = db.execute("SELECT * FROM entry ORDER BY seq").fetchall()
    db.close()
    batches, start = [], 0
    for size in sizes:
        batches.append(rows[start : start + size])
        start += size
    return took, sizes, batches[1:]  # the first made the run, before the clock started


def floor_s(path: Path, batches: list[Batch], prepare: Callable[[apsw.Connection], None], insert: str) -> float:
    """Seconds for as many bare commits."""
    db = apsw.Connection(str(path))
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    prepare(db)
    began = time.perf_counter()
    for batch in batches:
        db.execute("BEGIN IMMEDIATE")
        for row in batch:
            db.execute(insert, row)
        db.execute("COMMIT")
    took = time.perf_counter() - began
    db.close()
    return took


def same_rows_s(path: Path, batches: list[Batch]) -> float:
    return floor_s(path, batches, lambda db: migrate(db, "floor"), "INSERT INTO entry VALUES (?,?,?,?,?,?,?,?)")


def one_row_s(path: Path, commits: int) -> float:
    batches: list[Batch] = [[("x" * 300,)]] * commits
    return floor_s(path, batches, lambda db: db.execute("CREATE TABLE t (x TEXT)"), "INSERT INTO t VALUES (?)")  # type: ignore[arg-type]


def test_a_durable_step_costs_little_beyond_its_commits(tmp_path: Path) -> None:
    count = NODES // ROUNDS
    chain = [{"id": f"s{i}", **({"needs": [f"s{i - 1}"]} if i else {})} for i in range(count)]
    took = floor = bare = 0.0
    commits = 0
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        seconds, sizes, batches = engine_s(folder, chain, Limits())
        took += seconds
        commits += len(sizes)
        floor += same_rows_s(folder / "floor.db", batches)
        bare += one_row_s(folder / "bare.db", len(batches))
    assert commits >= INTENT_EFFECT_VERIFIED * NODES
    show(f"{NODES} nodes one after another, {commits} commits of the same rows", took, floor, 2.0)
    tell("  the same against commits of one 300-byte row", f"ratio {took / bare:.2f} (printed, not bound)")
    assert took <= 2.0 * floor


def test_nodes_side_by_side_share_commits_and_beat_that_floor(tmp_path: Path) -> None:
    steps = [{"id": f"s{i}"} for i in range(NODES)]
    took, sizes, _ = engine_s(tmp_path, steps, Limits(activities=NODES))
    floor = one_row_s(tmp_path / "floor.db", INTENT_EFFECT_VERIFIED * NODES)
    show(f"{NODES} nodes side by side, {len(sizes)} commits", took, floor, 1.0)
    assert took <= floor
