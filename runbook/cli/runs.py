"""``runbook runs``: every run of this state folder, read without disturbing who drives it."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of run objects.")
@home_option
@click.pass_obj
def command(settings: Settings, as_json: bool) -> Exit:
    """List the runs, newest first."""
    from runbook.cli.listing import run_doc, runs_lines
    from runbook.cli.reading import every_run

    rows = list(every_run(settings.home))
    if as_json:
        output.json_data([run_doc(view, driver) for view, driver in rows])
    elif rows:
        for line in runs_lines(rows):
            output.data(line)
    else:
        output.talk(f"No runs in {settings.home} yet. `runbook rehearse` starts one.")
    return Exit.DONE
