"""What happened in a run since somebody last looked: a pure function of the entries since then.

It tells what a person wants to know first, a line for each kind of news; what only shows that the run is alive (looks,
polls) is no news. No news gives no lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from runbook.core.clock import duration
from runbook.core.entry import Entry, Kind
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView

MOST: Final = 5
"""So many of a kind are named; the rest is counted."""

_STOPPED: Final = {NodeState.FAILED: "Failed", NodeState.BLOCKED: "Blocked", NodeState.IN_DOUBT: "In doubt"}


def since(view: RunView, entries: Iterable[Entry]) -> list[str]:
    """The news, most pressing first.

    Args:
        view: the run as it stands now.
        entries: those since the last look, in order.
    """
    news = list(entries)
    if not news:
        return []
    moved = {e.node: e for e in news if e.node in view.nodes and e.to is not None}
    nodes = [view.nodes[name] for name in moved if name is not None]
    told: list[str] = []
    for state, title in _STOPPED.items():
        told += _line(title, [_why(n) for n in nodes if n.state is state])
    told += _line("Needs you", [n.doc["title"] for n in nodes if n.state is NodeState.READY and not n.is_approved])
    told += _line("Done", [n.doc["title"] for n in nodes if n.state is NodeState.DONE])
    told += _line("Waits ended", _ended(nodes, news[0].at_ms))
    told += _line("Waits now for", [_wait(n) for n in nodes if n.state is NodeState.WAITING and n.waiting])
    for kind, title, say in _SAID:
        told += _line(title, list(dict.fromkeys(say(e.data, _of(view, e)) for e in news if e.kind is kind)))
    told += _line("Left out", [f"{_of(view, e)}: {e.data['reason']}" for e in news if _is_left_out(e)])
    return told


def _line(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    named = "; ".join(" ".join(item.split()) for item in items[:MOST])
    more = f"; and {len(items) - MOST} more" if len(items) > MOST else ""
    return [f"{title} ({len(items)}): {named}{more}"]


def _of(view: RunView, entry: Entry) -> str:
    node = view.nodes.get(entry.node or "")
    return node.doc["title"] if node else entry.node or ""


def _is_left_out(entry: Entry) -> bool:
    return entry.kind is Kind.SKIPPED and entry.data.get("by") == "operator"


def _why(node: NodeView) -> str:
    if node.blocked:
        return f"{node.doc['title']} ({node.blocked['rule']})"
    return f"{node.doc['title']} ({node.error['code']})" if node.error else node.doc["title"]


def _wait(node: NodeView) -> str:
    return f"{node.waiting['who']}: {node.doc['title']}" if node.waiting else node.doc["title"]


def _ended(nodes: list[NodeView], from_ms: int) -> list[str]:
    return [
        f"{w['who']}, after {duration((w['until_ms'] - w['since_ms']) / 1000)}: {n.doc['title']}"
        for n in nodes
        for w in n.waited
        if w["until_ms"] >= from_ms
    ]


def _by(data: dict[str, Any]) -> str:
    return str(data.get("by") or "the operator")


_SAID: Final[tuple[tuple[Kind, str, Callable[[dict[str, Any], str], str]], ...]] = (
    (Kind.APPROVED, "Approved", lambda d, title: f"{title} by {_by(d)}"),
    (Kind.ATTESTED, "Vouched for", lambda d, title: f"{title} by {_by(d)}: “{d['text']}”"),
    (Kind.HANDED, "Handed over", lambda d, title: f"{title} to {d['to']} by {_by(d)}"),
    (Kind.NOTED, "Notes", lambda d, _: f"{d.get('text', '')}{' (' + str(d['by']) + ')' if d.get('by') else ''}"),
    (Kind.PAUSED, "Paused", lambda _, __: "nothing new starts"),
    (Kind.ABORTED, "Aborted", lambda d, _: str(d.get("reason", ""))),
    (Kind.MIGRATED, "Another book", lambda d, _: str(d.get("text", ""))),
)
"""What somebody said or decided, and in which words it is told."""
