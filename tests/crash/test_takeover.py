"""A driver that freezes at any of its steps, is taken over, and wakes up when the other has finished the run.

First in one process, where it can be frozen exactly: between intent and send, in the midst of a call, around every
commit. Then with real processes and SIGSTOP.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import apsw
import pytest

from runbook.core.error import LeaseLost, RunbookError
from runbook.home import CLOUD, journal_path, run_dir
from runbook.journal.store import Journal
from runbook.wiring import Rehearsal
from tests.crash.harness import RUN, begin, play
from tests.crash.test_kill import cloud_of
from tests.crash.tiny_world import LastingArm, entries_of, faults, session

SHARDS = 7
"""Of which one runs by default."""
BOUND_S = 60


@pytest.mark.parametrize("shard", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, SHARDS))])
def test_frozen_at_any_step_it_wakes_up_to_nothing(tmp_path: Path, shard: int) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    names = session(whole, LastingArm())[1].names
    wrong: list[str] = []
    for at in range(1 + shard, len(names), SHARDS):  # after the last step there is nothing left to notice
        folder = tmp_path / str(at)
        folder.mkdir()
        wrong += [f"step {at} ({names[at - 1]}): {fault}" for fault in freeze_at(folder, at)]
    assert not wrong, "\n".join(wrong[:20])


def freeze_at(folder: Path, at: int) -> list[str]:
    arm = LastingArm()
    other = replace(arm)  # another process's client of the same cloud
    left: list[int] = []

    def elsewhere() -> None:
        def drive() -> None:
            view, _ = session(folder, other, take_over=True)
            left.extend([view.head, len(arm.writes), *([] if not faults(folder, other, view) else [-1])])

        thread = Thread(target=drive)
        thread.start()
        thread.join()

    found = []
    try:
        session(folder, arm, at, freeze=elsewhere)
        found.append("it never noticed")
    except LeaseLost:
        pass
    if not left:
        return ["it had fewer steps than another time: this test is not told when to freeze it"]
    if -1 in left:
        found.append("the one that took over did not end well")
    if entries_of(folder)[-1].seq != left[0]:
        found.append("it wrote after it woke up")
    if len(arm.writes) != left[1]:
        found.append("it sent after it woke up")
    if calls := [name for name in arm.fuse.woken if "commit" not in name]:
        # What it was in the midst of when it froze may go on for one step: that call had begun already.
        rest = [name for name in calls if not name.startswith("after ")]
        found += [f"it began {name!r} after it woke up" for name in rest]
    return found


@pytest.mark.parametrize("moment", ["before_send", "after_effect"])
@pytest.mark.parametrize("call", [3, 60, 120, 180])
def test_a_rehearsal_taken_over_in_the_midst_of_a_call_ends_as_one_that_lost_its_lease(
    tmp_path: Path, moment: str, call: int
) -> None:
    """Its simulated cloud has a new owner, too: whatever the call comes to, the driver that woke up just ends."""
    begin(tmp_path, "arc-preview")
    calls, writes = 0, 0
    first: list[Rehearsal] = []
    left: list[tuple[int, str]] = []

    def freeze(*_: object) -> None:
        nonlocal calls, writes
        calls += 1
        if calls == call:
            other = Thread(target=lambda: play(tmp_path, take_over=True))
            other.start()
            other.join()
            left.append(rows(tmp_path))
            writes = len(first[0].transport.writes)

    def prepare(session: Rehearsal) -> None:
        first.append(session)
        setattr(session.transport, moment, freeze)

    with pytest.raises(RunbookError) as caught:
        play(tmp_path, prepare)
    assert caught.value.exit_status == 6
    assert [rows(tmp_path)] == left
    assert len(first[0].transport.writes) == writes
    assert calls <= call + 1


@pytest.fixture
def resume() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts drivers, none of which outlives its test.

    Each has a session of its own: a signal to the group of whoever runs the tests (an interrupt, a time-out around all
    of them) is not for these, and would end them as interrupted.
    """
    started: list[subprocess.Popen[str]] = []

    def start(home: Path, *more: str) -> subprocess.Popen[str]:
        started.append(driver(home, *more))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()  # also one that is stopped
        process.communicate()


def driver(home: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "runbook", "resume", RUN, "--home", str(home), "--headless", "--yes", "--json"]
    return subprocess.Popen(
        [*command, "--yes-disruptive", "--speed", "max", *more],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pipesize=4096,  # so that it can never run far ahead of who reads along
    )


def rows(home: Path) -> tuple[int, str]:
    journal = Journal.open(journal_path(home, RUN), write=False)
    try:
        return journal.head()
    finally:
        journal.close()


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def is_in_a_write(home: Path) -> bool:
    for path in (journal_path(home, RUN), run_dir(home, RUN) / CLOUD):
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            db.execute("BEGIN IMMEDIATE; ROLLBACK")
        except apsw.BusyError:
            return True
        finally:
            db.close()
    return False


@pytest.mark.skipif(os.name != "posix", reason="stopping a process is POSIX")
@pytest.mark.timeout(240)
def test_a_real_process_that_was_stopped_and_taken_over_ends_with_exit_code_6_and_touches_nothing(
    tmp_path: Path, resume: Callable[..., subprocess.Popen[str]]
) -> None:
    begin(tmp_path / "whole", "arc-preview")
    whole = resume(tmp_path / "whole")
    told, talk = whole.communicate(timeout=BOUND_S)
    lines = told.splitlines()
    assert whole.returncode == 0, talk
    for part in (0.2, 0.7):
        home = tmp_path / f"frozen-{part}"
        begin(home, "arc-preview")
        frozen = resume(home)
        assert frozen.stdout
        for _ in range(int(len(lines) * part)):
            frozen.stdout.readline()
        stop(frozen)
        while is_in_a_write(home):  # there it holds SQLite's own lock, and nobody can take over before it ends
            frozen.send_signal(signal.SIGCONT)
            frozen.stdout.readline()
            stop(frozen)

        refused = resume(home)
        _, talk = refused.communicate(timeout=BOUND_S)
        assert refused.returncode == 6, talk
        assert f"process {frozen.pid}" in talk

        second = resume(home, "--take-over")
        _, talk = second.communicate(timeout=BOUND_S)
        assert second.returncode == 0, talk
        head, cloud = rows(home), cloud_of(home)
        assert cloud == cloud_of(tmp_path / "whole")

        frozen.send_signal(signal.SIGCONT)
        told, talk = frozen.communicate(timeout=BOUND_S)
        assert frozen.returncode == 6, talk
        assert "taken over" in talk
        assert "Traceback" not in talk
        assert rows(home) == head
        assert cloud_of(home) == cloud
        assert all(json.loads(line)["seq"] <= head[0] for line in told.splitlines())
