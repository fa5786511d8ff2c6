"""A cloud that says "not now", "somebody else is writing" or "it went wrong", from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.core.command import Command, Retry
from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from tests.crash.harness import Played, reply
from tests.journeys.scenes import ENDPOINT, VNET, deferred, no_words, rehearse, scene, stuck


def codes(played: Played) -> set[str]:
    return {e.data["error"]["code"] for e in deferred(played)}


@pytest.mark.parametrize("reads", [{"size": 12, "refill": 0.5}, {"size": 30, "refill": 3}], ids=["tiny", "small"])
def test_throttled_all_the_way_a_rehearsal_puts_off_visibly_and_still_ends_well(
    tmp_path: Path, reads: dict[str, float]
) -> None:
    limits = {"reads": reads, "writes": {"size": 2, "refill": 0.05}}
    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", throttle=limits))
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    put_off = deferred(played)
    assert len(put_off) > 5
    assert codes(played) == {"SubscriptionRequestsThrottled"}
    assert all(e.data["due_ms"] > e.at_ms for e in put_off)
    assert any(e.data.get("refused") for e in put_off), "a write was turned away, too"
    calm = rehearse(tmp_path / "calm", "arc-preview")
    assert played.writes == calm.writes, "no call took effect twice"
    assert played.cloud == calm.cloud


def test_a_write_that_meets_somebody_elses_on_the_network_waits_its_turn(tmp_path: Path) -> None:
    busy = {
        "id": "busy",
        "who": "network team",
        "on": "write",
        "method": "PUT",
        "path": "*/privatelinkscopes/pls-arc",
        "nth": 1,
        "do": {"do": "put", "path": f"{VNET}/subnets/other", "body": {"properties": {"addressPrefix": "10.20.9.0/24"}}},
    }
    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", parties=[busy], durations={"subnet": 20}))
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    assert codes(played) == {"AnotherOperationInProgress"}
    assert {e.node for e in deferred(played)} == {"endpoint"}
    assert [n for (_, path), n in played.writes.items() if path.lower() == ENDPOINT.lower()] == [1]
    assert f"{VNET}/subnets/other".lower() in played.cloud


def failing(times: int = 1) -> dict[str, Any]:
    failure = {"code": "SubnetIsFull", "message": "Subnet pe does not have enough capacity for 7 IP addresses."}
    kind = "Microsoft.Network/privateEndpoints"
    return {"id": "fails", "method": "PUT", "type": kind, "times": times, "fail_operation": failure}


def test_an_operation_that_ends_badly_fails_its_node_with_azures_code_and_words(tmp_path: Path) -> None:
    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", faults=[failing()]), answer=no_words)
    assert played.view.state is RunState.FAILED
    assert stuck(played) == {"endpoint": "SubnetIsFull"}
    error = played.view.nodes["endpoint"].error
    assert error is not None
    assert "does not have enough capacity" in error["message"]
    assert error["hint"]
    assert played.view.nodes["machines"].state is NodeState.DONE, "other branches went on"
    assert played.view.nodes["zones_group"].state is not NodeState.FAILED


def test_it_is_made_again_on_a_retry(tmp_path: Path) -> None:
    retried: list[str] = []

    def answer(node: NodeView) -> Command | None:
        if node.state is NodeState.FAILED and len(retried) < 3:
            retried.append(node.id)
            return Retry(node.id)
        return reply(node)

    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", faults=[failing(times=2)]), answer=answer)
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    assert retried == ["endpoint"] * 2
    assert [n for (_, path), n in played.writes.items() if path.lower() == ENDPOINT.lower()] == [3]


@pytest.mark.parametrize(
    "kind",
    [
        "Microsoft.Network/privateDnsZones",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "Microsoft.Network/networkSecurityGroups/securityRules",
    ],
)
def test_whatever_ends_badly_is_told_and_made_again_on_a_retry(tmp_path: Path, kind: str) -> None:
    failure = {"code": "InternalServerError", "message": "Something broke."}
    faults = [{"id": "breaks", "method": "PUT", "type": kind, "fail_operation": failure}]
    played = rehearse(tmp_path / "told", scene(tmp_path, "arc-preview", faults=faults))
    assert list(stuck(played).values()) == ["InternalServerError"]

    def answer(node: NodeView) -> Command | None:
        return Retry(node.id) if node.state is NodeState.FAILED else reply(node)

    again = rehearse(tmp_path / "again", scene(tmp_path, "arc-preview", faults=faults), answer=answer)
    assert (again.view.state, stuck(again)) == (RunState.DONE, {})
    states = {
        key: body["properties"].get("provisioningState") for key, body in again.cloud.items() if "properties" in body
    }
    assert [key for key, state in states.items() if state == "Failed"] == []


def test_a_refusal_that_is_no_transient_one_fails_at_once_and_is_not_repeated(tmp_path: Path) -> None:
    refusal = {"status": 403, "code": "RequestDisallowedByPolicy", "message": "Disallowed by policy."}
    fault = {"id": "policy", "method": "PUT", "path": "*/privatednszones/*", "times": 99, "refuse": refusal}
    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", faults=[fault]))
    assert played.view.state is RunState.FAILED
    assert set(stuck(played).values()) == {"RequestDisallowedByPolicy"}
    sent = [e for e in played.entries if e.kind is Kind.INTENDED and (e.node or "").startswith("zones[")]
    assert len(sent) == 3, "one for each zone"
