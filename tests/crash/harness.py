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
from runbook.sim.state import State
from runbook.wiring import Rehearsal, Wish, create_run, open_run
from steps._shared.records import Record
from steps.avd._restart import identity

RUN = "crash"
EVERYTHING = Policy(yes=True, yes_disruptive=True, attests=True, by="the test")

Answer = Callable[[NodeView], Command | None]
Answers = Callable[[], Answer]
"""Makes the answers of one process: some remember what they said, and that is lost with it."""


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


def begin(home: Path, scenario: str, book: str = "") -> None:
    """Make a run; ``book`` may be left out for a shipped scenario and for one of the Arc book."""
    book = book or ("avd-private-link" if scenario.startswith("avd-") else "arc-private-link")
    create_run(home, Wish(book, scenario=scenario, run=RUN), durable=False)


def reply(node: NodeView) -> Command | None:
    """Every answer that may be given, also to a rule that a word can settle: once."""
    if node.state is NodeState.BLOCKED and node.blocked and node.blocked["attest"] and not node.attested:
        return Attest(node.id, "cleared up with those concerned", EVERYTHING.by)
    return EVERYTHING.answer(node)


def play(
    home: Path,
    prepare: Callable[[Rehearsal], None] = lambda _: None,
    *,
    answer: Answer = reply,
    take_over: bool = False,
    run: str = RUN,
) -> Played:
    """Drive the run to its end, giving every answer that may be given, or those that ``answer`` gives."""

    async def drive() -> Played:
        session = open_run(home, run, take_over=take_over, durable=False)
        prepare(session)
        engine = session.engine

        def respond(node: NodeView) -> None:
            if (command := answer(node)) is not None:
                engine.submit(command)

        def hear(event: Event) -> None:
            node = event.view.nodes.get(event.entry.node or "")
            if node is not None and event.entry.to is node.state:  # else the same commit holds a later entry of it
                respond(node)

        engine.listen(hear)
        for node in list(engine.view.nodes.values()):
            respond(node)
        try:
            view = await engine.run(Until.STUCK)
            cloud = snapshot(session)
            writes = Counter((method, path) for method, path, _ in session.transport.writes)
        finally:
            await session.close()
        return Played(view, cloud, writes, entries_of(home, run))

    return asyncio.run(drive())


def entries_of(home: Path, run: str = RUN) -> list[Entry]:
    journal = Journal.open(journal_path(home, run), write=False)
    try:
        return list(journal.entries())
    finally:
        journal.close()


def snapshot(session: Rehearsal) -> dict[str, Any]:
    """The cloud's resources, without what two equal clouds may differ in."""
    return contents(session.cloud.state)


def contents(state: State) -> dict[str, Any]:
    """As ``snapshot``, from the cloud's own store; also by which way each session host's agent went when it started."""
    resources = {key: settled(body) for key, body in state.items("resources")}
    agents = {f"agent of {key}": body["way"] for key, body in state.items("avd_loaders")}
    return {**without_choices(resources), **agents}


def without_choices(resources: dict[str, Any]) -> dict[str, Any]:
    """Resources with names in place of what Azure was free to choose."""
    renamed: dict[str, Any] = _renamed(resources, _free_choices(resources))
    return renamed


_MARKED = "# runbook: agent restart for endpoint "


def _free_choices(resources: dict[str, Any]) -> dict[str, str]:
    """Names for what Azure was free to choose: addresses, and the marks of restarts, which stand for addresses.

    A private endpoint is given the next free address of its subnet. Endpoints of one subnet that are made in another
    order after a restart have each other's, and nobody may depend on that. So an address is compared as the endpoint
    and member that has it, wherever it stands: a record that leads to another endpoint is still a difference, and so
    is a restart for other addresses than those that the endpoint really has.
    """
    names: dict[str, str] = {}
    for endpoint, body in resources.items():
        if str(body.get("type", "")).lower() != "microsoft.network/privateendpoints":
            continue
        addresses = []
        for card in body["properties"].get("networkInterfaces") or ():
            nic = resources.get(str(card["id"]).lower(), {"properties": {}})
            for config in nic["properties"].get("ipConfigurations") or ():
                given = config["properties"]
                addresses.append(given["privateIPAddress"])
                if given["privateIPAllocationMethod"] == "Dynamic":
                    member = given["privateLinkConnectionProperties"]["requiredMemberName"]
                    here = f"{names.get(addresses[-1], '')}the address of {endpoint} {member}; "
                    names[addresses[-1]] = here  # two networks may have the same one
        mark = identity(endpoint, [Record("", address, "", "") for address in addresses])
        names[mark] = f"{endpoint} and its addresses"
    return names


def _renamed(value: Any, names: dict[str, str]) -> Any:
    match value:
        case dict():
            return {key: _renamed(inside, names) for key, inside in value.items()}
        case list():
            return [_renamed(inside, names) for inside in value]
        case str() if value.startswith(_MARKED):
            mark = value.removeprefix(_MARKED).partition(",")[0]
            return value.replace(mark, names.get(mark, mark))
        case str():
            return names.get(value, value)
        case _:
            return value


def drained(cloud: dict[str, Any]) -> set[str]:
    """Session hosts that take no new sessions."""
    hosts = {key: body for key, body in cloud.items() if "/sessionhosts/" in key and isinstance(body, dict)}
    return {key for key, host in hosts.items() if not host["properties"]["allowNewSession"]}


_FREE = ("etag", "time", "date", "timestamp", "lastStatusChange", "correlationId")


def settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: settled(v) for k, v in value.items() if not any(f.lower() in k.lower() for f in _FREE)}
    return [settled(v) for v in value] if isinstance(value, list) else value


def instants(
    home: Path, keep: Path, monkeypatch: pytest.MonkeyPatch, share: Callable[[int], bool], answer: Answer = reply
) -> tuple[list[Instant], int]:
    """Play a rehearsal and keep the disk at every commit point and around every ARM call.

    Args:
        share: which of the distinct instants, by number, to keep.

    Returns:
        Those that were kept, and how many distinct ones there were.
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

    play(home, prepare, answer=answer)
    monkeypatch.setattr(Journal, "append", append)
    return [instant for instant in kept.values() if instant is not None], len(kept)


def judge(instant: Instant, whole: Played, answer: Answer = reply) -> list[str]:
    """Resume from an instant; what is wrong with how it ended, in sentences."""
    journal = Journal.open(journal_path(instant.folder, RUN), write=False)
    before = load_view(journal)
    journal.close()
    rest = play(instant.folder, answer=answer)
    faults = []
    if rest.view.state != whole.view.state:
        faults.append(f"ended {rest.view.state}, not {whole.view.state}")
    if left := drained(rest.cloud) ^ drained(whole.cloud):
        faults.append(f"hosts take new sessions where they did not, or the other way round: {sorted(left)}")
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
