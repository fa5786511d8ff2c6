"""``runbook status``: one run with its nodes, read without disturbing who drives it."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import Moment


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option("--json", "as_json", is_flag=True, help="One object: run, nodes, totals.")
@click.option("--all", "is_whole", is_flag=True, help="Every node, also of steps with many. JSON has them always.")
@click.option("--since-last", is_flag=True, help="What happened since you last looked, and nothing else.")
@click.option("--since", "since_ms", type=Moment(), metavar="T", help="What happened since T, and nothing else.")
@home_option
@click.pass_obj
def command(
    settings: Settings, run: str, as_json: bool, is_whole: bool, since_last: bool, since_ms: int | None
) -> Exit:
    """Show RUN with its nodes. A step with many of them is one line, with the first of those that ask for something.

    You last looked when you left its screen, or asked with --since-last. T is in the run's own time.
    """
    if since_last or since_ms is not None:
        if as_json or is_whole or (since_last and since_ms is not None):
            raise click.UsageError("--since-last and --since stand alone.")
        return _news(settings, run, since_ms)
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


def _news(settings: Settings, run: str, since_ms: int | None) -> Exit:
    """What happened since a moment; or since the last look, and then this one is the last."""
    from dataclasses import replace

    from runbook.cli.places import keep, recall
    from runbook.cli.reading import opened
    from runbook.core.clock import iso
    from runbook.journal.load import load_view
    from runbook.report.since import since
    from runbook.tui.memory import Place

    place = (recall(settings.home, run) if since_ms is None else None) or Place()
    with opened(settings.home, run) as journal:
        view = load_view(journal)
        entries = [e for e in journal.entries(after=place.head) if since_ms is None or e.at_ms >= since_ms]
        drivers = journal.drivers()
    lines = since(view, entries)
    # The driver table is by the machine's clock, so a rehearsal's moments say nothing of it.
    if since_ms is not None and view.mode != "rehearsal":
        late = [d for d in drivers if d.since_ms >= since_ms and d.reason.startswith("taken over")]
        lines += [f"Taken over (1): by {d.account} on {d.host}, {iso(d.since_ms)[:16]}Z: {d.reason}" for d in late]
    for line in lines or ["Nothing new."]:
        output.data(line)
    if since_ms is None:
        keep(settings.home, run, replace(place, head=view.head))
    return Exit.DONE
