"""What earlier runs on this machine took: read from their journals, bounded, and only when somebody asks.

Invariant: no more than ``RUNS`` journals and ``MOVES`` rows of each are read for one book, and none twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runbook.core.error import RunbookError
from runbook.core.expected import Expected, Experience, Past, expected, experience, past, stretches
from runbook.core.state import RunState
from runbook.home import journal_path
from runbook.journal.runs import Listed
from runbook.journal.store import Journal

RUNS: Final = 12
"""So many finished runs of a book are looked at, the newest ones."""

MOVES: Final = 20_000
"""So many rows of each: a run of five thousand nodes, from its beginning."""

_SIMULATED: Final = "in rehearsals"


class History:
    """Experience with books, kept in memory. Not shared between threads at the same time.

    Args:
        home: the state folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._read: dict[tuple[str, bool, int], Past | None] = {}

    def of_book(self, book: str, listed: Iterable[Listed], mode: str = "rehearsal", scenario: str = "") -> Experience:
        """What finished runs of a book took.

        Args:
            book: its id.
            listed: every run that may be looked at, the newest first.
            mode: a live run's times say nothing about a rehearsal's; of the other kind only where there are none.
            scenario: of a rehearsal; runs of the same one come first.
        """
        done = [run for run in listed if run.summary is not None and _is_done(run) and run.summary.book == book]
        alike = [run for run in done if run.summary is not None and run.summary.mode == mode]
        if scenario:
            same = [run for run in alike if run.summary is not None and run.summary.scenario == scenario]
            alike = same or alike
        where = ""
        if not alike and mode == "live":
            alike, where = done, _SIMULATED
        return experience([read for run in alike[:RUNS] if (read := self._past(run)) is not None], where)

    def of_run(self, run: str) -> Expected:
        """How long the steps of one run, also an unfinished one, have taken in it so far."""
        try:
            journal = Journal.open(journal_path(self._home, run), write=False)
            try:
                moves = journal.moves(MOVES)
            finally:
                journal.close()
        except RunbookError:
            return {}
        return expected(stretches(moves), "here")

    def _past(self, run: Listed) -> Past | None:
        key = (run.id, run.is_archived, run.touched_ms)
        if key not in self._read:
            try:
                journal = Journal.open(journal_path(self._home, run.id, archived=run.is_archived), write=False)
                try:
                    self._read[key] = past(journal.moves(MOVES))
                finally:
                    journal.close()
            except RunbookError:  # it may have been moved or damaged since it was listed
                self._read[key] = None
        return self._read[key]


def _is_done(run: Listed) -> bool:
    return run.summary is not None and run.summary.state is RunState.DONE
