"""The run as it stood at any entry, without folding it all again each time.

Invariants: ``at(n)`` is the fold of the first ``n`` entries. What is kept does not grow with the run: so many stops
along the whole way, and so many more on the piece looked at last; entries are kept of that piece alone.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from runbook.core.entry import Entry
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.journal.past import Past

_STOPS: Final = 40
_SHORTEST: Final = 500
"""A piece between two stops has at least so many entries; a tenth of a second folds thousands."""
_STRIDE: Final = 50
"""Within the piece looked at last every so many entries a view is kept, so that a step back folds a few only."""


@dataclass(slots=True)
class _Piece:
    """Entries ``start + 1`` to ``start + len(entries)``, and views within."""

    start: int
    entries: list[Entry]
    views: dict[int, RunView] = field(default_factory=dict)


class Replay:
    """Folds a run's past. For one thread at a time.

    Args:
        past: where entries come from.
        shortest: how many entries a piece has at least.
    """

    def __init__(self, past: Past, shortest: int = _SHORTEST) -> None:
        self._past = past
        self._stops: dict[int, RunView] = {0: RunView()}
        self._piece = _Piece(0, [])
        self._length = shortest
        self._newest = RunView()

    def know(self, newest: RunView) -> None:
        """Take the view at the journal's end, which is known without folding: where most people look first."""
        if newest.head >= self._newest.head:
            self._newest = newest

    def is_near(self, seq: int) -> bool:
        """Whether ``at(seq)`` takes one piece at most."""
        self._stretch(seq)
        return seq == self._newest.head or self.covered + self._length >= seq

    @property
    def covered(self) -> int:
        """Up to which entry any place is at most one piece away from a stop."""
        return max(self._stops)

    @property
    def kept(self) -> int:
        """How many views are held, for tests."""
        return len(self._stops) + len(self._piece.views)

    def reach(self, head: int) -> bool:
        """Go one piece further towards ``head``. Returns whether more is left."""
        self._stretch(head)
        if (start := self.covered) + self._length > head:
            return False
        self._go_on(start)
        return start < self.covered <= head - self._length

    def at(self, seq: int) -> tuple[RunView, Entry | None]:
        """The run after entry ``seq``, and that entry; for 0, a run before its first entry."""
        self._stretch(seq)
        if seq and seq == self._newest.head:
            return self._newest, self._entry(seq)
        while self.covered + self._length < seq:
            before = self.covered
            self._go_on(before)
            if self.covered == before:  # the journal is shorter than somebody said
                break
        start = max(stop for stop in self._stops if stop <= seq)
        piece = self._load(start, seq)
        view, at = self._nearest(piece, seq)
        while at < seq:
            upto = min(seq, (at // _STRIDE + 1) * _STRIDE)
            view = fold(view, piece.entries[at - start : upto - start])
            at = upto
            if at % _STRIDE == 0:
                piece.views[at] = view
        inside = 0 < seq - start <= len(piece.entries)
        return view, piece.entries[seq - start - 1] if inside else self._entry(seq)

    def _entry(self, seq: int) -> Entry | None:
        return next(iter(self._past.entries(seq - 1, seq)), None) if seq else None

    def _nearest(self, piece: _Piece, seq: int) -> tuple[RunView, int]:
        known = sorted(piece.views)
        place = bisect_right(known, seq)
        return (piece.views[known[place - 1]], known[place - 1]) if place else (self._stops[piece.start], piece.start)

    def _load(self, start: int, seq: int) -> _Piece:
        piece = self._piece
        if piece.start != start or start + len(piece.entries) < seq:
            views = piece.views if piece.start == start else {}
            self._piece = piece = _Piece(start, self._past.entries(start, start + self._length), views)
        return piece

    def _go_on(self, start: int) -> None:
        entries = self._past.entries(start, start + self._length)
        if entries:
            self._stops[start + len(entries)] = fold(self._stops[start], entries)

    def _stretch(self, head: int) -> None:
        """Longer pieces for a longer run: every other stop goes, as often as there would be too many."""
        while head > self._length * _STOPS:
            self._length *= 2
            self._stops = {seq: view for seq, view in self._stops.items() if seq % self._length == 0}
