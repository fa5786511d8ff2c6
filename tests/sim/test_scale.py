"""What the simulator's answers cost in a large estate, counted in documents handed out: never in seconds."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.sim.cloud import Call, Reply
from runbook.sim.scenario_files import load_scenario
from runbook.sim.state import State
from tests.sim.net import ENDPOINT, HERE, NET, SCOPE, SUBNET, VNET, NetWorld, endpoint_body, vnet_body
from tests.sim.world import RG, World, scenario

ESTATE = {
    "Microsoft.DesktopVirtualization/hostPools": 200,
    "Microsoft.DesktopVirtualization/workspaces": 60,
    "Microsoft.DesktopVirtualization/applicationGroups": 200,
    "Microsoft.DesktopVirtualization/hostPools/sessionHosts": 2000,
    "Microsoft.Compute/virtualMachines": 2000,
    "Microsoft.Network/networkInterfaces": 2000,
}


@pytest.fixture(scope="module")
def estate() -> World:
    return World(load_scenario("avd-estate"))


def cost(world: World, call: Call) -> tuple[Reply, int]:
    """A reply, and how many documents were handed out for it."""
    world.cloud.catch_up()
    before = world.state.copies
    reply = world.cloud.handle(call)
    assert reply.status < 400, reply
    return reply, world.state.copies - before


def test_the_estate_is_as_large_as_it_says(estate: World) -> None:
    assert {kind: len(estate.cloud.resources(kind)) for kind in ESTATE} == ESTATE


def test_the_estates_subnets_hold_an_endpoint_for_everything(estate: World) -> None:
    inputs = estate.scenario.inputs
    needed = {str(inputs["subnet"]).lower(): 1}
    for kind, members in (("hostPools", 4), ("workspaces", 2)):
        for target in estate.cloud.resources(f"Microsoft.DesktopVirtualization/{kind}"):
            subnet = inputs["placements"].get(target["name"], inputs["subnet"]).lower()
            assert subnet.split("/")[2] == target["id"].split("/")[2]
            needed[subnet] = needed.get(subnet, 0) + members
    assert len(needed) == 3
    for subnet, count in needed.items():
        usages = estate.get(subnet.rsplit("/", 2)[0] + "/usages", NET)["value"]
        free = {u["id"].lower(): u["limit"] - u["currentValue"] for u in usages}[subnet]
        assert free >= count + 4


def test_the_estates_machines_are_on_off_and_in_use(estate: World) -> None:
    pool = f"/subscriptions/{estate.scenario.inputs['subscriptions'][0]}/resourceGroups/rg-avd/providers"
    hosts = estate.get(f"{pool}/Microsoft.DesktopVirtualization/hostPools/hp-001/sessionHosts", "2024-04-03")["value"]
    assert [h["properties"]["status"] for h in hosts] == ["Available"] * 9 + ["Shutdown"]
    assert [bool(h["properties"]["sessions"]) for h in hosts] == [True] * 3 + [False] * 7


def test_the_estate_grows_by_a_host_pool_after_hours() -> None:
    world = World(load_scenario("avd-estate"))
    world.wait(3 * 3600 - 1)
    world.cloud.catch_up()
    assert len(world.cloud.resources("Microsoft.DesktopVirtualization/hostPools")) == 200
    world.wait(1)
    world.cloud.catch_up()
    assert len(world.cloud.resources("Microsoft.DesktopVirtualization/hostPools")) == 201
    assert [d["outcome"] for d in (world.state.get("parties", "growth") or {})["done"]] == ["201"]


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("Microsoft.Compute/virtualMachines", "2024-03-01"),
        ("Microsoft.Network/networkInterfaces", NET),
        ("Microsoft.DesktopVirtualization/hostPools", "2024-04-03"),
    ],
)
def test_a_page_of_a_long_list_costs_what_stands_on_it(estate: World, path: str, version: str) -> None:
    sub = estate.scenario.inputs["subscriptions"][0]
    reply, copies = cost(estate, Call("GET", f"/subscriptions/{sub}/providers/{path}", {"api-version": version}))
    assert len(reply.body["value"]) == 100
    assert "nextLink" in reply.body
    assert copies <= 2 * 100 + 20


def test_every_page_together_is_the_whole_list_once(estate: World) -> None:
    sub = estate.scenario.inputs["subscriptions"][0]
    query = {"api-version": "2024-03-01"}
    names: list[str] = []
    for page in range(14):
        call = Call(
            "GET",
            f"/subscriptions/{sub}/providers/Microsoft.Compute/virtualMachines",
            {**query, "$skiptoken": str(page * 100)},
        )
        names += [vm["name"] for vm in estate.cloud.handle(call).body["value"]]
    assert len(names) == len(set(names)) == 1400


def put_endpoint(name: str) -> Call:
    return Call("PUT", f"{HERE}/privateEndpoints/{name}", {"api-version": NET}, {}, endpoint_body())


def test_an_endpoint_costs_the_same_beside_many_as_beside_few() -> None:
    world = NetWorld(prefix="10.0.8.0/21")
    costs = []
    for number in range(120):
        reply, copies = cost(world, put_endpoint(f"pe-{number}"))
        assert reply.status == 201
        costs.append(copies)
        world.wait(60)
    assert costs[-1] <= costs[5]


def test_an_address_among_many_is_found_without_looking_at_any() -> None:
    inner = {"ipConfigurations": [{"properties": {"subnet": {"id": SUBNET}}}]}
    names = (f"{HERE}/networkInterfaces/n-{n:03}" for n in range(300))
    nics = [{"id": name, "location": "westeurope", "properties": inner} for name in names]
    few, many = NetWorld(prefix="10.0.8.0/21"), NetWorld(prefix="10.0.8.0/21", resources=tuple(nics))
    (_, cheap), (_, dear) = cost(few, put_endpoint("a")), cost(many, put_endpoint("a"))
    assert cheap == dear
    nic = many.get(ENDPOINT.replace("pe1", "a"))["properties"]["networkInterfaces"][0]["id"]
    first = many.get(nic)["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    assert first == "10.0.9.48"  # four are kept back, 300 are held


def test_the_log_of_one_call_is_found_among_many() -> None:
    world = World(scenario())
    for number in range(50):
        query = {"api-version": "2022-12-27"}
        headers = {"x-ms-correlation-request-id": f"00000000-0000-4000-8000-{number:012}"}
        world.cloud.handle(Call("PUT", f"{SCOPE}-{number}", query, headers, {"location": "westeurope"}))
    log = f"/subscriptions/{RG.split('/')[2]}/providers/Microsoft.Insights/eventtypes/management/values"
    wanted = f"eventTimestamp ge '{world.scenario.start}' and correlationId eq '00000000-0000-4000-8000-000000000033'"
    reply, copies = cost(world, Call("GET", log, {"api-version": "2015-04-01", "$filter": wanted}))
    assert [e["resourceId"] for e in reply.body["value"]] == [f"{SCOPE}-33"]
    assert copies < 10


# ---------------------------------------------------------------- indices


def by_colour(key: str, doc: dict[str, Any]) -> list[tuple[str, str]]:
    return [(colour, key) for colour in doc["colours"]]


def test_an_index_follows_puts_deletes_and_rollbacks() -> None:
    state = State()
    state.put("t", "a", {"colours": ["red", "blue"]})
    state.index("t", "colour", by_colour)
    state.put("t", "b", {"colours": ["red"]})
    assert state.entries("colour", "red") == ["a", "b"]
    mark = state.mark()
    state.put("t", "a", {"colours": ["blue", "green"]})
    state.delete("t", "b")
    assert [state.entries("colour", c) for c in ("red", "blue", "green")] == [[], ["a"], ["a"]]
    state.rollback(mark)
    assert [state.entries("colour", c) for c in ("red", "blue", "green")] == [["a", "b"], ["a"], []]
    assert state.entries("colour", "red", "b") == ["b"]


def test_what_refers_to_a_resource_is_known_also_after_a_restart(tmp_path: Any) -> None:
    path = tmp_path / "cloud.db"
    made = scenario(
        resources=[
            {"id": RG, "location": "westeurope"},
            {"id": VNET, **vnet_body()},
            {"id": SCOPE, "location": "westeurope"},
            {"id": ENDPOINT, **endpoint_body()},
        ]
    )
    world = World(made, path)
    world.ok("PUT", SCOPE, "2022-12-27", {"location": "westeurope"})
    kind = "Microsoft.Network/privateEndpoints"
    assert world.cloud.referring(kind, SUBNET.upper()) == [ENDPOINT]
    assert world.cloud.referring(kind, ENDPOINT) == []
    world.state.close()
    again = World(made, path)
    assert again.cloud.referring(kind, SUBNET) == [ENDPOINT]
    assert again.get(SUBNET, NET)["properties"]["privateEndpoints"] == [{"id": ENDPOINT}]


def test_a_list_is_looked_at_document_by_document() -> None:
    world = World(scenario(resources=[{"id": RG, "location": "westeurope"}, {"id": SCOPE, "location": "westeurope"}]))
    found = world.cloud.resources("Microsoft.HybridCompute/privateLinkScopes")
    before = world.state.copies
    assert (len(found), bool(found), world.state.copies) == (1, True, before)
    assert found[0]["name"] == found[-1:][0]["name"] == "pls"
    world.cloud.drop(SCOPE)
    assert list(found) == []
    with pytest.raises(LookupError, match="gone"):
        found[0]
