"""Nothing goes on for ever in silence: calls that are lost or put off again and again, and work that never ends."""

from __future__ import annotations

from pathlib import Path

from runbook.core.arm import Ended, Operation, Running
from runbook.core.command import Pause, Retry, Start
from runbook.core.entry import Kind
from runbook.core.error import AnswerMissing, Throttled
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Until
from runbook.engine.judge import LONGEST_WORK_S, NO_END
from runbook.engine.world import Limits
from tests.engine.tiny import SUB, Rig, TinyArm, path_of, tiny_book

LIMITS = Limits(deferrals=3)


def lost() -> AnswerMissing:
    error = AnswerMissing("the connection died")
    error.took_effect = False  # type: ignore[attr-defined]
    return error


async def sent_in_vain(rig: Rig, arm: TinyArm) -> int:
    """Drive with looks in between that end in another state than that of sending; how many calls were made."""
    for _ in range(40):
        await rig.engine.run(Until.STUCK)
        if rig.view.paused:
            await rig.engine.decide(Start())
        if rig.state("a") is NodeState.FAILED:
            break
    return len(arm.writes)


async def test_answers_that_are_lost_again_and_again_end_in_failure_also_when_looks_in_between_succeed(
    tmp_path: Path,
) -> None:
    arm = TinyArm()
    arm.script.extend(lost() for _ in range(20))
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, limits=LIMITS, approve=False)
    for _ in range(20):
        await rig.engine.run()
        if rig.state("a") is not NodeState.READY:
            break
        await rig.approve_shown()
    assert rig.state("a") is NodeState.FAILED
    assert "Sent 4 times without an answer." in rig.error("a")["hint"]
    assert len(arm.writes) == 4


async def test_looks_that_leave_a_node_ready_in_between_do_not_make_its_setbacks_forgotten(tmp_path: Path) -> None:
    """As where the lock it needs is taken each time: it is ready again, and its turn comes, and its call is lost."""
    arm = TinyArm()
    arm.script.extend(lost() for _ in range(20))
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, limits=LIMITS)

    def pause(event: Event) -> None:
        if event.entry.kind is Kind.DOUBTED:
            rig.engine.submit(Pause())  # what is looked at now ends as ready, for nothing may be sent

    rig.engine.listen(pause)
    assert await sent_in_vain(rig, arm) == LIMITS.deferrals + 1
    assert Kind.STARTED in {e.entry.kind for e in rig.events}
    assert rig.state("a") is NodeState.FAILED


async def test_operations_that_end_as_not_now_again_and_again_end_in_failure_too(tmp_path: Path) -> None:
    class NotNow(TinyArm):
        async def poll(self, operation: Operation) -> Running | Ended:
            ended = await super().poll(operation)
            if isinstance(ended, Ended):
                self.resources.pop(path_of("a"), None)
            return ended

    arm = NotNow()
    arm.script.extend("slow" for _ in range(40))
    arm.ends[path_of("a")] = Ended("Failed", "AnotherOperationInProgress", "busy")
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, limits=LIMITS)

    def pause(event: Event) -> None:
        if event.entry.kind is Kind.DEFERRED:
            rig.engine.submit(Pause())

    rig.engine.listen(pause)
    assert await sent_in_vain(rig, arm) == LIMITS.deferrals + 1
    assert "Tried 4 times." in rig.error("a")["hint"]


async def test_a_call_that_was_answered_makes_earlier_setbacks_forgotten(tmp_path: Path) -> None:
    arm = TinyArm()
    for _ in range(2):
        arm.script.extend([lost(), lost(), "ok"])
    book = tiny_book({"id": "a", "uses": "testing.pair", "with": {"name": "a", "locks": ["x", "y"], "repeat": "safe"}})
    rig = Rig(tmp_path, book, arm, limits=Limits(deferrals=2))
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert rig.view.nodes["a"].setbacks == 0


async def test_pausing_between_judgement_and_call_is_no_setback(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, limits=LIMITS)
    left = [1] * 10

    def pause(event: Event) -> None:
        if event.entry.kind is Kind.BEGUN and left and rig.view.nodes["a"].is_approved:
            left.pop()
            rig.engine.submit(Pause())

    rig.engine.listen(pause)
    assert await sent_in_vain(rig, arm) == 1
    assert rig.outcome() is RunState.DONE


async def test_work_that_never_ends_is_said_so_after_a_day_and_looked_at_further(tmp_path: Path) -> None:
    mood = f"/subscriptions/{SUB}/mood"
    arm = TinyArm({mood: {"says": "progress", "again_s": 50}})
    rig = Rig(tmp_path, tiny_book({"id": "a", "uses": "testing.moody", "with": {"name": "a"}}), arm)
    said: list[int] = []

    def hear(event: Event) -> None:
        if event.entry.to is NodeState.BLOCKED:
            said.append(event.entry.at_ms)
            if len(said) == 3:
                arm.resources[mood] = {"says": "honest"}
                arm.resources[path_of("a")] = {}

    rig.engine.listen(hear)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    first = next(e for e in rig.events if e.entry.to is NodeState.BLOCKED)
    blocked = first.entry.data["blocked"]
    assert blocked["rule"] == NO_END
    assert "Azure has been at work here for" in blocked["message"]
    began = next(e.entry.at_ms for e in rig.events if e.entry.to is NodeState.SETTLING)
    assert LONGEST_WORK_S * 1000 < said[0] - began < LONGEST_WORK_S * 1000 + 60_000
    assert said[1] - said[0] >= 600_000, "gently from then on"


async def test_a_retry_gives_work_without_an_end_another_day(tmp_path: Path) -> None:
    arm = TinyArm({f"/subscriptions/{SUB}/mood": {"says": "progress", "again_s": 50}})
    rig = Rig(tmp_path, tiny_book({"id": "a", "uses": "testing.moody", "with": {"name": "a"}}), arm)

    def close(event: Event) -> None:
        if event.entry.to is NodeState.BLOCKED:
            rig.engine.close()

    rig.engine.listen(close)
    await rig.engine.run()
    rig.close()
    assert rig.state("a") is NodeState.BLOCKED
    again = Rig(tmp_path, tiny_book({"id": "a", "uses": "testing.moody", "with": {"name": "a"}}), arm)
    await again.engine.decide(Retry("a"))
    again.engine.listen(lambda event: again.engine.close() if event.entry.to is NodeState.SETTLING else None)
    await again.engine.run()
    assert again.state("a") is NodeState.SETTLING


async def test_an_operation_that_never_ends_is_left_to_what_looking_shows(tmp_path: Path) -> None:
    class Endless(TinyArm):
        async def poll(self, operation: Operation) -> Running | Ended:
            return Running("InProgress", 600)

    arm = Endless()
    arm.script.append("slow")
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    last = [e.entry for e in rig.events if e.entry.kind is Kind.POLLED][-1]
    assert last.data["status"] == "InProgress without an end"


async def test_reads_that_are_put_off_now_and_then_do_not_add_up(tmp_path: Path) -> None:
    arm = TinyArm()
    gate = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}
    rig = Rig(tmp_path, tiny_book(gate), arm, limits=LIMITS)

    def trouble(event: Event) -> None:
        if event.entry.to is NodeState.WAITING:
            if rig.view.nodes["gate"].attempts > 30:
                arm.resources[path_of("key")] = {"made": "key"}
            else:
                arm.read_errors.append(Throttled("slow", retry_after_s=1, status=429, arm_code="TooManyRequests"))

    rig.engine.listen(trouble)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
