"""How long a run must take at least, from what its nodes did: a pure computation over a journal's entries.

No order of work is shorter than the largest of these bounds:

- the longest chain of nodes that need each other, each with the time it worked;
- for each lock: what must come before the first holder, all that its holders do one after another, and what must come
  after the last one;
- for each token bucket: what the tokens beyond its size take to flow back.

A node works from its first look to its end, less what it stood in line: ready and approved, or put off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runbook.core.entry import Entry, Kind
from runbook.core.state import FINISHED, NodeState


@dataclass(frozen=True, slots=True)
class Held:
    """One change of a node: how long it took and the locks it held."""

    ms: int
    locks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """What one node did.

    Attributes:
        ms: how long it worked, its changes included.
        needs: nodes that had to be finished before.
    """

    ms: int
    needs: tuple[str, ...] = ()
    changes: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """Calls that draw from one token bucket."""

    calls: int
    size: int
    refill_a_second: float


@dataclass(frozen=True, slots=True)
class Bound:
    """The least that a run can take, and why."""

    ms: int
    why: str


def lower_bound(works: Mapping[str, Work], buckets: Sequence[Bucket] = ()) -> Bound:
    """The largest of all bounds; zero for nothing."""
    heads, tails = _heads(works), _tails(works)
    bounds = [Bound(0, "nothing to do")]
    bounds += [Bound(heads[n] + w.ms + tails[n], f"the chain through {n}") for n, w in works.items()]
    holders: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, work in works.items():
        for change in work.changes:
            for lock in change.locks:
                holders[lock].append((name, change.ms))
    for lock, held in holders.items():
        head, tail = min(heads[n] for n, _ in held), min(tails[n] for n, _ in held)
        bounds.append(Bound(head + sum(ms for _, ms in held) + tail, f"{len(held)} writes to {lock}"))
    for bucket in buckets:
        left = max(0, bucket.calls - bucket.size)
        bounds.append(Bound(round(left / bucket.refill_a_second * 1000), f"{bucket.calls} calls of one bucket"))
    return max(bounds, key=lambda bound: bound.ms)


def _heads(works: Mapping[str, Work]) -> dict[str, int]:
    """For each node, the least time before it can begin."""
    found: dict[str, int] = {}
    for name in _in_order(works):
        found[name] = max((found[n] + works[n].ms for n in works[name].needs if n in works), default=0)
    return found


def _tails(works: Mapping[str, Work]) -> dict[str, int]:
    """For each node, the least time that is left when it ends."""
    found = dict.fromkeys(works, 0)
    for name in reversed(_in_order(works)):
        for need in works[name].needs:
            if need in found:
                found[need] = max(found[need], works[name].ms + found[name])
    return found


def _in_order(works: Mapping[str, Work]) -> list[str]:
    """The nodes, each after those it needs."""
    done: dict[str, None] = {}
    stack = [(name, False) for name in reversed(list(works))]
    while stack:
        name, is_left = stack.pop()
        if name in done:
            continue
        if is_left:
            done[name] = None
        else:
            stack.append((name, True))
            stack += [(need, False) for need in works[name].needs if need in works]
    return list(done)


# ---------------------------------------------------------------- from a journal


@dataclass
class _Life:
    step: str
    needs: list[str]
    began_ms: int | None = None
    ended_ms: int = 0
    idle_ms: int = 0
    idle_since_ms: int | None = None
    sent_ms: int | None = None
    locks: tuple[str, ...] = ()
    changes: list[Held] = field(default_factory=list)

    @property
    def worked_ms(self) -> int:
        return 0 if self.began_ms is None else max(0, self.ended_ms - self.began_ms - self.idle_ms)

    def hear(self, entry: Entry) -> None:
        if self.idle_since_ms is not None:
            self.idle_ms += entry.at_ms - self.idle_since_ms
            self.idle_since_ms = None
        match entry.kind:
            case Kind.BEGUN:
                self.began_ms = entry.at_ms if self.began_ms is None else self.began_ms
            case Kind.INTENDED:
                self.sent_ms, self.locks = entry.at_ms, tuple(entry.data["locks"])
            case Kind.ANSWERED:
                self._answered(entry.at_ms)
            case Kind.POLLED if entry.to is not None:
                self._answered(entry.at_ms)
            case Kind.DEFERRED:
                self.idle_since_ms = entry.at_ms
                self.sent_ms = None  # what came to nothing is no work
            case Kind.APPROVED:
                self.idle_since_ms = entry.at_ms
        if entry.to is NodeState.READY:
            self.idle_since_ms = entry.at_ms
        if entry.to in FINISHED:
            self.ended_ms = entry.at_ms

    def _answered(self, at_ms: int) -> None:
        if self.sent_ms is not None:
            self.changes.append(Held(at_ms - self.sent_ms, self.locks))
            self.sent_ms = None


def works_of(entries: Iterable[Entry]) -> dict[str, Work]:
    """What each node did, from the entries of a run that is over."""
    lives: dict[str, _Life] = {}
    for entry in entries:
        if entry.kind is Kind.EXPANDED:
            lives |= {d["id"]: _Life(d["step"], d["needs"]) for d in entry.data["nodes"] if d["id"] not in lives}
        elif entry.node is not None:
            lives[entry.node].hear(entry)
    of_step: defaultdict[str, list[str]] = defaultdict(list)
    for name, life in lives.items():
        of_step[f"{life.step}[*]"].append(name)

    def needed(life: _Life) -> tuple[str, ...]:
        return tuple(n for need in life.needs for n in (of_step[need] if need.endswith("[*]") else [need]))

    return {name: Work(life.worked_ms, needed(life), tuple(life.changes)) for name, life in lives.items()}


def makespan_ms(entries: Iterable[Entry]) -> int:
    """From the first look to the last node's end."""
    looks = [e.at_ms for e in entries if e.node is not None]
    return looks[-1] - looks[0] if looks else 0


def one_by_one_ms(works: Mapping[str, Work]) -> int:
    """What a script takes that makes the same changes one after another and waits for each."""
    return sum(change.ms for work in works.values() for change in work.changes)
