"""Calls whose answer is not known: lost on the way, or cut off with the process."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runbook.core.arm import Answered, Ended, Operation
from runbook.core.command import Pause, Retry, Skip, Start
from runbook.core.entry import Kind
from runbook.core.error import AnswerMissing, LeaseLost
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.engine.world import Limits
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book


def lost(*, took_effect: bool) -> AnswerMissing:
    error = AnswerMissing("the connection died")
    error.took_effect = took_effect  # type: ignore[attr-defined]
    return error


class PowerCut(BaseException):
    """The process ends here, in the middle of things."""


async def test_a_lost_answer_that_took_effect_is_recognised_and_not_sent_again(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(lost(took_effect=True))
    rig = Rig(tmp_path, tiny_book({"id": "a", "with": {"name": "a", "repeat": "never"}}), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert len(arm.writes) == 1
    assert rig.view.nodes["a"].changed
    assert Kind.DOUBTED in [e.entry.kind for e in rig.events]


async def test_a_lost_answer_without_effect_is_sent_again_when_that_is_safe(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(lost(took_effect=False))
    arm.script[0].took_effect = False  # type: ignore[union-attr]
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert len(arm.writes) == 2


async def test_a_lost_answer_without_visible_effect_asks_when_repeating_is_not_safe(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(lost(took_effect=False))
    rig = Rig(tmp_path, tiny_book({"id": "a", "with": {"name": "a", "repeat": "never"}}), arm)
    await rig.engine.run()
    assert rig.state("a") is NodeState.IN_DOUBT
    assert rig.outcome() is RunState.NEEDS_OPERATOR
    assert len(arm.writes) == 1
    rig.engine.submit(Retry("a"))
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert len(arm.writes) == 2


@pytest.mark.parametrize("repeat", ["safe", "never"])
@pytest.mark.parametrize("took_effect", [True, False])
async def test_a_call_cut_off_with_its_process_is_in_doubt_at_start_up(
    tmp_path: Path, repeat: str, took_effect: bool
) -> None:
    arm = TinyArm()
    book = tiny_book({"id": "a", "with": {"name": "a", "repeat": repeat}})

    class Cut(TinyArm):
        async def write(self, *args: Any) -> Any:
            if took_effect:
                await super().write(*args)
            raise PowerCut

    rig = Rig(tmp_path, book, Cut(arm.resources, arm.writes))
    with pytest.raises(PowerCut):
        await rig.engine.run()
    rig.close()
    again = Rig(tmp_path, book, arm)
    assert again.state("a") is NodeState.APPLYING
    await again.engine.run()
    if repeat == "never" and not took_effect:
        assert again.state("a") is NodeState.IN_DOUBT
        assert not arm.writes
    else:
        assert again.outcome() is RunState.DONE
        assert len(arm.writes) == 1


async def test_an_operation_under_way_is_polled_on_after_a_restart(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append("slow")
    book = tiny_book({"id": "a"})
    rig = Rig(tmp_path, book, arm)

    def cut(event: Any) -> None:
        if event.entry.kind is Kind.ACCEPTED:
            rig.engine.close()

    rig.engine.listen(cut)
    await rig.engine.run()
    assert rig.state("a") is NodeState.SETTLING
    rig.close()
    again = Rig(tmp_path, book, arm)
    await again.engine.run()
    assert again.outcome() is RunState.DONE
    assert len(arm.writes) == 1


async def test_a_driver_that_was_taken_over_writes_nothing_and_sends_nothing(tmp_path: Path) -> None:
    arm = TinyArm()
    book = tiny_book({"id": "a"}, {"id": "b", "needs": ["a"]})
    rig = Rig(tmp_path, book, arm, approve=False)
    await rig.engine.run()
    head = rig.journal.head()
    other = Rig(tmp_path, book, arm, approve=False, take_over=True)
    assert other.lease.took_over
    with pytest.raises(LeaseLost):
        await rig.engine.decide(Retry("a"))
    assert rig.journal.head() == head
    assert not arm.writes


async def test_a_doubt_survives_a_read_that_fails(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(lost(took_effect=False))
    book = tiny_book({"id": "a", "with": {"name": "a", "repeat": "never"}})
    rig = Rig(tmp_path, book, arm, limits=Limits(deferrals=1))

    def blind(event: Any) -> None:
        if event.entry.kind is Kind.DOUBTED:
            arm.read_errors.extend(AnswerMissing("silence") for _ in range(2))

    rig.engine.listen(blind)
    await rig.engine.run()
    assert rig.state("a") is NodeState.FAILED
    rig.engine.submit(Retry("a"))
    await rig.engine.run()
    assert rig.state("a") is NodeState.IN_DOUBT
    assert len(arm.writes) == 1
    assert path_of("a") not in arm.resources


class DeafArm(TinyArm):
    """Whatever is sent, no answer comes and nothing happens; or every operation ends as "try again"."""

    ends_as: Ended | None = None

    async def write(self, request: Any, client_request_id: str) -> Answered:
        self.writes.append((request.method, request.path, client_request_id))
        if len(self.writes) > 50:
            raise PowerCut("it would never stop")
        if self.ends_as is None:
            raise AnswerMissing("silence")
        return Answered(202, None, Operation("https://tiny/op", "location"), 1)

    async def poll(self, operation: Operation) -> Ended:
        assert self.ends_as is not None
        return self.ends_as


async def test_a_call_that_is_never_answered_is_not_sent_for_ever_nor_without_a_pause(tmp_path: Path) -> None:
    arm = DeafArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, limits=Limits(deferrals=3))
    await rig.engine.run()
    assert rig.state("a") is NodeState.FAILED
    assert rig.view.nodes["a"].intent is not None, "it is still not known"
    assert len(arm.writes) == 4
    times = [e.entry.at_ms for e in rig.events if e.entry.kind is Kind.INTENDED]
    assert all(later - earlier >= 2_000 for earlier, later in pairwise(times[1:]))
    rig.engine.submit(Retry("a"))
    await rig.engine.run()
    assert len(arm.writes) == 8


@pytest.mark.parametrize(("repeat", "sends"), [("safe", 4), ("never", 1)])
async def test_an_operation_that_always_ends_as_try_again_is_not_tried_for_ever(
    tmp_path: Path, repeat: str, sends: int
) -> None:
    arm = DeafArm()
    arm.ends_as = Ended("Failed", "AnotherOperationInProgress", "busy")
    book = tiny_book({"id": "a", "with": {"name": "a", "repeat": repeat}})
    rig = Rig(tmp_path, book, arm, limits=Limits(deferrals=3))
    await rig.engine.run()
    assert rig.state("a") is NodeState.FAILED
    assert len(arm.writes) == sends


async def test_a_retry_that_was_not_needed_is_no_leave_to_send_later(tmp_path: Path) -> None:
    """The operator says "send it again", the look finds it under way; when it vanishes, the operator is asked anew."""
    arm = TinyArm()
    arm.script.append(lost(took_effect=False))
    rig = Rig(tmp_path, tiny_book({"id": "a", "with": {"name": "a", "repeat": "never"}}), arm)
    await rig.engine.run()
    assert rig.state("a") is NodeState.IN_DOUBT

    def vanish(event: Event) -> None:
        if event.entry.to is NodeState.SETTLING:
            arm.resources.clear()

    rig.engine.listen(vanish)
    arm.resources[path_of("a")] = {"made": "a", "state": "Running"}
    rig.engine.submit(Retry("a"))
    await rig.engine.run()
    assert rig.state("a") is NodeState.BLOCKED
    assert len(arm.writes) == 1


async def test_a_status_that_cannot_be_read_for_a_strange_reason_leads_to_a_look(tmp_path: Path) -> None:
    class Odd(TinyArm):
        async def poll(self, operation: Operation) -> Any:
            raise RuntimeError("a library broke")

    arm = Odd()
    arm.script.append("slow")
    rig = Rig(tmp_path, tiny_book({"id": "a"}, {"id": "b"}), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE


@pytest.mark.parametrize("stop", ["pause", "crash", "both"])
async def test_a_doubt_that_nobody_resolves_stays_one_through_pauses_and_restarts(tmp_path: Path, stop: str) -> None:
    arm = TinyArm()
    arm.script.append(lost(took_effect=False))
    book = tiny_book({"id": "a", "with": {"name": "a", "repeat": "never"}})
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    for _ in range(3):
        if stop != "crash":
            await rig.engine.decide(Pause())
            await rig.engine.run()
        if stop != "pause":
            rig.close()
            rig = Rig(tmp_path, book, arm)
        if rig.view.paused:
            await rig.engine.decide(Start())
        await rig.engine.run()
        assert rig.state("a") is NodeState.IN_DOUBT
    assert len(arm.writes) == 1
    rig.engine.submit(Skip("a", "made by hand"))
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert rig.view.nodes["a"].intent is None
    assert len(arm.writes) == 1


async def test_a_retry_during_a_pause_sends_when_the_pause_is_over(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(lost(took_effect=False))
    rig = Rig(tmp_path, tiny_book({"id": "a", "with": {"name": "a", "repeat": "never"}}), arm)
    await rig.engine.run()
    await rig.engine.decide(Pause())
    await rig.engine.decide(Retry("a"))
    await rig.engine.run()
    assert len(arm.writes) == 1
    await rig.engine.decide(Start())
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert len(arm.writes) == 2
