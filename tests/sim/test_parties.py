from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.core.clock import VirtualClock
from runbook.core.error import BookError
from runbook.sim.cloud import Call, Cloud
from runbook.sim.state import State
from tests.sim.net import HERE, NetWorld, endpoint_body, zone_id
from tests.sim.world import RG, SUB, World, scenario

V = "2022-12-27"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"
PLACE = {"location": "westeurope"}
PUT = {"do": "put", "path": SCOPE, "body": PLACE}


def done(world: World, party: str) -> list[str]:
    row = world.state.get("parties", party) or {"done": []}
    return [d["outcome"] for d in row["done"]]


def acting(**party: Any) -> World:
    return World(scenario(parties=[{"id": "p", "who": "colleague", **party}]))


def test_a_party_acts_at_its_time_in_its_own_name() -> None:
    world = acting(at="1h", after="30m", do=PUT)
    world.wait(5399)
    assert world.refused("GET", SCOPE, V)[0] == 404
    world.wait(1)
    assert world.get(SCOPE, V)["name"] == "s"
    log = f"/subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values"
    found = world.get(f"{log}?$filter=eventTimestamp ge '2021-03-01'", "2015-04-01")["value"]
    assert [(e["caller"], e["eventTimestamp"]) for e in found] == [("colleague", "2021-03-22T09:30:00.000Z")]


def test_a_party_reacts_to_a_write_the_nth_time() -> None:
    remove = {"do": "delete", "path": SCOPE}
    world = acting(on="write", method="PUT", path="*/privateLinkScopes/*", nth=2, after="1m", do=remove)
    world.ok("PUT", SCOPE, V, PLACE)
    world.wait(120)
    assert world.get(SCOPE, V)["name"] == "s"
    world.ok("PUT", SCOPE, V, PLACE)
    world.wait(120)
    assert world.refused("GET", SCOPE, V)[0] == 404
    assert done(world, "p") == ["202"]


def test_several_actions_come_in_order_and_what_is_refused_is_kept() -> None:
    world = acting(at=0, do=[{**PUT, "body": {}}, PUT, {"do": "set", "path": SCOPE, "body": {"tags": {"by": "hand"}}}])
    assert world.get(SCOPE, V)["tags"] == {"by": "hand"}
    assert done(world, "p") == ["400 LocationRequired", "201", "set"]


def test_a_party_does_not_react_to_itself() -> None:
    world = acting(on="write", method="PUT", do=PUT)
    world.ok("PUT", RG, "2021-04-01", PLACE)
    for _ in range(3):
        world.wait(60)
        world.get(SCOPE, V)
    assert done(world, "p") == ["201"]


def test_a_party_acts_after_a_restart_too(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    made = scenario(parties=[{"id": "p", "who": "colleague", "at": "1h", "do": PUT}])
    old = World(made, path)
    old.ok("PUT", RG, "2021-04-01", PLACE)
    old.state.close()
    new = Cloud(made, VirtualClock(made.start_ms + 7_200_000), State(path, durable=False))
    assert new.handle(Call("GET", SCOPE, {"api-version": V})).status == 200


def test_nobody_reacts_to_what_the_scenario_starts_from() -> None:
    resources = [{"id": RG, "location": "westeurope"}, {"id": SCOPE, "location": "westeurope"}]
    party = {"id": "p", "who": "colleague", "on": "write", "do": {"do": "delete", "path": SCOPE}}
    world = World(scenario(resources=resources, parties=[party]))
    world.wait(3600)
    assert world.get(SCOPE, V)["name"] == "s"


def test_one_party_gives_every_endpoint_that_fits_its_zone_group_some_minutes_later() -> None:
    zone = zone_id("privatelink.his.arc.azure.com")
    config = {"name": "avd-privateDnsZone", "properties": {"privateDnsZoneId": zone}}
    policy = {
        "id": "policy",
        "who": "policy-assignment",
        "on": "write",
        "method": "PUT",
        "path": "*/privateEndpoints/*-connection",
        "after": "5m",
        "do": {
            "do": "put",
            "path": "{path}/privateDnsZoneGroups/deployedByPolicy",
            "body": {"properties": {"privateDnsZoneConfigs": [config]}},
        },
    }
    world = NetWorld(resources=({"id": zone, "location": "global"},), parties=[policy])
    made = [f"{HERE}/privateEndpoints/{name}" for name in ("pe-a-connection", "pe-b-connection", "pe-c-feed")]
    for endpoint in made:
        world.settled("PUT", endpoint, body=endpoint_body())
    assert [world.get(f"{e}/privateDnsZoneGroups")["value"] for e in made] == [[], [], []]
    world.wait(600)
    found = [[g["name"] for g in world.get(f"{e}/privateDnsZoneGroups")["value"]] for e in made]
    assert found == [["deployedByPolicy"], ["deployedByPolicy"], []]
    assert done(world, "policy") == ["201", "201"]


def test_what_an_action_names_is_that_of_its_own_trigger() -> None:
    tags = {"{name}": "{path} {parent} {group} {subscription}"}
    world = acting(on="write", method="PUT", path="*/s", do={"do": "set", "path": "{path}", "body": {"tags": tags}})
    world.ok("PUT", SCOPE, V, PLACE)
    assert world.get(SCOPE, V)["tags"] == {"s": f"{SCOPE} {SCOPE.rsplit('/', 2)[0]} {RG} {SUB}"}


@pytest.mark.parametrize(
    ("party", "words"),
    [
        ({"on": "write", "do": {"do": "delete", "path": "{where}"}}, "{where} means nothing here; there are {path}"),
        ({"on": "write", "do": {**PUT, "body": {"tags": {"a": ["{feature}"]}}}}, "{feature} means nothing here"),
        ({"at": "1h", "do": {"do": "delete", "path": "{path}"}}, "{path} means nothing here; it has no words"),
    ],
)
def test_a_word_that_the_trigger_does_not_have_is_refused_when_the_scenario_is_read(
    party: dict[str, Any], words: str
) -> None:
    with pytest.raises(BookError) as caught:
        acting(**party)
    assert words in caught.value.message
