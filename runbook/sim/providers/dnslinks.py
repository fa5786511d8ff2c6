"""Links of private zones to virtual networks.

Invariants: a virtual network has at most one link to zones of one name, wherever they lie; a link works when it reads
``Completed``, and no earlier.

Source: Private DNS OpenAPI 2020-06-01 and its examples; ``resolutionPolicy`` as in 2024-06-01; recorded error answers.
"""

from __future__ import annotations

from typing import Final

from runbook.sim import operations
from runbook.sim.cloud import Cloud
from runbook.sim.providers.authorization import check_linked
from runbook.sim.providers.dnsrecords import DNS, dns_etag
from runbook.sim.providers.network import HERE, VNET, etag_of, reference
from runbook.sim.providers.privatedns import LINK, begin, check_global, check_new, has_failed, settle
from runbook.sim.routes import Place, route
from runbook.sim.wire import Call, Json, Reply, bad_request, check_match, flag, json_body, obj, one_of, tags_of, text

_ZONE: Final = HERE + "/privateDnsZones/{zone}"
_LINK: Final = _ZONE + "/virtualNetworkLinks/{link}"
_POLICIES: Final = ("Default", "NxDomainRedirect")


@route("PUT", _LINK, versions=DNS)
def _put_link(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    zone = cloud.need(place.parent_id, as_parent=True)
    check_global(body)
    existing = cloud.find(place.id)
    check_new(call, existing, f"The Link {place.name}")
    operations.check_free(cloud, (str(zone["id"]),))
    vnet_id = _vnet(cloud, place, body)
    registers = flag(body, "properties", "registrationEnabled")
    policy = one_of(body, "properties", "resolutionPolicy", among=_POLICIES, default="Default")
    link_id = f"{zone['id']}/virtualNetworkLinks/{place.name}" if existing is None else str(existing["id"])
    properties: Json = {"virtualNetwork": {"id": vnet_id}, "registrationEnabled": registers, "resolutionPolicy": policy}
    link = {
        "id": link_id,
        "name": link_id.rpartition("/")[2],
        "type": LINK,
        "location": "global",
        "tags": tags_of(body),
    }
    if existing is not None:
        return _update_link(cloud, place, existing, {**link, "properties": properties})
    _check_overlap(cloud, zone, link_id, vnet_id)
    properties |= {"provisioningState": "Creating", "virtualNetworkLinkState": "InProgress"}
    started = begin(cloud, place, "PUT", "zone_link", "dns.succeeded", {"id": link_id}, (link_id,))
    cloud.save({**link, "etag": dns_etag(cloud, link_id), "properties": properties})
    return Reply(202, started.headers)


def _update_link(cloud: Cloud, place: Place, existing: Json, wanted: Json) -> Reply:
    old, new = obj(existing, "properties"), obj(wanted, "properties")
    if text(old, "virtualNetwork", "id").lower() != text(new, "virtualNetwork", "id").lower():
        message = f"The virtual network of the link '{existing['name']}' cannot be changed."
        raise bad_request(message, "BadRequest", "properties.virtualNetwork.id")
    is_same = all(old.get(field) == new[field] for field in ("registrationEnabled", "resolutionPolicy"))
    operations.check_free(cloud, (str(existing["id"]),))
    link = {**existing, "tags": wanted["tags"], "etag": dns_etag(cloud, str(existing["id"]))}
    if is_same and not has_failed(existing):
        cloud.save(link)
        return Reply(200, {"ETag": link["etag"]}, link)
    link["properties"] = {**old, **new, "provisioningState": "Updating"}
    started = begin(cloud, place, "PUT", "zone_link", "dns.succeeded", {"id": link["id"]}, (link["id"],))
    cloud.save(link)
    return Reply(202, started.headers)


def _vnet(cloud: Cloud, place: Place, body: Json) -> str:
    given = text(body, "properties", "virtualNetwork", "id", required=True)
    reference(given, VNET, "properties.virtualNetwork.id")
    vnet = cloud.find(given)
    if vnet is None:
        message = f"The virtual network '{given}' referenced by the link '{place.name}' was not found."
        raise bad_request(message, "BadRequest", "properties.virtualNetwork.id")
    check_linked(cloud, place, VNET + "/join/action", str(vnet["id"]))
    return str(vnet["id"])


def _check_overlap(cloud: Cloud, zone: Json, link_id: str, vnet_id: str) -> None:
    """Refuse a second link of a network to zones of one name.

    Raises:
        ArmFault: 400 ``BadRequest``.
    """
    for link in cloud.resources(LINK):
        other = str(link["id"]).rsplit("/", 2)[0].rpartition("/")[2]
        is_other = str(link["id"]).lower() != link_id.lower()
        if is_other and other.lower() == zone["name"] and _leads_to(link, vnet_id):
            raise bad_request(
                "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link "
                f"virtual network with '{zone['name']}' and '{other}' zones.",
                "BadRequest",
            )


def _leads_to(link: Json, vnet_id: str) -> bool:
    return text(link, "properties", "virtualNetwork", "id").lower() == vnet_id.lower()


def linked_zones(cloud: Cloud, vnet_id: str) -> list[tuple[Json, Json]]:
    """``(zone, link)`` of every zone whose link to this network works."""
    found = []
    for link in cloud.resources(LINK):
        zone = cloud.find(str(link["id"]).rsplit("/", 2)[0])
        works = text(link, "properties", "virtualNetworkLinkState") == "Completed"
        if zone is not None and works and _leads_to(link, vnet_id):
            found.append((zone, link))
    return found


@route("GET", _LINK, versions=DNS)
def _get_link(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id, as_parent=True)
    link = cloud.need(place.id)
    return Reply(200, {"ETag": str(etag_of(link))}, link)


@route("GET", _ZONE + "/virtualNetworkLinks", versions=DNS)
def _list_links(cloud: Cloud, call: Call, place: Place) -> Reply:
    zone = cloud.need(place.id.rpartition("/")[0], as_parent=True)
    return cloud.listing(call, cloud.resources(LINK, str(zone["id"])))


@route("PATCH", _LINK, versions=DNS)
def _patch_link(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    link = cloud.need(place.id)
    check_match(call, etag_of(link))
    wanted = {**link, "tags": tags_of(body) if "tags" in body else obj(link, "tags")}
    old = obj(link, "properties")
    wanted["properties"] = {
        **old,
        "registrationEnabled": flag(body, "properties", "registrationEnabled", default=old["registrationEnabled"]),
        "resolutionPolicy": one_of(
            body, "properties", "resolutionPolicy", among=_POLICIES, default=old["resolutionPolicy"]
        ),
    }
    return _update_link(cloud, place, link, wanted)


@route("DELETE", _LINK, versions=DNS)
def _delete_link(cloud: Cloud, call: Call, place: Place) -> Reply:
    link = cloud.find(place.id)
    check_match(call, etag_of(link))
    if link is None:
        return Reply(204)
    started = begin(cloud, place, "DELETE", "zone_link", "dns.gone", {"id": link["id"]}, (str(link["id"]),))
    settle(cloud, str(link["id"]), "Deleting")
    return Reply(202, started.headers)
