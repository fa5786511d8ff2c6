"""From entries to places on a line: time as it went by, or with its long gaps shortened.

Invariant: a later entry never stands left of an earlier one, and every place leads back to an entry there.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import Final, NamedTuple

_LONG_MS: Final = 600_000
"""A gap of ten minutes in which nothing turns is a long one."""
_MOST, _LEAST = 0.5, 0.25
"""Together, long gaps take no more and no less of a shortened axis than this."""
_SAME_MOMENT: Final = 0.2
"""What two turns at the same moment lie apart, where two a second apart lie 1 apart: a rehearsal's work takes no
time, and would not be seen."""

_HAIR: Final = 1e-6
"""So that rounding does not lead back to the entry before."""


class Gap(NamedTuple):
    """A long time in which nothing turned."""

    start: float
    end: float
    lasted_ms: int


@dataclass(frozen=True, slots=True)
class Axis:
    """Knots ``(seq, place)``; between two of them places go with time, or with entries where no time went by."""

    times: array[int]
    seqs: Sequence[int]
    places: Sequence[float]
    gaps: tuple[Gap, ...] = ()

    def place(self, seq: int) -> float:
        """Where an entry stands, from 0 to 1."""
        seq = min(max(seq, self.seqs[0]), self.seqs[-1])
        at = max(0, min(bisect_right(self.seqs, seq) - 1, len(self.seqs) - 2))
        if len(self.seqs) < 2:
            return self.places[0]
        a, b = self.seqs[at], self.seqs[at + 1]
        start_ms, end_ms = self.times[a - 1], self.times[b - 1]
        part = (self.times[seq - 1] - start_ms) / (end_ms - start_ms) if end_ms > start_ms else (seq - a) / (b - a)
        return self.places[at] + part * (self.places[at + 1] - self.places[at])

    def seq_at(self, place: float) -> int:
        """The newest entry that stands no further right."""
        at = max(0, min(bisect_right(self.places, place) - 1, len(self.seqs) - 2))
        if len(self.seqs) < 2:
            return self.seqs[0]
        a, b = self.seqs[at], self.seqs[at + 1]
        width = self.places[at + 1] - self.places[at]
        part = min(1.0, max(0.0, (place - self.places[at]) / width)) if width > 0 else 1.0
        start_ms, end_ms = self.times[a - 1], self.times[b - 1]
        if end_ms > start_ms:
            return max(a, bisect_right(self.times, start_ms + part * (end_ms - start_ms) + _HAIR, a - 1, b))
        return a + int(part * (b - a) + _HAIR)

    def column(self, seq: int, width: int) -> int:
        """The cell in which an entry stands."""
        return min(width - 1, int(self.place(seq) * width))


def even(times: array[int]) -> Axis:
    """Time as it went by. There must be an entry."""
    ends = [1, len(times)] if len(times) > 1 else [1]
    return Axis(times, ends, [0.0, 1.0][: len(ends)])


def shortened(times: array[int], turns: Sequence[int]) -> Axis:
    """One step for each turn, and more for the time before it, the longer the less: days do not squash minutes."""
    knots = sorted({1, *turns, len(times)})
    if len(knots) < 2:
        return even(times)
    gaps_ms = [times[b - 1] - times[a - 1] for a, b in pairwise(knots)]
    steps = [1 + log2(1 + gap / 10_000) if gap else _SAME_MOMENT for gap in gaps_ms]
    long = sum(step for step, gap in zip(steps, gaps_ms, strict=True) if gap >= _LONG_MS)
    short = sum(steps) - long
    if long and short:
        share = min(_MOST, max(_LEAST, long / (long + short)))
        factor = share * short / ((1 - share) * long)
        steps = [step * factor if gap >= _LONG_MS else step for step, gap in zip(steps, gaps_ms, strict=True)]
    places, total = [0.0], sum(steps)
    for step in steps:
        places.append(places[-1] + step / total)
    places[-1] = 1.0
    found = zip(pairwise(places), gaps_ms, strict=True)
    return Axis(times, knots, places, tuple(Gap(a, b, gap) for (a, b), gap in found if gap >= _LONG_MS))
