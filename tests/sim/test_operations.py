from __future__ import annotations

from typing import Any

from runbook.sim.cloud import Reply
from tests.sim.world import RG, SUB, World, scenario

V = "2022-12-27"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"
FAIL = {"id": "f", "method": "DELETE", "type": "Microsoft.HybridCompute/privateLinkScopes"}


def deleting(**changes: Any) -> tuple[World, Reply]:
    world = World(scenario(**changes))
    world.ok("PUT", SCOPE, V, {"location": "westeurope"})
    return world, world.call("DELETE", SCOPE, V)


def poll(world: World, reply: Reply, header: str) -> Reply:
    return world.call("GET", reply.headers[header].removeprefix("https://management.azure.com"))


def test_status_runs_then_succeeds_and_the_result_comes_by_location() -> None:
    world, reply = deleting()
    assert reply.status == 202
    status = poll(world, reply, "Azure-AsyncOperation")
    assert (status.status, status.body["status"]) == (200, "InProgress")
    assert int(status.headers["Retry-After"]) >= 1
    running = poll(world, reply, "Location")
    assert (running.status, running.body) == (202, None)
    world.wait(10)
    assert poll(world, reply, "Azure-AsyncOperation").body["status"] == "Succeeded"
    assert poll(world, reply, "Location").status == 204


def test_a_failure_stands_in_the_status_with_http_200_and_undoes_the_effect() -> None:
    world, reply = deleting(faults=[{**FAIL, "fail_operation": {"code": "ScopeLocked", "message": "held"}}])
    world.wait(10)
    status = poll(world, reply, "Azure-AsyncOperation")
    assert (status.status, status.body["status"]) == (200, "Failed")
    assert status.body["error"] == {"code": "ScopeLocked", "message": "held"}
    assert poll(world, reply, "Location").status == 409
    assert world.get(SCOPE, V)["name"] == "s"


def test_a_slow_operation_takes_longer() -> None:
    world, reply = deleting(faults=[{**FAIL, "slow": "1h"}])
    world.wait(3600)
    assert poll(world, reply, "Azure-AsyncOperation").body["status"] == "InProgress"
    assert poll(world, reply, "Azure-AsyncOperation").headers["Retry-After"] == "4"
    world.wait(10)
    assert poll(world, reply, "Azure-AsyncOperation").body["status"] == "Succeeded"


def test_what_an_operation_holds_nobody_else_may_write_and_the_refusal_says_where_to_look() -> None:
    world, reply = deleting()
    status, code, message = world.refused("DELETE", SCOPE, V)
    assert (status, code) == (409, "AnotherOperationInProgress")
    assert reply.headers["Azure-AsyncOperation"] in message


def test_an_unknown_operation_or_one_of_another_subscription_is_not_found() -> None:
    world, reply = deleting()
    path = reply.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com")
    other = path.replace(SUB, "22222222-2222-4222-8222-222222222222")
    assert world.refused("GET", other)[:2] == (404, "OperationNotFound")
    assert world.refused("GET", path.replace("operationstatus/", "operationstatus/x"))[0] == 404


def test_the_answers_fit_the_clients_that_follow_location_only() -> None:
    world, reply = deleting()
    assert int(poll(world, reply, "Location").headers["Retry-After"]) >= 1
    assert "Location" in poll(world, reply, "Location").headers
