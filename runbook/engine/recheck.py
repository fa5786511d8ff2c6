"""What still holds of what a run has done, from looking alone. Nothing is sent, and no entry is written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from runbook.book import Book
from runbook.core.ids import step_of
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.looks import PATIENCE, SAID, Looks
from runbook.engine.world import Limits, World

Outcome = Literal["ok", "drift", "unreadable", "not_done", "skipped"]


@dataclass(frozen=True, slots=True)
class Recheck:
    """What became of one node of a run since.

    Attributes:
        node: as the fresh look left it; as the run has it where it was not looked at.
        verdict: of the fresh look; empty where there was none.
        after: the nodes it needs that drifted, too: put those right first.
    """

    node: NodeView
    outcome: Outcome
    verdict: str = ""
    after: tuple[str, ...] = ()


async def recheck(book: Book, view: RunView, world: World, limits: Limits = PATIENCE) -> tuple[Recheck, ...]:
    """Look at every node that a run has done afresh, with the parameters that it was done with."""
    looks = Looks(book, world, limits)
    seen = await asyncio.gather(*(looks.look(n, view, is_over=True) for n in _in(view, NodeState.DONE)))
    fresh = {node.id: node for node in seen}
    bad = {name for name, node in fresh.items() if node.state not in (NodeState.DONE, NodeState.FAILED)}
    return tuple(_rechecked(n, fresh.get(n.id), bad) for n in view.nodes.values())


def _in(view: RunView, state: NodeState) -> list[NodeView]:
    return [n for n in view.nodes.values() if n.state is state]


def _rechecked(node: NodeView, fresh: NodeView | None, bad: set[str]) -> Recheck:
    if fresh is None:
        return Recheck(node, "skipped" if node.state is NodeState.SKIPPED else "not_done")
    if fresh.state is NodeState.FAILED:
        return Recheck(fresh, "unreadable", SAID[fresh.state])
    if node.id not in bad:
        return Recheck(fresh, "ok", SAID[fresh.state])
    steps = {step_of(name) for name in bad}
    after = [need for need in node.doc["needs"] if need in bad or (need.endswith("[*]") and need[:-3] in steps)]
    return Recheck(fresh, "drift", SAID[fresh.state], tuple(after))
