"""A run from its first entry to its newest, for whoever looks back: in brief at once, whole piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from runbook.core.entry import Entry
from runbook.core.mark import Mark, mark_of
from runbook.core.view import RunView
from runbook.journal.fold import fold

if TYPE_CHECKING:
    from runbook.journal.store import Driver


class Past(Protocol):
    """What can be read of a run's past, in worker threads: every call may be slow.

    Each may raise ``Damaged``, ``RunUnknown``, ``TooNew`` or ``Unwritable``.
    """

    def newest(self) -> RunView:
        """The run as it stands now."""
        ...

    def marks(self, after: int = 0) -> list[Mark]:
        """Every entry above ``after`` in brief, in order and without gaps."""
        ...

    def entries(self, after: int, upto: int) -> list[Entry]:
        """The entries above ``after``, as far as ``upto``."""
        ...

    def each(self, upto: int) -> Iterator[Entry]:
        """The entries as far as ``upto``, one after another, never all in memory."""
        ...

    def drivers(self) -> Sequence[Driver]:
        """Who drove, oldest first."""
        ...


class ToldPast:
    """The past in entries at hand, which may be appended to."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.told = list(entries)

    def newest(self) -> RunView:
        return fold(RunView(), self.told)

    def marks(self, after: int = 0) -> list[Mark]:
        return [mark_of(entry) for entry in self.told[after:]]

    def entries(self, after: int, upto: int) -> list[Entry]:
        return self.told[after:upto]

    def each(self, upto: int) -> Iterator[Entry]:
        return iter(self.told[:upto])

    def drivers(self) -> Sequence[Driver]:
        return ()
