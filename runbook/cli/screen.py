"""``runbook`` alone: the home screen, with the runs to go on with and the books to rehearse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runbook.cli import output
from runbook.cli.driving import Front, check_terminal, settings_of
from runbook.cli.exits import Exit


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

    failure = run_home(
        lambda: runs(home),
        books,
        lambda run: open_here(home, run),
        lambda book: open_here(home, create(home, book)),
        output.program(),
        settings_of(home),
    )
    if failure is not None:
        raise failure
    return Exit.DONE


def runs(home: Path) -> list[dict[str, Any]]:
    """The run objects of ``runs --json``, newest first."""
    from runbook.cli.listing import run_doc
    from runbook.cli.reading import every_run

    return [run_doc(view, driver) for view, driver in every_run(home, quietly=True)]


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
