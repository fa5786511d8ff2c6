"""Done nodes that are looked at again: what they then find becomes nodes, and nothing that is done is disturbed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runbook.book import Book
from runbook.core.arm import Json
from runbook.core.command import Attest, Pause, Retry, Start
from runbook.core.entry import Kind
from runbook.core.error import Refused, UsageError
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Until
from runbook.step import Satisfied, Step, StepContext, Verdict
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book

FINDER = {"id": "find", "uses": "testing.finder", "with": {"prefix": "vm-"}, "grows": True}
EACH = {"id": "each", "needs": ["find"], "for_each": "${nodes.find.outputs.names}", "with": {"name": "on-${item}"}}
LAST = {"id": "last", "needs": [{"step": "each", "all": True}]}


class Restless(Step):
    """Finds the same members every time, and something else that is never twice the same."""

    @dataclass(frozen=True, slots=True)
    class Params:
        pass

    async def observe(self, ctx: StepContext) -> Verdict:
        looks = await ctx.arm.list("/looks", "2024-01-01")
        return Satisfied((), {"names": ["a"], "looks": len(looks)})


def found(*names: str) -> TinyArm:
    return TinyArm({path_of(f"vm-{name}"): {"made": name} for name in names})


def appear(arm: TinyArm, *names: str) -> None:
    arm.resources.update({path_of(f"vm-{name}"): {"made": name} for name in names})


def when(rig: Rig, kind: Kind, node: str, do: Callable[[], object]) -> None:
    """Do something once, as soon as a node has come to such an entry."""
    left = [do]

    def hear(event: Event) -> None:
        if event.entry.kind is kind and event.entry.node == node and left:
            left.pop()()

    rig.engine.listen(hear)


def notes(rig: Rig) -> list[str]:
    return [e.entry.data["text"] for e in rig.events if e.entry.kind is Kind.NOTED]


async def finished(folder: Path, book: Book, arm: TinyArm) -> int:
    """Drive a run to its end, and let go of it. The number of its newest entry."""
    rig = Rig(folder, book, arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    rig.close()
    return rig.view.head


async def test_what_appears_while_a_run_goes_on_becomes_nodes_before_it_ends(tmp_path: Path) -> None:
    arm = found("a")
    rig = Rig(tmp_path, tiny_book(FINDER, EACH, LAST), arm)
    when(rig, Kind.ANSWERED, "each[vm-a]", lambda: appear(arm, "b"))
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert list(rig.view.nodes) == ["find", "each[vm-a]", "each[vm-b]", "last"]
    assert rig.view.nodes["find"].outputs["names"] == ["vm-a", "vm-b"]
    assert [path for _, path, _ in arm.writes] == [path_of("on-vm-a"), path_of("last"), path_of("on-vm-b")]


async def test_where_nothing_is_new_nothing_is_written(tmp_path: Path) -> None:
    arm, book = found("a"), tiny_book(FINDER, EACH, LAST)
    head = await finished(tmp_path / "", book, arm)
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.view.head == head
    assert not rig.events


async def test_a_run_that_was_over_goes_on_when_it_is_taken_up_and_there_is_more(tmp_path: Path) -> None:
    arm, book = found("a"), tiny_book(FINDER, EACH, LAST)
    await finished(tmp_path, book, arm)
    appear(arm, "c", "b")
    del arm.resources[path_of("vm-a")]
    rig = Rig(tmp_path, book, arm)
    before = rig.view.nodes
    await rig.engine.run()
    assert list(rig.view.nodes) == ["find", "each[vm-a]", "each[vm-b]", "each[vm-c]", "last"]
    assert rig.outcome() is RunState.DONE
    for name in ("each[vm-a]", "last"):
        assert rig.view.nodes[name] == before[name], "what is done is left alone, also where its member is gone"


async def test_what_has_not_begun_waits_for_the_new_nodes_of_its_barrier(tmp_path: Path) -> None:
    gate = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}
    arm, book = found("a"), tiny_book(gate, FINDER, EACH, {**LAST, "needs": ["gate", *LAST["needs"]]})
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run(Until.PARKED)
    rig.close()
    assert rig.state("last") is NodeState.PENDING
    appear(arm, "b")
    again = Rig(tmp_path, book, arm)
    again.engine.submit(Attest("gate", "it is open", "anna"))
    await again.engine.run()
    assert [path for _, path, _ in arm.writes][-2:] == [path_of("on-vm-b"), path_of("last")]


async def test_nothing_begins_before_a_run_that_is_taken_up_has_looked(tmp_path: Path) -> None:
    arm, book = found("a"), tiny_book(FINDER, EACH, LAST)
    rig = Rig(tmp_path, book, arm)

    def stop(event: Event) -> None:
        if event.entry.node == "each[vm-a]" and event.entry.to is NodeState.DONE:
            rig.engine.close()

    rig.engine.listen(stop)
    await rig.engine.run()
    assert rig.state("last") is NodeState.PENDING
    rig.close()
    appear(arm, "b")
    again = Rig(tmp_path, book, arm)
    await again.engine.run()
    assert [path for _, path, _ in arm.writes] == [path_of("on-vm-a"), path_of("on-vm-b"), path_of("last")]


async def test_the_operator_may_ask_for_another_look_and_is_told_when_nothing_is_new(tmp_path: Path) -> None:
    gate = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}
    arm, book = found("a"), tiny_book(FINDER, EACH, gate)
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(Retry("find"))
    await rig.engine.run(Until.PARKED)
    assert notes(rig) == ["Looked again: nothing is new."]
    appear(arm, "b")
    await rig.engine.decide(Retry("find"))
    assert rig.state("find") is NodeState.DONE
    await rig.engine.run(Until.PARKED)
    assert rig.state("each[vm-b]") is NodeState.DONE
    with pytest.raises(UsageError, match="is done by now and takes no answer any more"):
        await rig.engine.decide(Retry("each[vm-a]"))


@pytest.mark.parametrize("is_blocked", [True, False])
async def test_a_look_that_does_not_succeed_changes_nothing_and_is_told(tmp_path: Path, is_blocked: bool) -> None:
    book = tiny_book({"id": "mood", "uses": "testing.moody", "with": {"name": "x"}, "grows": True})
    arm = TinyArm({path_of("x"): {}})
    await finished(tmp_path, book, arm)
    if is_blocked:
        arm.resources[path_of("x").replace("things/x", "mood")] = {"says": "blocked"}
    else:
        arm.read_errors.append(Refused("not for you", status=403, arm_code="AuthorizationFailed"))
    rig = Rig(tmp_path, book, arm)
    before = rig.view.nodes["mood"]
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert rig.view.nodes["mood"] == before
    [text] = notes(rig)
    assert text == (
        f"A look for what is new did not succeed: {'no' if is_blocked else 'not for you'} "
        "What was found before stands; retry looks again."
    )


async def test_a_step_that_grows_and_asks_for_changes_is_a_fault_in_words(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a", "grows": True}), arm)
    await rig.engine.run()
    assert rig.state("a") is NodeState.FAILED
    assert "a grows, so its step may only look, and it asks for changes: Make a." in rig.error("a")["message"]
    assert not arm.writes


async def test_a_done_node_that_asks_for_changes_when_looked_at_again_stays_done_and_sends_nothing(
    tmp_path: Path,
) -> None:
    arm, book = TinyArm({path_of("a"): {}}), tiny_book({"id": "a", "grows": True})
    await finished(tmp_path, book, arm)
    arm.resources.clear()
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert not arm.writes
    assert "may only look" in notes(rig)[0]


async def test_a_session_that_ends_between_finding_more_and_growing_is_taken_up_there(tmp_path: Path) -> None:
    arm, book = found("a"), tiny_book(FINDER, EACH, LAST)
    await finished(tmp_path, book, arm)
    appear(arm, "b")
    rig = Rig(tmp_path, book, arm)
    when(rig, Kind.GREW, "find", rig.engine.close)
    await rig.engine.run()
    assert "each[vm-b]" not in rig.view.nodes
    assert rig.outcome() is RunState.ACTIVE, "a run that has grown is not over"
    rig.close()
    again = Rig(tmp_path, book, arm)
    await again.engine.run()
    assert again.state("each[vm-b]") is NodeState.DONE
    assert again.outcome() is RunState.DONE


async def test_steps_repeated_over_what_has_grown_grow_in_turn(tmp_path: Path) -> None:
    names = "${all.each[].outputs.id}"
    each = {"step": "each", "all": True}
    over = {"id": "over", "needs": [each], "for_each": names, "key": "${item}", "with": {"name": "o"}}
    paired = {"id": "pair", "needs": ["each"], "for_each": EACH["for_each"], "with": {"name": "p-${item}"}}
    arm, book = found("a"), tiny_book(FINDER, EACH, over, {**paired, "needs": ["find", "each"]})
    await finished(tmp_path, book, arm)
    appear(arm, "b")
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert [n.id for n in rig.view.of_step("pair")] == ["pair[vm-a]", "pair[vm-b]"]
    assert len(rig.view.of_step("over")) == 2


async def test_what_is_different_at_every_look_but_has_no_new_members_does_not_keep_a_run_from_ending(
    tmp_path: Path,
) -> None:
    class Counting(TinyArm):
        looks = 0

        async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
            self.looks += 1
            return [{}] * self.looks

    restless = {"id": "find", "uses": "testing.restless", "with": {}, "grows": True}
    arm, book = Counting(), tiny_book(restless, EACH, LAST)
    module = ModuleType("steps.testing.restless")
    vars(module)["Restless"] = Restless
    sys.modules[module.__name__] = module
    await finished(tmp_path, book, arm)
    assert arm.looks == 2


async def test_a_step_that_grows_behind_others_is_looked_at_when_they_are_finished(tmp_path: Path) -> None:
    """As a proof over everything is: with new members unfinished, it would only complain."""
    proof = {"id": "proof", "uses": "testing.finder", "with": {"prefix": "on-"}, "grows": True}
    arm, book = found("a"), tiny_book(FINDER, EACH, {**proof, "needs": LAST["needs"]})
    await finished(tmp_path, book, arm)
    appear(arm, "b")
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.view.nodes["proof"].outputs["count"] == 2
    grown = [e.entry.node for e in rig.events if e.entry.kind is Kind.GREW]
    assert grown == ["find", "proof"]


async def test_a_paused_run_does_not_look(tmp_path: Path) -> None:
    arm, book = found("a"), tiny_book(FINDER, EACH, LAST, {"id": "gate", "uses": "testing.gate", "with": {"name": "k"}})
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(Pause())
    rig.close()
    appear(arm, "b")
    again = Rig(tmp_path, book, arm)
    await again.engine.run(Until.PARKED)
    assert not again.events
    await again.engine.decide(Start())
    await again.engine.run(Until.PARKED)
    assert again.state("each[vm-b]") is NodeState.DONE


async def test_a_run_closed_at_its_very_end_has_looked(tmp_path: Path) -> None:
    arm = found("a")
    rig = Rig(tmp_path, tiny_book(FINDER, EACH, LAST), arm)

    def stop(event: Event) -> None:
        if event.view.state is RunState.DONE:
            appear(arm, "b")
            rig.engine.close()

    rig.engine.listen(stop)
    await rig.engine.run()
    assert "vm-b" in rig.view.nodes["find"].outputs["names"]
    assert rig.outcome() is RunState.ACTIVE


async def test_a_step_that_cannot_become_more_nodes_is_told_and_keeps_those_it_has(tmp_path: Path) -> None:
    each = {**EACH, "for_each": "${nodes.find.outputs.names}", "key": "${'one'}"}
    arm, book = found("a"), tiny_book(FINDER, each, LAST)
    await finished(tmp_path, book, arm)
    appear(arm, "b")
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.state("each[one]") is NodeState.DONE
    assert rig.state("each") is NodeState.FAILED
    assert "two members have the key 'one'" in rig.error("each")["message"]


async def test_the_same_growth_gives_the_same_journal(tmp_path: Path) -> None:
    journals: list[list[Any]] = []
    for name in ("x", "y"):
        folder = tmp_path / name
        folder.mkdir()
        arm, book = found("a"), tiny_book(FINDER, EACH, LAST)
        await finished(folder, book, arm)
        appear(arm, "b", "c")
        await finished(folder, book, arm)
        rig = Rig(folder, book, arm)
        journals.append([e.hash for e in rig.journal.entries()])
        rig.close()
    assert journals[0] == journals[1]
