"""``runbook status``: one run with its nodes, read without disturbing who drives it."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option("--json", "as_json", is_flag=True, help="One object: run, nodes, totals.")
@click.option("--all", "is_whole", is_flag=True, help="Every node, also of steps with many. JSON has them always.")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, as_json: bool, is_whole: bool) -> Exit:
    """Show RUN with its nodes. A step with many of them is one line, with the first of those that ask for something."""
    from runbook.cli.listing import status_doc, status_lines
    from runbook.cli.reading import view_of
    from runbook.core.clock import RealClock
    from runbook.report.earlier import earlier_waits

    view, driver = view_of(settings.home, run)
    # A wait goes on while nobody writes; simulated time does not.
    now_ms = view.updated_ms if view.mode == "rehearsal" else max(view.updated_ms, RealClock().now_ms())
    earlier = earlier_waits(settings.home, view)
    if as_json:
        output.json_data(status_doc(view, driver, now_ms, earlier))
    else:
        for line in status_lines(view, driver, is_whole=is_whole, now_ms=now_ms, earlier=earlier):
            output.data(line)
    return Exit.DONE
