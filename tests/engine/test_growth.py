"""Steps that become nodes while the run goes on, and what happens when they cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.book import Book
from runbook.core.command import Abort, Retry, Skip
from runbook.core.entry import Draft, Kind
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Until
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book

FINDER = {"id": "find", "uses": "testing.finder", "with": {"prefix": "vm-"}}
EACH = {"id": "each", "needs": ["find"], "for_each": "${nodes.find.outputs.names}", "with": {"name": "on-${item}"}}
LAST = {"id": "last", "needs": [{"step": "each", "all": True}]}


def found(*names: str) -> TinyArm:
    return TinyArm({path_of(f"vm-{name}"): {"made": name} for name in names})


async def test_a_step_grows_as_many_nodes_as_another_one_found(tmp_path: Path) -> None:
    arm = found("a", "b", "c")
    rig = Rig(tmp_path, tiny_book(FINDER, EACH, LAST), arm)
    await rig.engine.run()
    assert list(rig.view.nodes) == ["find", "each[vm-a]", "each[vm-b]", "each[vm-c]", "last"]
    assert rig.outcome() is RunState.DONE


async def test_growth_goes_on_where_a_session_ended_between_finding_and_growing(tmp_path: Path) -> None:
    arm = found("a", "b")
    book = tiny_book(FINDER, EACH, LAST)
    rig = Rig(tmp_path, book, arm)

    def stop(event: Any) -> None:
        if event.entry.to is NodeState.DONE:
            rig.engine.close()

    rig.engine.listen(stop)
    await rig.engine.run()
    assert "each" not in rig.view.expanded
    rig.close()
    again = Rig(tmp_path, book, arm)
    await again.engine.run()
    assert again.outcome() is RunState.DONE


@pytest.mark.parametrize("names", [(), ("a", "b")])
async def test_what_would_grow_from_a_node_that_was_skipped_does_not_grow_and_holds_nobody_up(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    gate = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}
    book = tiny_book(gate, {**FINDER, "needs": ["gate"]}, EACH, LAST)
    rig = Rig(tmp_path, book, found(*names))
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(Skip("find", "known already"))
    await rig.engine.run(Until.PARKED)
    assert "each" in rig.view.expanded
    assert not rig.view.of_step("each")
    assert rig.state("last") is NodeState.DONE


def not_a_list() -> Book:
    return tiny_book(
        FINDER,
        {**EACH, "for_each": "${nodes.find.outputs.count}"},
        LAST,
        {"id": "other"},
        {"id": "after", "needs": ["other"]},
    )


async def test_a_step_that_cannot_grow_fails_by_itself_and_stops_nobody_else(tmp_path: Path) -> None:
    rig = Rig(tmp_path, not_a_list(), found("a"))
    await rig.engine.run()
    assert rig.outcome() is RunState.FAILED
    assert rig.state("each") is NodeState.FAILED
    assert "not a list" in rig.error("each")["message"]
    assert [rig.state(n) for n in ("other", "after", "last")] == ["done", "done", "pending"]


async def test_a_step_that_cannot_grow_is_never_looked_at_as_if_it_were_a_node(tmp_path: Path) -> None:
    arm = found("a")
    book = not_a_list()
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    rig.close()
    again = Rig(tmp_path, book, arm)
    again.engine.submit(Retry("each"))
    await again.engine.run()
    assert again.state("each") is NodeState.FAILED
    assert "not a list" in again.error("each")["message"]
    again.engine.submit(Skip("each", "done by hand"))
    await again.engine.run()
    assert again.outcome() is RunState.DONE
    assert path_of("each") not in arm.resources
    assert path_of("last") in arm.resources


async def test_two_members_with_one_key_fail_their_step_with_both_named(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book(FINDER, {**EACH, "key": "${'same'}"}, LAST), found("a", "b"))
    await rig.engine.run()
    assert rig.state("each") is NodeState.FAILED
    assert "vm-a" in rig.error("each")["message"]


async def test_a_when_without_a_value_fails_its_node_and_a_retry_does_not_leap_over_it(tmp_path: Path) -> None:
    arm = TinyArm({path_of("vm-a"): {}})
    book = tiny_book(FINDER, {"id": "b", "needs": ["find"], "when": "${nodes.find.outputs.wanted}"}, {"id": "c"})
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.state("b") is NodeState.FAILED
    assert "when" in rig.error("b")["message"]
    rig.engine.submit(Retry("b"))
    await rig.engine.run()
    assert rig.state("b") is NodeState.FAILED
    assert [path for _, path, _ in arm.writes] == [path_of("c")]


def doc(name: str, needs: list[str]) -> dict[str, Any]:
    common = {"key": None, "title": name, "phase": "all", "target": "", "gate": "", "item": None}
    return {"id": name, "step": name, "needs": needs, **common}


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_need_that_no_step_made_fails_its_node_in_words_instead_of_waiting_for_ever(
    tmp_path: Path, is_first: bool
) -> None:
    """As a journal may have it whose book was laid out by another release."""
    arm = found("a")
    book = tiny_book(FINDER, EACH, {"id": "b", "needs": [{"step": "each", "all": True}]})
    rig = Rig(tmp_path, book, arm)
    if not is_first:
        for step, docs in (("find", [doc("find", [])]), ("each", [])):
            rig.log.post_now(Draft(Kind.EXPANDED, data={"step": step, "nodes": docs}))
    rig.log.post_now(Draft(Kind.EXPANDED, data={"step": "b", "nodes": [doc("b", ["each[gone]"])]}))
    rig.close()
    again = Rig(tmp_path, book, arm)
    await again.engine.run()
    assert again.state("b") is NodeState.FAILED
    assert "each[gone]" in again.error("b")["message"]
    assert path_of("b") not in arm.resources


async def test_nothing_grows_after_an_abort(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book(FINDER, EACH, LAST), found("a"))

    def abort(event: Any) -> None:
        if event.entry.to is NodeState.DONE:
            rig.engine.submit(Abort("enough"))

    rig.engine.listen(abort)
    await rig.engine.run()
    assert rig.outcome() is RunState.ABORTED
    assert not [path for _, path, _ in rig.arm.writes]
