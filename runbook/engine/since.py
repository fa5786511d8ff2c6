"""Since when something is otherwise, and who did it: from the activity log of Azure, where it may be read.

Invariant: at most ``MOST`` nodes are asked about in one report, and what cannot be read is not known, never guessed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.arm import Reading
from runbook.core.clock import from_iso, iso
from runbook.core.error import ArmError
from runbook.core.ids import subscription_of
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.engine.recheck import Recheck

LOG_VERSION: Final = "2015-04-01"
LOG_DAYS: Final = 89
"""The log reaches back 90 days. Source: Azure Monitor activity log REST API 2015-04-01 (checked 2026-11)."""
MOST: Final = 20
_SETTLED: Final = ("succeeded", "accepted", "started")
_WRITES: Final = ("/write", "/delete", "/action")


@dataclass(frozen=True, slots=True)
class Since:
    """One write that somebody made. ``operation`` is Azure's name for it."""

    at_ms: int
    who: str
    operation: str
    resource: str


async def since_of(checked: Iterable[Recheck], view: RunView, arm: Reading, now_ms: int) -> Mapping[str, Since]:
    """The newest write at each thing that drifted, after the run was through with it, by node.

    Args:
        checked: what became of the run's nodes.
        view: the run.
        arm: to read the log with.
        now_ms: the log is asked up to this moment.
    """
    drifted = [c for c in checked if c.outcome == "drift" and _resources(c)][:MOST]
    found = await asyncio.gather(*(_since(c, view, arm, now_ms) for c in drifted))
    return {c.node.id: since for c, since in zip(drifted, found, strict=True) if since is not None}


def _resources(recheck: Recheck) -> list[str]:
    """What to ask about: where the run would write again, else the node's target."""
    node = recheck.node
    paths = [c["path"] for c in node.changes if c["method"] != "POST"] or [node.doc["target"]]
    return list(dict.fromkeys(p for p in paths[:3] if "/providers/" in p and subscription_of(p)))


async def _since(recheck: Recheck, view: RunView, arm: Reading, now_ms: int) -> Since | None:
    done = view.nodes[recheck.node.id]
    left_ms = done.since_ms if done.state is NodeState.DONE else view.created_ms
    from_ms = max(left_ms, now_ms - LOG_DAYS * 86_400_000)
    every: list[Since] = []
    for resource in _resources(recheck):
        clause = f"eventTimestamp ge '{iso(from_ms)}' and eventTimestamp le '{iso(now_ms)}' and resourceUri eq "
        path = f"/subscriptions/{subscription_of(resource)}/providers/Microsoft.Insights/eventtypes/management/values"
        try:
            events = await arm.list(path, LOG_VERSION, **{"$filter": f"{clause}'{resource}'"})
        except ArmError:
            continue  # no right to read it, or no log: then it is not known
        every += [since for event in events if (since := _write(event)) is not None]
    return max(every, key=lambda s: s.at_ms, default=None)


def _write(event: Mapping[str, Any]) -> Since | None:
    operation, status = _value(event.get("operationName")), _value(event.get("status"))
    if not operation.lower().endswith(_WRITES) or status.lower() not in _SETTLED:
        return None
    try:
        at_ms = from_iso(str(event.get("eventTimestamp", "")))
    except (ValueError, OverflowError):
        return None
    return Since(at_ms, str(event.get("caller") or "somebody"), operation, str(event.get("resourceId") or ""))


def _value(words: Any) -> str:
    return str(words.get("value") or "") if isinstance(words, Mapping) else str(words or "")
