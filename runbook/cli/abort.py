"""``runbook abort``: end a run for good."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option("--text", "reason", default="", metavar="T", help="The reason; it stands in the report.")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, reason: str) -> Exit:
    """End RUN for good. What was changed stays changed."""
    from runbook.core.command import Abort
    from runbook.wiring import answer_run

    answer_run(settings.home, run, Abort(reason))
    output.talk(f"Run {run} is aborted. What it changed stays: `runbook report {run} --format md` tells what that is.")
    return Exit.DONE
