"""A records of private zones: the client's own and those that endpoints' zone groups keep.

Invariant: a record set is one resource under its zone with a lower-case name; whoever writes last wins, and whoever
removes it removes it for all, as happens when two endpoints of one service share a zone.

Source: Private DNS OpenAPI 2020-06-01; "Azure Private Endpoint private DNS zone values", learn.microsoft.com.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers.network import HERE, etag_of
from runbook.sim.routes import Place, route
from runbook.sim.state import Docs
from runbook.sim.wire import (
    ArmFault,
    Call,
    Json,
    Reply,
    bad_request,
    check_match,
    integer,
    items,
    json_body,
    obj,
    text,
)

DNS: Final = frozenset({"2018-09-01", "2020-01-01", "2020-06-01", "2024-06-01"})
ZONE: Final = "Microsoft.Network/privateDnsZones"
RECORD_A: Final = ZONE + "/A"
GROUP_TTL_S: Final = 10
"""Time to live of the records that a zone group writes."""

_ZONE: Final = HERE + "/privateDnsZones/{zone}"
_RECORD: Final = _ZONE + "/A/{record}"
_NAME: Final = re.compile(r"@|(\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_LONGEST_TTL: Final = 2_147_483_647


def dns_etag(cloud: Cloud, resource_id: str) -> str:
    """The next ETag of a private DNS resource: a bare GUID."""
    return cloud.new_etag(resource_id).removeprefix("W/").strip('"')


# ---------------------------------------------------------------- what zone groups and the resolver ask


def write(cloud: Cloud, zone: Json, name: str, addresses: Sequence[str], creator: str) -> Json:
    """Write a record set for a zone group, over whatever stands there.

    Args:
        cloud: the cloud.
        zone: the stored zone.
        name: relative to the zone.
        addresses: IPv4.
        creator: who says so, for the record's metadata.
    """
    record = _record(cloud, zone, name, GROUP_TTL_S, addresses, {"creator": creator})
    cloud.save(record)
    return record


def remove(cloud: Cloud, zone_id: str, name: str) -> None:
    """Remove a record set, whoever wrote it."""
    cloud.drop(f"{zone_id}/A/{name}")


def lookup(cloud: Cloud, zone: Json, name: str) -> list[str] | None:
    """The addresses of a relative name in a zone (empty for the zone itself); None when there is no such name.

    A wildcard record answers for what lies below it.
    """
    labels = name.split(".")
    wild = [".".join(["*", *labels[at:]]) for at in range(1, len(labels) + 1)] if name else []
    for tried in (name or "@", *wild):
        if (record := cloud.find(f"{zone['id']}/A/{tried}")) is not None:
            return [text(a, "ipv4Address") for a in items(record, "properties", "aRecords")]
    return None


def records(cloud: Cloud, zone_id: str) -> Docs:
    """The record sets of a zone that are stored: all but its SOA."""
    return cloud.resources(RECORD_A, zone_id)


def _record(cloud: Cloud, zone: Json, name: str, ttl: int, addresses: Sequence[str], metadata: Json) -> Json:
    record_id = f"{zone['id']}/A/{name.lower()}"
    properties: Json = {
        "ttl": ttl,
        "fqdn": f"{zone['name']}." if name == "@" else f"{name.lower()}.{zone['name']}.",
        "isAutoRegistered": False,
        "aRecords": [{"ipv4Address": a} for a in addresses],
    }
    if metadata:
        properties["metadata"] = metadata
    return {
        "id": record_id,
        "name": name.lower(),
        "type": RECORD_A,
        "etag": dns_etag(cloud, record_id),
        "properties": properties,
    }


# ---------------------------------------------------------------- routes


@route("PUT", _RECORD, versions=DNS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    zone = cloud.need(place.id.rsplit("/", 2)[0], as_parent=True)
    existing = cloud.find(place.id)
    check_match(call, etag_of(existing))
    if not _NAME.fullmatch(place["record"].lower()):
        raise bad_request(f"The relative record set name '{place['record']}' is invalid.", "BadRequest")
    ttl = integer(body, "properties", "ttl", required=True)
    record = _record(cloud, zone, place["record"], _ttl(ttl), _addresses(body), _metadata(body))
    cloud.save(record)
    return Reply(201 if existing is None else 200, {"ETag": record["etag"]}, record)


@route("PATCH", _RECORD, versions=DNS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    zone = cloud.need(place.id.rsplit("/", 2)[0], as_parent=True)
    existing = cloud.need(place.id)
    check_match(call, etag_of(existing))
    sent, kept = obj(body, "properties"), obj(existing, "properties")
    ttl = _ttl(integer(body, "properties", "ttl", default=kept["ttl"]))
    addresses = _addresses(body if "aRecords" in sent else existing)
    metadata = _metadata(body if "metadata" in sent else existing)
    record = _record(cloud, zone, str(existing["name"]), ttl, addresses, metadata)
    cloud.save(record)
    return Reply(200, {"ETag": record["etag"]}, record)


@route("GET", _RECORD, versions=DNS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.id.rsplit("/", 2)[0], as_parent=True)
    record = cloud.find(place.id)
    if record is None:
        message = f"The resource record '{place['record']}' does not exist in resource group '{place.group}'."
        raise ArmFault(404, "NotFound", message)
    return Reply(200, {"ETag": str(record["etag"])}, record)


@route("DELETE", _RECORD, versions=DNS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.id.rsplit("/", 2)[0], as_parent=True)
    existing = cloud.find(place.id)
    check_match(call, etag_of(existing))
    cloud.drop(place.id)
    return Reply(204 if existing is None else 200)


@route("GET", _ZONE + "/A", versions=DNS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    zone = cloud.need(place.id.rpartition("/")[0], as_parent=True)
    return cloud.listing(call, _ending(call, records(cloud, str(zone["id"])).keys), show=cloud.need)


@route("GET", _ZONE + "/ALL", versions=DNS)
@route("GET", _ZONE + "/recordSets", versions=DNS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    zone = cloud.need(place.id.rpartition("/")[0], as_parent=True)
    keys = [*_ending(call, records(cloud, str(zone["id"])).keys), *_ending(call, [f"{zone['id']}/SOA/@"])]
    return cloud.listing(call, keys, show=lambda key: _soa(zone) if "/SOA/" in key else cloud.need(key))


@route("GET", _ZONE + "/SOA/@", versions=DNS)
def _get_soa(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, _soa(cloud.need(place.id.rsplit("/", 2)[0], as_parent=True)))


def _ending(call: Call, ids: Sequence[str]) -> list[str]:
    """Those of a zone's records whose names end as the call wants it."""
    ending = call.query.get("$recordsetnamesuffix", "").lower()
    return [i for i in ids if i.rpartition("/")[2].endswith(ending)]


def _soa(zone: Json) -> Json:
    """The one record set that every zone has."""
    return {
        "id": f"{zone['id']}/SOA/@",
        "name": "@",
        "type": ZONE + "/SOA",
        "etag": zone["etag"],
        "properties": {
            "ttl": 3600,
            "fqdn": f"{zone['name']}.",
            "isAutoRegistered": False,
            "soaRecord": {
                "email": "azureprivatedns-host.microsoft.com",
                "expireTime": 2419200,
                "host": "azureprivatedns.net",
                "minimumTtl": 10,
                "refreshTime": 3600,
                "retryTime": 300,
                "serialNumber": 1,
            },
        },
    }


def _ttl(ttl: int) -> int:
    if not 1 <= ttl <= _LONGEST_TTL:
        raise bad_request(f"The TTL value {ttl} is not within the allowed range 1-{_LONGEST_TTL}.", "BadRequest", "ttl")
    return ttl


def _addresses(body: Json) -> list[str]:
    """The addresses of a body, each once."""
    found = [text(a, "ipv4Address", required=True) for a in items(body, "properties", "aRecords")]
    for address in found:
        try:
            IPv4Address(address)
        except ValueError:
            raise bad_request(f"The value '{address}' is not a valid IPv4 address.", "BadRequest", "aRecords") from None
    return list(dict.fromkeys(found))


def _metadata(body: Json) -> Json:
    metadata = obj(body, "properties", "metadata")
    if not all(isinstance(v, str) for v in metadata.values()):
        raise bad_request("The request content was invalid: every metadata value must be a string.", target="metadata")
    return metadata
