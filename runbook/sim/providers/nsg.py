"""Microsoft.Network/networkSecurityGroups and their rules.

Invariant: a group's rules are resources of their own; its body shows them but does not hold them. Writes to a group
and to its rules exclude one another.

Source: Microsoft.Network OpenAPI 2024-01-01 (networkSecurityGroup.json) and its examples.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers.addresses import NIC
from runbook.sim.providers.network import (
    HERE,
    NSG,
    RULE,
    SUBNET,
    VERSIONS,
    accepted,
    begin,
    begin_delete,
    etag_of,
    patch_tags,
    region_for,
    stamped,
)
from runbook.sim.providers.nsg_rules import check_priority, default_rules, made
from runbook.sim.routes import SUBSCRIPTION, Place, route
from runbook.sim.wire import (
    ArmFault,
    Call,
    Json,
    Reply,
    bad_request,
    check_match,
    items,
    json_body,
    obj,
    tags_of,
    text,
)

_GROUPS: Final = HERE + "/networkSecurityGroups"
_GROUP: Final = _GROUPS + "/{nsg}"
_RULE: Final = _GROUP + "/securityRules/{rule}"


# ---------------------------------------------------------------- groups


@route("PUT", _GROUP, versions=VERSIONS)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.find(place.id)
    check_match(call, etag_of(existing))
    location = region_for(cloud, place, body)
    nsg: Json = {
        "id": place.id if existing is None else existing["id"],
        "name": place.name if existing is None else existing["name"],
        "type": NSG,
        "location": location,
        "properties": {"resourceGuid": cloud.resource_guid(place.id, "resource")},
    }
    if tags := tags_of(body):
        nsg["tags"] = tags
    rules: list[Json] = []
    for item in items(body, "properties", "securityRules"):
        rule = made(str(nsg["id"]), text(item, "name", required=True), obj(item))
        check_priority(rule, rules)
        rules.append(rule)
    kept = {str(r["id"]).lower() for r in rules}
    for rule in cloud.resources(RULE, str(nsg["id"])):
        if str(rule["id"]).lower() not in kept:
            cloud.drop(str(rule["id"]))
    started = begin(cloud, place, "PUT", "nsg", location=location, args={"also": sorted(str(r["id"]) for r in rules)})
    for rule in rules:
        cloud.save(stamped(cloud, rule, "Updating"))
    nsg = stamped(cloud, nsg, "Updating")
    cloud.save(nsg)
    return accepted(started, shown(cloud, nsg), existing is not None)


def shown(cloud: Cloud, nsg: Json) -> Json:
    """A stored group as a client sees it: with its rules, the default ones and the subnets that use it."""
    nsg_id = str(nsg["id"])
    properties = obj(nsg, "properties")
    properties["securityRules"] = list(cloud.resources(RULE, nsg_id))
    properties["defaultSecurityRules"] = default_rules(nsg_id)
    for field, kind in (("subnets", SUBNET), ("networkInterfaces", NIC)):
        if using := cloud.referring(kind, nsg_id):
            properties[field] = [{"id": i} for i in using]
    return {**nsg, "properties": properties}


@route("GET", _GROUP, versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    nsg = cloud.need(place.id)
    return Reply(200, {"ETag": str(etag_of(nsg))}, shown(cloud, nsg))


@route("GET", _GROUPS, versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(NSG, place.group_id), show=partial(shown, cloud))


@route("GET", SUBSCRIPTION + "/providers/Microsoft.Network/networkSecurityGroups", versions=VERSIONS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(NSG, f"/subscriptions/{place.sub}"), show=partial(shown, cloud))


@route("PATCH", _GROUP, versions=VERSIONS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, shown(cloud, patch_tags(cloud, place, json_body(call))))


@route("DELETE", _GROUP, versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    found = cloud.find(place.id)
    using = [*cloud.referring(SUBNET, place.id), *cloud.referring(NIC, place.id)]
    if found is not None and using:
        raise bad_request(
            f"Network security group {found['id']} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(using)}. In order to delete the Network security group, remove the "
            "association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
            "InUseNetworkSecurityGroupCannotBeDeleted",
        )
    return begin_delete(cloud, place, "nsg")


# ---------------------------------------------------------------- rules


@route("PUT", _RULE, versions=VERSIONS)
def _put_rule(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    nsg = cloud.need(place.parent_id, as_parent=True)
    existing = cloud.find(place.id)
    check_match(call, etag_of(existing))
    rule = made(str(nsg["id"]), place.name if existing is None else str(existing["name"]), body)
    others = [r for r in cloud.resources(RULE, str(nsg["id"])) if str(r["id"]).lower() != place.id.lower()]
    check_priority(rule, others)
    started = begin(cloud, place, "PUT", "nsg", location=str(nsg["location"]), locks=(place.parent_id,))
    rule = stamped(cloud, rule, "Updating")
    cloud.save(rule)
    return accepted(started, rule, existing is not None)


@route("GET", _RULE, versions=VERSIONS)
def _get_rule(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id)
    return _rule(cloud.find(place.id), place)


@route("GET", _GROUP + "/securityRules", versions=VERSIONS)
def _list_rules(cloud: Cloud, call: Call, place: Place) -> Reply:
    nsg = cloud.need(place.id.rpartition("/")[0])
    return cloud.listing(call, cloud.resources(RULE, str(nsg["id"])))


@route("DELETE", _RULE, versions=VERSIONS)
def _delete_rule(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id, as_parent=True)
    return begin_delete(cloud, place, "nsg", locks=(place.parent_id,))


@route("GET", _GROUP + "/defaultSecurityRules", versions=VERSIONS)
def _list_defaults(cloud: Cloud, call: Call, place: Place) -> Reply:
    nsg = cloud.need(place.id.rpartition("/")[0])
    return cloud.listing(call, default_rules(str(nsg["id"])))


@route("GET", _GROUP + "/defaultSecurityRules/{rule}", versions=VERSIONS)
def _get_default(cloud: Cloud, call: Call, place: Place) -> Reply:
    nsg = cloud.need(place.parent_id)
    named = [r for r in default_rules(str(nsg["id"])) if r["name"].lower() == place.name.lower()]
    return _rule(named[0] if named else None, place)


def _rule(found: Json | None, place: Place) -> Reply:
    if found is None:
        raise ArmFault(404, "NotFound", f"Resource {place.id} not found.")
    return Reply(200, {"ETag": str(etag_of(found))}, found)
