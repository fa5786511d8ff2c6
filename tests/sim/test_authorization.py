from __future__ import annotations

from typing import Any

import pytest

from tests.sim.net import NET, SUBNET, NetWorld
from tests.sim.openapi import check, needs_specs
from tests.sim.world import OTHER, RG, SUB, World, scenario

LOCKS = "2020-05-01"
SCOPES = "2022-12-27"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"
PLACE = {"location": "westeurope"}
LOCK = "/providers/Microsoft.Authorization/locks/l"


def granted(*permissions: dict[str, Any]) -> World:
    who = {"name": "dana@contoso.com", "object_id": "dddd", "permissions": list(permissions)}
    return World(scenario(operator=who))


def lock(level: str) -> dict[str, Any]:
    return {"properties": {"level": level, "notes": "ours"}}


def test_a_write_without_the_right_is_refused_and_names_who_what_and_where() -> None:
    world = granted({"scope": "*", "actions": ["*/read"]})
    status, code, message = world.refused("PUT", SCOPE, SCOPES, PLACE)
    assert (status, code) == (403, "AuthorizationFailed")
    for word in ("dana@contoso.com", "dddd", "Microsoft.HybridCompute/privateLinkScopes/write", SCOPE):
        assert word in message


@pytest.mark.parametrize(
    ("grant", "is_allowed"),
    [
        ({"scope": "*", "actions": ["*"]}, True),
        ({"scope": RG.upper(), "actions": ["microsoft.hybridcompute/privatelinkscopes/*"]}, True),
        (
            {"scope": f"/subscriptions/{SUB}", "actions": ["*"], "notActions": ["Microsoft.HybridCompute/*/write"]},
            False,
        ),
        ({"scope": f"/subscriptions/{OTHER}", "actions": ["*"]}, False),
        ({"scope": RG + "x", "actions": ["*"]}, False),
        ({"scope": SCOPE, "actions": ["Microsoft.HybridCompute/privateLinkScopes/write"]}, True),
    ],
)
def test_rights_cover_their_scope_and_below_unless_taken_out(grant: dict[str, Any], is_allowed: bool) -> None:
    status = granted(grant).call("PUT", SCOPE, SCOPES, PLACE).status
    assert status == (201 if is_allowed else 403)


def test_what_one_assignment_takes_out_another_may_give() -> None:
    world = granted(
        {"scope": "*", "actions": ["*"], "notActions": ["Microsoft.HybridCompute/*"]},
        {"scope": RG, "actions": ["Microsoft.HybridCompute/*"]},
    )
    assert world.call("PUT", SCOPE, SCOPES, PLACE).status == 201


def test_the_callers_permissions_are_listed_for_subscription_group_and_resource() -> None:
    world = granted({"scope": "*", "actions": ["*/read"]}, {"scope": RG, "actions": ["*"], "notActions": ["a/b"]})
    rights = "/providers/Microsoft.Authorization/permissions"
    assert len(world.get(f"/subscriptions/{SUB}{rights}", "2022-04-01")["value"]) == 1
    for scope in (RG, SCOPE):
        entries = world.get(scope + rights, "2022-04-01")["value"]
        assert [e["notActions"] for e in entries] == [[], ["a/b"]]


def test_a_read_only_lock_on_the_subscription_forbids_writes_below_it() -> None:
    world = World()
    world.ok("PUT", f"/subscriptions/{SUB}{LOCK}", LOCKS, lock("ReadOnly"))
    status, code, message = world.refused("PUT", SCOPE, SCOPES, PLACE)
    assert (status, code) == (409, "ScopeLocked")
    assert f"'/subscriptions/{SUB}'" in message
    world.ok("DELETE", f"/subscriptions/{SUB}{LOCK}", LOCKS)
    assert world.call("PUT", SCOPE, SCOPES, PLACE).status == 201


def test_a_delete_lock_forbids_deleting_only() -> None:
    world = World()
    world.ok("PUT", SCOPE, SCOPES, PLACE)
    world.ok("PUT", SCOPE + LOCK, LOCKS, lock("CanNotDelete"))
    assert world.call("PUT", SCOPE, SCOPES, PLACE).status == 200
    assert world.refused("DELETE", SCOPE, SCOPES)[1] == "ScopeLocked"
    assert world.refused("DELETE", RG, "2021-04-01")[1] == "ScopeLocked"


def test_locks_are_listed_with_those_above_and_below() -> None:
    world = World()
    world.ok("PUT", SCOPE, SCOPES, PLACE)
    world.ok("PUT", SCOPE + LOCK, LOCKS, lock("CanNotDelete"))
    world.ok("PUT", f"/subscriptions/{SUB}{LOCK}", LOCKS, lock("CanNotDelete"))
    for scope in (f"/subscriptions/{SUB}", RG, SCOPE):
        assert len(world.get(scope + LOCK.rpartition("/")[0], LOCKS)["value"]) == 2
    assert world.get(RG.replace(SUB, OTHER).rsplit("/", 2)[0] + LOCK.rpartition("/")[0], LOCKS)["value"] == []


def test_a_lock_on_something_absent_or_of_an_unknown_level_is_refused() -> None:
    world = World()
    assert world.refused("PUT", SCOPE + LOCK, LOCKS, lock("ReadOnly"))[0] == 404
    assert world.refused("PUT", RG + LOCK, LOCKS, lock("Fancy"))[0] == 400
    assert world.refused("GET", RG + LOCK, LOCKS)[:2] == (404, "LockNotFound")


@needs_specs
def test_permission_and_lock_answers_fit_their_descriptions() -> None:
    world = World()
    world.ok("PUT", SCOPE, SCOPES, PLACE)
    for scope in (f"/subscriptions/{SUB}", RG, SCOPE):
        for method, path, body in (
            ("PUT", scope + LOCK, lock("CanNotDelete")),
            ("GET", scope + LOCK, None),
            ("GET", scope + LOCK.rpartition("/")[0], None),
            ("DELETE", scope + LOCK, None),
        ):
            check(method, path, world.call(method, path, LOCKS, body), LOCKS)
    path = RG + "/providers/Microsoft.Authorization/permissions"
    check("GET", path, world.call("GET", path, "2022-04-01"), "2022-04-01")


def test_a_lock_is_put_read_listed_and_removed_on_a_resource_and_on_one_below_another() -> None:
    world = NetWorld()
    for scope in (SCOPE.rpartition("/")[0] + "/pls", SUBNET):
        path = scope + LOCK
        made = world.call("PUT", path, LOCKS, lock("CanNotDelete"))
        assert (made.status, made.body["id"]) == (201, path)
        assert world.call("PUT", path, LOCKS, lock("CanNotDelete")).status == 200
        assert world.get(path, LOCKS) == made.body
        assert world.get(scope + LOCK.rpartition("/")[0], LOCKS)["value"] == [made.body]
        assert world.refused("DELETE", scope, NET if scope == SUBNET else SCOPES)[1] == "ScopeLocked"
        assert world.call("DELETE", path, LOCKS).status == 200
        assert world.call("DELETE", path, LOCKS).status == 204
