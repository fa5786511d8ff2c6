from __future__ import annotations

import pytest

from tests.sim.openapi import check, needs_specs
from tests.sim.world import RG, SUB, World, scenario

LOG = f"/subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values"
V = "2015-04-01"
SINCE = "eventTimestamp ge '2021-03-01T00:00:00Z'"
ARC = f"/subscriptions/{SUB}/providers/Microsoft.HybridCompute"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"


def events(world: World, more: str = "") -> list[tuple[str, str, str]]:
    found = world.get(f"{LOG}?$filter={SINCE}{more}", V)["value"]
    return [(e["operationName"]["value"], e["status"]["value"], e["caller"]) for e in found]


def test_every_write_is_logged_newest_first_and_reads_and_refusals_are_not() -> None:
    world = World()
    world.ok("POST", ARC + "/register", "2021-04-01")
    world.wait(1)
    world.ok("PUT", SCOPE, "2022-12-27", {"location": "westeurope"})
    world.refused("PUT", SCOPE, "2022-12-27", {})
    world.get(SCOPE, "2022-12-27")
    assert events(world) == [
        ("Microsoft.HybridCompute/privateLinkScopes/write", "Succeeded", "dana@contoso.com"),
        ("Microsoft.HybridCompute/register/action", "Succeeded", "dana@contoso.com"),
    ]


def test_an_operation_is_logged_when_it_is_taken_and_when_it_ends_under_one_correlation() -> None:
    world = World()
    world.ok("PUT", SCOPE, "2022-12-27", {"location": "westeurope"})
    world.ok("DELETE", SCOPE, "2022-12-27")
    world.wait(60)
    delete = "Microsoft.HybridCompute/privateLinkScopes/delete"
    assert events(world)[:2] == [(delete, "Succeeded", "dana@contoso.com"), (delete, "Accepted", "dana@contoso.com")]
    found = world.get(f"{LOG}?$filter={SINCE}", V)["value"]
    assert found[0]["correlationId"] == found[1]["correlationId"]
    same = f" and correlationId eq '{found[0]['correlationId']}'"
    assert len(events(world, same)) == 2


def test_the_log_is_filtered_by_time_provider_group_and_resource() -> None:
    world = World()
    world.ok("POST", ARC + "/register", "2021-04-01")
    world.ok("PUT", SCOPE, "2022-12-27", {"location": "westeurope"})
    assert len(events(world, " and resourceProvider eq 'microsoft.hybridcompute'")) == 2
    assert len(events(world, " and resourceGroupName eq 'RG'")) == 1
    assert len(events(world, f" and resourceUri eq '{ARC}'")) == 1
    assert len(events(world, " and eventTimestamp le '2021-03-22T07:00:00Z'")) == 0


@pytest.mark.parametrize(
    "given",
    ["", "eventTimestamp le '2021-03-01'", "eventTimestamp ge 'soon'", f"{SINCE} or 1 eq '1'",
     f"{SINCE} and resourceUri eq 'a' and resourceProvider eq 'b'", f"{SINCE} and caller eq 'x'"],
)  # fmt: skip
def test_filters_of_another_shape_are_refused(given: str) -> None:
    assert World().refused("GET", f"{LOG}?$filter={given}", V)[0] == 400


def test_the_log_reaches_back_ninety_days() -> None:
    past = {"caller": "sam", "operation": "Microsoft.HybridCompute/register/action", "resource": ARC}
    world = World(scenario(activity=[{"before": "89d", **past}, {"before": "91d", **past}]))
    found = world.get(f"{LOG}?$filter=eventTimestamp ge '2020-01-01'", V)["value"]
    assert [e["caller"] for e in found] == ["sam"]


def test_only_the_fields_asked_for_are_given() -> None:
    world = World()
    world.ok("POST", ARC + "/register", "2021-04-01")
    assert list(world.get(f"{LOG}?$filter={SINCE}&$select=caller", V)["value"][0]) == ["caller"]


@needs_specs
def test_the_log_fits_its_description() -> None:
    world = World()
    world.ok("POST", ARC + "/register", "2021-04-01")
    check("GET", LOG, world.call("GET", f"{LOG}?$filter={SINCE}", V), V)
    check("GET", LOG, world.call("GET", LOG, V), V)
