"""Microsoft.Network/privateEndpoints/privateDnsZoneGroups: an endpoint's records, kept in private zones.

Invariants: an endpoint has at most one group, a group at most five zones. What a group wrote is noted in the table
``zone_group_records``, so that it takes away exactly that, whatever became of its body meanwhile.

Source: Microsoft.Network OpenAPI 2024-01-01 (privateEndpoint.json); "Azure Private Endpoint DNS integration"
(one group, five zones), learn.microsoft.com; recorded error answers. The codes for a second group and a sixth zone
are not published: ``BadRequest`` stands for them.
"""

from __future__ import annotations

from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.dnsnames import relative_in
from runbook.sim.hooks import effect
from runbook.sim.providers import dnsrecords
from runbook.sim.providers.authorization import check_linked
from runbook.sim.providers.connections import connections_of
from runbook.sim.providers.dnsrecords import ZONE
from runbook.sim.providers.interfaces import interface_of, members_of
from runbook.sim.providers.network import (
    HERE,
    VERSIONS,
    ZONE_GROUP,
    accepted,
    begin,
    begin_delete,
    etag_of,
    reference,
    settle,
    stamped,
)
from runbook.sim.routes import Place, route
from runbook.sim.state import Docs
from runbook.sim.wire import ArmFault, Call, Json, Reply, bad_request, check_match, items, json_body, obj, text

MOST_ZONES: Final = 5

_TABLE: Final = "zone_group_records"
_GROUPS: Final = HERE + "/privateEndpoints/{endpoint}/privateDnsZoneGroups"
_GROUP: Final = _GROUPS + "/{name}"


# ---------------------------------------------------------------- what endpoints ask


def groups_of(cloud: Cloud, endpoint_id: str) -> Docs:
    """The zone groups of an endpoint: none or one."""
    return cloud.resources(ZONE_GROUP, endpoint_id)


def refresh(cloud: Cloud, endpoint: Json) -> None:
    """Write the records of an endpoint's finished group anew, after the endpoint's connection changed."""
    for group in groups_of(cloud, str(endpoint["id"])):
        if text(group, "properties", "provisioningState") == "Succeeded":
            _write(cloud, endpoint, group)


def release(cloud: Cloud, endpoint_id: str) -> None:
    """Take away the groups of an endpoint that goes, and their records."""
    for group in groups_of(cloud, endpoint_id):
        _forget(cloud, str(group["id"]))


# ---------------------------------------------------------------- routes


@route("PUT", _GROUP, versions=VERSIONS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    endpoint = cloud.need(place.parent_id, as_parent=True)
    existing = cloud.find(place.id)
    check_match(call, etag_of(existing))
    others = [g for g in groups_of(cloud, place.parent_id) if str(g["id"]).lower() != place.id.lower()]
    if others:
        raise bad_request(
            f"Cannot create more than one private dns zone groups in the private endpoint {endpoint['id']}.",
            "BadRequest",
        )
    group_id = f"{endpoint['id']}/privateDnsZoneGroups/{place.name}" if existing is None else str(existing["id"])
    group: Json = {
        "id": group_id,
        "name": group_id.rpartition("/")[2],
        "type": ZONE_GROUP,
        "properties": {"privateDnsZoneConfigs": _configs(cloud, place, group_id, body)},
    }
    started = begin(
        cloud,
        place,
        "PUT",
        "zone_group",
        location=str(endpoint["location"]),
        effect="network.zone_group_done",
        locks=(place.parent_id,),
    )
    group = stamped(cloud, group, "Updating")
    cloud.save(group)
    return accepted(started, group, existing is not None)


def _configs(cloud: Cloud, place: Place, group_id: str, body: Json) -> list[Json]:
    """The group's zones as they will be stored.

    Raises:
        ArmFault: 400, too many, a name is missing or doubled, a zone does not exist; 403, a zone may not be joined.
    """
    configs: list[Json] = []
    sent = items(body, "properties", "privateDnsZoneConfigs")
    if len(sent) > MOST_ZONES:
        message = f"Private Dns Zone group {group_id} has {len(sent)} zones; it can have at most {MOST_ZONES}."
        raise bad_request(message, "BadRequest")
    for item in sent:
        name, zone_id = text(item, "name"), text(item, "properties", "privateDnsZoneId", required=True)
        if not name:
            raise _unreadable("MissingJsonReferenceId", f"A private dns zone config of {group_id} has no name.")
        if name.lower() in (str(c["name"]).lower() for c in configs):
            message = f"Resource {group_id} has two child resources with the same name ({name})."
            raise _unreadable("DuplicateResourceName", message)
        reference(zone_id, ZONE, "properties.privateDnsZoneConfigs.properties.privateDnsZoneId")
        zone = _zone(cloud, group_id, zone_id)
        check_linked(cloud, place, ZONE + "/join/action", str(zone["id"]))
        config_id = f"{group_id}/privateDnsZoneConfigs/{name}"
        properties = {"privateDnsZoneId": zone["id"], "recordSets": []}
        configs.append({"id": config_id, "name": name, "type": ZONE_GROUP + "/privateDnsZoneConfigs"})
        configs[-1] |= {"etag": cloud.new_etag(config_id), "properties": properties}
    return configs


def _unreadable(code: str, message: str) -> ArmFault:
    details = [{"code": code, "message": message}]
    return ArmFault(400, "InvalidRequestFormat", "Cannot parse the request.", details=details)


def _zone(cloud: Cloud, group_id: str, zone_id: str) -> Json:
    zone = cloud.find(zone_id)
    if zone is None:
        raise bad_request(
            f"Private Dns Zone group {group_id} has invalid private dns zone ids {zone_id}.", "InvalidPrivateDnsZoneIds"
        )
    return zone


@route("GET", _GROUP, versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id)
    group = cloud.find(place.id)
    if group is None:
        raise ArmFault(404, "NotFound", f"Resource {place.id} not found.")
    return Reply(200, {"ETag": str(etag_of(group))}, group)


@route("GET", _GROUPS, versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    endpoint = cloud.need(place.id.rpartition("/")[0])
    return cloud.listing(call, groups_of(cloud, str(endpoint["id"])))


@route("DELETE", _GROUP, versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id, as_parent=True)
    return begin_delete(cloud, place, "zone_group", effect="network.zone_group_gone", locks=(place.parent_id,))


# ---------------------------------------------------------------- records


@effect("network.zone_group_done")
def _done(cloud: Cloud, args: Json) -> None:
    group = cloud.find(args["id"])
    endpoint = cloud.find(args["id"].rsplit("/", 2)[0])
    if group is not None and endpoint is not None:
        _write(cloud, endpoint, group)
        settle(cloud, args["id"], "Succeeded")


@effect("network.zone_group_gone")
def _gone(cloud: Cloud, args: Json) -> None:
    _forget(cloud, args["id"])


def _write(cloud: Cloud, endpoint: Json, group: Json) -> None:
    """Bring the zones to what the endpoint's interface says, and note in the group's body what stands where.

    Raises:
        ArmFault: 400, a zone is gone.
    """
    before = _noted(cloud, str(group["id"]))
    after: list[list[str]] = []
    creator = f"created by private endpoint {endpoint['name']} with resource guid "
    creator += text(endpoint, "properties", "resourceGuid")
    configs = items(group, "properties", "privateDnsZoneConfigs")
    for config in configs:
        zone = _zone(cloud, str(group["id"]), config["properties"]["privateDnsZoneId"])
        sets = []
        for name, addresses in _names(cloud, endpoint, str(zone["name"])).items():
            dnsrecords.write(cloud, zone, name, addresses, creator)
            after.append([str(zone["id"]), name])
            sets.append(
                {
                    "recordType": "A",
                    "recordSetName": name,
                    "fqdn": f"{name}.{zone['name']}",
                    "ttl": dnsrecords.GROUP_TTL_S,
                    "ipAddresses": addresses,
                    "provisioningState": "Succeeded",
                }
            )
        config["properties"]["recordSets"] = sets
    for zone_id, name in before:
        if [zone_id, name] not in after:
            dnsrecords.remove(cloud, zone_id, name)
    group["properties"] = {**obj(group, "properties"), "privateDnsZoneConfigs": configs}
    cloud.save(group)
    cloud.state.put(_TABLE, str(group["id"]).lower(), {"written": after})


def _names(cloud: Cloud, endpoint: Json, zone: str) -> dict[str, list[str]]:
    """What stands in a zone for an endpoint: relative name → addresses. Nothing before the connection is approved."""
    states = (obj(c, "properties", "privateLinkServiceConnectionState") for c in connections_of(endpoint))
    if any(state.get("status") == "Pending" for state in states):
        return {}
    names: dict[str, list[str]] = {}
    for member in members_of(interface_of(cloud, endpoint)):
        for fqdn in member["fqdns"]:
            if (name := relative_in(zone, fqdn)) is not None:
                names.setdefault(name, []).append(member["address"])
    return names


def _noted(cloud: Cloud, group_id: str) -> list[list[str]]:
    return list((cloud.state.get(_TABLE, group_id.lower()) or {"written": []})["written"])


def _forget(cloud: Cloud, group_id: str) -> None:
    for zone_id, name in _noted(cloud, group_id):
        dnsrecords.remove(cloud, zone_id, name)
    cloud.state.delete(_TABLE, group_id.lower())
    cloud.drop(group_id)
