"""Writes that ARM serialises: one at a time, everybody gets a turn, and no turn is lost on somebody who is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.core.arm import Ended, Operation, Running
from runbook.core.command import Approve, Pause, Retry, Skip, Start
from runbook.core.entry import Kind
from runbook.core.error import AnswerMissing, ArmError, Refused
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from tests.engine.test_doubt import lost
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book


class HeldArm(TinyArm):
    """Its operations go on until ``let_go``."""

    is_held = True

    async def poll(self, operation: Operation) -> Running | Ended:
        return Running("InProgress", 5) if self.is_held else await super().poll(operation)

    def let_go(self) -> None:
        self.is_held = False


def under(lock: str, *names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": name, "with": {"name": name, "lock": lock, **more}} for name in names]


def rig_of(tmp_path: Path, arm: TinyArm, *steps: dict[str, Any]) -> Rig:
    return Rig(tmp_path, tiny_book(*steps), arm)


def when_queued(rig: Rig, name: str, act: Callable[[], object]) -> None:
    """Call ``act`` once, when the node is approved and the lock it wants has been taken by another."""
    acted: list[object] = []

    def hear(event: Event) -> None:
        nodes = event.view.nodes
        waits = nodes[name].state is NodeState.READY and nodes[name].is_approved
        if not acted and waits and any(n.operation for n in nodes.values()) and event.entry.kind is Kind.POLLED:
            acted.append(act())

    rig.engine.listen(hear)


async def test_a_turn_is_not_lost_on_a_node_that_was_skipped_while_it_queued(tmp_path: Path) -> None:
    arm = HeldArm()
    arm.script.extend(["slow"])
    rig = rig_of(tmp_path, arm, *under("/vnet", "a", "b", "c"))

    def leave() -> None:
        rig.engine.submit(Skip("b", "not today"))
        arm.let_go()

    when_queued(rig, "b", leave)
    await rig.engine.run()
    assert [rig.state(n) for n in "abc"] == ["done", "skipped", "done"]


async def test_a_turn_is_passed_on_by_a_node_that_needs_no_write_any_more(tmp_path: Path) -> None:
    arm = HeldArm()
    arm.script.extend(["slow"])
    rig = rig_of(tmp_path, arm, *under("/vnet", "a", "b", "c"))

    def made_by_a_colleague() -> None:
        arm.resources[path_of("b")] = {"made": "b"}
        arm.let_go()

    when_queued(rig, "b", made_by_a_colleague)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert [path for _, path, _ in arm.writes] == [path_of("a"), path_of("c")]


@pytest.mark.parametrize("error", [Refused("no", status=403, arm_code="AuthorizationFailed"), AnswerMissing("silence")])
async def test_a_turn_is_passed_on_by_a_node_that_cannot_be_read(tmp_path: Path, error: ArmError) -> None:
    arm = HeldArm()
    arm.script.extend(["slow"])
    rig = rig_of(tmp_path, arm, *under("/vnet", "a", "b", "c"))

    get = arm.get

    async def refuse_b(path: str, api_version: str, **query: str) -> Any:
        if path == path_of("b") and not arm.is_held:
            raise error
        return await get(path, api_version, **query)

    arm.get = refuse_b  # type: ignore[method-assign]
    when_queued(rig, "b", arm.let_go)
    await rig.engine.run()
    assert [rig.state(n) for n in "abc"] == ["done", "failed", "done"]


async def test_a_queued_node_that_a_retry_finds_satisfied_breaks_nothing(tmp_path: Path) -> None:
    arm = HeldArm()
    arm.script.extend(["slow"])
    rig = rig_of(tmp_path, arm, *under("/vnet", "a", "b", "c"))

    def look_again() -> None:
        arm.resources[path_of("b")] = {"made": "b"}
        rig.engine.submit(Retry("b")).add_done_callback(lambda _: arm.let_go())

    when_queued(rig, "b", look_again)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert len(arm.writes) == 2


async def test_a_lock_named_twice_by_one_change_is_one_lock(tmp_path: Path) -> None:
    arm = TinyArm()
    book = tiny_book(
        {"id": "a", "with": {"name": "a", "locks": ["/VNet/one", "/vnet/ONE"]}},
        {"id": "b", "with": {"name": "b", "locks": ["/vnet/one"]}},
    )
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE


async def test_a_free_lock_is_not_kept_from_a_node_by_another_that_waits_for_a_second_lock(tmp_path: Path) -> None:
    """``both`` is first in the queue for /one, but /two is in doubt and stays so: ``one`` must not wait with it."""
    arm = HeldArm()
    arm.script.append(lost(took_effect=False))
    arm.script.append("slow")
    book = tiny_book(
        {"id": "doubt", "with": {"name": "doubt", "locks": ["/two"], "repeat": "never"}},
        {"id": "holder", "with": {"name": "holder", "locks": ["/one"]}},
        {"id": "both", "with": {"name": "both", "locks": ["/one", "/two"]}},
        {"id": "one", "with": {"name": "one", "locks": ["/one"]}},
    )
    rig = Rig(tmp_path, book, arm)
    when_queued(rig, "one", arm.let_go)
    await rig.engine.run()
    assert [rig.state(n) for n in ("doubt", "holder", "both", "one")] == ["in_doubt", "done", "ready", "done"]
    rig.engine.submit(Skip("doubt", "not needed"))
    await rig.engine.run()
    assert rig.state("both") is NodeState.DONE


async def test_the_lock_of_a_doubt_that_a_look_ended_is_free_again(tmp_path: Path) -> None:
    """The look finds the first change made and asks for the second, under another lock, in one breath."""
    arm = TinyArm()
    arm.script.append(lost(took_effect=True))
    book = tiny_book(
        {"id": "pair", "uses": "testing.pair", "with": {"name": "pair", "locks": ["/one", "/two"]}},
        {"id": "later", "needs": ["pair"], "with": {"name": "later", "lock": "/one"}},
    )
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE


async def test_a_lock_stays_held_while_its_call_is_in_doubt_also_after_a_restart(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(lost(took_effect=False))
    book = tiny_book(*under("/vnet", "a", repeat="never"), *under("/vnet", "b"))
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert [rig.state(n) for n in "ab"] == ["in_doubt", "ready"]
    rig.close()
    again = Rig(tmp_path, book, arm)
    await again.engine.run()
    assert [again.state(n) for n in "ab"] == ["in_doubt", "ready"]
    assert len(arm.writes) == 1
    again.engine.submit(Retry("a"))
    await again.engine.run()
    assert again.outcome() is RunState.DONE


async def test_many_writes_under_one_lock_are_made_in_the_order_of_the_book_with_one_look_each(tmp_path: Path) -> None:
    arm = TinyArm()
    names = [f"s{i:02}" for i in range(40)]
    arm.script.extend(["slow"] * 40)
    rig = rig_of(tmp_path, arm, *under("/vnet", *names))
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert [path for _, path, _ in arm.writes] == [path_of(name) for name in names]
    looks = sum(e.entry.kind is Kind.BEGUN for e in rig.events)
    assert looks <= 3 * len(names) + 16


async def test_an_approval_during_a_pause_queues_as_any_other(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book(*under("/vnet", "a", "b")), arm, approve=False)
    await rig.engine.run()
    await rig.engine.decide(Pause())
    await rig.engine.decide(Approve("a"))
    await rig.engine.decide(Approve("b"))
    await rig.engine.run()
    assert not arm.writes
    await rig.engine.decide(Start())
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
