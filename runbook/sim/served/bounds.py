"""Keeps a served cloud from growing for ever, however long clients call it.

What Azure itself forgets, this forgets too, only sooner: finished operations and the activity log, oldest first. What
Azure would refuse to hold, this refuses, too. Invariant: nothing that is still under way is forgotten.

Source: that operations and log entries are not kept for ever: "Track asynchronous Azure operations" and "Azure Monitor
activity log", learn.microsoft.com. The numbers are our choice.
"""

from __future__ import annotations

from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.wire import ArmFault, Call

MOST_OPERATIONS: Final = 5_000
MOST_EVENTS: Final = 10_000
MOST_RESOURCES: Final = 100_000
MOST_GENERATIONS: Final = 2 * MOST_RESOURCES
EVERY: Final = 500
"""Calls between two looks."""


class Bounds:
    """The limits of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._calls = cloud, 0

    def check(self, call: Call) -> None:
        """Refuse one more resource when there are too many.

        Raises:
            ArmFault: 409 ``ResourceQuotaExceeded``.
        """
        state = self._cloud.state
        if call.method == "PUT" and state.count("resources") >= MOST_RESOURCES:
            if not state.has("resources", call.path.rstrip("/").lower()):
                message = f"This simulated cloud holds {MOST_RESOURCES} resources, the most it can. Delete some first."
                raise ArmFault(409, "ResourceQuotaExceeded", message)

    def count(self, call: Call) -> None:
        """Count a call that was answered, and now and then forget what is old."""
        self._calls += 1
        if self._calls % EVERY == 0:
            self.trim()

    def trim(self) -> None:
        """Forget what is old beyond the limits."""
        state = self._cloud.state
        for key in state.keys("activity")[:-MOST_EVENTS]:
            state.delete("activity", key)
        if state.count("operations") > MOST_OPERATIONS:
            over = [(doc["end_ms"], key) for key, doc in state.items("operations") if doc["status"] != "InProgress"]
            for _, key in sorted(over)[: state.count("operations") - MOST_OPERATIONS]:
                state.delete("operations", key)
        if state.count("generations") > MOST_GENERATIONS:
            for key in state.keys("generations"):
                if not state.has("resources", key):
                    state.delete("generations", key)
        state.commit(self._cloud.now_ms)
