"""A tiny run with everything that is hard in it, ended at every step of the process, and ended again on the way back.

Its changes may mostly not be repeated; answers get lost with and without effect, operations run and end badly, one
effect cannot be seen at all. Each change must take effect exactly once in the end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.journal.lease import take
from runbook.journal.store import Journal
from tests.benchmarks.table import tell
from tests.crash.tiny_world import LastingArm, entries_of, faults, session
from tests.engine.test_never import sent_twice

SHARDS = 4


def steps_of_a_whole_run(folder: Path) -> list[str]:
    folder.mkdir()
    arm = LastingArm()
    view, fuse = session(folder, arm)
    assert faults(folder, arm, view) == []
    return fuse.names


def test_the_tiny_run_holds_what_is_hard(tmp_path: Path) -> None:
    names = steps_of_a_whole_run(tmp_path / "whole")
    kinds = {e.kind for e in entries_of(tmp_path / "whole")}
    assert {"deferred", "doubted", "accepted", "polled", "answered", "retried", "expanded", "skipped"} <= kinds
    assert len(names) > 100


@pytest.mark.parametrize("shard", [0, 1, *(pytest.param(n, marks=pytest.mark.soak) for n in range(2, SHARDS))])
def test_ended_at_any_step_it_ends_with_each_change_made_once(tmp_path: Path, shard: int) -> None:
    names = steps_of_a_whole_run(tmp_path / "whole")
    wrong: list[str] = []
    for at in range(1 + shard, len(names) + 1, SHARDS):
        folder = tmp_path / str(at)
        folder.mkdir()
        arm = LastingArm()
        _, fuse = session(folder, arm, at)
        assert fuse.is_blown
        view, _ = session(folder, arm)
        wrong += [f"step {at} ({names[at - 1]}): {fault}" for fault in faults(folder, arm, view)]
        wrong += [f"step {at} ({names[at - 1]}): {fault}" for fault in sent_twice(entries_of(folder))]
    tell(f"tiny crash matrix, shard {shard}", f"{len(names)} steps")
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.parametrize("shard", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, SHARDS))])
def test_ended_again_and_again_on_the_way_back_it_ends_the_same(tmp_path: Path, shard: int) -> None:
    """The second life ends a few steps after the first, the third likewise: in the midst of its recovery."""
    names = steps_of_a_whole_run(tmp_path / "whole")
    wrong: list[str] = []
    for at in range(1 + shard, len(names) + 1, SHARDS):
        folder = tmp_path / str(at)
        folder.mkdir()
        arm = LastingArm()
        session(folder, arm, at)
        session(folder, arm, 1 + at % 17)
        session(folder, arm, 1 + at % 11)
        view, _ = session(folder, arm)
        wrong += [f"step {at} ({names[at - 1]}): {fault}" for fault in faults(folder, arm, view)]
        wrong += [f"step {at} ({names[at - 1]}): {fault}" for fault in sent_twice(entries_of(folder))]
    assert not wrong, "\n".join(wrong[:20])


def test_the_lease_of_each_life_is_one_epoch_later(tmp_path: Path) -> None:
    arm = LastingArm()
    session(tmp_path, arm, 20)
    session(tmp_path, arm, 20)
    journal = Journal.open(tmp_path / "journal.db", durable=False)
    lease = take(journal)
    assert lease.epoch == 3
    assert not lease.took_over
    lease.release()
    journal.close()
