"""Microsoft.Authorization: what the caller may do, and locks.

A right is held when one role assignment that covers the scope has an ``actions`` pattern that matches and no
``notActions`` pattern that does. A lock holds for its scope and everything below it.

Source: Microsoft.Authorization OpenAPI 2022-04-01 (permissions) and 2020-05-01 (locks); "Lock your resources",
learn.microsoft.com.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.routes import SUBSCRIPTION, Place, route
from runbook.sim.scenario import Grant
from runbook.sim.seeding import seeder
from runbook.sim.wire import ArmFault, Call, Json, Reply, json_body, obj, one_of, resource_not_found, text

PERMISSIONS: Final = frozenset({"2015-07-01", "2018-01-01-preview", "2018-07-01", "2022-04-01"})
LOCKS: Final = frozenset({"2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"})
LOCK: Final = "Microsoft.Authorization/locks"
_AUTH: Final = "/providers/Microsoft.Authorization"
_SCOPES: Final = (SUBSCRIPTION, SUBSCRIPTION + "/{rest+}")
_REST: Final = re.compile(r"resourcegroups/[^/]+(/providers/[^/]+(/[^/]+/[^/]+)+)?", re.IGNORECASE)


# ---------------------------------------------------------------- rights


def may(cloud: Cloud, scope: str, action: str) -> bool:
    """Whether the present caller holds ``action`` at ``scope`` (a subscription's, group's or resource's id)."""
    wanted = action.lower()
    for grant in _covering(cloud, scope):
        allowed = any(fnmatchcase(wanted, pattern.lower()) for pattern in grant.actions)
        if allowed and not any(fnmatchcase(wanted, pattern.lower()) for pattern in grant.not_actions):
            return True
    return False


def check(cloud: Cloud, place: Place) -> None:
    """Refuse what the caller may not do.

    Raises:
        ArmFault: 403 ``AuthorizationFailed``.
    """
    if not place.sub or place.action.lower().startswith("microsoft.authorization/permissions/"):
        return  # listing one's own rights and subscriptions needs none
    if not may(cloud, place.id, place.action):
        who = cloud.turn.caller
        raise ArmFault(
            403,
            "AuthorizationFailed",
            f"The client '{who.name}' with object id '{who.object_id}' does not have authorization to perform action "
            f"'{place.action}' over scope '{place.id}' or the scope is invalid. If access was recently granted, "
            "please refresh your credentials.",
        )


def check_linked(cloud: Cloud, place: Place, action: str, linked_id: str) -> None:
    """Refuse a write that needs a right on another resource too: joining a subnet, approving a connection.

    Raises:
        ArmFault: 403 ``LinkedAuthorizationFailed``.
    """
    if cloud.turn.caller.kind == "platform" or may(cloud, linked_id, action):
        return
    who = cloud.turn.caller
    raise ArmFault(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{who.name}' with object id '{who.object_id}' has permission to perform action '{place.action}' "
        f"on scope '{place.id}'; however, it does not have permission to perform action '{action}' on the linked "
        f"scope(s) '{linked_id}' or the linked scope(s) are invalid.",
    )


def _covering(cloud: Cloud, scope: str) -> list[Grant]:
    where = scope.lower() + "/"
    grants = cloud.turn.caller.grants
    return [g for g in grants if g.scope == "*" or where.startswith(g.scope.lower().rstrip("/") + "/")]


def _permissions(cloud: Cloud, call: Call, place: Place) -> Reply:
    scope = _scope(place)
    entries = [
        {"actions": g.actions, "notActions": g.not_actions, "dataActions": [], "notDataActions": []}
        for g in _covering(cloud, scope)
    ]
    return cloud.listing(call, entries)


def _scope(place: Place) -> str:
    rest = place.params.get("rest")
    if rest is not None and not _REST.fullmatch(rest):
        raise ArmFault(404, "InvalidRequestUri", f"'{place.id}' names no scope.")
    return place.id[: place.id.lower().rindex(_AUTH.lower())]


# ---------------------------------------------------------------- locks


def check_locks(cloud: Cloud, resource_id: str, verb: str) -> None:
    """Refuse what a lock on the resource, or on anything above it, forbids.

    ``verb`` is ``write`` (only ``ReadOnly`` forbids it) or ``delete``; deleting a group also minds locks inside it.

    Raises:
        ArmFault: 409 ``ScopeLocked``.
    """
    if _AUTH.lower() + "/locks" in resource_id.lower():
        return
    where = resource_id.lower()
    is_group = where.count("/") == 4
    holding = []
    for lock in cloud.resources(LOCK):
        scope = str(lock["id"]).lower().rpartition(_AUTH.lower())[0]
        level = lock["properties"]["level"]
        covers = f"{where}/".startswith(f"{scope}/")
        inside = verb == "delete" and is_group and scope.startswith(f"{where}/")
        if (covers or inside) and (level == "ReadOnly" or (level == "CanNotDelete" and verb == "delete")):
            holding.append(str(lock["id"])[: len(scope)])
    if holding:
        raise ArmFault(
            409,
            "ScopeLocked",
            f"The scope '{resource_id}' cannot perform {verb} operation because following scope(s) are locked: "
            f"'{','.join(dict.fromkeys(holding))}'. Please remove the lock and try again.",
        )


def _list_locks(cloud: Cloud, call: Call, place: Place) -> Reply:
    """Locks of a scope: those on it, above it and below it, as ARM lists them."""
    scope = _scope(place).lower()
    found = []
    for lock in cloud.resources(LOCK):
        own = str(lock["id"]).lower().rpartition(_AUTH.lower())[0]
        if f"{own}/".startswith(f"{scope}/") or f"{scope}/".startswith(f"{own}/"):
            found.append(lock)
    return cloud.listing(call, found)


def _get_lock(cloud: Cloud, call: Call, place: Place) -> Reply:
    _scope(place)
    lock = cloud.find(place.id)
    if lock is None:
        raise ArmFault(404, "LockNotFound", f"The lock '{place.name}' could not be found.")
    return Reply(200, {}, lock)


def _put_lock(cloud: Cloud, call: Call, place: Place) -> Reply:
    scope = _scope(place)
    body = json_body(call)
    text(body, "properties", "level", required=True)
    level = one_of(body, "properties", "level", among=("NotSpecified", "CanNotDelete", "ReadOnly"), default="")
    if place.params.get("rest", "").lower().count("/providers/") and cloud.find(scope) is None:
        raise resource_not_found(scope)
    existed = cloud.find(place.id)
    properties: Json = {"level": level}
    if notes := text(body, "properties", "notes"):
        properties["notes"] = notes
    lock = {"id": place.id, "name": place.name, "type": LOCK, "properties": properties}
    cloud.save(lock)
    return Reply(200 if existed else 201, {}, lock)


def _delete_lock(cloud: Cloud, call: Call, place: Place) -> Reply:
    _scope(place)
    if cloud.find(place.id) is None:
        return Reply(204)
    cloud.drop(place.id)
    return Reply(200)


@seeder(LOCK)
def _seed_lock(cloud: Cloud, body: Json) -> None:
    cloud.save({"name": body["id"].rpartition("/")[2], "type": LOCK, **body, "properties": obj(body, "properties")})


for _where in _SCOPES:
    route("GET", _where + _AUTH + "/permissions", versions=PERMISSIONS, registered=False)(_permissions)
    route("GET", _where + _AUTH + "/locks", versions=LOCKS, registered=False)(_list_locks)
    route("GET", _where + _AUTH + "/locks/{name}", versions=LOCKS, registered=False)(_get_lock)
    route("PUT", _where + _AUTH + "/locks/{name}", versions=LOCKS, registered=False)(_put_lock)
    route("DELETE", _where + _AUTH + "/locks/{name}", versions=LOCKS, registered=False)(_delete_lock)

__all__ = ["LOCK", "check", "check_linked", "check_locks", "may"]
