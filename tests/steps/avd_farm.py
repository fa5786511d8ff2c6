"""A farm of session hosts for tests of the restart: a few hosts, their machines, and a process that can be ended.

The farm outlives the process. Its script says what happens to the restarts of a host; everything else is success.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.book import Book
from runbook.core.arm import Answered, Ended, Json, Operation, Request, Running
from runbook.core.command import Attest, Command, Retry
from runbook.core.error import AnswerMissing, Refused
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.engine import Until
from tests.crash.tiny_world import Fuse, PowerCut, fused
from tests.engine.tiny import SUB, Rig, TinyArm, tiny_book

POOL = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/hostPools/hp"
MACHINES = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"
ENDPOINT = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe-hp-connection"
RECORDS = [{"fqdn": "x.wvd.microsoft.com", "ip": "10.0.0.4", "zone": "", "name": "x"}]
GOOD: Json = {"executionState": "Succeeded", "exitCode": 0, "output": "Running", "error": ""}
STDERR: Json = {"executionState": "Succeeded", "exitCode": 0, "output": "Stopped", "error": "Cannot start service"}


@dataclass
class Farm(TinyArm):
    """Session hosts by name: ``{"sessions": n, "open": bool, "power": word}``.

    Attributes:
        plan: what happens to the calls of a host, by ``"<host> <kind>"`` with kind drain, restart or open, in order:
            ``refused``, ``lost``, ``vanished``, ``bad`` (the script fails), ``dies`` (the operation fails).
        calls: every call that took effect, as ``"<kind> <host>"``.
        out: the most hosts that took no new sessions at one time.
    """

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    plan: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    runs: dict[str, Json] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    fuse: Fuse = field(default_factory=Fuse)
    out: int = 0

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        self.fuse.step("get")
        await asyncio.sleep(0)
        name, _, below = path[len(MACHINES) + 1 :].partition("/")
        if not below.startswith("runCommands"):
            machine = _machine(name, self.hosts[name]["power"]) if self.hosts[name]["power"] else None
            return machine if machine is None or not below else machine["properties"]["instanceView"]
        run = self.runs.get(name)
        if run is None:
            return None
        if self.left[name] > 0:
            self.left[name] -= 1
            return {**run, "properties": {**run["properties"], "instanceView": {"executionState": "Running"}}}
        return deepcopy(run)

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        self.fuse.step("list")
        if path.endswith("/permissions"):
            return [{"actions": ["*"], "notActions": []}]
        if path.endswith("virtualMachines"):
            return [_machine(n, h["power"]) for n, h in self.hosts.items() if h["power"]]
        return [_session_host(n, h) for n, h in self.hosts.items()]

    async def write(self, request: Request, client_request_id: str) -> Answered:
        kind, name = kind_of(request)
        self.fuse.step(f"before {kind} {name}")
        await asyncio.sleep(0)
        self.sent.append(f"{kind} {name}")
        acts = self.plan.get(f"{name} {kind}", [])
        act = acts.pop(0) if acts else "ok"
        if act == "refused":
            raise Refused("no right to do that", status=403, arm_code="AuthorizationFailed")
        if act == "vanished":
            raise AnswerMissing("the connection died, and nothing happened")
        self._take(kind, name, request, act)
        self.fuse.step(f"after {kind} {name}")
        await asyncio.sleep(0)
        if act == "lost":
            raise AnswerMissing("the connection died, and it happened")
        if kind == "restart":
            return Answered(202, None, Operation(f"https://hosts/{name}/{act}", "location"), 2)
        return Answered(200, {})

    def _take(self, kind: str, name: str, request: Request, act: str) -> None:
        self.calls.append(f"{kind} {name}")
        if kind == "restart":
            if request.method == "PUT":
                view = STDERR if act == "bad" else GOOD
                state = "Failed" if act == "dies" else "Succeeded"
                body = {"provisioningState": state, "instanceView": view if act != "dies" else None}
                self.runs[name] = {"properties": {**(request.body or {})["properties"], **body}}
                self.left[name] = 0 if act == "dies" else 2
            return
        self.hosts[name]["open"] = kind == "open"
        self.out = max(self.out, sum(not h["open"] for h in self.hosts.values()))

    async def poll(self, operation: Operation) -> Running | Ended:
        self.fuse.step("poll")
        if operation.url.endswith("/dies"):
            return Ended("Failed", "VMAgentStatusCommunicationError", "the VM agent does not answer")
        return Ended("Succeeded")


def kind_of(request: Request) -> tuple[str, str]:
    """``drain``, ``open`` or ``restart``, and of whom."""
    if request.path.startswith(MACHINES):
        return "restart", request.path.removeprefix(MACHINES).split("/")[1]
    allows = (request.body or {})["properties"]["allowNewSession"]
    return ("open" if allows else "drain"), request.path.rpartition("/")[2].partition(".")[0]


def farm(*hosts: str, **plan: list[str]) -> Farm:
    """Hosts as ``name``, with marks: ``-`` closed before, ``!`` deallocated, ``?`` no machine, digits for sessions."""
    found = Farm(plan={k.replace("_", " "): v for k, v in plan.items()})
    for text in hosts:
        name = text.rstrip("-!?0123456789")
        marks = text[len(name) :]
        count = "".join(c for c in marks if c.isdigit())
        power = "deallocated" if "!" in marks else "" if "?" in marks else "running"
        found.hosts[name] = {"sessions": int(count or 0), "open": "-" not in marks, "power": power}
    return found


def _machine(name: str, power: str) -> Json:
    statuses = [{"code": "ProvisioningState/succeeded"}, {"code": f"PowerState/{power}"}]
    view = {"instanceView": {"statuses": statuses}}
    return {"id": f"{MACHINES}/{name}".upper(), "location": "westeurope", "properties": view}


def _session_host(name: str, host: dict[str, Any]) -> Json:
    at = {"sessions": host["sessions"], "allowNewSession": host["open"], "status": "Available"}
    vm = f"{MACHINES}/{name}" if host["power"] else ""
    return {"id": f"{POOL}/sessionHosts/{name}.lab", "properties": {**at, "resourceId": vm}}


def book(**params: Any) -> Book:
    wish = {"host_pool": POOL, "endpoint": ENDPOINT, "records": RECORDS, **params}
    return tiny_book({"id": "restart", "uses": "avd.agent_restart", "with": wish})


Answer = Callable[[Farm, NodeView], Command | None]


def nothing(_: Farm, __: NodeView) -> Command | None:
    return None


def retry(_: Farm, node: NodeView) -> Command | None:
    return Retry(node.id)


def attest(_: Farm, node: NodeView) -> Command | None:
    return Attest(node.id, "I did it", "anna")


def live(
    folder: Path, arm: Farm, at: int = 0, answers: tuple[Answer, ...] = (), *, approve: bool = True, **params: Any
) -> RunView:
    """One process: until it is stuck after the last of these answers, or until its step number ``at``."""
    arm.fuse = Fuse(at)

    async def drive() -> RunView:
        rig = Rig(folder, book(**params), arm, approve=approve)
        try:
            with fused(arm.fuse, rig.journal), contextlib.suppress(PowerCut):
                if approve:
                    await rig.approve_shown()
                await rig.engine.run(Until.PARKED)
                for answer in answers:
                    node = rig.view.nodes["restart"]
                    if node.state is NodeState.DONE:
                        break
                    if (command := answer(arm, node)) is not None:
                        await rig.engine.decide(command)
                    await rig.engine.run(Until.PARKED)
            return rig.view
        finally:
            rig.close()

    return asyncio.run(drive())


def node_of(view: RunView) -> NodeView:
    return view.nodes["restart"]
