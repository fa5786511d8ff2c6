from __future__ import annotations

from typing import Any

import pytest

from runbook.sim.cloud import ArmFault
from runbook.sim.providers.hybridcompute import connect, disconnect, members
from tests.sim.openapi import check, needs_specs
from tests.sim.world import OTHER, RG, SUB, World, scenario

V = "2022-12-27"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"
MACHINE = RG + "/providers/Microsoft.HybridCompute/machines/m"
ENDPOINT = RG + "/providers/Microsoft.Network/privateEndpoints/pe"
PLACE = {"location": "westeurope"}
INTO = {"properties": {"privateLinkScopeResourceId": SCOPE}}


def with_scope(**changes: Any) -> World:
    group = {"id": RG, "location": "westeurope"}
    world = World(scenario(resources=[group, {"id": MACHINE, "location": "westeurope"}], **changes))
    world.ok("PUT", SCOPE, V, PLACE)
    return world


def joined(world: World, *, manual: bool = False) -> str:
    """Connect an endpoint; the connection's id."""
    connect(world.cloud, SCOPE, ENDPOINT, ["hybridcompute"], manual, "please")
    world.state.commit()
    return str(world.get(SCOPE + "/privateEndpointConnections", V)["value"][0]["id"])


def status(world: World, connection: str) -> str:
    return str(world.get(connection, V)["properties"]["privateLinkServiceConnectionState"]["status"])


# ---------------------------------------------------------------- scopes


def test_a_scope_that_does_not_say_is_closed_to_the_public() -> None:
    world = World()
    made = world.call("PUT", SCOPE, V, PLACE)
    assert (made.status, made.body["properties"]["publicNetworkAccess"]) == (201, "Disabled")
    opened = world.ok("PUT", SCOPE, V, {**PLACE, "properties": {"publicNetworkAccess": "enabled"}})
    assert opened["properties"]["publicNetworkAccess"] == "Enabled"
    assert world.ok("PUT", SCOPE, V, PLACE)["properties"]["publicNetworkAccess"] == "Disabled"


def test_a_scope_needs_a_region_and_stays_in_it() -> None:
    world = World()
    assert world.refused("PUT", SCOPE, V, {"properties": {}})[1] == "LocationRequired"
    world.ok("PUT", SCOPE, V, PLACE)
    assert world.refused("PUT", SCOPE, V, {"location": "eastus"})[1] == "InvalidResourceLocation"


def test_patching_a_scope_changes_its_tags_alone() -> None:
    world = with_scope()
    body = {"tags": {"a": "b"}, "properties": {"publicNetworkAccess": "Enabled"}}
    patched = world.ok("PATCH", SCOPE, V, body)
    assert (patched["tags"], patched["properties"]["publicNetworkAccess"]) == ({"a": "b"}, "Disabled")


def test_a_scope_has_seven_members_in_the_recorded_order() -> None:
    world = with_scope()
    found = world.get(SCOPE + "/privateLinkResources/hybridcompute", V)["properties"]
    assert found["requiredMembers"] == [
        "HybridCompute.Global", "HybridCompute.Server", "HybridCompute.TokenService", "GuestConfig.GlobalService",
        "GuestConfig.AgentService.we", "GuestConfig.AgentService.westeurope", "HybridCompute.K8sConfiguration",
    ]  # fmt: skip
    assert [m["fqdns"][0] for m in members(world.cloud, SCOPE, "hybridcompute")] == [
        "gbl.his.arc.azure.com", "we.his.arc.azure.com", "eu-ats.his.arc.azure.com",
        "agentserviceapi.guestconfiguration.azure.com", "we-gas.guestconfiguration.azure.com",
        "westeurope-gas.guestconfiguration.azure.com", "westeurope.dp.kubernetesconfiguration.azure.com",
    ]  # fmt: skip
    assert found["requiredZoneNames"] == [
        "privatelink.his.arc.azure.com", "privatelink.guestconfiguration.azure.com",
        "privatelink.dp.kubernetesconfiguration.azure.com",
    ]  # fmt: skip


def test_another_group_id_is_refused() -> None:
    with pytest.raises(ArmFault, match="Invalid groupId"):
        members(with_scope().cloud, SCOPE, "hostpool")


# ---------------------------------------------------------------- connections


def test_an_automatic_connection_is_approved_at_once_and_a_manual_one_waits_for_the_owner() -> None:
    for manual, word in ((False, "Approved"), (True, "Pending")):
        world = with_scope()
        assert status(world, joined(world, manual=manual)) == word


def test_approving_by_oneself_needs_the_right_on_the_scope() -> None:
    grants = [{"scope": "*", "actions": ["*"], "notActions": ["*/privateEndpointConnectionsApproval/action"]}]
    world = with_scope(operator={"name": "d", "object_id": "o", "permissions": grants})
    world.cloud.turn.caller = world.cloud.operator
    with pytest.raises(ArmFault, match="LinkedAuthorizationFailed"):
        connect(world.cloud, SCOPE, ENDPOINT, ["hybridcompute"], False, "")
    assert connect(world.cloud, SCOPE, ENDPOINT, ["hybridcompute"], True, "")["status"] == "Pending"


def test_the_owner_approves_rejects_and_removes_as_operations() -> None:
    world = with_scope()
    connection = joined(world, manual=True)
    for word in ("Approved", "Rejected"):
        body = {"properties": {"privateLinkServiceConnectionState": {"status": word, "description": "so"}}}
        reply = world.call("PUT", connection, V, body)
        assert (reply.status, reply.body) == (202, None)
        assert world.refused("DELETE", connection, V)[1] == "AnotherOperationInProgress"
        world.wait(30)
        assert status(world, connection) == word
    assert world.call("DELETE", connection, V).status == 202
    world.wait(30)
    assert world.refused("GET", connection, V)[0] == 404
    assert world.call("DELETE", connection, V).status == 204


def test_an_outside_owner_answers_a_manual_connection() -> None:
    owner = {"id": "o", "who": "Scope owner", "on": "connection_pending", "path": "*/S", "after": "1h", "do": "approve"}
    world = with_scope(parties=[owner])
    connection = joined(world, manual=True)
    world.wait(3600)
    state = world.get(connection, V)["properties"]["privateLinkServiceConnectionState"]
    assert (state["status"], state["description"]) == ("Approved", "Approved by Scope owner")


def test_a_connection_goes_with_its_endpoint() -> None:
    world = with_scope()
    joined(world)
    disconnect(world.cloud, SCOPE, ENDPOINT)
    assert world.get(SCOPE, V)["properties"]["privateEndpointConnections"] == []


# ---------------------------------------------------------------- machines


def test_an_association_is_answered_at_once_and_takes_effect_later() -> None:
    world = with_scope()
    patched = world.ok("PATCH", MACHINE, V, INTO)
    assert patched["properties"]["privateLinkScopeResourceId"] == SCOPE
    assert world.refused("GET", MACHINE + "/privateLinkScopes/current", V)[0] == 404
    world.wait(11 * 60)
    assert world.get(MACHINE + "/privateLinkScopes/current", V)["id"] == SCOPE


def test_an_association_is_taken_back_with_null_or_an_empty_text() -> None:
    for nothing in (None, ""):
        world = with_scope()
        world.ok("PATCH", MACHINE, V, INTO)
        world.wait(900)
        world.ok("PATCH", MACHINE, V, {"properties": {"privateLinkScopeResourceId": nothing}})
        world.wait(900)
        assert "privateLinkScopeResourceId" not in world.get(MACHINE, V)["properties"]
        assert world.refused("GET", MACHINE + "/privateLinkScopes/current", V)[0] == 404


def test_a_later_association_overtakes_an_earlier_one() -> None:
    world = with_scope()
    world.ok("PATCH", MACHINE, V, INTO)
    world.wait(60)
    world.ok("PATCH", MACHINE, V, {"properties": {"privateLinkScopeResourceId": ""}})
    world.wait(3600)
    assert world.refused("GET", MACHINE + "/privateLinkScopes/current", V)[0] == 404


def test_machine_and_scope_must_be_in_one_region() -> None:
    world = with_scope()
    elsewhere = SCOPE + "-us"
    world.ok("PUT", elsewhere, V, {"location": "eastus"})
    body = {"properties": {"privateLinkScopeResourceId": elsewhere}}
    assert world.refused("PATCH", MACHINE, V, body)[1] == "PrivateLinkScopeLocationMismatch"


def test_in_the_preview_machine_and_scope_must_be_in_one_subscription() -> None:
    far = RG.replace(SUB, OTHER)
    resources = [
        {"id": RG, "location": "westeurope"},
        {"id": far, "location": "westeurope"},
        {"id": MACHINE, "location": "westeurope"},
        {"id": SCOPE.replace(SUB, OTHER), "location": "westeurope"},
    ]
    subscriptions = [{"id": s, "name": s, "providers": {"Microsoft.HybridCompute": "Registered"}} for s in (SUB, OTHER)]
    body = {"properties": {"privateLinkScopeResourceId": SCOPE.replace(SUB, OTHER)}}
    for era, code in (("preview", 400), ("ga", 200)):
        world = World(scenario(era=era, resources=resources, subscriptions=subscriptions))
        assert world.call("PATCH", MACHINE, V, body).status == code


def test_associating_needs_to_read_the_scope() -> None:
    grants = [{"scope": "*", "actions": ["*"], "notActions": ["Microsoft.HybridCompute/privateLinkScopes/read"]}]
    world = with_scope(operator={"name": "d", "object_id": "o", "permissions": grants})
    assert world.refused("PATCH", MACHINE, V, INTO)[1] == "LinkedAuthorizationFailed"


def test_an_absent_scope_or_machine_is_refused() -> None:
    world = with_scope()
    nowhere = {"properties": {"privateLinkScopeResourceId": SCOPE + "x"}}
    assert world.refused("PATCH", MACHINE, V, nowhere)[1] == "InvalidPrivateLinkScope"
    assert world.refused("PATCH", MACHINE + "x", V, INTO)[1] == "ResourceNotFound"


@needs_specs
@pytest.mark.parametrize("version", ["2022-12-27", "2021-05-20"])
def test_answers_fit_their_descriptions(version: str) -> None:
    world = with_scope()
    connection = joined(world)
    world.ok("PATCH", MACHINE, V, INTO)
    world.wait(900)
    guid = world.get(SCOPE, V)["properties"]["privateLinkScopeId"]
    home = "/providers/Microsoft.HybridCompute"
    approve = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved", "description": "ok"}}}
    for method, path, body in (
        ("PUT", SCOPE + "2", PLACE), ("PUT", SCOPE, PLACE), ("PATCH", SCOPE, {"tags": {}}), ("GET", SCOPE, None),
        ("GET", SCOPE + "x", None), ("GET", RG + home + "/privateLinkScopes", None),
        ("GET", f"/subscriptions/{SUB}{home}/privateLinkScopes", None),
        ("GET", f"/subscriptions/{SUB}{home}/locations/westeurope/privateLinkScopes/{guid}", None),
        ("GET", SCOPE + "/privateLinkResources", None), ("GET", SCOPE + "/privateLinkResources/hybridcompute", None),
        ("GET", SCOPE + "/privateEndpointConnections", None), ("GET", connection, None), ("PUT", connection, approve),
        ("GET", MACHINE, None), ("PATCH", MACHINE, INTO), ("GET", RG + home + "/machines", None),
        ("GET", f"/subscriptions/{SUB}{home}/machines", None),
        ("GET", MACHINE + "/privateLinkScopes/current", None), ("DELETE", MACHINE, None), ("DELETE", SCOPE, None),
    ):  # fmt: skip
        check(method, path, world.call(method, path, version, body), version)
