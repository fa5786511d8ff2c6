from __future__ import annotations

from typing import Any

import pytest

from tests.sim.net import HERE, NetWorld
from tests.sim.world import SUB

NSG = f"{HERE}/networkSecurityGroups/n1"
RULE = f"{NSG}/securityRules/AllowAADOutboundAccess"


def rule(priority: int = 150, **properties: Any) -> dict[str, Any]:
    return {
        "properties": {
            "protocol": "TCP",
            "sourcePortRange": "*",
            "destinationPortRange": "443",
            "sourceAddressPrefix": "VirtualNetwork",
            "destinationAddressPrefix": "AzureActiveDirectory",
            "access": "Allow",
            "priority": priority,
            "direction": "Outbound",
            **properties,
        }
    }


def made(**properties: Any) -> NetWorld:
    world = NetWorld()
    world.settled("PUT", NSG, body={"location": "westeurope", "properties": properties})
    return world


def test_a_new_group_has_the_six_default_rules_and_no_others() -> None:
    world = made()
    body = world.get(NSG)["properties"]
    assert body["securityRules"] == []
    assert [r["properties"]["priority"] for r in body["defaultSecurityRules"]] == [65000, 65001, 65500] * 2
    assert len(world.get(f"{NSG}/defaultSecurityRules")["value"]) == 6
    assert world.get(f"{NSG}/defaultSecurityRules/DenyAllOutBound")["properties"]["access"] == "Deny"
    assert world.refused("GET", f"{NSG}/defaultSecurityRules/None")[:2] == (404, "NotFound")


def test_a_rule_is_written_by_an_operation_and_shows_in_its_group() -> None:
    world = made()
    reply = world.call("PUT", RULE, body=rule())
    assert (reply.status, reply.body["properties"]["provisioningState"]) == (201, "Updating")
    world.wait(10)
    body = world.get(RULE)
    assert body["properties"]["provisioningState"] == "Succeeded"
    assert body["properties"]["protocol"] == "Tcp"
    assert [r["name"] for r in world.get(NSG)["properties"]["securityRules"]] == ["AllowAADOutboundAccess"]
    assert [r["name"] for r in world.get(f"{NSG}/securityRules")["value"]] == ["AllowAADOutboundAccess"]
    assert world.call("PUT", RULE, body=rule()).status == 200


def test_a_priority_that_another_rule_of_the_direction_has_is_refused_and_the_rule_named() -> None:
    world = made(securityRules=[{"name": "DenyInternet", **rule(150, access="Deny")}])
    status, code, message = world.refused("PUT", RULE, body=rule(150))
    assert (status, code) == (400, "SecurityRuleConflict")
    assert "DenyInternet" in message
    assert "AllowAADOutboundAccess" in message
    assert world.refused("GET", RULE)[0] == 404
    world.settled("PUT", RULE, body=rule(150, direction="Inbound"))
    assert world.call("PUT", f"{NSG}/securityRules/Second", body=rule(151)).status == 201


def test_rules_that_collide_inside_one_group_are_refused_together() -> None:
    body = {
        "location": "westeurope",
        "properties": {"securityRules": [{"name": "a", **rule()}, {"name": "b", **rule()}]},
    }
    assert NetWorld().refused("PUT", NSG, body=body)[1] == "SecurityRuleConflict"


@pytest.mark.parametrize("priority", [99, 4097, 0, -1])
def test_a_priority_outside_its_range_is_refused(priority: int) -> None:
    status, code, message = made().refused("PUT", RULE, body=rule(priority))
    assert (status, code) == (400, "SecurityRuleInvalidPriority")
    assert "100-4096" in message


@pytest.mark.parametrize("priority", [100, 4096])
def test_the_ends_of_the_range_are_allowed(priority: int) -> None:
    assert made().call("PUT", RULE, body=rule(priority)).status == 201


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"destinationPortRange": "80,443"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "443-80"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "65536"}, "SecurityRuleInvalidPortRange"),
        ({"sourceAddressPrefix": ""}, "SecurityRuleInvalidAddressPrefix"),
        ({"protocol": "Sctp"}, "InvalidParameter"),
        ({"access": None}, "InvalidRequestContent"),
        ({"priority": "150"}, "InvalidRequestContent"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(properties: dict[str, Any], code: str) -> None:
    assert made().refused("PUT", RULE, body=rule(**properties))[:2] == (400, code)


def test_lists_go_in_the_plural_fields() -> None:
    world = made()
    sent = rule(destinationPortRanges=["80", "443"], destinationAddressPrefixes=["10.0.0.0/8", "10.1.0.0/16"])
    del sent["properties"]["destinationPortRange"], sent["properties"]["destinationAddressPrefix"]
    properties = world.settled("PUT", RULE, body=sent)["properties"]
    assert properties["destinationPortRanges"] == ["80", "443"]
    assert "destinationPortRange" not in properties


def test_writes_to_one_group_exclude_one_another() -> None:
    world = made()
    world.ok("PUT", RULE, body=rule())
    assert world.refused("PUT", f"{NSG}/securityRules/Second", body=rule(151))[:2] == (
        409,
        "AnotherOperationInProgress",
    )
    assert world.refused("DELETE", NSG)[1] == "AnotherOperationInProgress"
    world.wait(10)
    assert world.call("PUT", f"{NSG}/securityRules/Second", body=rule(151)).status == 201


def test_a_group_put_replaces_all_its_rules() -> None:
    world = made(securityRules=[{"name": "old", **rule()}])
    world.settled(
        "PUT", NSG, body={"location": "westeurope", "properties": {"securityRules": [{"name": "new", **rule()}]}}
    )
    assert [r["name"] for r in world.get(NSG)["properties"]["securityRules"]] == ["new"]


def test_a_rule_and_a_group_can_be_deleted() -> None:
    world = made(securityRules=[{"name": "old", **rule()}])
    assert world.call("DELETE", f"{NSG}/securityRules/old").status == 202
    world.wait(10)
    assert world.refused("GET", f"{NSG}/securityRules/old")[:2] == (404, "NotFound")
    assert world.call("DELETE", f"{NSG}/securityRules/old").status == 204
    assert world.call("DELETE", NSG).status == 202
    world.wait(10)
    assert world.refused("GET", NSG)[:2] == (404, "ResourceNotFound")
    assert world.refused("PUT", RULE, body=rule())[:2] == (404, "ParentResourceNotFound")


def test_a_failed_operation_leaves_the_rule_failed() -> None:
    fault = {
        "id": "f",
        "method": "PUT",
        "type": "Microsoft.Network/networkSecurityGroups/securityRules",
        "fail_operation": {"code": "InternalServerError", "message": "An error occurred."},
    }
    world = NetWorld(faults=[fault])
    world.settled("PUT", NSG, body={"location": "westeurope"})
    assert world.failed("PUT", RULE, body=rule())[0] == "InternalServerError"
    assert world.get(RULE)["properties"]["provisioningState"] == "Failed"
    assert world.settled("PUT", RULE, body=rule())["properties"]["provisioningState"] == "Succeeded"


def test_groups_are_listed() -> None:
    world = made()
    assert [n["name"] for n in world.get(f"{HERE}/networkSecurityGroups")["value"]] == ["n1"]
    everywhere = world.get(f"/subscriptions/{SUB}/providers/Microsoft.Network/networkSecurityGroups")
    assert [n["name"] for n in everywhere["value"]] == ["n1"]
    assert world.ok("PATCH", NSG, body={"tags": {"a": "b"}})["tags"] == {"a": "b"}


GATEWAY = f"{HERE}/virtualNetworkGateways/gw"
CONNECTION = f"{HERE}/connections/cn"


def test_gateways_and_connections_read_as_the_scenario_states_them() -> None:
    gateway = {"id": GATEWAY, "location": "westeurope", "properties": {"gatewayType": "ExpressRoute"}}
    connection = {
        "id": CONNECTION,
        "location": "westeurope",
        "properties": {
            "connectionType": "ExpressRoute",
            "connectionStatus": "Connected",
            "virtualNetworkGateway1": {"id": GATEWAY},
        },
    }
    world = NetWorld(resources=(gateway, connection))
    plain = super(NetWorld, world).call  # the gateways' description is not among the files
    assert plain("GET", GATEWAY).body["properties"]["gatewayType"] == "ExpressRoute"
    assert plain("GET", CONNECTION).body["properties"]["connectionStatus"] == "Connected"
    assert "connectionStatus" not in plain("GET", f"{HERE}/connections").body["value"][0]["properties"]
    assert [c["name"] for c in plain("GET", f"{GATEWAY}/connections").body["value"]] == ["cn"]
    assert [g["name"] for g in plain("GET", f"{HERE}/virtualNetworkGateways").body["value"]] == ["gw"]
    assert plain("GET", f"{HERE}/virtualNetworkGateways/none").body["error"]["code"] == "ResourceNotFound"
    assert plain("DELETE", GATEWAY).status == 405
