"""Opening a run's view quickly: the newest snapshot, then the entries after it."""

from __future__ import annotations

import json
from typing import Final

from runbook.core.view import RunView
from runbook.journal.fold import FORM, fold, from_snapshot, to_snapshot
from runbook.journal.store import Journal

_SNAPSHOT_EVERY: Final = 2_000
_ENTRIES_A_NODE: Final = 4


def is_snapshot_due(view: RunView, kept: int) -> bool:
    """Whether the driver should keep a new snapshot; ``kept`` is the entry of the last one.

    A snapshot costs as much as there are nodes, so large runs keep one more rarely.
    """
    return view.head - kept >= max(_SNAPSHOT_EVERY, _ENTRIES_A_NODE * len(view.nodes))


def load_view(journal: Journal) -> RunView:
    """The run as it stands.

    Raises:
        Damaged: the entries do not make sense.
    """
    start = _kept(journal)
    return fold(start, journal.entries(after=start.head))


def _kept(journal: Journal) -> RunView:
    text = journal.snapshot(FORM)
    try:
        return from_snapshot(json.loads(text)) if text else RunView()
    except (ValueError, KeyError, TypeError):  # derived, so never missed: the entries tell it all again
        return RunView()


def keep_snapshot(journal: Journal, view: RunView) -> None:
    """Keep this view, which must be the fold of everything up to its head."""
    seq, hash_ = journal.head()
    if view.head == seq:
        journal.save_snapshot(seq, hash_, FORM, to_snapshot(view))
