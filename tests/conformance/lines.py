"""Every line that a rehearsal shows, with the write that the engine made for it and the cloud as it stood before.

A rehearsal is played; before each write the cloud's memory is copied, and the request is kept as it left the engine's
own client. Then the journal tells which change it was, and so what the screen showed for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from azure.core.rest import HttpRequest

from runbook.core.entry import Kind
from runbook.sim.state import State
from runbook.sim.wire import Reply
from runbook.wiring import Rehearsal, Wish, create_run
from tests.crash.harness import RUN, play

READS = ("GET", "HEAD")
Tables = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes something."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]
    version: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line on the screen.

    Attributes:
        az: the line, word by word, from ``az`` on.
        by_hand: the friendlier lines beside it, which nobody runs.
        write: what the engine sent for it.
        tables, at_ms: the cloud before that.
    """

    node: str
    az: tuple[str, ...]
    by_hand: str
    write: Write
    tables: Tables
    at_ms: int

    @property
    def form(self) -> tuple[str, ...]:
        """What the line is but for its values: lines of one form differ in names alone."""
        if self.az[:2] == ("az", "rest"):
            parts = self.write.path.split("/providers/")[-1].split("/")
            about = sorted((self.write.body or {}).get("properties", {}))
            return ("az", "rest", self.write.method, *parts[:1], *parts[1::2], *about)
        at = next(number for number, word in enumerate(self.az) if word.startswith("-"))
        return (*self.az[:at], *(word for word in self.az[at:] if word.startswith("-")))

    def __str__(self) -> str:
        return f"{self.node}: {' '.join(self.az)[:150]}"


@dataclass(frozen=True, slots=True)
class Way:
    """A rehearsal: a book in a scenario, with some inputs of its own."""

    book: str
    scenario: str
    sets: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return " ".join([self.scenario, *(name for name, _ in self.sets)])


def lines_of(folder: Path, way: Way) -> list[Line]:
    """What a rehearsal shows and does, each line once."""
    taken: list[tuple[Write, Tables, int]] = []
    pending: list[tuple[Write, Tables, int]] = []

    def prepare(session: Rehearsal) -> None:
        cloud = session.cloud

        def before(request: HttpRequest) -> None:
            pending.clear()
            if request.method not in READS:
                pending.append((_write(request), cloud.state.dump(), cloud.now_ms))

        def after(request: HttpRequest, reply: Reply) -> None:
            if reply.status < 400:
                taken.extend(pending)

        session.transport.before_send, session.transport.after_effect = before, after

    create_run(folder, Wish(way.book, scenario=way.scenario, sets=dict(way.sets), run=RUN), durable=False)
    played = play(folder, prepare)
    shown = {
        _key(change["method"], change["path"], change["body"]): (entry.node, change)
        for entry in played.entries
        if entry.kind is Kind.OBSERVED
        for change in entry.data.get("changes", ())
    }
    found: dict[tuple[str, ...], Line] = {}
    unmade = {tuple(change["az"]) for _, change in shown.values()}
    for write, tables, at_ms in taken:
        node, change = shown[_key(write.method, write.path, write.body)]
        az = tuple(change["az"])
        unmade.discard(az)
        found.setdefault(az, Line(str(node), az, change["command"]["by_hand"], write, tables, at_ms))
    assert not unmade, f"shown and never made, so that nothing is known of the write: {unmade}"
    return list(found.values())


def memory(line: Line, endpoint: str) -> State:
    """The cloud's memory before a line, as one that is served at an endpoint and in which no script strikes."""
    state = State()
    for table, rows in line.tables.items():
        for key, doc in rows.items():
            state.put(table, key, doc)
    stored = state.get("cloud", "scenario") or {}
    state.put("cloud", "scenario", {**stored, "endpoint": endpoint, "faults": []})
    state.commit(line.at_ms)
    return state


def _write(request: HttpRequest) -> Write:
    url = urlsplit(request.url)
    content: Any = request.content
    body = json.loads(content) if content else None
    conditions = {
        name: value for name, value in request.headers.items() if name.lower() in ("if-match", "if-none-match")
    }
    return Write(request.method, url.path, body, conditions, dict(parse_qsl(url.query)).get("api-version", ""))


def _key(method: str, path: str, body: Any) -> tuple[str, str, str]:
    return method, path.lower(), json.dumps(body, sort_keys=True)
