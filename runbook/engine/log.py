"""The only door to the journal while a run is driven.

Invariants: an event is published only after its entry is committed; entries that wait at the same moment commit
together, in the order they were handed in; nothing is published out of order. Everything happens in the engine's
own event loop, so the same inputs give the same order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final

from runbook.core.clock import Clock
from runbook.core.entry import Draft, Entry, seal
from runbook.core.error import JournalError
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.journal.load import is_snapshot_due, keep_snapshot
from runbook.journal.store import Journal

_LAZY_S: Final = 0.05
"""Real seconds that an entry without effect may wait for company."""


class Log:
    """Appends under one epoch and keeps the view.

    Attributes:
        view: the fold of everything committed.
        failure: why nothing can be committed any more; what was handed in then is lost.
        broken: what the first listener that broke raised; the others were told all the same.
    """

    def __init__(self, journal: Journal, epoch: int, view: RunView, clock: Clock) -> None:
        self.journal = journal
        self.epoch = epoch
        self.view = view
        self._clock = clock
        self._pending: list[Draft] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._flush_is_due = False
        self.broken: Exception | None = None
        self._listeners: list[Callable[[Event], None]] = []
        self._untold: deque[Event] = deque()
        self._is_telling = False
        self._kept = 0  # a session that ends before its turn comes must not put the snapshot off for ever
        self.failure: BaseException | None = None
        self._lazy: asyncio.TimerHandle | None = None

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call back after each commit, in the engine's loop. Returns a function that stops it."""
        self._listeners.append(callback)

        def stop() -> None:
            with contextlib.suppress(ValueError):  # stopped already
                self._listeners.remove(callback)

        return stop

    def post(self, *drafts: Draft) -> None:
        """Hand in entries that may wait for the next commit. For what has no effect outside, such as a look."""
        self._pending.extend(map(seal, drafts))
        if self._lazy is None:
            self._lazy = asyncio.get_running_loop().call_later(_LAZY_S, self._flush_lazily)

    def post_now(self, *drafts: Draft) -> None:
        """Commit entries at once, outside any event loop: the run's first one, above all."""
        self._pending.extend(map(seal, drafts))
        self.flush()

    def _flush_lazily(self) -> None:
        with contextlib.suppress(Exception):  # kept in failure, and raised to whoever commits next
            self.flush()

    async def commit(self, *drafts: Draft) -> None:
        """Hand in entries and return when they are on the disk.

        Raises:
            LeaseLost: another driver took over; nothing was written.
            Unwritable: the disk is full or read-only.
            TypeError, ValueError: an entry's data is not JSON; it was not handed in.
        """
        self._pending.extend(map(seal, drafts))
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        if not self._flush_is_due:
            self._flush_is_due = True
            loop.call_soon(self._flush_for_waiters)
        await waiter

    def _flush_for_waiters(self) -> None:
        self._flush_is_due = False
        waiters, self._waiters = self._waiters, []
        try:
            self.flush()
        except BaseException as error:
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def flush(self) -> None:
        """Commit what was handed in, then publish it.

        Raises:
            LeaseLost, Unwritable: as ``commit`` says; from then on always, since an earlier call may have lost entries.
        """
        if self._lazy is not None:
            self._lazy.cancel()
            self._lazy = None
        drafts, self._pending = self._pending, []
        if self.failure:
            raise self.failure
        if not drafts:
            return
        at_ms = max(self._clock.now_ms(), self.view.updated_ms)
        states = {d.node: known.state for d in drafts if d.node and (known := self.view.nodes.get(d.node))}
        try:
            # Fold before writing: a move that the table forbids must never reach the disk.
            start = self.view.head + 1
            tries = [Entry(start + i, at_ms, d.kind, d.node, d.to, d.data, "") for i, d in enumerate(drafts)]
            after = fold(self.view, tries)
            entries = self.journal.append(drafts, at_ms, self.epoch)
        except BaseException as error:
            self.failure = error  # what was handed in is lost with it: nothing may follow
            raise
        self.view = after
        for entry in entries:
            before = states.get(entry.node, NodeState.PENDING) if entry.node else None
            if entry.node and entry.to is not None:
                states[entry.node] = entry.to
            self._untold.append(Event(entry, before, self.view))
        self._tell()
        if is_snapshot_due(self.view, self._kept):
            self._kept = self.view.head
            with contextlib.suppress(JournalError):  # a snapshot is only for speed
                keep_snapshot(self.journal, self.view)

    def _tell(self) -> None:
        """Publish what was committed. What a listener commits meanwhile is published after what it is being told."""
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._untold:
                event = self._untold.popleft()
                for listener in tuple(self._listeners):
                    try:
                        listener(event)
                    except Exception as error:
                        self.broken = self.broken or error
        finally:
            self._is_telling = False
