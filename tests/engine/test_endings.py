"""Where a run may end, and what may no longer begin then: pause, abort, close, and commands that race with looks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runbook.core.arm import Answered, Request
from runbook.core.command import Abort, Approve, Attest, Command, Pause, Retry, Skip, Start
from runbook.core.entry import Kind
from runbook.core.error import RunbookError, UsageError
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Until
from runbook.engine.world import Limits
from runbook.journal.load import load_view
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book

GATE = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}


class SlowArm(TinyArm):
    """Reads and writes wait at a door until it is opened."""

    def __init__(self, **doors: bool) -> None:
        super().__init__()
        self.doors = {name: asyncio.Event() for name, is_shut in doors.items() if is_shut}
        self.arrived: dict[str, asyncio.Event] = {name: asyncio.Event() for name in ("get", "write")}

    async def _pass(self, name: str) -> None:
        self.arrived[name].set()
        if name in self.doors:
            await self.doors[name].wait()

    async def get(self, path: str, api_version: str, **query: str) -> Any:
        await self._pass("get")
        return await super().get(path, api_version, **query)

    async def write(self, request: Request, client_request_id: str) -> Answered:
        await self._pass("write")
        return await super().write(request, client_request_id)


async def turns(count: int = 50) -> None:
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_an_aborted_run_on_a_screen_lets_no_time_pass_and_does_not_spin(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book(GATE), TinyArm())
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(Abort("the window closed"))
    at_ms = rig.clock.now_ms()
    rounds = 0
    launch = rig.engine._launch

    def counted() -> None:
        nonlocal rounds
        rounds += 1
        launch()

    rig.engine._launch = counted  # type: ignore[method-assign]
    driving = asyncio.create_task(rig.engine.run(Until.CLOSED))
    await turns()
    assert rig.clock.now_ms() == at_ms
    assert rounds <= 3
    rig.engine.close()
    await driving


async def test_an_abort_while_a_wait_is_being_sat_out_ends_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book(GATE), TinyArm())

    def abort(event: Event) -> None:
        if event.entry.to is NodeState.WAITING:
            rig.engine.submit(Abort("no more"))

    rig.engine.listen(abort)
    driving = asyncio.create_task(rig.engine.run(Until.CLOSED))
    await turns(200)
    assert rig.outcome() is RunState.ABORTED
    looks = sum(e.entry.kind is Kind.BEGUN for e in rig.events)
    waited_ms = rig.clock.now_ms() - rig.view.created_ms
    await turns(200)
    assert sum(e.entry.kind is Kind.BEGUN for e in rig.events) == looks == 1
    assert rig.clock.now_ms() - rig.view.created_ms == waited_ms == 0
    rig.engine.close()
    await driving


@pytest.mark.parametrize("how", ["pause", "abort", "close"])
async def test_a_look_that_ends_after_a_stop_sends_nothing(tmp_path: Path, how: str) -> None:
    arm = SlowArm()
    book = tiny_book({"id": "a"})
    rig = Rig(tmp_path, book, arm, approve=False)
    await rig.engine.run()
    await rig.engine.decide(Approve("a"))
    arm.doors["get"] = asyncio.Event()
    arm.arrived["get"].clear()
    driving = asyncio.create_task(rig.engine.run(Until.CLOSED))
    await arm.arrived["get"].wait()
    if how == "close":
        rig.engine.close()
    else:
        await rig.engine.decide(Pause() if how == "pause" else Abort("stop"))
    arm.doors["get"].set()
    await turns()
    rig.engine.close()
    await driving
    assert not arm.writes
    assert rig.state("a") is NodeState.READY
    assert rig.view.nodes["a"].is_approved
    rig.close()
    if how != "abort":
        del arm.doors["get"]
        again = Rig(tmp_path, book, arm, approve=False)
        if how == "pause":
            await again.engine.decide(Start())
        await again.engine.run()
        assert again.outcome() is RunState.DONE


@pytest.mark.parametrize("how", ["pause", "abort", "close"])
async def test_the_answer_of_a_call_in_flight_is_recorded_after_a_stop(tmp_path: Path, how: str) -> None:
    arm = SlowArm(write=True)
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    driving = asyncio.create_task(rig.engine.run(Until.CLOSED))
    await arm.arrived["write"].wait()
    if how == "close":
        rig.engine.close()
    else:
        await rig.engine.decide(Pause() if how == "pause" else Abort("stop"))
        rig.engine.close()
    await turns()
    assert not driving.done()
    arm.doors["write"].set()
    await driving
    assert rig.view.nodes["a"].changed
    assert rig.view.nodes["a"].intent is None
    assert load_view(rig.journal) == rig.view


async def test_a_run_that_is_cancelled_waits_for_the_answer_of_its_call(tmp_path: Path) -> None:
    arm = SlowArm(write=True)
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    driving = asyncio.create_task(rig.engine.run(Until.CLOSED))
    await arm.arrived["write"].wait()
    driving.cancel()
    await turns()
    assert not driving.done()
    arm.doors["write"].set()
    with pytest.raises(asyncio.CancelledError):
        await driving
    assert rig.view.nodes["a"].changed


@pytest.mark.parametrize("pause", range(16))
async def test_a_word_that_was_taken_is_never_overlooked(tmp_path: Path, pause: int) -> None:
    """A retry starts a look; the word comes so many turns of the loop later, and counts."""
    rig = Rig(tmp_path, tiny_book(GATE), TinyArm())
    await rig.engine.run(Until.PARKED)
    rig.clock.speed = 0.001  # time stands practically still
    driving = asyncio.create_task(rig.engine.run(Until.CLOSED))
    await turns()
    rig.engine.submit(Retry("gate"))
    await turns(pause)
    await rig.engine.submit(Attest("gate", "it is open", "anna"))
    await turns()
    assert rig.state("gate") is NodeState.DONE
    rig.engine.close()
    await driving


async def test_a_command_for_a_node_waits_until_nothing_is_under_way_there(tmp_path: Path) -> None:
    """Sent in the middle of a call, it is judged by what comes of call and look, not refused half-way."""
    arm = SlowArm(write=True)
    book = tiny_book({"id": "pair", "uses": "testing.pair", "with": {"name": "pair", "locks": ["/one", "/two"]}})
    rig = Rig(tmp_path, book, arm, approve=False)
    await rig.engine.run()
    await rig.engine.decide(Approve("pair"))
    driving = asyncio.create_task(rig.engine.run())
    await arm.arrived["write"].wait()
    skip = rig.engine.submit(Skip("pair", "half is enough"))
    await turns()
    assert not skip.done()
    arm.doors["write"].set()
    with pytest.raises(UsageError, match="is done"):
        await skip
    await driving
    assert rig.outcome() is RunState.DONE


async def test_the_same_answer_given_again_on_its_way_is_written_once(tmp_path: Path) -> None:
    """Somebody answers at every entry of one commit, or presses the key twice while the node is looked at."""
    arm = SlowArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, approve=False)
    await rig.engine.run()
    arm.doors["get"] = asyncio.Event()
    rig.engine.submit(Retry("a"))
    arm.arrived["get"].clear()
    driving = asyncio.create_task(rig.engine.run())
    await arm.arrived["get"].wait()
    answers = [rig.engine.submit(Approve("a")) for _ in range(3)]
    impatient = asyncio.create_task(rig.engine.decide(Approve("a")))
    await turns()
    impatient.cancel()  # whoever does not wait for it any longer takes it from nobody
    arm.doors["get"].set()
    await asyncio.gather(*answers)
    await driving
    assert [e.entry.kind for e in rig.events].count(Kind.APPROVED) == 1
    assert rig.outcome() is RunState.DONE


async def test_what_is_asked_again_after_its_opposite_is_not_taken_for_the_same(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book(GATE), TinyArm())
    await rig.engine.run(Until.PARKED)
    await asyncio.gather(*[rig.engine.submit(command) for command in (Pause(), Pause(), Start(), Pause())])
    assert rig.view.paused
    kinds = [e.entry.kind for e in rig.events if e.entry.kind in (Kind.PAUSED, Kind.STARTED)]
    assert kinds == [Kind.PAUSED, Kind.STARTED, Kind.PAUSED]


@pytest.mark.parametrize("command", [Pause(), Abort("stop"), Retry("a"), Skip("a", "why not"), Approve("a")])
async def test_a_command_is_answered_also_when_the_driving_fails_meanwhile(tmp_path: Path, command: Command) -> None:
    arm = SlowArm(get=True)
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    driving = asyncio.create_task(rig.engine.run(Until.CLOSED))
    await arm.arrived["get"].wait()
    rig.journal._db.pragma("query_only", True)
    answer = rig.engine.submit(command)
    arm.doors["get"].set()
    with pytest.raises(RunbookError):
        await driving
    assert answer.done()
    assert isinstance(answer.exception(), RunbookError)


async def test_a_change_that_is_for_ever_in_progress_is_given_up_at_the_horizon(tmp_path: Path) -> None:
    arm = TinyArm({path_of("a"): {"made": "a", "state": "Running"}})
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, limits=Limits(horizon_s=3_600))
    await asyncio.wait_for(rig.engine.run(Until.STUCK), 30)
    assert rig.state("a") is NodeState.SETTLING
    assert rig.clock.now_ms() - rig.view.created_ms <= 3_700_000


async def test_a_run_does_not_end_while_somebody_still_decides(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm(), approve=False)
    await rig.engine.run()
    rig.engine.submit(Approve("a"))
    await rig.engine.run(Until.PARKED)
    assert rig.outcome() is RunState.DONE


async def test_more_nodes_than_may_be_looked_at_at_once_all_get_their_look(tmp_path: Path) -> None:
    names = [f"s{i}" for i in range(70)]
    book = tiny_book(*({"id": n} for n in names), {"id": "last", "needs": names})
    rig = Rig(tmp_path, book, TinyArm(), limits=Limits(activities=3))
    most = 0

    def count(event: Event) -> None:
        nonlocal most
        most = max(most, sum(t in rig.view.nodes for t in rig.engine._tasks))

    rig.engine.listen(count)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert most <= 3


async def test_what_falls_due_during_a_pause_is_done_after_it(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book(GATE, {"id": "b", "needs": ["gate"]}), arm)
    await rig.engine.run(Until.PARKED)
    await rig.engine.decide(Pause())
    rig.clock.advance_to(rig.clock.now_ms() + 86_400_000)
    arm.resources[path_of("key")] = {"made": "key"}
    await rig.engine.run(Until.STUCK)
    assert rig.state("gate") is NodeState.WAITING
    await rig.engine.decide(Start())
    await rig.engine.run(Until.PARKED)
    assert rig.outcome() is RunState.DONE


async def test_a_retry_of_a_wait_looks_once_and_the_old_due_time_is_forgotten(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book(GATE), TinyArm())
    await rig.engine.run(Until.PARKED)
    for _ in range(3):
        rig.engine.submit(Retry("gate"))
        await rig.engine.run(Until.PARKED)
    assert rig.view.nodes["gate"].attempts == 4
    due_ms = rig.view.nodes["gate"].due_ms
    assert due_ms is not None
    rig.clock.advance_to(due_ms)
    await rig.engine.run(Until.PARKED)
    assert rig.view.nodes["gate"].attempts == 5
