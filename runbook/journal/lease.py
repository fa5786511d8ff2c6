"""Who drives a run: one process at a time.

Two things together. A lock file that the driver holds open, which the operating system frees when the process dies,
says whether the driver lives. A row in the journal's driver table, the epoch, says who may append: every append
checks it, so a process that was frozen while another took over can write nothing when it wakes.
Each epoch has a lock file of its own; taking over from a living process needs no say of that process.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runbook.core.clock import iso
from runbook.core.error import Driven, Unwritable
from runbook.journal.store import Driver, Journal

if TYPE_CHECKING:
    from filelock import FileLock  # slow to import, and most readings of a run never need it


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to append under ``epoch``.

    Attributes:
        took_over: whether the driver before was still alive, so that a call of its may still be under way.
    """

    epoch: int
    lock: FileLock
    took_over: bool = False

    def release(self) -> None:
        """Let others drive."""
        self.lock.release()
        with contextlib.suppress(OSError):
            Path(self.lock.lock_file).unlink()


def take(journal: Journal, *, take_over: bool = False, reason: str = "") -> Lease:
    """Become the driver.

    Args:
        journal: open for writing.
        take_over: also when another process that is alive drives the run.
        reason: kept in the driver table.

    Raises:
        Driven: a living process drives it, and ``take_over`` was not asked for.
        LeaseLost: somebody else was quicker.
        Unwritable: the lock file cannot be made.
    """
    import platform

    drivers = journal.drivers()
    newest = drivers[-1].epoch if drivers else 0
    # Somebody who merely asks who drives holds a free lock for an instant: give them time to let go.
    is_alive = bool(drivers) and _is_held(_lock_path(journal.path, newest), patience_s=0.2)
    if is_alive and not take_over:
        raise Driven(
            f"This run is driven by {words(drivers[-1])}.",
            "Look on read-only, ask them to quit, or take over with `runbook resume --take-over`.",
        )
    lock = _taken(_lock_path(journal.path, newest + 1))
    me = Driver(newest + 1, platform.node(), os.getpid(), account(), time.time_ns() // 1_000_000, reason)
    try:
        journal.add_driver(newest, me)
    except BaseException:
        lock.release()
        raise
    _sweep(journal.path, newest)
    return Lease(me.epoch, lock, took_over=is_alive)


def driver(journal: Journal) -> Driver | None:
    """Who drives at this moment, if anybody."""
    drivers = journal.drivers()
    return drivers[-1] if drivers and _is_held(_lock_path(journal.path, drivers[-1].epoch)) else None


def is_driven(folder: Path) -> bool:
    """Whether somebody drives the run in this folder, also where its journal cannot be read."""
    return any(_is_held(path) for path in folder.glob("driver-*.lock"))


def claim(folder: Path, drivers: Sequence[Driver]) -> FileLock:
    """See to it that nobody drives the run in this folder, nor begins to, until the lock is released.

    Nothing is written to the journal: whoever wants to drive needs the lock of the next epoch, and this is it.

    Args:
        folder: the run's.
        drivers: everybody who ever drove it; none where its journal cannot be read, and so nobody can begin.

    Raises:
        Driven: somebody drives it, or is about to.
        Unwritable: the lock file cannot be made.
    """
    if is_driven(folder):
        who = words(drivers[-1]) if drivers else "another process"
        raise Driven(
            f"This run is driven by {who}.", "Ask them to quit, or take over with `runbook resume --take-over`."
        )
    return _taken(folder / f"driver-{(drivers[-1].epoch if drivers else 0) + 1}.lock")


def _taken(path: Path) -> FileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Driven("Another process is taking this run at this moment.", "Try again in a moment.") from None
    except OSError as error:
        raise Unwritable(
            f"{lock.lock_file} cannot be made: {error.strerror}.", "Check the folder's rights and the disk."
        ) from error
    return lock


TAKEN: Final = "taken over"
"""How a reason begins where the driver before was alive."""


def taken_over(why: str = "") -> str:
    """The reason of a take-over, with what its operator said."""
    said = " ".join(why.split())
    return f"{TAKEN}: {said}" if said else TAKEN


def words(row: Driver) -> str:
    """``anna on host-7 (process 4711) since 2026-11-20T08:00:00.000Z``."""
    return f"{row.account} on {row.host} (process {row.pid}) since {iso(row.since_ms)}"


def _lock_path(journal: Path, epoch: int) -> Path:
    return journal.with_name(f"driver-{epoch}.lock")


def _is_held(path: Path, patience_s: float = 0) -> bool:
    if not path.exists():
        return False
    from filelock import FileLock, Timeout

    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=patience_s, poll_interval=0.02)
    except Timeout:
        return True
    except OSError:
        return False  # a read-only folder: nobody can be driving there
    lock.release()
    return False


def _sweep(journal: Path, newest: int) -> None:
    """Lock files of earlier epochs whose drivers are gone. Later ones may be a successor's that is just being taken."""
    for path in journal.parent.glob("driver-*.lock"):
        epoch = path.stem.partition("-")[2]
        if epoch.isdecimal() and int(epoch) <= newest and not _is_held(path):
            with contextlib.suppress(OSError):
                path.unlink()


def account() -> str:
    """Who runs this process, as the machine calls them."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no entry in the password database, as in some containers
        return "unknown"
