"""Time as a value that is handed in. Nothing else in the runbook reads a clock.

A real clock flows by itself. A virtual clock, for rehearsals, stands still while the engine works and moves
only while the engine waits for a moment, so the same rehearsal gives the same times.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Protocol

PUT_BACK_MS = 60_000
"""A clock that reads earlier than before by more than this was put back; less is how clocks are kept right."""

_SEVEN_DIGITS = re.compile(r"(.*\.\d{6})\d+(.*)$")


class Clock(Protocol):
    """What the engine knows of time. ``now_ms`` is UTC milliseconds since 1970."""

    @property
    def flows(self) -> bool:
        """Whether time passes while the engine works. If not, it passes only inside ``sleep_until``."""
        ...

    def now_ms(self) -> int: ...

    async def sleep_until(self, at_ms: int) -> None:
        """Until that moment; earlier where the clock was put back meanwhile."""
        ...


class RealClock:
    """The machine's clock. Sleeps in short pieces, so that a suspended laptop wakes on time.

    A sleep ends early when the clock is put back: a moment that was near may then be far, and whoever waits for it
    decides anew.
    """

    flows = True
    _LONGEST_NAP_S = 30.0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep_until(self, at_ms: int) -> None:
        import asyncio  # slow to import, and most commands only print times

        before_ms = self.now_ms()
        while (left_ms := at_ms - before_ms) > 0:
            await asyncio.sleep(min(left_ms / 1000, self._LONGEST_NAP_S))
            now_ms = self.now_ms()
            if now_ms < before_ms - PUT_BACK_MS:
                return
            before_ms = now_ms


class VirtualClock:
    """Rehearsal time.

    Args:
        start_ms: the first reading.
        speed: virtual seconds per real second; None jumps at once.
        longest_s: no single wait takes more real seconds than this, however long it is in virtual time.
    """

    flows = False

    def __init__(self, start_ms: int, speed: float | None = None, longest_s: float = 3.0) -> None:
        self._now_ms = start_ms
        self.speed = speed
        self._longest_s = longest_s
        self._sleep: tuple[float, float, int] | None = None

    def now_ms(self) -> int:
        if self._sleep is None:
            return self._now_ms
        began, length_s, at_ms = self._sleep
        part = min(1.0, (time.monotonic() - began) / length_s) if length_s else 1.0
        return self._now_ms + int((at_ms - self._now_ms) * part)

    def advance_to(self, at_ms: int) -> None:
        """Move forward; never back."""
        self._now_ms = max(self._now_ms, at_ms)

    def real_s_until(self, at_ms: int) -> float:
        """About how many real seconds go by until a moment, if nothing but waiting is left to do."""
        left_s = 0.0
        start_ms = self.now_ms()
        if (sleep := self._sleep) is not None:
            began, length_s, end_ms = sleep
            rest_s = max(0.0, began + length_s - time.monotonic())
            if at_ms <= end_ms:
                return rest_s * (at_ms - start_ms) / (end_ms - start_ms) if end_ms > start_ms < at_ms else 0.0
            left_s, start_ms = rest_s, end_ms
        if self.speed is None or at_ms <= start_ms:
            return left_s
        return left_s + min((at_ms - start_ms) / 1000 / self.speed, self._longest_s)

    async def sleep_until(self, at_ms: int) -> None:
        """Let virtual time pass. If cancelled, the part that passed has passed."""
        import asyncio

        if at_ms <= self._now_ms:
            return
        if self.speed is None:
            self._now_ms = at_ms
            return
        length_s = min((at_ms - self._now_ms) / 1000 / self.speed, self._longest_s)
        self._sleep = (time.monotonic(), length_s, at_ms)
        try:
            await asyncio.sleep(length_s)
            self._now_ms = at_ms
        finally:
            reached, self._sleep = self.now_ms(), None
            self.advance_to(min(reached, at_ms))


def iso(at_ms: int) -> str:
    """``2026-11-20T08:00:00.000Z``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def from_iso(text: str) -> int:
    """Milliseconds of an ISO 8601 moment; without an offset it is UTC.

    Raises:
        ValueError: not ISO 8601.
    """
    if match := _SEVEN_DIGITS.match(text):  # ARM writes ticks: seven digits, which datetime refuses
        text = match[1] + match[2]
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def duration(seconds: float) -> str:
    """``2 d 4 h``, ``15 min``, ``40 s``: the two largest units."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
