"""The book that takes a run back, made from what that run did: the steps of the run's own book, last first.

Invariant: what a step made goes only when everything that steps behind it made is gone, or was left on purpose. Locks
go first of all: they forbid the removal of what they protect, and of what leads to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from runbook.book.graph import before
from runbook.book.model import Book
from runbook.core.ids import digest
from runbook.core.undo import Stays, Takeback, Undo

Json = dict[str, Any]

STAYS: Final = "stays"
"""The phase, and the step, of what cannot be taken back."""

_GUIDE: Final = {
    "why": "The run that is taken back made or changed this, and the look before said what stood there.",
    "what": "It is looked at first. What is gone already, is as it was, was changed by somebody else since, or is used "
    "by others is left alone, and said.",
    "risk": "Names, endpoints and access that machines use by now go away with it.",
}


def reverse_book(book: Book, run: str, undo: Undo, *, foresees: bool = False) -> Json:
    """The JSON form of the book.

    Args:
        book: that of the run that is taken back.
        run: the run's id.
        undo: what it did.
        foresees: for a plan: what is to be taken back first counts as gone.
    """
    place = {step: number for number, step in enumerate(before(book))}  # each behind those it needs
    titles = {p.id: p.title for p in book.phases}
    groups: dict[tuple[int, int, bool], list[Takeback]] = {}
    for back in undo.takebacks:
        first = len(place) if "/locks/" in back.path.lower() else place.get(back.last.step, len(place))
        at = (first, back.last.number, back.how != "remake")
        groups.setdefault(at, []).append(back)
    ours = [{"path": b.path, "api_version": b.api_version} for b in undo.takebacks]
    steps: list[Json] = []
    phases: dict[str, Json] = {}
    for at in sorted(groups, reverse=True):
        backs, number, is_remade = groups[at], at[1], not at[2]
        spec = book.step(backs[0].last.step) if book.has_step(backs[0].last.step) else None
        phase = spec.phase if spec else "others"
        phases.setdefault(phase, {"id": phase, "title": f"Take back: {titles.get(phase, 'what else was done')}"})
        name = f"undo_{backs[0].last.step}"[:48] + (f"_{number + 1}" if number else "")
        name += "_before" if is_remade else ""
        steps.append(
            {
                "id": name,
                "title": "${item.title}",
                "phase": phase,
                "uses": "undo.takeback",
                "for_each": _literal([_item(back, ours) for back in backs]),
                "key": "${item.key}",
                "target": "${item.path}",
                "needs": [{"step": steps[-1]["id"], "all": True}] if steps else [],
                "with": {**{given: f"${{item.{given}}}" for given in _GIVEN}, "foresees": foresees},
                "guide": _GUIDE,
                "source": spec.source if spec else "",
            }
        )
    if undo.stays:
        phases[STAYS] = {"id": STAYS, "title": "What stays"}
        steps.append(_stays(undo.stays))
    count = f"{len(undo.takebacks)} to take back, {len(undo.stays)} that stay"
    return {
        "id": f"undo-{book.id}"[:64],
        "version": book.version,
        "title": f"Take back run {run}: {book.title}",
        "summary": f"What run {run} made or changed, and only that, in reverse order: {count}.",
        "duration": "Minutes.",
        "phases": list(phases.values()) or [{"id": STAYS, "title": "What stays"}],
        "steps": steps or [_stays((Stays("", "Nothing", "The run changed nothing."),))],
    }


_GIVEN: Final = ("how", "path", "api_version", "title", "method", "risk", "body", "fields", "locks", "ours")
_WITH_KIN: Final = (
    "/resourcegroups/",
    "/privatednszones/",
    "/privatelinkscopes/",
    "/workspaces/",
    "/privateendpoints/",
    "/locks/",
)
"""Things that others may use, too: what of that is this run's own must be known, to tell them apart."""


def _item(back: Takeback, ours: Sequence[Mapping[str, str]]) -> Json:
    change, path = back.last.change, back.path
    parent, _, name = path.rstrip("/").rpartition("/")
    is_shared = back.how == "remove" and f"/{parent.rpartition('/')[2]}/".lower() in _WITH_KIN
    if is_shared and "/privateendpoints/" in path.lower():
        is_shared = _is_global(back.body)  # an estate has hundreds of others
    title = f"Make again: {path.split('/')[-1]} in {path.split('/')[-3]}"
    return {
        "key": f"{parent.rpartition('/')[2]}/{name}/{digest(path.lower(), 6)}",
        "how": back.how,
        "path": path,
        "api_version": back.api_version,
        "title": title if back.how == "remake" else f"Undo: {change['title']}",
        "method": change["method"],
        "risk": change["risk"],
        "body": back.body,
        "fields": [dict(f) for f in back.fields],
        "locks": list(change["locks"]),
        "ours": [dict(o) for o in ours if o["path"].lower() != path.lower()] if is_shared else [],
    }


def _is_global(body: Mapping[str, Any]) -> bool:
    """Whether an endpoint was made for feed discovery, which all others need."""
    at = body.get("properties", {})
    links = [*at.get("privateLinkServiceConnections", ()), *at.get("manualPrivateLinkServiceConnections", ())]
    return any("global" in map(str.lower, link["properties"].get("groupIds", ())) for link in links)


def _stays(stays: Sequence[Stays]) -> Json:
    items = [{"key": f"{s.node}/{digest(s.title + s.reason, 6)}", "title": s.title, "reason": s.reason} for s in stays]
    return {
        "id": STAYS,
        "title": "${item.title}",
        "phase": STAYS,
        "uses": "undo.stays",
        "for_each": _literal(items),
        "key": "${item.key}",
        "with": {"reason": "${item.reason}"},
        "guide": {"why": "This cannot be taken back; the node says why. Nothing is changed here."},
    }


def _literal(items: list[Json]) -> Any:
    """A list in which nothing is taken for a reference."""
    return json.loads(json.dumps(items).replace("${", "$${"))
