"""Observing many nodes without sending anything: what a plan and a report on drift stand on.

A look goes through the same ``Machine`` and is judged by the same ``judge`` as in a run that is driven; only nothing
follows from it: there is no journal, no lease and no call but a read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal

from runbook.book import Book
from runbook.core.entry import Draft, Entry
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.growth import skipped_needs
from runbook.engine.judge import Scene
from runbook.engine.machine import Machine
from runbook.engine.world import Limits, World
from runbook.journal.fold import fold

Said = Literal["satisfied", "change", "in_progress", "waiting", "blocked", "unknown_until"]

PATIENCE: Final = Limits(deferrals=4, longest_delay_s=60.0)
"""A report is waited for by a person: what cannot be read soon is told instead."""

SAID: Final[dict[NodeState, Said]] = {
    NodeState.DONE: "satisfied",
    NodeState.SKIPPED: "satisfied",
    NodeState.READY: "change",
    NodeState.IN_DOUBT: "change",
    NodeState.SETTLING: "in_progress",
    NodeState.WAITING: "waiting",
    NodeState.BLOCKED: "blocked",
    NodeState.FAILED: "unknown_until",
}


class Looks:
    """Looks at nodes, a bounded number at once."""

    def __init__(self, book: Book, world: World, limits: Limits) -> None:
        self._machine = Machine(book, world, limits, fence=lambda: None)
        self._clock = world.clock
        self._room = asyncio.Semaphore(limits.activities)

    async def look(self, node: NodeView, view: RunView, *, is_over: bool = False) -> NodeView:
        """The node as one look leaves it: never in a state from which a call follows.

        Args:
            node: as it stands.
            view: what its references read.
            is_over: the node was done, so what the run sent is settled, and says nothing on what is wanted now.
        """
        node = replace(node, state=NodeState.OBSERVING, deferred=0, due_ms=None)
        async with self._room:
            node = await self._look_once(node, view, is_over)
            while node.state is NodeState.OBSERVING and node.due_ms is not None:
                await self._clock.sleep_until(node.due_ms)  # put off, as ARM asked
                node = await self._look_once(node, view, is_over)
        return node

    async def _look_once(self, node: NodeView, view: RunView, is_over: bool) -> NodeView:
        judgement = await self._machine.look(node, lambda: view, lambda: self._scene(node, view, is_over), due=0)
        return told(node, judgement.drafts)

    def _scene(self, node: NodeView, view: RunView, is_over: bool) -> Scene:
        judged = replace(node, applied=(), intent=None) if is_over else node
        return Scene(
            view,
            judged,
            self._clock.now_ms(),
            is_stopped=True,  # so whatever is approved, nothing is to be sent
            is_free=lambda _: False,
            skipped_needs=lambda: skipped_needs(view, judged),
        )


def told(node: NodeView, drafts: Iterable[Draft]) -> NodeView:
    """The node after entries that no journal will hold."""
    entries = [Entry(0, 0, d.kind, d.node, d.to, d.data, "") for d in drafts]
    return fold(RunView(nodes={node.id: node}), entries).nodes[node.id]
