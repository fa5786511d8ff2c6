from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sim.net import (
    DNS,
    ENDPOINT,
    GROUP,
    HERE,
    ZONES,
    NetWorld,
    endpoint_body,
    group_body,
    zone_id,
)

MEMBERS = 7


def connected(world: NetWorld) -> dict[str, Any]:
    body: dict[str, Any] = world.settled("PUT", ENDPOINT, body=endpoint_body())
    return body


def addresses(world: NetWorld, endpoint: str = ENDPOINT) -> list[str]:
    nic = world.get(world.get(endpoint)["properties"]["networkInterfaces"][0]["id"])
    return [c["properties"]["privateIPAddress"] for c in nic["properties"]["ipConfigurations"]]


def test_a_zone_group_writes_the_records_of_each_zone_and_empties_the_custom_configs() -> None:
    world = NetWorld()
    connected(world)
    zones = [world.zone(name) for name in ZONES]
    reply = world.call("PUT", GROUP, body=group_body(*zones))
    assert (reply.status, reply.body["properties"]["provisioningState"]) == (201, "Updating")
    assert world.records(zones[0]) == {}
    world.wait(30)
    assert world.get(ENDPOINT)["properties"]["customDnsConfigs"] == []
    assert world.records(zones[0]) == {"gbl": ["10.0.1.4"], "we": ["10.0.1.5"], "eu-ats": ["10.0.1.6"]}
    assert sorted(world.records(zones[1])) == ["agentserviceapi", "we-gas", "westeurope-gas"]
    assert sorted(world.records(zones[2])) == ["westeurope"]
    configs = world.get(GROUP)["properties"]["privateDnsZoneConfigs"]
    assert configs[2]["properties"]["recordSets"] == [
        {
            "recordType": "A",
            "recordSetName": "westeurope",
            "fqdn": "westeurope.privatelink.dp.kubernetesconfiguration.azure.com",
            "ttl": 10,
            "ipAddresses": ["10.0.1.10"],
            "provisioningState": "Succeeded",
        }
    ]
    record = world.get(f"{zones[0]}/A/gbl", DNS)["properties"]
    assert record["metadata"]["creator"].startswith("created by private endpoint pe1 with resource guid ")


def test_removing_the_group_removes_its_records_and_fills_the_custom_configs_again() -> None:
    world = NetWorld()
    connected(world)
    zone = world.zone(ZONES[0])
    world.settled("PUT", GROUP, body=group_body(zone))
    assert world.call("DELETE", GROUP).status == 202
    world.wait(30)
    assert world.refused("GET", GROUP)[:2] == (404, "NotFound")
    assert world.records(zone) == {}
    assert len(world.get(ENDPOINT)["properties"]["customDnsConfigs"]) == MEMBERS
    assert world.call("DELETE", GROUP).status == 204


def test_an_endpoint_has_one_group() -> None:
    world = NetWorld()
    connected(world)
    zone = world.zone(ZONES[0])
    world.settled("PUT", GROUP, body=group_body(zone))
    status, code, message = world.refused("PUT", f"{ENDPOINT}/privateDnsZoneGroups/second", body=group_body(zone))
    assert (status, code) == (400, "BadRequest")
    assert "more than one private dns zone group" in message
    assert [g["name"] for g in world.get(f"{ENDPOINT}/privateDnsZoneGroups")["value"]] == ["default"]


def test_a_group_has_at_most_five_zones_each_with_a_name_of_its_own() -> None:
    world = NetWorld()
    connected(world)
    zones = [world.zone(f"privatelink.z{n}.example.com") for n in range(6)]
    assert world.refused("PUT", GROUP, body=group_body(*zones))[0] == 400
    assert world.call("PUT", GROUP, body=group_body(*zones[:5])).status == 201
    world.wait(30)
    doubled = group_body(zones[0], zones[0])
    reply = world.call("PUT", GROUP, body=doubled)
    assert reply.body["error"]["details"][0]["code"] == "DuplicateResourceName"
    del doubled["properties"]["privateDnsZoneConfigs"][0]["name"]
    assert world.refused("PUT", GROUP, body=doubled)[:2] == (400, "InvalidRequestFormat")


def test_a_zone_that_does_not_exist_is_refused() -> None:
    world = NetWorld()
    connected(world)
    status, code, message = world.refused("PUT", GROUP, body=group_body(zone_id(ZONES[0])))
    assert (status, code) == (400, "InvalidPrivateDnsZoneIds")
    assert ZONES[0] in message


def test_of_two_endpoints_for_one_service_the_last_writes_and_any_deletion_removes() -> None:
    world = NetWorld()
    second = f"{HERE}/privateEndpoints/pe2"
    connected(world)
    zone = world.zone(ZONES[2])
    world.settled("PUT", GROUP, body=group_body(zone))
    world.settled("PUT", second, body=endpoint_body())
    world.settled("PUT", f"{second}/privateDnsZoneGroups/default", body=group_body(zone))
    assert world.records(zone) == {"westeurope": [addresses(world, second)[-1]]}
    world.call("DELETE", ENDPOINT)
    world.wait(60)
    assert world.records(zone) == {}


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "put", "delete", "fail", "endpoint"]), st.sets(st.sampled_from(ZONES))),
        max_size=8,
    )
)
def test_zones_hold_exactly_what_the_finished_group_says(moves: list[tuple[str, set[str]]]) -> None:
    fault = {
        "id": "f",
        "method": "PUT",
        "path": "*/privatednszonegroups/default",
        "fail_operation": {"code": "InternalServerError", "message": "An error occurred."},
        "nth": 1 + next((n for n, m in enumerate(m for m in moves if m[0] in ("put", "fail")) if m[0] == "fail"), 98),
    }
    world = NetWorld(faults=[fault])
    connected(world)
    zones = {name: world.zone(name) for name in ZONES}
    expected: set[str] = set()
    for what, names in moves:
        if what in ("put", "fail"):
            reply = world.call("PUT", GROUP, body=group_body(*(zones[n] for n in sorted(names))))
            assert reply.status in (200, 201)
            world.wait(30)
            if world.get(GROUP)["properties"]["provisioningState"] == "Succeeded":
                expected = names
        elif what == "delete":
            world.call("DELETE", GROUP)
            world.wait(30)
            expected = set()
        else:
            world.settled("PUT", ENDPOINT, body=endpoint_body())
        assert {name for name, zone in zones.items() if world.records(zone)} == expected
    world.call("DELETE", ENDPOINT)
    world.wait(60)
    assert [world.records(zone) for zone in zones.values()] == [{}, {}, {}]
    assert world.cloud.state.keys("zone_group_records") == []
