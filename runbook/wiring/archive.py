"""Putting runs away, and bringing them back.

Invariants: a run is moved whole, by one rename, or not at all; never while somebody drives it; never onto another run.
Nothing in it is read for its meaning or written, so that a damaged run, or one of a later release, can be put away too.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from runbook.core.error import Damaged, RunbookError, RunUnknown, TooNew, Unwritable, UsageError
from runbook.home import JOURNAL, journal_path, private_folder, run_dir
from runbook.journal import lease
from runbook.journal.load import load_view
from runbook.journal.store import Driver, Journal


def archive(home: Path, run: str, *, unfinished: bool = False) -> Path:
    """Put a run away, out of every listing; nothing of it is deleted.

    Args:
        home: the state folder.
        run: the run's id.
        unfinished: also one that is neither done nor aborted.

    Returns:
        Where it lies now.

    Raises:
        UsageError: it is unfinished, and that was not said.
        RunUnknown, Driven, Unwritable: as the class says.
    """
    path = journal_path(home, run)
    if not unfinished and not _is_over(path):
        raise UsageError(
            f"Run {run} is neither done nor aborted: put away, nobody would be reminded of it.",
            "Say so with --unfinished, or end it first: `runbook abort`.",
        )
    return _move(path.parent, run_dir(home, run, archived=True))


def unarchive(home: Path, run: str) -> Path:
    """Bring a run back to where it is listed and can be gone on with.

    Returns:
        Where it lies now.

    Raises:
        RunUnknown: none of that name was put away.
        UsageError: a run of that name exists meanwhile.
        Driven, Unwritable: as the class says.
    """
    source, target = run_dir(home, run, archived=True), run_dir(home, run)
    if not source.exists():
        there = "It is not put away." if target.exists() else "`runbook runs --all` lists those that were."
        raise RunUnknown(f"No run {run!r} was put away in {home}.", there)
    return _move(source, target)


def _is_over(path: Path) -> bool:
    """Whether the run has ended; a damaged one will not go on either. A later release's is for that release to say."""
    try:
        journal = Journal.open(path, write=False)
        try:
            view = load_view(journal)
        finally:
            journal.close()
    except Damaged:
        return True
    except TooNew:
        return False
    return view.is_over


def _move(source: Path, target: Path) -> Path:
    private_folder(target.parent)
    if target.exists():
        raise UsageError(f"{target} exists already.", "Move one of the two runs away by hand.")
    lock = lease.claim(source, _drivers(source))
    held = Path(lock.lock_file)
    try:
        if os.name == "nt":  # there a folder with an open file cannot be moved; nor can one that somebody drives
            lock.release()
        source.rename(target)
    except OSError as error:
        raise Unwritable(
            f"{source} cannot be moved to {target}: {error.strerror}.", "Check the rights of both folders."
        ) from error
    finally:
        lock.release()
        for place in (held, target / held.name):
            with contextlib.suppress(OSError):
                place.unlink()
    return target


def _drivers(folder: Path) -> list[Driver]:
    try:
        journal = Journal.open(folder / JOURNAL, write=False)
        try:
            return journal.drivers()
        finally:
            journal.close()
    except RunbookError:  # this release cannot read it, and so cannot drive it
        return []
