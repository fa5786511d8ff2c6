"""``runbook`` alone: the home screen, with the runs to go on with and the books to rehearse."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runbook.cli import output
from runbook.cli.driving import Front, check_terminal, settings_of
from runbook.cli.exits import Exit

if TYPE_CHECKING:
    from runbook.journal.history import History
    from runbook.journal.runs import Listed, Runs
    from runbook.tui.given import Told

ENTRIES: Final = 6
"""So many of a run's last entries the home screen shows."""


def show_home(home: Path) -> Exit:
    """Show the home screen until the operator leaves.

    Raises:
        UsageError: there is no terminal.
        RunbookError: the screen broke.
    """
    check_terminal()
    from runbook.core.clock import RealClock
    from runbook.tui.app import run_home
    from runbook.tui.given import Home

    desk = Desk(home)
    given = Home(
        list_runs=desk.runs,
        list_books=_books,
        open_run=lambda run: _open(home, run),
        watch_run=lambda run: _watch(home, run),
        take_over=lambda run: _open(home, run, take_over=True),
        start_rehearsal=lambda book: _open(home, _create(home, book)),
        archive=lambda run, back: _archive(home, run, back),
        report=lambda run, path, over: _report(home, run, path, over),
        told_of_run=desk.told_of_run,
        told_of_book=desk.told_of_book,
        now_ms=RealClock().now_ms,
    )
    failure = run_home(given, output.program(), settings_of(home))
    if failure is not None:
        raise failure
    return Exit.DONE


class Desk:
    """What is known of the runs of a state folder, read again and again, by one thread at a time.

    Args:
        home: the state folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._newest: list[Listed] = []

    @cached_property
    def _runs(self) -> Runs:
        from runbook.journal.runs import Runs

        return Runs(self._home)

    @cached_property
    def _history(self) -> History:
        from runbook.journal.history import History

        return History(self._home)

    def runs(self, archived: bool = False) -> Iterator[Listed]:
        """The runs, the one written to last first; with ``archived``, those that were put away."""
        found: list[Listed] = []
        with self._lock:
            for run in self._runs.read(archived=archived):
                found.append(run)
                yield run
            if not archived:
                self._newest = found

    def told_of_run(self, run: Listed) -> Told:
        """Its last entries, and what runs like it took."""
        from runbook.engine.follower import read_entries
        from runbook.home import journal_path
        from runbook.tui.given import Told

        if run.summary is None:
            return Told()
        entries = read_entries(journal_path(self._home, run.id, archived=run.is_archived), None, ENTRIES)
        s = run.summary
        return Told(entries, self._history.of_book(s.book, self._known(), s.mode, s.scenario))

    def told_of_book(self, book: str) -> Told:
        """What rehearsals and live runs of it took."""
        from runbook.tui.given import Told

        known = self._known()
        live = [run for run in known if run.summary is not None and run.summary.mode == "live"]
        return Told((), self._history.of_book(book, known), self._history.of_book(book, live, "live"))

    def _known(self) -> Sequence[Listed]:
        return tuple(self._newest)


def _books() -> list[Any]:
    from runbook.book import list_books

    return [book for book in list_books() if not book.fault]


def _create(home: Path, book: str) -> str:
    from runbook.wiring import Wish, create_run

    return create_run(home, Wish(book))


def _open(home: Path, run: str, *, take_over: bool = False) -> Any:
    from runbook.wiring import attach

    return attach(home, run, **Front(take_over=take_over).opening)


def _watch(home: Path, run: str) -> Any:
    from runbook.engine.host import Follower
    from runbook.home import journal_path

    return Follower(journal_path(home, run))


def _archive(home: Path, run: str, back: bool) -> None:
    from runbook.wiring.archive import archive, unarchive

    if back:
        unarchive(home, run)
    else:
        archive(home, run, unfinished=True)  # the screen has asked


def _report(home: Path, run: Listed, path: Path, over: bool) -> list[str]:
    from runbook.cli.report import write_report

    return write_report(home, run.id, path, over=over, archived=run.is_archived)
