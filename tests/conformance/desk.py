"""A served cloud that can be put back to any moment of a rehearsal, and whose time waits for its clients."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runbook.core.clock import VirtualClock
from runbook.sim.cloud import Cloud
from runbook.sim.scenario import Scenario
from runbook.sim.scenario_files import load_scenario
from runbook.sim.served.front import Answer, Front, Note
from runbook.sim.served.server import Served, serving
from tests.conformance.lines import READS, Line, Write, memory

FAST = 1_000_000.0
"""Clients are told to come back as if the cloud ran so fast: then they do so after the shortest time they know."""


class Desk(Front):
    """Answers for one cloud after the other.

    Attributes:
        writes: what was written to the present one.
        refusals: what it refused.
    """

    def __init__(self, cloud: Cloud, now_s: Callable[[], int], speed: float, note: Note | None) -> None:
        super().__init__(cloud, now_s, speed, note)
        self._now_s = now_s
        self._inner = Front(cloud, now_s, FAST, self._noted)
        self._clock: VirtualClock | None = None
        self.writes: list[Write] = []
        self.refusals: list[str] = []

    def put_back(self, line: Line) -> None:
        """Be the cloud of a rehearsal as it was before a line."""
        state = memory(line, self.cloud.endpoint)
        self._clock = VirtualClock(line.at_ms)
        self._inner = Front(Cloud(self.cloud.scenario, self._clock, state), self._now_s, FAST, self._noted)
        self.writes, self.refusals = [], []

    def answer(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Answer:
        if self.writes and self._clock is not None and method in READS:
            due_ms = self._inner.cloud.next_timer_ms  # what was begun is over when somebody asks
            self._clock.advance_to(due_ms or 0)
        return self._inner.answer(method, target, headers, content)

    def _noted(self, about: dict[str, Any]) -> None:
        if about["status"] >= 400 and about["status"] != 404:
            self.refusals.append(f"{about['method']} {about['path']}: {about['status']}")
        if about["method"] not in READS:
            version = about["query"].get("api-version", "")
            self.writes.append(Write(about["method"], about["path"], about["body"], about["headers"], version))


@contextlib.contextmanager
def served(scenario: str) -> Iterator[tuple[Served, Desk]]:
    """Serve a shipped scenario from a thread of its own."""
    made: list[Desk] = []
    ready, over = threading.Event(), threading.Event()
    found: list[Served] = []

    def make(cloud: Cloud, now_s: Callable[[], int], speed: float, note: Note | None) -> Front:
        made.append(Desk(cloud, now_s, speed, note))
        return made[0]

    async def serve(estate: Scenario) -> None:
        async with serving(estate, speed=FAST, make=make) as here:
            found.append(here)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve(load_scenario(scenario))), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield found[0], made[0]
    finally:
        over.set()
        thread.join(30)
