"""Playing a rehearsal, keeping what is on the disk at every instant, and playing on from there.

A process that is killed leaves exactly what is on the disk. So instead of killing one process per instant, one
rehearsal is played and its files are copied at each stop point; a new run is resumed from every copy. Stop points that
leave the same files (nothing was written between them) are one case.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runbook.cli.policy import Policy
from runbook.core.command import Attest, Command
from runbook.core.entry import Entry, Kind
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.engine import Until
from runbook.home import journal_path, run_dir
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.wiring import Rehearsal, Wish, create_run, open_run

RUN = "crash"
EVERYTHING = Policy(yes=True, yes_disruptive=True, attests=True, by="the test")


@dataclass
class Played:
    """How a rehearsal ended.

    Attributes:
        cloud: the final resources without etags and times.
        writes: how often each ``(method, path)`` took effect.
        intents: how often each change was intended, by digest; those of ``repeat: never`` apart.
    """

    view: RunView
    cloud: dict[str, Any]
    writes: Counter[tuple[str, str]]
    entries: list[Entry]


@dataclass
class Instant:
    """What a killed process would have left."""

    name: str
    folder: Path
    view: RunView
    writes: Counter[tuple[str, str]]
    covers: int = 1
    names: list[str] = field(default_factory=list)


def begin(home: Path, scenario: str, book: str = "arc-private-link") -> None:
    create_run(home, Wish(book, scenario=scenario, run=RUN), durable=False)


def play(home: Path, prepare: Callable[[Rehearsal], None] = lambda _: None, *, take_over: bool = False) -> Played:
    """Drive the run to its end, giving every answer that may be given."""

    async def drive() -> Played:
        session = open_run(home, RUN, take_over=take_over, durable=False)
        prepare(session)
        engine = session.engine

        def answer(event: Event | None = None) -> None:
            view = engine.view
            nodes = view.nodes.values() if event is None else [view.nodes[event.entry.node or ""]]
            for node in nodes:
                if (command := reply(node)) is not None:
                    engine.submit(command)

        engine.listen(lambda e: answer(e) if e.entry.to is not None else None)
        answer()
        try:
            view = await engine.run(Until.STUCK)
            cloud = snapshot(session)
            writes = Counter((method, path) for method, path, _ in session.transport.writes)
        finally:
            await session.close()
        return Played(view, cloud, writes, entries_of(home))

    return asyncio.run(drive())


def reply(node: NodeView) -> Command | None:
    """Every answer that may be given, also to a rule that a word can settle: once."""
    if node.state is NodeState.BLOCKED and node.blocked and node.blocked["attest"] and not node.attested:
        return Attest(node.id, "cleared up with those concerned", EVERYTHING.by)
    return EVERYTHING.answer(node)


def entries_of(home: Path) -> list[Entry]:
    journal = Journal.open(journal_path(home, RUN), write=False)
    try:
        return list(journal.entries())
    finally:
        journal.close()


def snapshot(session: Rehearsal) -> dict[str, Any]:
    """The cloud's resources, without what two equal clouds may differ in."""
    found = session.cloud.state.items("resources")
    return {key: settled(body) for key, body in found}


_FREE = ("etag", "time", "date", "timestamp", "lastStatusChange", "correlationId")


def settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: settled(v) for k, v in value.items() if not any(f.lower() in k.lower() for f in _FREE)}
    return [settled(v) for v in value] if isinstance(value, list) else value


def instants(home: Path, keep: Path, monkeypatch: pytest.MonkeyPatch, share: Callable[[int], bool]) -> list[Instant]:
    """Play a rehearsal and keep the disk at every commit point and around every ARM call.

    Args:
        share: which of the distinct instants, by number, to keep.
    """
    kept: dict[tuple[int, int, int], Instant | None] = {}
    session_: list[Rehearsal] = []

    def stop(name: str) -> None:
        session = session_[0]
        view = session.engine.view
        journal = session.engine._log.journal  # the file's own head: the view follows it
        key = (journal.head()[0], len(session.transport.writes), session.cloud.state.latest_ms)
        if key in kept:
            if (known := kept[key]) is not None:
                known.covers += 1
                known.names.append(name)
            return
        if not share(len(kept)):
            kept[key] = None
            return
        folder = keep / f"{len(kept):04d}"
        shutil.copytree(run_dir(home, RUN), run_dir(folder, RUN), ignore=shutil.ignore_patterns("*.lock", "*-shm"))
        writes = Counter((method, path) for method, path, _ in session.transport.writes)
        kept[key] = Instant(name, folder, view, writes, names=[name])

    append = Journal.append

    def watched(self: Journal, drafts: Any, *args: Any) -> Any:
        kinds = "+".join(d.kind for d in drafts)
        stop(f"before commit {kinds}")
        entries = append(self, drafts, *args)
        stop(f"after commit {kinds}")
        return entries

    def prepare(session: Rehearsal) -> None:
        session_.append(session)
        session.transport.before_send = lambda request: stop(f"before {request.method} {request.url}")
        session.transport.after_effect = lambda request, _: stop(f"after {request.method} {request.url}")
        monkeypatch.setattr(Journal, "append", watched)

    play(home, prepare)
    monkeypatch.setattr(Journal, "append", append)
    return [instant for instant in kept.values() if instant is not None]


def judge(instant: Instant, whole: Played) -> list[str]:
    """Resume from an instant; what is wrong with how it ended, in sentences."""
    journal = Journal.open(journal_path(instant.folder, RUN), write=False)
    before = load_view(journal)
    journal.close()
    rest = play(instant.folder)
    faults = []
    if rest.view.state != whole.view.state:
        faults.append(f"ended {rest.view.state}, not {whole.view.state}")
    if rest.cloud != whole.cloud:
        faults.append(f"another cloud: {difference(rest.cloud, whole.cloud)}")
    done = {n.id for n in before.nodes.values() if n.state is NodeState.DONE}
    again = {e.node for e in rest.entries if e.seq > before.head and e.node in done}
    if again:
        faults.append(f"finished, and touched again: {sorted(again)}")
    total = instant.writes + rest.writes
    if total != whole.writes:
        faults.append(
            f"writes that took effect differ: {total - whole.writes} too many, {whole.writes - total} missing"
        )
    never = Counter(e.data["digest"] for e in rest.entries if e.kind is Kind.INTENDED and e.data["repeat"] == "never")
    if any(count > 1 for count in never.values()):
        faults.append("a change that may never be repeated was intended twice")
    if [n.id for n in rest.view.nodes.values()] != [n.id for n in whole.view.nodes.values()]:
        faults.append("other nodes, or in another order")
    return [f"{instant.name}: {fault}" for fault in faults]


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    for key in sorted(one.keys() | other.keys()):
        if one.get(key) != other.get(key):
            return f"{key}: {json.dumps(one.get(key))[:400]} instead of {json.dumps(other.get(key))[:400]}"
    return "none"
