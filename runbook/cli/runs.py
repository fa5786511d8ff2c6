"""``runbook runs``: every run of this state folder, read without disturbing who drives it."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of run objects.")
@click.option("--all", "is_whole", is_flag=True, help="Also those that were put away by `archive`.")
@home_option
@click.pass_obj
def command(settings: Settings, as_json: bool, is_whole: bool) -> Exit:
    """List the runs, newest first."""
    from runbook.cli.listing import run_doc, runs_lines
    from runbook.cli.reading import every_run

    rows = list(every_run(settings.home))
    away = list(every_run(settings.home, archived=True)) if is_whole else []
    if as_json:
        docs = [run_doc(view, driver) for view, driver in (*rows, *away)]
        told = [{**doc, "archived": place >= len(rows)} for place, doc in enumerate(docs)] if is_whole else docs
        output.json_data(told)
    elif rows or away:
        for line in runs_lines((*rows, *away), away={view.id for view, _ in away}):
            output.data(line)
    else:
        output.talk(f"No runs in {settings.home} yet. `runbook rehearse` starts one.")
    return Exit.DONE
