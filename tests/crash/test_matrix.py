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


def stop_everywhere(scenario: str, shard: int, shards: int, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(memory / "whole", scenario)
    whole = play(memory / "whole")
    assert whole.view.state is RunState.DONE
    begin(memory / "watched", scenario)
    stops = instants(memory / "watched", memory / "kept", monkeypatch, lambda number: number % shards == shard)
    assert len(stops) > 5
    faults = []
    for stop in stops:
        faults += judge(stop, whole)
        shutil.rmtree(stop.folder)
    covered = sum(stop.covers for stop in stops)
    tell(f"crash matrix, {scenario}, part {shard + 1} of {shards}", f"{len(stops)} instants for {covered} stop points")
    assert not faults, "\n".join(faults[:20])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_rehearsal_stopped_anywhere_ends_in_the_same_cloud(
    shard: int, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_everywhere("arc-preview", shard, SHARDS, memory, monkeypatch)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("scenario", ["arc-ga", "arc-brownfield", "arc-trouble"])
def test_the_other_scenarios_stopped_anywhere_end_in_the_same_cloud(
    scenario: str, shard: int, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_everywhere(scenario, shard, SHARDS, memory, monkeypatch)
