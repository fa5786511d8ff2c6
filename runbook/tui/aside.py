"""A coroutine that runs in a worker thread, and that may be called off from any other.

The screen's own loop never runs it: reading a large estate, real or simulated, must not hold up a key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class CalledOff(Exception):
    """Nobody wants the answer any more."""


class Aside(Generic[T]):
    """One piece of work.

    Args:
        work: makes the coroutine, in the thread that runs it.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._is_off = False

    def run(self) -> T:
        """Do it, in this thread.

        Raises:
            CalledOff: it was called off, before or meanwhile.
        """
        try:
            return asyncio.run(self._run())
        except asyncio.CancelledError:
            raise CalledOff("It was called off.") from None

    async def _run(self) -> T:
        with self._lock:
            if self._is_off:
                raise CalledOff("It was called off.")
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            return await self._work()
        finally:
            with self._lock:
                self._task = None

    def call_off(self) -> None:
        """Give it up. Returns at once."""
        with self._lock:
            self._is_off = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
