"""Which rights a write needs, told from its method, path and body alone, and which rights a run was found to lack.

A node's outputs may hold ``lacking``: ``[{"action", "scope", "to", "by"}]``, rights that the account of the run lacks
and the team that does what needs them.

Source: "Azure resource provider operations" and "Understand Azure role definitions", Microsoft Learn: an operation is
named ``{namespace}/{types}/{write|delete}``, or ``{namespace}/{types}/{name}/action`` for a POST. A write that
names another resource in its body may ask for an action there, too, such as ``…/virtualNetworks/join/action``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypedDict

from runbook.core.view import RunView

LACKING: Final = "lacking"
"""The output that tells of them."""


class LackDoc(TypedDict):
    """One right that is missing, and who does what needs it."""

    action: str
    scope: str
    to: str
    by: str


def action_of(method: str, path: str) -> str:
    """The operation that a write asks the right for; empty where its path is none of Azure's usual ones."""
    parts = [p for p in path.partition("?")[0].split("/") if p]
    lowered = [p.lower() for p in parts]
    places = [number for number, part in enumerate(lowered) if part == "providers" and number + 1 < len(parts)]
    if not places:
        is_group = len(parts) == 4 and lowered[0] == "subscriptions" and lowered[2] == "resourcegroups"
        return f"Microsoft.Resources/subscriptions/resourceGroups/{_verb(method)}" if is_group else ""
    # The last provider is whose resource it is, except where "providers" is a type of its own (Microsoft.Features).
    at = next((n for n in places if lowered[n + 1] == "microsoft.features"), places[-1])
    namespace, rest = parts[at + 1], parts[at + 2 :]
    if method.upper() == "POST":
        if not rest:
            return ""
        return "/".join([namespace, *rest[:-1:2], rest[-1], "action"])
    return "/".join([namespace, *rest[::2], _verb(method)]) if rest else ""


def _verb(method: str) -> str:
    return "delete" if method.upper() == "DELETE" else "write"


def lacks(view: RunView, method: str, path: str, body: Any = None) -> LackDoc | None:
    """The right that a write needs and that the run was found to lack; None where none is known to be missing."""
    found = [lack for node in view.nodes.values() for lack in node.outputs.get(LACKING, ())]
    if not found:
        return None
    asked = [(action_of(method, path).lower(), path.lower())]
    named = [(action_of("PUT", id_).lower().removesuffix("/write"), id_.lower()) for id_ in _ids(body)]
    for lack in found:
        wanted, scope = lack["action"].lower(), lack["scope"].lower().rstrip("/")
        on_named = wanted.rpartition("/")[0].rpartition("/")[0] if wanted.endswith("/action") else None
        if any(
            f"{place.rstrip('/')}/".startswith(f"{scope}/")
            for action, place in [
                *((a, p) for a, p in asked if a == wanted),
                *((a, p) for a, p in named if a == on_named),
            ]
        ):
            return LackDoc(action=lack["action"], scope=lack["scope"], to=lack["to"], by=lack["by"])
    return None


def _ids(value: Any) -> Iterator[str]:
    """Every resource id in a body."""
    if isinstance(value, str) and value.lower().startswith("/subscriptions/"):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _ids(part)
