"""What each node did when: spans of looking, changing, waiting and so on, made from the journal's marks.

Invariants: a span begins and ends at entries, never between; looks that only confirm a wait, a rule or work in
progress are part of it, so that two days of waiting are one span and not two hundred.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from runbook.core.entry import Kind
from runbook.core.mark import Mark
from runbook.core.state import NodeState


class Fill(IntEnum):
    """What fills a piece of a bar. The higher one is drawn where several meet in one cell."""

    NONE = 0
    LOOKED = 1
    SKIPPED = 2
    DONE = 3
    CHANGED = 4
    """Applying, or Azure at work."""
    WAITED = 5
    READY = 6
    """Changes waited for the operator's go."""
    DOUBT = 7
    BLOCKED = 8
    FAILED = 9


SIGNS: Final = " ┈-✓█░?‽■✗"
"""By fill: one cell each, told apart without colour; those of states are the states' own."""

ROLES: Final = ("", "muted", "muted", "ok", "busy", "wait", "go", "wait", "bad", "bad")
"""By fill."""

WORDS: Final = ("", "looked", "left out", "done", "changed", "waited", "ready for you", "in doubt", "blocked", "failed")
"""By fill, for the legend and for durations."""

_FILLS: Final = {
    NodeState.OBSERVING: Fill.LOOKED,
    NodeState.READY: Fill.READY,
    NodeState.APPLYING: Fill.CHANGED,
    NodeState.SETTLING: Fill.CHANGED,
    NodeState.WAITING: Fill.WAITED,
    NodeState.BLOCKED: Fill.BLOCKED,
    NodeState.IN_DOUBT: Fill.DOUBT,
    NodeState.FAILED: Fill.FAILED,
    NodeState.DONE: Fill.DONE,
    NodeState.SKIPPED: Fill.SKIPPED,
    NodeState.PENDING: Fill.NONE,
}

_GOES_ON: Final = frozenset({Fill.CHANGED, Fill.WAITED, Fill.READY, Fill.BLOCKED, Fill.DOUBT})
"""What a look in between may leave as it was. After a failure somebody asked for the look: that is a new try."""

_SAID: Final = frozenset({Kind.APPROVED, Kind.ATTESTED})
"""What a person said: where somebody is needed, this tells who it was and when."""

_POINTS: Final = frozenset({Fill.DONE, Fill.SKIPPED})
"""What has a beginning and no length."""


class Span(NamedTuple):
    """One thing a node did; from entry ``start`` to entry ``end``."""

    fill: Fill
    start: int
    end: int
    who: str = ""
    is_open: bool = False
    """Whether it still goes on."""


@dataclass(slots=True)
class _Lane:
    """One node: what is over, what is open, and a look that may turn out to be part of it."""

    spans: list[Span] = field(default_factory=list)
    fill: Fill = Fill.NONE
    start: int = 0
    who: str = ""
    look: int = 0

    def hear(self, seq: int, fill: Fill, who: str) -> bool:
        """Take up a move. Returns whether it began something new."""
        if fill is Fill.LOOKED and self.fill in _GOES_ON:
            self.look = self.look or seq
            return False
        if fill is self.fill and (who == self.who or fill is not Fill.WAITED):
            self.look = 0
            return False
        end = self.look or seq
        if self.fill is not Fill.NONE:
            self.spans.append(Span(self.fill, self.start, self.start if self.fill in _POINTS else end, self.who))
        if self.look:
            self.spans.append(Span(Fill.LOOKED, self.look, seq))
        self.fill, self.start, self.who, self.look = fill, seq, who, 0
        return True

    def told(self, head: int) -> list[Span]:
        if self.fill is Fill.NONE:
            return self.spans
        if self.fill in _POINTS:
            return [*self.spans, Span(self.fill, self.start, self.start)]
        if not self.look:
            return [*self.spans, Span(self.fill, self.start, head, self.who, True)]
        return [
            *self.spans,
            Span(self.fill, self.start, self.look, self.who),
            Span(Fill.LOOKED, self.look, head, "", True),
        ]


class Lanes:
    """Every node's spans, entry after entry; grows with the run."""

    def __init__(self) -> None:
        self.times = array("q")
        """When each entry was written, the first at 0."""
        self.asked: list[int] = []
        """Entries from which on a person was needed, and those with which one said go or gave a word."""
        self.broke: list[int] = []
        """Entries with which something failed, was blocked or got no answer."""
        self._lanes: dict[str, _Lane] = {}
        self._moves: dict[str, list[int]] = {}

    @property
    def head(self) -> int:
        """The newest entry known."""
        return len(self.times)

    def hear(self, marks: Iterable[Mark]) -> None:
        """Take up the next entries."""
        for mark in marks:
            self.times.append(mark.at_ms)
            if mark.kind in _SAID:
                self.asked.append(mark.seq)
            if mark.node is None or mark.to is None:
                continue
            lane = self._lanes.get(mark.node)
            if lane is None:
                lane = self._lanes[mark.node] = _Lane()
                self._moves[mark.node] = []
            fill = _FILLS[mark.to]
            if not lane.hear(mark.seq, fill, mark.who):
                continue
            self._moves[mark.node].append(mark.seq)
            if mark.asks and mark.kind not in _SAID:
                self.asked.append(mark.seq)
            if fill in (Fill.FAILED, Fill.BLOCKED, Fill.DOUBT):
                self.broke.append(mark.seq)

    def spans(self, node: str) -> list[Span]:
        """One node's spans in order; the last one may still be going on."""
        lane = self._lanes.get(node)
        return lane.told(self.head) if lane is not None else []

    def at_ms(self, seq: int) -> int:
        """When entry ``seq`` was written; before the first, when the run began."""
        return self.times[max(1, seq) - 1] if self.times else 0

    def node_at(self, seq: int) -> str | None:
        """The node that began something new with this entry."""
        return next((node for node, moves in self._moves.items() if _holds(moves, seq)), None)

    def turns(self) -> list[int]:
        """Every entry with which some span begins, in order."""
        return sorted({span.start for lane in self._lanes.values() for span in lane.told(self.head)})

    def moved(self, nodes: Iterable[str], seq: int, step: int) -> int | None:
        """The next entry (``step`` 1) or the one before (-1) with which one of these nodes began something new."""
        found = (jump(self._moves[n], seq, step) for n in nodes if n in self._moves)
        hits = [hit for hit in found if hit is not None]
        return (min(hits) if step > 0 else max(hits)) if hits else None


def _holds(places: list[int], seq: int) -> bool:
    at = bisect_left(places, seq)
    return at < len(places) and places[at] == seq


def jump(places: list[int], seq: int, step: int) -> int | None:
    """The first place after ``seq`` (``step`` 1) or the last before it (-1), in an ordered list."""
    if step > 0:
        at = bisect_right(places, seq)
        return places[at] if at < len(places) else None
    at = bisect_left(places, seq)
    return places[at - 1] if at else None
