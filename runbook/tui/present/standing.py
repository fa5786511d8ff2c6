"""How a whole run stands, counted once a view: a screen asks many times, and a run may have thousands of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present.words import AT_WORK, wants_me


@dataclass(frozen=True, slots=True)
class Standing:
    """Nodes in book order, by what they mean to whoever looks.

    Attributes:
        wanting: those that want the operator.
        ready: those that wait for a go.
        at_work: those where a call is out or Azure is at work.
        waiting: those that wait for somebody outside.
        throttled: those that ARM put off because there were too many calls.
        places: every node's id and its place.
    """

    wanting: tuple[NodeView, ...]
    ready: tuple[NodeView, ...]
    at_work: tuple[NodeView, ...]
    waiting: tuple[NodeView, ...]
    throttled: tuple[NodeView, ...]
    places: Mapping[str, int]


_known: tuple[RunView, Standing] | None = None


def standing(view: RunView) -> Standing:
    """Counted anew only when the view is another one."""
    global _known
    if _known is None or _known[0] is not view:
        _known = view, _count(view)
    return _known[1]


def _count(view: RunView) -> Standing:
    nodes = view.nodes.values()
    moving = [n for n in nodes if n.state not in _AT_REST]
    return Standing(
        wanting=tuple(n for n in moving if wants_me(n)),
        ready=tuple(n for n in moving if n.state is NodeState.READY and not n.is_approved),
        at_work=tuple(n for n in moving if n.state in AT_WORK),
        waiting=tuple(n for n in moving if n.state is NodeState.WAITING),
        throttled=tuple(n for n in nodes if n.error is not None and n.error.get("throttled")),
        places={id_: place for place, id_ in enumerate(view.nodes)},
    )


_AT_REST = frozenset({NodeState.PENDING, NodeState.DONE, NodeState.SKIPPED})


def next_for_me(view: RunView, after: str | None, near: str | None = None) -> str | None:
    """The id of the next node that wants the operator, in book order, round and round; not ``after`` itself.

    Nodes of the phase ``near`` come first: who works on one phase is not sent to another and back.
    """
    known = standing(view)
    start = known.places.get(after, -1) if after is not None else -1
    later = [n for n in known.wanting if known.places[n.id] > start]
    wanting = [n for n in (*later, *known.wanting[: len(known.wanting) - len(later)]) if n.id != after]
    return next((n.id for n in wanting if n.doc["phase"] == near), next((n.id for n in wanting), None))


def first_at_work(view: RunView) -> str | None:
    """The id of the first node where something moves by itself, waits included."""
    known = standing(view)
    return next((n.id for n in (*known.at_work, *known.waiting)), None)
