"""A small simulated cloud to test against, and short ways to call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runbook.core.clock import VirtualClock
from runbook.sim.cloud import Call, Cloud, Reply
from runbook.sim.scenario import Scenario, from_doc
from runbook.sim.state import State

SUB = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
RG = f"/subscriptions/{SUB}/resourceGroups/rg"
START = "2021-03-22T08:00:00Z"


def scenario(**changes: Any) -> Scenario:
    """A scenario with two subscriptions, everything registered in the first, one resource group ``rg``."""
    doc: dict[str, Any] = {
        "id": "small",
        "title": "Small",
        "era": "ga",
        "start": START,
        "tenant": {"id": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"},
        "operator": {"name": "dana@contoso.com", "object_id": "dddddddd-dddd-4ddd-8ddd-dddddddddddd"},
        "subscriptions": [
            {"id": SUB, "name": "Main", "providers": {"Microsoft.HybridCompute": "Registered"}},
            {"id": OTHER, "name": "Other"},
        ],
        "resources": [{"id": RG, "location": "westeurope"}],
    }
    return from_doc({**doc, **changes})


class World:
    """A cloud, its clock, and one-line calls. ``version`` is sent where a call names none."""

    def __init__(self, made: Scenario | None = None, path: Path | None = None, version: str = "") -> None:
        self.scenario = made or scenario()
        self.clock = VirtualClock(self.scenario.start_ms)
        self.state = State(path, durable=False)
        self.cloud = Cloud(self.scenario, self.clock, self.state)
        self.version = version

    def call(
        self, method: str, path: str, version: str = "", body: Any = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """One call; the query may be part of the path."""
        where, _, query = path.partition("?")
        pairs = dict(p.partition("=")[::2] for p in query.split("&") if p)
        pairs.setdefault("api-version", version or self.version)
        return self.cloud.handle(Call(method, where, pairs, headers or {}, body))

    def get(self, path: str, version: str = "") -> Any:
        """The body of a GET that must succeed."""
        reply = self.call("GET", path, version)
        assert reply.status == 200, reply
        return reply.body

    def ok(self, method: str, path: str, version: str = "", body: Any = None) -> Any:
        """The body of a call that must not be refused."""
        reply = self.call(method, path, version, body)
        assert reply.status < 400, reply
        return reply.body

    def refused(self, method: str, path: str, version: str = "", body: Any = None) -> tuple[int, str, str]:
        """Status, code and message of a call that must be refused."""
        reply = self.call(method, path, version, body)
        assert reply.status >= 400, reply
        error = reply.body["error"]
        return reply.status, error["code"], error["message"]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.now_ms() + round(seconds * 1000))
