"""``runbook report``: the hand-over report of a run."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option(
    "--format", "form", type=click.Choice(["md", "html", "json"]), default="md", show_default=True, help="Its form."
)
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write to a file, not to stdout.")
@click.option(
    "--sign",
    "key",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Sign it by this Ed25519 key (PEM, readable by you alone). [default: the file that RUNBOOK_SIGNING_KEY names]",
)
@home_option
@click.pass_obj
def command(settings: Settings, run: str, form: str, out: str | None, key: str | None) -> Exit:
    """Write the report of RUN: the map, every command, check, approval, wait, attestation and skip.

    A report may be written at any time; it says how the run stood. `runbook journal check REPORT.json` proves that the
    JSON form belongs to the journal, and checks its signature.
    """
    text, faults = report_text(settings.home, run, form, key=key)
    if out is None:
        output.document(text)
    else:
        _write(Path(out), text)
        output.talk(f"Wrote {out}.")
    if faults:
        output.talk(f"The journal of {run} is damaged; the report says where.")
        return Exit.FAILED
    return Exit.DONE


def write_report(home: Path, run: str, path: Path, *, over: bool = False, archived: bool = False) -> list[str]:
    """Write the report of a run, as HTML.

    Args:
        home: the state folder.
        run: the run's id.
        path: the file to make.
        over: also in place of a file that exists.
        archived: of a run that was put away.

    Returns:
        The journal's faults; the report says where they are.

    Raises:
        UsageError: the file exists, or cannot be written.
        RunUnknown, TooNew, Damaged: as the class says.
    """
    text, faults = report_text(home, run, "html", archived)
    _write(path, text, over=over)
    return faults


def report_text(
    home: Path, run: str, form: str, archived: bool = False, key: str | None = None
) -> tuple[str, list[str]]:
    """The report of a run in a form, and the faults of its journal. It is signed where a key is named.

    Raises:
        UsageError: the key's file is not there, readable by others, or holds no key of that kind.
        RunUnknown, TooNew, Damaged: as the class says.
    """
    from runbook.cli.reading import opened
    from runbook.core.view import RunView
    from runbook.journal.fold import fold
    from runbook.report import render, report_doc

    with opened(home, run, archived=archived) as journal:
        faults = journal.check()
        entries = list(journal.entries())  # one moment of it, also while somebody drives
        head = (entries[-1].seq, entries[-1].hash) if entries else journal.head()
        doc = report_doc(fold(RunView(), entries), entries, journal.drivers(), head, faults)
    from runbook.report.signature import VARIABLE, sign

    if key_file := key or os.environ.get(VARIABLE):
        doc = sign(doc, Path(key_file).expanduser())
    return render(doc, form), faults


def _write(path: Path, text: str, *, over: bool = True) -> None:
    from runbook.core.error import UsageError

    mode = os.O_TRUNC if over else os.O_EXCL
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already.", "Choose another file.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", "Choose another file.") from error
