"""``runbook note``: a remark in a run's journal, for whoever drives or reads it next."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.argument("text")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, text: str) -> Exit:
    """Write TEXT into RUN. It stands among its entries, in its report and on the home screen; it cannot be taken out.

    A run that is over takes notes, too. While another process drives it, write the note there (N).
    """
    from runbook.cli.policy import account
    from runbook.cli.reading import view_of
    from runbook.core.command import Note
    from runbook.wiring import answer_run

    view, _driver = view_of(settings.home, run)
    answer_run(settings.home, run, Note(text, account(view)))
    output.talk(f"Noted in {run}.")
    return Exit.DONE
