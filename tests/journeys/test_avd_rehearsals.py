"""The shipped Virtual Desktop scenarios, rehearsed to their end, and what clients and hosts experience there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from tests.journeys.avd import AVD, ENDPOINTS, HOME, NET, ZONES, Ended, routes, travel

SCENARIOS = ("avd-small", "avd-preview", "avd-brownfield")
PLACEHOLDER = {"avd-small": "ws-discovery", "avd-preview": "ws-discovery", "avd-brownfield": "ws-unused"}
KEPT_OUT = {"vm-finance-1", "vm-lab-3"}
"""Switched off, and kept empty on purpose."""


@pytest.fixture(scope="module", params=SCENARIOS)
def ended(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Ended]:
    return request.param, travel(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return travel(tmp_path_factory.mktemp("small"), "avd-small")


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return travel(tmp_path_factory.mktemp("preview"), "avd-preview")


@pytest.fixture(scope="module")
def brownfield(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return travel(tmp_path_factory.mktemp("brownfield"), "avd-brownfield")


# ---------------------------------------------------------------- all of them


def test_it_ends_done_with_every_check_ok(ended: tuple[str, Ended]) -> None:
    _, end = ended
    assert (end.state, end.stuck) == (RunState.DONE, {})
    done = [n for n in end.played.view.nodes.values() if n.state is NodeState.DONE]
    assert len(done) > 30
    assert all(node.checks for node in done)
    assert [c for node in done for c in node.checks if not c["ok"]] == []
    assert not [n.id for n in end.played.view.nodes.values() if n.state not in (NodeState.DONE, NodeState.SKIPPED)]


def test_from_the_private_networks_everything_works_privately(ended: tuple[str, Ended]) -> None:
    name, end = ended
    places = sorted({place for _, place in end.feels} - {"internet"})
    assert places[-1].startswith("vnet-")
    for place in places:
        felt = routes(end, place)
        del felt[f"feed {PLACEHOLDER[name]}"]  # nobody reads it: it publishes nothing
        for host in KEPT_OUT:
            felt.pop(f"session {host}", None)
        assert set(felt.values()) == {(True, "private")}, (place, felt)


def test_from_the_internet_what_was_closed_fails_and_discovery_stays_reachable(ended: tuple[str, Ended]) -> None:
    name, end = ended
    felt = routes(end, "internet")
    assert felt.pop("discovery") == (True, "public")
    assert felt.pop(f"feed {PLACEHOLDER[name]}") == (True, "public"), "its workspace ignores the value"
    assert set(felt.values()) == {(False, "public")}


def test_hosts_are_available_and_take_sessions_as_they_did_before(ended: tuple[str, Ended]) -> None:
    _, end = ended
    assert {n: h["status"] for n, h in end.hosts.items() if n != "vm-finance-1"} == {
        n: "Available" for n in end.hosts if n != "vm-finance-1"
    }
    assert {n for n, h in end.hosts.items() if not h["allowNewSession"]} <= {"vm-lab-3"}


def test_every_object_has_the_value_of_the_target(ended: tuple[str, Ended]) -> None:
    name, end = ended
    found = {
        body["name"]: body["properties"].get("publicNetworkAccess")
        for key, body in end.played.cloud.items()
        if key.count("/") == 8 and ("/hostpools/" in key or "/workspaces/" in key)
    }
    placeholder = found.pop(PLACEHOLDER[name])
    assert placeholder in (None, "Enabled"), "its value is left alone"
    assert set(found.values()) == {"Disabled"}


def test_no_token_and_no_other_secret_stands_in_the_journal(ended: tuple[str, Ended]) -> None:
    _, end = ended
    text = "\n".join(str(e.data) for e in end.played.entries)
    for secret in ("registrationInfo", "eyJ", "Bearer ", "&s="):
        assert secret not in text
    assert end.played.entries[0].kind is Kind.RUN_CREATED


def test_nothing_is_written_without_an_intent_and_every_change_has_three_faces(ended: tuple[str, Ended]) -> None:
    _, end = ended
    intents = [e for e in end.played.entries if e.kind is Kind.INTENDED]
    assert len(intents) == sum(end.played.writes.values())
    shown = {c["digest"]: c for e in end.played.entries if e.kind is Kind.OBSERVED for c in e.data.get("changes", ())}
    for intent in intents:
        command = shown[intent.data["digest"]]["command"]
        assert command["az"].startswith("az ")
        assert command["rest"].partition(" ")[0] in ("PUT", "PATCH", "POST")
        assert command["powershell"]


def test_no_write_is_made_twice_but_draining_and_opening_a_host(ended: tuple[str, Ended]) -> None:
    _, end = ended
    twice = {path for (_, path), n in end.played.writes.items() if n > 1 and "/sessionhosts/" not in path.lower()}
    assert twice == set()
    assert {n for (_, path), n in end.played.writes.items() if "/sessionhosts/" in path.lower()} == {2}


def test_feeds_come_before_the_discovery_and_closing_comes_last_host_pools_first(ended: tuple[str, Ended]) -> None:
    _, end = ended
    made = [name for name in end.written("/privateendpoints/pe-") if name.startswith("pe-")]
    assert [name for name in made if name.endswith("-global")] == made[-1:]
    closing = [(node, title) for _, node, title in end.intents() if node.startswith("close_")]
    assert [n for _, n, _ in end.intents()][-len(closing) :] == [n for n, _ in closing]
    steps = [node.partition("[")[0] for node, _ in closing]
    assert steps == sorted(steps), "connections, then feeds"


def test_every_closing_shows_the_way_back(ended: tuple[str, Ended]) -> None:
    _, end = ended
    closed = [
        c
        for e in end.played.entries
        if e.kind is Kind.OBSERVED and (e.node or "").startswith("close_")
        for c in e.data.get("changes", ())
    ]
    assert closed
    for change in closed:
        before = next(d["before"] for d in change["diff"])
        assert change["risk"] == "disruptive"
        assert f'"publicNetworkAccess":"{before}"' in str(change["command"]).replace("\\", "")


def test_disruptive_changes_are_those_that_redirect_restart_or_close(ended: tuple[str, Ended]) -> None:
    _, end = ended
    risky = {
        (e.node or "").partition("[")[0]
        for e in end.played.entries
        if e.kind is Kind.OBSERVED and any(c["risk"] == "disruptive" for c in e.data.get("changes", ()))
    }
    assert {"links", "restart", "close_connections", "close_feeds"} <= risky
    assert risky <= {"links", "restart", "close_connections", "close_feeds", "connection_records", "feed_records"}


def test_names_turn_private_only_when_every_port_is_open_and_every_record_is_there(ended: tuple[str, Ended]) -> None:
    _, end = ended
    sent = [(seq, node.partition("[")[0]) for seq, node, _ in end.intents()]
    first = min(seq for seq, step in sent if step == "links")
    before = [seq for seq, step in sent if step in ("port_range", "feed_records", "connection_records")]
    assert max(before) < first
    assert first < min(seq for seq, step in sent if step == "restart")


# ---------------------------------------------------------------- each


def test_the_same_answers_give_the_same_journal(small: Ended, tmp_path: Path) -> None:
    again = travel(tmp_path, "avd-small")
    assert [e.hash for e in small.played.entries] == [e.hash for e in again.played.entries]


def test_the_switched_off_machine_is_left_off_and_is_not_run_in(small: Ended) -> None:
    assert small.hosts["vm-finance-1"]["status"] == "Shutdown"
    assert not [path for _, path in small.writes if "/vm-finance-1" in path]


def test_signed_in_users_are_waited_for_before_their_host_is_restarted(small: Ended) -> None:
    waits = [
        e.data["waiting"]
        for e in small.played.entries
        if e.kind is Kind.OBSERVED and (e.node or "").startswith("restart[") and e.data.get("waiting")
    ]
    assert {w["who"] for w in waits} == {"the users on hp-office", "the users on hp-finance"}
    assert any("vm-office-0.contoso.local (2)" in w["message"] for w in waits)


def test_the_group_that_let_only_https_through_gets_one_rule_and_keeps_its_own(small: Ended) -> None:
    assert small.written("/securityrules/") == ["allowavdprivateendpoints"]
    group = f"{NET}/networkSecurityGroups/nsg-hosts/securityRules/".lower()
    names = sorted(b["name"] for k, b in small.played.cloud.items() if k.startswith(group))
    assert names == ["AllowAvdPrivateEndpoints", "AllowHttpsToNetwork", "DenyOtherToNetwork"]


def test_the_placeholder_is_empty_and_locked(small: Ended, preview: Ended) -> None:
    for end in (small, preview):
        assert end.written("authorization/locks/") == ["keep-feed-discovery"]
        found = next(b for k, b in end.played.cloud.items() if k.endswith("/workspaces/ws-discovery"))
        assert not found["properties"].get("applicationGroupReferences")


def test_the_preview_asks_for_the_flag_that_it_was_told_and_registers_again(preview: Ended) -> None:
    posts = [path for method, path in preview.played.writes if method == "POST"]
    flag, again = posts
    assert flag.endswith("/features/SimulatedPrivateLink/register")
    assert again.endswith("/providers/Microsoft.DesktopVirtualization/register")
    assert preview.state_of("conditions") is NodeState.DONE


def test_each_department_has_its_endpoints_in_its_own_network(preview: Ended) -> None:
    for name in ("pe-hp-finance-connection", "pe-ws-finance-feed", "pe-hp-design-connection", "pe-ws-design-feed"):
        found = preview.played.cloud[f"{ENDPOINTS}/{name}".lower()]
        department = name.split("-")[2]
        assert f"/vnet-{department}/" in found["properties"]["subnet"]["id"]


def test_what_was_made_by_hand_is_used_and_not_doubled(brownfield: Ended) -> None:
    made = sorted(n for n in brownfield.written("/privateendpoints/") if n.startswith("pe-"))
    assert made == ["pe-hp-lab-connection", "pe-ws-lab-feed", "pe-ws-office-feed", "pe-ws-unused-global"]
    leading = Counter(
        str(b["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceId"]).lower()
        for k, b in brownfield.played.cloud.items()
        if k.startswith(f"{ENDPOINTS}/".lower()) and k.count("/") == 8
    )
    assert leading[f"{AVD}/hostPools/hp-office".lower()] == 1
    assert not any("hp-office-by-hand" in path for _, path in brownfield.writes)
    zones = [k.rpartition("/")[2] for k in brownfield.played.cloud if k.startswith(f"{ZONES}/".lower())]
    assert "link-by-hand" in zones
    assert "link-vnet-hub" in zones, "of the zone that was still to come"
    assert not [p for _, p in brownfield.writes if p.startswith(f"{ZONES}/privatelink.wvd.microsoft.com".lower())]
    group = brownfield.played.cloud[HOME.partition("/providers/")[0].lower()]
    assert group["tags"] == {"owner": "sam"}


def test_the_register_call_of_a_colleague_counts(brownfield: Ended) -> None:
    assert not [path for method, path in brownfield.played.writes if method == "POST"]


def test_the_host_that_was_kept_empty_is_restarted_and_stays_empty(brownfield: Ended) -> None:
    assert brownfield.hosts["vm-lab-3"]["allowNewSession"] is False
    assert not [p for _, p in brownfield.writes if "/sessionhosts/vm-lab-3" in p]
    assert [p for _, p in brownfield.writes if "/virtualmachines/vm-lab-3/runcommands/" in p]
