"""Microsoft.DesktopVirtualization/applicationGroups: the calls.

Invariant: a group belongs to one host pool for life, and the pool's ``applicationGroupReferences`` lists it. Which
workspace it is in is the workspace's to say (``avd_workspaces.py``).

Source: Microsoft.DesktopVirtualization OpenAPI 2024-04-03; recorded Azure CLI answers.
"""

from __future__ import annotations

from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers.avd_shapes import (
    APP_GROUP,
    APP_GROUP_FIELDS,
    IN_GROUP,
    IN_SUBSCRIPTION,
    POOL,
    VERSIONS,
    known,
    read,
    tags_after,
)
from runbook.sim.providers.network import reference, region_for
from runbook.sim.routes import Place, route
from runbook.sim.wire import Call, Json, Reply, bad_request, json_body, obj, text, texts

_ONE: Final = IN_GROUP + APP_GROUP + "/{app_group}"


def _shown(group: Json, call: Call) -> Json:
    return {**group, "properties": known(APP_GROUP_FIELDS, obj(group, "properties"), call)}


@route("PUT", _ONE, versions=VERSIONS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.find(place.id)
    before = obj(existing, "properties") if existing else None
    group: Json = {
        "id": existing["id"] if existing else place.id,
        "name": existing["name"] if existing else place.name,
        "type": APP_GROUP,
        "location": region_for(cloud, place, body),
        "tags": tags_after(body, existing),
    }
    properties = read(APP_GROUP_FIELDS, call, body, before)
    pool = _pool(cloud, group, properties, before)
    group["kind"] = properties["applicationGroupType"]
    group["properties"] = {
        **properties,
        "objectId": cloud.resource_guid(str(group["id"]), "object"),
        "hostPoolArmPath": pool["id"],
        "cloudPcResource": False,
    }
    if workspace := text(existing, "properties", "workspaceArmPath"):
        group["properties"]["workspaceArmPath"] = workspace
    cloud.save(group)
    _list_in(cloud, pool, str(group["id"]), is_there=True)
    return Reply(200 if existing else 201, {}, _shown(group, call))


def _pool(cloud: Cloud, group: Json, properties: Json, before: Json | None) -> Json:
    """The host pool that a group's body names.

    Raises:
        ArmFault: 400, it does not exist, or is another than before.
    """
    wanted = str(properties["hostPoolArmPath"])
    reference(wanted, POOL, "properties.hostPoolArmPath")
    pool = cloud.find(wanted)
    if pool is None:
        message = f"The host pool '{wanted}' of application group '{group['name']}' does not exist."
        raise bad_request(message, "HostPoolNotFound", "properties.hostPoolArmPath")
    for name in ("hostPoolArmPath", "applicationGroupType"):
        if before is not None and str(before[name]).lower() != str(properties[name]).lower():
            message = f"{name} of application group '{group['name']}' cannot be changed."
            raise bad_request(message, "PropertyChangeNotAllowed", f"properties.{name}")
    return pool


def _list_in(cloud: Cloud, owner: Json, group_id: str, *, is_there: bool) -> None:
    """Have a host pool or workspace list a group, or no longer."""
    others = [r for r in texts(owner, "properties", "applicationGroupReferences") if r.lower() != group_id.lower()]
    owner["properties"]["applicationGroupReferences"] = [*others, group_id] if is_there else others
    cloud.save(owner)


@route("PATCH", _ONE, versions=VERSIONS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.need(place.id)
    before = obj(existing, "properties")
    properties = {**before, **read(APP_GROUP_FIELDS, call, body, before, is_patch=True)}
    group = {**existing, "tags": tags_after(body, existing, is_patch=True), "properties": properties}
    cloud.save(group)
    return Reply(200, {}, _shown(group, call))


@route("DELETE", _ONE, versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    group = cloud.find(place.id)
    if group is None:
        return Reply(204)
    pool = cloud.find(text(group, "properties", "hostPoolArmPath"))
    if pool is not None:
        _list_in(cloud, pool, str(group["id"]), is_there=False)
    workspace = cloud.find(text(group, "properties", "workspaceArmPath"))
    if workspace is not None:
        _list_in(cloud, workspace, str(group["id"]), is_there=False)
    cloud.drop(str(group["id"]))
    return Reply(200)


@route("GET", _ONE, versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, _shown(cloud.need(place.id), call))


@route("GET", IN_GROUP + APP_GROUP, versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    here = f"/subscriptions/{place.sub}/resourcegroups/{place.group}"
    return cloud.listing(call, cloud.resources(APP_GROUP, here), show=lambda one: _shown(one, call))


@route("GET", IN_SUBSCRIPTION + APP_GROUP, versions=VERSIONS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    here = f"/subscriptions/{place.sub}"
    return cloud.listing(call, cloud.resources(APP_GROUP, here), show=lambda one: _shown(one, call))
