"""Where runs are kept on this machine, and the only module that knows.

A run is a folder of its own below ``runs/``, named by its id, which holds its journal and, for a rehearsal, its
simulated cloud. One that was put away lies, just the same, below ``runs-archive/``: it is neither listed nor driven
there, and nothing of it is lost. No two runs have one id, wherever they lie. Folders are made for their owner alone.
Looking never makes anything.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from runbook.core.error import RunUnknown, Unwritable, UsageError
from runbook.core.ids import RUN_ID

VARIABLE: Final = "RUNBOOK_HOME"

JOURNAL: Final = "journal.db"
CLOUD: Final = "cloud.db"

_RUNS: Final = "runs"
_ARCHIVE: Final = "runs-archive"


def state_home(given: str | Path | None = None) -> Path:
    """The state folder: as given, else ``RUNBOOK_HOME``, else where this system keeps an application's state."""
    if named := given or os.environ.get(VARIABLE):
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path

    return user_state_path("runbook", appauthor=False)


def run_dir(home: Path, run: str, *, archived: bool = False) -> Path:
    """The folder of a run; it need not exist.

    Args:
        home: the state folder.
        run: the run's id.
        archived: where it would lie if it were put away.

    Raises:
        UsageError: that cannot be a run's id.
    """
    if not RUN_ID.fullmatch(run):
        raise UsageError(
            f"{run!r} is not a run id.",
            "Use up to 64 lower-case letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
        )
    return home / (_ARCHIVE if archived else _RUNS) / run


def is_taken(home: Path, run: str) -> bool:
    """Whether there is a run of this id already, here or put away.

    Raises:
        UsageError: that cannot be a run's id.
    """
    return run_dir(home, run).exists() or run_dir(home, run, archived=True).exists()


def journal_path(home: Path, run: str, *, archived: bool = False) -> Path:
    """The journal of a run that exists.

    Args:
        home: the state folder.
        run: the run's id.
        archived: of one that was put away.

    Raises:
        UsageError: that cannot be a run's id.
        RunUnknown: there is no such run.
    """
    path = run_dir(home, run, archived=archived) / JOURNAL
    try:
        is_there = path.is_file()
    except OSError as error:
        raise Unwritable(f"{path} cannot be read: {error.strerror}.", "Check the folder's rights.") from error
    if not is_there:
        raise RunUnknown(f"There is no run {run!r} in {home}.", _near(home, run))
    return path


def _near(home: Path, run: str) -> str:
    from difflib import get_close_matches

    if run_dir(home, run, archived=True).exists():
        return f"It was put away: `runbook archive {run} --undo` brings it back."
    near = get_close_matches(run, run_ids(home), n=3)
    return f"Did you mean {' or '.join(near)}?" if near else "`runbook runs` lists the runs."


def run_ids(home: Path, *, archived: bool = False) -> list[str]:
    """Every run's id, sorted; none when the folder is absent or cannot be read.

    Args:
        home: the state folder.
        archived: of those that were put away, instead.
    """
    try:
        with os.scandir(home / (_ARCHIVE if archived else _RUNS)) as found:
            names = [
                e.name for e in found if RUN_ID.fullmatch(e.name) and os.path.exists(os.path.join(e.path, JOURNAL))
            ]
    except OSError:
        return []
    return sorted(names)


def private_folder(path: Path) -> Path:
    """Make a folder, and those above it, for its owner alone.

    Raises:
        Unwritable: it cannot be made.
    """
    try:
        for folder in [*reversed(path.parents), path]:
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        if not path.is_dir():
            raise NotADirectoryError(20, "it is not a folder")
    except OSError as error:
        raise Unwritable(
            f"The folder {path} cannot be made: {error.strerror}.",
            f"Name another with --home or {VARIABLE}, or put its rights right.",
        ) from error
    return path
