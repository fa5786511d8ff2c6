"""How near whole runs come to the shortest that their own work allows, in virtual time; and what a node costs.

Every duration is what the simulated Azure took, as the journal has it. The same changes one after another, as a script
makes them, stand beside it.
"""

from __future__ import annotations

import gc
import resource
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runbook.core.ids import subscription_of
from runbook.core.state import NodeState
from runbook.wiring import Rehearsal
from tests.benchmarks.estate import Bound, Bucket, Held, Work, lower_bound, makespan_ms, one_by_one_ms, works_of
from tests.benchmarks.table import tell
from tests.crash.harness import begin, play
from tests.journal.walks import chained, expanded

CLOSE: float = 1.10
"""A makespan may be this many times its lower bound."""

RUNS = (
    ("arc-private-link", "arc-ga"),
    ("avd-private-link", "avd-small"),
    pytest.param("avd-private-link", "avd-estate", marks=pytest.mark.soak),
)


# ---------------------------------------------------------------- the computation


def test_the_longest_chain_is_a_bound() -> None:
    works = {"a": Work(5), "b": Work(7, ("a",)), "c": Work(1, ("a",)), "d": Work(2, ("b", "c"))}
    assert lower_bound(works).ms == 14


def test_nothing_takes_no_time() -> None:
    assert lower_bound({}) == Bound(0, "nothing to do")


def test_writes_under_one_lock_add_up_between_the_shortest_way_to_them_and_from_them() -> None:
    first, last = Work(3), {"z": Work(4, tuple(f"w{n}" for n in range(10)))}
    writers = {f"w{n}": Work(12, ("a",), (Held(10, ("vnet",)),)) for n in range(10)}
    found = lower_bound({"a": first, **writers, **last})
    assert found == Bound(3 + 100 + 4, "10 writes to vnet")


def test_writes_under_different_locks_do_not_add_up() -> None:
    works = {f"w{n}": Work(12, (), (Held(10, (f"vnet-{n}",)),)) for n in range(10)}
    assert lower_bound(works).ms == 12


def test_calls_beyond_a_bucket_wait_for_its_tokens() -> None:
    works = {"a": Work(1_000)}
    assert lower_bound(works, [Bucket(300, 250, 25)]).ms == 2_000
    assert lower_bound(works, [Bucket(200, 250, 25)]).ms == 1_000


def test_the_order_in_which_nodes_are_named_does_not_matter() -> None:
    works = {"d": Work(2, ("b",)), "b": Work(7, ("a",)), "a": Work(5)}
    assert lower_bound(works).ms == 14


def test_a_journal_tells_work_and_not_standing_in_line() -> None:
    from runbook.core.entry import Draft, Kind

    name = "links[a]"
    intent = {"digest": "d", "title": "t", "repeat": "safe", "locks": ["vnet"]}
    entries = chained(
        [
            expanded("links", "a"),
            Draft(Kind.BEGUN, name, NodeState.OBSERVING),
            Draft(Kind.OBSERVED, name, NodeState.READY),
            Draft(Kind.APPROVED, name),
            Draft(Kind.BEGUN, name, NodeState.OBSERVING),
            Draft(Kind.OBSERVED, name, NodeState.APPLYING),
            Draft(Kind.INTENDED, name, data=intent),
            Draft(Kind.ACCEPTED, name, NodeState.SETTLING),
            Draft(Kind.POLLED, name, NodeState.OBSERVING),
            Draft(Kind.OBSERVED, name, NodeState.DONE),
        ]
    )  # ten milliseconds apart
    assert works_of(entries) == {name: Work(80 - 20, (), (Held(20, ("vnet",)),))}
    assert makespan_ms(entries) == 80
    assert one_by_one_ms(works_of(entries)) == 20


# ---------------------------------------------------------------- whole runs


@pytest.mark.bench
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("book", "scenario"), RUNS)
def test_a_run_takes_hardly_longer_than_its_own_work_allows(tmp_path: Path, book: str, scenario: str) -> None:
    calls: Counter[tuple[str, str]] = Counter()
    sessions: list[Rehearsal] = []

    def prepare(session: Rehearsal) -> None:
        sessions.append(session)

        def count(request: object) -> None:
            method, url = str(getattr(request, "method", "")), str(getattr(request, "url", ""))
            kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
            calls[subscription_of(urlsplit(url).path) or "", kind] += 1

        session.transport.before_send = count

    begin(tmp_path, scenario, book)
    gc.collect()
    began_s = time.process_time()
    played = play(tmp_path, prepare)
    cpu_s = time.process_time() - began_s
    limits = sessions[0].cloud.scenario.throttle
    buckets = [Bucket(count, (b := getattr(limits, kind)).size, b.refill) for (_, kind), count in calls.items()]
    works = works_of(played.entries)
    took_ms, bound = makespan_ms(played.entries), lower_bound(works, buckets)
    nodes = len(played.view.nodes)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    script_ms = one_by_one_ms(works)
    tell(
        f"{scenario}: {nodes} nodes, {played.view.state}",
        f"{took_ms / 60_000:.1f} min, at least {bound.ms / 60_000:.1f}",
    )
    tell("  its bound is", bound.why)
    tell("  the same changes one after another", f"{script_ms / 60_000:.1f} min without any of the waits")
    tell("  CPU per node", f"{cpu_s / nodes * 1000:.1f} ms; peak memory {peak_mb:.0f} MB; {calls.total()} calls")
    assert not [n.id for n in played.view.nodes.values() if n.state is NodeState.FAILED]
    assert took_ms <= CLOSE * bound.ms
