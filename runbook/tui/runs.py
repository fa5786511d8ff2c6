"""What the screens may know of runs beside the one they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runbook.core.summary import RunSummary
from runbook.journal.past import Past


@dataclass(frozen=True, slots=True)
class Runs:
    """Both may be slow and are called from worker threads; both may raise ``RunbookError``.

    Attributes:
        listed: every readable one that was not put away, the one written to last first.
        past: of one run, by its id.
    """

    listed: Callable[[], Sequence[RunSummary]]
    past: Callable[[str], Past]


def of_same_book(runs: Sequence[RunSummary], run: str) -> list[RunSummary]:
    """The runs beside which this one may be laid: others of its book, those of another mode first."""
    own = next((r for r in runs if r.id == run), None)
    if own is None:
        return []
    return sorted((r for r in runs if r.book == own.book and r.id != run), key=lambda r: r.mode == own.mode)
