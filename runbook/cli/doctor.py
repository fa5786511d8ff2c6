"""``runbook doctor``: whether this machine will do, each point with what to do if not. Nothing is changed."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="A list of objects: name, verdict (ok, warn, fail), found, advice."
)
@home_option
@click.pass_obj
def command(settings: Settings, as_json: bool) -> Exit:
    """Check this machine. Exit code 1 when something would stop a run."""
    from runbook.cli.machine import every_point

    points = every_point(settings.home)
    if as_json:
        names = ("name", "verdict", "found", "advice")
        output.json_data([{name: getattr(point, name) for name in names} for point in points])
    else:
        for line in output.table([(p.verdict, p.name, p.found) for p in points]):
            output.data(line)
        for point in points:
            if point.advice:
                output.data(f"{point.name}: {point.advice}")
    return Exit.FAILED if any(point.verdict == "fail" for point in points) else Exit.DONE
