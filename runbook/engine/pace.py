"""How much is done at once while ARM turns calls away: as TCP does it, half as much after a refusal, then slowly more.

ARM grants a subscription so many calls a second. Hundreds of nodes that come back at the same moment would use them up
with looks that are turned away half-way, and none would ever be whole. So after a refusal nothing new begins until ARM
said to come back, and then few at a time.

Source: "Understand how Azure Resource Manager throttles requests", Microsoft Learn (429 with ``Retry-After``).
"""

from __future__ import annotations

from typing import Final

LEAST_S: Final = 2.0
"""No pause is shorter: a second's worth of calls is used up by two looks."""
LONGEST_S: Final = 120.0
"""No pause grows beyond this by itself; ARM may ask for more."""

EASE: Final = 0.9
"""What is left of the next pause when an activity ends without a refusal."""


class Pace:
    """Pure bookkeeping.

    Args:
        most: activities at once when nobody is turned away.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = float(most)
        self._pause_s = LEAST_S
        self._opens_ms = 0

    @property
    def room(self) -> int:
        """Activities that may be under way now."""
        return int(self._room)

    def opens_ms(self, now_ms: int) -> int | None:
        """When something new may begin again; None when it may now."""
        return self._opens_ms if self._opens_ms > now_ms else None

    def turned_away(self, now_ms: int, retry_after_s: float) -> float:
        """A call was refused because there were too many. Those refused during one pause count once.

        Returns:
            Seconds until something new may begin. They double once there is room for one activity only: what ARM asks
            for is often one call's worth, and a look of twenty reads would be turned away for ever.
        """
        if self._opens_ms <= now_ms:
            if self._room < 2:
                self._pause_s = min(LONGEST_S, self._pause_s * 2)
            self._room = max(1.0, self._room / 2)
        self._opens_ms = max(self._opens_ms, now_ms + round(max(retry_after_s, self._pause_s) * 1000))
        return (self._opens_ms - now_ms) / 1000

    def went_well(self) -> None:
        """An activity ended without a refusal."""
        self._pause_s = max(LEAST_S, self._pause_s * EASE)  # slowly: a small look says little about a large one
        self._room = min(float(self._most), self._room + 1 / (4 * self._room))
