"""What the Virtual Desktop book refuses while it plans: before the first write, and with a sentence that helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.core.command import Attest, Command
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.sim.scenario_files import load_scenario
from tests.journeys.avd import (
    AVD,
    BOOK,
    ENDPOINTS,
    FEED_ZONE,
    GLOBAL_ZONE,
    HUB,
    MAIN,
    NET,
    PLACEHOLDER,
    RG,
    SUBNET,
    VNET,
    Change,
    Ended,
    add,
    ask,
    endpoint,
    every,
    find,
    link,
    travel,
    zone_group,
)
from tests.journeys.scenes import no_words, rehearse

SOON_S = 1200.0
"""How long a rule that is meant to hold is looked at again."""
OTHER_NET = f"{RG}/rg-other/providers/Microsoft.Network"
OTHER_VNET = f"{OTHER_NET}/virtualNetworks/vnet-other"
PREVIEW_VNET = f"{NET}/virtualNetworks/vnet-finance"


def refused(tmp_path: Path, base: str, change: Change, **more: Any) -> Ended:
    """A rehearsal that must stop before it writes anything."""
    ended = travel(tmp_path, base, change, answer=more.pop("answer", no_words), patience_s=SOON_S, **more)
    assert ended.state in (RunState.BLOCKED, RunState.NEEDS_OPERATOR), ended.stuck
    assert ended.writes == [], "nothing was to be written"
    return ended


def unregistered(tmp_path: Path, base: str, change: Change, **more: Any) -> Ended:
    """One that must stop before it asks for a flag; a rule that opens a way inside the network harms nobody."""
    ended = travel(tmp_path, base, change, patience_s=SOON_S, **{"answer": no_words, **more})
    assert [p for _, p in ended.writes if "/securityrules/" not in p] == []
    return ended


# ---------------------------------------------------------------- 0: the article's own conditions


def without(node: str) -> Any:
    def answer(view: NodeView) -> Command | None:
        return None if view.id == node else no_words(view)

    return answer


def test_nothing_is_registered_or_changed_before_the_conditions_of_the_preview_are_accepted(tmp_path: Path) -> None:
    ended = refused(tmp_path, "avd-preview", lambda _: None, answer=without("conditions"))
    assert ended.stuck == {"conditions": "you, for your organisation"}
    said = ended.says("conditions")
    for words in ("Supplemental Terms", "production data", "web client only", "data from being carried out"):
        assert words in said


def test_the_word_that_accepts_them_is_kept(tmp_path: Path) -> None:
    def answer(view: NodeView) -> Command | None:
        if view.id == "conditions" and view.state is NodeState.WAITING:
            return Attest(view.id, "The board accepted them for the test desktops", "dana")
        return None if view.id == "flag" else no_words(view)

    ended = travel(tmp_path, "avd-preview", answer=answer)
    assert ended.state_of("conditions") is NodeState.DONE
    word = ended.played.view.nodes["conditions"].attested[-1]
    assert (word["by"], word["text"]) == ("dana", "The board accepted them for the test desktops")


# ---------------------------------------------------------------- 1: rights, locks, flag


LINKED = (
    "Microsoft.Network/virtualNetworks/subnets/join/action",
    "Microsoft.Network/virtualNetworks/join/action",
    "Microsoft.Network/privateDnsZones/join/action",
)
"""Rights that no write of the log shows: on something that a write points to."""


LATER = {
    "Microsoft.Authorization/locks/write",
    "Microsoft.Compute/virtualMachines/runCommands/write",
    "Microsoft.Network/networkSecurityGroups/securityRules/write",
}
"""Rights without which an owner is asked, or on places that are known only when the hosts have been followed."""


def needed(folder: Path, base: str) -> set[str]:
    """The right that each write of a whole rehearsal needed, by the cloud's own log."""
    actions: set[str] = set()

    def watch(session: Any) -> None:
        def after(*_: Any) -> None:
            for _, event in session.cloud.state.items("activity"):
                if event["caller"] == session.cloud.operator.name:
                    actions.add(event["operationName"]["value"])

        session.transport.after_effect = after

    rehearse(folder, base, book=BOOK, prepare=watch)
    return actions


def test_every_right_that_a_rehearsal_needs_is_tested_before_the_first_write(tmp_path: Path) -> None:
    rights = {*needed(tmp_path / "whole", "avd-preview"), *LINKED} - LATER
    assert len(rights) > 8
    unsaid = []
    for number, action in enumerate(sorted(rights)):

        def lacking(doc: dict[str, Any], action: str = action) -> None:
            doc["operator"]["permissions"] = [{"scope": "*", "actions": ["*"], "notActions": [action]}]

        folder = tmp_path / str(number)
        folder.mkdir()
        ended = travel(folder, "avd-preview", lacking, answer=no_words, patience_s=SOON_S)
        nodes = [node for node, rule in ended.stuck.items() if rule == "rights-missing"]
        if ended.writes or not nodes or action.lower() not in ended.says(nodes[0]).lower():
            unsaid.append((action, ended.stuck, ended.writes[:3]))
    assert unsaid == [], "\n".join(map(str, unsaid))


def forbidding(*actions: str) -> Change:
    def change(doc: dict[str, Any]) -> None:
        doc["operator"]["permissions"] = [{"scope": "*", "actions": ["*"], "notActions": list(actions)}]

    return change


def test_a_lock_that_only_an_owner_may_set_is_asked_of_one_and_told_beforehand(tmp_path: Path) -> None:
    action = "Microsoft.Authorization/locks/write"
    ended = travel(tmp_path, "avd-small", forbidding(action), answer=no_words, patience_s=SOON_S)
    told = {c["name"]: c["observed"] for c in ended.played.view.nodes[f"rights[{MAIN}]"].checks}
    assert told[action] == "an owner is asked to lock it, or the node is skipped"
    assert "an owner of ws-discovery" in ended.says("placeholder_lock")
    assert "az lock create --name keep-feed-discovery" in ended.says("placeholder_lock")


def test_the_preview_does_not_ask_an_owner_who_cannot_answer(tmp_path: Path) -> None:
    action = "Microsoft.DesktopVirtualization/hostpools/privateEndpointConnectionsApproval/action"
    ended = refused(tmp_path, "avd-preview", forbidding(action))
    assert ended.stuck == {f"rights[{MAIN}]": "rights-missing"}
    assert f"{action} on {RG}/rg-avd (needed to connect the endpoints)" in ended.says(f"rights[{MAIN}]")


@pytest.mark.parametrize(
    "place",
    [RG + "/rg-avd", VNET, f"{AVD}/hostPools/hp-office", f"{AVD}/workspaces/ws-office"],
    ids=["group of the desktops", "network", "one host pool", "one workspace"],
)
def test_a_read_only_lock_over_anything_written_to_is_found(tmp_path: Path, place: str) -> None:
    lock = {"id": f"{place}/providers/Microsoft.Authorization/locks/frozen", "properties": {"level": "ReadOnly"}}
    ended = refused(tmp_path, "avd-small", add(lock))
    assert ended.stuck == {f"rights[{MAIN}]": "lock-forbids-writes"}
    assert "frozen on" in ended.says(f"rights[{MAIN}]")
    assert "lift it for the time of this run" in ended.says(f"rights[{MAIN}]")


@pytest.mark.parametrize("state", ["Disabled", "Warned"])
def test_a_subscription_that_takes_no_writes_is_found(tmp_path: Path, state: str) -> None:
    def disable(doc: dict[str, Any]) -> None:
        doc["subscriptions"][0]["state"] = state

    ended = refused(tmp_path, "avd-small", disable)
    assert f"Contoso Virtual Desktop is {state}" in ended.says(f"context[{MAIN}]")


def flags(*names: str) -> Change:
    """What the feature list offers besides; the preview's own one is always there."""

    def change(doc: dict[str, Any]) -> None:
        doc["features"] = [{"name": f"Microsoft.DesktopVirtualization/{name}"} for name in names]

    return change


def test_several_flags_that_fit_are_offered_and_none_is_guessed(tmp_path: Path) -> None:
    ended = unregistered(tmp_path, "avd-preview", flags("PrivateLinkForPartners"), answer=without("flag"))
    said = ended.says("flag")
    assert "2 of 2 listed flags speak of “private”. Name one of them." in said
    assert "PrivateLinkForPartners" in said
    assert "SimulatedPrivateLink" in said


def test_a_word_that_names_no_flag_of_several_is_asked_for_again(tmp_path: Path) -> None:
    def answer(view: NodeView) -> Command | None:
        if view.id != "flag":
            return no_words(view)
        if view.state is NodeState.WAITING and not view.attested:
            return Attest("flag", "The usual one", "dana")
        return None

    ended = unregistered(tmp_path, "avd-preview", flags("PrivateLinkForPartners"), answer=answer)
    assert "Your last word named no flag of the list." in ended.says("flag")


def test_the_flag_that_is_named_is_the_one_asked_for(tmp_path: Path) -> None:
    def answer(view: NodeView) -> Command | None:
        if view.id == "flag" and view.state is NodeState.WAITING:
            return Attest("flag", "It is SimulatedPrivateLink, says the portal", "dana")
        return no_words(view)

    ended = travel(tmp_path, "avd-preview", flags("PrivateLinkForPartners"), answer=answer)
    assert [p.rpartition("/features/")[2] for p in ended.written_paths("/features/")] == [
        "simulatedprivatelink/register"
    ]


def test_an_absent_flag_is_told_with_what_there_is(tmp_path: Path) -> None:
    ended = unregistered(tmp_path, "avd-small", flags("HostPoolExtras"), edition="preview")
    said = ended.says("flag")
    assert "lists no flag with “private” in its name" in said
    assert "It lists HostPoolExtras" in said
    assert "Preview features" in said


def test_a_flag_that_is_named_and_not_listed_is_refused(tmp_path: Path) -> None:
    ended = unregistered(tmp_path, "avd-preview", ask(feature_name="PrivateLinkPreview"))
    assert ended.stuck == {"flag": "flag-not-listed"}
    assert "lists no flag PrivateLinkPreview" in ended.says("flag")
    assert "It lists SimulatedPrivateLink" in ended.says("flag")


# ---------------------------------------------------------------- 2, 3 and 8: target, room, UDP


def small_subnet(prefix: str) -> Change:
    def change(doc: dict[str, Any]) -> None:
        vnet = find(doc, "virtualNetworks/vnet-hub")
        subnet = next(s for s in vnet["properties"]["subnets"] if s["name"] == "endpoints")
        subnet["properties"]["addressPrefix"] = prefix

    return change


def moved_hosts(doc: dict[str, Any]) -> None:
    find(doc, "virtualMachines/vm-{{dept.name}}-{{n}}")["location"] = "northeurope"


FOUR = ["10.40.1.10", "10.40.1.11", "10.40.1.12", "10.40.1.13"]
SPOKE = {
    "id": OTHER_VNET,
    "location": "westeurope",
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.90.0.0/16"]},
        "subnets": [{"name": "endpoints", "properties": {"addressPrefix": "10.90.1.0/27"}}],
    },
}
OTHER_SUBNET = f"{OTHER_VNET}/subnets/endpoints"
OTHERS = ({"id": f"{RG}/rg-other", "location": "westeurope"}, SPOKE)
CAPACITY = "capacity[vnet-hub/endpoints for 5 endpoints]"

PLANS: dict[str, tuple[str, Change, str, str, tuple[str, ...]]] = {
    "a subnet that is too small": (
        "avd-small", small_subnet("10.40.1.0/28"), CAPACITY, "subnet-too-small",
        ("endpoints (10.40.1.0/28) is too small", "5 endpoints need 13 addresses and 4 more as headroom; 11 are free",
         "pe-hp-office-connection (connection) takes 4", "Have endpoints enlarged"),
    ),
    "no room left for headroom": (
        "avd-small", ask(headroom=15), CAPACITY, "subnet-too-small", ("15 more as headroom; 27 are free",),
    ),
    "a subnet that Azure keeps": (
        "avd-small", ask(subnet=f"{VNET}/subnets/GatewaySubnet"),
        "capacity[vnet-hub/gatewaysubnet for 5 endpoints]", "subnet-reserved",
        ("GatewaySubnet is kept for Azure's own use", "Name another subnet"),
    ),
    "too few fixed addresses": (
        "avd-small", ask(static_addresses={"hp-office": FOUR[:3]}), "estate", "fixed-address-count",
        ("The connection endpoint of hp-office has 3 fixed addresses for 4 members",
         "broker, diagnostics, gateway-ring-map, web", "every member needs one"),
    ),
    "too many fixed addresses for the discovery": (
        "avd-small", ask(static_addresses={"global": FOUR[:2]}), "estate", "fixed-address-count",
        ("has 2 fixed addresses for 1 members",),
    ),
    "one fixed address twice": (
        "avd-small", ask(static_addresses={"hp-office": FOUR, "ws-office": [FOUR[0], "10.40.1.20"]}), "estate",
        "fixed-address-twice", ("10.40.1.10 is given 2 times",),
    ),
    "fixed addresses outside the subnet": (
        "avd-small", ask(static_addresses={"ws-office": ["10.40.2.200", "10.40.2.201"]}), CAPACITY,
        "static-addresses-unfit", ("10.40.2.200 lies outside the subnet", "Start a run with other addresses"),
    ),
    "a placement for nothing": (
        "avd-small", ask(placements={"hp-ofice": SUBNET}), "estate", "placement-unknown", ("near: hp-office",),
    ),
    "a placeholder that is picked as a workspace, too": (
        "avd-small",
        ask(placeholder=f"{AVD}/workspaces/ws-office", workspaces=[f"{AVD}/workspaces/ws-office"]), "estate",
        "placeholder-picked", ("ws-office is both the placeholder and one of the workspaces", "resolve publicly"),
    ),
    "a host pool that is not there": (
        "avd-small", ask(host_pools=[f"{AVD}/hostPools/hp-offices"]), "estate", "host-pool-missing",
        ("near: hp-office",),
    ),
    "a host pool of another subscription": (
        "avd-small", ask(host_pools=[f"{AVD}/hostPools/hp-office".replace(MAIN, HUB)]), f"context[{HUB}]",
        "subscription-not-visible", (f"sees no subscription {HUB}",),
    ),
    "UDP in the preview": (
        "avd-preview", ask(udp="keep"), "target", "shortpath-unsupported",
        ("does not support RDP Shortpath together with private link", "udp drop", "--edition ga"),
    ),
    "session hosts in another region, in the preview": (
        "avd-preview", moved_hosts, "estate", "endpoint-in-other-region",
        ("session hosts of hp-design are in northeurope", "its endpoint would be in westeurope"),
    ),
    "a region that does not offer workspaces": (
        "avd-small", ask(location="antarcticanorth"), "edition", "region-not-offered",
        ("antarcticanorth does not offer workspaces", "swedencentral"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PLANS)
def test_it_is_refused_before_the_first_write(tmp_path: Path, case: str) -> None:
    base, change, node, rule, words = PLANS[case]
    ended = refused(tmp_path, base, change)
    assert ended.stuck.get(node) == rule, (ended.stuck, ended.says(next(iter(ended.stuck))))
    said = ended.says(node)
    for word in words:
        assert word in said, said


def test_session_hosts_may_be_in_another_region_today(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-preview", every(moved_hosts, lambda doc: doc.update(era="ga", edition="ga")))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})


def test_a_placeholder_with_application_groups_carries_nothing_before_somebody_vouches_for_it(tmp_path: Path) -> None:
    ended = travel(
        tmp_path, "avd-small", ask(placeholder=f"{AVD}/workspaces/ws-office"), answer=no_words, patience_s=SOON_S
    )
    assert ended.stuck["placeholder"] == "placeholder-in-use"
    said = ended.says("placeholder")
    assert "Workspace ws-office publishes 1 application group: dag-office" in said
    assert "stops feed discovery for every user" in said
    assert "one that does not exist is made" in said
    assert not [p for _, p in ended.writes if "-global" in p or "/locks/" in p]


# ---------------------------------------------------------------- 5 and 6: second discovery, collisions, zones


def discovery_of_others(zone_in: str, linked_to: str) -> list[dict[str, Any]]:
    """A colleague's endpoint of the discovery on ws-finance, its zone, and where that zone is linked."""
    zone = f"{zone_in}/privateDnsZones/{GLOBAL_ZONE}"
    path = f"{OTHER_NET}/privateEndpoints/pe-old-discovery"
    return [
        *OTHERS,
        endpoint(path, f"{AVD}/workspaces/ws-finance", "global", OTHER_SUBNET),
        {"id": zone, "location": "global"},
        zone_group(path, zone),
        link(zone, linked_to),
    ]


def test_a_second_endpoint_of_the_discovery_is_found_by_its_zone(tmp_path: Path) -> None:
    spaces = [f"{AVD}/workspaces/ws-office"]
    ended = refused(tmp_path, "avd-small", add(*discovery_of_others(OTHER_NET, VNET), workspaces=spaces))
    assert ended.stuck["discovery_search"] == "second-global-endpoint"
    said = ended.says("discovery_search")
    assert f"pe-old-discovery in subscription Contoso Virtual Desktop ({MAIN}), to workspace ws-finance" in said
    assert "vnet-hub resolves through" in said
    assert "target feed_and_connections" in said
    assert "workspace ws-finance is in use besides, by rag-finance" in said


def test_one_in_a_dns_scope_of_its_own_is_left_alone(tmp_path: Path) -> None:
    there = discovery_of_others(OTHER_NET, OTHER_VNET)
    lone = {"id": f"{AVD}/workspaces/ws-theirs", "location": "westeurope"}
    spaces = [f"{AVD}/workspaces/ws-office", f"{AVD}/workspaces/ws-finance"]
    there = [lone, *_toward("ws-theirs", there)]
    ended = travel(tmp_path, "avd-small", add(*there, workspaces=spaces))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    checks = {c["name"]: c["observed"] for c in ended.played.view.nodes["discovery_search"].checks}
    assert "pe-old-discovery" in str(checks["others that serve elsewhere"])


def _toward(workspace: str, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return json.loads(json.dumps(resources).replace("workspaces/ws-finance", f"workspaces/{workspace}"))  # type: ignore[no-any-return]


def test_a_discovery_that_was_put_on_a_workspace_before_its_feed_is_told(tmp_path: Path) -> None:
    ended = refused(tmp_path, "avd-small", add(*discovery_of_others(OTHER_NET, OTHER_VNET)))
    assert ended.stuck == {"estate": "global-before-feed"}
    said = ended.says("estate")
    assert "ws-finance carries an endpoint of the feed discovery (global) and none for its feed yet" in said
    assert "Have the global endpoint of ws-finance removed, then retry" in said


def test_where_somebody_vouches_for_that_order_the_names_tell_the_truth(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-small", add(*discovery_of_others(OTHER_NET, OTHER_VNET)))
    assert not [n for n in ended.played.view.nodes if n.startswith("close_") and ended.state_of(n) is NodeState.DONE]
    assert ended.access("ws-finance") == "Enabled", "it is not closed while its feed is public"


def test_a_second_endpoint_in_the_very_zone_that_this_run_would_link_is_found_too(tmp_path: Path) -> None:
    home = f"{RG}/rg-avd-privatelink"
    there = discovery_of_others(f"{home}/providers/Microsoft.Network", OTHER_VNET)
    spaces = [f"{AVD}/workspaces/ws-office"]
    ended = refused(tmp_path, "avd-small", add({"id": home, "location": "westeurope"}, *there, workspaces=spaces))
    assert ended.stuck["discovery_search"].startswith("second-global-endpoint")


def rival(zone_in: str, linked_to: str) -> list[dict[str, Any]]:
    """Another network's endpoint to hp-office."""
    zone = f"{zone_in}/privateDnsZones/{FEED_ZONE}"
    path = f"{OTHER_NET}/privateEndpoints/pe-office-spoke"
    return [
        *OTHERS,
        endpoint(path, f"{AVD}/hostPools/hp-office", "connection", OTHER_SUBNET),
        {"id": zone, "location": "global"},
        zone_group(path, zone),
        link(zone, linked_to),
    ]


def test_records_of_two_endpoints_that_would_collide_are_found(tmp_path: Path) -> None:
    ended = refused(tmp_path, "avd-small", add(*rival(OTHER_NET, VNET)))
    assert ended.stuck["collisions"] == "records-collide"
    said = ended.says("collisions")
    assert "pe-hp-office-connection (to hp-office, connection) and " in said
    assert "pe-office-spoke" in said
    assert "The last writer wins" in said
    assert "Have the links between these networks and that zone removed" in said


def test_another_networks_endpoint_in_its_own_zone_does_not_collide(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-small", add(*rival(OTHER_NET, OTHER_VNET)))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    assert not [p for _, p in ended.writes if "rg-other" in p]


def test_the_base_of_these_variations_is_whole() -> None:
    assert load_scenario("avd-small").doc["inputs"]["placeholder"] == PLACEHOLDER
    assert ENDPOINTS.endswith("/privateEndpoints")
    assert PREVIEW_VNET.endswith("vnet-finance")
