"""A run moves to a newer book: on purpose, whole or not at all, and nothing that stands is made twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.book import Book, book_from_json
from runbook.core.entry import Entry, Kind
from runbook.core.error import NotSent, UsageError
from runbook.core.state import NodeState, RunState
from runbook.core.view import RunView
from runbook.engine.engine import Until
from runbook.engine.migration import Migration, migration
from runbook.journal.fold import fold, from_snapshot, to_snapshot
from runbook.journal.store import Journal
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book

GATE = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}, "needs": ["b"]}
OLD = ({"id": "a"}, {"id": "b", "needs": ["a"]}, {"id": "old", "needs": ["a"]}, GATE, {"id": "last", "needs": ["gate"]})


async def parked(folder: Path, arm: TinyArm, *steps: dict[str, Any]) -> tuple[Rig, Book]:
    """A run that is done with what comes before the gate, and waits there."""
    book = tiny_book(*(steps or OLD))
    rig = Rig(folder, book, arm)
    await rig.engine.run(Until.PARKED)
    return rig, book


def moved(rig: Rig, old: Book, new: Book) -> Migration:
    """The run moved, its files let go of."""
    found = migration(rig.view, old, new, rig.view.inputs)
    rig.journal.append([found.draft()], rig.clock.now_ms(), rig.lease.epoch)
    rig.close()
    return found


def sent(arm: TinyArm) -> list[str]:
    return [path.rpartition("/")[2] for _, path, _ in arm.writes]


async def test_what_is_done_and_unchanged_stays_and_the_rest_of_the_new_book_is_done(tmp_path: Path) -> None:
    arm = TinyArm()
    rig, old = await parked(tmp_path, arm)
    since_ms = rig.view.nodes["gate"].since_ms
    new = tiny_book(
        {"id": "a", "title": "Said in other words"},
        {"id": "b", "needs": ["a"], "with": {"name": "b-again"}},
        {"id": "added", "needs": ["b"]},
        {**GATE, "needs": ["b", "added"]},
        {"id": "last", "needs": ["gate"]},
    )
    found = moved(rig, old, new)
    assert (found.stays, found.again, list(found.left_out)) == (("a",), ("b",), ["old"])
    assert found.steps == {"a": "title", "b": "with", "gate": "needs", "added": "new", "old": "left out"}
    arm.resources[path_of("key")] = {"made": "key"}
    second = Rig(tmp_path, new, arm)
    assert second.view.nodes["a"].doc["title"] == "Said in other words"
    assert second.view.nodes["gate"].since_ms == since_ms, "it waits as before"
    assert second.state("old") is NodeState.SKIPPED
    await second.engine.run()
    assert second.outcome() is RunState.DONE
    assert sent(arm) == ["a", "b", "old", "b-again", "added", "last"]
    assert list(second.view.nodes) == ["a", "b", "added", "gate", "last", "old"], "in the order of the new book"
    second.close()


async def test_a_step_that_asks_for_the_same_by_other_words_is_looked_at_and_nothing_is_sent(tmp_path: Path) -> None:
    arm = TinyArm()
    rig, old = await parked(tmp_path, arm)
    new = tiny_book(OLD[0], {**OLD[1], "when": "${run.edition == 'auto'}"}, *OLD[2:])
    assert moved(rig, old, new).again == ("b",)
    before = list(arm.writes)
    second = Rig(tmp_path, new, arm, approve=False)
    await second.engine.run(Until.PARKED)
    assert second.state("b") is NodeState.DONE
    assert arm.writes == before
    second.close()


async def test_a_wait_that_is_asked_for_otherwise_keeps_since_when_and_what_was_said(tmp_path: Path) -> None:
    rig, old = await parked(tmp_path, TinyArm())
    wait = rig.view.nodes["gate"].waiting
    assert wait is not None
    new = tiny_book(*OLD[:3], {**GATE, "when": "${run.edition == 'auto'}"}, OLD[4])
    moved(rig, old, new)
    second = Rig(tmp_path, new, TinyArm())
    second.clock.advance_to(second.clock.now_ms() + 86_400_000)
    await second.engine.run(Until.PARKED)
    again = second.view.nodes["gate"].waiting
    assert again is not None
    assert (again["since_ms"], again["polls"]) == (wait["since_ms"], wait["polls"] + 1)
    second.close()


async def test_members_that_the_new_book_names_become_nodes_and_those_it_drops_are_left_out(tmp_path: Path) -> None:
    arm = TinyArm()
    each = {"id": "each", "for_each": ["x", "y"], "with": {"name": "${item}"}}
    rig, old = await parked(tmp_path, arm, each, {**GATE, "needs": [{"step": "each", "all": True}]})
    new = tiny_book({**each, "for_each": ["y", "z"]}, {**GATE, "needs": [{"step": "each", "all": True}]})
    assert list(moved(rig, old, new).left_out) == ["each[x]"]
    second = Rig(tmp_path, new, arm)
    await second.engine.run(Until.PARKED)
    assert {n: second.state(n) for n in ("each[x]", "each[y]", "each[z]")} == {
        "each[x]": NodeState.SKIPPED,
        "each[y]": NodeState.DONE,
        "each[z]": NodeState.DONE,
    }
    assert sent(arm) == ["x", "y", "z"]
    second.close()


async def test_a_call_that_is_not_settled_must_be_settled_first(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append("slow")
    book = tiny_book({"id": "a"})
    rig = Rig(tmp_path, book, arm)

    def stop(event: Any) -> None:
        if event.entry.kind is Kind.ACCEPTED:
            rig.engine.close()

    rig.engine.listen(stop)
    await rig.engine.run()
    assert rig.state("a") is NodeState.SETTLING
    with pytest.raises(UsageError, match="not settled"):
        migration(rig.view, book, tiny_book({"id": "a", "with": {"name": "other"}}), {})
    unchanged = migration(rig.view, book, tiny_book({"id": "a"}, {"id": "more"}), {})
    assert (unchanged.again, unchanged.stays) == ((), ())
    rig.close()


async def test_neither_a_run_that_is_over_nor_the_book_of_another_is_moved(tmp_path: Path) -> None:
    book = tiny_book({"id": "a"})
    rig = Rig(tmp_path, book, TinyArm())
    await rig.engine.run()
    with pytest.raises(UsageError, match="is done"):
        migration(rig.view, book, book, {})
    rig.close()
    (tmp_path / "other").mkdir()
    waiting, old = await parked(tmp_path / "other", TinyArm())
    doc = {**old.doc, "id": "another"}
    with pytest.raises(UsageError, match="not of another"):
        migration(waiting.view, old, book_from_json(doc), {})
    waiting.close()


async def test_the_same_book_is_no_difference(tmp_path: Path) -> None:
    rig, old = await parked(tmp_path, TinyArm())
    found = migration(rig.view, old, tiny_book(*OLD), rig.view.inputs)
    assert not found.is_different
    rig.close()


async def test_a_process_that_dies_at_any_entry_after_the_move_loses_nothing(tmp_path: Path) -> None:
    """Every prefix of the journal is what a killed process may have left: each folds, and a snapshot of it is equal."""
    arm = TinyArm()
    rig, old = await parked(tmp_path, arm)
    new = tiny_book(OLD[0], {**OLD[1], "with": {"name": "b-again"}}, {"id": "added", "needs": ["b"]}, GATE, OLD[4])
    moved(rig, old, new)
    arm.resources[path_of("key")] = {"made": "key"}
    second = Rig(tmp_path, new, arm)
    arm.read_errors.append(NotSent("a moment without a network", ""))
    await second.engine.run()
    second.close()
    journal = Journal.open(tmp_path / "journal.db", write=False)
    entries: list[Entry] = list(journal.entries())
    for length in range(1, len(entries) + 1):
        view = fold(fold(RunView(), entries[: length // 2]), entries[length // 2 : length])
        assert view == fold(RunView(), entries[:length])
        assert from_snapshot(json.loads(to_snapshot(view))) == view
    assert journal.check() == []
    journal.close()
    assert len(sent(arm)) == len(set(sent(arm))), "nothing was sent twice"
