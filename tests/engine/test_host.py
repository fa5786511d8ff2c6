"""The two things a screen can hold: a host that drives in a thread of its own, and a follower that reads along."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import pytest

from runbook.core.command import Approve, Pause, Retry, Start
from runbook.core.entry import Draft, Kind
from runbook.core.error import Damaged, Driven, LeaseLost, RunbookError, RunUnknown, Unwritable
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Engine
from runbook.engine.host import Follower, Host
from runbook.journal.lease import take
from runbook.journal.store import Journal
from tests.engine.tiny import Rig, TinyArm, tiny_book

BOUND_S = 20


class RigSession:
    """A rig as a host opens it."""

    driver = "anna on a test"
    speed: float | None = None

    def __init__(self, rig: Rig, on_close: Callable[[], None] = lambda: None) -> None:
        self.rig = rig
        self.engine: Engine = rig.engine
        self._on_close = on_close

    def now_ms(self) -> int:
        return self.rig.clock.now_ms()

    def real_s(self, at_ms: int) -> float | None:
        return self.rig.clock.real_s_until(at_ms)

    def check_drives(self) -> None:
        self.rig.journal.check_epoch(self.rig.lease.epoch)

    async def close(self) -> None:
        self.rig.close()
        self._on_close()


def host_of(
    folder: Path,
    *steps: dict[str, Any],
    on_close: Callable[[], None] = lambda: None,
    watch_s: float = 2.0,
    **more: Any,
) -> Host:
    book = tiny_book(*steps)
    return Host(lambda: RigSession(Rig(folder, book, TinyArm(), **more), on_close), folder / "journal.db", watch_s)


def heard(attachment: Host | Follower, is_it: Callable[[], bool]) -> None:
    """Wait until something that events bring about is so."""
    came = threading.Event()

    def hear(event: Event) -> None:
        if is_it():
            came.set()

    stop = attachment.listen(hear)
    hear(None)  # type: ignore[arg-type]
    assert came.wait(BOUND_S)
    stop()


def settled(future: Future[None]) -> BaseException | None:
    done, _ = wait([future], timeout=BOUND_S)
    assert done, "the operator never got an answer"
    assert not future.cancelled()
    return future.exception()


def test_a_host_drives_and_answers(tmp_path: Path) -> None:
    host = host_of(tmp_path, {"id": "a"}, approve=False)
    heard(host, lambda: host.view.nodes["a"].state is NodeState.READY if "a" in host.view.nodes else False)
    assert settled(host.submit(Approve("a"))) is None
    heard(host, lambda: host.view.state is RunState.DONE)
    host.close()
    assert host.failure is None
    assert isinstance(settled(host.submit(Retry("a"))), RunbookError)
    host.close()


def test_who_sits_idle_learns_of_a_take_over_without_writing_anything(tmp_path: Path) -> None:
    host = host_of(tmp_path, {"id": "a"}, approve=False, watch_s=0.02)
    heard(host, lambda: host.view.nodes["a"].state is NodeState.READY if "a" in host.view.nodes else False)
    ended = threading.Event()
    host.on_end(ended.set)
    journal = Journal.open(tmp_path / "journal.db", durable=False)
    head = journal.head()
    taken = take(journal, take_over=True)
    assert ended.wait(BOUND_S)
    assert isinstance(host.failure, LeaseLost)
    assert journal.head() == head
    host.close()
    taken.release()
    journal.close()


def test_a_run_that_cannot_be_opened_is_told_by_the_constructor(tmp_path: Path) -> None:
    def never() -> Any:
        raise RunUnknown("no such run")

    with pytest.raises(RunUnknown):
        Host(never, tmp_path / "journal.db")


def test_every_command_is_answered_however_the_driving_ends(tmp_path: Path) -> None:
    """Commands are handed in without a break while the run is taken over and ends."""
    host = host_of(tmp_path, {"id": "a"}, approve=False)
    futures: list[Future[None]] = []
    ended = threading.Event()
    host.on_end(ended.set)

    def hammer() -> None:
        while not ended.is_set():
            futures.append(host.submit(Pause()))
            futures.append(host.submit(Start()))
            if len(futures) > 200:
                wait(futures[-2:], timeout=BOUND_S)

    hammering = threading.Thread(target=hammer)
    hammering.start()
    other = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm(), take_over=True)
    assert ended.wait(BOUND_S)
    hammering.join(BOUND_S)
    other.close()
    done, open_ = wait(futures, timeout=BOUND_S)
    assert not open_
    strange = [f for f in done if f.cancelled() or not isinstance(f.exception(), RunbookError | None)]
    assert not strange
    assert isinstance(host.failure, LeaseLost)
    assert isinstance(settled(host.submit(Pause())), LeaseLost)
    host.close()


def test_every_command_is_answered_when_the_screen_closes(tmp_path: Path) -> None:
    host = host_of(tmp_path, {"id": "a"}, approve=False)
    futures = [host.submit(command) for _ in range(50) for command in (Pause(), Start())]
    closing = threading.Thread(target=host.close)
    closing.start()
    futures += [host.submit(command) for _ in range(200) for command in (Pause(), Start())]
    closing.join(BOUND_S)
    for future in futures:
        assert isinstance(settled(future), RunbookError | None)
    assert host.failure is None


def test_the_end_is_told_also_when_letting_go_breaks(tmp_path: Path) -> None:
    def breaks() -> None:
        raise OSError(5, "the disk is gone")

    host = host_of(tmp_path, {"id": "a"}, on_close=breaks)
    ended, late = threading.Event(), threading.Event()
    host.on_end(ended.set)
    host.close()
    assert ended.wait(BOUND_S)
    assert host.failure is not None
    assert "the disk is gone" in str(host.failure)
    host.on_end(late.set)
    assert late.is_set(), "who asks afterwards is told at once"


def test_a_listener_that_breaks_ends_the_driving_and_says_so(tmp_path: Path) -> None:
    host = host_of(tmp_path, {"id": "a"}, approve=False)
    ended = threading.Event()
    host.on_end(ended.set)

    def broken(event: Event) -> None:
        raise LookupError("a defect of a screen")

    host.listen(broken)
    host.submit(Pause())
    assert ended.wait(BOUND_S)
    assert "a defect of a screen" in str(host.failure)
    host.close()


# ---------------------------------------------------------------- following


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    """A journal of one run of one node, driven under an epoch of its own."""
    rig = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm(), approve=False)
    yield rig
    rig.close()


def note(rig: Rig, text: str = "n") -> None:
    rig.log.post_now(Draft(Kind.NOTED, data={"text": text}))


def ended(follower: Follower) -> threading.Event:
    over = threading.Event()
    follower.on_end(over.set)
    return over


def test_a_follower_hears_what_the_driver_commits_and_may_not_speak(journal: Rig, tmp_path: Path) -> None:
    follower = Follower(tmp_path / "journal.db", every_s=0.01)
    events: list[Event] = []
    follower.listen(events.append)
    note(journal, "one")
    note(journal, "two")
    heard(follower, lambda: follower.view.head == journal.view.head)
    assert [e.entry.data["text"] for e in events] == ["one", "two"]
    assert isinstance(follower.submit(Pause()).exception(), Driven)
    follower.close()
    assert follower.failure is None


def test_a_follower_sees_the_driver_go_and_another_come(journal: Rig, tmp_path: Path) -> None:
    follower = Follower(tmp_path / "journal.db", every_s=3_600)
    assert "process" in follower.driver
    journal.lease.release()
    follower.read()
    assert "nobody" in follower.driver
    other = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm())
    follower.read()
    assert "process" in follower.driver
    other.close()
    follower.close()


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        ("UPDATE entry SET state = 'nowhere' WHERE seq = 3", Damaged),
        ("UPDATE entry SET data = 'not json' WHERE seq = 3", Damaged),
        ("UPDATE entry SET node = 'nobody' WHERE seq = 3", Damaged),
    ],
)
def test_a_follower_that_meets_a_damaged_row_says_so(
    journal: Rig, tmp_path: Path, damage: str, error: type[RunbookError]
) -> None:
    follower = Follower(tmp_path / "journal.db", every_s=0.01)
    over = ended(follower)
    db = journal.journal._db
    for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {row[0]}")
    with db:
        note_of(journal)
        db.execute(damage)
    assert over.wait(BOUND_S)
    assert isinstance(follower.failure, error)
    follower.close()


def note_of(rig: Rig) -> None:
    """Two rows within the transaction that damages the second."""
    row: Any = rig.journal._db.execute("SELECT * FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
    for seq in (2, 3):
        rig.journal._db.execute("INSERT INTO entry VALUES (?,?,?,?,?,?,?,?)", (seq, row[1], "noted", *row[3:]))


def test_a_follower_notices_that_the_journal_was_replaced_or_removed(journal: Rig, tmp_path: Path) -> None:
    note(journal)
    follower = Follower(tmp_path / "journal.db", every_s=0.01)
    over = ended(follower)
    other = Journal.create(tmp_path / "other.db", durable=False)
    other.append([Draft(Kind.NOTED, data={"text": "of another run"})] * 9, 0, 0)
    other.close()
    (tmp_path / "other.db").replace(tmp_path / "journal.db")
    for part in ("-wal", "-shm"):
        (tmp_path / f"journal.db{part}").unlink(missing_ok=True)
    assert over.wait(BOUND_S)
    assert isinstance(follower.failure, Damaged | Unwritable)
    follower.close()


def test_a_follower_of_a_run_that_is_deleted_ends_with_a_sentence(journal: Rig, tmp_path: Path) -> None:
    follower = Follower(tmp_path / "journal.db", every_s=0.01)
    over = ended(follower)
    for path in tmp_path.glob("journal.db*"):
        path.unlink()
    assert over.wait(BOUND_S)
    assert isinstance(follower.failure, RunbookError)
    follower.close()


def test_a_follower_whose_listener_breaks_ends_and_says_so(journal: Rig, tmp_path: Path) -> None:
    follower = Follower(tmp_path / "journal.db", every_s=0.01)
    over = ended(follower)

    def broken(event: Event) -> None:
        raise LookupError("a defect of a screen")

    follower.listen(broken)
    note(journal)
    assert over.wait(BOUND_S)
    assert "a defect of a screen" in str(follower.failure)
    follower.close()
