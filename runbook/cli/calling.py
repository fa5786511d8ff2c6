"""How the operator calls this program, so that what they are told to type next can be copied as it stands."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path


def called_as(argument: str, home: str | None = None) -> str:
    """``runbook`` where the shell finds this very program by that name; else the way it was called.

    Args:
        argument: the first of ``sys.argv``.
        home: the value of ``--home``, if it was given: the next command needs it too.
    """
    after = f" --home {_quoted(home)}" if home else ""
    return _name(argument) + after


def _name(argument: str) -> str:
    path = Path(argument)
    if path.name == "__main__.py":
        return f"{Path(sys.executable).stem} -m runbook"
    if path.stem.lower() != "runbook":
        return "runbook"
    found = shutil.which("runbook")
    if found is not None and os.path.realpath(found) == os.path.realpath(shutil.which(argument) or argument):
        return "runbook"
    return _quoted(argument)


def _quoted(text: str) -> str:
    if os.name == "nt":
        return f'"{text}"' if " " in text else text
    return shlex.quote(text)
