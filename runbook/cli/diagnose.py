"""The one place that turns an error into words and an exit code. No traceback reaches a user.

What nobody foresaw is written, with secrets replaced, to a file of its own below the state folder; the user reads one
sentence that names it.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import Final

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.core.error import RunbookError
from runbook.core.redact import redact_text

_DISK: Final = {
    errno.ENOSPC: "The disk is full.",
    errno.EDQUOT: "Your disk quota is used up.",
    errno.EROFS: "The disk is read-only.",
}


def report(error: BaseException, home: Path) -> Exit:
    """Say on stderr what went wrong and what can be done. Returns the exit code."""
    match error:
        case RunbookError():
            _say(str(error.message), error.hint, _where(error))
            return Exit(error.exit_status)
        case click.exceptions.NoArgsIsHelpError():
            output.talk(error.format_message())
            return Exit.USAGE
        case click.UsageError():
            usage = f"{error.ctx.get_usage()}\n" if error.ctx else ""
            hint = f"`{error.ctx.command_path} --help` lists what there is." if error.ctx else ""
            if isinstance(error, click.MissingParameter) and error.param is not None and error.param.name == "run":
                hint = "`runbook runs` lists the runs."
            _say(usage + error.format_message(), hint)
            return Exit.USAGE
        case click.ClickException():
            _say(error.format_message(), "")
            return Exit.USAGE
        case click.Abort() | KeyboardInterrupt():
            _say("Interrupted.", "")
            return Exit.INTERRUPTED
        case BrokenPipeError():
            # Whoever read our output has enough of it, as `head` does. Python would complain once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return Exit.DONE
        case OSError() if error.errno in _DISK:
            _say(
                f"{_DISK[error.errno]} {_file(error)}".strip(), "Put that right, then try again; a run can be resumed."
            )
            return Exit.FAILED
        case PermissionError():
            _say(
                f"Permission denied. {_file(error)}".strip(), "Check the rights of that file, or choose another --home."
            )
            return Exit.FAILED
        case _:
            _unforeseen(error, home)
            return Exit.FAILED


def _say(message: str, hint: str, where: str = "") -> None:
    output.talk(redact_text(where + message))
    if hint:
        output.talk(redact_text(hint))


def _where(error: RunbookError) -> str:
    """``file:line:column: `` of a fault in a file; several faults carry theirs in their text."""
    file = getattr(error, "file", "")
    if not file or hasattr(error, "faults"):
        return ""
    return f"{file}:{getattr(error, 'line', 0)}:{getattr(error, 'column', 0)}: "


def _file(error: OSError) -> str:
    return str(error.filename) if error.filename else ""


def _unforeseen(error: BaseException, home: Path) -> None:
    kept = _keep(error, home)
    where = f"Details are in {kept}." if kept else "The details could not be written anywhere."
    output.talk(f"Something broke that should not have: {type(error).__name__}. {where}")
    output.talk("A run is safe in its journal: `runbook resume` goes on with it. Please report this with that file.")


def _keep(error: BaseException, home: Path) -> Path | None:
    text = redact_text("".join(traceback.format_exception(error)))
    try:
        from runbook.home import private_folder

        path = private_folder(home / "logs") / f"error-{os.getpid()}.txt"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except (OSError, RunbookError):
        return None
    return path
