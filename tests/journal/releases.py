"""Runs parked by releases, kept as files: what a newer release must be able to go on with.

``python -m tests.journal.releases [NAME] [KIND ...]`` plays rehearsals with the code as it is and stores one for every
kind of wait below ``tests/journal/stored/NAME`` (by default this release's version), with a summary of its view. To be
run when a release is made; what is stored is never made anew.
"""

from __future__ import annotations

import asyncio
import io
import json
import lzma
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from runbook import __version__
from runbook.core.command import Approve, Attest, Command, Pause
from runbook.core.entry import Kind
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.engine import Until
from runbook.home import journal_path, run_dir
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.sim.scenario_files import load_scenario
from runbook.wiring import Wish, create_run, open_run

STORED = Path(__file__).parent / "stored"
RUN = "stored"
FILES = ("journal.db", "cloud.db")
SENT = "request_sent"
FLAG = "Microsoft.HybridCompute/ArcServerPrivateLinkPreview"

Json = dict[str, Any]


@dataclass(frozen=True)
class Stop:
    """One kind of wait and how to come to it.

    Args:
        until: whether this event is the moment; None lets the run go until it is parked.
        says: whether the operator says that the request was sent.
        change: what is otherwise in the scenario.
    """

    until: Callable[[Event], bool] | None = None
    approves: bool = True
    says: bool = True
    pauses: bool = False
    away_s: float = 0.0
    change: Json = field(default_factory=dict)


def _is(kind: Kind, title: str = "") -> Callable[[Event], bool]:
    return lambda event: event.entry.kind is kind and title in str(event.entry.data.get("title", ""))


_REFUSED = {
    "id": "no", "method": "PUT", "path": "*/privatelinkscopes/*",
    "refuse": {"status": 409, "code": "ScopeLocked", "message": "somebody locked it"},
}  # fmt: skip
_REJECTING = {
    "id": "no",
    "who": "the team",
    "on": "feature_pending",
    "nth": 1,
    "after": "1d",
    "do": "reject",
    "feature": FLAG,
}
_THEN = {
    "id": "then",
    "who": "the team",
    "on": "feature_pending",
    "beyond": 1,
    "after": "1d",
    "do": "approve",
    "feature": FLAG,
}

STOPS: dict[str, Stop] = {
    "ready": Stop(approves=False),
    "gate": Stop(says=False),
    "approval": Stop(),
    "paused": Stop(pauses=True),
    "blocked": Stop(away_s=2 * 86_400, change={"parties": [_REJECTING, _THEN]}),
    "failed": Stop(away_s=3 * 86_400, change={"faults": [_REFUSED]}),
    "in_doubt": Stop(until=_is(Kind.INTENDED, "Create resource group")),
    "settling": Stop(until=_is(Kind.ACCEPTED)),
}


def pack(run: Path) -> bytes:
    """A run's files as one."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in FILES:
            info = tarfile.TarInfo(name)
            info.size = (run / name).stat().st_size
            info.mode = 0o600
            with (run / name).open("rb") as file:
                tar.addfile(info, file)
    return lzma.compress(packed.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def unpack(stored: Path, home: Path) -> None:
    """A stored run, placed in a state folder."""
    folder = run_dir(home, RUN)
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(stored.read_bytes()))) as tar:
        for name in FILES:
            found = tar.extractfile(name)
            assert found is not None
            (folder / name).write_bytes(found.read())


def every() -> Iterator[Path]:
    """Every stored run."""
    return (path for path in sorted(STORED.glob("*/*.tar.xz")))


def summary(view: RunView) -> Json:
    """What a release may not come to see otherwise. A later one may know more."""
    return {
        "state": view.state.value,
        "paused": view.paused,
        "head": view.head,
        "book_version": view.book["version"],
        "expanded": sorted(view.expanded),
        "nodes": {n.id: _node(n) for n in view.nodes.values()},
    }


def _node(node: NodeView) -> Json:
    wait, block = node.waiting, node.blocked
    doc: Json = {"state": node.state.value, "attempts": node.attempts}
    if node.applied:
        doc["applied"] = [[a["title"], a["at_ms"]] for a in node.applied]
    if node.approved:
        doc["approved"] = sorted(node.approved)
    if node.attested:
        doc["attested"] = [[w["by"], w["text"], w["at_ms"]] for w in node.attested]
    if wait:
        doc["waiting"] = [wait["who"], wait["since_ms"], wait["next_poll_ms"], wait["polls"]]
    if block:
        doc["blocked"] = block["rule"]
    if node.intent:
        doc["intent"] = [node.intent["title"], node.intent["repeat"]]
    if node.error:
        doc["error"] = node.error["code"]
    return doc


def view_of(home: Path) -> RunView:
    """A stored run's view, folded from its first entry on: a snapshot of another release counts for nothing."""
    journal = Journal.open(journal_path(home, RUN), write=False)
    try:
        return load_view(journal)
    finally:
        journal.close()


# ---------------------------------------------------------------- making


def scenario(folder: Path, stop: Stop) -> str:
    """The shipped preview with one subscription and one server, so that files stay small."""
    doc = load_scenario("arc-preview").doc
    servers = [r for r in doc["resources"] if "/machines/" in r["id"].lower()]
    doc["resources"] = [r for r in doc["resources"] if r not in servers[1:]]
    doc["inputs"] = {**doc["inputs"], "additional_subscriptions": []}
    path = folder / "scene.yaml"
    path.write_text(json.dumps({**doc, **stop.change}), encoding="utf-8")
    return str(path)


def play(home: Path, stop: Stop, keep: Path) -> None:
    """Play to the stop, and copy what a process that is killed there would leave."""

    async def go(away_s: float) -> bool:
        session = open_run(home, RUN, durable=False, away_s=away_s)
        engine = session.engine
        kept: list[bool] = []

        def hear(event: Event) -> None:
            if kept:
                return
            if stop.until is not None and stop.until(event):
                shutil.copytree(run_dir(home, RUN), keep)
                kept.append(True)
                engine.close()
                return
            for node in event.view.nodes.values():
                if (command := answer(node)) is not None:
                    engine.submit(command).add_done_callback(lambda task: task.cancelled() or task.exception())

        def answer(node: NodeView) -> Command | None:
            if stop.approves and node.state is NodeState.READY and not node.is_approved:
                return Approve(node.id, by="the operator")
            is_asked = node.state is NodeState.WAITING and node.waiting is not None and bool(node.waiting["attest"])
            return Attest(node.id, "done, by mail", "the operator") if stop.says and is_asked else None

        engine.listen(hear)
        try:
            for node in list(engine.view.nodes.values()):
                if (command := answer(node)) is not None:
                    await engine.decide(command)
            await engine.run(Until.PARKED)
            if stop.pauses:
                await engine.decide(Pause())
            return bool(kept)
        finally:
            await session.close()

    if not asyncio.run(go(0.0)) and stop.away_s:
        asyncio.run(go(stop.away_s))
    if not keep.exists():
        shutil.copytree(run_dir(home, RUN), keep)


def settle(file: Path) -> None:
    """One file without a log beside it. Who drove, and where, is outside the chain, and of no interest to others."""
    db = apsw.Connection(str(file))
    if file.name == FILES[0]:
        db.execute("UPDATE driver SET host = 'a-machine', pid = 1, account = 'somebody'")
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def make(name: str, kind: str) -> Json:
    """Store one kind. Returns its summary."""
    with tempfile.TemporaryDirectory() as folder:
        home, again = Path(folder) / "home", Path(folder) / "again"
        home.mkdir()
        wish = Wish("arc-private-link", scenario=scenario(Path(folder), STOPS[kind]), run=RUN)
        create_run(home, wish, durable=False)
        keep = run_dir(again, RUN)
        keep.parent.mkdir(parents=True)
        play(home, STOPS[kind], keep)
        for name_ in FILES:  # what is still in the log beside a file goes into the file itself
            settle(keep / name_)
        (STORED / name).mkdir(parents=True, exist_ok=True)
        (STORED / name / f"{kind}.tar.xz").write_bytes(pack(keep))
        return summary(view_of(again))


def main(args: list[str]) -> None:
    """Store what was asked for."""
    name, *kinds = args or [__version__]
    summaries = {kind: make(name, kind) for kind in kinds or STOPS}
    text = json.dumps(summaries, indent=1, sort_keys=True)
    (STORED / name / "summaries.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
