"""``runbook`` alone: the home screen, with the runs to go on with and the books to rehearse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cli import output
from runbook.cli.desk import Desk
from runbook.cli.driving import Front, around, check_terminal
from runbook.cli.exits import Exit

if TYPE_CHECKING:
    from runbook.journal.runs import Listed
    from runbook.tui.given import Home


def show_home(home: Path, plain: bool = False) -> Exit:
    """Show the home screen until the operator leaves; in lines where that is wished for.

    Raises:
        UsageError: there is no terminal.
        RunbookError: the screen broke.
    """
    from runbook.cli.plainly import is_plain

    if is_plain(home, plain):
        from runbook.cli.plain_home import show_plain_home

        return show_plain_home(home)
    check_terminal()
    from runbook.tui.app import run_home

    desk = Desk(home)
    failure = run_home(given(home, desk), output.program(), around(home, desk))
    if failure is not None:
        raise failure
    return Exit.DONE


def given(home: Path, desk: Desk) -> Home:
    """What a home screen that may do everything is given."""
    from runbook.core.clock import RealClock
    from runbook.journal.runs import not_ours
    from runbook.tui.given import Home

    return Home(
        list_runs=lambda archived: map(not_ours, desk.runs(archived)),
        list_books=books,
        open_run=lambda run: open_here(home, run),
        watch_run=lambda run: watch(home, run),
        start_rehearsal=lambda book: open_here(home, create(home, book)),
        archive=lambda run, back: _archive(home, run, back),
        report=lambda run, path, over: _report(home, run, path, over),
        told_of_run=desk.told_of_run,
        told_of_book=desk.told_of_book,
        now_ms=RealClock().now_ms,
        new_run=_maker(home),
    )


def _maker(home: Path) -> Callable[[str], Any]:
    """Makes the form of a new run; one sign-in serves all of them."""
    from runbook.cli.making import Workshop

    workshop = Workshop(home)

    def form(book: str) -> Any:
        from runbook.tui.screens.new_run import NewRunScreen

        return NewRunScreen(workshop.making, book)

    return form


def books() -> list[Any]:
    """The books that can be rehearsed."""
    from runbook.book import list_books

    return [book for book in list_books() if not book.fault]


def create(home: Path, book: str) -> str:
    """A rehearsal of a book; gives the run's id."""
    from runbook.wiring import Wish, create_run

    return create_run(home, Wish(book))


def open_here(home: Path, run: str) -> Any:
    """A run to drive; to look on where another process drives it."""
    from runbook.wiring import attach

    return attach(home, run, **Front().opening)


def watch(home: Path, run: str) -> Any:
    """A run to look on."""
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
