from __future__ import annotations

from typing import Any

import pytest

from runbook.core.docs import NodeDoc
from runbook.core.entry import Entry, Kind
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView, RunView


def node(name: str, state: str, **more: Any) -> NodeView:
    doc: NodeDoc = {
        "id": name,
        "step": name.partition("[")[0],
        "key": None,
        "title": name,
        "phase": "all",
        "target": "",
        "gate": "",
        "needs": [],
        "item": None,
    }
    return NodeView(doc, NodeState(state), **more)


def run(*nodes: NodeView, steps: int | None = None, **more: Any) -> RunView:
    book = {"steps": [{"id": str(i)} for i in range(len(nodes) if steps is None else steps)]}
    return RunView(book=book, nodes={n.id: n for n in nodes}, expanded=frozenset(map(str, range(len(nodes)))), **more)


WAIT: Any = {"who": "the team", "next_poll_ms": 60}
WORD: Any = {"who": "you", "next_poll_ms": None}
CHANGE: Any = {"digest": "d", "risk": "safe", "locks": []}
DISRUPTIVE: Any = {"digest": "e", "risk": "disruptive", "locks": []}


@pytest.mark.parametrize(
    ("nodes", "state"),
    [
        ([], RunState.ACTIVE),
        ([node("a", "pending")], RunState.ACTIVE),
        ([node("a", "done"), node("b", "skipped")], RunState.DONE),
        ([node("a", "failed"), node("b", "blocked")], RunState.FAILED),
        ([node("a", "blocked"), node("b", "ready", changes=(CHANGE,))], RunState.BLOCKED),
        ([node("a", "ready", changes=(CHANGE,)), node("b", "waiting", waiting=WAIT)], RunState.NEEDS_OPERATOR),
        ([node("a", "ready", changes=(CHANGE,), approved=frozenset("d"))], RunState.ACTIVE),
        ([node("a", "waiting", waiting=WAIT), node("b", "pending")], RunState.WAITING),
        ([node("a", "waiting", waiting=WAIT), node("b", "settling")], RunState.ACTIVE),
        ([node("a", "waiting", waiting=WORD)], RunState.NEEDS_OPERATOR),
        ([node("a", "in_doubt")], RunState.NEEDS_OPERATOR),
        ([node("a", "in_doubt", due_ms=5)], RunState.ACTIVE),
    ],
)
def test_a_run_is_in_the_first_state_that_holds(nodes: list[NodeView], state: RunState) -> None:
    assert run(*nodes).state is state


def test_a_run_with_steps_that_are_not_nodes_yet_is_not_done() -> None:
    assert run(node("a", "done"), steps=2).state is RunState.ACTIVE


def test_an_aborted_run_is_aborted_whatever_its_nodes_are() -> None:
    assert run(node("a", "done"), aborted="enough").state is RunState.ABORTED


def test_a_node_is_approved_only_when_all_its_changes_are() -> None:
    both = (CHANGE, DISRUPTIVE)
    assert not node("a", "ready").is_approved
    assert not node("a", "ready", changes=both, approved=frozenset("d")).is_approved
    assert node("a", "ready", changes=both, approved=frozenset("de")).is_approved


def test_one_disruptive_change_makes_the_node_disruptive() -> None:
    assert node("a", "ready", changes=(CHANGE, DISRUPTIVE)).is_disruptive
    assert not node("a", "ready", changes=(CHANGE,)).is_disruptive


def test_what_is_typed_for_a_disruptive_change_is_the_targets_name_and_else_the_resources() -> None:
    risky = dict(DISRUPTIVE, path="/subscriptions/s/privateEndpoints/pe/privateDnsZoneGroups/default?api-version=1")
    pool = node("a", "ready", changes=(CHANGE, risky))
    assert pool.at_stake == "default"
    pool.doc["target"] = "/subscriptions/s/providers/Microsoft.DesktopVirtualization/hostPools/hp-lab"
    assert pool.at_stake == "hp-lab"


def test_totals_and_nodes_of_a_step_are_read_from_the_nodes() -> None:
    view = run(node("a[x]", "done"), node("a[y]", "done"), node("b", "failed"))
    assert view.totals == {NodeState.DONE: 2, NodeState.FAILED: 1}
    assert [n.id for n in view.of_step("a")] == ["a[x]", "a[y]"]


def test_an_event_that_moves_nothing_says_the_state_stayed() -> None:
    entry = Entry(3, 1_000, Kind.APPROVED, "a", None, {"digests": ["d"]}, "h")
    assert Event(entry, NodeState.READY, RunView()).to_json() == {
        "seq": 3,
        "at": "1970-01-01T00:00:01.000Z",
        "node": "a",
        "kind": "approved",
        "from": "ready",
        "to": "ready",
        "data": {"digests": ["d"]},
    }
