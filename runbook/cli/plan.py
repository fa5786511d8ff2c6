"""``runbook plan``: what a run would do, from reading alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from runbook.cli import output
from runbook.cli.completing import complete_book, complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import context, estate

if TYPE_CHECKING:
    from runbook.wiring import Lookout


@click.command()
@click.argument("book", default="", shell_complete=complete_book)
@click.option("--run", "run", default="", metavar="RUN", shell_complete=complete_run, help="What is left of this run.")
@click.option(
    "--mode",
    type=click.Choice(["rehearsal", "live"]),
    default="rehearsal",
    help="`rehearsal` (the default) reads a simulated Azure, `live` the real one you are signed in to.",
)
@estate
@context
@click.option("--json", "as_json", is_flag=True, help="One object: run, nodes, totals.")
@home_option
@click.pass_obj
def command(
    settings: Settings,
    book: str,
    run: str,
    mode: str,
    scenario: str,
    edition: str | None,
    inputs: str | None,
    sets: tuple[str, ...],
    auth: str | None,
    tenant: str,
    subscription: str,
    here: str,
    as_json: bool,
) -> Exit:
    """Say what a run of BOOK would do, node by node. It reads and changes nothing; no run is made.

    Or, with --run, what is left of a run to do. A node behind a change tells what it would do as things stand; what
    cannot be told yet is `unknown` until another node is done.

    Exit codes: 10 something would change; 1 a node could not be read; else 5 a rule blocks; 4 or 3 when what follows
    a wait cannot be told yet; 0 nothing would change.
    """
    import asyncio

    from runbook.cli.driving import read_wish
    from runbook.cli.exits import of_plan
    from runbook.cli.planning import heading, plan_doc, plan_lines
    from runbook.cli.signing import signed_in_by
    from runbook.wiring import look_ahead

    if bool(book) == bool(run):
        raise click.UsageError("Name a BOOK, or a run with --run.")
    if run and (scenario or edition or inputs or sets):
        raise click.UsageError("--scenario, --edition, --inputs and --set do not go with --run: a run keeps its own.")
    if mode != "live" and (tenant or subscription or here != "nowhere" or (auth and not run)):
        raise click.UsageError("--auth, --tenant, --subscription and --here go with --mode live.")
    if run:
        lookout = _again(settings, run, auth)
    else:
        wish = replace(read_wish(book, mode, scenario, edition, inputs, sets, ""), here=here)
        signed_in = signed_in_by(auth, tenant, subscription) if mode == "live" else None
        lookout = look_ahead(wish, signed_in)
    findings = asyncio.run(lookout.survey())
    if as_json:
        output.json_data(plan_doc(lookout.view, lookout.driver, findings, is_run=bool(run)))
        return of_plan(findings)
    for line in (*heading(lookout.view, is_run=bool(run)), *plan_lines(lookout.view, findings)):
        output.data(line)
    if any(f.after for f in findings):
        output.talk("after: as things stand, once that is done. until: cannot be told before that is done.")
    output.talk(f"Nothing was changed. {_next(book, run, mode, scenario)}")
    return of_plan(findings)


def _again(settings: Settings, run: str, auth: str | None) -> Lookout:
    from runbook.cli.signing import tell_prompt
    from runbook.core.error import UsageError
    from runbook.wiring import look_again
    from runbook.wiring.live import sign_in_for

    lookout = look_again(settings.home, run, lambda view: sign_in_for(view, auth or "", tell_prompt))
    if lookout.view.aborted is not None:
        raise UsageError(f"Run {run} was aborted, so it has nothing left to do.", "Plan a new run of its book.")
    return lookout


def _next(book: str, run: str, mode: str, scenario: str) -> str:
    if run:
        return f"Go on: runbook resume {run}"
    if mode == "live":
        return f"Do it: runbook start {book} --mode live"
    return f"Rehearse it: runbook rehearse {book}" + (f" --scenario {scenario}" if scenario else "")
