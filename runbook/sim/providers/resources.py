"""Microsoft.Resources: subscriptions, tenants, locations, resource groups, and lists of whatever lies in them.

Source: Microsoft.Resources OpenAPI 2022-12-01 (subscriptions) and 2024-03-01 (resources).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from runbook.sim import operations
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import effect
from runbook.sim.providers.authorization import LOCK
from runbook.sim.providers.registration import RESOURCES, check_registered
from runbook.sim.regions import normal, regions
from runbook.sim.routes import GROUP, SUBSCRIPTION, Place, route
from runbook.sim.seeding import seeder
from runbook.sim.state import Docs
from runbook.sim.wire import ArmFault, Call, Json, Reply, bad_request, json_body, tags_of, text

__all__ = ["check_group", "check_location", "check_registered", "subscription"]

SUBSCRIPTIONS: Final = frozenset(
    {
        "2014-04-01", "2015-11-01", "2016-06-01", "2018-06-01", "2019-06-01", "2019-11-01", "2020-01-01", "2021-01-01",
        "2021-04-01", "2022-12-01",
    }
)  # fmt: skip
_GROUP_TYPE: Final = "Microsoft.Resources/resourceGroups"
_NAME: Final = re.compile(r"[\w().-]{0,89}[\w()-]")
_CLAUSE: Final = re.compile(r"\s*(resourceType|resourceGroup|name)\s+eq\s+'([^']+)'\s*", re.IGNORECASE)


# ---------------------------------------------------------------- what others ask


def subscription(cloud: Cloud, subscription_id: str) -> Json:
    """The ARM body of a subscription.

    Raises:
        ArmFault: 404 ``SubscriptionNotFound``.
    """
    for known in cloud.scenario.subscriptions:
        if known.id.lower() == subscription_id.lower():
            return {
                "id": f"/subscriptions/{known.id}",
                "authorizationSource": "RoleBased",
                "managedByTenants": [],
                "subscriptionId": known.id,
                "tenantId": known.tenant or cloud.scenario.tenant.id,
                "displayName": known.name,
                "state": known.state,
                "subscriptionPolicies": {
                    "locationPlacementId": "Public_2014-09-01",
                    "quotaId": "EnterpriseAgreement_2014-09-01",
                    "spendingLimit": "Off",
                },
            }
    raise ArmFault(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")


def check_group(cloud: Cloud, subscription_id: str, group: str) -> Json:
    """The stored body of a resource group.

    Raises:
        ArmFault: 404 ``ResourceGroupNotFound``; 409 ``ResourceGroupBeingDeleted``.
    """
    found = cloud.find(f"/subscriptions/{subscription_id}/resourceGroups/{group}")
    if found is None:
        raise ArmFault(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    return found


def check_location(cloud: Cloud, body: Json, kind: str) -> str:
    """The region that a body names, in its short form.

    Raises:
        ArmFault: 400 ``LocationRequired``, or ``LocationNotAvailableForResourceType``.
    """
    given = text(body, "location")
    if not given:
        raise bad_request("The location property is required for this definition.", "LocationRequired")
    known = regions(cloud.scenario)
    if normal(given) not in known:
        raise bad_request(
            f"The provided location '{given}' is not available for resource type '{kind}'. "
            f"List of available regions for the resource type is '{','.join(known)}'.",
            "LocationNotAvailableForResourceType",
        )
    return normal(given)


# ---------------------------------------------------------------- subscriptions, tenants, locations


@route("GET", "/subscriptions", versions=SUBSCRIPTIONS, registered=False)
def _subscriptions(cloud: Cloud, call: Call, place: Place) -> Reply:
    reply = cloud.listing(call, [subscription(cloud, s.id) for s in cloud.scenario.subscriptions])
    count = {"type": "Total", "value": len(cloud.scenario.subscriptions)}
    return Reply(200, {}, {"nextLink": "", **reply.body, "count": count})


@route("GET", SUBSCRIPTION, versions=SUBSCRIPTIONS, registered=False)
def _subscription(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, subscription(cloud, place.sub))


@route("GET", "/tenants", versions=SUBSCRIPTIONS, registered=False)
def _tenants(cloud: Cloud, call: Call, place: Place) -> Reply:
    own = cloud.scenario.tenant
    others = sorted({s.tenant for s in cloud.scenario.subscriptions if s.tenant and s.tenant != own.id})
    values: list[Json] = [
        {
            "id": f"/tenants/{own.id}",
            "tenantId": own.id,
            "displayName": own.name,
            "defaultDomain": own.domain,
            "domains": [own.domain],
            "tenantCategory": "Home",
        }
    ]
    values += [{"id": f"/tenants/{t}", "tenantId": t, "tenantCategory": "ProjectedBy"} for t in others]
    return Reply(200, {}, {"nextLink": "", **cloud.listing(call, values).body})


@route("GET", SUBSCRIPTION + "/locations", versions=SUBSCRIPTIONS, registered=False)
def _locations(cloud: Cloud, call: Call, place: Place) -> Reply:
    values = [
        {
            "id": f"/subscriptions/{place.sub}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": region.display,
            "regionalDisplayName": region.display,
        }
        for name, region in sorted(regions(cloud.scenario).items())
    ]
    return cloud.listing(call, values)


# ---------------------------------------------------------------- resource groups


@route("GET", SUBSCRIPTION + "/resourceGroups", versions=RESOURCES, registered=False)
def _list_groups(cloud: Cloud, call: Call, place: Place) -> Reply:
    groups = cloud.resources("Microsoft.Resources/subscriptions/resourceGroups", f"/subscriptions/{place.sub}")
    return cloud.listing(call, groups)


@route("HEAD", GROUP, versions=RESOURCES, registered=False)
def _has_group(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(204 if cloud.find(place.id) else 404)


@route("GET", GROUP, versions=RESOURCES, registered=False)
def _get_group(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, check_group(cloud, place.sub, place.group))


@route("PUT", GROUP, versions=RESOURCES, registered=False)
def _put_group(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    if not _NAME.fullmatch(place.group):
        message = f"The provided resource group name '{place.group}' has these invalid characters or is too long."
        raise bad_request(message, "InvalidResourceGroup")
    location = check_location(cloud, body, _GROUP_TYPE)
    existing = cloud.find(place.id)
    if existing is not None and existing["location"] != location:
        raise ArmFault(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{existing['location']}'.",
        )
    group = {
        "id": existing["id"] if existing else place.id,
        "name": existing["name"] if existing else place.group,
        "type": _GROUP_TYPE,
        "location": location,
        "tags": tags_of(body),
        "properties": {"provisioningState": "Succeeded"},
    }
    cloud.save(group)
    return Reply(200 if existing else 201, {}, group)


@route("PATCH", GROUP, versions=RESOURCES, registered=False)
def _patch_group(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    group = {**check_group(cloud, place.sub, place.group), "tags": tags_of(body)}
    cloud.save(group)
    return Reply(200, {}, group)


@route("DELETE", GROUP, versions=RESOURCES, registered=False)
def _delete_group(cloud: Cloud, call: Call, place: Place) -> Reply:
    group = check_group(cloud, place.sub, place.group)
    cloud.save({**group, "properties": {"provisioningState": "Deleting"}})
    started = operations.begin(
        cloud,
        place,
        operations.RESOURCES_STYLE,
        "DELETE",
        takes_ms=cloud.takes_ms("group_delete"),
        effect="group.delete",
        args={"id": place.id},
        failed="group.keep",
    )
    return Reply(202, started.headers)


@effect("group.delete")
def _delete(cloud: Cloud, args: Json) -> None:
    cloud.emit("group_deleted", {"id": args["id"]})
    cloud.drop(args["id"])


@effect("group.keep")
def _keep(cloud: Cloud, args: Json) -> None:
    group = cloud.find(args["id"])
    if group is not None:
        cloud.save({**group, "properties": {"provisioningState": "Succeeded"}})


@seeder("Microsoft.Resources/subscriptions/resourceGroups")
def _seed_group(cloud: Cloud, body: Json) -> None:
    name = str(body["id"]).rpartition("/")[2]
    cloud.save(
        {
            "tags": {},
            **body,
            "name": name,
            "type": _GROUP_TYPE,
            "properties": {"provisioningState": "Succeeded"},
        }
    )


# ---------------------------------------------------------------- what lies in them


def _inside(cloud: Cloud, call: Call, place: Place) -> Reply:
    wanted = _wanted(call)
    here = f"{place.id}/resourceGroups/{wanted['resourcegroup']}" if "resourcegroup" in wanted else place.id
    if "resourcetype" in wanted:
        inside: Sequence[str] = cloud.resources(wanted["resourcetype"], here).keys
    else:
        inside = cloud.state.keys("resources", here.lower() + "/")
    lock, name = f"/providers/{LOCK.lower()}/", wanted.get("name", "").lower()
    top_level = [key for key in inside if key.count("/") == 8 and lock not in key]
    named = [key for key in top_level if not name or key.rpartition("/")[2] == name]
    return cloud.listing(call, Docs(cloud.state, "resources", named), show=_brief)


def _wanted(call: Call) -> dict[str, str]:
    """What a ``$filter`` asks for, by property in small letters.

    Source: "Resources - List", learn.microsoft.com; the Azure CLI names the group in the filter, not in the path.
    """
    given = call.query.get("$filter", "")
    clauses = [_CLAUSE.fullmatch(part) for part in re.split(r"\s+and\s+", given, flags=re.IGNORECASE)] if given else []
    found = [clause for clause in clauses if clause is not None]
    if len(found) < len(clauses):
        message = f"The filter '{given}' is not supported: only resourceType, resourceGroup and name, each eq '…'."
        raise bad_request(message, "InvalidFilterInQueryString")
    return {clause[1].lower(): clause[2] for clause in found}


def _brief(body: Json) -> Json:
    return {k: v for k, v in body.items() if k in ("id", "name", "type", "location", "tags")}


@route("GET", SUBSCRIPTION + "/resources", versions=RESOURCES, registered=False)
def _all_in_subscription(cloud: Cloud, call: Call, place: Place) -> Reply:
    return _inside(cloud, call, Place(f"/subscriptions/{place.sub}", place.params, place.type, place.action))


@route("GET", GROUP + "/resources", versions=RESOURCES, registered=False)
def _all_in_group(cloud: Cloud, call: Call, place: Place) -> Reply:
    return _inside(cloud, call, Place(place.group_id, place.params, place.type, place.action))
