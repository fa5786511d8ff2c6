"""``runbook`` alone: the home screen, with the runs to go on with and the books to rehearse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cli import output
from runbook.cli.desk import Desk
from runbook.cli.driving import Front, check_terminal, runs_of, settings_of
from runbook.cli.exits import Exit

if TYPE_CHECKING:
    from runbook.journal.runs import Listed


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
        take_over=lambda run, because: _open(home, run, take_over=True, because=because),
        start_rehearsal=lambda book: _open(home, _create(home, book)),
        archive=lambda run, back: _archive(home, run, back),
        report=lambda run, path, over: _report(home, run, path, over),
        told_of_run=desk.told_of_run,
        told_of_book=desk.told_of_book,
        now_ms=RealClock().now_ms,
        new_run=_maker(home),
    )
    failure = run_home(given, output.program(), settings_of(home), desk.memory(), runs_of(home))
    if failure is not None:
        raise failure
    return Exit.DONE


def _maker(home: Path) -> Callable[[str], Any]:
    """Makes the form of a new run; one sign-in serves all of them."""
    from runbook.cli.making import Workshop

    workshop = Workshop(home)

    def form(book: str) -> Any:
        from runbook.tui.screens.new_run import NewRunScreen

        return NewRunScreen(workshop.making, book)

    return form


def _books() -> list[Any]:
    from runbook.book import list_books

    return [book for book in list_books() if not book.fault]


def _create(home: Path, book: str) -> str:
    from runbook.wiring import Wish, create_run

    return create_run(home, Wish(book))


def _open(home: Path, run: str, *, take_over: bool = False, because: str = "") -> Any:
    from runbook.wiring import attach

    return attach(home, run, **Front(take_over=take_over, because=because).opening)


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
