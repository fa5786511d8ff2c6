"""``runbook compare``: one run beside another of the same book."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option

if TYPE_CHECKING:
    from runbook.report.sides import Side


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.argument("other", shell_complete=complete_run)
@click.option("--all", "is_whole", is_flag=True, help="Also what differs in names, numbers and lengths alone.")
@click.option("--json", "as_json", is_flag=True, help="One object: equal, left, right, differences.")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, other: str, is_whole: bool, as_json: bool) -> Exit:
    """Lay RUN beside OTHER, mostly a rehearsal beside the live run: what was decided, done, met and waited for.

    Nodes are matched by id, else by step and order. Both runs are only read.

    Exit codes: 0 nothing was decided, done or met otherwise; 11 something was.
    """
    from runbook.core.error import UsageError
    from runbook.report.compare import compare, compare_doc, compare_lines

    left, right = _side(settings.home, run), _side(settings.home, other)
    books = [side.view.book.get("id") for side in (left, right)]
    if books[0] != books[1]:
        raise UsageError(f"{run} is of {books[0]} and {other} of {books[1]}.", "Compare two runs of the same book.")
    comparison = compare(left, right)
    if as_json:
        output.json_data(compare_doc(comparison))
    else:
        for line in compare_lines(comparison, is_whole=is_whole):
            output.data(line)
    return Exit.DONE if comparison.is_equal else Exit.DRIFT


def _side(home: Path, run: str) -> Side:
    from runbook.cli.reading import opened
    from runbook.journal.load import load_view
    from runbook.report.sides import Side

    with opened(home, run) as journal:
        view = load_view(journal)
        return Side(view, journal.entries(upto=view.head))
