"""``runbook migrate``: show what a newer book would change in a run, and move the run to it when told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option

if TYPE_CHECKING:
    from runbook.engine.migration import Migration


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option("--book", default="", metavar="BOOK", help="A name or a YAML file. [default: the shipped one]")
@click.option("--set", "sets", multiple=True, metavar="K=V", help="An input that the run's own book does not have.")
@click.option("--yes", is_flag=True, help="Move the run; without it, nothing is written.")
@click.option("--json", "as_json", is_flag=True, help="One object: run, from, to, steps, stays, again, left_out.")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, book: str, sets: tuple[str, ...], yes: bool, as_json: bool) -> Exit:
    """Show what a newer version of its book would change in RUN; with --yes, move it there.

    What is done and asked for as before stays. What is asked for otherwise begins again, and looks first, so nothing
    that stands is made twice. Exit code 10: it would change something; 0: it would not, or the run was moved.
    """
    from runbook.book import parse_sets
    from runbook.cli.reading import view_of
    from runbook.wiring.migrate import difference, migrate_run

    values = parse_sets(sets)
    view, _driver = view_of(settings.home, run)
    found = migrate_run(settings.home, run, book, values) if yes else difference(view, book, values)
    if as_json:
        output.json_data(_doc(found))
    else:
        for line in _lines(found):
            output.data(line)
    if not found.is_different:
        output.talk(f"Run {run} is as this book would have it; nothing to move.")
        return Exit.DONE
    if yes:
        output.talk(f"{found.text} Go on with `runbook resume {run}`.")
        return Exit.DONE
    output.talk(f"Nothing was written. `runbook migrate {run} --yes` moves it.")
    return Exit.PLAN


def _doc(found: Migration) -> dict[str, Any]:
    return {
        "run": found.run,
        "from": found.versions[0],
        "to": found.versions[1],
        "steps": dict(found.steps),
        "stays": list(found.stays),
        "again": list(found.again),
        "left_out": dict(found.left_out),
    }


def _lines(found: Migration) -> list[str]:
    lines = [f"{found.run}: from {found.way}"]
    lines += [f"  step {step}: {what}" for step, what in found.steps.items()]
    lines += [f"  looked at again: {name}" for name in found.again]
    lines += [f"  left out: {name}: {why}" for name, why in found.left_out.items()]
    lines.append(f"  finished and staying so: {len(found.stays)}")
    return lines
