"""``runbook resume``: go on with a run, whoever drove it before."""

from __future__ import annotations

from functools import cache
from typing import Any

import click

from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import Length, confirming, driving, signing
from runbook.cli.options import via as via_option


@click.command()
@click.argument("run", default="", shell_complete=complete_run)
@click.option("--away", "away_s", type=Length(), default=0.0, help="Rehearsal: let this time pass first, such as 2d.")
@click.option("--take-over", is_flag=True, help="Also from another process that drives the run and is alive.")
@click.option("--because", default="", metavar="TEXT", help="With --take-over: why. Whoever is taken over sees it.")
@signing
@via_option
@confirming
@driving
@home_option
@click.pass_obj
def command(
    settings: Settings, /, run: str, auth: str | None, via: str | None, said: tuple[str, ...], **options: Any
) -> Exit:
    """Go on with RUN, or with the unfinished run that was written to last.

    Where another process drives it, the screen opens to look on; --headless and --plain end with exit code 6.
    """
    from runbook.cli.driving import Front, drive
    from runbook.cli.plainly import fronted
    from runbook.cli.signing import consent_for
    from runbook.home import journal_path

    if options["because"] and not options["take_over"]:
        raise click.UsageError("--because goes with --take-over.")
    home = settings.home
    front = fronted(home, Front(**options))

    @cache
    def name() -> str:
        from runbook.cli.reading import newest_unfinished

        return run or newest_unfinished(home)

    if run:
        journal_path(home, run)  # an unknown run is told before a screen opens
    if consent := consent_for(home, name(), auth, via, said, may_ask=not front.headless):
        front.check_live()
        return drive(home, name, front, consent)
    return drive(home, name, front)
