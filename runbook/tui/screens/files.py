"""Saving what a form holds to an inputs file, and filling it from one. A file that is there is never lost unasked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from runbook.core.error import BookError, RunbookError
from runbook.tui.present.text import line, lines
from runbook.tui.question import Answers, Field, Question
from runbook.tui.screens.dialogs import Dialog

if TYPE_CHECKING:
    from runbook.book import Book
    from runbook.tui.screens.new_run import NewRunScreen


class Saved(Message):
    """The inputs were written; or there is a file there; or they could not be."""

    def __init__(self, path: str, text: str, problem: str = "", is_there: bool = False) -> None:
        super().__init__()
        self.path, self.text, self.problem, self.is_there = path, text, problem, is_there


class FileRead(Message):
    """An inputs file was read, or could not be; faults have their places in it."""

    def __init__(self, path: str, values: Mapping[str, Any] | None, faults: Sequence[str]) -> None:
        super().__init__()
        self.path, self.values, self.faults = path, values, faults


class InputFiles:
    """The files of one form.

    Attributes:
        kept: what was typed by hand when it was last saved.
    """

    def __init__(self, screen: NewRunScreen) -> None:
        self._screen = screen
        self.kept: Mapping[str, str] = {}

    def save(self) -> None:
        """Ask where to, and write."""
        form = self._screen.form
        if form is None:
            return
        ask = Field("path", "File to write (YAML):", "A path", value=f"{form.book.id}-inputs.yaml")
        body = lines("Everything that is filled in, right or wrong, goes into the file; defaults do not.")

        def answered(answers: Answers | None) -> None:
            if answers is not None:
                from runbook.book import dump_inputs

                self._write(answers["path"], dump_inputs(form.book, form.given), False)

        self._screen.app.push_screen(Dialog(Question("Save these inputs", tuple(body), "Save", (ask,))), answered)

    def _write(self, path: str, text: str, replaces: bool) -> None:
        def work() -> None:
            from runbook.book import save_inputs

            try:
                save_inputs(Path(path).expanduser(), text, replaces=replaces)
            except FileExistsError:
                self._screen.post_message(Saved(path, text, is_there=True))
            except RunbookError as error:
                self._screen.post_message(Saved(path, text, str(error)))
            else:
                self._screen.post_message(Saved(path, text))

        self._screen.work(work, "save")

    def saved(self, message: Saved) -> None:
        """Say what came of it; ask before a file is replaced."""
        screen = self._screen
        if message.is_there:
            body = (*lines(f"There is a file {message.path} already."), *lines("It would be lost.", "bad"))

            def answered(answers: Answers | None) -> None:
                if answers is not None:
                    self._write(message.path, message.text, True)

            screen.app.push_screen(Dialog(Question("Replace the file?", body, "Replace", is_grave=True)), answered)
        elif message.problem:
            screen.say(message.problem, "error")
        else:
            self.kept = screen.form.touched if screen.form is not None else {}
            screen.say(f"Saved: {message.path}")

    def load(self) -> None:
        """Ask where from, and fill the form."""
        body = lines("What the file names takes the place of what stands in those fields; the others stay.")
        ask = Field("path", "File to read (YAML or JSON):", "A path", is_file=True)

        def answered(answers: Answers | None) -> None:
            form = self._screen.form
            if answers is not None and form is not None:
                self._screen.work(partial(self._read, form.book, answers["path"]), "file")

        self._screen.app.push_screen(Dialog(Question("Load inputs", tuple(body), "Load", (ask,))), answered)

    def _read(self, book: Book, path: str) -> None:
        from runbook.book import judge_inputs, load_inputs

        try:
            file = load_inputs(Path(path).expanduser())
        except BookError as error:
            self._screen.post_message(FileRead(path, None, str(error).split("\n")))
            return
        faults = [str(f) for f in judge_inputs(book, file, source=file.source).faults if f.file]
        self._screen.post_message(FileRead(path, dict(file), faults))

    def was_read(self, message: FileRead) -> None:
        """Fill in what was read; say what is wrong with it, and where."""
        screen = self._screen
        if screen.form is None:
            return
        values = message.values or {}
        known = [name for name in values if name in screen.form.book.inputs]
        if message.values is not None:
            screen.form = screen.form.filled(values, f"file {Path(message.path).name}")
            screen.draw()
        if message.faults:
            told = "Nothing was filled in." if message.values is None else f"Filled in: {_fields(len(known))}."
            rows = [line((told, "heading")), *(row for fault in message.faults for row in lines(fault, "bad"))]
            screen.app.push_screen(Dialog(Question("The file is not right", tuple(rows), "Close")))
        else:
            screen.say(f"{_fields(len(known))} filled in from {message.path}")


def _fields(count: int) -> str:
    return f"{count} field{'s' * (count != 1)}"
