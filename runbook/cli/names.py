"""The truth table of names for a screen that is open: reads in the background, and asks nobody to sign in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.core.error import UsageError

if TYPE_CHECKING:
    from runbook.arm.auth import Prompt
    from runbook.core.view import RunView
    from runbook.dns.model import Table


def names_of(home: Path) -> Callable[[RunView], Table]:
    """What reads the names of a run in that state folder; it may raise ``RunbookError``."""

    def read(view: RunView) -> Table:
        import asyncio

        from runbook.wiring import look_again
        from runbook.wiring.live import sign_in_for
        from runbook.wiring.names import truth

        lookout = look_again(home, view.id, lambda found: sign_in_for(found, on_prompt=_no_prompt))
        return asyncio.run(truth(lookout))

    return read


def _no_prompt(prompt: Prompt) -> None:
    raise UsageError(
        "Looking names up needs a sign-in of its own here, and this screen cannot ask for it.",
        "Use the command in another terminal: runbook dns RUN; or sign in by the Azure CLI (az login).",
    )
