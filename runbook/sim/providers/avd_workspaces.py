"""Microsoft.DesktopVirtualization/workspaces: the calls.

Invariant: an application group is in at most one workspace, and both sides say so: the workspace's
``applicationGroupReferences`` and the group's ``workspaceArmPath`` change together.

Source: Microsoft.DesktopVirtualization OpenAPI 2024-04-03; recorded Azure CLI answers. The error codes of a group that
does not exist or is elsewhere are not published: ours.
"""

from __future__ import annotations

from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers import link_owner
from runbook.sim.providers.avd_links import sever
from runbook.sim.providers.avd_pools import brief
from runbook.sim.providers.avd_shapes import (
    APP_GROUP,
    IN_GROUP,
    IN_SUBSCRIPTION,
    VERSIONS,
    WORKSPACE,
    WORKSPACE_FIELDS,
    known,
    read,
    tags_after,
    version_of,
)
from runbook.sim.providers.network import region_for
from runbook.sim.routes import Place, route
from runbook.sim.wire import ArmFault, Call, Json, Reply, bad_request, json_body, obj, text, texts

_ONE: Final = IN_GROUP + WORKSPACE + "/{workspace}"


def shown(cloud: Cloud, workspace: Json, call: Call) -> Json:
    """A stored workspace as a version shows it."""
    properties = known(WORKSPACE_FIELDS, obj(workspace, "properties"), call)
    if version_of(call) >= "2022":
        links = link_owner.connections(cloud, str(workspace["id"]), WORKSPACE)
        properties["privateEndpointConnections"] = [brief(link) for link in links]
    return {**workspace, "properties": properties}


@route("PUT", _ONE, versions=VERSIONS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.find(place.id)
    workspace: Json = {
        "id": existing["id"] if existing else place.id,
        "name": existing["name"] if existing else place.name,
        "type": WORKSPACE,
        "location": region_for(cloud, place, body),
        "tags": tags_after(body, existing),
    }
    before = obj(existing, "properties") if existing else None
    workspace["properties"] = read(WORKSPACE_FIELDS, call, body, before)
    _store(cloud, workspace, before)
    return Reply(200 if existing else 201, {}, shown(cloud, workspace, call))


@route("PATCH", _ONE, versions=VERSIONS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.need(place.id)
    before = obj(existing, "properties")
    properties = read(WORKSPACE_FIELDS, call, body, before, is_patch=True)
    workspace = {**existing, "tags": tags_after(body, existing, is_patch=True), "properties": properties}
    _store(cloud, workspace, before)
    return Reply(200, {}, shown(cloud, workspace, call))


def _store(cloud: Cloud, workspace: Json, before: Json | None) -> None:
    own_id, properties = str(workspace["id"]), workspace["properties"]
    properties |= {"objectId": cloud.resource_guid(own_id, "object"), "cloudPcResource": False}
    groups: dict[str, str] = {}
    for wanted in texts(properties, "applicationGroupReferences"):
        group = cloud.find(wanted)
        if group is None or group.get("type") != APP_GROUP:
            message = f"The application group '{wanted}' of workspace '{workspace['name']}' does not exist."
            raise bad_request(message, "ApplicationGroupNotFound", "properties.applicationGroupReferences")
        elsewhere = text(group, "properties", "workspaceArmPath")
        if elsewhere and elsewhere.lower() != own_id.lower():
            raise ArmFault(
                409,
                "ApplicationGroupInAnotherWorkspace",
                f"The application group '{group['name']}' is in workspace '{elsewhere}' already.",
            )
        groups[str(group["id"]).lower()] = str(group["id"])
        group["properties"]["workspaceArmPath"] = own_id
        cloud.save(group)
    for left in texts(before, "applicationGroupReferences"):
        if left.lower() not in groups and (group := cloud.find(left)) is not None:
            _take_out(cloud, group)
    properties["applicationGroupReferences"] = list(groups.values())
    cloud.save(workspace)


def _take_out(cloud: Cloud, group: Json) -> None:
    group["properties"].pop("workspaceArmPath", None)
    cloud.save(group)


@route("DELETE", _ONE, versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    workspace = cloud.find(place.id)
    if workspace is None:
        return Reply(204)
    for wanted in texts(workspace, "properties", "applicationGroupReferences"):
        if (group := cloud.find(wanted)) is not None:
            _take_out(cloud, group)
    sever(cloud, workspace)
    cloud.drop(str(workspace["id"]))
    return Reply(200)


@route("GET", _ONE, versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, shown(cloud, cloud.need(place.id), call))


@route("GET", IN_GROUP + WORKSPACE, versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    here = f"/subscriptions/{place.sub}/resourcegroups/{place.group}"
    return cloud.listing(call, cloud.resources(WORKSPACE, here), show=lambda one: shown(cloud, one, call))


@route("GET", IN_SUBSCRIPTION + WORKSPACE, versions=VERSIONS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    here = f"/subscriptions/{place.sub}"
    return cloud.listing(call, cloud.resources(WORKSPACE, here), show=lambda one: shown(cloud, one, call))
