from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runbook.core.clock import VirtualClock
from runbook.core.error import UsageError
from runbook.sim.cloud import Call, Cloud
from runbook.sim.state import CloudLost, State
from tests.sim.world import OTHER, RG, SUB, World, scenario

GROUPS = "2021-04-01"
SCOPES = "2022-12-27"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"
PLACE = {"location": "westeurope"}


def test_a_new_process_goes_on_exactly_where_the_old_one_stopped(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    old = World(path=path)
    old.ok("PUT", SCOPE, SCOPES, PLACE)
    pending = old.call("DELETE", SCOPE, SCOPES)
    before = old.state.dump()
    old.state.close()
    state = State(path, durable=False)
    clock = VirtualClock(old.clock.now_ms())
    new = Cloud(old.scenario, clock, state)
    assert state.dump() == before
    clock.advance_to(clock.now_ms() + 60_000)
    status = pending.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com")
    where, _, query = status.partition("?")
    reply = new.handle(Call("GET", where, dict(p.split("=") for p in query.split("&"))))
    assert reply.body["status"] == "Succeeded"
    assert new.find(SCOPE) is None


_CHILD = """
import os, signal, sys
from pathlib import Path
from tests.sim.world import World
from tests.sim.test_cloud import PLACE, SCOPE, SCOPES
world = World(path=Path(sys.argv[1]))
for number in range(3):
    print(world.call("PUT", f"{SCOPE}{number}", SCOPES, PLACE).status, flush=True)
os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
"""


def test_every_write_that_was_answered_survives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    root = Path(__file__).parents[2]
    child = subprocess.run([sys.executable, "-c", _CHILD, str(path)], capture_output=True, text=True, cwd=root)
    assert child.stdout.split() == ["201", "201", "201"], child.stderr
    after = World(path=path)
    home = SCOPE.rpartition("/")[0]
    assert [s["name"] for s in after.get(home, SCOPES)["value"]] == ["s0", "s1", "s2"]


def test_time_never_runs_back_behind_what_the_file_knows(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    old = World(path=path)
    old.wait(3600)
    old.ok("PUT", SCOPE, SCOPES, PLACE)
    old.state.close()
    new = Cloud(old.scenario, VirtualClock(old.scenario.start_ms), State(path, durable=False))
    assert new.now_ms == old.scenario.start_ms + 3_600_000


def test_a_cloud_that_was_taken_over_answers_no_more_writes(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    first = World(path=path)
    World(path=path)
    with pytest.raises(CloudLost):
        first.call("PUT", SCOPE, SCOPES, PLACE)


def test_a_file_of_another_scenario_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    World(path=path)
    with pytest.raises(UsageError, match="small"):
        World(scenario(id="other"), path=path)


def test_the_same_calls_give_the_same_answers_twice() -> None:
    def played() -> list[object]:
        world = World()
        replies = [world.call("PUT", SCOPE, SCOPES, PLACE)]
        world.wait(10)
        replies += [world.call("GET", SCOPE, SCOPES), world.call("DELETE", SCOPE, SCOPES)]
        return [*replies, world.state.dump()]

    assert played() == played()


def test_a_resource_made_anew_under_the_same_id_has_other_guids() -> None:
    world = World()
    first = world.ok("PUT", SCOPE, SCOPES, PLACE)["properties"]["privateLinkScopeId"]
    again = world.ok("PUT", SCOPE, SCOPES, PLACE)["properties"]["privateLinkScopeId"]
    world.ok("DELETE", SCOPE, SCOPES)
    world.wait(60)
    other = world.ok("PUT", SCOPE, SCOPES, PLACE)["properties"]["privateLinkScopeId"]
    assert first == again
    assert first != other


def test_every_answer_carries_ids_even_a_refusal() -> None:
    world = World()
    for path in (SCOPE, "/nowhere"):
        headers = world.call("GET", path, SCOPES).headers
        assert {"x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"} <= set(headers)


def test_a_client_request_id_is_echoed_when_asked_for() -> None:
    world = World()
    asked = {"x-ms-client-request-id": "me", "x-ms-return-client-request-id": "true"}
    assert world.call("GET", RG, GROUPS, headers=asked).headers["x-ms-client-request-id"] == "me"
    silent = {"x-ms-client-request-id": "me"}
    assert "x-ms-client-request-id" not in world.call("GET", RG, GROUPS, headers=silent).headers


def test_lists_come_in_pages_whose_links_lead_to_the_end() -> None:
    world = World(scenario(page_size=2))
    for name in ("a", "b", "c", "d"):
        world.ok("PUT", f"{RG}{name}", GROUPS, PLACE)
    names, path = [], f"/subscriptions/{SUB}/resourcegroups?api-version={GROUPS}"
    while path:
        page = world.get(path)
        names += [g["name"] for g in page["value"]]
        path = page.get("nextLink", "").removeprefix("https://management.azure.com").replace("%24", "$")
    assert names == ["rg", "rga", "rgb", "rgc", "rgd"]


def test_a_made_up_skip_token_is_refused() -> None:
    world = World()
    answer = world.refused("GET", f"/subscriptions/{SUB}/resourcegroups?$skiptoken=-1", GROUPS)
    assert answer[:2] == (400, "InvalidSkipToken")


def test_a_refused_write_leaves_no_trace() -> None:
    world = World()
    before = {k: v for k, v in world.state.dump().items() if k not in ("buckets", "counters")}
    world.refused("PUT", SCOPE, SCOPES, {})
    world.refused("PUT", RG, GROUPS, {"location": "eastus"})
    assert {k: v for k, v in world.state.dump().items() if k not in ("buckets", "counters")} == before


def test_an_unknown_subscription_is_named() -> None:
    world = World()
    status, code, message = world.refused("GET", "/subscriptions/nope/resourcegroups", GROUPS)
    assert (status, code) == (404, "SubscriptionNotFound")
    assert "nope" in message


@pytest.mark.parametrize("state", ["Disabled", "Warned"])
def test_a_disabled_subscription_can_be_read_but_not_written(state: str) -> None:
    world = World(scenario(subscriptions=[{"id": SUB, "name": "Main", "state": state}, {"id": OTHER, "name": "O"}]))
    assert world.get(RG, GROUPS)["name"] == "rg"
    assert world.refused("PUT", RG, GROUPS, PLACE)[:2] == (409, "ReadOnlyDisabledSubscription")


def test_ids_compare_without_regard_to_letter_case() -> None:
    world = World()
    world.ok("PUT", SCOPE, SCOPES, PLACE)
    shouted = SCOPE.upper().replace("/SUBSCRIPTIONS", "/subscriptions")
    assert world.get(shouted, SCOPES)["id"] == SCOPE
