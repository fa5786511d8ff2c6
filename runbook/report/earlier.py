"""How long waits took in earlier runs on this machine: read from their journals, only when asked, a bounded number.

Like is compared with like: runs of the same book and mode (a rehearsal's days are simulated), the same step, the same
party. Runs that cannot be read are left out: this is a help, and nothing depends on it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runbook.core.error import RunbookError
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.home import journal_path, run_ids
from runbook.journal.load import load_view
from runbook.journal.store import Journal

MOST_RUNS: Final = 20
"""The newest so many other runs are asked."""
MOST_ROWS: Final = 200_000
"""No more journal rows than these are behind an answer; a longer journal is left out."""

Waits = Mapping[tuple[str, str], tuple[float, ...]]
"""Seconds, by step and by whom was waited for; shortest first."""


def earlier_waits(home: Path, view: RunView) -> Waits:
    """How long the waits of this kind of run took before. Empty, and nothing is read, while this run does not wait."""
    kinds = {
        (n.doc["step"], n.waiting["who"])
        for n in view.nodes.values()
        if n.waiting is not None and n.state is NodeState.WAITING
    }
    if not kinds:
        return {}
    found: dict[tuple[str, str], list[float]] = {}
    rows = 0
    for run in _newest_first(home, view.id)[:MOST_RUNS]:
        with contextlib.suppress(RunbookError):
            journal = Journal.open(journal_path(home, run), write=False)
            try:
                rows += journal.head()[0]
                if rows > MOST_ROWS:
                    break
                first = next(journal.entries(last=None), None)
                if first is None or _kind(first.data) != (view.mode, view.book.get("id", "")):
                    continue
                other = load_view(journal)
            finally:
                journal.close()
            for node in other.nodes.values():
                for wait in node.waited:
                    if (kind := (node.doc["step"], wait["who"])) in kinds and node.state is NodeState.DONE:
                        found.setdefault(kind, []).append(max(0.0, (wait["until_ms"] - wait["since_ms"]) / 1000))
    return {kind: tuple(sorted(lengths)) for kind, lengths in found.items()}


def _kind(created: Mapping[str, object]) -> tuple[object, object]:
    book = created.get("book")
    return created.get("mode"), book.get("id", "") if isinstance(book, dict) else ""


def _newest_first(home: Path, but: str) -> list[str]:
    def touched(run: str) -> int:
        try:
            return journal_path(home, run).stat().st_mtime_ns
        except (OSError, RunbookError):
            return 0

    return sorted((r for r in run_ids(home) if r != but), key=touched, reverse=True)
