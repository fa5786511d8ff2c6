"""Microsoft.DesktopVirtualization/hostPools: the calls.

Invariants: writes are synchronous and nothing has a ``provisioningState``; every answer carries the registration
token, as Azure's do, so that whoever keeps answers must hide it. When ``publicNetworkAccess`` last changed is noted in
the table ``avd_access``.

Source: Microsoft.DesktopVirtualization OpenAPI 2024-04-03; recorded Azure CLI answers; "Private Link with Azure Virtual
Desktop" (UDP opt-in and what it wants switched off), learn.microsoft.com. The codes of refused deletions and of a
refused UDP opt-in are not published: ours.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Final

from runbook.core.clock import from_iso, iso
from runbook.sim.cloud import Cloud
from runbook.sim.providers import link_owner
from runbook.sim.providers.avd_links import sever
from runbook.sim.providers.avd_shapes import (
    HOST,
    IN_GROUP,
    IN_SUBSCRIPTION,
    POOL,
    POOL_FIELDS,
    VERSIONS,
    access_of,
    known,
    read,
    tags_after,
    version_of,
)
from runbook.sim.providers.network import region_for
from runbook.sim.routes import Place, route
from runbook.sim.wire import ArmFault, Call, Json, Reply, bad_request, json_body, obj, one_of, text, texts

ACCESS: Final = "avd_access"
_ONE: Final = IN_GROUP + POOL + "/{pool}"
_TOKEN_DAYS: Final = 27


def shown(cloud: Cloud, pool: Json, call: Call) -> Json:
    """A stored host pool as a version shows it."""
    properties = known(POOL_FIELDS, obj(pool, "properties"), call)
    if version_of(call) >= "2022":
        links = link_owner.connections(cloud, str(pool["id"]), POOL)
        properties["privateEndpointConnections"] = [brief(link) for link in links]
    return {**pool, "properties": properties}


def brief(connection: Json) -> Json:
    """A connection as it stands in its target's body."""
    return {key: connection[key] for key in ("id", "name", "type", "properties")}


# ---------------------------------------------------------------- writing


@route("PUT", _ONE, versions=VERSIONS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.find(place.id)
    pool = {
        "id": existing["id"] if existing else place.id,
        "name": existing["name"] if existing else place.name,
        "type": POOL,
        "location": region_for(cloud, place, body),
        "tags": tags_after(body, existing),
    }
    before = obj(existing, "properties") if existing else None
    pool["properties"] = {**_told(cloud, pool, before), **read(POOL_FIELDS, call, body, before)}
    _store(cloud, pool, existing, body)
    return Reply(200 if existing else 201, {}, shown(cloud, pool, call))


@route("PATCH", _ONE, versions=VERSIONS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.need(place.id)
    before = obj(existing, "properties")
    properties = {**_told(cloud, existing, before), **read(POOL_FIELDS, call, body, before, is_patch=True)}
    pool = {**existing, "tags": tags_after(body, existing, is_patch=True), "properties": properties}
    _store(cloud, pool, existing, body)
    return Reply(200, {}, shown(cloud, pool, call))


def _told(cloud: Cloud, pool: Json, before: Json | None) -> Json:
    """What only answers hold."""
    old = before or {}
    return {
        "objectId": cloud.resource_guid(str(pool["id"]), "object"),
        "applicationGroupReferences": texts(old, "applicationGroupReferences"),
        "cloudPcResource": False,
        "registrationInfo": old.get("registrationInfo") or _registration(cloud, str(pool["id"])),
    }


def _store(cloud: Cloud, pool: Json, existing: Json | None, body: Json) -> None:
    _check_udp(pool)
    wish = one_of(
        body,
        "properties",
        "registrationInfo",
        "registrationTokenOperation",
        among=("None", "Update", "Delete"),
        default="None",
    )
    if wish == "Update":
        expires = text(body, "properties", "registrationInfo", "expirationTime")
        _check_moment(expires)
        pool["properties"]["registrationInfo"] = _registration(cloud, str(pool["id"]), expires)
    elif wish == "Delete":
        pool["properties"]["registrationInfo"] = {"registrationTokenOperation": "None"}
    if existing is None or access_of(existing) != access_of(pool):
        cloud.state.put(ACCESS, str(pool["id"]).lower(), {"at_ms": cloud.now_ms})
    cloud.save(pool)


def _check_udp(pool: Json) -> None:
    """Refuse UDP over private link while public Shortpath is on, or where nothing is private.

    Raises:
        ArmFault: 400.
    """
    properties = obj(pool, "properties")
    if properties.get("allowRDPShortPathWithPrivateLink") != "Enabled":
        return
    on = [name for name in ("publicUDP", "relayUDP") if properties.get(name) != "Disabled"]
    if on:
        raise bad_request(
            f"allowRDPShortPathWithPrivateLink of host pool '{pool['name']}' cannot be Enabled while RDP Shortpath for "
            f"public networks is on: set {' and '.join(on)} to Disabled.",
            "InvalidRdpShortpathSetting",
            "properties.allowRDPShortPathWithPrivateLink",
        )
    if access_of(pool) not in ("Disabled", "EnabledForClientsOnly"):
        raise bad_request(
            f"allowRDPShortPathWithPrivateLink of host pool '{pool['name']}' needs publicNetworkAccess to be Disabled "
            f"or EnabledForClientsOnly; it is {access_of(pool)}.",
            "InvalidRdpShortpathSetting",
            "properties.allowRDPShortPathWithPrivateLink",
        )


def _registration(cloud: Cloud, pool_id: str, expires: str = "") -> Json:
    """A new registration token: of the shape of a JWT, and worth nothing."""
    expires = expires or iso(cloud.now_ms + _TOKEN_DAYS * 86_400_000)
    claims = {"RegistrationId": cloud.resource_guid(pool_id, "token", expires), "exp": expires, "iss": "Simulated"}
    parts = [_packed(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    parts.append(_packed(sha256(".".join(parts).encode()).digest()))
    return {"expirationTime": expires, "token": ".".join(parts), "registrationTokenOperation": "None"}


def _check_moment(given: str) -> None:
    try:
        from_iso(given or iso(0))
    except ValueError as error:
        raise bad_request(f"The expirationTime '{given}' is not a date and time.", "InvalidParameter") from error


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@route("DELETE", _ONE, versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    pool = cloud.find(place.id)
    if pool is None:
        return Reply(204)
    groups = texts(pool, "properties", "applicationGroupReferences")
    hosts = cloud.resources(HOST, str(pool["id"]))
    if groups or (hosts and call.query.get("force", "").lower() != "true"):
        what = f"{len(groups)} application group(s)" if groups else f"{len(hosts)} session host(s)"
        raise ArmFault(
            409,
            "HostPoolInUse",
            f"Host pool '{pool['name']}' cannot be deleted: it has {what}. Delete them first"
            + ("." if groups else ", or say force=true."),
        )
    sever(cloud, pool)
    cloud.state.delete(ACCESS, str(pool["id"]).lower())
    cloud.drop(str(pool["id"]))
    return Reply(200)


# ---------------------------------------------------------------- reading


@route("GET", _ONE, versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, shown(cloud, cloud.need(place.id), call))


@route("GET", IN_GROUP + POOL, versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    here = f"/subscriptions/{place.sub}/resourcegroups/{place.group}"
    return cloud.listing(call, cloud.resources(POOL, here), show=lambda one: shown(cloud, one, call))


@route("GET", IN_SUBSCRIPTION + POOL, versions=VERSIONS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    here = f"/subscriptions/{place.sub}"
    return cloud.listing(call, cloud.resources(POOL, here), show=lambda one: shown(cloud, one, call))


@route("POST", _ONE + "/retrieveRegistrationToken", versions=VERSIONS)
def _token(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, obj(cloud.need(place.id), "properties", "registrationInfo"))
