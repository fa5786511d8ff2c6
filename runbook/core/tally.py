"""How many nodes stand how, in words; and from how many on a person is better told the number than the names."""

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
