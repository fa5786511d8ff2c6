"""What the home screen is given: how to read runs and books, and how to do what is chosen there.

The command line hands it in, so that the screen knows neither folders nor clouds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.core.expected import Experience
from runbook.tui.present.books import BookLine

if TYPE_CHECKING:
    from textual.screen import Screen

    from runbook.core.entry import Entry
    from runbook.engine.host import Attachment
    from runbook.journal.runs import Listed


@dataclass(frozen=True, slots=True)
class Told:
    """What a closer look at one row brought."""

    entries: Sequence[Entry] = ()
    past: Experience | None = None
    """What runs of its kind took."""
    live: Experience | None = None
    """Of a book: what its live runs took."""


@dataclass(frozen=True, slots=True)
class Home:
    """What the home screen is given. What may be slow is called from worker threads, one at a time.

    Attributes:
        list_runs: with True, those that were put away instead.
        open_run: for driving, or looking on where another process drives.
        watch_run: for looking on in any case.
        start_rehearsal: of a book; makes the run first.
        archive: puts a run away; with True, brings it back.
        report: writes a run's report to a file, with True also over one that exists; returns the journal's faults.
        told_of_run: its last entries, and what runs like it took.
        told_of_book: what runs of it took.
        now_ms: the machine's clock.
        new_run: a screen that makes a run of a book, or of one it asks for, and ends with the run's id.
    """

    list_runs: Callable[[bool], Iterable[Listed]]
    list_books: Callable[[], Sequence[BookLine]]
    open_run: Callable[[str], Attachment]
    watch_run: Callable[[str], Attachment]
    start_rehearsal: Callable[[str], Attachment]
    archive: Callable[[str, bool], None]
    report: Callable[[Listed, Path, bool], Sequence[str]]
    told_of_run: Callable[[Listed], Told]
    told_of_book: Callable[[str], Told]
    now_ms: Callable[[], int]
    new_run: Callable[[str], Screen[str | None]] | None = None
