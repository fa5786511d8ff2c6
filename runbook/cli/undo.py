"""``runbook undo``: take back what a run made or changed, by a run of its own; or say what that would do."""

from __future__ import annotations

from typing import Any

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import confirming, driving, signing


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option("--plan", "is_plan", is_flag=True, help="Only say what would be done: reads, and makes no run.")
@click.option("--run-id", default="", metavar="ID", help="Name of the new run. [default: RUN-undo]")
@signing
@confirming
@driving
@home_option
@click.pass_obj
def command(
    settings: Settings,
    /,
    run: str,
    is_plan: bool,
    run_id: str,
    auth: str | None,
    said: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> Exit:
    """Take back what RUN made or changed, and only that, in reverse order: a run of its own, opened like any other.

    What others use by now, or changed since, is left alone and said; so is what cannot be taken back. A rehearsal is
    taken back on a copy of its simulated cloud.

    With --plan nothing is done. Exit codes then: 10 something would be taken back; 1 a node could not be read; else 0.
    """
    if is_plan:
        if run_id or said or any(value for name, value in options.items() if name != "speed"):
            raise click.UsageError("--plan goes with --json and --auth alone.")
        return _plan(settings, run, auth, as_json)
    from runbook.cli.driving import Front, drive
    from runbook.cli.reading import view_of
    from runbook.wiring.undo import create_undo

    front = Front(as_json=as_json, **options)
    front.check()
    home = settings.home
    view, _ = view_of(home, run)
    if view.mode != "live":
        if auth or said:
            raise click.UsageError("--auth and --confirm-subscription go with live runs.")
        return drive(home, lambda: create_undo(home, run, name=run_id), front)
    front.check_live()
    from runbook.cli.signing import asker, tell_prompt
    from runbook.wiring.live import sign_in_for
    from runbook.wiring.live_drive import Consent

    signed_in = sign_in_for(view, auth or "", tell_prompt)
    words = list(said)
    agree = asker(words, signed_in.account, may_ask=not front.headless)
    made = create_undo(home, run, name=run_id, signed_in=signed_in, agree=agree)
    return drive(home, lambda: made, front, Consent(signed_in, said=tuple(words)))


def _plan(settings: Settings, run: str, auth: str | None, as_json: bool) -> Exit:
    import asyncio

    from runbook.cli.exits import of_plan
    from runbook.cli.signing import tell_prompt
    from runbook.cli.undoing import undo_doc, undo_lines
    from runbook.wiring.live import sign_in_for
    from runbook.wiring.undo import look_back

    lookout, undo = look_back(settings.home, run, lambda view: sign_in_for(view, auth or "", tell_prompt))
    findings = asyncio.run(lookout.survey())
    if as_json:
        output.json_data(undo_doc(run, lookout.view, lookout.driver, findings, undo))
    else:
        for line in undo_lines(run, lookout.view, findings, undo):
            output.data(line)
        output.talk(f"Nothing was changed. Take it back: runbook undo {run}")
    return of_plan(findings)
