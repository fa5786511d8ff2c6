"""What must be found before the first write is found there, and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.core.state import NodeState, RunState
from tests.crash.harness import Played
from tests.journeys.scenes import (
    BRANCH,
    HOME,
    MAIN,
    NSG,
    SCOPE,
    SERVERS,
    VNET,
    blocked,
    no_words,
    rehearse,
    scene,
    stuck,
)

Change = Callable[[dict[str, Any]], None]
LINKED = (
    "Microsoft.Network/virtualNetworks/subnets/join/action",
    "Microsoft.Network/virtualNetworks/join/action",
    "Microsoft.Network/privateDnsZones/join/action",
    "Microsoft.HybridCompute/privateLinkScopes/read",
    "Microsoft.Insights/eventtypes/values/read",
)
"""Rights that no write of the log shows: on something that a write points to, and to read the log."""


def refused(tmp_path: Path, base: str, change: Change, **more: Any) -> Played:
    """A rehearsal that must stop before it writes anything."""
    played = rehearse(tmp_path, scene(tmp_path, base, change), answer=no_words, **more)
    assert played.view.state is RunState.BLOCKED, stuck(played)
    assert sum(played.writes.values()) == 0
    return played


def written(folder: Path, scenario: str) -> set[str]:
    """The right that each write of a whole rehearsal needed, by the cloud's own log."""
    actions: set[str] = set()

    def watch(session: Any) -> None:
        def after(*_: Any) -> None:
            for _, event in session.cloud.state.items("activity"):
                if event["caller"] == session.cloud.operator.name:
                    actions.add(event["operationName"]["value"])

        session.transport.after_effect = after

    rehearse(folder, scenario, prepare=watch)
    return actions


def test_every_right_that_a_rehearsal_needs_is_tested_before_the_first_write(tmp_path: Path) -> None:
    needed = {*written(tmp_path / "whole", "arc-preview"), *LINKED}
    assert len(needed) > 12
    for number, action in enumerate(sorted(needed)):

        def without(doc: dict[str, Any], action: str = action) -> None:
            doc["operator"]["permissions"] = [{"scope": "*", "actions": ["*"], "notActions": [action]}]

        folder = tmp_path / str(number)
        folder.mkdir()
        played = refused(folder, "arc-preview", without)
        nodes = [node for node, rule in stuck(played).items() if rule == "rights-missing"]
        assert nodes, action
        for said in (blocked(played, node) for node in nodes):
            assert action.lower() in said.lower(), (action, said)
            assert "(needed to " in said


def test_rights_in_the_other_subscription_are_tested_too(tmp_path: Path) -> None:
    def reader_there(doc: dict[str, Any]) -> None:
        doc["operator"]["permissions"] = [
            {"scope": f"/subscriptions/{MAIN}", "actions": ["*"]},
            {"scope": f"/subscriptions/{BRANCH}", "actions": ["*/read"]},
        ]

    played = refused(tmp_path, "arc-preview", reader_there)
    assert stuck(played) == {f"rights[{BRANCH}]": "rights-missing"}
    assert "Microsoft.HybridCompute/register/action" in blocked(played, f"rights[{BRANCH}]")


def test_the_network_of_another_subscription_is_tested_as_well(tmp_path: Path) -> None:
    spoke = f"/subscriptions/{BRANCH}/resourceGroups/rg-branch/providers/Microsoft.Network/virtualNetworks/spoke"

    def reader_there(doc: dict[str, Any]) -> None:
        doc["inputs"] |= {"additional_subscriptions": [], "resolving_networks": [VNET, spoke]}
        doc["operator"]["permissions"] = [
            {"scope": f"/subscriptions/{MAIN}", "actions": ["*"]},
            {"scope": f"/subscriptions/{BRANCH}", "actions": ["*/read"]},
        ]

    played = refused(tmp_path, "arc-ga", reader_there)
    assert "Microsoft.Network/virtualNetworks/join/action" in blocked(played, f"rights[{BRANCH}]")


@pytest.mark.parametrize(
    "place",
    [f"/subscriptions/{MAIN}", VNET, NSG, f"{SERVERS}/srv-app-01", f"{SERVERS}".partition("/providers/")[0]],
    ids=["subscription", "network", "security group", "one server", "the servers' group"],
)
def test_a_read_only_lock_over_anything_written_to_is_found_before_the_first_write(tmp_path: Path, place: str) -> None:
    def lock(doc: dict[str, Any]) -> None:
        lock_id = f"{place}/providers/Microsoft.Authorization/locks/frozen"
        doc["resources"].append({"id": lock_id, "properties": {"level": "ReadOnly"}})

    played = refused(tmp_path, "arc-preview", lock)
    assert stuck(played)[f"rights[{MAIN}]"] == "lock-forbids-writes"
    assert f"frozen on {place}" in blocked(played, f"rights[{MAIN}]")


def test_a_read_only_lock_on_the_scope_that_stands_is_found_as_well(tmp_path: Path) -> None:
    def lock(doc: dict[str, Any]) -> None:
        lock_id = f"{SCOPE}/providers/Microsoft.Authorization/locks/frozen"
        doc["resources"].append({"id": lock_id, "properties": {"level": "ReadOnly"}})

    played = refused(tmp_path, "arc-brownfield", lock)
    assert f"frozen on {SCOPE}" in blocked(played, f"rights[{MAIN}]")


def test_a_lock_on_another_group_is_nobodys_concern(tmp_path: Path) -> None:
    def lock(doc: dict[str, Any]) -> None:
        other = f"/subscriptions/{BRANCH}/resourceGroups/rg-branch"
        doc["resources"].append(
            {"id": f"{other}/providers/Microsoft.Authorization/locks/frozen", "properties": {"level": "ReadOnly"}}
        )

    assert rehearse(tmp_path, scene(tmp_path, "arc-preview", lock)).view.state is RunState.DONE


@pytest.mark.parametrize("state", ["Disabled", "Warned"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_subscription_that_takes_no_writes_is_found_before_the_first_one(
    tmp_path: Path, number: int, state: str
) -> None:
    def disable(doc: dict[str, Any]) -> None:
        doc["subscriptions"][number]["state"] = state

    played = refused(tmp_path, "arc-preview", disable)
    name = ["Contoso Landing Zone", "Contoso Branch Offices"][number]
    assert f"{name} is {state}" in blocked(played, f"context[{(MAIN, BRANCH)[number]}]")


def government(doc: dict[str, Any]) -> None:
    """The same estate in the US Government cloud."""
    moved = json.loads(json.dumps(doc).replace("westeurope", "usgovvirginia").replace("azure.com", "azure.us"))
    doc.clear()
    doc.update(moved, cloud="AzureUSGovernment")


def test_the_preview_is_refused_in_the_government_cloud(tmp_path: Path) -> None:
    played = refused(tmp_path, "arc-preview", government)
    assert stuck(played) == {"prerequisites": "cloud-not-in-preview"}


def test_today_the_government_cloud_is_taken_and_its_zones_are_told_by_the_scope(tmp_path: Path) -> None:
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", government))
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    zones = sorted(path.rpartition("/")[2] for _, path in played.writes if path.lower().count("/privatednszones/"))
    assert zones[0].endswith(".azure.us") or "link" in zones[0]
    found = {c["name"]: c["observed"] for c in played.view.nodes["prerequisites"].checks}
    assert found["private link in this cloud"].count("(unconfirmed)") == 1


def other_region(kind: str) -> Change:
    def move(doc: dict[str, Any]) -> None:
        for resource in doc["resources"]:
            if f"/{kind}/" in resource["id"]:
                resource["location"] = "northeurope"

    return move


def moved_network(doc: dict[str, Any]) -> None:
    for kind in ("virtualNetworks", "networkSecurityGroups", "virtualNetworkGateways", "connections"):
        other_region(kind)(doc)


def named_server(doc: dict[str, Any]) -> None:
    other_region("machines")(doc)
    doc["inputs"]["machines"] = [f"{SERVERS}/srv-app-01"]


def foreign_server(doc: dict[str, Any]) -> None:
    there = f"/subscriptions/{BRANCH}/resourceGroups/rg-branch/providers/Microsoft.HybridCompute/machines/far"
    doc["inputs"]["machines"] = [there]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (moved_network, "network-in-other-region"),
        (named_server, "machine-in-other-region"),
        (foreign_server, "machine-in-other-subscription"),
    ],
)
def test_the_previews_rules_on_regions_and_subscriptions_are_held_before_the_first_write(
    tmp_path: Path, change: Change, rule: str
) -> None:
    assert stuck(refused(tmp_path, "arc-preview", change)) == {"prerequisites": rule}


@pytest.mark.parametrize(
    ("change", "rule"), [(named_server, "machine-in-other-region"), (foreign_server, "machine-missing")]
)
def test_todays_rule_on_servers_is_held_before_the_first_write(tmp_path: Path, change: Change, rule: str) -> None:
    assert stuck(refused(tmp_path, "arc-ga", change)) == {"prerequisites": rule}


def test_today_the_network_may_lie_in_another_region(tmp_path: Path) -> None:
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", moved_network))
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    endpoint = next(body for key, body in played.cloud.items() if key.endswith("/privateendpoints/pe-arc"))
    assert endpoint["location"] == "northeurope"


def test_a_second_scope_for_a_network_is_refused(tmp_path: Path) -> None:
    old = f"{HOME}/providers/Microsoft.HybridCompute/privateLinkScopes/pls-old"

    def second(doc: dict[str, Any]) -> None:
        text = json.dumps(doc["resources"]).replace("privateLinkScopes/pls-arc", "privateLinkScopes/pls-old")
        doc["resources"] = json.loads(text.replace("privateEndpoints/pe-arc", "privateEndpoints/pe-old"))

    played = rehearse(tmp_path, scene(tmp_path, "arc-brownfield", second), answer=no_words)
    assert stuck(played)["scope"] == "vnet-has-other-scope"
    assert old.rpartition("/")[2] in blocked(played, "scope")
    assert played.view.nodes["endpoint"].state is NodeState.PENDING
