"""Fills an empty cloud from its scenario.

A type with a ``seeder`` is stored by it; another that has a PUT route is made through that route, in the past, with
its operation run to the end, so that addresses, records and connections come to be as they would have; what has
neither is stored as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from runbook.core.error import BookError
from runbook.sim import parties
from runbook.sim.routes import all_routes, type_of, versions_of
from runbook.sim.wire import ArmFault, Call, Json, obj

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

Seeder = Callable[["Cloud", Json], None]
_SEEDERS: dict[str, Seeder] = {}
Starter = Callable[["Cloud"], None]
_STARTERS: list[Starter] = []

HISTORY_MS = 120 * 86_400_000
"""How long before the start the first resource was made: older than the activity log reaches back."""


def seeder(kind: str) -> Callable[[Seeder], Seeder]:
    """Register how a scenario's body of this resource type is put into the state: ``seeder(cloud, body)``."""

    def register(function: Seeder) -> Seeder:
        _SEEDERS[kind.lower()] = function
        return function

    return register


def starter(function: Starter) -> Starter:
    """Register what a provider puts into an empty cloud before any resource."""
    _STARTERS.append(function)
    return function


def seed(cloud: Cloud) -> None:
    """Fill the cloud's empty state; its time ends up at the scenario's start.

    Raises:
        BookError: a resource of the scenario is refused.
    """
    start_ms = max(cloud.scenario.start_ms, cloud.now_ms)
    cloud.state.put("cloud", "scenario", cloud.scenario.doc)
    cloud.state.put("cloud", "start", {"at_ms": start_ms})
    cloud.is_seeding = True
    cloud.set_time(start_ms - HISTORY_MS)
    for function in _STARTERS:
        function(cloud)
    known = _writable()
    for body in cloud.scenario.every_resource():
        try:
            _make(cloud, body, known)
        except ArmFault as fault:
            raise BookError(f"scenario {cloud.scenario.id}: {body.get('id')}: {fault.message}") from fault
        while (next_ms := cloud.next_timer_ms) is not None:
            cloud.catch_up(next_ms)
    if cloud.now_ms > start_ms:
        raise BookError(f"scenario {cloud.scenario.id}: its resources take longer than the time before its start")
    cloud.set_time(start_ms)
    cloud.is_seeding = False
    parties.arrange(cloud)


def _writable() -> dict[str, str]:
    """Types that have a PUT route, in lower case, with the newest api-version that any route of theirs accepts."""
    kinds = {r.type for r in all_routes() if r.method == "PUT"}
    return {kind.lower(): versions_of(kind)[0] for kind in kinds}


def _make(cloud: Cloud, body: Json, known: Mapping[str, str]) -> None:
    from runbook.sim.cloud import PLATFORM

    resource_id = str(body.get("id", ""))
    kind = type_of(resource_id) if resource_id.startswith("/subscriptions/") else ""
    if not kind:
        raise BookError(f"scenario {cloud.scenario.id}: resources: {resource_id!r} is not a resource id")
    if kind.lower() in _SEEDERS:
        _SEEDERS[kind.lower()](cloud, body)
        return
    if kind.lower() in known:
        sent = {k: v for k, v in body.items() if k not in ("id", "name", "type")}
        reply = cloud.answer(Call("PUT", resource_id, {"api-version": known[kind.lower()]}, {}, sent), PLATFORM)
        if reply.status >= 400:
            error = obj(reply.body, "error")
            raise BookError(f"scenario {cloud.scenario.id}: {resource_id}: {error.get('code')}: {error.get('message')}")
        return
    cloud.save(named(body, kind))


def named(body: Json, kind: str) -> Json:
    """A body with ``name``, ``type`` and ``properties.provisioningState`` filled in where it has none."""
    properties = {"provisioningState": "Succeeded", **obj(body, "properties")}
    return {"name": str(body["id"]).rpartition("/")[2], "type": kind, **body, "properties": properties}
