"""Stopped at every commit point and around every ARM call of a whole Arc rehearsal, and resumed from each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.core.state import RunState
from tests.benchmarks.table import tell
from tests.crash.harness import begin, instants, judge, play

SHARDS = 8


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of copies need not wear the disk."""
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_rehearsal_stopped_anywhere_ends_in_the_same_cloud(
    shard: int, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(memory / "whole", "arc-preview")
    whole = play(memory / "whole")
    assert whole.view.state is RunState.DONE
    begin(memory / "watched", "arc-preview")
    stops = instants(memory / "watched", memory / "kept", monkeypatch, lambda number: number % SHARDS == shard)
    assert len(stops) > 10
    faults = []
    for stop in stops:
        faults += judge(stop, whole)
        shutil.rmtree(stop.folder)
    tell(f"crash matrix, shard {shard}", f"{len(stops)} instants for {sum(s.covers for s in stops)} stop points")
    assert not faults, "\n".join(faults[:20])
