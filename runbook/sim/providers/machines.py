"""Microsoft.HybridCompute machines and their association with a private link scope.

Invariant: the association is answered at once but takes effect later, up to 15 minutes; until then the machine's own
view (``privateLinkScopes/current``) shows what applied before.

Source: Microsoft.HybridCompute OpenAPI 2022-12-27 (machines); "Use Azure Private Link to connect servers to Azure
Arc", learn.microsoft.com ("up to 15 minutes"). The error codes of a refused association are not published: ours.
"""

from __future__ import annotations

from typing import Final

from runbook.core.clock import iso
from runbook.sim import operations
from runbook.sim.cloud import Cloud, Place
from runbook.sim.hooks import effect, on
from runbook.sim.parties import merged
from runbook.sim.providers.authorization import check_linked
from runbook.sim.providers.hybridcompute import HYBRID, SCOPE, validation
from runbook.sim.providers.resources import check_location
from runbook.sim.routes import GROUP, SUBSCRIPTION, route
from runbook.sim.seeding import seeder
from runbook.sim.wire import ArmFault, Call, Json, Reply, bad_request, json_body, obj, tags_of, text

MACHINE: Final = "Microsoft.HybridCompute/machines"
_HOME: Final = "/providers/" + MACHINE
_ONE: Final = GROUP + _HOME + "/{name}"
_TABLE: Final = "associations"
_DELETES_LATER: Final = "2026-07-15"
"""From here on a deletion is an operation. Source: azure-mgmt-hybridcompute 10.0.0, which speaks this version and takes
202 and 204 alone; the OpenAPI of 2022-12-27 has 200 and 204. Which version in between changed it is unconfirmed."""


@seeder(MACHINE)
def _seed(cloud: Cloud, body: Json) -> None:
    machine = _filled(cloud, body)
    cloud.save(machine)
    scope_id = text(machine, "properties", "privateLinkScopeResourceId")
    if scope_id:
        cloud.state.put(_TABLE, machine["id"].lower(), {"turn": 0, "effective": scope_id})


def _filled(cloud: Cloud, body: Json) -> Json:
    """A machine with everything that its agent would have reported."""
    resource_id, properties = str(body["id"]), obj(body, "properties")
    name = resource_id.rpartition("/")[2]
    guid = cloud.resource_guid(resource_id, "vm")
    return {
        "type": MACHINE,
        "tags": {},
        **body,
        "id": resource_id,
        "name": name,
        "location": check_location(cloud, body, MACHINE),
        "identity": {
            "type": "SystemAssigned",
            "principalId": cloud.resource_guid(resource_id, "principal"),
            "tenantId": cloud.scenario.tenant.id,
        },
        "properties": {
            "provisioningState": "Succeeded",
            "status": "Connected",
            "agentVersion": "1.4.21062.003",
            "displayName": name,
            "machineFqdn": f"{name}.{cloud.scenario.tenant.domain}",
            "osName": "windows",
            "osType": "windows",
            "vmId": guid,
            "vmUuid": guid,
            "lastStatusChange": iso(cloud.now_ms),
            **properties,
        },
    }


@route("GET", _ONE, versions=HYBRID)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, cloud.need(place.id))


@route("GET", GROUP + _HOME, versions=HYBRID)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(MACHINE, place.group_id))


@route("GET", SUBSCRIPTION + _HOME, versions=HYBRID)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(MACHINE, f"/subscriptions/{place.sub}"))


@route("PUT", _ONE, versions=HYBRID)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.find(place.id)
    writable: Json = {k: v for k, v in body.items() if k in ("location", "tags")}
    wanted = text(body, "properties", "privateLinkScopeResourceId")
    if existing is None:
        machine = _filled(cloud, {**writable, "id": place.id, "properties": {"status": "Disconnected"}})
    else:
        check_location(cloud, body, MACHINE)
        machine = merged(existing, {"tags": tags_of(writable)})
    _associate(cloud, place, machine, wanted)
    return Reply(200, {}, machine)


@route("PATCH", _ONE, versions=HYBRID)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    machine = cloud.need(place.id)
    if "tags" in body:
        machine["tags"] = tags_of(body)
    properties = obj(body, "properties")
    wanted = text(machine, "properties", "privateLinkScopeResourceId")
    if "privateLinkScopeResourceId" in properties:
        wanted = text(properties, "privateLinkScopeResourceId")
    _associate(cloud, place, machine, wanted)
    return Reply(200, {}, machine)


def _associate(cloud: Cloud, place: Place, machine: Json, scope_id: str) -> None:
    """Store a machine with the scope it is to be in; an empty id takes it out."""
    before = text(machine, "properties", "privateLinkScopeResourceId")
    if scope_id and scope_id.lower() != before.lower():
        _check(cloud, place, machine, scope_id)
    machine["properties"] = {**machine["properties"], "privateLinkScopeResourceId": scope_id}
    if not scope_id:
        del machine["properties"]["privateLinkScopeResourceId"]
    cloud.save(machine)
    if scope_id.lower() == before.lower():
        return
    key = machine["id"].lower()
    row = cloud.state.get(_TABLE, key) or {"turn": 0, "effective": ""}
    row["turn"] += 1
    cloud.state.put(_TABLE, key, row)
    args = {"machine": key, "scope": scope_id, "turn": row["turn"]}
    cloud.later(cloud.now_ms + cloud.takes_ms("association"), "machine.associated", args)


def _check(cloud: Cloud, place: Place, machine: Json, scope_id: str) -> None:
    scope = cloud.find(scope_id)
    if scope is None or scope["type"] != SCOPE:
        raise bad_request(f"The private link scope '{scope_id}' does not exist.", "InvalidPrivateLinkScope")
    check_linked(cloud, place, SCOPE + "/read", scope_id)
    if scope["location"] != machine["location"]:
        raise bad_request(
            f"The machine '{machine['name']}' in '{machine['location']}' cannot be in the private link scope "
            f"'{scope['name']}' in '{scope['location']}': both must be in one region.",
            "PrivateLinkScopeLocationMismatch",
        )
    if cloud.scenario.era == "preview" and scope_id.lower().split("/")[2] != place.sub.lower():
        raise bad_request(
            f"The machine '{machine['name']}' and the scope '{scope['name']}' must be in one subscription.",
            "PrivateLinkScopeSubscriptionMismatch",
        )


@effect("machine.associated")
def _associated(cloud: Cloud, args: Json) -> None:
    row = cloud.state.get(_TABLE, args["machine"])
    if row is not None and row["turn"] == args["turn"]:
        cloud.state.put(_TABLE, args["machine"], {**row, "effective": args["scope"]})


def effective_scope(cloud: Cloud, machine_id: str) -> str:
    """Id of the scope that a machine is in by now; empty when in none."""
    row = cloud.state.get(_TABLE, machine_id.lower())
    return "" if row is None else str(row["effective"])


@route("GET", _ONE + "/privateLinkScopes/current", versions=HYBRID, kind=MACHINE + "/privateLinkScopes")
def _validate(cloud: Cloud, call: Call, place: Place) -> Reply:
    machine_id = place.id.rsplit("/", 2)[0]
    cloud.need(machine_id)
    scope_id = effective_scope(cloud, machine_id)
    scope = cloud.find(scope_id) if scope_id else None
    if scope is None:
        message = f"The machine '{place['name']}' is not in a private link scope."
        raise ArmFault(404, "NotFound", message)
    return Reply(200, {}, validation(cloud, scope))


@route("DELETE", _ONE, versions=HYBRID)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    machine = cloud.find(place.id)
    if machine is None:
        return Reply(204)
    if call.query["api-version"] < _DELETES_LATER:
        _gone(cloud, {"id": place.id})
        return Reply(200)
    started = operations.begin(
        cloud,
        place,
        operations.HYBRID_STYLE,
        "DELETE",
        takes_ms=cloud.takes_ms("scope_delete"),
        effect="hybridcompute.delete_machine",
        args={"id": place.id},
        location=machine["location"],
        locks=(place.id,),
    )
    return Reply(202, started.headers)


@effect("hybridcompute.delete_machine")
def _gone(cloud: Cloud, args: Json) -> None:
    cloud.drop(args["id"])
    cloud.state.delete(_TABLE, args["id"].lower())


@on("group_deleted")
def _forget(cloud: Cloud, event: Json) -> None:
    for key in cloud.state.keys(_TABLE, event["id"].lower() + "/"):
        cloud.state.delete(_TABLE, key)
