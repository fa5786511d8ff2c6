"""How many nodes stand how, in words; from how many on a person is better told the number; which want the operator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from runbook.core.state import FINISHED, NodeState
from runbook.core.view import NodeView, RunView

FEW: Final = 12
"""A step with more nodes than this is told as one, unless everything is asked for."""

URGENT: Final = (
    NodeState.FAILED,
    NodeState.BLOCKED,
    NodeState.IN_DOUBT,
    NodeState.READY,
    NodeState.WAITING,
    NodeState.APPLYING,
    NodeState.SETTLING,
    NodeState.OBSERVING,
)
"""States that are under way, the most urgent first."""


_ASKING: Final = frozenset(
    {NodeState.READY, NodeState.IN_DOUBT, NodeState.WAITING, NodeState.BLOCKED, NodeState.FAILED}
)


def wants_me(node: NodeView) -> bool:
    """Whether the operator should look here: a decision is due, a rule forbids, or something failed."""
    if node.state not in _ASKING:  # most nodes of a large run, at every redraw
        return False
    if node.handed and node.state is NodeState.WAITING:  # it is another team's turn
        return False
    return node.needs_operator or node.state in (NodeState.BLOCKED, NodeState.FAILED) or can_attest(node)


def can_attest(node: NodeView) -> bool:
    """Whether the operator's word can settle this node."""
    match node.state:
        case NodeState.WAITING:
            return bool(node.waiting and node.waiting["attest"])
        case NodeState.BLOCKED:
            return bool(node.blocked and node.blocked["attest"])
        case _:
            return False


def standing(states: Iterable[NodeState]) -> str:
    """``143 of 200 done, 1 blocked, 3 ready``. Skipped nodes count as done, and are named beside."""
    count = Counter(states)
    finished = sum(n for state, n in count.items() if state in FINISHED)
    skipped = f" ({count[NodeState.SKIPPED]} skipped)" if count[NodeState.SKIPPED] else ""
    told = [f"{finished} of {sum(count.values())} done{skipped}"]
    told += [f"{count[state]} {state.value.replace('_', ' ')}" for state in URGENT if count[state]]
    return ", ".join(told)


def title_of(view: RunView, step: str) -> str:
    """A step's title, with an ellipsis for what only its nodes can fill in."""
    title = next((str(s.get("title", "")) for s in view.book.get("steps", ()) if s["id"] == step), "")
    return " ".join(_EXPRESSION.sub("…", title).split()) or step


_EXPRESSION: Final = re.compile(r"\$\{[^}]*\}")


def by_step(nodes: Iterable[NodeView]) -> dict[str, list[NodeView]]:
    """Nodes under their steps, in the order in which they come."""
    found: dict[str, list[NodeView]] = {}
    for node in nodes:
        found.setdefault(node.doc["step"], []).append(node)
    return found
