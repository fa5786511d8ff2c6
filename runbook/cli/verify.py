"""``runbook verify``: whether the cloud is still as a run left it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import Length

if TYPE_CHECKING:
    from runbook.wiring import Lookout


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option("--json", "as_json", is_flag=True, help="One object: run, nodes, names, totals.")
@click.option(
    "--watch",
    "interval_s",
    type=Length(),
    metavar="INTERVAL",
    help="Look again every INTERVAL, such as 10m, and print only changes; Ctrl-C ends it. At least 30s.",
)
@home_option
@click.pass_obj
def command(settings: Settings, run: str, as_json: bool, interval_s: float | None) -> Exit:
    """Look afresh at everything that RUN has done, and at its names, and report what is otherwise now.

    Since when and by whom is said where the activity log may be read. It only reads, writes nothing into the run, and
    leaves whoever drives it alone.

    Exit codes: 11 something drifted; else 1 something could not be read; 0 all that was done still holds. A watch ends
    with that of its last look.
    """
    import asyncio

    from runbook.cli.exits import of_verified
    from runbook.cli.signing import tell_prompt
    from runbook.cli.verifying import verify_doc, verify_lines
    from runbook.wiring import look_again
    from runbook.wiring.live import sign_in_for
    from runbook.wiring.verify import Verified, verified

    def open_look() -> Lookout:
        return look_again(settings.home, run, lambda view: sign_in_for(view, on_prompt=tell_prompt))

    def tell(lookout: Lookout, found: Verified, *, is_line: bool = False) -> None:
        if as_json:
            output.json_data(verify_doc(lookout.view, lookout.driver, found), is_line=is_line)
            return
        for line in verify_lines(lookout.view, found):
            output.data(line)
        if lookout.driver:
            output.talk(f"The run is driven by {lookout.driver}; this is how it stood when it was read.")

    if interval_s is None:
        lookout = open_look()
        found = asyncio.run(verified(lookout))
        tell(lookout, found)
        return of_verified(found)
    return _watch(open_look, tell, interval_s, as_json=as_json)


def _watch(open_look: Callable[[], Lookout], tell: Callable[..., None], interval_s: float, *, as_json: bool) -> Exit:
    import asyncio
    import random
    import time

    from runbook.cli.exits import of_verified
    from runbook.cli.watching import SHORTEST_S, Round, watch
    from runbook.core.clock import RealClock, duration, iso
    from runbook.wiring.verify import Verified, verified

    newest: list[Lookout] = []
    rounds: list[Round] = []

    def look() -> Verified:
        newest[:] = [open_look()]
        return asyncio.run(verified(newest[0]))

    def told(found: Round, changed: Sequence[str]) -> None:
        if found.found is not None and (as_json or not rounds):
            tell(newest[0], found.found, is_line=True)
        elif not as_json:
            for line in changed:
                output.data(f"{iso(RealClock().now_ms())}  {line}")
        if found.error is not None:
            output.talk(f"{found.error} The watch goes on.")
        rounds.append(found)

    if interval_s < SHORTEST_S:
        output.talk(f"Looking every {duration(SHORTEST_S)}: more often would use up what others may read.")
    return watch(look, of_verified, told, time.sleep, random.random, interval_s)
