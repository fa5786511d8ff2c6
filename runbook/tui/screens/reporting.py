"""Writing a run's report from a screen: asks for the file, writes in a worker, says what came of it.

Invariant: nothing is written over without having been asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.core.error import RunbookError, UsageError
from runbook.tui.messages import HomeDone
from runbook.tui.present.text import clean, lines, one_line, short_middle
from runbook.tui.question import Answers, Field, Question
from runbook.tui.screens.dialogs import Dialog

if TYPE_CHECKING:
    from textual.screen import Screen

Write = Callable[[Path, bool], Sequence[str]]
"""Writes the report to a file, with True also over one that exists; returns the journal's faults."""


def ask_report(screen: Screen[Any], run: str, write: Write) -> None:
    """Ask where a run's report goes, and write it there."""
    label = f"Write it to this file; without a folder, in {short_middle(clean(Path.cwd()), 34)}"
    field = Field("file", label, "A file", value=f"{run}-report.html")
    body = lines("One file that opens in any browser: every command, check, approval and wait.", "muted")

    def named(answers: Answers | None) -> None:
        if answers is None:
            return
        path = Path(answers["file"]).expanduser()
        path = path / f"{run}-report.html" if path.is_dir() else path.absolute()
        if not path.exists():
            _write(screen, write, path, False)
            return
        told = [*lines(str(path), "code"), *lines("It exists already. What is in it will be lost.")]
        question = Question("Write over this file?", tuple(told), "Write over it", is_grave=True)
        screen.app.push_screen(Dialog(question), lambda go: None if go is None else _write(screen, write, path, True))

    screen.app.push_screen(Dialog(Question(f"Report of {one_line(run)}", tuple(body), "Write", (field,))), named)


def _write(screen: Screen[Any], write: Write, path: Path, over: bool) -> None:
    def work() -> str:
        damaged = " The journal is damaged; the report says where." if write(path, over) else ""
        return f"The report is in {path}.{damaged}"

    do(screen, work, "")


def do(screen: Screen[Any], work: Callable[[], str | None], told: str) -> None:
    """Do something in a worker, and have the screen say what came of it."""

    def run() -> None:
        try:
            screen.post_message(HomeDone(work() or told))
        except RunbookError as error:
            screen.post_message(HomeDone("", error))
        except OSError as error:
            failed = UsageError(f"It could not be done: {error.strerror or error}.")
            screen.post_message(HomeDone("", failed))

    screen.run_worker(run, thread=True, group="do", name="do")


def tell(screen: Screen[Any], message: HomeDone) -> None:
    """Say what came of it."""
    if message.error is None:
        screen.notify(clean(message.text), timeout=10.0, markup=False)
    else:
        text = f"{clean(message.error.message)}\n{clean(message.error.hint)}".strip()
        screen.notify(text, title=message.error.code, severity="error", timeout=10.0, markup=False)
