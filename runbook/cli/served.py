"""What draws for one page of ``runbook serve``; a process of its own, which the server starts.

Looking on is not a matter of keys: without ``--write`` this process opens journals for reading alone and is given
nothing that could make a run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbook.tui.given import Home


def main(args: Sequence[str]) -> int:
    """Draw until the page closes or the operator leaves."""
    parser = argparse.ArgumentParser(prog="runbook.cli.served")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--program", default="runbook")
    parser.add_argument("--run", default="")
    parser.add_argument("--write", action="store_true")
    said = parser.parse_args(args)
    from runbook.cli import screen
    from runbook.cli.desk import Desk
    from runbook.cli.driving import around
    from runbook.tui.memory import Memory
    from runbook.tui.served import ServedApp

    desk = Desk(said.home)
    every = screen.given(said.home, desk)
    home = every if said.write else looking(every)
    beside = around(said.home, desk)
    if not said.write:
        beside = replace(beside, kept=replace(beside.kept, save=None), memory=Memory())
        beside = replace(beside, making=None, report=None, take_over=None)
    first = (lambda: home.open_run(said.run)) if said.run else None
    app = ServedApp(home, first, program=said.program, around=beside)
    try:
        app.run()
    except OSError:  # the page and its server are gone
        pass
    finally:
        app.close()
    return 0


def looking(every: Home) -> Home:
    """What a home screen that only looks on is given: nothing that writes anything, in a run or beside it."""
    from runbook.core.error import UsageError

    def refuse(*_: object) -> Any:
        raise UsageError("This page only looks on.", "`runbook serve --write` serves one that drives.")

    return replace(
        every,
        list_books=lambda: (),
        open_run=every.watch_run,
        start_rehearsal=refuse,
        archive=refuse,
        report=refuse,
        new_run=None,
    )


if __name__ == "__main__":
    # What libraries complain about belongs on no page and would mix with what the server says.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.exit(main(sys.argv[1:]))
