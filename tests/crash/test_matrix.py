"""Stopped at every commit point and around every ARM call of a whole rehearsal, and resumed from each.

By default a share of the instants of each book's first scenario; the rest of both, and the other scenarios, are marked
``soak``. What one instant costs and how many there are is printed.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from runbook.core.state import RunState
from runbook.wiring import Rehearsal
from tests.benchmarks.table import tell
from tests.crash.harness import Answers, begin, drained, instants, judge, play, reply, snapshot
from tests.journeys.test_avd_trouble import retrying

SHARDS: Final = 15
"""Parts of the Arc scenario, of which one runs by default."""
SMALL: Final = 29
"""Parts of the small Virtual Desktop scenario, of which one runs by default. Both are odd numbers: before and after
every commit and call come by turns, and an even one would always pick the same side."""


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of copies need not wear the disk."""
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


def stop_everywhere(
    scenario: str,
    shard: int,
    shards: int,
    memory: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: Answers = lambda: reply,
) -> None:
    closed: list[set[str]] = []

    def prepare(session: Rehearsal) -> None:
        closed.append(drained(snapshot(session)))

    # Nothing is committed by the wall clock alone: the instants are the same ones on every machine.
    monkeypatch.setattr("runbook.engine.log._LAZY_S", 0)
    began_s = time.process_time()
    begin(memory / "whole", scenario)
    whole = play(memory / "whole", prepare, answer=answers())
    assert whole.view.state is RunState.DONE
    assert [drained(whole.cloud)] == closed, "a host that took new sessions does so again, and no other"
    begin(memory / "watched", scenario)
    stops, distinct = instants(
        memory / "watched", memory / "kept", monkeypatch, lambda number: number % shards == shard, answers()
    )
    assert len(stops) > 5
    faults = []
    for stop in stops:
        faults += judge(stop, whole, answers())
        shutil.rmtree(stop.folder)
    covered = sum(stop.covers for stop in stops)
    figures = f"{len(stops)} of {distinct} instants for {covered} stop points, {time.process_time() - began_s:.0f} s"
    tell(f"crash matrix, {scenario}, part {shard + 1} of {shards}", figures)
    assert not faults, "\n".join(faults[:20])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, SHARDS))])
def test_a_rehearsal_stopped_anywhere_ends_in_the_same_cloud(
    shard: int, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_everywhere("arc-preview", shard, SHARDS, memory, monkeypatch)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, SMALL))])
def test_a_virtual_desktop_rehearsal_stopped_anywhere_ends_in_the_same_cloud(
    shard: int, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_everywhere("avd-small", shard, SMALL, memory, monkeypatch)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("scenario", ["arc-ga", "arc-brownfield", "arc-trouble", "avd-preview", "avd-brownfield"])
def test_the_other_scenarios_stopped_anywhere_end_in_the_same_cloud(
    scenario: str, shard: int, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_everywhere(scenario, shard, SHARDS, memory, monkeypatch)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_troubled_virtual_desktops_stopped_anywhere_end_in_the_same_cloud(
    shard: int, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a retry where a script failed: a word in its place would leave that host without its restart."""
    stop_everywhere("avd-trouble", shard, SHARDS, memory, monkeypatch, retrying)
