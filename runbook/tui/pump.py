"""From the engine's thread to the screen: many events, few redraws.

Invariant: after the last event there is always one redraw, and between two redraws lie at least ``pause_s`` seconds.
The events themselves are not carried: the newest view holds everything they said.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from runbook.core.event import Event


class Pump:
    """Coalesces events.

    Args:
        wake: called from the engine's thread, at most once until ``rested``.
    """

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._has_news = False
        self._is_awake = False

    def __call__(self, event: Event) -> None:
        """Take an event, in the engine's thread."""
        self.nudge()

    def nudge(self) -> None:
        """Ask for a redraw, from any thread."""
        with self._lock:
            self._has_news = True
            if self._is_awake:
                return
            self._is_awake = True
        self._wake()

    def take(self) -> bool:
        """Whether something happened since the last call; call it before reading the view."""
        with self._lock:
            news, self._has_news = self._has_news, False
            return news

    def rested(self) -> bool:
        """After the pause: whether there is news already. If not, the next event wakes."""
        with self._lock:
            self._is_awake = self._has_news
            return self._has_news

    @property
    def is_awake(self) -> bool:
        """Whether a redraw is due or resting."""
        return self._is_awake
