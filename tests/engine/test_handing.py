"""Hand-over to another team: nothing is sent from here, and what a look finds as it should be is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.core.command import Approve, Attest, HandOver, Note, Retry, Skip
from runbook.core.entry import Kind
from runbook.core.error import Refused, UsageError
from runbook.core.rights import action_of, lacks
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView, RunView
from runbook.engine.engine import Until
from runbook.journal.fold import fold, from_snapshot, to_snapshot
from tests.engine.test_unasked import DOC
from tests.engine.tiny import SUB, Rig, TinyArm, path_of, tiny_book

TEAM = "the DNS team"
FORBIDDEN = Refused("You may not.", status=403, arm_code="AuthorizationFailed", hint="")


async def handed(folder: Path, arm: TinyArm | None = None) -> Rig:
    """A run whose one node was handed over and looked at since."""
    rig = Rig(folder, tiny_book({"id": "a"}), arm or TinyArm(), approve=False)
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(HandOver("a", TEAM, "anna", "DNS-7"))
    await rig.engine.run(Until.PARKED)
    return rig


async def later(rig: Rig) -> None:
    """The next look."""
    rig.clock.advance_to((rig.view.nodes["a"].due_ms or 0) + 1)
    await rig.engine.run(Until.PARKED)


async def test_a_node_that_was_handed_over_waits_for_that_team_and_keeps_what_is_to_be_done(tmp_path: Path) -> None:
    rig = await handed(tmp_path)
    node = rig.view.nodes["a"]
    assert (node.state, rig.outcome()) == (NodeState.WAITING, RunState.WAITING)
    assert node.waiting is not None
    assert node.waiting["who"] == TEAM
    assert "Make a" in node.waiting["message"]
    assert [c["title"] for c in node.changes] == ["Make a"]
    assert node.due_ms is not None, "it is looked at again by itself"
    rig.close()


async def test_what_they_did_is_found_by_looking_and_nothing_of_it_is_ours(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = await handed(tmp_path, arm)
    arm.resources[path_of("a")] = {"made": "by somebody else"}
    await later(rig)
    node = rig.view.nodes["a"]
    assert (node.state, arm.writes, node.changed) == (NodeState.DONE, [], False)
    assert node.is_done_elsewhere
    assert TEAM in node.summary
    assert node.outputs == {"id": path_of("a")}, "those who need it read what they read of any other"
    rig.close()


@pytest.mark.parametrize("entries", range(1, 12))
async def test_whoever_dies_after_the_hand_over_leaves_a_wait_that_goes_on(tmp_path: Path, entries: int) -> None:
    """Every prefix from the hand-over on is what a killed process may have left."""
    rig = await handed(tmp_path)
    every = list(rig.journal.entries())
    rig.close()
    at = next(e.seq for e in every if e.kind is Kind.HANDED)
    kept = every[: at - 1 + entries]
    view = fold(RunView(), kept)
    assert view.nodes["a"].state in (NodeState.WAITING, NodeState.OBSERVING)
    assert view.nodes["a"].handed is not None
    assert from_snapshot(json.loads(to_snapshot(view))) == view


async def test_a_process_killed_between_the_entry_and_the_first_look_is_followed_by_one_that_looks(
    tmp_path: Path,
) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, approve=False)
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(HandOver("a", TEAM, "anna"))
    rig.close()
    arm.resources[path_of("a")] = {"made": "elsewhere"}
    again = Rig(tmp_path, tiny_book({"id": "a"}), arm, approve=True)
    await again.engine.run(Until.PARKED)
    assert (again.outcome(), arm.writes) == (RunState.DONE, [])
    again.close()


async def test_their_word_makes_it_be_looked_at_and_what_differs_is_told(tmp_path: Path) -> None:
    rig = await handed(tmp_path)
    await rig.engine.decide(Attest("a", "made it at nine", "kim", "mail.eml", "00"))
    await rig.engine.run(Until.PARKED)
    node = rig.view.nodes["a"]
    assert node.state is NodeState.WAITING, "a word is not enough where reading can tell"
    assert node.waiting is not None
    assert "kim said “made it at nine”, and a fresh look does not show it yet" in node.waiting["message"]
    rig.close()


async def test_where_this_account_may_not_even_read_their_word_settles_it(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = await handed(tmp_path, arm)
    arm.read_errors.append(FORBIDDEN)
    await later(rig)
    assert rig.state("a") is NodeState.WAITING, "that it cannot be read is no failure of theirs"
    arm.read_errors.append(FORBIDDEN)
    await rig.engine.decide(Attest("a", "made it at nine", "kim", "mail.eml", "00"))
    await rig.engine.run(Until.PARKED)
    node = rig.view.nodes["a"]
    assert node.state is NodeState.DONE
    assert "made it at nine" in node.checks[0]["observed"]
    rig.close()


async def test_taken_back_it_is_asked_about_anew_even_if_it_was_approved_before(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(FORBIDDEN)
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, approve=False)
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(Approve("a"))
    await rig.engine.run(Until.PARKED)
    assert rig.state("a") is NodeState.FAILED
    await rig.engine.decide(HandOver("a", TEAM, "anna"))
    handed_over = rig.view.nodes["a"].handed
    assert handed_over is not None
    assert "AuthorizationFailed" in handed_over["why"]
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(Retry("a"))
    await rig.engine.run(Until.PARKED)
    node = rig.view.nodes["a"]
    assert (node.state, node.handed, len(arm.writes)) == (NodeState.READY, None, 1)
    assert [w["who"] for w in node.waited] == [TEAM]
    rig.close()


async def test_it_can_be_handed_on_to_others_and_left_out(tmp_path: Path) -> None:
    rig = await handed(tmp_path)
    await rig.engine.decide(HandOver("a", "the network team", "anna"))
    await rig.engine.run(Until.PARKED)
    node = rig.view.nodes["a"]
    assert node.waiting is not None
    assert node.waiting["who"] == "the network team"
    await rig.engine.decide(Skip("a", "not wanted any more"))
    await rig.engine.run(Until.PARKED)
    assert rig.state("a") is NodeState.SKIPPED
    rig.close()


@pytest.mark.parametrize("node", ["done", "pending"])
async def test_what_is_over_or_was_never_looked_at_cannot_be_handed_over(tmp_path: Path, node: str) -> None:
    arm = TinyArm({path_of("done"): {}})
    book = tiny_book({"id": "done"}, {"id": "a"}, {"id": "pending", "needs": ["a"]})
    rig = Rig(tmp_path, book, arm, approve=False)
    await rig.engine.run(Until.PARKED)
    with pytest.raises(UsageError):
        await rig.engine.decide(HandOver(node, TEAM, "anna"))
    with pytest.raises(UsageError, match="name of who does it"):
        await rig.engine.decide(HandOver("a", " \n", "anna"))
    rig.close()


async def test_a_note_is_an_entry_whatever_state_the_run_is_in(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm())
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    await rig.engine.decide(Note("Kim has the keys.", "anna"))
    last = list(rig.journal.entries())[-1]
    assert (last.kind, last.node, last.data) == (Kind.NOTED, None, {"text": "Kim has the keys.", "by": "anna"})
    with pytest.raises(UsageError):
        await rig.engine.decide(Note("  ", "anna"))
    rig.close()


# ---------------------------------------------------------------- rights

NET = f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Network"


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("PUT", "NET/privateDnsZones/z/virtualNetworkLinks/l",
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks/write"),
        ("PATCH", "NET/privateEndpoints/p", "Microsoft.Network/privateEndpoints/write"),
        ("DELETE", "NET/privateEndpoints/p", "Microsoft.Network/privateEndpoints/delete"),
        ("POST", "SUB/providers/Microsoft.HybridCompute/register", "Microsoft.HybridCompute/register/action"),
        ("POST", "SUB/providers/Microsoft.Features/providers/M.N/features/F/register",
            "Microsoft.Features/providers/features/register/action"),
        ("PUT", "NET/virtualNetworks/v/providers/Microsoft.Authorization/locks/l",
            "Microsoft.Authorization/locks/write"),
        ("PUT", "SUB/resourceGroups/g", "Microsoft.Resources/subscriptions/resourceGroups/write"),
        ("PUT", "SUB/things/a", ""),
    ],
)  # fmt: skip
def test_the_right_that_a_write_needs_is_told_from_its_method_and_path(method: str, path: str, action: str) -> None:
    path = path.replace("NET", NET).replace("SUB", f"/subscriptions/{SUB}")
    assert action_of(method, path) == action


def lacking(action: str, scope: str) -> RunView:
    outputs = {"lacking": [{"action": action, "scope": scope, "to": TEAM, "by": "anna"}]}
    return RunView(nodes={"n": NodeView(DOC, NodeState.DONE, outputs=outputs)})


def test_a_write_lacks_a_right_below_the_scope_it_is_missing_at_and_only_there() -> None:
    view = lacking("microsoft.network/privateDnsZones/write", f"/subscriptions/{SUB}/resourceGroups/G")
    assert lacks(view, "PUT", f"{NET}/privateDnsZones/z") is not None
    assert lacks(view, "PUT", f"{NET.replace('/g/', '/g2/')}/privateDnsZones/z") is None
    assert lacks(view, "PUT", f"{NET}/privateEndpoints/z") is None


def test_a_write_that_joins_another_resource_needs_the_right_there() -> None:
    view = lacking("Microsoft.Network/privateDnsZones/join/action", f"/subscriptions/{SUB}/resourceGroups/g")
    body = {"properties": {"configs": [{"privateDnsZoneId": f"{NET}/privateDnsZones/z"}]}}
    assert lacks(view, "PUT", f"{NET}/privateEndpoints/p/privateDnsZoneGroups/default", body) is not None
    assert lacks(view, "PUT", f"{NET}/privateEndpoints/p/privateDnsZoneGroups/default", {"properties": {}}) is None
