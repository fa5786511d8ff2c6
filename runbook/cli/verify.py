"""``runbook verify``: whether the cloud is still as a run left it."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option("--json", "as_json", is_flag=True, help="One object: run, nodes, totals.")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, as_json: bool) -> Exit:
    """Look afresh at everything that RUN has done, and report what is otherwise now.

    It only reads, writes nothing into the run, and leaves whoever drives it alone.

    Exit codes: 11 something drifted; else 1 something could not be read; 0 all that was done still holds.
    """
    import asyncio

    from runbook.cli.exits import of_verify
    from runbook.cli.signing import tell_prompt
    from runbook.cli.verifying import verify_doc, verify_lines
    from runbook.wiring import look_again
    from runbook.wiring.live import sign_in_for

    lookout = look_again(settings.home, run, lambda view: sign_in_for(view, on_prompt=tell_prompt))
    checked = asyncio.run(lookout.recheck())
    if as_json:
        output.json_data(verify_doc(lookout.view, lookout.driver, checked))
        return of_verify(checked)
    for line in verify_lines(lookout.view, checked):
        output.data(line)
    if lookout.driver:
        output.talk(f"The run is driven by {lookout.driver}; this is how it stood when it was read.")
    return of_verify(checked)
