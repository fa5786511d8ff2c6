"""The lease between real processes: whoever drives, lives; whoever lost it writes nothing."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.core.clock import iso
from runbook.core.entry import Draft, Kind
from runbook.core.error import Driven, LeaseLost, RunbookError, Unwritable
from runbook.journal import lease
from runbook.journal.store import Driver, Journal
from tests.journal.conftest import driven


class Child:
    """A driver in another process."""

    def __init__(self, path: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.journal.drive", str(path), *words],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.first = self.hear()

    def hear(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.hear()

    def tell(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Child]


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Start drivers of a run; they are gone when the test is over."""
    Journal.create(path).close()
    children: list[Child] = []

    def begin(*words: str) -> Child:
        children.append(Child(path, *words))
        return children[-1]

    yield begin
    for child in children:
        child.close()


def texts(path: Path) -> list[str]:
    journal = Journal.open(path, write=False)
    assert journal.check() == []
    found = [e.data["text"] for e in journal.entries()]
    journal.close()
    return found


def test_a_second_driver_is_told_who_drives_from_where_and_since_when(path: Path, start: Start) -> None:
    first = start()
    assert first.first == "epoch 1"
    journal = Journal.open(path)
    row = journal.drivers()[-1]
    with pytest.raises(Driven) as refused:
        lease.take(journal)
    for part in (row.account, platform.node(), f"process {first.process.pid}", iso(row.since_ms)):
        assert part in refused.value.message
    assert "take over" in refused.value.hint
    assert refused.value.exit_status == 6
    assert lease.driver(journal) == row
    journal.close()


def test_a_second_process_is_refused_and_the_first_goes_on(path: Path, start: Start) -> None:
    first, second = start(), start()
    assert second.first.startswith("driven: This run is driven by ")
    assert first.ask("still here") == "wrote 1"
    assert texts(path) == ["still here"]


def test_the_lease_of_a_killed_driver_is_free_at_once(path: Path, start: Start) -> None:
    first = start()
    assert first.ask("one") == "wrote 1"
    first.end(signal.SIGKILL)
    journal = Journal.open(path)
    assert lease.driver(journal) is None
    held = lease.take(journal)
    assert (held.epoch, held.took_over) == (2, False)
    held.release()
    journal.close()
    assert texts(path) == ["one"]


def test_a_driver_that_quit_leaves_nothing_to_wait_for(path: Path, start: Start) -> None:
    first = start()
    first.tell("quit")
    first.process.wait()
    assert start().first == "epoch 2"


@pytest.mark.skipif(os.name != "posix", reason="stopping a process is POSIX")
def test_a_frozen_driver_that_wakes_up_after_a_take_over_writes_nothing(path: Path, start: Start) -> None:
    frozen = start()
    assert frozen.ask("one") == "wrote 1"
    frozen.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, frozen.process.pid, os.WSTOPPED | os.WNOWAIT)
    frozen.tell("from the past")

    assert start().first.startswith("driven: "), "frozen is not dead: nobody takes its run by accident"
    second = start("take-over")
    assert second.first == "epoch 2 taken over"
    assert second.ask("two") == "wrote 2"

    frozen.process.send_signal(signal.SIGCONT)
    assert frozen.hear().startswith("lease_lost: Another process has taken over this run: ")
    assert frozen.ask("once more").startswith("lease_lost: ")
    assert second.ask("three") == "wrote 3"
    assert texts(path) == ["one", "two", "three"]


def test_a_driver_that_was_taken_over_cannot_free_the_lease_of_its_successor(path: Path, start: Start) -> None:
    first, second = start(), start("take-over")
    first.tell("quit")
    first.process.wait()
    assert start().first.startswith("driven: ")
    assert second.ask("mine") == "wrote 1"


def test_every_driver_stands_in_the_table_in_order(path: Path, start: Start) -> None:
    pids = []
    for _ in range(3):
        child = start()
        pids.append(child.process.pid)
        child.end(signal.SIGKILL)
    journal = Journal.open(path, write=False)
    assert [d.pid for d in journal.drivers()] == pids
    assert [d.epoch for d in journal.drivers()] == [1, 2, 3]
    assert {d.reason for d in journal.drivers()} == {"a test"}
    journal.close()


def test_lock_files_of_dead_drivers_do_not_pile_up_and_are_private(path: Path, start: Start) -> None:
    for _ in range(3):
        start().end(signal.SIGKILL)
    start()
    locks = sorted(path.parent.glob("driver-*.lock"))
    assert [lock.name for lock in locks] == ["driver-4.lock"]
    if os.name == "posix":
        assert oct(locks[0].stat().st_mode & 0o777) == "0o600"


def test_asking_who_drives_never_costs_a_driver_the_lease(path: Path, start: Start) -> None:
    start().end(signal.SIGKILL)
    journal = Journal.open(path)
    for _ in range(20):
        assert lease.driver(journal) is None
        held = lease.take(journal)
        assert lease.driver(journal) == journal.drivers()[-1]
        held.release()
    journal.close()


def test_who_comes_second_in_a_race_for_a_free_lease_is_refused(path: Path, journal: Journal) -> None:
    slower, quicker = Journal.open(path), Journal.open(path)
    held = lease.take(quicker)
    with pytest.raises(LeaseLost):
        slower.add_driver(1, driven(2))
    with pytest.raises(Driven):
        lease.take(slower)
    assert quicker.append([Draft(Kind.NOTED)], 0, held.epoch)
    held.release()
    slower.close()
    quicker.close()


def test_a_driver_is_named_in_words() -> None:
    row = Driver(1, "host-7", 4711, "anna", 1_795_161_600_000, "")
    assert lease.words(row) == "anna on host-7 (process 4711) since 2026-11-20T08:00:00.000Z"


def test_a_folder_where_no_lock_can_be_made_is_told_in_words(path: Path, journal: Journal) -> None:
    (path.parent / "driver-2.lock").mkdir()
    with pytest.raises(Unwritable, match=r"driver-2\.lock"):
        lease.take(journal)


def test_the_lock_that_a_successor_is_just_taking_is_not_swept_away(path: Path, journal: Journal) -> None:
    """A successor opens its file before it holds the lock; swept in between, it would hold what nobody can see."""
    for epoch in (1, 3, 4):
        (path.parent / f"driver-{epoch}.lock").touch()
    held = lease.take(journal)
    assert held.epoch == 2
    assert sorted(p.name for p in path.parent.glob("driver-*.lock")) == [f"driver-{n}.lock" for n in (2, 3, 4)]
    held.release()


@pytest.mark.parametrize("take_over", [False, True])
def test_of_many_who_want_the_lease_at_once_exactly_one_gets_it(path: Path, journal: Journal, take_over: bool) -> None:
    for _ in range(10):
        start = threading.Barrier(6)
        got: list[lease.Lease] = []
        refused: list[RunbookError] = []

        def contend(start: threading.Barrier = start, got: Any = got, refused: Any = refused) -> None:
            own = Journal.open(path, durable=False)
            start.wait()
            try:
                got.append(lease.take(own, take_over=take_over))
            except (Driven, LeaseLost) as error:
                refused.append(error)
            finally:
                own.close()

        threads = [threading.Thread(target=contend) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) + len(refused) == 6
        assert len({g.epoch for g in got}) == len(got), "never two of one epoch"
        newest = journal.drivers()[-1].epoch
        assert [g.epoch for g in got if g.epoch == newest] == [newest], "who drives is one who got it"
        if not take_over:
            assert len(got) == 1
        for held in got:
            held.release()


def test_looking_who_drives_leaves_no_file_that_others_may_read(path: Path, journal: Journal) -> None:
    held = lease.take(journal)
    held.release()
    (path.parent / f"driver-{held.epoch}.lock").touch(0o600)
    assert lease.driver(journal) is None
    for lock in path.parent.glob("driver-*.lock"):
        assert oct(lock.stat().st_mode & 0o777) == "0o600"
