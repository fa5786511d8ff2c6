"""Rights that a planned estate needs, summed up by resource group so that they are asked for a few times only.

Source: "Azure role-based access control for private endpoints", Microsoft Learn, 2026-03-30. The exact names of the two
actions that approve a connection follow its general pattern and are (unconfirmed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from steps._shared.planned import Planned
from steps.avd._names import ENABLED, GOALS, NAMESPACE
from steps.avd._placing import Wish
from steps.avd._stock import Thing

ASKED: Final = "its owner is asked for approval, and the run waits for it"


def demands(
    wish: Wish, endpoints: Sequence[Planned], groups: Sequence[Mapping[str, str]], edition: str
) -> list[dict[str, Any]]:
    """Demands as ``context.rights`` takes them under ``more``, in the order in which they are needed."""
    found = [
        _demand(
            "Microsoft.Resources/subscriptions/resourceGroups/write",
            f"/subscriptions/{g['subscription']}/resourceGroups/{g['name']}",
            f"Create resource group {g['name']}",
        )
        for g in groups
    ]
    for group, names in _by_group(endpoints).items():
        found.append(_demand("Microsoft.Network/privateEndpoints/write", group, "Create the endpoints", names))
    for subnet in dict.fromkeys(e.subnet for e in endpoints):
        action = "Microsoft.Network/virtualNetworks/subnets/join/action"
        found.append(_demand(action, subnet, "Put endpoints into the subnet"))
    found += _approvals(wish, edition)
    found += _writes(wish)
    return found


def _by_group(endpoints: Sequence[Planned]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for e in endpoints:
        found[f"/subscriptions/{e.subscription}/resourceGroups/{e.resource_group}"].append(e.endpoint_name)
    return found


def _approvals(wish: Wish, edition: str) -> list[dict[str, Any]]:
    """Approving a connection on its target. The preview knows no manual approval, so there it cannot do without."""
    otherwise = "" if edition == "preview" else ASKED
    kinds = {
        f"{NAMESPACE}/hostpools": [t for g, t in wish.wanted if g == "connection"],
        f"{NAMESPACE}/workspaces": [t for g, t in wish.wanted if g != "connection"],
    }
    return [
        _demand(f"{kind}/privateEndpointConnectionsApproval/action", place, "Connect the endpoints", (), otherwise)
        for kind, things in kinds.items()
        for place in _places(things)
    ]


def _writes(wish: Wish) -> list[dict[str, Any]]:
    goal = GOALS[wish.target]
    found = []
    if wish.placeholder is not None and not wish.placeholder.location:
        action = f"{NAMESPACE}/workspaces/write"
        names = [wish.placeholder.name]
        found.append(_demand(action, wish.placeholder.place, "Create the placeholder workspace", names))
    rows = (("hostpools", wish.pools, goal.host_pool_access), ("workspaces", wish.spaces, goal.workspace_access))
    for plural, things, wanted in rows:
        # What is open is left alone where nothing is to be closed.
        touched = [t for t in things if wanted != ENABLED or t.access != wanted]
        for place, inside in _places(touched).items():
            names = [t.name for t in inside]
            found.append(_demand(f"{NAMESPACE}/{plural}/write", place, "Set the public access", names))
    if goal.has_connections:
        action = f"{NAMESPACE}/hostpools/sessionhosts/write"
        found += [_demand(action, place, "Keep new sessions off a restarting host") for place in _places(wish.pools)]
    return found


def _places(things: Sequence[Thing]) -> dict[str, list[Thing]]:
    """Things by resource group, in order; ids of one group may differ in letter case."""
    spelled: dict[str, str] = {}
    found: dict[str, list[Thing]] = defaultdict(list)
    for thing in things:
        found[spelled.setdefault(thing.place.lower(), thing.place)].append(thing)
    return found


def _demand(action: str, scope: str, purpose: str, names: Sequence[str] = (), otherwise: str = "") -> dict[str, Any]:
    return {
        "action": action,
        "scope": scope,
        "purpose": purpose,
        "names": list(names),
        "otherwise": otherwise,
    }
