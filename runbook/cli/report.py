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
@home_option
@click.pass_obj
def command(settings: Settings, run: str, form: str, out: str | None) -> Exit:
    """Write the report of RUN: every command, check, approval, wait, attestation and skip.

    A report may be written at any time; it says how the run stood.
    """
    text, is_damaged = report_text(settings.home, run, form)
    if out is None:
        output.document(text)
    else:
        _write(Path(out), text)
        output.talk(f"Wrote {out}.")
    if is_damaged:
        output.talk(f"The journal of {run} is damaged; the report says where.")
        return Exit.FAILED
    return Exit.DONE


def report_text(home: Path, run: str, form: str) -> tuple[str, bool]:
    """The report of a run in a form, and whether its journal is damaged.

    Raises:
        RunUnknown, TooNew, Damaged: as the class says.
    """
    from runbook.cli.reading import opened
    from runbook.journal.load import load_view
    from runbook.report import render, report_doc

    with opened(home, run) as journal:
        faults = journal.check()
        doc = report_doc(load_view(journal), journal.entries(), journal.drivers(), journal.head(), faults)
    return render(doc, form), bool(faults)


def _write(path: Path, text: str) -> None:
    from runbook.core.error import UsageError

    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", "Choose another file.") from error
