"""A tiny cloud and two tiny steps, for tests of the engine alone.

``TinyArm`` is an ``Arm`` over a dictionary: the seam a real client stands at. Its script says what happens to the
next writes; everything else is plain success.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from runbook.book import Book, book_from_json
from runbook.core.arm import Answered, Ended, Json, Operation, Request, Running
from runbook.core.clock import VirtualClock
from runbook.core.command import Approve
from runbook.core.docs import ErrorDoc
from runbook.core.entry import Draft, Kind
from runbook.core.error import ArmError
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.core.view import RunView
from runbook.engine.engine import Engine
from runbook.engine.log import Log
from runbook.engine.world import Account, Limits, World
from runbook.journal.lease import Lease, take
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.step import (
    Blocked,
    Change,
    Changes,
    InProgress,
    Poll,
    Satisfied,
    Step,
    StepContext,
    Verdict,
    Waiting,
    expect,
)

SUB = "11111111-1111-1111-1111-111111111111"
START_MS = 1_772_438_400_000


def path_of(name: str) -> str:
    return f"/subscriptions/{SUB}/things/{name}"


@dataclass
class TinyArm:
    """Resources by path. ``script`` holds, for the next writes: an error, ``"lost"``, ``"slow"`` or ``"ok"``."""

    resources: dict[str, Json] = field(default_factory=dict)
    writes: list[tuple[str, str, str]] = field(default_factory=list)
    script: deque[str | ArmError] = field(default_factory=deque)
    read_errors: deque[ArmError] = field(default_factory=deque)
    slow: dict[str, int] = field(default_factory=dict)
    ends: dict[str, Ended] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: int = 0

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        if self.read_errors:
            raise self.read_errors.popleft()
        return self.resources.get(path)

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        return [body for key, body in self.resources.items() if key.startswith(path)]

    async def write(self, request: Request, client_request_id: str) -> Answered:
        self.writes.append((request.method, request.path, client_request_id))
        act = self.script.popleft() if self.script else "ok"
        if isinstance(act, ArmError) and not getattr(act, "took_effect", False):
            raise act
        self.resources[request.path] = dict(request.body or {})
        if isinstance(act, ArmError):
            raise act
        if act == "slow":
            self.slow[request.path] = 2
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            return Answered(201, {}, Operation(f"https://tiny/op{request.path}?sig=hush", "async-operation"), 5)
        return Answered(200, self.resources[request.path])

    async def poll(self, operation: Operation) -> Running | Ended:
        path = operation.url.removeprefix("https://tiny/op").partition("?")[0]
        self.slow[path] -= 1
        if self.slow[path] > 0:
            return Running("InProgress", 5)
        self.in_flight -= 1
        return self.ends.get(path, Ended("Succeeded"))


class Nowhere:
    """A resolver that can stand nowhere."""

    async def resolve(self, name: str, vantage: str) -> None:
        return None


class Thing(Step):
    """Wants a thing of a name to exist."""

    @dataclass(frozen=True, slots=True)
    class Params:
        name: str
        repeat: str = "safe"
        risk: str = "safe"
        lock: str = ""
        locks: tuple[str, ...] = ()
        forgetful: bool = False
        body: dict[str, Any] = field(default_factory=dict)

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        body = {"made": p.name, **p.body}
        found = await ctx.arm.get(path_of(p.name), "2024-01-01")
        if found is None or p.forgetful:
            change = Change(
                f"Make {p.name}",
                "PUT",
                path_of(p.name),
                "2024-01-01",
                body,
                repeat=p.repeat,
                risk=p.risk,
                locks=(p.lock,) if p.lock else p.locks,
            )
            return Changes((change,))
        if found.get("state") == "Running":
            return InProgress("still being made", 5)
        return Satisfied((expect("exists", "yes", "yes"),), {"id": path_of(p.name)})


class Pair(Step):
    """Wants two things to exist, one after the other, each under a lock of its own."""

    @dataclass(frozen=True, slots=True)
    class Params:
        name: str
        locks: tuple[str, str]
        repeat: str = "never"

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        changes = []
        for part, lock in zip(("first", "second"), p.locks, strict=True):
            path = path_of(f"{p.name}-{part}")
            if await ctx.arm.get(path, "2024-01-01") is None:
                body = {"made": path}
                changes.append(Change(f"Make {part}", "PUT", path, "2024-01-01", body, repeat=p.repeat, locks=(lock,)))
        return Changes(changes) if changes else Satisfied((expect("exist", "yes", "yes"),))


class Moody(Step):
    """Wants a thing that may be made only once, and says what the mood at ``/mood`` makes it say."""

    @dataclass(frozen=True, slots=True)
    class Params:
        name: str
        locks: tuple[str, ...] = ()

    async def observe(self, ctx: StepContext) -> Verdict:
        told = await ctx.arm.get(f"/subscriptions/{SUB}/mood", "2024-01-01") or {}
        is_there = await ctx.arm.get(path_of(self.params.name), "2024-01-01") is not None
        main, other = self._change(""), self._change("-other")
        match told.get("says", "honest"):
            case "waiting":
                return Waiting("somebody", "wait", "it goes on", Poll(60, 2, 600), attest="it happened")
            case "silent":
                return Waiting("somebody", "wait", "it goes on", attest="it happened")
            case "blocked":
                return Blocked("rule", "no", ("go elsewhere",), poll=Poll(60, 1, 60))
            case "progress":
                return InProgress("under way", told.get("again_s", 5))
            case "unmet":
                return Satisfied((expect("there", "yes", "no"),))
            case "both":
                return Changes((other, main))
            case "other":
                return Changes((other,))
            case "none":
                return Changes(())
            case "lies":
                return Changes((main,))
            case _:
                return Satisfied((expect("there", "yes", "yes"),)) if is_there else Changes((main,))

    def _change(self, suffix: str) -> Change:
        name = self.params.name + suffix
        body = {"made": name}
        path = path_of(name)
        return Change(f"Make {name}", "POST", path, "2024-01-01", body, repeat="never", locks=self.params.locks)


class Blind(Step):
    """Does something once that leaves nothing to be read; only this run's own journal tells that it was done."""

    @dataclass(frozen=True, slots=True)
    class Params:
        name: str

    async def observe(self, ctx: StepContext) -> Verdict:
        await ctx.arm.get(path_of("nothing"), "2024-01-01")
        if ctx.applied:
            return Satisfied((expect("done", "yes", "yes"),))
        name = self.params.name
        return Changes((Change(f"Do {name}", "POST", path_of(name), "2024-01-01", {"made": name}, repeat="never"),))


class Finder(Step):
    """Finds the names of things."""

    @dataclass(frozen=True, slots=True)
    class Params:
        prefix: str

    async def observe(self, ctx: StepContext) -> Verdict:
        found = await ctx.arm.list(path_of(self.params.prefix), "2024-01-01")
        names = sorted(f"{self.params.prefix}{body.get('made', '')}" for body in found)
        return Satisfied((expect("looked", "yes", "yes"),), {"names": names, "count": len(names)})


class Gate(Step):
    """Waits for a thing that somebody else makes, or for the operator's word."""

    @dataclass(frozen=True, slots=True)
    class Params:
        name: str
        blocks: bool = False

    async def observe(self, ctx: StepContext) -> Verdict:
        if ctx.attested or await ctx.arm.get(path_of(self.params.name), "2024-01-01"):
            return Satisfied((expect("open", "yes", "yes"),), {"polls": ctx.polls})
        if self.params.blocks:
            return Blocked("closed", "the gate is closed", ("open it",), poll=Poll(60, 1, 60))
        return Waiting("the gatekeeper", "knock", "the gate opens", Poll(60, 2, 600), attest="I saw it open")


class Door(Step):
    """Shuts a door, works behind it, opens it again; it tidies up, so after a refusal the door is opened first."""

    tidies = True

    @dataclass(frozen=True, slots=True)
    class Params:
        name: str
        insists: bool = False
        """Whether it asks for what was refused again instead of stopping."""

    async def observe(self, ctx: StepContext) -> Verdict:
        name = self.params.name
        door = await ctx.arm.get(path_of(name), "2024-01-01") or {"open": True}
        is_worked = await ctx.arm.get(path_of(f"{name}-work"), "2024-01-01") is not None
        shut = self._change("Shut", name, {"open": False})
        work = self._change("Work behind", f"{name}-work", {"made": "work"})
        opened = self._change("Open", name, {"open": True})
        refused = [r["digest"] for r in ctx.refused]
        if is_worked:
            return Satisfied((expect("worked", "yes", "yes"),)) if door["open"] else Changes((opened,))
        if not refused or self.params.insists:
            return Changes((shut, work, opened) if door["open"] else (work, opened))
        if not door["open"] and opened.digest not in refused:
            return Changes((opened,))
        said = "; ".join(f"{r['title']}: {r['code']}" for r in ctx.refused)
        return Blocked("refused", said, ("Put it right, then retry.",))

    def _change(self, deed: str, thing: str, body: dict[str, Any]) -> Change:
        return Change(f"{deed} {self.params.name}", "PUT", path_of(thing), "2024-01-01", body)


class Messy(Door):
    """The same without a care for what it leaves."""

    tidies = False


class Broken(Step):
    """A step with a defect."""

    @dataclass(frozen=True, slots=True)
    class Params:
        pass

    async def observe(self, ctx: StepContext) -> Verdict:
        raise ZeroDivisionError("no such number")


class Odd(Step):
    """A step whose outputs cannot be written down."""

    @dataclass(frozen=True, slots=True)
    class Params:
        pass

    async def observe(self, ctx: StepContext) -> Verdict:
        return Satisfied((expect("odd", "yes", "yes"),), {"names": {"a", "set"}})


class Bag(Step):
    """A step whose outputs are of the kinds that JSON has no word for but can hold."""

    @dataclass(frozen=True, slots=True)
    class Params:
        pass

    async def observe(self, ctx: StepContext) -> Verdict:
        outputs = {"ids": ("x", "y"), "state": NodeState.DONE, "deep": {"pairs": [("a", 1)]}}
        return Satisfied((expect("bag", "yes", "yes"),), outputs)


def install_steps() -> None:
    """Make the tiny steps known under ``testing.*``."""
    package = ModuleType("steps.testing")
    package.__path__ = []
    sys.modules["steps.testing"] = package
    for step in (Thing, Pair, Moody, Blind, Finder, Gate, Door, Messy, Broken, Odd, Bag):
        module = ModuleType(f"steps.testing.{step.__name__.lower()}")
        setattr(module, step.__name__, step)
        sys.modules[module.__name__] = module


def tiny_book(*steps: dict[str, Any], inputs: dict[str, Any] | None = None) -> Book:
    """A book of one phase. Each step needs ``id``; whatever else a book allows may be given."""
    install_steps()
    doc = {
        "id": "tiny",
        "version": 1,
        "title": "Tiny",
        "summary": "A book for tests",
        "duration": "no time",
        "inputs": inputs or {},
        "phases": [{"id": "all", "title": "All"}],
        "steps": [
            {
                "title": f"Thing {step['id']}",
                "phase": "all",
                "uses": "testing.thing",
                "with": {"name": step["id"]},
                "guide": {"why": "a test", "what": "a test", "risk": "none"},
                "source": "a test",
                **step,
            }
            for step in steps
        ],
    }
    return book_from_json(doc)


class Rig:
    """A run of a tiny book, its files in ``folder``; build another over the same folder to resume."""

    def __init__(
        self,
        folder: Path,
        book: Book,
        arm: TinyArm,
        *,
        approve: bool = True,
        inputs: dict[str, Any] | None = None,
        limits: Limits | None = None,
        take_over: bool = False,
        durable: bool = False,
        subscriptions: dict[str, str] | None = None,
    ) -> None:
        path = folder / "journal.db"
        is_new = not path.exists()
        self.journal = Journal.create(path, durable=durable) if is_new else Journal.open(path, durable=durable)
        self.lease: Lease = take(self.journal, take_over=take_over)
        self.arm = arm
        view = load_view(self.journal)
        self.clock = VirtualClock(max(START_MS, view.updated_ms))
        self.log = Log(self.journal, self.lease.epoch, view, self.clock)
        if is_new:
            self.log.post_now(Draft(Kind.RUN_CREATED, data=created(book, inputs or {}, subscriptions or {SUB: "Lab"})))
        account = Account("anna@example.org", "tenant", "AzureCloud")
        self.engine = Engine(self.log, book, World(arm, Nowhere(), self.clock, account), limits)
        self.events: list[Event] = []
        self.engine.listen(self.events.append)
        if approve:
            self.engine.listen(self._approve)

    def _approve(self, event: Event) -> None:
        node = event.view.nodes.get(event.entry.node or "")
        if node and event.entry.to is NodeState.READY and not node.is_approved:
            self.engine.submit(Approve(node.id)).add_done_callback(lambda task: task.cancelled() or task.exception())

    async def approve_shown(self) -> None:
        """Approve what was shown to somebody who is gone."""
        for node in self.view.nodes.values():
            if node.state is NodeState.READY and not node.is_approved:
                await self.engine.decide(Approve(node.id))

    @property
    def view(self) -> RunView:
        return self.engine.view

    def outcome(self) -> RunState:
        return self.view.state

    def error(self, node: str) -> ErrorDoc:
        error = self.view.nodes[node].error
        assert error is not None
        return error

    def state(self, node: str) -> NodeState:
        return self.view.nodes[node].state

    def close(self) -> None:
        self.lease.release()
        self.journal.close()


def created(book: Book, inputs: dict[str, Any], subscriptions: dict[str, str]) -> dict[str, Any]:
    """What a run's first entry carries."""
    return {
        "id": "tiny-1",
        "book": book.doc,
        "mode": "rehearsal",
        "edition": "auto",
        "scenario": "none",
        "inputs": inputs,
        "pinned": {
            "cloud": "AzureCloud",
            "tenant": "tenant",
            "account": "anna@example.org",
            "subscriptions": subscriptions,
        },
    }
