"""Microsoft.DesktopVirtualization privateLinkResources and privateEndpointConnections, of host pools and workspaces.

Invariant: what the owner does is answered at once and ends in ``connection_changed``, by which the endpoint follows.

Source: Microsoft.DesktopVirtualization OpenAPI 2024-04-03 and 2022-10-14-preview. Group ids and members are the setup
article's, not those of the OpenAPI's examples (``avd_links.py``).
"""

from __future__ import annotations

from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers import link_owner
from runbook.sim.providers.avd_links import GROUPS, MEMBERS, SUFFIX
from runbook.sim.providers.avd_shapes import IN_GROUP, LINKED, POOL, WORKSPACE, version_of
from runbook.sim.routes import Place, route
from runbook.sim.wire import Call, Json, Reply, json_body, obj, one_of, text

_WHERE: Final = ("properties", "privateLinkServiceConnectionState")


def zone_of(cloud: Cloud, group: str) -> str:
    """The private zone that a group id's names belong to."""
    return f"{'privatelink-global' if group == 'global' else 'privatelink'}.{SUFFIX[cloud.scenario.cloud]}"


def _shown(connection: Json, call: Call) -> Json:
    """A connection as a version shows it: group ids came with the fifth set of common types."""
    properties = obj(connection, "properties")
    if version_of(call) < "2024":
        properties.pop("groupIds", None)
    return {**connection, "properties": properties}


def _resources(cloud: Cloud, call: Call, place: Place) -> Reply:
    target = cloud.need(place.id.rpartition("/")[0])
    kind = str(target["type"])
    values = [
        {
            "id": f"{target['id']}/privateLinkResources/{group}",
            "name": group,
            "type": f"{kind}/privateLinkResources",
            "properties": {
                "groupId": group,
                "requiredMembers": list(MEMBERS[group]),
                "requiredZoneNames": [zone_of(cloud, group)],
            },
        }
        for group in GROUPS[kind]
    ]
    return cloud.listing(call, values)


def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    target = cloud.need(place.id.rpartition("/")[0])
    found = link_owner.connections(cloud, str(target["id"]), str(target["type"]))
    return cloud.listing(call, found, show=lambda one: _shown(one, call))


def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id)
    return Reply(200, {}, _shown(cloud.need(place.id), call))


def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    cloud.need(place.parent_id)
    connection = cloud.need(place.id)
    text(body, *_WHERE, "status", required=True)
    status = one_of(body, *_WHERE, "status", among=("Approved", "Rejected"), default="")
    state = {"status": status, "description": text(body, *_WHERE, "description"), "actionsRequired": "None"}
    return Reply(200, {}, _shown(link_owner.set_state(cloud, connection, state), call))


def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id)
    connection = cloud.find(place.id)
    if connection is None:
        return Reply(204)
    link_owner.remove(cloud, connection)
    return Reply(200)


for _home in (f"{IN_GROUP}{POOL}/{{pool}}", f"{IN_GROUP}{WORKSPACE}/{{workspace}}"):
    _links = f"{_home}/{link_owner.CHILD}"
    route("GET", f"{_home}/privateLinkResources", versions=LINKED)(_resources)
    route("GET", _links, versions=LINKED)(_list)
    route("GET", _links + "/{name}", versions=LINKED)(_get)
    route("PUT", _links + "/{name}", versions=LINKED)(_put)
    route("DELETE", _links + "/{name}", versions=LINKED)(_delete)
