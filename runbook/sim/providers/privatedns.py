"""Microsoft.Network/privateDnsZones, and how writes of private DNS end.

Invariant: a zone with links is not deleted. A write that takes time answers 202 with an empty body, as this service
does, and its operation alone ends it.

Source: Private DNS OpenAPI 2020-06-01 and its examples; recorded error answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

from runbook.sim import operations
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import effect
from runbook.sim.providers.dnsrecords import DNS, ZONE, dns_etag, records
from runbook.sim.providers.network import HERE, etag_of
from runbook.sim.routes import SUBSCRIPTION, Place, route
from runbook.sim.wire import (
    ArmFault,
    Call,
    Json,
    Reply,
    bad_request,
    check_match,
    flag,
    json_body,
    obj,
    tags_of,
    text,
)

LINK: Final = ZONE + "/virtualNetworkLinks"

_ZONES: Final = HERE + "/privateDnsZones"
_ZONE: Final = _ZONES + "/{zone}"
_NAME: Final = re.compile(
    r"(?=.{3,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?){1,33}"
)
_LIMITS: Final = {
    "maxNumberOfRecordSets": 25000,
    "maxNumberOfVirtualNetworkLinks": 1000,
    "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
}


# ---------------------------------------------------------------- zones


@route("PUT", _ZONE, versions=DNS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    check_global(body)
    existing = cloud.find(place.id)
    check_new(call, existing, f"The Zone {place.name}")
    if existing is not None:
        operations.check_free(cloud, (place.id,))
        zone = {**existing, "tags": tags_of(body), "etag": dns_etag(cloud, place.id)}
        if has_failed(existing):
            zone["properties"] = {**obj(existing, "properties"), "provisioningState": "Updating"}
            started = begin(cloud, place, "PUT", "zone", "dns.succeeded", {"id": zone["id"]}, (str(zone["id"]),))
            cloud.save(zone)
            return Reply(202, started.headers)
        cloud.save(zone)
        return Reply(200, {"ETag": zone["etag"]}, shown(cloud, zone))
    if not _NAME.fullmatch(place.name.lower()):
        raise bad_request(f"The domain name '{place.name}' is invalid.", "BadRequest")
    zone_id = f"{place.parent_id}/privateDnsZones/{place.name.lower()}"
    zone = {
        "id": zone_id,
        "name": place.name.lower(),
        "type": ZONE,
        "location": "global",
        "tags": tags_of(body),
        "etag": dns_etag(cloud, zone_id),
        "properties": {"provisioningState": "Creating", "internalId": cloud.resource_guid(zone_id, "internal")},
    }
    started = begin(cloud, place, "PUT", "zone", "dns.succeeded", {"id": zone_id}, (zone_id,))
    cloud.save(zone)
    return Reply(202, started.headers)


def shown(cloud: Cloud, zone: Json) -> Json:
    """A stored zone as a client sees it, with its counts."""
    links = cloud.resources(LINK, str(zone["id"]))
    counts = {
        "numberOfRecordSets": 1 + len(records(cloud, str(zone["id"]))),
        "numberOfVirtualNetworkLinks": len(links),
        "numberOfVirtualNetworkLinksWithRegistration": sum(flag(v, "properties", "registrationEnabled") for v in links),
    }
    return {**zone, "properties": {**_LIMITS, **counts, **obj(zone, "properties")}}


@route("GET", _ZONE, versions=DNS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    zone = cloud.need(place.id)
    return Reply(200, {"ETag": str(etag_of(zone))}, shown(cloud, zone))


@route("GET", _ZONES, versions=DNS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(ZONE, place.group_id), show=partial(shown, cloud))


@route("GET", SUBSCRIPTION + "/providers/Microsoft.Network/privateDnsZones", versions=DNS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(ZONE, f"/subscriptions/{place.sub}"), show=partial(shown, cloud))


@route("PATCH", _ZONE, versions=DNS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    zone = cloud.need(place.id)
    check_match(call, etag_of(zone))
    zone |= {"tags": tags_of(body), "etag": dns_etag(cloud, place.id)}
    cloud.save(zone)
    return Reply(200, {"ETag": zone["etag"]}, shown(cloud, zone))


@route("DELETE", _ZONE, versions=DNS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    zone = cloud.find(place.id)
    check_match(call, etag_of(zone))
    if zone is None:
        return Reply(204)
    if links := cloud.resources(LINK, str(zone["id"])):
        raise ArmFault(
            409,
            "CannotDeleteResource",
            "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: "
            f"'{links[0]['id']}'. Please delete all nested resources before deleting this resource.",
        )
    started = begin(cloud, place, "DELETE", "zone", "dns.gone", {"id": zone["id"]}, (str(zone["id"]),))
    settle(cloud, str(zone["id"]), "Deleting")
    return Reply(202, started.headers)


# ---------------------------------------------------------------- how writes end


def has_failed(body: Json) -> bool:
    """Whether the last write of a zone or link ended badly, so that the same write again is not nothing."""
    return text(body, "properties", "provisioningState") == "Failed"


def check_global(body: Json) -> None:
    """Refuse a location other than ``global``.

    Raises:
        ArmFault: 400.
    """
    location = text(body, "location")
    if not location:
        raise bad_request("The location property is required for this definition.", "LocationRequired")
    if location.lower() != "global":
        raise bad_request(
            f"The provided location '{location}' is not available for resource type '{ZONE}'. "
            "List of available regions for the resource type is 'global'.",
            "LocationNotAvailableForResourceType",
        )


def check_new(call: Call, existing: Json | None, what: str) -> None:
    """Hold a write against ``If-Match`` and ``If-None-Match``, in this service's words.

    Raises:
        ArmFault: 412.
    """
    if existing is not None and call.headers.get("if-none-match", "").strip() == "*":
        raise ArmFault(412, "PreconditionFailed", f"{what} exists already and hence cannot be created again.")
    check_match(call, etag_of(existing))


def begin(
    cloud: Cloud, place: Place, method: str, takes: str, effect: str, args: Json, locks: Sequence[str]
) -> operations.Started:
    """Begin an operation of private DNS.

    Raises:
        ArmFault: 409 ``AnotherOperationInProgress``.
    """
    return operations.begin(
        cloud,
        place,
        operations.DNS_STYLE,
        method,
        takes_ms=cloud.takes_ms(takes),
        effect=effect,
        args=args,
        failed="dns.failed",
        locks=locks,
    )


def settle(cloud: Cloud, resource_id: str, state: str) -> None:
    """Set the provisioning state of a zone or link, if it is still there; a link that succeeds works from now on."""
    body = cloud.find(resource_id)
    if body is not None:
        body["properties"]["provisioningState"] = state
        body["etag"] = dns_etag(cloud, resource_id)
        if state == "Succeeded" and "virtualNetworkLinkState" in body["properties"]:
            body["properties"]["virtualNetworkLinkState"] = "Completed"
        cloud.save(body)


@effect("dns.succeeded")
def _succeeded(cloud: Cloud, args: Json) -> None:
    settle(cloud, args["id"], "Succeeded")


@effect("dns.failed")
def _failed(cloud: Cloud, args: Json) -> None:
    settle(cloud, args["id"], "Failed")


@effect("dns.gone")
def _gone(cloud: Cloud, args: Json) -> None:
    cloud.drop(args["id"])
