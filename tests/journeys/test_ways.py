"""The ways through the book that the shipped scenarios do not take by themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from tests.crash.harness import Played
from tests.journeys.scenes import (
    BRANCH,
    ENDPOINT,
    HIS,
    HOME,
    MAIN,
    SCOPE,
    SERVERS,
    VNET,
    connect_server,
    no_words,
    proposed,
    rehearse,
    rules,
    scene,
    skipping,
    stuck,
    vouching,
    when_done,
)

SITE = "/providers/Simulated.OnPremises/dns/site"
NAMES = (
    "gbl.his.arc.azure.com",
    "we.his.arc.azure.com",
    "eu-ats.his.arc.azure.com",
    "agentserviceapi.guestconfiguration.azure.com",
    "we-gas.guestconfiguration.azure.com",
    "westeurope-gas.guestconfiguration.azure.com",
    "westeurope.dp.kubernetesconfiguration.azure.com",
)
OWN_RECORDS = {name: f"10.20.1.{number}" for number, name in enumerate(NAMES, 4)}
ZONE_NAMES = tuple(
    f"privatelink.{z}.azure.com" for z in ("his.arc", "guestconfiguration", "dp.kubernetesconfiguration")
)


def done(played: Played) -> None:
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})


def paths(played: Played, part: str) -> list[str]:
    return sorted(path for _, path in played.writes if part.lower() in path.lower())


def waited(played: Played, node: str) -> list[str]:
    """What a node's waits said, in order."""
    return [
        e.data["waiting"]["draft"] + e.data["waiting"]["message"]
        for e in played.entries
        if e.node == node and e.kind is Kind.OBSERVED and "waiting" in e.data
    ]


# ---------------------------------------------------------------- names


def test_own_dns_is_handed_exact_lines_and_believed_only_when_a_lookup_shows_it(tmp_path: Path) -> None:
    team = {
        "id": "dns",
        "who": "DNS team",
        "at": "6h",
        "do": {"do": "set", "path": SITE, "body": {"properties": {"records": OWN_RECORDS}}},
    }
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", parties=[team]), sets={"dns": "own"})
    done(played)
    first, *later = waited(played, "own_dns")
    for name, address in OWN_RECORDS.items():
        assert f"{name}.  10  IN  A  {address}" in first
        assert f"{address} {name}" in first
    assert "C:\\Windows\\System32\\drivers\\etc\\hosts" in first
    assert later
    assert "lookups still show something else" in later[0], "the word alone does not count"
    assert paths(played, "privateDnsZones") == []
    assert played.view.nodes["resolution"].outputs["places"] == ["the premises"]


def test_premises_that_do_not_forward_are_handed_the_lines_and_looked_at_until_they_do(tmp_path: Path) -> None:
    def no_forwarder(doc: dict[str, Any]) -> None:
        site = {"properties": {"forwarder": doc["dns"]["onprem"]["forwarder"]}}
        doc["dns"] = {"onprem": {}}
        do = {"do": "set", "path": SITE, "body": site}
        doc["parties"].append({"id": "dns", "who": "DNS team", "at": "6h", "do": do})

    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", no_forwarder))
    done(played)
    first = waited(played, "forwarding")[0]
    assert "Add-DnsServerConditionalForwarderZone -Name his.arc.azure.com" in first
    assert "168.63.129.16" in first
    assert "privatelink.his" not in first


def policy_made(doc: dict[str, Any], *zones: str) -> None:
    """A policy puts the endpoint's records into zones of the central DNS group as soon as the endpoint is there."""
    dns = f"/subscriptions/{MAIN}/resourceGroups/rg-dns"
    ids = [f"{dns}/providers/Microsoft.Network/privateDnsZones/{zone}" for zone in zones]
    doc["resources"] += [{"id": dns, "location": "westeurope"}, *({"id": i, "location": "global"} for i in ids)]
    configs = [{"name": f"c{n}", "properties": {"privateDnsZoneId": i}} for n, i in enumerate(ids)]
    group = {
        "do": "put",
        "path": f"{ENDPOINT}/privateDnsZoneGroups/deployedByPolicy",
        "body": {"properties": {"privateDnsZoneConfigs": configs}},
    }
    doc["parties"].append(
        {"id": "policy", "who": "policy engine", "on": "write", "method": "PUT", "path": "*/privateendpoints/pe-arc",
         "nth": 1, "after": doc["durations"].get("private_endpoint", 45), "do": group}
    )  # fmt: skip


def test_a_policys_zone_group_and_its_zones_are_taken_as_they_are(tmp_path: Path) -> None:
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", lambda doc: policy_made(doc, *ZONE_NAMES)))
    done(played)
    assert paths(played, "privateDnsZoneGroups") == []
    assert all("/rg-dns/" in path and "/virtualNetworkLinks/" in path for path in paths(played, "privateDnsZones"))
    assert played.view.nodes["zone_group"].outputs["name"] == "deployedByPolicy"


def test_a_policys_zone_group_that_lacks_zones_gets_them_added_under_its_name(tmp_path: Path) -> None:
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", lambda doc: policy_made(doc, HIS)))
    done(played)
    assert [path.rpartition("/")[2] for path in paths(played, "privateDnsZoneGroups")] == ["deployedByPolicy"]
    group = played.cloud[f"{ENDPOINT}/privateDnsZoneGroups/deployedByPolicy".lower()]
    zones = [c["properties"]["privateDnsZoneId"] for c in group["properties"]["privateDnsZoneConfigs"]]
    assert [z.rpartition("/")[2] for z in zones] == list(ZONE_NAMES)
    assert "/rg-dns/" in zones[0]
    assert "/rg-arc-privatelink/" in zones[1]


def test_a_zone_group_that_would_grow_beyond_five_zones_is_left_alone(tmp_path: Path) -> None:
    others = [f"privatelink.other{n}.example.net" for n in range(3)]
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", lambda doc: policy_made(doc, *others)), answer=no_words)
    assert stuck(played)["zone_group"] == "zone-group-full"
    assert paths(played, "virtualNetworkLinks") == []


def test_no_zone_is_ever_linked_before_it_holds_every_record(tmp_path: Path) -> None:
    def vandal(doc: dict[str, Any]) -> None:
        record = f"{HOME}/providers/Microsoft.Network/privateDnsZones/{HIS}/A/gbl"
        doc["parties"].append(
            {"id": "vandal", "who": "a colleague", "on": "write", "method": "PUT", "path": "*/privatednszonegroups/*",
             "nth": 1, "after": doc["durations"].get("zone_group", 20), "do": {"do": "delete", "path": record}}
        )  # fmt: skip

    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", vandal), answer=no_words)
    assert stuck(played)[f"links[{HIS}]"] == "zone-would-black-hole", stuck(played)
    assert not any(HIS in path for path in paths(played, "virtualNetworkLinks"))


def test_zones_in_a_subscription_apart_are_registered_for_and_made_there(tmp_path: Path) -> None:
    def apart(doc: dict[str, Any]) -> None:
        doc["inputs"] |= {
            "additional_subscriptions": [],
            "zones_subscription": BRANCH,
            "zones_resource_group": "rg-dns",
        }
        doc["inputs"]["machines"] = [r["id"] for r in doc["resources"] if r["id"].startswith(f"{SERVERS}/")]
        doc["subscriptions"][1]["providers"]["Microsoft.Network"] = "NotRegistered"

    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", apart))
    done(played)
    assert paths(played, f"{BRANCH}/providers/Microsoft.Network/register")
    assert all(f"/subscriptions/{BRANCH}/resourceGroups/rg-dns/" in path for path in paths(played, "privateDnsZones/"))


# ---------------------------------------------------------------- network and endpoint


def test_a_local_firewall_is_an_attested_gate_with_every_tag_of_the_edition(tmp_path: Path) -> None:
    today = rehearse(tmp_path / "ga", "arc-ga", sets={"network_rules": "firewall"})
    then = rehearse(tmp_path / "preview", "arc-preview", sets={"network_rules": "firewall"})
    for played in (today, then):
        done(played)
        assert paths(played, "securityRules") == []
        assert played.view.nodes["firewall"].attested
    tags = (
        "AzureTrafficManager",
        "AzureArcInfrastructure\n",
        "Storage",
        "AzureFrontDoor.Frontend",
        "WindowsAdminCenter",
    )
    assert all(tag in waited(today, "firewall")[0] for tag in tags)
    assert not any(tag in waited(then, "firewall")[0] for tag in tags)


def test_fixed_addresses_are_given_to_the_members_one_each(tmp_path: Path) -> None:
    wanted = [f"10.20.1.{n}" for n in range(20, 27)]
    played = rehearse(tmp_path, "arc-ga", sets={"static_addresses": wanted})
    done(played)
    assert sorted(played.view.nodes["endpoint"].outputs["addresses"]) == wanted


def test_fixed_addresses_that_do_not_fit_are_refused_before_the_endpoint_is_made(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-ga", sets={"static_addresses": ["10.20.1.20"]}, answer=no_words)
    assert stuck(played)["capacity_now"] == "static-addresses-unfit"
    assert paths(played, "privateEndpoints") == []


def test_the_endpoint_is_made_beside_a_network_of_another_subscription(tmp_path: Path) -> None:
    def elsewhere(doc: dict[str, Any]) -> None:
        there = f"/subscriptions/{BRANCH}/resourceGroups/rg-network"
        text = json.dumps(doc).replace(f"/subscriptions/{MAIN}/resourceGroups/rg-network", there)
        doc.clear()
        doc.update(json.loads(text))
        doc["inputs"] |= {"additional_subscriptions": [], "endpoint_resource_group": "rg-endpoints"}

    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", elsewhere))
    done(played)
    home = f"/subscriptions/{BRANCH}/resourceGroups/rg-endpoints"
    assert paths(played, "privateEndpoints")[0].startswith(
        f"{home}/providers/Microsoft.Network/privateEndpoints/pe-arc"
    )
    assert home in [path for _, path in played.writes]
    assert paths(played, "privateLinkScopes") == [SCOPE]
    assert played.view.nodes[f"providers[microsoft.hybridcompute/{BRANCH}]"].state is NodeState.DONE


def without_approval(doc: dict[str, Any]) -> None:
    right = "Microsoft.HybridCompute/privateLinkScopes/privateEndpointConnectionsApproval/action"
    doc["operator"]["permissions"] = [{"scope": "*", "actions": ["*"], "notActions": [right]}]


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_without_the_right_to_approve_the_scopes_owner_is_asked(tmp_path: Path, word: str) -> None:
    owner = {"id": "owner", "who": "scope owner", "on": "connection_pending", "after": "2h", "do": word}
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", without_approval, parties=[owner]))
    found = {c["name"].rpartition("/")[0].rpartition("/")[2]: c for c in played.view.nodes[f"rights[{MAIN}]"].checks}
    assert "(unconfirmed" in found["privateEndpointConnectionsApproval"]["observed"]
    assert "az network private-endpoint-connection approve" in waited(played, "endpoint")[0]
    if word == "approve":
        done(played)
    else:
        assert stuck(played)["endpoint"] == "connection-rejected"
        assert paths(played, "privateDnsZones/") == []


# ---------------------------------------------------------------- servers


def test_new_servers_are_given_the_exact_line(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-ga", sets={"new_servers": True})
    done(played)
    line = waited(played, "new_servers")[0]
    assert f'--private-link-scope "{SCOPE}"' in line
    assert f'azcmagent connect --subscription-id "{MAIN}"' in line


def test_an_estate_without_servers_is_made_ready_for_some(tmp_path: Path) -> None:
    def empty(doc: dict[str, Any]) -> None:
        doc["resources"] = [r for r in doc["resources"] if "/machines/" not in r["id"]]

    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", empty))
    done(played)
    assert played.view.nodes["agent_check"].state is NodeState.SKIPPED


def in_another_scope(doc: dict[str, Any]) -> None:
    old = f"{SERVERS}".partition("/machines")[0] + "/privateLinkScopes/pls-old"
    at = next(n for n, r in enumerate(doc["resources"]) if r["id"].endswith("/machines/srv-app-01"))
    doc["resources"][at]["properties"]["privateLinkScopeResourceId"] = old
    doc["resources"].insert(at, {"id": old, "location": "westeurope", "properties": {"publicNetworkAccess": "Enabled"}})


def test_a_server_of_another_scope_is_moved_only_with_a_word(tmp_path: Path) -> None:
    node = f"associate[{SERVERS}/srv-app-01]".lower()
    silent = rehearse(tmp_path / "silent", scene(tmp_path, "arc-ga", in_another_scope), answer=no_words)
    assert stuck(silent)[node] == "machine-in-other-scope"
    assert paths(silent, "privateDnsZoneGroups") == []
    moved = rehearse(tmp_path / "moved", scene(tmp_path, "arc-ga", in_another_scope), answer=vouching(node))
    done(moved)


def test_a_server_may_be_left_in_its_scope_if_it_does_not_use_this_network(tmp_path: Path) -> None:
    node = f"associate[{SERVERS}/srv-app-01]".lower()
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", in_another_scope), answer=skipping(node))
    done(played)
    assert rules(played)["associated"] == ["machine-outside-scope"]
    assert not any("srv-app-01" in path for _, path in played.writes)


@pytest.mark.parametrize(
    ("after", "sets", "node"),
    [
        ("machines", {}, "associated"),
        ("associated", {}, "zone_group"),
        ("zone_group", {}, f"links[{HIS}]"),
        ("associated", {"dns": "own"}, "own_dns"),
        ("machines", {"dns": "own"}, "associated"),
    ],
)
def test_a_server_that_comes_late_and_outside_the_scope_stops_every_way_to_private_names(
    tmp_path: Path, after: str, sets: dict[str, str], node: str
) -> None:
    played = rehearse(tmp_path, "arc-ga", sets=sets, answer=no_words, prepare=when_done(after, connect_server))
    assert stuck(played)[node] == "machine-outside-scope", stuck(played)
    assert paths(played, "virtualNetworkLinks") == []
    assert waited(played, "own_dns") == []
    assert "Close pls-arc to public networks" not in proposed(played)


def test_the_networks_own_zone_is_reused_and_its_link_is_left_as_it_is(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-brownfield")
    done(played)
    assert not any(path.endswith(f"/{HIS}") for _, path in played.writes)
    assert (
        f"{HOME}/providers/Microsoft.Network/privateDnsZones/{HIS}/virtualNetworkLinks/link-by-hand".lower()
        in played.cloud
    )
    assert played.view.nodes[f"zones[{HIS}]"].outputs["linked"] == [VNET]
