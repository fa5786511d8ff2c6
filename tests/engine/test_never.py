"""A change that may never be repeated, against a hostile world: each sending but the first has the operator's word.

The world is drawn by a seed: answers get lost with and without effect, operations end in every way, the process dies,
reads fail, the step changes its mind, outsiders undo things, the operator says whatever may be said. Whatever comes,
the journal must show a retry between two sendings of the same change, unless ARM itself refused the earlier one.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runbook.core.arm import Answered, Ended, Json, Operation, Request, Running
from runbook.core.command import Abort, Approve, Attest, Command, Pause, Retry, Skip, Start
from runbook.core.entry import Entry, Kind
from runbook.core.error import AnswerMissing, NotSent, Refused, Throttled, UsageError
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.core.view import RunView
from runbook.engine.engine import Until
from runbook.engine.world import Limits
from runbook.journal.fold import fold
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from tests.engine.tiny import SUB, Rig, TinyArm, tiny_book

MOOD = f"/subscriptions/{SUB}/mood"
MOODS = ("waiting", "silent", "blocked", "progress", "unmet", "both", "other", "none", "lies")


STUCK = (NodeState.FAILED, NodeState.IN_DOUBT, NodeState.BLOCKED, NodeState.WAITING)


class PowerCut(BaseException):
    """The process ends here."""


@dataclass
class HostileArm(TinyArm):
    """A cloud whose every answer is drawn."""

    dice: random.Random = random.Random(0)  # noqa: RUF009 - always given

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        if self.dice.random() < 0.08:
            raise self.dice.choice([NotSent("no"), AnswerMissing("no"), Refused("no", status=403, arm_code="No")])
        if path == MOOD:
            return {"says": self.dice.choice(MOODS)} if self.dice.random() < 0.8 else None
        if self.dice.random() < 0.05:
            self.resources.pop(path, None)  # an outsider
        return self.resources.get(path)

    async def write(self, request: Request, client_request_id: str) -> Answered:
        self.writes.append((request.method, request.path, client_request_id))
        how = self.dice.choice(["ok", "lost", "refused", "throttled", "unsent", "slow", "cut", "odd"])
        if how == "refused":
            raise Refused("no", status=409, arm_code="Conflict")
        if how == "throttled":
            raise Throttled("slow down", retry_after_s=None, status=429, arm_code="TooManyRequests")
        if how == "unsent":
            raise NotSent("no route")
        if self.dice.random() < 0.5 or how == "ok":
            self.resources[request.path] = dict(request.body or {})
        if how == "cut":
            raise PowerCut
        if how == "lost":
            raise AnswerMissing("silence")
        if how == "odd":
            raise RuntimeError("a library broke")
        if how == "slow":
            return Answered(202, None, Operation(f"https://tiny/op{request.path}", "location"), 1)
        return Answered(200, {})

    async def poll(self, operation: Operation) -> Running | Ended:
        match self.dice.randrange(6):
            case 0:
                return Running("InProgress", 1)
            case 1:
                raise AnswerMissing("silence")
            case 2:
                return Ended("Failed", "RetryableError", "try again")
            case 3:
                return Ended("Failed", "Broken", "it broke")
            case _:
                return Ended("Succeeded")


def speak(rig: Rig, dice: random.Random) -> None:
    """Have an operator who says anything at any time."""

    def hear(event: Event) -> None:
        view = event.view
        if view.head > 600:
            rig.engine.close()
            return
        commands: list[Command] = []
        for node in view.nodes.values():
            if node.state is NodeState.READY and not node.is_approved and dice.random() < 0.8:
                commands.append(Approve(node.id))
            if dice.random() < 0.06:
                commands.append(Attest(node.id, "yes", "anna") if dice.random() < 0.3 else Retry(node.id))
            if dice.random() < 0.004:
                commands.append(Skip(node.id, "enough"))
        if dice.random() < 0.02:
            commands.append(Start() if view.paused else Pause())
        if dice.random() < 0.0005:
            commands.append(Abort("enough"))
        if dice.random() < 0.02:
            rig.engine.close()
        for command in commands:
            rig.engine.submit(command).add_done_callback(lambda task: task.cancelled() or task.exception())

    rig.engine.listen(hear)


async def live(folder: Path, seed: int) -> Rig:
    """Several sessions of one run, until it is over or nobody cares any more; the last one."""
    dice = random.Random(seed)
    arm = HostileArm(dice=dice)
    book = tiny_book(
        {"id": "a", "uses": "testing.moody", "with": {"name": "a"}},
        {"id": "b", "uses": "testing.moody", "with": {"name": "b", "locks": ["/l"]}},
        {"id": "c", "uses": "testing.moody", "with": {"name": "c", "locks": ["/l"]}},
    )
    for _ in range(10):
        rig = Rig(folder, book, arm, approve=False, limits=Limits(deferrals=2, horizon_s=7_200))
        speak(rig, dice)
        if rig.outcome() in (RunState.DONE, RunState.ABORTED):
            break
        await rig.approve_shown()
        if rig.view.paused:
            await rig.engine.decide(Start())
        for node in list(rig.view.nodes.values()):
            if node.state in STUCK and dice.random() < 0.6:
                with contextlib.suppress(UsageError):  # the operator above was quicker
                    await rig.engine.decide(Retry(node.id))
        with contextlib.suppress(PowerCut):
            await asyncio.wait_for(rig.engine.run(Until.STUCK), 30)
        assert load_view(rig.journal) == fold(RunView(), rig.journal.entries())
        rig.close()
    rig.close()
    return rig


def sent_twice(entries: list[Entry]) -> list[str]:
    """Sendings that had no right to be, in words."""
    faults = []
    may_have: dict[tuple[str, str], int] = {}
    under_way: dict[str, str] = {}
    for e in entries:
        node = e.node or ""
        if e.kind is Kind.INTENDED:
            key = (node, e.data["digest"])
            if key in may_have and e.data["repeat"] == "never":
                faults.append(f"row {e.seq}: {node} sends again what row {may_have[key]} sent")
            may_have[key] = e.seq
            under_way[node] = e.data["digest"]
        elif e.kind in (Kind.DEFERRED, Kind.FAILED) and e.data.get("refused") and node in under_way:
            may_have.pop((node, under_way[node]), None)
        elif e.kind is Kind.RETRIED:
            may_have.pop((node, e.data["resend"]), None)
    return faults


def calls_without_intent(entries: list[Entry], writes: list[tuple[str, str, str]]) -> int:
    return len(writes) - sum(e.kind is Kind.INTENDED for e in entries)


def judge(folder: Path, seed: int) -> None:
    rig = asyncio.run(live(folder, seed))
    journal = Journal.open(folder / "journal.db", write=False)
    entries = list(journal.entries())
    assert journal.check() == []
    journal.close()
    assert sent_twice(entries) == []
    assert calls_without_intent(entries, rig.arm.writes) <= 0


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_sent_twice_without_a_word(tmp_path: Path, seed: int) -> None:
    judge(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 1_100))
def test_nothing_is_sent_twice_without_a_word_in_very_many_worlds(tmp_path: Path, seed: int) -> None:
    judge(tmp_path, seed)


def test_the_worlds_are_hostile_enough(tmp_path: Path) -> None:
    """Every way in and out of a doubt comes up, so that the test above means something."""
    seen: set[Any] = set()
    for seed in range(30):
        folder = tmp_path / str(seed)
        folder.mkdir()
        asyncio.run(live(folder, seed))
        journal = Journal.open(folder / "journal.db", write=False)
        entries = list(journal.entries())
        journal.close()
        doubted: set[str] = set()
        for e in entries:
            if e.kind is Kind.DOUBTED:
                doubted.add(e.node or "")
                seen.add("doubt")
            elif e.kind is Kind.OBSERVED and e.node in doubted:
                seen.add((e.data["verdict"], e.to))
                if e.to is not NodeState.IN_DOUBT and not e.data.get("undecided"):
                    doubted.discard(e.node)
            elif e.node in doubted:
                seen.add(e.kind)
            if e.kind is Kind.RETRIED and e.data["resend"]:
                seen.add("resend")
    wanted: set[Any] = {"doubt", "resend", Kind.RETRIED, Kind.DEFERRED, Kind.FAILED, Kind.BEGUN}
    wanted |= {("waiting", NodeState.WAITING), ("blocked", NodeState.BLOCKED), ("changes", NodeState.IN_DOUBT)}
    wanted |= {("in_progress", NodeState.SETTLING), ("changes", NodeState.APPLYING), ("satisfied", NodeState.DONE)}
    assert wanted <= seen, wanted - seen
