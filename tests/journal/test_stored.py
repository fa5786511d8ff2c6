"""Runs that earlier releases parked, at every kind of wait: they read as they did, and go on to their end."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from runbook.core.command import Command, Retry, Start
from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.home import journal_path
from runbook.journal.fold import fold
from runbook.journal.store import Journal
from runbook.wiring import answer_run
from runbook.wiring.migrate import difference, migrate_run
from tests.crash.harness import reply
from tests.journal.releases import RUN, STOPS, STORED, every, summary, unpack, view_of

ALL = list(every())
RELEASES = sorted(p.name for p in STORED.iterdir() if p.is_dir())


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def answering(node: NodeView) -> Command | None:
    """As an operator who comes back would."""
    return Retry(node.id) if node.state is NodeState.FAILED else reply(node)


def finish(home: Path) -> None:
    """Go on with the run to its end, and look that nothing was done twice."""
    from tests.journeys import scenes

    if view_of(home).paused:
        answer_run(home, RUN, Start())
    before = view_of(home)
    played = scenes.drive(home, answering, run=RUN)
    assert played.view.state is RunState.DONE, scenes.stuck(played)
    journal = Journal.open(journal_path(home, RUN), write=False)
    entries = list(journal.entries())
    assert journal.check() == []
    journal.close()
    refused = {e.node for e in entries if e.kind in (Kind.FAILED, Kind.DOUBTED)}
    sent = Counter((e.node, e.data["digest"]) for e in entries if e.kind is Kind.INTENDED and e.node not in refused)
    again = [name for name, count in sent.items() if count > 1]
    rejected = [n.id for n in before.nodes.values() if n.blocked]
    assert [name for name in again if name[0] not in rejected] == []


@pytest.mark.parametrize("stored", ALL, ids=named)
def test_a_stored_run_reads_as_the_release_that_parked_it_read_it(stored: Path, tmp_path: Path) -> None:
    unpack(stored, tmp_path)
    kind = stored.name.partition(".")[0]
    wanted = json.loads((stored.parent / "summaries.json").read_text(encoding="utf-8"))[kind]
    view = view_of(tmp_path)
    assert summary(view) == wanted
    journal = Journal.open(journal_path(tmp_path, RUN), write=False)
    assert fold(type(view)(), journal.entries()) == view
    assert journal.check() == []
    journal.close()


@pytest.mark.parametrize("stored", ALL, ids=named)
def test_a_stored_run_goes_on_to_its_end(stored: Path, tmp_path: Path) -> None:
    unpack(stored, tmp_path)
    finish(tmp_path)


@pytest.mark.parametrize("stored", [p for p in ALL if named(p).partition("/")[2] in ("approval", "blocked")], ids=named)
def test_a_stored_run_moves_to_the_book_of_today_and_goes_on_to_its_end(stored: Path, tmp_path: Path) -> None:
    unpack(stored, tmp_path)
    words = [w["text"] for n in view_of(tmp_path).nodes.values() for w in n.attested]
    if difference(view_of(tmp_path)).is_different:
        migrate_run(tmp_path, RUN)
    finish(tmp_path)
    after = [w["text"] for n in view_of(tmp_path).nodes.values() for w in n.attested]
    assert set(words) <= set(after)


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_stored_of_a_release_has_its_summaries(release: str) -> None:
    kinds = {p.name.partition(".")[0] for p in (STORED / release).glob("*.tar.xz")}
    assert set(json.loads((STORED / release / "summaries.json").read_text(encoding="utf-8"))) == kinds
    assert kinds <= set(STOPS)


def test_there_is_a_stored_run_of_every_kind() -> None:
    assert {p.name.partition(".")[0] for p in ALL} == set(STOPS)
