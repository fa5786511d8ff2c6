"""The log: what is committed is published to everybody, once, in order, whatever the listeners do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runbook.core.clock import VirtualClock
from runbook.core.entry import Draft, Kind
from runbook.core.error import Unwritable
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.core.view import RunView
from runbook.engine.log import Log
from runbook.journal.fold import fold
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from tests.engine.tiny import START_MS, Rig, TinyArm, path_of, tiny_book


def note(text: str) -> Draft:
    return Draft(Kind.NOTED, data={"text": text})


@pytest.fixture
def log(tmp_path: Path) -> Log:
    journal = Journal.create(tmp_path / "journal.db", durable=False)
    return Log(journal, 0, RunView(), VirtualClock(START_MS))


def texts(events: list[Event]) -> list[str]:
    return [e.entry.data["text"] for e in events]


async def test_everybody_hears_everything_although_one_listener_breaks(log: Log) -> None:
    before: list[Event] = []
    after: list[Event] = []

    def broken(event: Event) -> None:
        raise LookupError("a defect of a screen")

    log.listen(before.append)
    log.listen(broken)
    log.listen(after.append)
    await log.commit(note("one"), note("two"))
    await log.commit(note("three"))
    assert texts(before) == texts(after) == ["one", "two", "three"]


async def test_entries_that_a_listener_commits_are_published_after_those_it_is_being_told_of(log: Log) -> None:
    heard: list[Event] = []

    def talkative(event: Event) -> None:
        if event.entry.data["text"] == "one":
            log.post_now(note("from the listener"))

    log.listen(talkative)
    log.listen(heard.append)
    await log.commit(note("one"), note("two"))
    assert texts(heard) == ["one", "two", "from the listener"]
    assert [e.entry.seq for e in heard] == [1, 2, 3]
    assert [e.view.head >= e.entry.seq for e in heard] == [True] * 3


async def test_a_listener_may_stop_listening_twice_and_while_it_is_told(log: Log) -> None:
    heard: list[Event] = []

    def once(event: Event) -> None:
        heard.append(event)
        stop()

    stop = log.listen(once)
    await log.commit(note("one"), note("two"))
    stop()
    assert "one" in texts(heard)


async def test_a_snapshot_that_cannot_be_kept_costs_no_entry(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's file may not grow: only the snapshot is big enough to need it."""
    log.post_now(note("x" * 200_000))
    pages = log.journal._db.pragma("page_count")
    log.journal._db.pragma("max_page_count", pages + 1)
    monkeypatch.setattr("runbook.engine.log.is_snapshot_due", lambda *_: True)
    log.view = RunView(**{**{f: getattr(log.view, f) for f in ("head", "updated_ms")}, "scenario": "y" * 500_000})
    await log.commit(note("small"))
    assert [e.data["text"] for e in log.journal.entries(after=1)] == ["small"]


async def test_who_commits_is_told_when_another_flush_lost_the_entries(log: Log) -> None:
    """A command flushes before it is judged. If that fails, an intent handed in just before must not pass for kept."""
    committing = asyncio.create_task(log.commit(note("an intent")))
    await asyncio.sleep(0)  # handed in, not yet committed
    log.journal._db.pragma("query_only", True)
    with pytest.raises(Unwritable):
        log.flush()
    with pytest.raises(Unwritable):
        await committing
    assert log.journal.head()[0] == 0


async def test_a_broken_listener_stops_the_run_with_its_error_and_loses_no_answer(tmp_path: Path) -> None:
    arm = TinyArm()
    book = tiny_book({"id": "a"}, {"id": "b"}, {"id": "c", "needs": ["a", "b"]})
    rig = Rig(tmp_path, book, arm)

    def broken(event: Event) -> None:
        if event.entry.kind is Kind.INTENDED:
            raise LookupError("a defect of a screen")

    rig.engine.listen(broken)
    with pytest.raises(LookupError, match="a defect of a screen"):
        await rig.engine.run()
    assert not any(n.state is NodeState.APPLYING for n in rig.view.nodes.values())
    assert load_view(rig.journal) == rig.view
    rig.close()
    again = Rig(tmp_path, book, arm)
    await again.approve_shown()
    await again.engine.run()
    assert again.outcome() is RunState.DONE
    assert [path for _, path, _ in arm.writes] == [path_of("a"), path_of("b"), path_of("c")]


async def test_events_number_every_entry_and_tell_each_move_from_where_the_last_one_ended(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend(["slow", "ok", "slow"])
    book = tiny_book(
        {"id": "a"},
        {"id": "b", "with": {"name": "b", "lock": "/one"}},
        {"id": "c", "needs": ["a"], "with": {"name": "c", "lock": "/one"}},
        {"id": "d", "when": False},
    )
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    entries = list(rig.journal.entries())
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
    assert [e.entry for e in rig.events] == entries[1:]  # the first made the run before anybody listened
    states = dict.fromkeys(rig.view.nodes, NodeState.PENDING)
    for event in rig.events:
        if event.entry.node is None:
            assert event.to_json()["from"] is event.to_json()["to"] is None
            continue
        assert event.before is states[event.entry.node]
        states[event.entry.node] = event.entry.to or event.before
        assert event.to_json()["to"] == states[event.entry.node]
        assert event.view.head >= event.entry.seq
    assert states == {n.id: n.state for n in rig.view.nodes.values()}


async def test_an_event_is_told_only_when_its_row_is_in_the_file(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "a"}, {"id": "b", "needs": ["a"]}), TinyArm())
    other = Journal.open(tmp_path / "journal.db", write=False)

    def hear(event: Event) -> None:
        assert other.hash_at(event.entry.seq) == event.entry.hash

    rig.engine.listen(hear)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    other.close()


async def test_the_view_in_memory_is_the_fold_of_the_file_also_across_sessions_and_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runbook.journal.load._SNAPSHOT_EVERY", 7)
    monkeypatch.setattr("runbook.journal.load._ENTRIES_A_NODE", 0)
    arm = TinyArm()
    book = tiny_book(
        *({"id": f"s{i}", "with": {"name": f"s{i}", "lock": f"/l{i % 2}"}} for i in range(8)),
        {"id": "bag", "uses": "testing.bag", "with": {}},
        {"id": "of_bag", "needs": ["bag"], "with": {"name": "${nodes.bag.outputs.ids[0]}"}},
    )
    for stop_at in (5, 21, 40, 1_000):
        rig = Rig(tmp_path, book, arm)

        def stop(event: Event, rig: Rig = rig, stop_at: int = stop_at) -> None:
            assert event.view == rig.view
            if event.entry.seq >= stop_at:
                rig.engine.close()

        rig.engine.listen(stop)
        await rig.approve_shown()
        await rig.engine.run()
        assert rig.view == load_view(rig.journal) == fold(RunView(), rig.journal.entries())
        rig.close()
    assert rig.outcome() is RunState.DONE


@pytest.mark.parametrize("pages", range(6))
async def test_a_full_disk_stops_the_run_sends_nothing_more_and_is_survived(tmp_path: Path, pages: int) -> None:
    arm = TinyArm()
    names = [f"s{i}" for i in range(12)]
    book = tiny_book(*({"id": name} for name in names), {"id": "last", "needs": names})
    rig = Rig(tmp_path, book, arm)
    rig.journal._db.pragma("max_page_count", rig.journal._db.pragma("page_count") + pages)
    with pytest.raises(Unwritable, match="full"):
        await asyncio.wait_for(rig.engine.run(), 10)
    intents = sum(e.kind is Kind.INTENDED for e in rig.journal.entries())
    assert len(arm.writes) <= intents
    assert load_view(rig.journal) == rig.view
    rig.close()
    again = Rig(tmp_path, book, arm)
    await again.approve_shown()
    await again.engine.run()
    assert again.outcome() is RunState.DONE
    assert again.journal.check() == []
