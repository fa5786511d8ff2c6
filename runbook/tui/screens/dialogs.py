"""Questions to the operator. A dialog asks and hands back the answers; it decides and submits nothing.

Invariant: a dialog is closed with answers only when every field holds what it must; ``None`` means: do nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from runbook.core.clock import from_iso
from runbook.tui.present.text import Line, line, one_line, short_middle
from runbook.tui.widgets.prose import Prose

Answers = dict[str, str]

_PATH_CELLS = 48
"""Of a path that a sentence names; with the sentence about two lines of a small dialog."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to type.

    Attributes:
        name: what is missing while it is empty, as a sentence begins: ``A reason``.
        expected: what must be typed exactly; None accepts any text.
        is_file: an existing file's path, or nothing.
        is_new: the path of a file that must not exist yet.
        latest_ms: what is typed is a moment, not after this one; None accepts any text.
        choices: the words of which one is chosen by its number, from 1; empty accepts any text.
        value: what stands there at first.
    """

    id: str
    label: str
    name: str = "This"
    is_required: bool = True
    expected: str | None = None
    is_file: bool = False
    is_new: bool = False
    value: str = ""
    latest_ms: int | None = None
    choices: tuple[str, ...] = ()

    def problem(self, value: str) -> str:
        """Why this value does not do; empty when it does."""
        value = value.strip()
        if self.expected is not None:
            return "" if value == self.expected else f"Type exactly: {self.expected}"
        if self.is_required and not value:
            return f"{self.name} is needed."
        if value and (self.is_file or self.is_new):
            return self._path_problem(value)
        if value and self.latest_ms is not None:
            return _moment_problem(value, self.latest_ms)
        if self.choices and value not in map(str, range(1, len(self.choices) + 1)):
            return f"Type a number from 1 to {len(self.choices)}."
        return ""

    def _path_problem(self, value: str) -> str:
        # Shortened in its middle: a path may be longer than the dialog has room for.
        shown = short_middle(one_line(value), _PATH_CELLS)
        try:
            place = Path(value).expanduser()
            if self.is_file:
                return "" if place.is_file() else f"There is no file {shown}."
            if place.exists():
                return f"{shown} exists already. Name another file; nothing is written over."
            return "" if place.absolute().parent.is_dir() else f"There is no folder for {shown}."
        except (OSError, RuntimeError, ValueError):  # a name too long, a home of nobody, a zero byte
            return f"{shown} is no path here."


def _moment_problem(value: str, latest_ms: int) -> str:
    try:
        at_ms = from_iso(value)
    except ValueError:
        return "Type a day, 2026-11-20, or a moment, 2026-11-20T08:00Z."
    return "That lies ahead: it is asked when it happened." if at_ms > latest_ms else ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a dialog asks.

    Attributes:
        go: the words on the button that answers yes.
        is_grave: whether saying yes may hurt somebody.
    """

    title: str
    body: tuple[Line, ...]
    go: str
    fields: tuple[Field, ...] = ()
    is_grave: bool = False


class Dialog(ModalScreen[Answers | None]):
    """Asks one question."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", tooltip="Close without doing anything.", id="dialog.cancel"),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        q = self.question
        looks = ["-grave"] * q.is_grave + ["-long"] * (len(q.fields) > 2)
        with Vertical(id="dialog", classes=" ".join(looks) or None):
            yield Prose(id="dialog-title")
            with VerticalScroll(id="dialog-body", can_focus=False):
                yield Prose(id="dialog-text")
            for field in q.fields:
                yield Prose(id=f"label-{field.id}", classes="field-label")
                yield Input(field.value, id=f"field-{field.id}", select_on_focus=False)
            yield Prose(id="dialog-problem")
            with Horizontal(id="dialog-buttons"):
                enters = " (Enter)" if q.fields or not q.is_grave else ""
                yield Button(f"{q.go}{enters}", id="go", compact=True)
                yield Button("Cancel (Esc)", id="cancel", compact=True)

    def on_mount(self) -> None:
        q = self.question
        self.query_one("#dialog-title", Prose).show([line((q.title, "heading"))])
        self.query_one("#dialog-text", Prose).show(q.body)
        for field in q.fields:
            self.query_one(f"#label-{field.id}", Prose).show([line((field.label, "muted"))])
        # A grave question without a field must not be answered by a stray Enter.
        first = f"#field-{q.fields[0].id}" if q.fields else "#cancel" if q.is_grave else "#go"
        self.query_one(first).focus()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        inputs = list(self.query(Input))
        place = inputs.index(event.input)
        if place + 1 == len(inputs):
            self._answer()
        elif not self._is_wrong(self.question.fields[place]):
            inputs[place + 1].focus()

    @on(Button.Pressed, "#go")
    def _agreed(self) -> None:
        self._answer()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def _answer(self) -> None:
        if any(self._is_wrong(field) for field in self.question.fields):
            return
        self.dismiss({f.id: self.query_one(f"#field-{f.id}", Input).value.strip() for f in self.question.fields})

    def _is_wrong(self, field: Field) -> bool:
        """Whether a field does not do; if so, say why and go there."""
        box = self.query_one(f"#field-{field.id}", Input)
        problem = field.problem(box.value)
        self.query_one("#dialog-problem", Prose).show([line((problem, "bad"))] if problem else [])
        if problem:
            box.focus()
        return bool(problem)
