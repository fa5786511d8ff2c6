"""Whether there is more to tell of a node than its pages do, and on which screen."""

from __future__ import annotations

from typing import Literal

from runbook.core.state import NodeState
from runbook.core.view import NodeView

Matter = Literal["waiting", "failure", ""]


def matter(node: NodeView) -> Matter:
    """The screen that tells all about what is the matter with a node; empty where nothing is."""
    if node.state is NodeState.WAITING and node.waiting:
        return "waiting"
    has_stopped = node.state in (NodeState.FAILED, NodeState.BLOCKED, NodeState.IN_DOUBT)
    return "failure" if has_stopped or node.error is not None else ""
