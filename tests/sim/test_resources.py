from __future__ import annotations

import pytest

from tests.sim.openapi import check, needs_specs
from tests.sim.world import OTHER, RG, SUB, World, scenario

V = "2021-04-01"
SUBS = "2022-12-01"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"
PLACE = {"location": "West Europe", "tags": {"a": "b"}}


def test_a_group_is_made_once_and_keeps_its_region() -> None:
    world = World()
    group = RG + "-new"
    assert world.call("HEAD", group, V).status == 404
    made = world.call("PUT", group, V, PLACE)
    assert (made.status, made.body["location"]) == (201, "westeurope")
    assert world.call("PUT", group, V, PLACE).status == 200
    assert world.call("HEAD", group, V).status == 204
    assert world.refused("PUT", group, V, {"location": "eastus"})[:2] == (409, "InvalidResourceGroupLocation")


def test_a_group_needs_a_region_that_exists() -> None:
    world = World()
    assert world.refused("PUT", RG + "2", V, {})[1] == "LocationRequired"
    assert world.refused("PUT", RG + "2", V, {"location": "mars"})[1] == "LocationNotAvailableForResourceType"


def test_what_points_into_an_absent_group_says_so() -> None:
    world = World()
    answer = world.refused("PUT", SCOPE.replace("/rg/", "/nope/"), "2022-12-27", PLACE)
    assert answer == (404, "ResourceGroupNotFound", "Resource group 'nope' could not be found.")


def test_deleting_a_group_takes_a_while_and_everything_in_it_with_it() -> None:
    world = World()
    world.ok("PUT", SCOPE, "2022-12-27", PLACE)
    reply = world.call("DELETE", RG, V)
    assert reply.status == 202
    result = reply.headers["Location"].removeprefix("https://management.azure.com")
    assert world.call("GET", result).status == 202
    assert world.get(RG, V)["properties"]["provisioningState"] == "Deleting"
    world.wait(60)
    assert world.call("GET", result).status == 200
    assert world.refused("GET", RG, V)[1] == "ResourceGroupNotFound"
    world.ok("PUT", RG, V, PLACE)
    assert world.refused("GET", SCOPE, "2022-12-27")[1] == "ResourceNotFound"


def test_resources_are_listed_by_group_and_subscription_and_type() -> None:
    world = World()
    world.ok("PUT", SCOPE, "2022-12-27", PLACE)
    for path in (RG + "/resources", f"/subscriptions/{SUB}/resources"):
        assert [r["name"] for r in world.get(path, V)["value"]] == ["s"]
    kind = "$filter=resourceType eq 'Microsoft.Network/virtualNetworks'"
    assert world.get(f"{RG}/resources?{kind}", V)["value"] == []
    assert world.refused("GET", f"{RG}/resources?$filter=tagName eq 'x'", V)[0] == 400


def test_a_subscription_of_another_tenant_shows_it() -> None:
    elsewhere = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
    world = World(scenario(subscriptions=[{"id": SUB, "name": "M"}, {"id": OTHER, "name": "O", "tenant": elsewhere}]))
    assert [s["tenantId"] for s in world.get("/subscriptions", SUBS)["value"]][1] == elsewhere
    assert [t["tenantCategory"] for t in world.get("/tenants", SUBS)["value"]] == ["Home", "ProjectedBy"]


@needs_specs
@pytest.mark.parametrize(
    ("method", "path", "version"),
    [
        ("GET", "/subscriptions", SUBS),
        ("GET", f"/subscriptions/{SUB}", SUBS),
        ("GET", "/tenants", SUBS),
        ("GET", f"/subscriptions/{SUB}/locations", SUBS),
        ("GET", f"/subscriptions/{SUB}/resourcegroups", "2024-03-01"),
        ("GET", RG, "2024-03-01"),
        ("HEAD", RG, "2024-03-01"),
        ("PUT", RG, "2024-03-01"),
        ("PUT", RG + "2", "2024-03-01"),
        ("PATCH", RG, "2024-03-01"),
        ("DELETE", RG, "2024-03-01"),
        ("GET", RG + "/resources", "2024-03-01"),
        ("GET", f"/subscriptions/{SUB}/resources", "2024-03-01"),
    ],
)
def test_answers_fit_their_descriptions(method: str, path: str, version: str) -> None:
    world = World()
    world.ok("PUT", SCOPE, "2022-12-27", PLACE)
    body = PLACE if method in ("PUT", "PATCH") else None
    check(method, path, world.call(method, path, version, body), version)
