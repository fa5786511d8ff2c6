"""The troubled scenario: each planted problem is found before the first write that it would harm, and it ends well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.core.command import Command, Retry
from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from tests.crash.harness import reply
from tests.journeys.avd import AVD, HUB, MAIN, Ended, routes, travel
from tests.journeys.scenes import deferred, no_words

APAC = "33333333-3333-4333-8333-333333333333"
START_MS = 1_772_438_400_000
HOUR_MS = 3_600_000
SALES = "restart[rg-avd/hp-sales]"


def retrying() -> Callable[[NodeView], Command | None]:
    """Wait for everybody, and try a host once more where its script failed."""
    tried: list[str] = []

    def answer(node: NodeView) -> Command | None:
        if node.id == SALES and node.state is NodeState.BLOCKED and len(tried) < 3:
            tried.append(node.id)
            return Retry(node.id)
        return no_words(node)

    return answer


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return travel(tmp_path_factory.mktemp("trouble"), "avd-trouble", answer=retrying())


def test_it_ends_well_without_a_single_word_against_a_rule(trouble: Ended) -> None:
    assert (trouble.state, trouble.stuck) == (RunState.DONE, {})
    for place in ("vnet-hub", "on-premises"):
        felt = routes(trouble, place)
        del felt["feed ws-discovery"], felt["feed ws-apac"]
        assert set(felt.values()) == {(True, "private")}, (place, felt)
    assert not any(works for what, (works, _) in routes(trouble, "internet", "connection").items())
    assert all(h["status"] == "Available" and h["allowNewSession"] for h in trouble.hosts.values())


def test_nothing_is_written_before_the_other_discovery_and_the_zone_by_hand_are_gone(trouble: Ended) -> None:
    first = min(e.at_ms for e in trouble.played.entries if e.kind is Kind.INTENDED)
    assert first - START_MS >= 4 * HOUR_MS


def test_the_second_discovery_is_named_with_its_team_and_the_ways_out(trouble: Ended) -> None:
    said = trouble.ever_said("discovery_search")[0]
    assert f"pe-apac-discovery in subscription Contoso Asia Pacific ({APAC}), to workspace ws-apac" in said
    assert "vnet-hub resolves through" in said
    assert "A second one would take over its record" in said
    assert "target feed_and_connections" in said
    assert not [p for _, p in trouble.writes if APAC in p], "another team's: look, do not touch"


def test_the_zone_that_hides_the_public_suffix_is_named(trouble: Ended) -> None:
    said = trouble.ever_said("collisions")
    assert said, "found while planning"
    assert "wvd.microsoft.com (resource group rg-zones, subscription Contoso Connectivity)" in said[0]


def test_the_policys_zone_is_the_one_that_is_used_and_its_groups_are_not_doubled(trouble: Ended) -> None:
    zones = [
        k for k in trouble.played.cloud if "/privatednszones/" in k and k.endswith("/privatelink.wvd.microsoft.com")
    ]
    assert zones == [
        f"/subscriptions/{HUB}/resourcegroups/rg-zones/providers/microsoft.network/privatednszones/"
        "privatelink.wvd.microsoft.com"
    ]
    for name in ("pe-hp-claims-connection", "pe-hp-sales-connection"):
        groups = [k for k in trouble.played.cloud if f"/{name}/privatednszonegroups/" in k]
        assert len(groups) == 1


def test_a_policy_that_is_quicker_is_found_and_used(tmp_path: Path) -> None:
    def quick(doc: dict[str, object]) -> None:
        doc["parties"][0]["after"] = 50  # type: ignore[index]

    ended = travel(tmp_path, "avd-trouble", quick, answer=retrying())
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    for pool in ("hp-claims", "hp-sales"):
        assert ended.played.view.nodes[f"connection_records[rg-avd/{pool}]"].outputs["name"] == "deployedByPolicy"
    assert ended.written("/privatednszonegroups/") == ["default"] * 3, "feeds and the discovery"


@pytest.mark.parametrize("after_s", [50, 240, 300])
def test_whenever_a_policy_with_another_zone_comes_the_names_resolve_through_one_zone(
    tmp_path: Path, after_s: int
) -> None:
    def apart(doc: dict[str, object]) -> None:
        doc["inputs"]["zones_resource_group"] = "rg-zones-avd"  # type: ignore[index]
        doc["parties"][0]["after"] = after_s  # type: ignore[index]

    ended = travel(tmp_path, "avd-trouble", apart, answer=retrying())
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    assert len(ended.written_paths("/privatelink.wvd.microsoft.com/virtualnetworklinks/")) == 1
    felt = routes(ended, "vnet-hub")
    del felt["feed ws-discovery"], felt["feed ws-apac"]
    assert set(felt.values()) == {(True, "private")}


def test_a_script_that_fails_behind_a_200_stops_the_line_and_leaves_no_host_drained(trouble: Ended) -> None:
    said = trouble.ever_said(SALES)[0]
    assert "vm-sales-2.contoso.local: the script ended as Failed" in said
    assert (
        "stderr: Restart-Service : Service 'Remote Desktop Agent Loader (RDAgentBootLoader)' cannot be stopped." in said
    )
    assert "Every host that this run drained takes new sessions again" in said
    assert "services, event log, the VM agent" in said
    blocked = next(e.seq for e in trouble.played.entries if e.node == SALES and e.data.get("blocked"))
    before = [title for seq, node, title in trouble.intents() if node == SALES and seq < blocked]
    assert not any("vm-sales-3" in title for title in before), "no further host is touched"
    drained = {t.split()[1].rstrip(":") for t in before if t.startswith("Drain")}
    opened = {t.split()[1] for t in before if t.startswith("Let")}
    assert drained == opened != set()


def test_a_false_word_about_a_loader_is_found_out_before_the_end(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-trouble", answer=reply)
    assert ended.state is RunState.BLOCKED
    assert "vm-sales-2.contoso.local is Unavailable" in ended.says("proof")
    assert "restart RDAgentBootLoader" in ended.says("proof")


def test_throttling_puts_off_visibly_and_nothing_takes_effect_twice(trouble: Ended) -> None:
    put_off = deferred(trouble.played)
    assert {e.data["error"]["code"] for e in put_off} == {"SubscriptionRequestsThrottled"}
    assert len(put_off) >= 2
    twice = [p for (_, p), n in trouble.played.writes.items() if n > 1 and "/sessionhosts/" not in p.lower()]
    assert [p.rpartition("/virtualMachines/")[2] for p in twice] == ["vm-sales-2/runCommands/runbook-rdagent-restart"]


def test_the_endpoint_whose_answer_got_lost_is_looked_for_and_not_made_again(trouble: Ended) -> None:
    doubted = [e for e in trouble.played.entries if e.kind is Kind.DOUBTED]
    assert [e.node for e in doubted] == ["connection_endpoint[rg-avd/hp-sales]"]
    path = "/privateendpoints/pe-hp-sales-connection"
    assert [n for (_, p), n in trouble.played.writes.items() if p.lower().endswith(path)] == [1]


def test_the_conditions_of_this_scenario_are_the_ones_that_these_tests_mean(trouble: Ended) -> None:
    assert trouble.played.view.nodes["estate"].outputs["counts"]["host_pools"] == 2
    assert AVD.startswith(f"/subscriptions/{MAIN}/")
