"""Reading along while another process drives.

Invariant: a follower never goes quiet without a word. Whatever ends its reading stands in ``failure``, and who asked
to be told is told.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from runbook.core.command import Command
from runbook.core.entry import Entry
from runbook.core.error import Damaged, Driven, RunbookError
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.journal.lease import driver, words
from runbook.journal.load import load_view
from runbook.journal.past import Past
from runbook.journal.reader import JournalPast
from runbook.journal.store import Journal


class Follower:
    """An ``Attachment`` that asks the journal every so often.

    Args:
        journal: the run's journal.
        every_s: real seconds between readings.

    Attributes:
        driver: who drives at the last reading, in words.
        failure: what ended the reading, if anything did.
    """

    is_read_only = True
    speed: float | None = None

    def __init__(self, journal: Path, every_s: float = 0.5) -> None:
        self.failure: RunbookError | None = None
        self._path = journal
        self._every_s = every_s
        self._listeners: list[Callable[[Event], None]] = []
        self._on_end: list[Callable[[], None]] = []
        self._ending = threading.Lock()
        self._is_over = False
        self._closed = threading.Event()
        opened = Journal.open(journal, write=False)
        try:
            self._view = load_view(opened)
            self._hash = opened.hash_at(self._view.head)
            self.driver = _driver(opened)
        finally:
            opened.close()
        self._thread = threading.Thread(target=self._read_along, name="follower", daemon=True)
        self._thread.start()

    @property
    def view(self) -> RunView:
        return self._view

    def now_ms(self) -> int:
        return self._view.updated_ms

    def real_s(self, at_ms: int) -> float | None:
        return None

    def submit(self, command: Command) -> Future[None]:
        refused: Future[None] = Future()
        refused.set_exception(
            Driven(f"This run is driven by {self.driver}; you look on.", "Ask them, or take over with `--take-over`.")
        )
        return refused

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        self._listeners.append(callback)

        def stop() -> None:
            with contextlib.suppress(ValueError):  # stopped already
                self._listeners.remove(callback)

        return stop

    def on_end(self, callback: Callable[[], None]) -> None:
        """Be told, mostly in the reading thread, when the reading has ended for any reason; at once if it has."""
        with self._ending:
            if not self._is_over:
                self._on_end.append(callback)
                return
        callback()

    def entries(self, node: str | None, limit: int = 200) -> list[Entry]:
        return read_entries(self._path, node, limit)

    def past(self) -> Past:
        return JournalPast(self._path)

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=5)

    def _read_along(self) -> None:
        try:
            while not self._closed.wait(self._every_s):
                self.read()
        except RunbookError as error:
            self.failure = error
        except Exception as error:
            self.failure = RunbookError(f"Looking on broke: {type(error).__name__}: {error}", "Open the run again.")
        finally:
            with self._ending:
                self._is_over = True
            for callback in self._on_end:
                callback()

    def read(self) -> None:
        """Read once: who drives, and what was committed since the last time. The reading thread does it by itself.

        Raises:
            RunUnknown, Damaged, TooNew, Unwritable: the journal cannot be read, or is another one than before.
        """
        journal = Journal.open(
            self._path, write=False
        )  # anew each time: the file may have been put in place of another
        try:
            if journal.hash_at(self._view.head) != self._hash:
                raise Damaged("The journal was replaced by another one.", "Open the run again.")
            self.driver = _driver(journal)
            news = list(journal.entries(after=self._view.head))
        finally:
            journal.close()
        for entry in news:
            known = self._view.nodes.get(entry.node or "")
            self._view, self._hash = fold(self._view, [entry]), entry.hash
            before = known.state if known else NodeState.PENDING if entry.node else None
            for listener in tuple(self._listeners):
                listener(Event(entry, before, self._view))


def _driver(journal: Journal) -> str:
    row = driver(journal)
    return words(row) if row else "nobody at the moment"


def read_entries(path: Path, node: str | None, limit: int) -> list[Entry]:
    """The newest entries of a journal, of one node or of the run, oldest first."""
    journal = Journal.open(path, write=False)
    try:
        return list(journal.entries(node=node, last=limit))
    finally:
        journal.close()
