"""Signals that ask a command for an end, as calls in its event loop. On Windows, too, whose loop knows none."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable, Iterator


@contextlib.contextmanager
def hearing(numbers: Iterable[int], act: Callable[[], None], *, is_once: bool) -> Iterator[None]:
    """Call ``act`` in the running loop at these signals.

    Args:
        numbers: the signals.
        act: what to do.
        is_once: whether the next signal then does what it always did.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in numbers}

    def heard() -> None:
        if is_once:
            restore()
        act()

    def restore() -> None:
        for number, handler in before.items():
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.remove_signal_handler(number)
            signal.signal(number, handler)

    for number in before:
        try:
            loop.add_signal_handler(number, heard)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(heard))
    try:
        yield
    finally:
        restore()
