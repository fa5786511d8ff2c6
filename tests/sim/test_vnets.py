from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.sim.providers.addresses import Pool
from runbook.sim.providers.addresses import held as entry
from runbook.sim.wire import ArmFault
from tests.sim.net import ENDPOINT, HERE, SUBNET, VNET, NetWorld, endpoint_body, vnet_body
from tests.sim.world import SUB

NSG = f"{HERE}/networkSecurityGroups/n1"
GATEWAY = f"{HERE}/virtualNetworkGateways/gw"


def nic(name: str, *addresses: str, subnet: str = SUBNET) -> dict[str, object]:
    configs = [{"name": f"c{a}", "properties": {"privateIPAddress": a, "subnet": {"id": subnet}}} for a in addresses]
    return {
        "id": f"{HERE}/networkInterfaces/{name}",
        "location": "westeurope",
        "properties": {"ipConfigurations": configs},
    }


def test_a_new_network_is_updating_until_its_operation_ends() -> None:
    world = NetWorld()
    path = f"{HERE}/virtualNetworks/v2"
    reply = world.call("PUT", path, body=vnet_body(space="10.9.0.0/16", prefix="10.9.0.0/24"))
    assert reply.status == 201
    assert reply.body["properties"]["provisioningState"] == "Updating"
    assert "/providers/Microsoft.Network/locations/westeurope/operations/" in reply.headers["Azure-AsyncOperation"]
    world.wait(60)
    body = world.get(path)
    assert body["properties"]["provisioningState"] == "Succeeded"
    assert body["properties"]["subnets"][0]["properties"]["provisioningState"] == "Succeeded"
    assert body["etag"] != reply.body["etag"]


def test_a_network_is_listed_in_its_group_and_its_subscription_and_can_be_deleted() -> None:
    world = NetWorld()
    assert [v["name"] for v in world.get(f"{HERE}/virtualNetworks")["value"]] == ["v1"]
    assert [
        v["name"] for v in world.get(f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks")["value"]
    ] == ["v1"]
    reply = world.call("DELETE", VNET)
    assert (reply.status, reply.body) == (202, None)
    assert world.get(VNET)["properties"]["provisioningState"] == "Deleting"
    world.wait(60)
    assert world.refused("GET", VNET)[:2] == (404, "ResourceNotFound")
    assert world.refused("GET", SUBNET)[0] == 404
    assert world.call("DELETE", VNET).status == 204


def test_letter_case_of_an_id_does_not_matter() -> None:
    world = NetWorld()
    assert world.get(SUBNET.upper().replace(SUB.upper(), SUB))["id"] == SUBNET


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("10.1.0.0/24", "NetcfgSubnetRangeOutsideVnet"),
        ("10.0.1.16/28", "NetcfgSubnetRangesOverlap"),
        ("10.0.2.5/24", "InvalidCIDRNotation"),
        ("nonsense", "InvalidAddressPrefixFormat"),
        ("10.0.2.0", "InvalidAddressPrefixFormat"),
    ],
)
def test_a_subnet_whose_range_does_not_fit_is_refused(prefix: str, code: str) -> None:
    world = NetWorld()
    status, said, message = world.refused("PUT", f"{VNET}/subnets/s2", body={"properties": {"addressPrefix": prefix}})
    assert (status, said) == (400, code)
    assert "s2" in message or "v1" in message


def test_writes_to_one_network_exclude_one_another() -> None:
    world = NetWorld()
    first = world.call("PUT", f"{VNET}/subnets/s2", body={"properties": {"addressPrefix": "10.0.2.0/24"}})
    assert first.status == 201
    status, code, message = world.refused(
        "PUT", f"{VNET}/subnets/s3", body={"properties": {"addressPrefix": "10.0.3.0/24"}}
    )
    assert (status, code) == (409, "AnotherOperationInProgress")
    assert first.headers["Azure-AsyncOperation"] in message
    assert world.refused("PUT", VNET, body=vnet_body())[1] == "AnotherOperationInProgress"
    world.wait(60)
    world.ok("PUT", f"{VNET}/subnets/s3", body={"properties": {"addressPrefix": "10.0.3.0/24"}})


def test_a_subnet_put_without_the_security_group_detaches_it() -> None:
    world = NetWorld()
    world.settled("PUT", NSG, body={"location": "westeurope"})
    body = {"properties": {"addressPrefix": "10.0.1.0/27", "networkSecurityGroup": {"id": NSG}}}
    assert world.settled("PUT", SUBNET, body=body)["properties"]["networkSecurityGroup"] == {"id": NSG}
    assert world.get(NSG)["properties"]["subnets"] == [{"id": SUBNET}]
    assert world.refused("DELETE", NSG)[1] == "InUseNetworkSecurityGroupCannotBeDeleted"
    del body["properties"]["networkSecurityGroup"]
    assert "networkSecurityGroup" not in world.settled("PUT", SUBNET, body=body)["properties"]
    assert "subnets" not in world.get(NSG)["properties"]


def test_a_security_group_that_does_not_exist_is_an_invalid_reference() -> None:
    world = NetWorld()
    body = {"properties": {"addressPrefix": "10.0.1.0/27", "networkSecurityGroup": {"id": NSG}}}
    assert world.refused("PUT", SUBNET, body=body)[:2] == (400, "InvalidResourceReference")


def test_network_policies_are_on_by_default_in_the_previews_time_and_off_since() -> None:
    assert NetWorld().get(SUBNET)["properties"]["privateEndpointNetworkPolicies"] == "Disabled"
    assert NetWorld(era="preview").get(SUBNET)["properties"]["privateEndpointNetworkPolicies"] == "Enabled"


def test_a_subnet_with_something_in_it_is_neither_deleted_nor_moved() -> None:
    world = NetWorld(resources=(nic("vm-nic", "10.0.1.4"),))
    status, code, message = world.refused("DELETE", SUBNET)
    assert (status, code) == (400, "InUseSubnetCannotBeDeleted")
    assert "vm-nic" in message
    assert world.refused("DELETE", VNET)[1] == "InUseSubnetCannotBeDeleted"
    moved = {"properties": {"addressPrefix": "10.0.4.0/24"}}
    assert world.refused("PUT", SUBNET, body=moved)[1] == "InUsePrefixCannotBeDeleted"
    empty = vnet_body(subnets=[])
    assert world.refused("PUT", VNET, body=empty)[1] == "InUseSubnetCannotBeDeleted"


def test_a_network_put_leaves_out_only_unused_subnets() -> None:
    world = NetWorld()
    world.settled("PUT", VNET, body=vnet_body(subnets=[]))
    assert world.get(VNET)["properties"]["subnets"] == []


def test_a_gateway_shows_in_its_subnet_and_is_not_counted() -> None:
    gateway_subnet = f"{VNET}/subnets/GatewaySubnet"
    gateway = {
        "id": GATEWAY,
        "location": "westeurope",
        "properties": {
            "gatewayType": "Vpn",
            "ipConfigurations": [{"name": "default", "properties": {"subnet": {"id": gateway_subnet}}}],
        },
    }
    world = NetWorld(resources=(gateway,))
    world.settled("PUT", gateway_subnet, body={"properties": {"addressPrefix": "10.0.255.0/27"}})
    assert world.get(gateway_subnet)["properties"]["ipConfigurations"] == [
        {"id": f"{GATEWAY}/ipConfigurations/default"}
    ]
    lines = {u["id"].rpartition("/")[2]: (u["currentValue"], u["limit"]) for u in world.get(f"{VNET}/usages")["value"]}
    assert lines == {"GatewaySubnet": (-1.0, -1.0), "pe": (0.0, 27.0)}


def test_usages_leave_out_the_five_reserved_addresses() -> None:
    world = NetWorld(prefix="10.0.1.0/29", resources=(nic("n", "10.0.1.4", "10.0.1.5"),))
    (line,) = world.get(f"{VNET}/usages")["value"]
    assert (line["currentValue"], line["limit"]) == (2.0, 3.0)


def test_address_availability_says_what_is_taken_reserved_or_free() -> None:
    world = NetWorld(resources=(nic("n", "10.0.1.4"),))

    def ask(address: str) -> tuple[bool, bool, list[str]]:
        body = world.get(f"{VNET}/CheckIPAddressAvailability?ipAddress={address}")
        return body["available"], body["isPlatformReserved"], body.get("availableIPAddresses", [])

    assert ask("10.0.1.6") == (True, False, [])
    assert ask("10.0.1.4") == (False, False, [f"10.0.1.{n}" for n in range(5, 10)])
    assert ask("10.0.1.3")[:2] == (False, True)
    assert ask("10.0.1.31")[:2] == (False, True)
    path = f"{VNET}/CheckIPAddressAvailability?ipAddress="
    assert world.refused("GET", path + "10.0.9.9")[1] == "PrivateIPAddressNotInAnySubnet"
    assert world.refused("GET", path + "nonsense")[1] == "InvalidIPAddressFormat"


def test_a_network_elsewhere_under_the_same_name_is_refused() -> None:
    world = NetWorld()
    body = vnet_body() | {"location": "northeurope"}
    assert world.refused("PUT", VNET, body=body)[:2] == (409, "InvalidResourceLocation")
    assert world.refused("PUT", f"{HERE}/virtualNetworks/v9", body={"properties": {}})[1] == "LocationRequired"


def test_a_stale_etag_is_refused() -> None:
    world = NetWorld()
    old = world.get(SUBNET)["etag"]
    world.settled("PUT", SUBNET, body={"properties": {"addressPrefix": "10.0.1.0/27"}})
    reply = world.call("PUT", SUBNET, body={"properties": {"addressPrefix": "10.0.1.0/27"}}, headers={"if-match": old})
    assert (reply.status, reply.body["error"]["code"]) == (412, "PreconditionFailed")


def test_a_subnet_of_a_network_that_is_absent_has_no_parent() -> None:
    path = f"{HERE}/virtualNetworks/none/subnets/s"
    assert NetWorld().refused("PUT", path, body={"properties": {"addressPrefix": "10.0.0.0/24"}})[:2] == (
        404,
        "ParentResourceNotFound",
    )


def test_policies_cannot_be_turned_on_where_an_endpoint_stands_in_the_previews_time() -> None:
    world = NetWorld(era="preview", resources=({"id": ENDPOINT, **endpoint_body()},))
    body = {"properties": {"addressPrefix": "10.0.1.0/27", "privateEndpointNetworkPolicies": "Enabled"}}
    said = world.refused("PUT", SUBNET, body=body)[1]
    assert said == "PrivateEndpointNetworkPoliciesCannotBeEnabledOnPrivateEndpointSubnet"


@settings(deadline=None)
@given(
    length=st.integers(24, 29),
    moves=st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=30),
)
def test_addresses_are_never_given_twice_nor_more_than_there_are(length: int, moves: list[tuple[bool, int]]) -> None:
    network = IPv4Network(f"10.0.0.0/{length}")
    held: dict[IPv4Address, str] = {}
    for number, (gives_back, count) in enumerate(moves):
        if gives_back:
            for address in list(held)[:count]:
                del held[address]
            continue
        pool = Pool("s", (network,), sorted(entry(a, nic) for a, nic in held.items()))
        if pool.capacity - len(held) < count:
            with pytest.raises(ArmFault, match="SubnetIsFull"):
                pool.take(count)
            continue
        taken = [IPv4Address(a) for a in pool.take(count)]
        assert len(set(taken)) == count
        assert not set(taken) & set(held)
        assert all(a in network and not pool.is_reserved(a) for a in taken)
        held |= dict.fromkeys(taken, f"nic{number}")
        assert len(held) <= pool.capacity


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"location": 5},
        {"location": "westeurope", "properties": []},
        vnet_body(subnets=[5]),
        vnet_body(subnets={}),
    ],
)
def test_a_malformed_network_is_refused_and_nothing_is_left(body: object) -> None:
    world = NetWorld()
    path = f"{HERE}/virtualNetworks/bad"
    assert world.refused("PUT", path, body=body)[0] == 400
    assert world.refused("GET", path)[0] == 404
    assert world.cloud.next_timer_ms is None
