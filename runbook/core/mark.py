"""An entry without what it carries: enough to say when each node stood where, at a hundredth of the cost."""

from __future__ import annotations

from typing import NamedTuple

from runbook.core.entry import Entry, Kind
from runbook.core.state import NodeState


class Mark(NamedTuple):
    """One entry in brief."""

    seq: int
    at_ms: int
    kind: Kind
    node: str | None
    to: NodeState | None
    who: str
    """Whom the node waits for from here on; empty when it does not wait."""
    asks: bool
    """Whether the node stands where only a person gets it further."""


_ASKING = frozenset({NodeState.READY, NodeState.BLOCKED, NodeState.FAILED})


def mark_of(entry: Entry) -> Mark:
    """The mark of a whole entry; the journal makes the same of a row."""
    wait = (entry.data.get("waiting") or {}) if entry.to is NodeState.WAITING else {}
    match entry.to:
        case NodeState.WAITING:
            asks = bool(wait.get("attest")) or wait.get("next_poll_ms") is None
        case NodeState.IN_DOUBT:
            asks = entry.kind is Kind.OBSERVED and entry.data.get("due_ms") is None  # else a look follows at once
        case state:
            asks = state in _ASKING
    return Mark(entry.seq, entry.at_ms, entry.kind, entry.node, entry.to, str(wait.get("who") or ""), asks)


def mark_from(
    seq: int, at_ms: int, kind: str, node: str | None, state: str | None, who: str | None, asks: object
) -> Mark:
    """The mark of a row.

    Raises:
        ValueError: no such kind or state.
    """
    to = None if state is None else NodeState(state)
    return Mark(seq, at_ms, Kind(kind), node, to, who or "", bool(asks) or to in _ASKING)
