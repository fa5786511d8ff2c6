"""The proof fails when anything it rests on is not so, and the public way then stays open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.core.command import Approve, Command
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.wiring import Rehearsal
from tests.crash.harness import Played, reply
from tests.journeys.scenes import (
    ENDPOINT,
    HIS,
    HOME,
    SCOPE,
    SERVERS,
    VNET,
    ZONES,
    blocked,
    by_hand,
    connect_server,
    proposed,
    rehearse,
    scene,
    stuck,
    when_done,
)

Change = Callable[[dict[str, Any]], None]
SITE = "/providers/Simulated.OnPremises/dns/site"
CONNECTION = f"{SCOPE}/privateEndpointConnections"


def stays_open(played: Played) -> None:
    assert played.view.state is not RunState.DONE
    assert "Close pls-arc to public networks" not in proposed(played)
    assert played.cloud[SCOPE.lower()]["properties"]["publicNetworkAccess"] == "Enabled"


# ---------------------------------------------------------------- lookups


def custom_dns(doc: dict[str, Any]) -> None:
    vnet = next(r for r in doc["resources"] if r["id"] == VNET)
    vnet["properties"]["dhcpOptions"] = {"dnsServers": ["10.20.0.10"]}
    doc["dns"]["non_forwarding"] = ["10.20.0.10"]


def no_forwarding(doc: dict[str, Any]) -> None:
    doc["dns"] = {"onprem": {}}


def wrong_suffix(doc: dict[str, Any]) -> None:
    suffixes = doc["dns"]["onprem"]["forwarder"]["suffixes"]
    doc["dns"]["onprem"]["forwarder"]["suffixes"] = [f"privatelink.{s}" for s in suffixes]


def when_linked(do: dict[str, Any]) -> Change:
    """Something happens when the last zone has been linked."""

    def change(doc: dict[str, Any]) -> None:
        trigger = {"on": "write", "method": "PUT", "path": "*/virtualnetworklinks/*", "nth": 3}
        after = doc["durations"].get("zone_link", 30)
        doc["parties"].append({"id": "late", "who": "a colleague", **trigger, "after": after, "do": do})

    return change


ELSEWHERE = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.99.0.4"}]}}


@pytest.mark.parametrize(
    ("change", "node", "words"),
    [
        (custom_dns, "forwarding", ""),
        (no_forwarding, "forwarding", "forward the public suffix"),
        (wrong_suffix, "forwarding", "forward the public suffix"),
        (
            when_linked({"do": "put", "path": f"{ZONES}/{HIS}/A/gbl", "body": ELSEWHERE}),
            "forwarding",
            "another private address",
        ),
        (when_linked({"do": "delete", "path": f"{ZONES}/{HIS}/A/gbl"}), "forwarding", "does not exist there"),
    ],
    ids=[
        "DNS servers that do not ask Azure",
        "no forwarder",
        "wrong suffix",
        "record elsewhere",
        "no record",
    ],
)
def test_a_name_that_is_not_private_from_everywhere_is_waited_for_and_never_proven(
    tmp_path: Path, change: Change, node: str, words: str
) -> None:
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", change))
    stays_open(played)
    wait = played.view.nodes[node].waiting
    assert wait is not None, stuck(played)
    assert words in wait["message"]
    assert played.view.nodes["proof"].state is NodeState.PENDING


def test_a_link_that_is_removed_right_after_it_was_made_is_noticed(tmp_path: Path) -> None:
    def unlink(session: Rehearsal) -> None:
        by_hand(session, "DELETE", f"{ZONES}/{HIS}/virtualNetworkLinks/link-vnet-hub", "2020-06-01")

    played = rehearse(tmp_path, "arc-ga", prepare=when_done(f"links[{HIS}]", unlink))
    stays_open(played)
    wait = played.view.nodes["forwarding"].waiting
    assert wait is not None, stuck(played)
    assert "gbl.his.arc.azure.com is" in wait["message"]
    assert "the public address" in wait["message"]


def test_inside_the_network_the_missing_link_or_its_dns_servers_are_named(tmp_path: Path) -> None:
    def own_records(doc: dict[str, Any]) -> None:
        """The premises are right by records of their own, the network is not."""
        custom_dns(doc)
        names = [f"{n}.his.arc.azure.com" for n in ("gbl", "we", "eu-ats")]
        names += [f"{n}.guestconfiguration.azure.com" for n in ("agentserviceapi", "we-gas", "westeurope-gas")]
        names += ["westeurope.dp.kubernetesconfiguration.azure.com"]
        doc["dns"]["onprem"]["records"] = {name: f"10.20.1.{at}" for at, name in enumerate(names, 4)}

    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", own_records))
    stays_open(played)
    wait = played.view.nodes["resolution"].waiting
    assert wait is not None
    assert "do not forward to 168.63.129.16" in wait["message"]


# ---------------------------------------------------------------- endpoint and servers


def connection(session: Rehearsal) -> str:
    return next(key for key in session.cloud.state.keys("resources", f"{CONNECTION}/".lower()))


def rejected(session: Rehearsal) -> None:
    state = {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "not any more"}}
    by_hand(session, "PUT", connection(session), "2022-12-27", {"properties": state})


def removed(session: Rehearsal) -> None:
    by_hand(session, "DELETE", connection(session), "2022-12-27")


def gone(session: Rehearsal) -> None:
    by_hand(session, "DELETE", ENDPOINT, "2024-01-01")


def taken_out(session: Rehearsal) -> None:
    body = {"properties": {"privateLinkScopeResourceId": ""}}
    by_hand(session, "PATCH", f"{SERVERS}/srv-app-02", "2022-12-27", body)


def redirected(session: Rehearsal) -> None:
    by_hand(session, "PUT", f"{ZONES}/{HIS}/A/gbl", "2020-06-01", ELSEWHERE)


SPOILS = [
    (rejected, "connection, as the scope has it: expected Approved, found Rejected"),
    (removed, "connection, as the endpoint has it: expected Approved, found Disconnected"),
    (gone, "endpoint: expected Succeeded, found (absent)"),
    (taken_out, "Arc-enabled servers outside the scope: expected none, found srv-app-02"),
    (connect_server, "Arc-enabled servers outside the scope: expected none, found srv-new"),
    (redirected, "gbl.his.arc.azure.com from vnet-hub: expected 10.20.1.4, found 10.99.0.4"),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILS, ids=lambda v: getattr(v, "__name__", ""))
def test_the_proof_fails_on_a_fresh_look_when_something_it_rests_on_is_gone(
    tmp_path: Path, spoil: Callable[[Rehearsal], None], words: str
) -> None:
    played = rehearse(tmp_path, "arc-ga", prepare=when_done("resolution", spoil))
    stays_open(played)
    assert stuck(played)["proof"] == "check-not-met", stuck(played)
    assert words in blocked(played, "proof")


# ---------------------------------------------------------------- closing


@pytest.mark.parametrize(("spoil", "words"), SPOILS, ids=lambda v: getattr(v, "__name__", ""))
def test_what_breaks_between_proof_and_go_keeps_the_scope_open(
    tmp_path: Path, spoil: Callable[[Rehearsal], None], words: str
) -> None:
    session_: list[Rehearsal] = []

    def answer(node: NodeView) -> Command | None:
        if node.id == "close_public" and node.state is NodeState.READY and session_:
            spoil(session_.pop())
            return Approve(node.id, tuple(c["digest"] for c in node.changes))
        return reply(node)

    played = rehearse(tmp_path, "arc-ga", answer=answer, prepare=session_.append)
    assert played.view.nodes["proof"].state is NodeState.DONE
    assert stuck(played) == {"close_public": "proof-does-not-hold"}
    name, _, rest = words.partition(": expected ")
    assert f"{name}: {rest.partition(', found ')[2]}" in blocked(played, "close_public")
    assert played.cloud[SCOPE.lower()]["properties"]["publicNetworkAccess"] == "Enabled"


def test_closing_shows_the_way_back_before_and_after(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-ga")
    undo = f"az connectedmachine private-link-scope update --subscription {HOME.split('/')[2]}"
    shown = [c for e in played.entries if e.node == "close_public" for c in e.data.get("changes", ())]
    assert shown
    assert all(f"To undo: {undo}" in c["command"]["by_hand"] for c in shown)
    assert all("--public-network-access Enabled" in c["command"]["by_hand"] for c in shown)
    assert played.view.nodes["close_public"].outputs["undo"][0].startswith(undo)
