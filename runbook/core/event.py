"""What clients of the engine are told: a committed entry and the run as it stands after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runbook.core.clock import iso
from runbook.core.entry import Entry
from runbook.core.state import NodeState
from runbook.core.view import RunView


@dataclass(frozen=True, slots=True)
class Event:
    """A committed entry. ``before`` is the node's state before it; ``view`` holds at least this entry."""

    entry: Entry
    before: NodeState | None
    view: RunView

    def to_json(self) -> dict[str, Any]:
        """The form printed by ``--json``."""
        e = self.entry
        return {
            "seq": e.seq,
            "at": iso(e.at_ms),
            "node": e.node,
            "kind": e.kind,
            "from": self.before,
            "to": e.to if e.to is not None else self.before,
            "data": e.data,
        }
