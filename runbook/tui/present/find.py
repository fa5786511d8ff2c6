"""Finding nodes by what a person remembers of them: a part of a name, of an id, or a state's word."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.core.view import NodeView, RunView
from runbook.tui.present.words import word


def matches(view: RunView, asked: str) -> list[str]:
    """The ids of the nodes that every word of ``asked`` fits, in book order; none where nothing is asked."""
    words = asked.lower().split()
    return [n.id for n in view.nodes.values() if _fits(n, words)] if words else []


def _fits(node: NodeView, words: Sequence[str]) -> bool:
    text = f"{node.id} {node.doc['title']} {word(node)}".lower()
    return all(w in text for w in words)


def from_here(view: RunView, found: Sequence[str], at: str | None, *, is_next: bool) -> str | None:
    """The first of the found at or after a node, or the next one after it; round and round.

    Args:
        view: the run.
        found: ids, in book order.
        at: where to begin; None for the top.
        is_next: leave ``at`` itself out.
    """
    if not found:
        return None
    if at is not None and at in found:
        return found[(found.index(at) + is_next) % len(found)]
    ids = list(view.nodes)
    start = ids.index(at) if at is not None and at in view.nodes else 0
    places = {id_: place for place, id_ in enumerate(ids)}
    return next((id_ for id_ in found if places[id_] >= start), found[0])
