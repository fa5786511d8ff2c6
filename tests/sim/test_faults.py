from __future__ import annotations

from pathlib import Path
from typing import Any

from runbook.core.clock import VirtualClock
from runbook.sim.cloud import Call, Cloud
from runbook.sim.state import State
from tests.sim.world import RG, World, scenario

V = "2022-12-27"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"
PLACE = {"location": "westeurope"}
ON = {"id": "f", "method": "PUT", "type": "Microsoft.HybridCompute/privateLinkScopes"}


def struck(*acts: dict[str, Any]) -> World:
    return World(scenario(faults=[{**ON, "id": f"f{n}", **act} for n, act in enumerate(acts)]))


def test_a_lost_answer_took_effect_and_strikes_the_nth_effect_only() -> None:
    world = struck({"nth": 2, "lose_answer": True})
    assert world.call("PUT", SCOPE, V, {}).broken == ""  # refused: no effect, not counted
    assert world.call("PUT", SCOPE, V, PLACE).broken == ""
    lost = world.call("PUT", SCOPE + "2", V, PLACE)
    assert (lost.broken, lost.status) == ("lose_answer", 201)
    assert world.get(SCOPE + "2", V)["name"] == "s2"
    assert world.call("PUT", SCOPE + "3", V, PLACE).broken == ""


def test_a_call_that_is_not_sent_changes_nothing() -> None:
    world = struck({"not_sent": True})
    assert world.call("PUT", SCOPE, V, PLACE).broken == "not_sent"
    assert world.refused("GET", SCOPE, V)[0] == 404
    assert world.call("PUT", SCOPE, V, PLACE).status == 201


def test_a_scripted_refusal_is_told_as_written_and_as_often() -> None:
    refusal = {"status": 429, "code": "RetryableError", "message": "A retryable error occurred.", "retry_after": 5}
    world = struck({"times": 2, "refuse": refusal})
    for _ in range(2):
        reply = world.call("PUT", SCOPE, V, PLACE)
        assert (reply.status, reply.headers["Retry-After"]) == (429, "5")
        assert reply.body == {"error": {"code": "RetryableError", "message": "A retryable error occurred."}}
    assert world.call("PUT", SCOPE, V, PLACE).status == 201


def test_a_fault_is_narrowed_by_method_type_and_path() -> None:
    world = World(scenario(faults=[{**ON, "path": "*/privatelinkscopes/ODD*", "not_sent": True}]))
    assert world.call("PUT", SCOPE, V, PLACE).status == 201
    assert world.call("PUT", RG, "2021-04-01", PLACE).status == 200
    assert world.call("PUT", SCOPE.removesuffix("s") + "odd1", V, PLACE).broken == "not_sent"


def test_a_fault_that_struck_does_not_strike_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    made = scenario(faults=[{**ON, "not_sent": True}])
    old = World(made, path)
    assert old.call("PUT", SCOPE, V, PLACE).broken == "not_sent"
    old.state.close()
    new = Cloud(made, VirtualClock(made.start_ms), State(path, durable=False))
    assert new.handle(Call("PUT", SCOPE, {"api-version": V}, {}, PLACE)).status == 201


def test_outside_parties_are_not_hit() -> None:
    party = {"id": "p", "who": "colleague", "at": "1h", "do": {"do": "put", "path": SCOPE, "body": PLACE}}
    world = World(scenario(parties=[party], faults=[{**ON, "not_sent": True}]))
    world.wait(3600)
    assert world.get(SCOPE, V)["name"] == "s"
