"""What draws for one page of ``runbook serve``; a process of its own, which the server starts.

Looking on is not a matter of keys: without ``--write`` this process opens journals for reading alone and is given
nothing that could make a run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbook.engine.host import Attachment


def main(args: Sequence[str]) -> int:
    """Draw until the page closes or the operator leaves."""
    parser = argparse.ArgumentParser(prog="runbook.cli.served")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--program", default="runbook")
    parser.add_argument("--run", default="")
    parser.add_argument("--write", action="store_true")
    said = parser.parse_args(args)
    from runbook.cli.driving import settings_of
    from runbook.tui.served import ServedApp

    opens = opener(said.home, may_write=said.write)
    first = (lambda: opens(said.run)) if said.run else None
    kept = settings_of(said.home) if said.write else replace(settings_of(said.home), save=None)
    app = ServedApp(shown(said.home, opens, may_write=said.write), first, program=said.program, kept=kept)
    try:
        app.run()
    except OSError:  # the page and its server are gone
        pass
    finally:
        app.close()
    return 0


def opener(home: Path, *, may_write: bool) -> Callable[[str], Attachment]:
    """How this page opens a run: to drive it, or to look on whoever drives."""
    if may_write:
        from runbook.cli.screen import open_here

        return lambda run: open_here(home, run)

    def follow(run: str) -> Attachment:
        from runbook.engine.host import Follower
        from runbook.home import journal_path

        return Follower(journal_path(home, run))

    return follow


def shown(home: Path, opens: Callable[[str], Attachment], *, may_write: bool) -> Any:
    """What the home screen of this page shows and can do."""
    from runbook.cli import screen
    from runbook.core.error import UsageError
    from runbook.tui.screens.home import Home

    if may_write:
        return Home(lambda: screen.runs(home), screen.books, opens, lambda book: opens(screen.create(home, book)))

    def refuse(_: str) -> Attachment:
        raise UsageError("This page only looks on.", "`runbook serve --write` serves one that drives.")

    return Home(lambda: screen.runs(home), lambda: (), opens, refuse)


if __name__ == "__main__":
    # What libraries complain about belongs on no page and would mix with what the server says.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.exit(main(sys.argv[1:]))
