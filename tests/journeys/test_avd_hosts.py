"""Session hosts: every one is left as it was found, and public access closes only on what holds at that moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.core.command import Command
from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.wiring import Rehearsal
from tests.crash.harness import RUN, reply
from tests.journeys.avd import AVD, ENDPOINTS, FEED_ZONE, MACHINES, ZONES, Ended, ask, feel, hosts_of, travel
from tests.journeys.scenes import by_hand, drive, no_words, stuck, when_done

OFFICE, FINANCE = "rg-avd/hp-office", "rg-avd/hp-finance"
POOL = f"{AVD}/hostPools/hp-office"
VERSION = "2024-04-03"
SOON_S = 4 * 3600.0


def fault(**more: Any) -> Callable[[dict[str, Any]], None]:
    def change(doc: dict[str, Any]) -> None:
        doc["faults"] = [*doc.get("faults", ()), {"id": f"fault-{len(doc.get('faults', ()))}", **more}]

    return change


def drained(ended: Ended) -> set[str]:
    return {name for name, host in ended.hosts.items() if not host["allowNewSession"]}


def closed(ended: Ended) -> list[str]:
    return [p.rpartition("/")[2] for m, p in ended.writes if m == "PATCH" and "/sessionhosts/" not in p]


# ---------------------------------------------------------------- restarts


def test_a_script_that_goes_on_failing_leaves_every_host_open_and_everything_public(tmp_path: Path) -> None:
    broken = fault(path="*/vm-office-1", times=99, script_error="Restart-Service : Access is denied.")
    ended = travel(tmp_path, "avd-small", broken, answer=no_words, patience_s=SOON_S)
    assert ended.stuck == {f"restart[{OFFICE}]": "restart-failed"}
    said = ended.says(f"restart[{OFFICE}]")
    assert "vm-office-1.contoso.local: the script ended as Failed" in said
    assert "Access is denied." in said
    assert "Then retry: it runs again there." in said
    assert "Restart RDAgentBootLoader there by hand" in said
    assert drained(ended) == set()
    assert closed(ended) == []
    assert ended.state_of(f"hosts[{FINANCE}]") is NodeState.DONE, "the other pool went on"


def test_without_the_right_to_run_commands_the_hosts_stay_open(tmp_path: Path) -> None:
    def forbid(doc: dict[str, Any]) -> None:
        action = "Microsoft.Compute/virtualMachines/runCommands/write"
        doc["operator"]["permissions"] = [{"scope": "*", "actions": ["*"], "notActions": [action]}]

    ended = travel(tmp_path, "avd-small", forbid, answer=no_words, patience_s=SOON_S)
    assert set(ended.stuck) == {f"restart[{OFFICE}]", f"restart[{FINANCE}]"}
    assert drained(ended) == set()
    assert closed(ended) == []


def test_a_run_that_stops_while_hosts_are_drained_opens_them_when_it_is_taken_up(tmp_path: Path) -> None:
    cut = travel(tmp_path, "avd-small", patience_s=600.0)
    assert drained(cut), "stopped in the middle"
    assert stuck(cut.played)

    after: dict[str, Any] = {}

    def look(session: Rehearsal) -> None:
        after["hosts"], after["feels"] = hosts_of(session), feel(session)

    played = drive(tmp_path, look=look)
    assert played.view.state is RunState.DONE
    assert {n for n, h in after["hosts"].items() if not h["allowNewSession"]} == set()
    assert played.view.id == RUN


def test_never_more_of_a_pool_than_its_wave_is_drained_at_the_same_time(tmp_path: Path) -> None:
    open_, most = set[str](), 0
    ended = travel(tmp_path, "avd-small", ask(wave_percent=40))
    for _, node, title in ended.intents():
        if node == f"restart[{OFFICE}]":
            name = title.split()[1].rstrip(":")
            if title.startswith("Drain"):
                open_.add(name)
            elif title.startswith("Let"):
                open_.discard(name)
            most = max(most, len(open_))
    assert most == 1, "40 % of three hosts"
    assert ended.state is RunState.DONE


def test_a_host_that_somebody_drains_meanwhile_is_not_opened(tmp_path: Path) -> None:
    host = f"{POOL}/sessionHosts/vm-office-2.contoso.local"

    def drain(session: Rehearsal) -> None:
        by_hand(session, "PATCH", host, VERSION, {"properties": {"allowNewSession": False}})

    ended = travel(tmp_path, "avd-small", prepare=when_done(f"connection_names[{OFFICE}]", drain))
    assert ended.state is RunState.DONE, ended.stuck
    assert drained(ended) == {"vm-office-2"}


def test_restarting_machines_instead_is_sent_once_for_each_and_never_repeated(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-small", ask(restart_method="vm"))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    sent = [e for e in ended.played.entries if e.kind is Kind.INTENDED and e.data["path"].endswith("/restart")]
    assert len(sent) == 4, "the fifth is switched off"
    assert {e.data["repeat"] for e in sent} == {"never"}
    assert [n for (_, p), n in ended.played.writes.items() if p.endswith("/restart")] == [1] * 4
    assert drained(ended) == set()


def test_a_restart_whose_answer_got_lost_is_not_sent_again_without_a_word(tmp_path: Path) -> None:
    lost = fault(method="POST", path="*/vm-office-2*", lose_answer=True)

    def both(doc: dict[str, Any]) -> None:
        lost(doc)
        doc["inputs"]["restart_method"] = "vm"

    def answer(node: NodeView) -> Command | None:
        return None if node.state is NodeState.IN_DOUBT else no_words(node)

    ended = travel(tmp_path, "avd-small", both, answer=answer, patience_s=SOON_S)
    doubted = [e.node for e in ended.played.entries if e.kind is Kind.DOUBTED]
    assert doubted == [f"restart[{OFFICE}]"]
    path = f"{MACHINES}/Microsoft.Compute/virtualMachines/vm-office-2/restart".lower()
    assert [n for (_, p), n in ended.played.writes.items() if p.lower() == path] == [1]


# ---------------------------------------------------------------- closing


def unlink(session: Rehearsal) -> None:
    by_hand(session, "DELETE", f"{ZONES}/{FEED_ZONE}/virtualNetworkLinks/link-vnet-hub", "2020-06-01")


def reject(session: Rehearsal) -> None:
    keys = [k for k, _ in session.cloud.state.items("resources")]
    listed = by_connection(session, keys)
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "not ours"}}}
    by_hand(session, "PUT", listed, VERSION, body)


def by_connection(session: Rehearsal, keys: list[str]) -> str:
    """The connection of pe-hp-office-connection, as the host pool lists it."""
    from runbook.sim.cloud import Call, Principal

    who = Principal("sam@contoso.com", "s", "party")
    path = f"{POOL}/privateEndpointConnections"
    answered = session.cloud.handle(Call("GET", path, {"api-version": VERSION}, {}, None), who)
    assert isinstance(answered.body, dict), keys[:3]
    return str(answered.body["value"][0]["id"])


def unfit(session: Rehearsal) -> None:
    key, host = next(
        (k, b) for k, b in session.cloud.state.items("resources") if k.endswith("/vm-office-0.contoso.local")
    )
    assert key
    session.cloud.save({**host, "properties": {**host["properties"], "status": "NeedsAssistance"}})
    session.cloud.state.commit(session.cloud.now_ms)


HOLDS: dict[str, tuple[Callable[[Rehearsal], None], str]] = {
    "names are public": (unlink, "zone link is missing"),
    "the connection is no longer approved": (reject, "Rejected instead of Approved"),
    "a host is unfit": (unfit, "vm-office-0.contoso.local is NeedsAssistance"),
}


@pytest.mark.parametrize("case", HOLDS)
def test_closing_is_refused_while(case: str, tmp_path: Path) -> None:
    act, words = HOLDS[case]
    ended = travel(tmp_path, "avd-small", answer=no_words, prepare=when_done("client_test", act), patience_s=SOON_S)
    assert ended.stuck[f"close_connections[{OFFICE}]"] == "proof-does-not-hold"
    said = ended.says(f"close_connections[{OFFICE}]")
    assert "hp-office stays as open as it is" in said
    assert words in said
    assert "Skip this node and leave hp-office open" in said
    assert "hp-office" not in closed(ended)
    assert not [n for n in closed(ended) if n.startswith("ws-")], "feeds wait for every host pool"


def test_closing_goes_on_by_itself_when_it_is_put_right(tmp_path: Path) -> None:
    def break_and_mend(session: Rehearsal) -> None:
        unlink(session)

    def put_back(doc: dict[str, Any]) -> None:
        zone = f"{ZONES}/{FEED_ZONE}"
        body = {
            "location": "global",
            "properties": {
                "registrationEnabled": False,
                "virtualNetwork": {"id": doc["inputs"]["vnet"]},
            },
        }
        link = {"do": "put", "path": f"{zone}/virtualNetworkLinks/again", "body": body}
        doc["parties"] = [{"id": "mender", "who": "the DNS team", "at": "6h", "do": link}]

    ended = travel(tmp_path, "avd-small", put_back, answer=no_words, prepare=when_done("client_test", break_and_mend))
    assert (ended.state, ended.stuck) == (RunState.DONE, {})
    assert ended.ever_said(f"close_connections[{OFFICE}]")


def test_each_pool_closes_for_itself(tmp_path: Path) -> None:
    ended = travel(tmp_path, "avd-small", answer=no_words, prepare=when_done("client_test", unfit), patience_s=SOON_S)
    assert ended.access("hp-finance") == "Disabled"
    assert ended.access("hp-office") == "Enabled"


def test_nothing_closes_without_a_clients_word(tmp_path: Path) -> None:
    def answer(node: NodeView) -> Command | None:
        return None if node.id == "client_test" else reply(node)

    ended = travel(tmp_path, "avd-small", answer=answer, patience_s=SOON_S)
    assert set(ended.stuck) == {"client_test"}
    assert "nslookup rdweb.wvd.microsoft.com" in ended.says("client_test")
    assert closed(ended) == []
    assert ENDPOINTS
