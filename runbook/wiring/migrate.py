"""Moving a run to a newer book: looking at the difference, and doing it.

Invariant: looking writes nothing; moving is one append under the run's lease, so it is done or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook.book import book_from_json, check_inputs, load_book
from runbook.core.entry import Draft
from runbook.core.error import UsageError
from runbook.core.redact import redact
from runbook.core.view import RunView
from runbook.engine.migration import Migration, migration
from runbook.home import journal_path
from runbook.journal import lease
from runbook.journal.load import load_view
from runbook.journal.store import Journal


def difference(view: RunView, book: str = "", sets: Mapping[str, Any] | None = None) -> Migration:
    """What moving a run would come to.

    Args:
        view: the run.
        book: a book's name or file; empty for the shipped one of the run's book.
        sets: values for inputs that the run's own book does not have.

    Raises:
        UsageError: as ``migration``, or an input that the run has already is set anew.
        BookError: the book, or what it takes as inputs, is not right.
    """
    if before := view.options.get("undoes"):
        raise UsageError(
            f"Run {view.id} takes back run {before}: its book was made for that, and there is no newer one.",
            f"Go on with it: runbook resume {view.id}",
        )
    new = load_book(book or str(view.book.get("id", "")))
    sets = dict(sets or {})
    if known := sorted(name for name in sets if name in view.inputs):
        raise UsageError(
            f"Run {view.id} has a value for {', '.join(known)} already.", "Only inputs that are new can be set here."
        )
    given = {name: value for name, value in view.inputs.items() if name in new.inputs}
    return migration(view, book_from_json(view.book), new, check_inputs(new, {**given, **sets}))


def migrate_run(home: Path, run: str, book: str = "", sets: Mapping[str, Any] | None = None) -> Migration:
    """Move a run, and let go of it again. Nothing is driven.

    Raises:
        UsageError, BookError: as ``difference``.
        RunUnknown, Driven, TooNew, Damaged, Unwritable: as the class says.
    """
    journal = Journal.open(journal_path(home, run))
    try:
        held = lease.take(journal, reason="a newer book")
        try:
            view = load_view(journal)
            found = difference(view, book, sets)
            if found.is_different:
                draft = found.draft()
                journal.append([Draft(draft.kind, data=redact(draft.data))], view.updated_ms, held.epoch)
            return found
        finally:
            held.release()
    finally:
        journal.close()
