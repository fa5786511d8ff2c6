"""Changes that start by themselves: only safe ones, only where the book says so, and on record like any other go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.core.docs import NodeDoc
from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView, RunView
from runbook.engine.judge import EXPIRED, Scene, judge
from runbook.engine.migration import migration
from runbook.step import Change, Changes, Patience, Poll, Waiting
from tests.engine.tiny import SUB, Rig, TinyArm, tiny_book

DOC: NodeDoc = {
    "id": "n", "step": "n", "key": None, "title": "", "phase": "", "target": "", "gate": "", "needs": [], "item": None,
}  # fmt: skip


def scene(node: NodeView, now_ms: int = 0, **step: Any) -> Scene:
    view = RunView(
        id="r", book={"steps": [{"id": "n", **step}]}, pinned={"subscriptions": {SUB: "Lab"}}, nodes={"n": node}
    )
    return Scene(view, node, now_ms, is_stopped=False, is_free=lambda _: True, skipped_needs=lambda: ())


def change(risk: Any = "safe") -> Change:
    return Change("Do it", "POST", f"/subscriptions/{SUB}/do", "2024-01-01", risk=risk)


async def test_an_unasked_step_goes_on_without_a_word_and_says_in_whose_name(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a", "unasked": True}), arm, approve=False)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    kinds = [e.kind for e in rig.journal.entries() if e.node == "a"]
    assert kinds.index(Kind.APPROVED) < kinds.index(Kind.INTENDED), "the go is on record before the call"
    assert len(arm.writes) == 1
    rig.close()


async def test_any_other_step_asks(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm(), approve=False)
    await rig.engine.run()
    assert rig.state("a") is NodeState.READY
    rig.close()


@pytest.mark.parametrize(
    ("gate", "risk", "starts"), [("", "safe", True), ("operator", "safe", False), ("", "disruptive", False)]
)
def test_a_gate_or_a_risk_asks_whatever_the_book_says(gate: str, risk: str, starts: bool) -> None:
    node = NodeView({**DOC, "gate": gate}, NodeState.OBSERVING)
    judged = judge(scene(node, unasked=True), Changes((change(risk),)))
    assert [d.kind for d in judged.drafts] == [Kind.OBSERVED, Kind.APPROVED][: 2 if starts else 1]
    assert judged.send is None, "nothing is sent before the go is committed"


async def test_a_run_that_began_before_the_book_said_so_still_asks(tmp_path: Path) -> None:
    old = tiny_book({"id": "a"})
    rig = Rig(tmp_path, old, TinyArm(), approve=False)
    await rig.engine.run()
    moved = migration(rig.view, old, tiny_book({"id": "a", "unasked": True}), {})
    assert moved.steps == {"a": "unasked"}
    assert moved.again == (), "it is shown already, and waits for its go"
    rig.close()


def test_a_request_that_nobody_answered_lapses_blocks_and_goes_on_being_looked_at() -> None:
    patience = Patience(expires_s=100, escalate_s=50, how="Ring the support line.")
    wait = Waiting("the team", "m", "t", Poll(60, 2, 600), words=(("sent", "I wrote again"),), patience=patience)
    node = NodeView(DOC, NodeState.OBSERVING, waiting=wait.doc(0, 0, 0))
    [before] = judge(scene(node, 99_000), wait).drafts
    assert before.to is NodeState.WAITING
    [after] = judge(scene(node, 100_000), wait).drafts
    assert after.to is NodeState.BLOCKED
    assert after.data["blocked"]["rule"] == EXPIRED
    assert after.data["blocked"]["ways_out"][0] == "Ring the support line."
    assert [w["says"] for w in after.data["blocked"]["words"]] == ["sent"]
    assert after.data["due_ms"] > 100_000, "an answer that comes late counts"
    assert after.data["waiting"]["since_ms"] == 0, "the wait goes on behind the rule"
