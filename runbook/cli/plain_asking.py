"""What a node asks of a person in plain lines: the answers that fit, and what to know before giving one."""

from __future__ import annotations

from runbook.cli import pages
from runbook.core.state import NodeState
from runbook.core.view import NodeView


def asked_by(node: NodeView) -> tuple[object, ...]:
    """What tells one question from another: a node that looks again by itself and finds the same asks nothing new."""
    match node.state:
        case NodeState.READY:
            about: object = tuple(change["digest"] for change in node.changes)
        case NodeState.BLOCKED if node.blocked:
            about = node.blocked["rule"], node.blocked["message"]
        case NodeState.WAITING if node.waiting:
            about = node.waiting["who"], node.waiting["since_ms"]
        case _:
            about = node.since_ms
    return node.id, node.state, choices(node), about


def choices(node: NodeView) -> tuple[str, ...]:
    """What a person can answer to a node; none when it asks nothing."""
    match node.state:
        case NodeState.READY if not node.is_approved:
            return ("approve", "skip", "retry")
        case NodeState.IN_DOUBT if node.needs_operator:
            return ("retry", "skip")
        case NodeState.WAITING if node.waiting and node.waiting["attest"]:
            return ("attest", "retry", "skip")
        case NodeState.WAITING if node.needs_operator:
            return ("retry", "skip")
        case NodeState.BLOCKED if node.blocked and node.blocked["attest"]:
            return ("retry", "attest", "skip")
        case NodeState.BLOCKED | NodeState.FAILED:
            return ("retry", "skip")
        case _:
            return ()


def question_lines(node: NodeView) -> list[str]:
    """What to know before answering: the changes with their commands, the wait or the rule."""
    lines = ["", f"{node.doc['title']} ({node.state.value})"]
    if node.state is NodeState.READY:
        for change in node.changes:
            risk = " (disruptive)" if change["risk"] == "disruptive" else ""
            lines += [f"  {change['title']}{risk}"]
            lines += [f"    {row}" for diff in change["diff"] for row in pages.spoken(diff)]
            lines += [f"    $ {change['command']['az']}"]
            lines += [f"    to undo: {row}" for row in change["command"].get("undo", "").splitlines()]
    if node.waiting and node.state is NodeState.WAITING:
        wait = node.waiting
        lines += [f"  Waits for {wait['who']}. {wait['message']}", f"  Then: {wait['then']}"]
        lines += ["  It looks again by itself: later is enough."] if wait["next_poll_ms"] is not None else []
        lines += [f"  | {line}" for line in wait["draft"].splitlines()]
        lines += [f"  You could vouch: {wait['attest']}"] if wait["attest"] else []
    if node.blocked and node.state is NodeState.BLOCKED:
        lines += [f"  {node.blocked['rule']}: {node.blocked['message']}"]
        lines += [f"  - {way}" for way in node.blocked["ways_out"]]
        lines += [f"  You could vouch: {node.blocked['attest']}"] if node.blocked["attest"] else []
    if node.error and node.state in (NodeState.FAILED, NodeState.IN_DOUBT):
        lines += [f"  {node.error['code']}: {node.error['message']}", f"  {node.error['hint']}"]
    lines += [
        f"  not met: {c['name']}: expected {c['expected']}, found {c['observed']}" for c in node.checks if not c["ok"]
    ]
    return lines
