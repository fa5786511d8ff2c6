"""Looking at runs without driving them: no lease, nothing written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runbook.cli import output
from runbook.core.error import RunbookError, RunUnknown
from runbook.core.state import RunState
from runbook.core.view import RunView
from runbook.home import journal_path, run_ids
from runbook.journal import lease
from runbook.journal.load import load_view
from runbook.journal.store import Journal


@contextmanager
def opened(home: Path, run: str, *, archived: bool = False) -> Iterator[Journal]:
    """A run's journal, read-only; with ``archived``, that of one that was put away.

    Raises:
        RunUnknown, TooNew, Damaged: as the class says.
    """
    journal = Journal.open(journal_path(home, run, archived=archived), write=False)
    try:
        yield journal
    finally:
        journal.close()


def view_of(home: Path, run: str, *, archived: bool = False) -> tuple[RunView, str | None]:
    """The run as it stands, and in words who drives it."""
    with opened(home, run, archived=archived) as journal:
        view = load_view(journal)
        row = lease.driver(journal)
        return view, lease.words(row) if row else None


def every_run(home: Path, *, archived: bool = False) -> Iterator[tuple[RunView, str | None]]:
    """Every readable run, the one written to last first; those that cannot be read are told on stderr.

    Args:
        home: the state folder.
        archived: those that were put away, instead.
    """
    for run in sorted(run_ids(home, archived=archived), key=lambda name: _touched(home, name, archived), reverse=True):
        try:
            yield view_of(home, run, archived=archived)
        except RunbookError as error:
            output.talk(f"{run}: {error}")


def newest_unfinished(home: Path) -> str:
    """The id of the unfinished run that was written to last.

    Raises:
        RunUnknown: there is none.
    """
    for view, _ in every_run(home):
        if view.state not in (RunState.DONE, RunState.ABORTED):
            return view.id
    raise RunUnknown(f"There is no unfinished run in {home}.", "`runbook rehearse` starts one.")


def _touched(home: Path, run: str, archived: bool) -> int:
    """When the journal's files were last written to, by the machine's clock, in nanoseconds."""
    path = journal_path(home, run, archived=archived)
    beside = path.with_name(path.name + "-wal")
    return max(p.stat().st_mtime_ns for p in (path, beside) if p.exists())
