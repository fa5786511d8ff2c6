"""The time of a served cloud: it runs by itself, whether anybody calls or not."""

from __future__ import annotations

import time


class FlowingClock:
    """A clock that runs at a multiple of real time.

    Args:
        start_ms: its first reading, UTC milliseconds.
        speed: its seconds per real second.
    """

    flows = True

    def __init__(self, start_ms: int, speed: float) -> None:
        self._start_ms, self.speed = start_ms, speed
        self._began_s = time.monotonic()

    def now_ms(self) -> int:
        return self._start_ms + int((time.monotonic() - self._began_s) * 1000 * self.speed)

    async def sleep_until(self, at_ms: int) -> None:
        import asyncio

        while (left_ms := at_ms - self.now_ms()) > 0:  # noqa: ASYNC110 - there is no event to wait for but time
            await asyncio.sleep(left_ms / 1000 / self.speed)
