"""Microsoft.HybridCompute/privateLinkScopes: the calls.

Invariants: a scope whose creation does not say otherwise is closed to the public; in era ``preview`` no scope is made
before the feature is approved *and* the provider registered again.

Source: Microsoft.HybridCompute OpenAPI 2022-12-27 (privateLinkScopes); recorded Azure CLI answers.
"""

from __future__ import annotations

from functools import partial

from runbook.sim import operations
from runbook.sim.cloud import Cloud, Place
from runbook.sim.hooks import effect
from runbook.sim.providers.features import check_feature
from runbook.sim.providers.hybridcompute import (
    GROUP_ID,
    HOME,
    HYBRID,
    ONE,
    SCOPE,
    SUFFIX,
    connections,
    members,
    scope_at,
    validation,
)
from runbook.sim.providers.link_owner import tell_changed
from runbook.sim.providers.namespaces import ARC_FLAG
from runbook.sim.providers.registration import is_visible
from runbook.sim.providers.resources import check_location
from runbook.sim.routes import GROUP, SUBSCRIPTION, route
from runbook.sim.wire import ArmFault, Call, Json, Reply, json_body, one_of, resource_not_found, tags_of


def _body(cloud: Cloud, scope: Json) -> Json:
    """A scope as it is answered: with its connections."""
    links = [{k: v for k, v in c.items()} for c in connections(cloud, scope["id"])]
    return {**scope, "properties": {**scope["properties"], "privateEndpointConnections": links}}


def _check_preview(cloud: Cloud, place: Place) -> None:
    if cloud.turn.caller.kind == "platform":
        return
    check_feature(cloud, place.sub, ARC_FLAG)
    if not is_visible(cloud, place.sub, SCOPE):
        raise ArmFault(
            400,
            "NoRegisteredProviderFound",
            "No registered resource provider found for the subscription and type 'privateLinkScopes' in namespace "
            "'Microsoft.HybridCompute'. The supported api-versions are ''. The supported locations are ''. The feature "
            "was approved after the provider was last registered: register the provider again.",
        )


@route("PUT", ONE, versions=HYBRID)
def _put_scope(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    _check_preview(cloud, place)
    location = check_location(cloud, body, SCOPE)
    existing = cloud.find(place.id)
    if existing is not None and existing["location"] != location:
        raise ArmFault(
            409,
            "InvalidResourceLocation",
            f"The resource '{place.name}' already exists in location '{existing['location']}' in resource group "
            f"'{place.group}'. A resource with the same name cannot be created in location '{location}'.",
        )
    access = one_of(body, "properties", "publicNetworkAccess", among=("Enabled", "Disabled"), default="Disabled")
    scope = {
        "id": existing["id"] if existing else place.id,
        "name": existing["name"] if existing else place.name,
        "type": SCOPE,
        "location": location,
        "tags": tags_of(body),
        "properties": {
            "privateLinkScopeId": cloud.resource_guid(place.id, "scope"),
            "publicNetworkAccess": access,
            "provisioningState": "Succeeded",
        },
    }
    cloud.save(scope)
    return Reply(200 if existing else 201, {}, _body(cloud, scope))


@route("PATCH", ONE, versions=HYBRID)
def _patch_scope(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    scope = {**scope_at(cloud, place), "tags": tags_of(body)}
    cloud.save(scope)
    return Reply(200, {}, _body(cloud, scope))


@route("GET", ONE, versions=HYBRID)
def _get_scope(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, _body(cloud, scope_at(cloud, place)))


@route("GET", GROUP + HOME, versions=HYBRID)
def _list_scopes(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(SCOPE, place.group_id), show=partial(_body, cloud))


@route("GET", SUBSCRIPTION + HOME, versions=HYBRID)
def _list_all_scopes(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(SCOPE, f"/subscriptions/{place.sub}"), show=partial(_body, cloud))


@route("DELETE", ONE, versions=HYBRID)
def _delete_scope(cloud: Cloud, call: Call, place: Place) -> Reply:
    scope = cloud.find(place.id)
    if scope is None:
        return Reply(204)
    started = operations.begin(
        cloud,
        place,
        operations.HYBRID_STYLE,
        "DELETE",
        takes_ms=cloud.takes_ms("scope_delete"),
        effect="hybridcompute.delete_scope",
        args={"id": scope["id"]},
        location=scope["location"],
        locks=(scope["id"],),
    )
    return Reply(202, started.headers)


@effect("hybridcompute.delete_scope")
def _scope_deleted(cloud: Cloud, args: Json) -> None:
    for connection in connections(cloud, args["id"]):
        tell_changed(cloud, connection, None)
    cloud.drop(args["id"])


def _link_resource(cloud: Cloud, scope: Json) -> Json:
    suffix = SUFFIX[cloud.scenario.cloud]
    zones = ("his.arc", "guestconfiguration", "dp.kubernetesconfiguration")
    return {
        "id": f"{scope['id']}/privateLinkResources/{GROUP_ID}",
        "name": GROUP_ID,
        "type": SCOPE + "/privateLinkResources",
        "properties": {
            "groupId": GROUP_ID,
            "requiredMembers": [m["member"] for m in members(cloud, scope["id"], GROUP_ID)],
            "requiredZoneNames": [f"privatelink.{zone}.{suffix}" for zone in zones],
        },
    }


@route("GET", ONE + "/privateLinkResources", versions=HYBRID)
def _list_link_resources(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, [_link_resource(cloud, scope_at(cloud, place))])


@route("GET", ONE + "/privateLinkResources/{name}", versions=HYBRID)
def _get_link_resource(cloud: Cloud, call: Call, place: Place) -> Reply:
    scope = scope_at(cloud, place)
    if place["name"].lower() != GROUP_ID:
        raise resource_not_found(place.id)
    return Reply(200, {}, _link_resource(cloud, scope))


@route(
    "GET",
    SUBSCRIPTION + "/providers/Microsoft.HybridCompute/locations/{location}/privateLinkScopes/{guid}",
    versions=HYBRID,
)
def _validate_scope(cloud: Cloud, call: Call, place: Place) -> Reply:
    for scope in cloud.resources(SCOPE, f"/subscriptions/{place.sub}"):
        if scope["properties"]["privateLinkScopeId"].lower() == place["guid"].lower():
            return Reply(200, {}, validation(cloud, scope))
    raise resource_not_found(place.id)
