"""What screens are told of the runs of a state folder, beside the run that they show."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runbook.core.expected import Expected
    from runbook.core.view import RunView
    from runbook.journal.history import History
    from runbook.journal.runs import Listed, Runs
    from runbook.tui.given import Told
    from runbook.tui.memory import Memory

ENTRIES: Final = 6
"""So many of a run's last entries the home screen shows."""

NEWEST: Final = 40
"""Of so many runs, the newest, it is asked how long they took, where nobody listed all of them."""


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

    def memory(self) -> Memory:
        """What run screens are given beside their runs."""
        from runbook.cli.places import keep, recall
        from runbook.tui.memory import Memory

        return Memory(partial(recall, self._home), partial(keep, self._home), self._expected)

    def _expected(self, view: RunView) -> Expected:
        """How long the steps of a run take: in runs like it, and where they tell nothing, in itself so far."""
        if not self._newest:
            with self._lock:
                self._newest = list(islice(self._runs.read(), NEWEST))
        others = [run for run in self._newest if run.id != view.id]
        known = self._history.of_book(str(view.book.get("id", "")), others, view.mode, view.scenario).steps
        return {**self._history.of_run(view.id), **known}
