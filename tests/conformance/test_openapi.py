"""Whatever is asked in the words of Azure's OpenAPI descriptions, the simulator answers in theirs.

For every route that it claims, requests are made up from the description: answers have to match their schema, refusals
have to come in ARM's envelope, and nothing may end in a 500 or a traceback, neither now nor when the timers fall due.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.core.clock import VirtualClock
from runbook.sim.cloud import Call, Cloud, Reply
from runbook.sim.coverage import implemented
from runbook.sim.routes import Route, all_routes
from runbook.sim.scenario import Scenario
from runbook.sim.state import State
from tests.conformance.generated import Estate, Request, requests
from tests.crash.harness import begin, play
from tests.sim import openapi

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600), openapi.needs_specs]

BOOKS = {"arc-ga": "arc-private-link", "avd-small": "avd-private-link"}
SCENARIOS = tuple(BOOKS)
OPEN = ("hardwareProfile.vmSize",)
"""Lists of values in the descriptions that are told to be open, and of which today's are missing."""
FEW, MANY = 12, 150
implemented()  # registers the routes
ROUTES = all_routes()


@cache
def base(scenario: str) -> tuple[Scenario, dict[str, dict[str, Any]], int]:
    """A scenario, and the memory of its cloud at the end of a rehearsal, when there is one of nearly everything."""
    found: list[Cloud] = []
    with TemporaryDirectory() as folder:
        begin(Path(folder), scenario, BOOKS[scenario])
        play(Path(folder), lambda session: found.append(session.cloud))
    return found[0].scenario, found[0].state.dump(), found[0].now_ms


class Place:
    """A cloud of its own for each example."""

    def __init__(self, scenario: str) -> None:
        made, tables, now_ms = base(scenario)
        self.clock, state = VirtualClock(now_ms), State()
        for table, rows in tables.items():
            for key, doc in rows.items():
                state.put(table, key, doc)
        state.commit(now_ms)
        self.cloud = Cloud(made, self.clock, state)

    def ask(self, method: str, path: str, query: dict[str, str], body: Any = None) -> Reply:
        return self.cloud.handle(Call(method, path, query, {}, body))


@cache
def estate(scenario: str) -> Estate:
    made, tables, _ = base(scenario)
    bodies = {str(doc["id"]): doc for doc in tables["resources"].values()}
    groups = [one for one in bodies if "/providers/" not in one]
    flags = [str(doc["name"]).rpartition("/")[2] for doc in tables.get("features", {}).values()]
    scopes = [doc["properties"]["privateLinkScopeId"] for doc in bodies.values() if doc["type"].endswith("LinkScopes")]
    words = {
        "{sub}": [s.id for s in made.subscriptions],
        "{group}": [*(one.rpartition("/")[2] for one in groups), "rg-none"],
        "{location}": ["westeurope"],
        "{ns}": ["Microsoft.Network", "Microsoft.HybridCompute", "Microsoft.Nothing"],
        "{feature}": [*flags, "AllowPrivateEndpoints", "ArcServerPrivateLinkPreview"],
        "{operation}": list(tables["operations"]),
        "{guid}": scopes,
        "{rest+}": [one.split("/", 3)[3] for one in bodies],
    }
    return Estate(bodies, words)


def faults(request: Request, reply: Reply) -> list[str]:
    """What is wrong with an answer."""
    if reply.status >= 500 or reply.status < 200:
        return [f"status {reply.status}"]
    if request.method == "HEAD":
        return [] if reply.body is None else ["an answer to HEAD with a body"]
    if reply.status >= 400:
        error = reply.body.get("error") if isinstance(reply.body, dict) else None
        if not isinstance(error, dict) or not all(
            isinstance(error.get(k), str) and error[k] for k in ("code", "message")
        ):
            return [f"no envelope: {reply.body!r}"]
        return []
    json.dumps(reply.body, allow_nan=False)
    if not is_described(request):
        return []
    found = openapi.problems(request.method, request.path, reply, request.query["api-version"])
    return [problem for problem in found if not any(f"{name}: " in problem for name in OPEN)]


def is_described(request: Request) -> bool:
    """Whether a description is about this place, and not about any resource whatever."""
    try:
        operation = openapi.find(request.method, request.path, request.query["api-version"])
    except AssertionError:
        return False
    return "{resourceid}" not in operation.template.lower()


def name_of(route: Route) -> str:
    return f"{route.method} {route.template.removeprefix('/subscriptions/{sub}')}"


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_answers_are_described_and_refusals_come_in_the_envelope(route: Route, whole: bool) -> None:
    where = [scenario for scenario in SCENARIOS if estate(scenario).fitting(route)] or SCENARIOS

    @settings(
        max_examples=MANY if whole else FEW,
        derandomize=not whole,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        scenario = data.draw(st.sampled_from(where))
        request = data.draw(requests(route, estate(scenario)))
        place = Place(scenario)
        reply = place.ask(request.method, request.path, request.query, request.body)
        assert faults(request, reply) == [], (request, reply)
        place.clock.advance_to(place.clock.now_ms() + 3_600_000)
        if route.method not in ("GET", "HEAD"):
            look = Request(
                "GET",
                request.path if route.method != "POST" else request.path.rpartition("/")[0],
                request.query,
                None,
                True,
            )
            again = place.ask(look.method, look.path, look.query)
            assert faults(look, again) == [], (request, look, again)

    hold()
