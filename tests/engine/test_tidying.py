"""A step that alters something for the time of its work is asked once more when ARM refuses: it can put things back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.core.arm import Ended
from runbook.core.command import Abort, Pause, Retry, Start
from runbook.core.entry import Kind
from runbook.core.error import Refused
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.journal.load import load_view
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book

DOOR = {"id": "door", "uses": "testing.door"}
NO = Refused("the work is not wanted", status=409, arm_code="NotWanted")


def door(**more: Any) -> dict[str, Any]:
    return {**DOOR, "with": {"name": "door", **more}}


def told(rig: Rig) -> list[str]:
    """The changes that were sent, in order."""
    return [e.entry.data["title"].split()[0] for e in rig.events if e.entry.kind is Kind.INTENDED]


def is_open(arm: TinyArm) -> bool:
    return bool(arm.resources.get(path_of("door"), {"open": True})["open"])


def stop_when_refused(rig: Rig) -> None:
    """The process ends right behind the first refusal."""

    def heard(event: Event) -> None:
        if event.entry.kind is Kind.DEFERRED:
            rig.engine.close()

    rig.engine.listen(heard)


async def test_a_step_that_tidies_puts_back_what_it_altered_after_a_refusal_and_then_says_so(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend(["ok", NO])
    rig = Rig(tmp_path, tiny_book(door()), arm)
    at_ms = rig.clock.now_ms()
    await rig.engine.run()
    assert told(rig) == ["Shut", "Work", "Open"]
    assert is_open(arm)
    assert rig.state("door") is NodeState.BLOCKED
    blocked = rig.view.nodes["door"].blocked
    assert blocked is not None
    assert blocked["message"] == "Work behind door: NotWanted"
    assert rig.clock.now_ms() == at_ms, "asked at once"
    assert load_view(rig.journal) == rig.view


@pytest.mark.parametrize("kind", ["messy", "thing"])
async def test_a_step_that_does_not_tidy_fails_at_once(tmp_path: Path, kind: str) -> None:
    arm = TinyArm()
    arm.script.extend(["ok", NO] if kind == "messy" else [NO])
    step = {"id": "door", "uses": f"testing.{kind}", "with": {"name": "door"}}
    rig = Rig(tmp_path, tiny_book(step), arm)
    await rig.engine.run()
    assert rig.state("door") is NodeState.FAILED
    assert rig.error("door")["code"] == "NotWanted"
    assert not [e for e in rig.events if e.entry.kind is Kind.DEFERRED]
    assert rig.view.nodes["door"].refused == ()
    assert len(arm.writes) == (2 if kind == "messy" else 1)


async def test_the_second_refusal_of_the_same_change_fails_the_node(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend(["ok", NO, NO])
    rig = Rig(tmp_path, tiny_book(door(insists=True)), arm)
    await rig.engine.run()
    assert told(rig) == ["Shut", "Work", "Work"]
    assert rig.state("door") is NodeState.FAILED
    assert rig.error("door")["code"] == "NotWanted"
    assert rig.view.nodes["door"].intent is None


@pytest.mark.parametrize("insists", [False, True])
async def test_a_refusal_is_known_to_the_process_that_goes_on(tmp_path: Path, insists: bool) -> None:
    arm = TinyArm()
    arm.script.extend(["ok", NO, *([NO] if insists else [])])
    book = tiny_book(door(insists=insists))
    first = Rig(tmp_path, book, arm)
    stop_when_refused(first)
    await first.engine.run()
    assert told(first) == ["Shut", "Work"]
    assert [r["title"] for r in first.view.nodes["door"].refused] == ["Work behind door"]
    first.close()

    second = Rig(tmp_path, book, arm)
    await second.engine.run()
    if insists:
        assert told(second) == ["Work"]
        assert second.state("door") is NodeState.FAILED
        assert not [e for e in second.events if e.entry.kind is Kind.DEFERRED]
    else:
        assert told(second) == ["Open"]
        assert is_open(arm)
        assert second.state("door") is NodeState.BLOCKED


async def test_each_change_may_be_refused_once_before_the_node_fails(tmp_path: Path) -> None:
    """What cannot be put back either is told to the step, too: it says what is left to the operator."""
    arm = TinyArm()
    arm.script.extend(["ok", NO, Refused("locked", status=409, arm_code="ScopeLocked")])
    rig = Rig(tmp_path, tiny_book(door()), arm)
    await rig.engine.run()
    assert told(rig) == ["Shut", "Work", "Open"]
    assert rig.state("door") is NodeState.BLOCKED
    blocked = rig.view.nodes["door"].blocked
    assert blocked is not None
    assert blocked["message"] == "Work behind door: NotWanted; Open door: ScopeLocked"
    assert not is_open(arm)


@pytest.mark.parametrize("insists", [False, True])
async def test_another_try_begins_with_no_refusals(tmp_path: Path, insists: bool) -> None:
    arm = TinyArm()
    arm.script.extend(["ok", NO, *([NO] if insists else []), *(["ok", "ok", NO] if not insists else [NO])])
    book = tiny_book(door(insists=insists))
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    sent = len(told(rig))
    rig.engine.submit(Retry("door"))
    await rig.engine.run()
    # The same change is refused once more; that is the first refusal of this try, and the step is asked again.
    again = told(rig)[sent:]
    if insists:
        assert again == ["Work", "Work", "Open"], "refused, asked again, taken"
        assert rig.outcome() is RunState.DONE
    else:
        assert again == ["Shut", "Work", "Open"]
        assert rig.state("door") is NodeState.BLOCKED
    assert is_open(arm)


async def test_an_operation_that_ends_badly_is_a_refusal_too(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend(["ok", "slow"])
    arm.ends[path_of("door-work")] = Ended("Failed", "NotWanted", "it came to nothing")

    def undone(event: Event) -> None:
        if event.entry.kind is Kind.ACCEPTED:
            del arm.resources[path_of("door-work")]

    rig = Rig(tmp_path, tiny_book(door()), arm)
    rig.engine.listen(undone)
    await rig.engine.run()
    assert told(rig) == ["Shut", "Work", "Open"]
    assert is_open(arm)
    assert [a["title"] for a in rig.view.nodes["door"].applied] == ["Shut door", "Open door"], "it took no effect"


async def test_after_an_abort_nothing_is_put_back_either(tmp_path: Path) -> None:
    """An abort is the operator's no to every further call; what stays altered stands in the journal."""
    arm = TinyArm()
    arm.script.extend(["ok", NO])
    rig = Rig(tmp_path, tiny_book(door()), arm)

    def heard(event: Event) -> None:
        if event.entry.kind is Kind.DEFERRED:
            rig.engine.submit(Abort("enough"))

    rig.engine.listen(heard)
    await rig.engine.run()
    assert rig.outcome() is RunState.ABORTED
    assert told(rig) == ["Shut", "Work"]
    assert len(arm.writes) == 2
    assert not is_open(arm)
    assert [r["title"] for r in rig.view.nodes["door"].refused] == ["Work behind door"]


async def test_a_pause_holds_the_putting_back_until_it_ends(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend(["ok", NO])
    rig = Rig(tmp_path, tiny_book(door()), arm)

    def heard(event: Event) -> None:
        if event.entry.kind is Kind.DEFERRED:
            rig.engine.submit(Pause())

    rig.engine.listen(heard)
    await rig.engine.run()
    assert not is_open(arm)
    await rig.engine.decide(Start())
    await rig.engine.run()
    assert is_open(arm)
    assert rig.state("door") is NodeState.BLOCKED
