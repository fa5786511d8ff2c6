"""The engine in a thread of its own, so that a screen never waits for the disk and quitting a screen harms nothing.

A client holds an ``Attachment``: either a ``Host``, which drives, or a ``Follower``, which reads along while
another process drives. Both hand out views that are immutable and safe to read from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from runbook.core.command import Command
from runbook.core.entry import Entry
from runbook.core.error import RunbookError
from runbook.core.event import Event
from runbook.core.view import RunView
from runbook.engine.engine import Engine, Until
from runbook.engine.follower import Follower, read_entries
from runbook.journal.past import Past
from runbook.journal.reader import JournalPast

__all__ = ["Attachment", "Follower", "Host", "Session"]


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

    def real_s(self, at_ms: int) -> float | None:
        """In a rehearsal, about how many real seconds until a moment of its clock; None where nobody knows."""
        ...

    def submit(self, command: Command) -> Future[None]:
        """Hand in a command; the future ends when it is committed, or with the ``RunbookError`` that refused it."""
        ...

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Be told of events, in a thread that is not the screen's. Returns a function that stops it."""
        ...

    def entries(self, node: str | None, limit: int = 200) -> list[Entry]:
        """The newest entries, of one node or of the run, oldest first."""
        ...

    def past(self) -> Past:
        """Where the run can be read from its first entry on, apart from whoever drives it."""
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

    def real_s(self, at_ms: int) -> float | None: ...

    def check_drives(self) -> None:
        """Cheap.

        Raises:
            LeaseLost: another driver took over.
        """
        ...

    async def close(self) -> None: ...


class Host:
    """Drives a run in a thread until closed.

    Args:
        open_session: called in the engine's thread.
        journal: the run's journal, for reading entries.
        watch_s: real seconds between looks at whether this process still drives, so that one that sits idle learns
            of a take-over before its next write.

    Raises:
        RunbookError: the run could not be opened; raised by the constructor.
    """

    is_read_only = False

    def __init__(self, open_session: Callable[[], Session], journal: Path, watch_s: float = 2.0) -> None:
        self._journal = journal
        self._watch_s = watch_s
        self._open = open_session
        self._ready: Future[tuple[Session, asyncio.AbstractEventLoop]] = Future()
        self._failure: RunbookError | None = None
        self._on_end: list[Callable[[], None]] = []
        self._ending = threading.Lock()
        self._is_over = False
        self._asked: set[Future[None]] = set()
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
        watch = asyncio.create_task(self._watch(session))
        with self._noted():
            await session.engine.run(Until.CLOSED)
        watch.cancel()
        with self._ending:
            self._is_over = True  # from here on nobody is let in, and who is in already is answered
        while asked := [asyncio.wrap_future(future) for future in tuple(self._asked)]:
            await asyncio.wait(asked)
        with self._noted():
            await session.close()
        for callback in self._on_end:
            callback()

    async def _watch(self, session: Session) -> None:
        """End the driving as soon as it is somebody else's."""
        while True:
            await asyncio.sleep(self._watch_s)
            with self._noted():
                session.check_drives()
            if self._failure is not None:
                session.engine.close()
                return

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        """What goes wrong here ends the driving, in words."""
        try:
            yield
        except RunbookError as error:
            self._failure = self._failure or error
        except Exception as error:
            broke = RunbookError(f"The engine broke: {type(error).__name__}: {error}", "Resume the run.")
            self._failure = self._failure or broke

    @property
    def view(self) -> RunView:
        return self._session.engine.view

    @property
    def failure(self) -> RunbookError | None:
        return self._failure

    def on_end(self, callback: Callable[[], None]) -> None:
        """Be told, mostly in the engine's thread, when driving has ended for any reason; at once if it has."""
        with self._ending:
            if not self._is_over:
                self._on_end.append(callback)
                return
        callback()

    def now_ms(self) -> int:
        return self._session.now_ms()

    def real_s(self, at_ms: int) -> float | None:
        return self._session.real_s(at_ms)

    def submit(self, command: Command) -> Future[None]:
        with self._ending:
            if not self._is_over:
                future = asyncio.run_coroutine_threadsafe(self._decide(command), self._loop)
                self._asked.add(future)
                future.add_done_callback(self._asked.discard)
                return future
        refused: Future[None] = Future()
        refused.set_exception(self._refusal)
        return refused

    async def _decide(self, command: Command) -> None:
        if self._is_over:
            raise self._refusal
        await self._session.engine.decide(command)

    @property
    def _refusal(self) -> RunbookError:
        return self._failure or RunbookError("The run is closed.", "Resume it.")

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        return self._session.engine.listen(callback)

    def past(self) -> Past:
        return JournalPast(self._journal)

    def entries(self, node: str | None, limit: int = 200) -> list[Entry]:
        return read_entries(self._journal, node, limit)

    def close(self) -> None:
        with self._ending:
            if not self._is_over:
                self._loop.call_soon_threadsafe(self._session.engine.close)
        self._thread.join(timeout=90)
