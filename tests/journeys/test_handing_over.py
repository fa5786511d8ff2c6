"""The zones are another team's: it links them by hand after a hand-over, and nothing of that is written by the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runbook.core.command import Attest, Command, HandOver
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.engine.handing import BY_WORD
from tests.crash.harness import Played, reply
from tests.journeys.scenes import VNET, ZONES, rehearse, scene, stuck

TEAM = "the DNS team"
NAMES = ("his.arc", "guestconfiguration", "dp.kubernetesconfiguration")
RIGHT = "Microsoft.Network/privateDnsZones/virtualNetworkLinks/write"


def links() -> list[dict[str, Any]]:
    """What the DNS team does by hand, a week later, in its own way: the links have names of its own."""
    body = {"location": "global", "properties": {"virtualNetwork": {"id": VNET}, "registrationEnabled": False}}
    return [
        {
            "id": f"dns-{number}",
            "who": TEAM,
            "at": "20d",
            "do": {
                "do": "put",
                "path": f"{ZONES}/privatelink.{name}.azure.com/virtualNetworkLinks/by-hand",
                "api_version": "2020-06-01",
                "body": body,
            },
        }
        for number, name in enumerate(NAMES)
    ]


def is_link(node: NodeView) -> bool:
    return any("/virtualnetworklinks/" in c["path"].lower() for c in node.changes)


def check(played: Played) -> None:
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    theirs = [n for n in played.view.nodes.values() if n.handed]
    assert len(theirs) == len(NAMES)
    for node in theirs:
        assert node.state is NodeState.DONE
        assert node.is_done_elsewhere
        assert node.summary.startswith(f"Done by {TEAM}")
    assert not [path for _, path in played.writes if "virtualnetworklinks" in path.lower()]


def test_the_dns_team_links_the_zones_by_hand_and_the_run_finds_them(tmp_path: Path) -> None:
    def answer(node: NodeView) -> Command | None:
        if node.handed and node.state is NodeState.WAITING:
            return None
        if node.state is NodeState.READY and is_link(node):
            return HandOver(node.id, TEAM, "anna", "DNS-7")
        return reply(node)

    check(rehearse(tmp_path, scene(tmp_path, "arc-ga", parties=links()), answer=answer, patience_s=30 * 86_400.0))


def test_a_right_that_is_missing_before_the_first_write_is_a_hand_over_and_no_dead_end(tmp_path: Path) -> None:
    granted = [{"scope": "*", "actions": ["*"], "notActions": [RIGHT]}]

    def lacking(doc: dict[str, Any]) -> None:
        doc["operator"]["permissions"] = granted

    def answer(node: NodeView) -> Command | None:
        if node.handed and node.state is NodeState.WAITING:
            return None
        if node.blocked and any(w["says"] == BY_WORD for w in node.blocked.get("words", ())):
            return HandOver(node.id, TEAM, "anna")
        return None if isinstance(said := reply(node), Attest) and node.blocked else said

    made = scene(tmp_path, "arc-ga", lacking, parties=links())
    check(rehearse(tmp_path, made, answer=answer, patience_s=30 * 86_400.0))
