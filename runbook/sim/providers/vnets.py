"""Microsoft.Network/virtualNetworks and their subnets.

Invariant: a network's subnets are resources of their own; its body shows them but does not hold them. Writes to a
network and to its subnets exclude one another: the second is refused while the first runs.

Source: Microsoft.Network OpenAPI 2024-01-01 (virtualNetwork.json) and its examples.
"""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Address
from itertools import islice
from typing import Any, Final

from runbook.sim.cloud import Cloud
from runbook.sim.operations import check_free
from runbook.sim.providers import subnets
from runbook.sim.providers.addresses import parse_prefix, pool
from runbook.sim.providers.network import (
    HERE,
    SUBNET,
    VERSIONS,
    VNET,
    accepted,
    begin,
    begin_delete,
    etag_of,
    patch_tags,
    region_for,
    stamped,
)
from runbook.sim.routes import SUBSCRIPTION, Place, route
from runbook.sim.wire import (
    ArmFault,
    Call,
    Json,
    Reply,
    bad_request,
    check_match,
    items,
    json_body,
    obj,
    tags_of,
    text,
    texts,
)

_VNETS: Final = HERE + "/virtualNetworks"
_VNET: Final = _VNETS + "/{vnet}"
_SUBNET: Final = _VNET + "/subnets/{subnet}"
_GATEWAY_SUBNET: Final = "GatewaySubnet"


# ---------------------------------------------------------------- networks


@route("PUT", _VNET, versions=VERSIONS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.find(place.id)
    check_match(call, etag_of(existing))
    location = region_for(cloud, place, body)
    vnet = _made(cloud, place, body, existing, location)
    before = {str(s["id"]).lower(): s for s in cloud.resources(SUBNET, str(vnet["id"]))}
    after = [
        subnets.made(cloud, vnet, text(item, "name", required=True), obj(item))
        for item in items(body, "properties", "subnets")
    ]
    _check_names(place, after)
    subnets.check_apart(str(vnet["name"]), after)
    for key, subnet in before.items():
        if key not in {str(s["id"]).lower() for s in after}:
            subnets.check_unused(cloud, subnet)
            cloud.drop(str(subnet["id"]))
    ids = [str(s["id"]) for s in after]
    started = begin(cloud, place, "PUT", "vnet", location=location, args={"also": ids})
    for subnet in after:
        cloud.save(stamped(cloud, subnet, "Updating"))
    vnet = stamped(cloud, vnet, "Updating")
    cloud.save(vnet)
    return accepted(started, shown(cloud, vnet), existing is not None)


def _made(cloud: Cloud, place: Place, body: Json, existing: Json | None, location: str) -> Json:
    prefixes = texts(body, "properties", "addressSpace", "addressPrefixes")
    if not prefixes:
        raise bad_request("The address space of a virtual network needs an address prefix.", "InvalidRequestFormat")
    for prefix in prefixes:
        parse_prefix(prefix, place.id)
    servers = texts(body, "properties", "dhcpOptions", "dnsServers")
    sent = obj(body, "properties")
    properties: Json = {
        "addressSpace": {"addressPrefixes": prefixes},
        "dhcpOptions": {"dnsServers": servers},
        "resourceGuid": cloud.resource_guid(place.id, "resource"),
        "virtualNetworkPeerings": items(body, "properties", "virtualNetworkPeerings"),
        "enableDdosProtection": bool(sent.get("enableDdosProtection", False)),
    }
    if "enableVmProtection" in sent:
        properties["enableVmProtection"] = bool(sent["enableVmProtection"])
    vnet: Json = {
        "id": place.id if existing is None else existing["id"],
        "name": place.name if existing is None else existing["name"],
        "type": VNET,
        "location": location,
        "properties": properties,
    }
    if tags := tags_of(body):
        vnet["tags"] = tags
    return vnet


def _check_names(place: Place, made: list[Json]) -> None:
    names = [str(s["name"]).lower() for s in made]
    for name in names:
        if names.count(name) > 1:
            raise ArmFault(
                400,
                "InvalidRequestFormat",
                "Cannot parse the request.",
                details=[
                    {
                        "code": "DuplicateResourceName",
                        "message": f"Resource {place.id} has two child resources with the same name ({name}).",
                    }
                ],
            )


def shown(cloud: Cloud, vnet: Json) -> Json:
    """A stored network as a client sees it, with its subnets."""
    below = [subnets.shown(cloud, s) for s in cloud.resources(SUBNET, str(vnet["id"]))]
    return {**vnet, "properties": {**obj(vnet, "properties"), "subnets": below}}


@route("GET", _VNET, versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    vnet = cloud.need(place.id)
    return Reply(200, {"ETag": str(etag_of(vnet))}, shown(cloud, vnet))


@route("GET", _VNETS, versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(VNET, place.group_id), show=partial(shown, cloud))


@route("GET", SUBSCRIPTION + "/providers/Microsoft.Network/virtualNetworks", versions=VERSIONS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(VNET, f"/subscriptions/{place.sub}"), show=partial(shown, cloud))


@route("PATCH", _VNET, versions=VERSIONS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, shown(cloud, patch_tags(cloud, place, json_body(call))))


@route("DELETE", _VNET, versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    for subnet in cloud.resources(SUBNET, place.id):
        subnets.check_unused(cloud, subnet)
    return begin_delete(cloud, place, "vnet")


# ---------------------------------------------------------------- subnets


@route("PUT", _SUBNET, versions=VERSIONS)
def _put_subnet(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    vnet = cloud.need(place.parent_id, as_parent=True)
    existing = cloud.find(place.id)
    check_match(call, etag_of(existing))
    subnet = subnets.made(cloud, vnet, place.name if existing is None else str(existing["name"]), body)
    others = [s for s in cloud.resources(SUBNET, str(vnet["id"])) if str(s["id"]).lower() != place.id.lower()]
    subnets.check_apart(str(vnet["name"]), [*others, subnet])
    started = begin(cloud, place, "PUT", "subnet", location=str(vnet["location"]), locks=(place.parent_id,))
    subnet = stamped(cloud, subnet, "Updating")
    cloud.save(subnet)
    return accepted(started, subnets.shown(cloud, subnet), existing is not None)


@route("GET", _SUBNET, versions=VERSIONS)
def _get_subnet(cloud: Cloud, call: Call, place: Place) -> Reply:
    if cloud.find(place.parent_id) is None:
        cloud.need(place.parent_id)
    found = cloud.find(place.id)
    if found is None:
        raise ArmFault(404, "NotFound", f"Resource {place.id} not found.")
    return Reply(200, {"ETag": str(etag_of(found))}, subnets.shown(cloud, found))


@route("GET", _VNET + "/subnets", versions=VERSIONS)
def _list_subnets(cloud: Cloud, call: Call, place: Place) -> Reply:
    vnet_id = place.id.rpartition("/")[0]
    cloud.need(vnet_id)
    return cloud.listing(call, cloud.resources(SUBNET, vnet_id), show=partial(subnets.shown, cloud))


@route("DELETE", _SUBNET, versions=VERSIONS)
def _delete_subnet(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id, as_parent=True)
    if (found := cloud.find(place.id)) is not None:
        subnets.check_unused(cloud, found)
        check_free(cloud, (place.parent_id,))
    return begin_delete(cloud, place, "subnet", locks=(place.parent_id,))


# ---------------------------------------------------------------- addresses


@route("GET", _VNET + "/usages", versions=VERSIONS)
def _usages(cloud: Cloud, call: Call, place: Place) -> Reply:
    vnet_id = place.id.rpartition("/")[0]
    cloud.need(vnet_id)
    return cloud.listing(call, cloud.resources(SUBNET, vnet_id), show=partial(_usage, cloud))


def _usage(cloud: Cloud, subnet: Json) -> Json:
    """A subnet's line: ``limit`` leaves out the five reserved; a gateway's subnet is not counted and reads -1."""
    here = pool(cloud, subnet)
    is_gateway = str(subnet["name"]).lower() == _GATEWAY_SUBNET.lower()
    return {
        "currentValue": -1.0 if is_gateway else float(len(here.entries)),
        "id": subnet["id"],
        "limit": -1.0 if is_gateway else float(here.capacity),
        "name": {"localizedValue": "Subnet size and usage", "value": "SubnetSpace"},
        "unit": "Count",
    }


@route("GET", _VNET + "/CheckIPAddressAvailability", versions=VERSIONS)
def _check_address(cloud: Cloud, call: Call, place: Place) -> Reply:
    vnet = cloud.need(place.id.rpartition("/")[0])
    asked = call.query.get("ipAddress", "")
    try:
        address = IPv4Address(asked)
    except ValueError:
        raise bad_request(f"IP address {asked} is invalid.", "InvalidIPAddressFormat") from None
    for subnet in cloud.resources(SUBNET, str(vnet["id"])):
        here = pool(cloud, subnet)
        if any(address in r for r in here.ranges):
            kept = here.is_reserved(address)
            body: dict[str, Any] = {"available": not kept and not here.holder(address), "isPlatformReserved": kept}
            if not body["available"]:
                body["availableIPAddresses"] = [str(a) for a in islice(here.free(), 5)]
            return Reply(200, {}, body)
    raise bad_request(
        f"Private static IP address {address} does not belong to the range of any subnet of virtual network "
        f"{vnet['id']}.",
        "PrivateIPAddressNotInAnySubnet",
    )
