"""Microsoft.Network/privateEndpoints.

Invariants: an endpoint has one connection to one target, in one subnet, for life; it holds its addresses from the
moment it is accepted until its deletion ends. ``customDnsConfigs`` is worked out when it is shown: empty until the
endpoint is finished and approved, and while a zone group keeps the records.

Source: Microsoft.Network OpenAPI 2024-01-01 (privateEndpoint.json); recorded create answers; "Manage private
endpoints" and the private-endpoint troubleshooting pages, learn.microsoft.com (error codes and texts).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.hooks import effect, on
from runbook.sim.providers import interfaces, zone_groups
from runbook.sim.providers.authorization import check_linked, check_locks
from runbook.sim.providers.connections import Wanted, check_same, connections_of, read_connection, set_state
from runbook.sim.providers.features import check_feature
from runbook.sim.providers.linktargets import owner_of
from runbook.sim.providers.namespaces import NETWORK_FLAG
from runbook.sim.providers.network import (
    ENDPOINT,
    HERE,
    SUBNET,
    VERSIONS,
    accepted,
    begin,
    begin_delete,
    etag_of,
    missing_reference,
    patch_tags,
    reference,
    referenced,
    region_for,
    settle,
    stamped,
)
from runbook.sim.routes import SUBSCRIPTION, Place, route
from runbook.sim.wire import ArmFault, Call, Json, Reply, bad_request, check_match, items, json_body, obj, tags_of, text

_ENDPOINTS: Final = HERE + "/privateEndpoints"
_ENDPOINT: Final = _ENDPOINTS + "/{name}"
_KEPT: Final = ("ipVersionType", "applicationSecurityGroups", "customNetworkInterfaceName", "ipConfigurations")


# ---------------------------------------------------------------- writing


@route("PUT", _ENDPOINT, versions=VERSIONS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.find(place.id)
    check_match(call, etag_of(existing))
    location = region_for(cloud, place, body)
    check_feature(cloud, place.sub, NETWORK_FLAG)
    endpoint_id = place.id if existing is None else str(existing["id"])
    subnet = _subnet(cloud, place, endpoint_id, location, body, existing)
    wanted = read_connection(body, endpoint_id)
    if existing is not None:
        check_same(existing, wanted)
    endpoint = _made(cloud, endpoint_id, location, body, subnet, wanted)
    vnet_id = str(subnet["id"]).rsplit("/", 2)[0]
    check_linked(cloud, place, SUBNET + "/join/action", str(subnet["id"]))
    _attach(cloud, endpoint, subnet, wanted)
    started = begin(
        cloud,
        place,
        "PUT",
        "private_endpoint",
        location=location,
        effect="network.endpoint_done",
        args={"target": wanted.target, "group": wanted.group},
        locks=(endpoint_id, vnet_id),
    )
    endpoint = stamped(cloud, endpoint, "Updating")
    cloud.save(endpoint)
    return accepted(started, shown(cloud, endpoint), existing is not None)


def _subnet(cloud: Cloud, place: Place, endpoint_id: str, location: str, body: Json, existing: Json | None) -> Json:
    """The subnet that a body names.

    Raises:
        ArmFault: 400, it does not exist, lies elsewhere, is another than before, or does not take endpoints.
    """
    given = text(body, "properties", "subnet", "id", required=True)
    parsed = reference(given, SUBNET, "properties.subnet.id")
    vnet_id = str(parsed.parent)
    vnet = referenced(cloud, vnet_id, endpoint_id)
    if vnet["location"] != location or parsed.subscription.lower() != place.sub.lower():
        raise missing_reference(str(vnet["id"]), endpoint_id)
    subnet = referenced(cloud, given, endpoint_id)
    if existing is not None:
        current = text(existing, "properties", "subnet", "id")
        if current.lower() != str(subnet["id"]).lower():
            raise bad_request(
                "Cannot change the subnet in which the network interface for private endpoint "
                f"{endpoint_id} is created. Current subnet: '{current}'. Requested subnet: '{subnet['id']}'.",
                "CannotChangeSubnetOnExistingPrivateEndpoint",
            )
    elif cloud.scenario.era == "preview" and cloud.turn.caller.kind != "platform":
        _check_policies(endpoint_id, subnet)
    return subnet


def _check_policies(endpoint_id: str, subnet: Json) -> None:
    if text(subnet, "properties", "privateEndpointNetworkPolicies") != "Disabled":
        raise bad_request(
            f"Private endpoint {endpoint_id} cannot be created in a subnet {subnet['id']} since it has private "
            "endpoint network policies enabled.",
            "PrivateEndpointCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled",
        )


def _made(cloud: Cloud, endpoint_id: str, location: str, body: Json, subnet: Json, wanted: Wanted) -> Json:
    sent = obj(body, "properties")
    properties: Json = {
        "resourceGuid": cloud.resource_guid(endpoint_id),
        "privateLinkServiceConnections": [],
        "manualPrivateLinkServiceConnections": [],
        "subnet": {"id": subnet["id"]},
        "networkInterfaces": [],
        "ipConfigurations": [],
        "customNetworkInterfaceName": "",
        "ipVersionType": "IPv4",
        "applicationSecurityGroups": [],
    }
    properties |= {field: sent[field] for field in _KEPT if sent.get(field) is not None}
    text(body, "properties", "customNetworkInterfaceName")
    items(body, "properties", "applicationSecurityGroups")
    endpoint: Json = {
        "id": endpoint_id,
        "name": endpoint_id.rpartition("/")[2],
        "type": ENDPOINT,
        "location": location,
        "properties": properties,
    }
    if tags := tags_of(body):
        endpoint["tags"] = tags
    return endpoint


def _attach(cloud: Cloud, endpoint: Json, subnet: Json, wanted: Wanted) -> None:
    """Give the endpoint its connection and its interface. A wrong group id shows only when the operation ends.

    Raises:
        ArmFault: 400, no such target, or the addresses do not fit; 403, the target's owner must approve.
    """
    target = referenced(cloud, wanted.target, str(endpoint["id"]))
    owner = owner_of(str(target["id"]))
    field = "manualPrivateLinkServiceConnections" if wanted.is_manual else "privateLinkServiceConnections"
    try:
        members = owner.members(cloud, str(target["id"]), wanted.group)
    except ArmFault as fault:
        if fault.code != "InvalidGroupId":
            raise
        state = {"status": "Pending", "description": "", "actionsRequired": "None"}
        endpoint["properties"][field] = [wanted.body(cloud, endpoint, state)]
        return
    nic = interfaces.make(cloud, endpoint, subnet, wanted.group, members)
    endpoint["properties"]["networkInterfaces"] = [{"id": nic["id"]}]
    state = owner.connect(
        cloud, str(target["id"]), str(endpoint["id"]), [wanted.group], wanted.is_manual, wanted.message
    )
    endpoint["properties"][field] = [wanted.body(cloud, endpoint, state)]


@route("PATCH", _ENDPOINT, versions=VERSIONS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, shown(cloud, patch_tags(cloud, place, json_body(call))))


@route("DELETE", _ENDPOINT, versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    endpoint = cloud.find(place.id) or {}
    vnet_id = text(endpoint, "properties", "subnet", "id").rpartition("/subnets/")[0]
    locks = (place.id, vnet_id) if vnet_id else (place.id,)
    return begin_delete(cloud, place, "private_endpoint_delete", effect="network.endpoint_gone", locks=locks)


# ---------------------------------------------------------------- what happens later


@effect("network.endpoint_done")
def _done(cloud: Cloud, args: Json) -> None:
    if cloud.find(args["target"]) is not None:
        owner_of(args["target"]).members(cloud, args["target"], args["group"])  # a wrong group id ends it badly
    settle(cloud, args["id"], "Succeeded")


@effect("network.endpoint_gone")
def _gone(cloud: Cloud, args: Json) -> None:
    endpoint = cloud.find(args["id"])
    if endpoint is None:
        return
    for target in _targets(endpoint):
        try:
            check_locks(cloud, f"{target}/privateEndpointConnectionProxies/{endpoint['name']}", "delete")
        except ArmFault as fault:
            kind = target.split("/providers/")[-1].rpartition("/")[0]
            fault.message = f"Call to {kind} failed. Error message: {fault.message}"
            raise
    _release(cloud, endpoint)


def _release(cloud: Cloud, endpoint: Json) -> None:
    """Take away everything that an endpoint put anywhere, and the endpoint."""
    zone_groups.release(cloud, str(endpoint["id"]))
    for target in _targets(endpoint):
        owner_of(target).disconnect(cloud, target, str(endpoint["id"]))
    if (nic := interfaces.interface_of(cloud, endpoint)) is not None:
        cloud.drop(str(nic["id"]))
    cloud.drop(str(endpoint["id"]))


def _targets(endpoint: Json) -> list[str]:
    return [text(c, "properties", "privateLinkServiceId") for c in connections_of(endpoint)]


@on("connection_changed")
def _follow(cloud: Cloud, event: Json) -> None:
    """The target's owner approved, rejected or removed the connection."""
    endpoint = cloud.find(str(event["endpoint"]))
    if endpoint is not None:
        cloud.save(set_state(cloud, endpoint, event["state"]))
        zone_groups.refresh(cloud, cloud.need(str(endpoint["id"])))


@on("group_deleted")
def _with_group(cloud: Cloud, event: Json) -> None:
    for endpoint in cloud.resources(ENDPOINT, str(event["id"])):
        _release(cloud, endpoint)


# ---------------------------------------------------------------- reading


def shown(cloud: Cloud, endpoint: Json) -> Json:
    """A stored endpoint as a client sees it."""
    properties = obj(endpoint, "properties")
    properties["customDnsConfigs"] = _dns(cloud, endpoint)
    return {**endpoint, "properties": properties}


def _dns(cloud: Cloud, endpoint: Json) -> list[Json]:
    waits = any(
        text(c, "properties", "privateLinkServiceConnectionState", "status") in ("Pending", "Rejected")
        for c in connections_of(endpoint)
    )
    is_finished = text(endpoint, "properties", "provisioningState") == "Succeeded"
    if waits or not is_finished or zone_groups.groups_of(cloud, str(endpoint["id"])):
        return []
    return [
        {"fqdn": fqdn, "ipAddresses": [member["address"]]}
        for member in interfaces.members_of(interfaces.interface_of(cloud, endpoint))
        for fqdn in member["fqdns"]
    ]


@route("GET", _ENDPOINT, versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    endpoint = cloud.need(place.id)
    return Reply(200, {"ETag": str(etag_of(endpoint))}, shown(cloud, endpoint))


@route("GET", _ENDPOINTS, versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(ENDPOINT, place.group_id), show=partial(shown, cloud))


@route("GET", SUBSCRIPTION + "/providers/Microsoft.Network/privateEndpoints", versions=VERSIONS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(ENDPOINT, f"/subscriptions/{place.sub}"), show=partial(shown, cloud))
