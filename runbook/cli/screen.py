"""``runbook`` alone: the home screen, with the runs to go on with and the books to rehearse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runbook.cli import output
from runbook.cli.driving import Front, check_terminal, settings_of
from runbook.cli.exits import Exit
from runbook.cli.names import names_of


def show_home(home: Path) -> Exit:
    """Show the home screen until the operator leaves.

    Raises:
        UsageError: there is no terminal.
        RunbookError: the screen broke.
    """
    check_terminal()
    from runbook.tui.app import run_home

    failure = run_home(
        lambda: _runs(home),
        _books,
        lambda run: _open(home, run),
        lambda book: _open(home, _create(home, book)),
        output.program(),
        settings_of(home),
        names_of(home),
    )
    if failure is not None:
        raise failure
    return Exit.DONE


def _runs(home: Path) -> list[dict[str, Any]]:
    from runbook.cli.listing import run_doc
    from runbook.cli.reading import every_run

    return [run_doc(view, driver) for view, driver in every_run(home, quietly=True)]


def _books() -> list[Any]:
    from runbook.book import list_books

    return [book for book in list_books() if not book.fault]


def _create(home: Path, book: str) -> str:
    from runbook.wiring import Wish, create_run

    return create_run(home, Wish(book))


def _open(home: Path, run: str) -> Any:
    from runbook.wiring import attach

    return attach(home, run, **Front().opening)
