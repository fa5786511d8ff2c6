"""What has been read of a run's past so far, and what to read next. It owns no thread and no widget.

Invariant: ``work`` names one piece of reading at a time. It is done in a worker, and what it hands back is called in
the screen's thread: so nothing here is ever changed by two threads at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from runbook.core.entry import Entry
from runbook.core.mark import Mark
from runbook.core.view import RunView
from runbook.journal.past import Past
from runbook.journal.replay import Replay
from runbook.tui.present.lanes import Lanes

Done = Callable[[], None]
Work = Callable[[], Done]


class LookBack:
    """Reads a run's past piece by piece.

    Args:
        past: where it is read.
        newest: the run as it stands, where that is known without reading.
    """

    def __init__(self, past: Past, newest: RunView | None = None) -> None:
        self.lanes: Lanes | None = None
        """What each node did when; None until the journal has been read in brief."""
        self.newest = newest
        """The run at the journal's end, when it was first read."""
        self.then: tuple[int, RunView, Entry | None] | None = None
        """The run as it stood, as read last: after which entry, how, and that entry."""
        self._past = past
        self._replay = Replay(past)
        self._asked = 0
        self._has_more = True

    @property
    def head(self) -> int:
        """The newest entry known."""
        return self.lanes.head if self.lanes is not None else 0

    def view_at(self, seq: int) -> tuple[RunView | None, Entry | None]:
        """The run after this entry, and the entry, as far as they have been read."""
        return self.then[1:] if self.then is not None and self.then[0] == seq else (None, None)

    def know(self, newest: RunView) -> None:
        """Take the run's newest view, which is known without reading."""
        self._replay.know(newest)

    def work(self, head: int, seq: int) -> Work | None:
        """What to read next.

        Args:
            head: the newest entry that is known to be in the journal.
            seq: the entry after which the run is to be shown.
        """
        if self.lanes is None:
            return self._open
        if head > max(self.head, self._asked):
            self._asked = head
            return partial(self._read_on, self.head)
        if (self.then is None or self.then[0] != seq) and self._replay.is_near(seq):
            return partial(self._read_then, seq)
        return partial(self._read_ahead, self.head) if self._has_more else None

    def _open(self) -> Done:
        newest, lanes = self.newest or self._past.newest(), Lanes()
        lanes.hear(self._past.marks())
        return partial(self._opened, newest, lanes)

    def _opened(self, newest: RunView, lanes: Lanes) -> None:
        self.newest, self.lanes = newest, lanes
        self.know(newest)

    def _read_on(self, head: int) -> Done:
        return partial(self._grow, self._past.marks(head))

    def _grow(self, marks: list[Mark]) -> None:
        if self.lanes is not None and marks:
            self.lanes.hear(marks)
            self._has_more = True

    def _read_then(self, seq: int) -> Done:
        view, entry = self._replay.at(seq)
        return partial(setattr, self, "then", (seq, view, entry))

    def _read_ahead(self, head: int) -> Done:
        return partial(setattr, self, "_has_more", self._replay.reach(head))
