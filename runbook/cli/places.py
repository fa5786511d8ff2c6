"""Where an operator looked last in a run: one small file for each of them, in the run's folder.

Invariant: a reader finds a whole file or none. It is no record: what cannot be read or written is simply not known.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final

from runbook.core.error import RunbookError
from runbook.core.ids import digest
from runbook.home import run_dir
from runbook.journal.lease import account
from runbook.tui.memory import Place

MOST_BYTES: Final = 200_000
"""A larger file is not ours."""


def place_path(home: Path, run: str) -> Path:
    """The file of this operator for a run; it need not exist.

    Raises:
        UsageError: that cannot be a run's id.
    """
    return run_dir(home, run) / f"place-{digest(account(), 8)}.json"


def recall(home: Path, run: str) -> Place | None:
    """Where this operator looked last; None when that is not known."""
    try:
        path = place_path(home, run)
        if path.stat().st_size > MOST_BYTES:
            return None
        return Place.from_doc(json.loads(path.read_text("utf-8")))
    except (RunbookError, OSError, ValueError):
        return None


def keep(home: Path, run: str, place: Place) -> None:
    """Write down where this operator looks now."""
    with contextlib.suppress(RunbookError, OSError):
        path = place_path(home, run)
        handle, name = tempfile.mkstemp(prefix=".place-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(place.to_doc(), file)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
