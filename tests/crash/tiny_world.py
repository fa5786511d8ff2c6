"""A tiny book on a tiny cloud, and a process that can be ended at any of its steps.

The cloud outlives the process: it is an object of the test. After the end nothing more happens: no call has an effect
and no row is written, whatever is still running.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.book import Book
from runbook.core.arm import Answered, Ended, Json, Operation, Request, Running
from runbook.core.command import Command, Retry, Skip
from runbook.core.entry import Draft, Entry, Kind
from runbook.core.error import AnswerMissing, Throttled
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.engine import log
from runbook.engine.engine import Until
from runbook.journal.store import Journal
from runbook.sim.state import CloudLost
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book


class PowerCut(BaseException):
    """The process ends here."""


@dataclass
class Fuse:
    """Counts the steps of a process, and ends or freezes it at one of them.

    Attributes:
        at: the step to end at, counted from 1; 0 never does.
        freeze: what goes on elsewhere while the process is frozen at that step; None ends it there.
        names: the steps so far.
        woken: the steps since it woke up.
    """

    at: int = 0
    freeze: Callable[[], None] | None = None
    names: list[str] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    is_blown: bool = False

    def step(self, name: str) -> None:
        if self.is_blown and self.freeze is None:
            raise PowerCut
        if self.is_blown:
            self.woken.append(name)
        self.names.append(name)
        if len(self.names) == self.at:
            self.is_blown = True
            if self.freeze is None:
                raise PowerCut
            self.freeze()


def plan() -> dict[str, list[str]]:
    """What happens to the writes of a thing, in order; nothing special afterwards."""
    return {
        "safe": ["lost"],
        "once": ["throttled", "ok"],
        "slow": ["slow"],
        "slow-once": ["slow"],
        "pair-first": ["slow", "ok"],
        "blind": ["ok"],
        "vanished": ["vanished"],
        "busy": ["busy", "ok"],
    }


BOOK: tuple[dict[str, Any], ...] = (
    {"id": "safe"},
    {"id": "once", "with": {"name": "once", "repeat": "never", "lock": "/net"}},
    {"id": "slow", "with": {"name": "slow", "lock": "/net"}},
    {"id": "slow_once", "needs": ["once"], "with": {"name": "slow-once", "repeat": "never", "lock": "/net"}},
    {"id": "vanished", "with": {"name": "vanished", "repeat": "never"}},
    {"id": "busy", "with": {"name": "busy"}},
    {"id": "blind", "needs": ["safe"], "uses": "testing.blind", "with": {"name": "blind"}},
    {"id": "pair", "uses": "testing.pair", "with": {"name": "pair", "locks": ["/net", "/dns"]}},
    {"id": "find", "needs": ["slow"], "uses": "testing.finder", "with": {"prefix": "s"}},
    {
        "id": "each",
        "needs": ["find"],
        "for_each": "${nodes.find.outputs.names}",
        "with": {"name": "on-${item}", "repeat": "never"},
    },
    {"id": "off", "when": False},
    {"id": "last", "needs": ["blind", "pair", "slow_once", "vanished", "busy", {"step": "each", "all": True}]},
)


def book() -> Book:
    return tiny_book(*BOOK)


@dataclass
class LastingArm(TinyArm):
    """A cloud that counts what takes effect; each of its steps may be the process's last."""

    effects: Counter[str] = field(default_factory=Counter)
    plan: dict[str, list[str]] = field(default_factory=plan)
    fuse: Fuse = field(default_factory=Fuse)
    running: dict[str, int] = field(default_factory=dict)

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        self.fuse.step(f"get {path[-12:]}")
        await asyncio.sleep(0)
        return await super().get(path, api_version, **query)

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        self.fuse.step("list")
        return await super().list(path, api_version, **query)

    async def write(self, request: Request, client_request_id: str) -> Answered:
        name = request.path.rpartition("/")[2]
        self.fuse.step(f"before {name}")
        await asyncio.sleep(0)
        if self.fuse.is_blown:
            raise PowerCut if self.fuse.freeze is None else CloudLost("taken over")
        self.writes.append((request.method, request.path, client_request_id))
        acts = self.plan.get(name, [])
        act = acts.pop(0) if acts else "ok"
        if act == "throttled":
            raise Throttled("slow down", retry_after_s=3, status=429, arm_code="TooManyRequests")
        if act == "vanished":
            raise AnswerMissing("the connection died, and nothing happened")
        if act != "busy":
            self.resources[request.path] = dict(request.body or {})
            self.effects[name] += 1
        self.fuse.step(f"after {name}")
        await asyncio.sleep(0)
        if act == "lost":
            raise AnswerMissing("the connection died, and it happened")
        if act in ("slow", "busy"):
            self.running[name] = 2
            return Answered(202, None, Operation(f"https://tiny/{act}/{name}?sig=hush", "location"), 2)
        return Answered(200, {})

    async def poll(self, operation: Operation) -> Running | Ended:
        self.fuse.step("poll")
        _, act, name = operation.url.partition("?")[0].removeprefix("https:/").split("/")[-3:]
        self.running[name] -= 1
        if self.running[name] > 0:
            return Running("InProgress", 2)
        return Ended("Failed", "AnotherOperationInProgress", "busy") if act == "busy" else Ended("Succeeded")


@contextlib.contextmanager
def fused(fuse: Fuse, journal: Journal) -> Iterator[None]:
    """Make each commit to a journal two steps: before and after.

    Nothing waits for company by the wall clock: on a busy machine there would be other steps than on an idle one.
    """
    append, lazy_s = Journal.append, log._LAZY_S

    def watched(self: Journal, drafts: Sequence[Draft], at_ms: int, epoch: int) -> list[Entry]:
        if self is not journal:
            return append(self, drafts, at_ms, epoch)
        kinds = "+".join(d.kind for d in drafts)
        fuse.step(f"before commit {kinds}")
        entries = append(self, drafts, at_ms, epoch)
        fuse.step(f"after commit {kinds}")
        return entries

    Journal.append = watched  # type: ignore[method-assign]
    log._LAZY_S = 0  # type: ignore[misc]
    try:
        yield
    finally:
        Journal.append = append  # type: ignore[method-assign]
        log._LAZY_S = lazy_s  # type: ignore[misc]


def session(
    folder: Path, arm: LastingArm, at: int = 0, *, freeze: Callable[[], None] | None = None, take_over: bool = False
) -> tuple[RunView, Fuse]:
    """One process's life: until the run is over, or until its step number ``at``."""
    arm.fuse = Fuse(at, freeze)

    async def live() -> RunView:
        rig = Rig(folder, book(), arm, take_over=take_over)
        try:
            with fused(arm.fuse, rig.journal), contextlib.suppress(PowerCut):
                await rig.approve_shown()
                await rig.engine.run(Until.STUCK)
                while answers := [answer for n in rig.view.nodes.values() if (answer := honest(arm, n.id, rig.view))]:
                    for answer in answers:
                        await rig.engine.decide(answer)
                    await rig.engine.run(Until.STUCK)
            return rig.view
        finally:
            rig.close()

    return asyncio.run(live()), arm.fuse


def honest(arm: LastingArm, name: str, view: RunView) -> Command | None:
    """What an operator answers who looks at the cloud: again where nothing happened, skip what cannot be seen."""
    node = view.nodes[name]
    if node.state is not NodeState.IN_DOUBT or node.intent is None or not node.needs_operator:
        return None
    thing = node.intent["title"].removeprefix("Make ").removeprefix("Do ")
    return Skip(name, "it did happen: I looked") if arm.effects[thing] else Retry(name)


def entries_of(folder: Path) -> list[Entry]:
    journal = Journal.open(folder / "journal.db", write=False)
    try:
        assert journal.check() == []
        return list(journal.entries())
    finally:
        journal.close()


def faults(folder: Path, arm: LastingArm, view: RunView) -> list[str]:
    """What is wrong with how a run ended, in sentences."""
    found = []
    if view.state != "done":
        found.append(f"ended {view.state}: {view.totals}")
    found += [f"{name} took effect {n} times" for name, n in arm.effects.items() if n != 1]
    found += [f"{s['id']} is missing" for s in BOOK if s["id"] != "each" and s["id"] not in view.nodes]
    if path_of("last") not in arm.resources:
        found.append("the last thing was not made")
    entries = entries_of(folder)
    if [e.seq for e in entries] != list(range(1, len(entries) + 1)):
        found.append("rows are not numbered without a gap")
    intents = sum(e.kind is Kind.INTENDED for e in entries)
    if len(arm.writes) > intents:
        found.append(f"{len(arm.writes)} calls, {intents} intents")
    finished: set[str] = set()
    for e in entries:
        if e.node in finished:
            found.append(f"row {e.seq}: {e.node} was finished, and is touched again")
        if e.to in (NodeState.DONE, NodeState.SKIPPED):
            finished.add(e.node or "")
    if "hush" in str([e.data for e in entries]):
        found.append("a signed address is in an entry")
    return found
