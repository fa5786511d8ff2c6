"""The engine in a thread of its own, so that a screen never waits for the disk and quitting a screen harms nothing.

A client holds an ``Attachment``: either a ``Host``, which drives, or a ``Follower``, which reads along while
another process drives. Both hand out views that are immutable and safe to read from any thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from runbook.core.command import Command
from runbook.core.entry import Entry
from runbook.core.error import Driven, RunbookError
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.engine.engine import Engine, Until
from runbook.journal.fold import fold
from runbook.journal.lease import driver, words
from runbook.journal.load import load_view
from runbook.journal.store import Journal


class Attachment(Protocol):
    """What a screen knows of a run."""

    is_read_only: bool
    driver: str
    """Who drives, in words."""
    speed: float | None
    """Virtual seconds per second in a rehearsal; None where it is not known or jumps."""

    @property
    def view(self) -> RunView:
        """The newest committed view."""
        ...

    @property
    def failure(self) -> RunbookError | None:
        """What ended the driving, if anything did."""
        ...

    def now_ms(self) -> int: ...

    def submit(self, command: Command) -> Future[None]:
        """Hand in a command; the future ends when it is committed, or with the ``RunbookError`` that refused it."""
        ...

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Be told of events, in a thread that is not the screen's. Returns a function that stops it."""
        ...

    def entries(self, node: str | None, limit: int = 200) -> list[Entry]:
        """The newest entries, of one node or of the run, oldest first."""
        ...

    def close(self) -> None:
        """Let calls in flight end, then let go of the run."""
        ...


class Session(Protocol):
    """An opened run, as the composition root builds it. It is made, used and closed in the engine's thread."""

    engine: Engine
    driver: str
    speed: float | None

    def now_ms(self) -> int: ...

    async def close(self) -> None: ...


class Host:
    """Drives a run in a thread until closed.

    Args:
        open_session: called in the engine's thread.
        journal: the run's journal, for reading entries.

    Raises:
        RunbookError: the run could not be opened; raised by the constructor.
    """

    is_read_only = False

    def __init__(self, open_session: Callable[[], Session], journal: Path) -> None:
        self._journal = journal
        self._open = open_session
        self._ready: Future[tuple[Session, asyncio.AbstractEventLoop]] = Future()
        self._failure: RunbookError | None = None
        self._on_failure: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="engine", daemon=True)
        self._thread.start()
        self._session, self._loop = self._ready.result()
        self.driver = self._session.driver
        self.speed = self._session.speed

    async def _main(self) -> None:
        try:
            session = self._open()
        except BaseException as error:
            self._ready.set_exception(error)
            return
        self._ready.set_result((session, asyncio.get_running_loop()))
        try:
            await session.engine.run(Until.CLOSED)
        except RunbookError as error:
            self._failure = error
        except Exception as error:
            self._failure = RunbookError(f"The engine broke: {type(error).__name__}: {error}", "Resume the run.")
        finally:
            await session.close()
            for callback in self._on_failure:
                callback()

    @property
    def view(self) -> RunView:
        return self._session.engine.view

    @property
    def failure(self) -> RunbookError | None:
        return self._failure

    def on_end(self, callback: Callable[[], None]) -> None:
        """Be told, in the engine's thread, when driving has ended for any reason."""
        self._on_failure.append(callback)

    def now_ms(self) -> int:
        return self._session.now_ms()

    def submit(self, command: Command) -> Future[None]:
        if not self._thread.is_alive():
            refused: Future[None] = Future()
            refused.set_exception(self._failure or RunbookError("The run is closed.", "Resume it."))
            return refused
        return asyncio.run_coroutine_threadsafe(self._session.engine.decide(command), self._loop)

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        return self._session.engine.listen(callback)

    def entries(self, node: str | None, limit: int = 200) -> list[Entry]:
        return _read_entries(self._journal, node, limit)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._session.engine.close)
            self._thread.join(timeout=90)


class Follower:
    """Reads along while another process drives, by asking the journal every so often.

    Args:
        journal: the run's journal.
        every_s: real seconds between readings.
    """

    is_read_only = True
    speed: float | None = None
    failure: RunbookError | None = None

    def __init__(self, journal: Path, every_s: float = 0.5) -> None:
        self._path = journal
        self._every_s = every_s
        self._listeners: list[Callable[[Event], None]] = []
        self._closed = threading.Event()
        opened = Journal.open(journal, write=False)
        self._view = load_view(opened)
        row = driver(opened)
        self.driver = words(row) if row else "nobody drives it"
        opened.close()
        self._thread = threading.Thread(target=self._read_along, name="follower", daemon=True)
        self._thread.start()

    @property
    def view(self) -> RunView:
        return self._view

    def now_ms(self) -> int:
        return self._view.updated_ms

    def submit(self, command: Command) -> Future[None]:
        refused: Future[None] = Future()
        refused.set_exception(
            Driven(f"This run is driven by {self.driver}; you look on.", "Ask them, or take over with `--take-over`.")
        )
        return refused

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def entries(self, node: str | None, limit: int = 200) -> list[Entry]:
        return _read_entries(self._path, node, limit)

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=5)

    def _read_along(self) -> None:
        journal = Journal.open(self._path, write=False)
        while not self._closed.wait(self._every_s):
            for entry in list(journal.entries(after=self._view.head)):
                known = self._view.nodes.get(entry.node or "")
                self._view = fold(self._view, [entry])
                before = known.state if known else NodeState.PENDING if entry.node else None
                for listener in tuple(self._listeners):
                    listener(Event(entry, before, self._view))
        journal.close()


def _read_entries(path: Path, node: str | None, limit: int) -> list[Entry]:
    journal = Journal.open(path, write=False)
    try:
        return list(journal.entries(node=node, last=limit))
    finally:
        journal.close()
