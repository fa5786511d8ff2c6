"""Every run of a state folder at a glance, again and again, cheaply.

Invariants: a journal whose files have not changed is not opened again, and one whose head has not moved is not folded
again; of a run that is written to all the time only the new entries are folded. A run that cannot be read is listed
with its fault and hides no other. Nothing is written, and whoever drives is not disturbed.
"""

from __future__ import annotations

import os
import platform
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from runbook.core.error import Damaged, RunbookError, Unwritable
from runbook.core.summary import RunSummary, summary
from runbook.core.view import RunView
from runbook.home import journal_path, run_ids
from runbook.journal import lease
from runbook.journal.fold import fold
from runbook.journal.load import load_view
from runbook.journal.store import Driver, Journal

_KEPT: Final = 4
"""Of so many runs, those that changed last, the whole view is kept, so that their next entries are folded onto it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One run of the list.

    Attributes:
        summary: how it stands; None when it cannot be read.
        fault: why not.
        driver: who drives it at this moment; None when nobody does.
        touched_ms: when it was last written to, by the machine's clock, also in a rehearsal.
        is_archived: whether it was put away.
        was_lost: whether its last driver ended without leaving it: its lock is still there, and nobody holds it.
    """

    id: str
    summary: RunSummary | None = None
    fault: RunbookError | None = None
    driver: Driver | None = None
    touched_ms: int = 0
    is_archived: bool = False
    was_lost: bool = False


_Mark = tuple[int, ...]
"""What the file system says of a journal's files; another one means that somebody wrote."""


class Runs:
    """The runs of a state folder. Not shared between threads at the same time.

    Args:
        home: the state folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._known: dict[Path, tuple[_Mark, Listed]] = {}
        self._views: OrderedDict[Path, tuple[RunView, str | None]] = OrderedDict()
        self.folded = 0
        """So many times a run's entries were read; for tests of what is cheap."""

    def read(self, *, archived: bool = False) -> Iterator[Listed]:
        """Every run, the one written to last first.

        Args:
            archived: those that were put away, instead.
        """
        found: list[tuple[int, str, Path, _Mark]] = []
        for run in run_ids(self._home, archived=archived):
            try:
                path = journal_path(self._home, run, archived=archived)
                mark = _mark(path)
            except (RunbookError, OSError):  # gone between being seen and being looked at
                continue
            found.append((max(mark[0], mark[2]), run, path, mark))
        for gone in self._known.keys() - {path for _, _, path, _ in found}:
            if (gone.parent.parent.name == "runs") is not archived:
                self._known.pop(gone, None)
                self._views.pop(gone, None)
        for touched_ns, run, path, mark in sorted(found, reverse=True):
            yield self._one(run, path, mark, touched_ns // 1_000_000, archived)

    def _one(self, run: str, path: Path, mark: _Mark, touched_ms: int, archived: bool) -> Listed:
        known = self._known.get(path)
        has_lock = any(path.parent.glob("driver-*.lock"))
        if known is not None and known[0] == mark and not has_lock and known[1].driver is None:
            return known[1]
        listed = Listed(run, touched_ms=touched_ms, is_archived=archived)
        try:
            journal = Journal.open(path, write=False)
            try:
                driver = lease.driver(journal) if has_lock else None
                if known is not None and known[0] == mark and known[1].fault is None:
                    listed = known[1]
                else:
                    listed = replace(listed, summary=self._summary(path, journal, known and known[1]))
                    listed = _touched(listed, known and known[1])
                listed = replace(listed, driver=driver, was_lost=has_lock and driver is None)
            finally:
                journal.close()
        except RunbookError as error:
            listed = replace(listed, fault=error)
        except OSError as error:
            listed = replace(listed, fault=Unwritable(f"{path} cannot be read: {error.strerror}.", "Check its rights."))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            fault = Damaged(f"{path} does not hold what a run has: {error!r}.", "Restore it from a copy.")
            listed = replace(listed, fault=fault)
        self._known[path] = (mark, listed)
        return listed

    def _summary(self, path: Path, journal: Journal, before: Listed | None) -> RunSummary:
        seq, hash_ = journal.head()
        kept = self._views.get(path)
        if before is not None and before.summary is not None and kept is not None:
            if kept[0].head == seq and kept[1] == hash_:
                return before.summary
        self.folded += 1
        if kept is not None and journal.hash_at(kept[0].head) == kept[1]:
            view = fold(kept[0], journal.entries(after=kept[0].head))
        else:
            view = load_view(journal)
        if before is not None:  # it changed while somebody looked on, and will again
            self._views[path] = (view, journal.hash_at(view.head))
            self._views.move_to_end(path)
            while len(self._views) > _KEPT:
                self._views.popitem(last=False)
        return summary(view)


def not_ours(run: Listed) -> Listed:
    """The run, not driven where this process drives it: who lists runs has left the one that was driven here."""
    d = run.driver
    is_ours = d is not None and d.pid == os.getpid() and d.host == platform.node()
    return replace(run, driver=None) if is_ours else run


def _touched(listed: Listed, before: Listed | None) -> Listed:
    """When the newest entry was written. Looking alone moves a file's time; a rehearsal's entries have only its own."""
    if listed.summary is not None and listed.summary.mode == "live":
        return replace(listed, touched_ms=listed.summary.updated_ms)
    if before is not None and listed.summary is not None and listed.summary == before.summary:
        return replace(listed, touched_ms=before.touched_ms)
    return listed


def _mark(path: Path) -> _Mark:
    """Time and size of the journal, and of its newest entries beside it.

    A reader may leave an empty file of newest entries behind: it is nobody's writing.
    """
    main = path.stat()
    try:
        log = path.with_name(path.name + "-wal").stat()
    except OSError:
        return (main.st_mtime_ns, main.st_size, 0, 0)
    return (main.st_mtime_ns, main.st_size, log.st_mtime_ns if log.st_size else 0, log.st_size)
