from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sim.net import (
    ENDPOINT,
    GROUP,
    HERE,
    HYBRID,
    SCOPE,
    SUBNET,
    VNET,
    ZONES,
    NetWorld,
    endpoint_body,
    group_body,
    vnet_body,
    zone_id,
)
from tests.sim.world import OTHER, SUB

MEMBERS = 7
TYPES = f"/subscriptions/{SUB}/providers/Microsoft.Network/locations/westeurope/availablePrivateEndpointTypes"


def connected(world: NetWorld) -> dict[str, Any]:
    body: dict[str, Any] = world.settled("PUT", ENDPOINT, body=endpoint_body())
    return body


def nic_of(world: NetWorld, endpoint: str = ENDPOINT) -> dict[str, Any]:
    body: dict[str, Any] = world.get(world.get(endpoint)["properties"]["networkInterfaces"][0]["id"])
    return body


def addresses(world: NetWorld, endpoint: str = ENDPOINT) -> list[str]:
    return [c["properties"]["privateIPAddress"] for c in nic_of(world, endpoint)["properties"]["ipConfigurations"]]


def used(world: NetWorld) -> float:
    return float(world.get(f"{VNET}/usages")["value"][0]["currentValue"])


# ---------------------------------------------------------------- creating


def test_a_new_endpoint_is_approved_at_once_but_tells_no_names_until_it_is_finished() -> None:
    world = NetWorld()
    reply = world.call("PUT", ENDPOINT, body=endpoint_body())
    properties = reply.body["properties"]
    assert (reply.status, properties["provisioningState"], properties["customDnsConfigs"]) == (201, "Updating", [])
    (connection,) = properties["privateLinkServiceConnections"]
    assert connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    assert properties["networkInterfaces"][0]["id"].startswith(f"{HERE}/networkInterfaces/pe1.nic.")
    world.wait(44)
    assert world.get(ENDPOINT)["properties"]["provisioningState"] == "Updating"
    world.wait(2)
    done = world.get(ENDPOINT)["properties"]
    assert done["provisioningState"] == "Succeeded"
    assert [d["fqdn"] for d in done["customDnsConfigs"]][:2] == ["gbl.his.arc.azure.com", "we.his.arc.azure.com"]
    assert [d["ipAddresses"] for d in done["customDnsConfigs"]] == [[f"10.0.1.{n}"] for n in range(4, 11)]


def test_the_interface_maps_members_to_addresses_and_names() -> None:
    world = NetWorld()
    connected(world)
    nic = nic_of(world)
    first = nic["properties"]["ipConfigurations"][0]["properties"]
    assert nic["properties"]["privateEndpoint"] == {"id": ENDPOINT}
    assert first["privateLinkConnectionProperties"] == {
        "groupId": "hybridcompute",
        "requiredMemberName": "HybridCompute.Global",
        "fqdns": ["gbl.his.arc.azure.com"],
    }
    assert addresses(world) == [f"10.0.1.{n}" for n in range(4, 11)]
    assert [n["name"] for n in world.get(f"{HERE}/networkInterfaces")["value"]] == [nic["name"]]
    assert world.refused("DELETE", nic["id"])[0] == 400


def test_the_owner_sees_the_connection_under_the_endpoints_name_and_guid() -> None:
    world = NetWorld()
    body = connected(world)
    (connection,) = world.get(f"{SCOPE}/privateEndpointConnections", HYBRID)["value"]
    assert connection["name"] == f"pe1.{body['properties']['resourceGuid']}"
    assert connection["properties"]["privateEndpoint"] == {"id": ENDPOINT}


def test_the_subnet_shows_the_endpoint_and_its_addresses_as_used() -> None:
    world = NetWorld()
    connected(world)
    subnet = world.get(SUBNET)["properties"]
    assert subnet["privateEndpoints"] == [{"id": ENDPOINT}]
    assert len(subnet["ipConfigurations"]) == used(world) == MEMBERS


def test_the_same_put_again_changes_nothing_but_the_etag() -> None:
    world = NetWorld()
    before, first = connected(world), addresses(world)
    reply = world.call("PUT", ENDPOINT, body=endpoint_body())
    assert reply.status == 200
    world.wait(60)
    after = world.get(ENDPOINT)
    assert addresses(world) == first
    assert used(world) == MEMBERS
    assert _without_etags(after) == _without_etags(before)


def _without_etags(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_etags(v) for k, v in value.items() if k != "etag"}
    return [_without_etags(v) for v in value] if isinstance(value, list) else value


def test_an_interface_can_be_named() -> None:
    world = NetWorld()
    world.settled("PUT", ENDPOINT, body=endpoint_body(customNetworkInterfaceName="pe1-nic"))
    assert world.get(f"{HERE}/networkInterfaces/pe1-nic")["properties"]["privateEndpoint"] == {"id": ENDPOINT}
    second = f"{HERE}/privateEndpoints/pe2"
    assert world.refused("PUT", second, body=endpoint_body(customNetworkInterfaceName="pe1-nic"))[0] == 400


def test_a_subnet_without_room_is_full_and_nothing_is_left_behind() -> None:
    world = NetWorld(prefix="10.0.1.0/29")
    status, code, message = world.refused("PUT", ENDPOINT, body=endpoint_body())
    assert (status, code) == (400, "SubnetIsFull")
    assert message == "Subnet pe with address prefix 10.0.1.0/29 does not have enough capacity for 7 IP addresses."
    assert world.refused("GET", ENDPOINT)[0] == 404
    assert world.get(f"{SCOPE}/privateEndpointConnections", HYBRID)["value"] == []
    assert used(world) == 0


def test_the_second_endpoint_that_does_not_fit_is_refused() -> None:
    world = NetWorld(prefix="10.0.1.0/28")
    connected(world)
    assert world.refused("PUT", f"{HERE}/privateEndpoints/pe2", body=endpoint_body())[1] == "SubnetIsFull"


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (endpoint_body(target=f"{SCOPE}x"), "InvalidResourceReference"),
        (endpoint_body(target="nonsense"), "LinkedInvalidPropertyId"),
        (endpoint_body(target=VNET), "PrivateLinkServiceTypeNotSupported"),
        (endpoint_body(subnet=f"{VNET}/subnets/none"), "InvalidResourceReference"),
        (endpoint_body(subnet=f"{VNET}x/subnets/pe"), "InvalidResourceReference"),
        (endpoint_body(subnet=VNET), "LinkedInvalidPropertyId"),
        (endpoint_body() | {"location": "northeurope"}, "InvalidResourceReference"),
        (endpoint_body() | {"location": "nowhere"}, "LocationNotAvailableForResourceType"),
        (endpoint_body(group=""), "MissingParameterOnPrivateLinkServiceConnection"),
        (endpoint_body(privateLinkServiceConnections=[]), "InvalidRequestFormat"),
        (endpoint_body(subnet=""), "InvalidRequestContent"),
        ({"location": "westeurope", "properties": 5}, "InvalidRequestContent"),
    ],
)
def test_an_endpoint_that_does_not_fit_is_refused(body: dict[str, Any], code: str) -> None:
    world = NetWorld()
    assert world.refused("PUT", ENDPOINT, body=body)[:2] == (400, code)
    assert used(world) == 0


def test_groups_are_one_and_named() -> None:
    body = endpoint_body()
    connection = body["properties"]["privateLinkServiceConnections"][0]["properties"]
    del connection["groupIds"]
    status, code, message = NetWorld().refused("PUT", ENDPOINT, body=body)
    assert (status, code) == (400, "MissingParameterOnPrivateLinkServiceConnection")
    assert "'group Id'" in message
    connection["groupIds"] = ["hybridcompute", "other"]
    assert NetWorld().refused("PUT", ENDPOINT, body=body)[1] == "OnlyOneGroupIdPermitted"


def test_a_wrong_group_id_fails_the_operation_not_the_call() -> None:
    world = NetWorld()
    code, message = world.failed("PUT", ENDPOINT, body=endpoint_body(group="hybridcomputer"))
    assert code == "InvalidGroupId"
    assert "Invalid groupId" in message
    assert world.get(ENDPOINT)["properties"]["provisioningState"] == "Failed"
    assert used(world) == 0
    assert world.call("DELETE", ENDPOINT).status == 202


def test_an_endpoint_in_another_subscription_than_its_network_is_refused() -> None:
    elsewhere = f"/subscriptions/{OTHER}/resourceGroups/rg2"
    world = NetWorld(resources=({"id": elsewhere, "location": "westeurope"},))
    path = f"{elsewhere}/providers/Microsoft.Network/privateEndpoints/pe1"
    assert world.refused("PUT", path, body=endpoint_body())[1] == "InvalidResourceReference"


def test_target_and_subnet_never_change() -> None:
    world = NetWorld(resources=({"id": f"{SCOPE}2", "location": "westeurope"},))
    world.settled("PUT", f"{VNET}/subnets/s2", body={"properties": {"addressPrefix": "10.0.2.0/24"}})
    connected(world)
    moved = endpoint_body(subnet=f"{VNET}/subnets/s2")
    assert world.refused("PUT", ENDPOINT, body=moved)[1] == "CannotChangeSubnetOnExistingPrivateEndpoint"
    for body in (endpoint_body(target=f"{SCOPE}2"), endpoint_body(group="other"), endpoint_body(manual=True)):
        assert world.refused("PUT", ENDPOINT, body=body)[1] == "CannotChangePrivateLinkConnectionOnPrivateEndpoint"


def test_writes_to_a_network_and_its_endpoints_exclude_one_another() -> None:
    world = NetWorld()
    world.ok("PUT", ENDPOINT, body=endpoint_body())
    for method, path, body in (
        ("PUT", SUBNET, {"properties": {"addressPrefix": "10.0.1.0/27"}}),
        ("PUT", f"{HERE}/privateEndpoints/pe2", endpoint_body()),
        ("DELETE", ENDPOINT, None),
        ("PUT", GROUP, group_body()),
    ):
        assert world.refused(method, path, body=body)[:2] == (409, "AnotherOperationInProgress")


def test_in_the_previews_time_a_flag_and_a_subnet_without_policies_are_needed() -> None:
    resources = ({"id": f"{HERE}/virtualNetworks/v2", **vnet_body()},)
    world = NetWorld(era="preview", resources=resources)
    assert world.refused("PUT", ENDPOINT, body=endpoint_body())[1] == "SubscriptionNotRegisteredForFeature"
    features = f"/subscriptions/{SUB}/providers/Microsoft.Features/providers/Microsoft.Network/features"
    super(NetWorld, world).call("POST", f"{features}/AllowPrivateEndpoints/register", "2021-07-01")
    world.wait(120)
    refused = world.refused("PUT", ENDPOINT, body=endpoint_body())[1]
    assert refused == "PrivateEndpointCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled"
    off = {"properties": {"addressPrefix": "10.0.1.0/27", "privateEndpointNetworkPolicies": "Disabled"}}
    world.settled("PUT", SUBNET, body=off)
    assert connected(world)["properties"]["provisioningState"] == "Succeeded"


def test_types_that_wait_for_a_preview_are_not_offered() -> None:
    offered = [t["resourceName"] for t in NetWorld().get(TYPES)["value"]]
    assert "Microsoft.HybridCompute/privateLinkScopes" in offered
    assert "Microsoft.HybridCompute/privateLinkScopes" not in [
        t["resourceName"] for t in NetWorld(era="preview").get(TYPES)["value"]
    ]


def test_joining_the_subnet_and_approving_the_connection_are_rights_of_their_own() -> None:
    def refused_without(action: str) -> tuple[int, str, str]:
        operator = {
            "name": "dana@contoso.com",
            "object_id": "dd",
            "permissions": [{"actions": ["*"], "notActions": [action]}],
        }
        return NetWorld(operator=operator).refused("PUT", ENDPOINT, body=endpoint_body())

    status, code, message = refused_without("Microsoft.Network/virtualNetworks/subnets/join/action")
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert SUBNET in message
    approval = "Microsoft.HybridCompute/privateLinkScopes/privateEndpointConnectionsApproval/action"
    assert refused_without(approval)[1] == "LinkedAuthorizationFailed"


# ---------------------------------------------------------------- static addresses


def statics(world: NetWorld, *asked: str) -> list[dict[str, Any]]:
    names = world.get(f"{SCOPE}/privateLinkResources/hybridcompute", HYBRID)["properties"]["requiredMembers"]
    return [
        {"name": f"ip{n}", "properties": {"groupId": "hybridcompute", "memberName": name, "privateIPAddress": ip}}
        for n, (name, ip) in enumerate(zip(names, asked, strict=False))
    ]


def test_static_addresses_are_given_as_asked_for() -> None:
    world = NetWorld()
    asked = [f"10.0.1.{n}" for n in range(20, 27)]
    world.settled("PUT", ENDPOINT, body=endpoint_body(ipConfigurations=statics(world, *asked)))
    assert addresses(world) == asked


def test_static_addresses_for_some_members_only_are_refused_and_the_missing_named() -> None:
    world = NetWorld()
    body = endpoint_body(ipConfigurations=statics(world, "10.0.1.20"))
    status, code, message = world.refused("PUT", ENDPOINT, body=body)
    assert (status, code) == (400, "PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps")
    assert "MemberName: HybridCompute.Server" in message
    assert "MemberName: HybridCompute.Global" not in message


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("10.0.1.3", "PrivateIPAddressInReservedRange"),
        ("10.0.1.31", "PrivateIPAddressInReservedRange"),
        ("10.0.2.4", "PrivateIPAddressNotInSubnet"),
        ("10.0.1.21", "PrivateIPAddressIsAllocated"),
        ("10.0.1.10", "PrivateIPAddressIsAllocated"),
        ("10.0.1.x", "InvalidIPAddressFormat"),
    ],
)
def test_a_static_address_that_cannot_be_had_is_refused(first: str, code: str) -> None:
    taken = {
        "id": f"{HERE}/networkInterfaces/vm",
        "location": "westeurope",
        "properties": {
            "ipConfigurations": [{"properties": {"privateIPAddress": "10.0.1.10", "subnet": {"id": SUBNET}}}]
        },
    }
    world = NetWorld(resources=(taken,))
    asked = [first, *(f"10.0.1.{n}" for n in range(21, 27))]
    body = endpoint_body(ipConfigurations=statics(world, *asked))
    assert world.refused("PUT", ENDPOINT, body=body)[:2] == (400, code)


def test_present_addresses_can_be_fixed_but_not_exchanged() -> None:
    world = NetWorld()
    connected(world)
    now = addresses(world)
    world.settled("PUT", ENDPOINT, body=endpoint_body(ipConfigurations=statics(world, *now)))
    others = [f"10.0.1.{n}" for n in range(20, 27)]
    code = world.refused("PUT", ENDPOINT, body=endpoint_body(ipConfigurations=statics(world, *others)))[1]
    assert code == "PrivateEndpointStaticIpMustMatchDynamicIpMapping"


# ---------------------------------------------------------------- the connection's life


def state_of(world: NetWorld) -> str:
    properties = world.get(ENDPOINT)["properties"]
    lists = (*properties["privateLinkServiceConnections"], *properties["manualPrivateLinkServiceConnections"])
    return str(lists[0]["properties"]["privateLinkServiceConnectionState"]["status"])


def answer(world: NetWorld, status: str) -> None:
    (connection,) = world.get(f"{SCOPE}/privateEndpointConnections", HYBRID)["value"]
    body = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": "by the owner"}}}
    super(NetWorld, world).call("PUT", connection["id"], HYBRID, body)
    world.wait(30)


def test_a_manual_connection_waits_for_its_owner_and_has_no_names_until_then() -> None:
    world = NetWorld()
    world.settled("PUT", ENDPOINT, body=endpoint_body(manual=True))
    for name in ZONES:
        world.zone(name)
    world.settled("PUT", GROUP, body=group_body(zone_id(ZONES[0])))
    assert state_of(world) == "Pending"
    assert world.records(zone_id(ZONES[0])) == {}
    answer(world, "Approved")
    assert state_of(world) == "Approved"
    assert sorted(world.records(zone_id(ZONES[0]))) == ["eu-ats", "gbl", "we"]


def test_a_rejected_connection_reads_rejected_and_tells_no_names() -> None:
    world = NetWorld()
    world.settled("PUT", ENDPOINT, body=endpoint_body(manual=True))
    answer(world, "Rejected")
    assert state_of(world) == "Rejected"
    assert world.get(ENDPOINT)["properties"]["customDnsConfigs"] == []


def test_a_connection_that_its_owner_removes_is_disconnected() -> None:
    world = NetWorld()
    connected(world)
    (connection,) = world.get(f"{SCOPE}/privateEndpointConnections", HYBRID)["value"]
    super(NetWorld, world).call("DELETE", connection["id"], HYBRID)
    world.wait(30)
    assert state_of(world) == "Disconnected"


def test_deleting_gives_back_addresses_connection_interface_and_records() -> None:
    world = NetWorld()
    connected(world)
    nic = nic_of(world)["id"]
    zone = world.zone(ZONES[0])
    world.settled("PUT", GROUP, body=group_body(zone))
    assert world.call("DELETE", ENDPOINT).status == 202
    world.wait(60)
    assert world.refused("GET", ENDPOINT)[0] == world.refused("GET", nic)[0] == 404
    assert world.get(f"{SCOPE}/privateEndpointConnections", HYBRID)["value"] == []
    assert world.records(zone) == {}
    assert used(world) == 0
    assert world.call("DELETE", ENDPOINT).status == 204
    assert connected(world)["properties"]["customDnsConfigs"] != []


def test_a_lock_on_the_target_fails_the_deletion() -> None:
    world = NetWorld()
    connected(world)
    lock = f"{SCOPE}/providers/Microsoft.Authorization/locks/keep"
    super(NetWorld, world).call("PUT", lock, "2020-05-01", {"properties": {"level": "CanNotDelete"}})
    code, message = world.failed("DELETE", ENDPOINT)
    assert code == "ScopeLocked"
    assert message.startswith("Call to Microsoft.HybridCompute/privateLinkScopes failed. Error message: The scope")
    assert used(world) == MEMBERS


def test_a_deleted_resource_group_takes_its_endpoints_and_their_records_along() -> None:
    elsewhere = f"/subscriptions/{SUB}/resourceGroups/rg2"
    world = NetWorld(resources=({"id": elsewhere, "location": "westeurope"},))
    endpoint = f"{elsewhere}/providers/Microsoft.Network/privateEndpoints/pe1"
    world.settled("PUT", endpoint, body=endpoint_body())
    zone = world.zone(ZONES[0])
    world.settled("PUT", f"{endpoint}/privateDnsZoneGroups/default", body=group_body(zone))
    assert world.records(zone)
    super(NetWorld, world).call("DELETE", elsewhere, "2021-04-01")
    world.wait(120)
    assert world.records(zone) == {}
    assert used(world) == 0
    assert world.get(f"{SCOPE}/privateEndpointConnections", HYBRID)["value"] == []


def test_endpoints_are_listed_and_tagged() -> None:
    world = NetWorld()
    connected(world)
    everywhere = f"/subscriptions/{SUB}/providers/Microsoft.Network/privateEndpoints"
    assert [e["id"] for e in world.get(everywhere)["value"]] == [ENDPOINT]
    assert [e["id"] for e in world.get(f"{HERE}/privateEndpoints")["value"]] == [ENDPOINT]
    assert super(NetWorld, world).call("PATCH", ENDPOINT, body={"tags": {"a": "b"}}).body["tags"] == {"a": "b"}


# ---------------------------------------------------------------- time and restarts


def _played(world: NetWorld) -> dict[str, Any]:
    connected(world)
    zone = world.zone(ZONES[0])
    world.link(zone)
    world.settled("PUT", GROUP, body=group_body(zone))
    return world.cloud.state.dump()


def test_the_same_calls_make_the_same_cloud() -> None:
    assert _played(NetWorld()) == _played(NetWorld())


def test_what_was_under_way_goes_on_in_a_new_process(tmp_path: Path) -> None:
    first = NetWorld(path=tmp_path / "cloud")
    zone = first.zone(ZONES[0])
    connected(first)
    first.ok("PUT", GROUP, body=group_body(zone))
    first.cloud.state.close()
    second = NetWorld(path=tmp_path / "cloud")
    second.clock.advance_to(first.clock.now_ms())
    assert second.get(GROUP)["properties"]["provisioningState"] == "Updating"
    assert second.refused("DELETE", ENDPOINT)[1] == "AnotherOperationInProgress"
    second.wait(60)
    assert second.get(GROUP)["properties"]["provisioningState"] == "Succeeded"
    assert sorted(second.records(zone)) == ["eu-ats", "gbl", "we"]
    assert addresses(second)[0] == "10.0.1.4"
