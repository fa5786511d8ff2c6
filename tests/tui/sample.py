"""A run built by hand, and an attachment whose store is a view that a test may replace."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from runbook.core.command import Command
from runbook.core.docs import ChangeDoc, CheckDoc, NodeDoc, WaitDoc
from runbook.core.entry import Draft, Entry, Kind
from runbook.core.error import RunbookError
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.journal.past import Past, ToldPast

NOW = 1_793_000_000_000
SUBSCRIPTION = "11111111-aaaa-4bbb-8ccc-000000000001"
S = NodeState


def step(id_: str, phase: str, title: str, **more: Any) -> dict[str, Any]:
    guide = {
        "why": f"Why {title.lower()} matters, told in a sentence that is long enough to wrap on a narrow screen.",
        "what": "What happens, in another sentence.",
        "risk": "What can go wrong, and how it would show.",
    }
    return {"id": id_, "phase": phase, "title": title, "guide": guide, "source": "Public article, 2026-05-01", **more}


BOOK: dict[str, Any] = {
    "id": "arc-private-link",
    "version": 1,
    "title": "Arc-enabled servers behind Azure Private Link",
    "phases": [
        {"id": "ready", "title": "Get ready"},
        {"id": "approval", "title": "Approval by Microsoft"},
        {"id": "network", "title": "Network and endpoint"},
        {"id": "proof", "title": "Proof"},
    ],
    "steps": [
        step("context", "ready", "Subscription context"),
        step("providers", "ready", "Register ${item}", for_each="${inputs.namespaces}"),
        step("request_sent", "approval", "Ask the Arc team"),
        step("approval", "approval", "Approval of the preview"),
        step("endpoint", "network", "Private endpoint pe-arc"),
        step("machines", "network", "Find the machines"),
        step("associate", "network", "Associate ${item.name}", for_each="${nodes.machines.outputs.ids}"),
        step("close_public", "proof", "Close the scope's public access"),
    ],
}


def node(step_id: str, key: str | None = None, title: str = "", state: NodeState = S.PENDING, **more: Any) -> NodeView:
    spec = next(s for s in BOOK["steps"] if s["id"] == step_id)
    doc: NodeDoc = {
        "id": step_id if key is None else f"{step_id}[{key}]",
        "step": step_id,
        "key": key,
        "title": title or spec["title"],
        "phase": spec["phase"],
        "target": "",
        "gate": "",
        "needs": [],
        "item": None,
    }
    return NodeView(doc, state=state, since_ms=NOW - 90_000, **more)


def change(title: str, name: str, risk: str = "safe", repeat: str = "safe", digest: str = "") -> ChangeDoc:
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-arc/providers/Microsoft.Network/privateEndpoints/{name}"
    return {
        "title": title,
        "digest": digest or f"digest-{name}",
        "method": "PUT",
        "path": path,
        "api_version": "2024-05-01",
        "body": {"location": "westeurope"},
        "headers": {},
        "repeat": repeat,  # type: ignore[typeddict-item]
        "risk": risk,  # type: ignore[typeddict-item]
        "locks": [],
        "az": ["az", "network", "private-endpoint", "create"],
        "command": {
            "az": f"az network private-endpoint create --name {name} --resource-group rg-arc --subnet snet-endpoints",
            "powershell": f"New-AzPrivateEndpoint -Name '{name}' -ResourceGroupName 'rg-arc'",
            "rest": f"PUT {path}?api-version=2024-05-01",
            "by_hand": "",
        },
        "diff": [{"path": "properties.publicNetworkAccess", "before": "Enabled", "after": "Disabled"}],
    }


def check(name: str, expected: str, observed: str) -> CheckDoc:
    return {"name": name, "expected": expected, "observed": observed, "ok": expected == observed}


def wait(**more: Any) -> WaitDoc:
    doc: WaitDoc = {
        "who": "the Arc team at Microsoft",
        "message": "They approve the subscription by hand.",
        "then": "The provider is registered a second time.",
        "since_ms": NOW - 2 * 86_400_000,
        "next_poll_ms": NOW + 3 * 3_600_000,
        "draft": "",
        "attest": "",
        "polls": 12,
    }
    return {**doc, **more}  # type: ignore[typeddict-item]


def view(*nodes: NodeView, **more: Any) -> RunView:
    order = [s["id"] for s in BOOK["steps"]]
    in_order = sorted(nodes, key=lambda n: order.index(n.doc["step"]))
    facts: dict[str, Any] = {
        "id": "arc-1",
        "book": BOOK,
        "mode": "rehearsal",
        "scenario": "arc-preview",
        "inputs": {"subscription": SUBSCRIPTION},
        "pinned": {
            "cloud": "AzureCloud",
            "tenant": "22222222-aaaa-4bbb-8ccc-000000000002",
            "account": "ana@contoso.example",
            "subscriptions": {SUBSCRIPTION: "Contoso Production"},
        },
        "updated_ms": NOW,
        "head": 7,
        "nodes": {n.id: n for n in in_order},
        "expanded": frozenset(n.doc["step"] for n in nodes),
    }
    return RunView(**{**facts, **more})


def context(state: NodeState = S.DONE) -> NodeView:
    return node("context", state=state, attempts=1, checks=(check("signed in as", "ana", "ana"),))


def running() -> RunView:
    """Two providers registered, one being registered, one ready."""
    return view(
        context(),
        node("providers", "microsoft.hybridcompute", "Register Microsoft.HybridCompute", S.DONE),
        node("providers", "microsoft.network", "Register Microsoft.Network", S.SETTLING, summary="Registering"),
        node("request_sent"),
        node("approval"),
        node("endpoint"),
        node("machines"),
    )


def ready(risk: str = "safe") -> RunView:
    """The endpoint waits for a go."""
    put = change("Create private endpoint pe-arc", "pe-arc", risk)
    return view(
        context(), node("endpoint", state=S.READY, changes=(put,), attempts=1, checks=(check("exists", "yes", "no"),))
    )


@dataclass
class Store:
    """An attachment on a view in memory. ``put`` replaces the view as a commit would."""

    held: RunView
    is_read_only: bool = False
    driver: str = "ana on laptop"
    speed: float | None = 3600.0
    failure: RunbookError | None = None
    refuse: RunbookError | None = None
    commands: list[Command] = field(default_factory=list)
    listeners: list[Callable[[Event], None]] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    is_closed: bool = False
    at_ms: int = NOW
    """What its clock says."""

    @property
    def view(self) -> RunView:
        return self.held

    def now_ms(self) -> int:
        return self.at_ms

    def real_s(self, at_ms: int) -> float | None:
        return None if self.speed is None else (at_ms - self.at_ms) / 1000 / self.speed

    def submit(self, command: Command) -> Future[None]:
        self.commands.append(command)
        future: Future[None] = Future()
        if self.refuse:
            future.set_exception(self.refuse)
        else:
            future.set_result(None)
        return future

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def entries(self, node: str | None, limit: int = 200) -> list[Entry]:
        return [e for e in self.log if node is None or e.node == node][-limit:]

    def past(self) -> Past:
        return ToldPast(self.log)

    def close(self) -> None:
        self.is_closed = True

    def put(self, held: RunView) -> None:
        """Commit: replace the view and tell the listeners, as the engine's thread does."""
        self.held = replace(held, head=self.held.head + 1)
        entry = Entry.chain(Draft(Kind.NOTED), self.held.head, NOW, "")
        for listener in self.listeners:
            listener(Event(entry, None, self.held))
