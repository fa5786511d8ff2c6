"""The five targets, names kept by a DNS team, the other clouds, and an estate that grows while the run goes on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from runbook.core.command import Command
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from tests.crash.harness import reply
from tests.journeys.avd import AVD, Change, Ended, ask, every, routes, travel
from tests.journeys.scenes import drive


class Goal(NamedTuple):
    """What a target comes to in a scenario with two host pools and two workspaces."""

    groups: dict[str, int]
    host_pools: str
    workspaces: str
    public: dict[str, bool]
    """What works from the internet, by kind."""


GOALS = {
    "all_private": Goal(
        {"connection": 2, "feed": 2, "global": 1}, "Disabled", "Disabled", {"feed": False, "connection": False}
    ),
    "feed_and_connections": Goal(
        {"connection": 2, "feed": 2}, "Disabled", "Disabled", {"feed": False, "connection": False}
    ),
    "connections_only": Goal({"connection": 2}, "Disabled", "Enabled", {"feed": True, "connection": False}),
    "session_hosts_only": Goal(
        {"connection": 2}, "EnabledForClientsOnly", "Enabled", {"feed": True, "connection": True}
    ),
    "none": Goal({}, "Enabled", "Enabled", {"feed": True, "connection": True}),
}


@pytest.mark.parametrize("target", GOALS)
def test_a_target_decides_which_endpoints_there_are_and_what_stays_public(tmp_path: Path, target: str) -> None:
    goal = GOALS[target]
    ended = travel(tmp_path, "avd-small", ask(target=target))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    assert groups_of(ended) == goal.groups
    assert {ended.access(name) for name in ("hp-office", "hp-finance")} == {goal.host_pools}
    assert {ended.access(name) for name in ("ws-office", "ws-finance")} == {goal.workspaces}
    for kind, works in goal.public.items():
        felt = routes(ended, "internet", kind)
        felt.pop("feed ws-discovery", None)
        assert {w for w, _ in felt.values()} == {works}, (kind, felt)
    private = routes(ended, "vnet-hub", "connection")
    assert all(works for works, _ in private.values())
    if goal.groups:
        assert {route for _, route in private.values()} == {"private"}
    assert all(h["status"] == "Available" for n, h in ended.hosts.items() if n != "vm-finance-1")


def groups_of(ended: Ended) -> dict[str, int]:
    found = Counter(
        body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"][0]
        for key, body in ended.played.cloud.items()
        if "/privateendpoints/" in key and key.count("/") == 8
    )
    return dict(found)


def test_what_is_to_be_public_and_is_closed_opens_only_with_a_go_of_its_own(tmp_path: Path) -> None:
    def closed(doc: dict[str, Any]) -> None:
        doc["inputs"]["target"] = "connections_only"
        found = next(r for r in doc["resources"] if r.get("id", "").endswith("/workspaces/ws-office"))
        found["properties"]["publicNetworkAccess"] = "Disabled"

    ended = travel(tmp_path, "avd-small", closed)
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    titles = [t for _, node, t in ended.intents() if node.startswith("keep_open")]
    assert titles == ["Open public access of ws-office: Disabled becomes Enabled"]


# ---------------------------------------------------------------- names kept by others


def test_records_of_a_dns_team_are_believed_only_when_a_lookup_shows_them(tmp_path: Path) -> None:
    asked: list[NodeView] = []

    def answer(node: NodeView) -> Command | None:
        if node.id == "own_dns" and node.state is NodeState.WAITING:
            asked.append(node)
        return reply(node)

    ended = travel(tmp_path, "avd-small", ask(dns="own"), answer=answer, patience_s=7200.0)
    assert asked, ended.stuck
    waiting = asked[0].waiting
    assert waiting is not None
    for text in ("rdweb.wvd.microsoft.com", "10.40.1."):
        assert text in waiting["draft"]
    assert [p for _, p in ended.writes if "/privatednszones/" in p] == []
    assert [p for m, p in ended.writes if m == "PATCH" and "/sessionhosts/" not in p] == [], "nothing closes on hope"


# ---------------------------------------------------------------- other clouds


def in_cloud(name: str, region: str) -> Change:
    def change(doc: dict[str, Any]) -> None:
        moved = yaml.safe_load(yaml.safe_dump(doc).replace("westeurope", region))
        doc.clear()
        doc.update(moved, cloud=name)

    return change


@pytest.mark.parametrize(
    ("cloud", "region", "suffix"),
    [("AzureUSGovernment", "usgovvirginia", "azure.us"), ("AzureChinaCloud", "chinaeast2", "azure.cn")],
)
def test_another_cloud_has_zones_of_its_own_and_needs_the_flag(
    tmp_path: Path, cloud: str, region: str, suffix: str
) -> None:
    ended = travel(tmp_path, "avd-small", in_cloud(cloud, region))
    outputs = ended.played.view.nodes["edition"].outputs
    assert outputs["needs_flag"] is True
    assert outputs["feed_zone"] == f"privatelink.wvd.{suffix}"
    assert outputs["global_zone"] == f"privatelink-global.wvd.{suffix}"
    assert not [p for _, p in ended.writes if "wvd.microsoft.com" in p]


# ---------------------------------------------------------------- growth


def newcomer(at: str) -> Change:
    """A colleague makes a host pool without hosts, hours into the run."""

    def change(doc: dict[str, Any]) -> None:
        body = {
            "location": "westeurope",
            "properties": {
                "hostPoolType": "Pooled",
                "loadBalancerType": "BreadthFirst",
                "preferredAppGroupType": "Desktop",
            },
        }
        put = {"do": "put", "path": f"{AVD}/hostPools/hp-late", "body": body}
        doc["parties"] = [*doc.get("parties", ()), {"id": "colleague", "who": "kim", "at": at, "do": put}]

    return change


def test_a_host_pool_that_appears_meanwhile_is_taken_in_and_nothing_done_is_disturbed(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    base = travel(tmp_path / "base", "avd-small")
    ended = travel(tmp_path, "avd-small", newcomer("20m"))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    assert ended.access("hp-late") == "Disabled"
    assert {"connection_endpoint[rg-avd/hp-late]", "close_connections[rg-avd/hp-late]"} <= set(ended.played.view.nodes)
    before = [call for call in base.writes if "hp-late" not in call[1]]
    assert [call for call in ended.writes if "hp-late" not in call[1]] == before
    assert all(n == 1 for (_, p), n in ended.played.writes.items() if "/sessionhosts/" not in p.lower())
    assert ended.played.view.nodes["proof"].outputs["objects"] == 5, "the proof covers it, too"


def test_a_host_pool_that_appears_while_nobody_looks_is_taken_in_when_the_run_is_taken_up(tmp_path: Path) -> None:
    def stop(node: NodeView) -> Command | None:
        return None if node.id == "client_test" else reply(node)

    cut = travel(tmp_path, "avd-small", newcomer("3h"), answer=stop, patience_s=4 * 3600.0)
    assert set(cut.stuck) == {"client_test"}
    assert "connection_endpoint[rg-avd/hp-late]" not in cut.played.view.nodes
    played = drive(tmp_path, away_s=6 * 3600.0)
    assert played.view.state is RunState.DONE
    assert played.view.nodes["connection_endpoint[rg-avd/hp-late]"].state is NodeState.DONE


# ---------------------------------------------------------------- network rules and UDP


def test_the_deny_rule_leaves_what_hosts_need_and_hosts_stay_available(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-small", ask(deny_public_tag=True))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    [path] = [p for _, p in ended.writes if p.endswith("/securityrules/denyavdpublic")]
    rule = ended.played.cloud[path]["properties"]
    assert (rule["access"], rule["destinationAddressPrefix"]) == ("Deny", "WindowsVirtualDesktop")
    assert all(h["status"] == "Available" for n, h in ended.hosts.items() if n != "vm-finance-1")


def test_udp_that_must_stay_is_opted_in_after_the_pool_is_closed(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-small", ask(udp="keep"))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    order = [node for _, node, _ in ended.intents() if node.endswith("[rg-avd/hp-office]")]
    assert order.index("close_connections[rg-avd/hp-office]") < order.index("shortpath[rg-avd/hp-office]")


def test_several_wishes_at_once(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-small", every(ask(target="connections_only", udp="keep", close_public_access=False)))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    assert ended.access("hp-office") == "Enabled", "closing was not wanted"
