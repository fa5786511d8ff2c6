"""What the screens may know of runs beside the one they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.journal.past import Past


@dataclass(frozen=True, slots=True)
class Runs:
    """Both may be slow and are called from worker threads; both may raise ``RunbookError``.

    Attributes:
        listed: the run objects of ``runs --json``, newest first.
        past: of one run, by its id.
    """

    listed: Callable[[], Sequence[Mapping[str, Any]]]
    past: Callable[[str], Past]


def of_same_book(runs: Sequence[Mapping[str, Any]], run: str) -> list[Mapping[str, Any]]:
    """The runs beside which this one may be laid: others of its book, those of another mode first."""
    own = next((r for r in runs if r.get("id") == run), None)
    others = [r for r in runs if own is not None and r.get("book") == own.get("book") and r.get("id") != run]
    return sorted(others, key=lambda r: own is not None and r.get("mode") == own.get("mode"))
