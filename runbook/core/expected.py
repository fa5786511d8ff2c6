"""How long things usually take, from the moves that nodes made before: pure functions over journal rows.

Two questions. Of a node: how long work in Azure (``settling``) or waiting for others (``waiting``) usually lasts at its
step. Of a whole run: how much of it was work and how much was waiting. A stretch goes on through the looks in between:
a node that waits, looks, and waits again has waited once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final, NamedTuple

from runbook.core.clock import duration
from runbook.core.state import NodeState


class Move(NamedTuple):
    """One row of a journal that moved a node."""

    at_ms: int
    node: str
    to: NodeState


class Stretch(NamedTuple):
    """So long one node was in one of the two states whose length is worth telling."""

    step: str
    state: NodeState
    length_ms: int


_TOLD: Final = frozenset({NodeState.SETTLING, NodeState.WAITING})
_BROKEN_OFF: Final = frozenset({NodeState.FAILED, NodeState.SKIPPED})
"""What ends so says nothing about how long it would have taken."""

_AT_WORK: Final = frozenset({NodeState.OBSERVING, NodeState.APPLYING, NodeState.SETTLING})


@dataclass(frozen=True, slots=True)
class Usual:
    """How long something usually takes.

    Attributes:
        count: of so many times.
        where: where these were, when not in runs like this one; empty otherwise.
    """

    median_ms: int
    low_ms: int
    high_ms: int
    count: int
    where: str = ""

    def length(self) -> str:
        """``1 min to 3 min``, or ``2 min``."""
        low, high = _rough(self.low_ms), _rough(self.high_ms)
        return low if low == high else f"{low} to {high}"

    def words(self) -> str:
        """``usually 1 min to 3 min``, ``usually about 2 min``, or ``took 2 min once before``."""
        where = f" {self.where}" if self.where else ""
        if self.count == 1:
            return f"took {_rough(self.median_ms)} once before{where}"
        return f"usually {self.length() if ' to ' in self.length() else f'about {self.length()}'}{where}"


def _rough(length_ms: int) -> str:
    """Above two minutes, seconds are noise; above two hours, minutes are."""
    seconds = length_ms / 1000
    unit = 3_600 if seconds >= 7_200 else 60 if seconds >= 120 else 1
    return duration(max(1, round(seconds / unit) * unit))


def stretches(moves: Iterable[Move]) -> Iterator[Stretch]:
    """The finished stretches of work in Azure and of waiting for others, in the order in which they ended.

    Args:
        moves: rows in the journal's order.
    """
    begun: dict[str, tuple[NodeState, int, int]] = {}  # node: state, since when, last left at
    for move in moves:
        state, since_ms, left_ms = begun.get(move.node, (None, 0, 0))
        if move.to is NodeState.OBSERVING:
            if state is not None:
                begun[move.node] = (state, since_ms, move.at_ms)
            continue
        if move.to is state:
            continue
        if state is not None:
            if move.to not in _BROKEN_OFF:
                yield Stretch(step_of(move.node), state, left_ms - since_ms)
            del begun[move.node]
        if move.to in _TOLD:
            begun[move.node] = (move.to, move.at_ms, move.at_ms)


def step_of(node: str) -> str:
    """The step that a node belongs to: its id up to the bracket."""
    return node.partition("[")[0]


def usual(lengths_ms: Iterable[int], where: str = "") -> Usual | None:
    """The median and the middle of the range; None of nothing.

    The lowest and the highest tenth are left out, so that one night over which nobody looked does not make the rest
    look quick.
    """
    sorted_ms = sorted(lengths_ms)
    if not sorted_ms:
        return None
    cut = len(sorted_ms) // 10
    return Usual(round(median(sorted_ms)), sorted_ms[cut], sorted_ms[-1 - cut], len(sorted_ms), where)


Expected = Mapping[tuple[str, NodeState], Usual]
"""By step and state."""


def expected(found: Iterable[Stretch], where: str = "") -> dict[tuple[str, NodeState], Usual]:
    """How long each step usually settles and waits."""
    lengths: dict[tuple[str, NodeState], list[int]] = {}
    for stretch in found:
        lengths.setdefault((stretch.step, stretch.state), []).append(stretch.length_ms)
    return {key: told for key, of in lengths.items() if (told := usual(of, where)) is not None}


@dataclass(frozen=True, slots=True)
class Took:
    """How long a run took, by its own clock."""

    active_ms: int = 0
    """Something was looked at, sent, or under way in Azure."""
    waiting_ms: int = 0
    """Nothing moved: others had to act, or the operator's go was due."""


def took(moves: Iterable[Move]) -> Took:
    """Active and waiting time, from the first move to the last."""
    at_work: set[str] = set()
    active_ms = waiting_ms = 0
    before: int | None = None
    for move in moves:
        if before is not None:
            if at_work:
                active_ms += move.at_ms - before
            else:
                waiting_ms += move.at_ms - before
        before = move.at_ms
        (at_work.add if move.to in _AT_WORK else at_work.discard)(move.node)
    return Took(active_ms, waiting_ms)


class Past(NamedTuple):
    """What one run took, in short."""

    took: Took
    stretches: tuple[Stretch, ...]


def past(moves: Sequence[Move]) -> Past:
    """What one run took, from its moves in order."""
    return Past(took(moves), tuple(stretches(moves)))


@dataclass(frozen=True, slots=True)
class Experience:
    """What earlier runs of one book took on this machine.

    Attributes:
        runs: so many finished ones were looked at.
    """

    runs: int = 0
    active: Usual | None = None
    waiting: Usual | None = None
    steps: Expected = field(default_factory=dict)


def experience(runs: Sequence[Past], where: str = "") -> Experience:
    """What finished runs took, together.

    Args:
        runs: each of them.
        where: said beside each length, where these were runs of another kind.
    """
    active = usual((run.took.active_ms for run in runs), where)
    waiting = usual((run.took.waiting_ms for run in runs), where)
    return Experience(len(runs), active, waiting, expected((s for run in runs for s in run.stretches), where))
