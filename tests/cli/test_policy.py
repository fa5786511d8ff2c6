from __future__ import annotations

from dataclasses import replace

import pytest

from runbook.cli.policy import WORDS, Policy
from runbook.core.command import Approve, Attest
from runbook.core.state import NodeState
from runbook.core.view import NodeView
from runbook.step import Change
from tests.cli.test_exits import view

SAFE = Change("a", "PUT", "/x", "1").doc()
DISRUPTIVE = Change("b", "PUT", "/y", "1", risk="disruptive").doc()


def node(state: NodeState, **rest: object) -> NodeView:
    return replace(view(state).nodes["n0"], **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("yes", "yes_disruptive", "changes", "is_given"),
    [
        (False, False, (SAFE,), False),
        (True, False, (SAFE,), True),
        (True, False, (DISRUPTIVE,), False),
        (False, True, (DISRUPTIVE,), True),
        (False, True, (SAFE,), False),
        (True, False, (SAFE, DISRUPTIVE), False),
        (True, True, (SAFE, DISRUPTIVE), True),
    ],
)
def test_each_kind_of_change_needs_its_own_yes(
    yes: bool, yes_disruptive: bool, changes: tuple[object, ...], is_given: bool
) -> None:
    ready = node(NodeState.READY, changes=changes)
    answer = Policy(yes, yes_disruptive).answer(ready)
    assert isinstance(answer, Approve) is is_given
    if isinstance(answer, Approve):
        assert answer.digests == tuple(c["digest"] for c in ready.changes)


def wait(next_poll_ms: int | None, attest: str = "I did it") -> dict[str, object]:
    return {"who": "x", "message": "", "then": "", "since_ms": 0, "next_poll_ms": next_poll_ms, "draft": "",
            "attest": attest, "polls": 0}  # fmt: skip


def test_only_a_rehearsal_vouches() -> None:
    waiting = node(NodeState.WAITING, waiting=wait(None))
    assert Policy(yes=True, attests=False).answer(waiting) is None
    answer = Policy(yes=True, attests=True, by="dana").answer(waiting)
    assert isinstance(answer, Attest)
    assert "rehearsal" in answer.text
    assert answer.by == "dana"


def test_a_wait_that_reading_can_settle_is_vouched_for_only_when_nothing_else_moves() -> None:
    waiting = node(NodeState.WAITING, waiting=wait(1))
    policy = Policy(yes=True, attests=True)
    assert policy.answer(waiting) is None
    assert policy.answer(waiting, is_stuck=True) is not None


def test_vouching_that_does_not_help_ends() -> None:
    policy = Policy(yes=True, attests=True, by="dana")
    word = {"at_ms": 0, "text": "x", "by": "dana", "evidence": "", "sha256": ""}
    waiting = node(NodeState.WAITING, waiting=wait(None), attested=(word,) * WORDS)
    assert policy.answer(waiting) is None


@pytest.mark.parametrize("state", [NodeState.FAILED, NodeState.BLOCKED, NodeState.IN_DOUBT, NodeState.DONE])
def test_rules_failures_and_doubts_are_left_to_a_person(state: NodeState) -> None:
    blocked: dict[str, object] = {
        "rule": "r",
        "message": "",
        "ways_out": [],
        "attest": "let it be",
        "next_poll_ms": None,
    }
    assert Policy(True, True, True).answer(node(state, blocked=blocked, changes=(SAFE,)), is_stuck=True) is None
