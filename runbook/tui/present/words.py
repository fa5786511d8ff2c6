"""A state in a glyph, a word and a role; which nodes wait for the operator."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, assert_never

from runbook.core.state import GLYPHS, NodeState, RunState
from runbook.core.tally import URGENT
from runbook.core.tally import can_attest as can_attest
from runbook.core.tally import wants_me as wants_me
from runbook.core.view import NodeView
from runbook.tui.present.text import one_line


def word(node: NodeView) -> str:
    """The state in a word of at most nine letters."""
    match node.state:
        case NodeState.OBSERVING:
            return "verifying" if node.applied else "observing"
        case NodeState.READY:
            return "approved" if node.is_approved else "ready"
        case NodeState.IN_DOUBT:
            return "in doubt"
        case _:
            return str(node.state)


def glyph(node: NodeView) -> str:
    return GLYPHS[node.state]


def glyph_of(state: NodeState) -> str:
    """The sign of a group whose most urgent state this is."""
    return GLYPHS[state]


def role(state: NodeState) -> str:
    """The role whose style a state is drawn in."""
    match state:
        case NodeState.PENDING | NodeState.SKIPPED:
            return "muted"
        case NodeState.OBSERVING | NodeState.APPLYING | NodeState.SETTLING:
            return "busy"
        case NodeState.READY:
            return "go"
        case NodeState.WAITING | NodeState.IN_DOUBT:
            return "wait"
        case NodeState.BLOCKED | NodeState.FAILED:
            return "bad"
        case NodeState.DONE:
            return "ok"
        case _:
            assert_never(state)


RUN_WORDS: Final[dict[RunState, str]] = {
    RunState.ACTIVE: "at work",
    RunState.WAITING: "waiting",
    RunState.NEEDS_OPERATOR: "needs you",
    RunState.FAILED: "a node failed",
    RunState.BLOCKED: "blocked",
    RunState.DONE: "done",
    RunState.ABORTED: "aborted",
}

RUN_ROLES: Final[dict[RunState, str]] = {
    RunState.ACTIVE: "busy",
    RunState.WAITING: "wait",
    RunState.NEEDS_OPERATOR: "go",
    RunState.FAILED: "bad",
    RunState.BLOCKED: "bad",
    RunState.DONE: "ok",
    RunState.ABORTED: "bad",
}

AT_WORK: Final = frozenset({NodeState.OBSERVING, NodeState.APPLYING, NodeState.SETTLING})

_URGENCY: Final = (*URGENT, NodeState.PENDING, NodeState.DONE, NodeState.SKIPPED)


def most_urgent(states: Iterable[NodeState]) -> NodeState:
    """The state that a group of nodes shows; pending for an empty group."""
    return min(states, key=urgency, default=NodeState.PENDING)


def urgency(state: NodeState) -> int:
    """The smaller, the sooner it wants to be looked at."""
    return _URGENCY.index(state)


def can_say(node: NodeView) -> bool:
    """Whether the node takes a word of the operator now, be it one that does not settle it."""
    doc = node.waiting if node.state is NodeState.WAITING else node.blocked if node.state is NodeState.BLOCKED else None
    return can_attest(node) or bool(doc and doc.get("words"))


_SINCE: Final = re.compile(r"T(\d\d:\d\d):\d\d(?:\.\d+)?Z")


def driven_by(driver: str, by: str = "driven by ") -> str:
    """``driven by anna on host-7 (process 4711) since 2026-11-20 08:00Z``, or that nobody drives."""
    return by + to_minute(driver) if is_driven(driver) else "nobody drives it now"


def to_minute(text: str) -> str:
    """A text whose times say no more than the minute: ``2026-11-20 08:00Z``."""
    return _SINCE.sub(r" \1Z", one_line(text))


def is_driven(driver: str) -> bool:
    """Whether these words name somebody."""
    return bool(driver.strip()) and not driver.startswith("nobody")
