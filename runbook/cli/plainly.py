"""Whether somebody is met in plain lines: because they said so, always want it, or the terminal can do no more."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from runbook.cli import output
from runbook.cli.driving import Front
from runbook.core.error import UsageError

_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("", "0", "false", "no", "off")


def is_plain(home: Path, said: bool = False) -> bool:
    """Whether to ask in plain lines: ``--plain``, else RUNBOOK_PLAIN, else the settings, else a dumb terminal.

    Raises:
        UsageError: RUNBOOK_PLAIN says neither yes nor no.
    """
    if said:
        return True
    wish = os.environ.get("RUNBOOK_PLAIN", "").strip().lower()
    if wish in _YES:
        return True
    if wish not in _NO:
        raise UsageError(f"RUNBOOK_PLAIN={wish!r} is neither yes nor no.", "Set it to 1 or 0, or unset it.")
    if not wish and _is_set(home):
        return True
    is_dumb = os.environ.get("TERM") == "dumb" and sys.stdin.isatty() and sys.stdout.isatty()
    if is_dumb:
        output.talk("This terminal (TERM=dumb) cannot show a screen, so you are asked in plain lines, as with --plain.")
    return is_dumb


def _is_set(home: Path) -> bool:
    from runbook.cli.keeping import kept_anyway

    return kept_anyway(home)[0].settings.plain


def fronted(home: Path, front: Front) -> Front:
    """How the operator meets a run, checked.

    Raises:
        UsageError: what was said does not go together, or there is no terminal for a screen.
    """
    if not (front.headless or front.plain) and is_plain(home):
        front = replace(front, plain=True)
    front.check()
    return front
