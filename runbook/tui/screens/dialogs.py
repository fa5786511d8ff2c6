"""Questions to the operator. A dialog asks and hands back the answers; it decides and submits nothing.

Invariants: a dialog is closed with answers only when every field holds what it must; ``None`` means: do nothing. What
Enter does now is always said, and which field has the cursor is told by signs, not by colour alone.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input

from runbook.tui.present.text import line
from runbook.tui.question import Answers, Field, Question
from runbook.tui.styled import Overlay
from runbook.tui.widgets.field_box import FieldBox
from runbook.tui.widgets.prose import Prose


class Dialog(Overlay[Answers | None]):
    """Asks one question."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", tooltip="Close without doing anything.", id="dialog.cancel"),
        Binding("pagedown", "scroll_text(1)", "Down", show=False),
        Binding("pageup", "scroll_text(-1)", "Up", show=False),
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
                yield FieldBox(f"field-{field.id}", field.value)
            with Vertical(id="dialog-foot"):
                yield Prose(id="dialog-problem")
                with Horizontal(id="dialog-buttons"):
                    yield Prose(id="dialog-enter")
                    yield Button(q.go, id="go", compact=True)
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
        self.call_after_refresh(self._focused)

    def on_resize(self) -> None:
        self.call_after_refresh(self._focused)

    def action_scroll_text(self, direction: int) -> None:
        """Scroll what is told above the fields."""
        body = self.query_one("#dialog-body", VerticalScroll)
        body.scroll_relative(y=direction * max(1, body.size.height - 1), animate=False)

    @on(events.DescendantFocus)
    def _focused(self) -> None:
        """Say what Enter does where the cursor is now."""
        inputs = list(self.query(Input))
        place = next((n for n, box in enumerate(inputs, 1) if box.has_focus), 0)
        where = f"field {place} of {len(inputs)}; " if place and len(inputs) > 1 else ""
        if self.query_one("#cancel", Button).has_focus:
            told = "Enter: Cancel" if inputs else f"Tab, Enter: {self.question.go}"
        else:
            told = f"{where}Enter: {'next field' if place and place < len(inputs) else self.question.go}"
        has_more = self.query_one("#dialog-body", VerticalScroll).max_scroll_y > 0
        self.query_one("#dialog-enter", Prose).show([line((told, "muted"), (" · PgDn" if has_more else "", "go"))])

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
            box.select_all()  # typing takes its place
            self.call_after_refresh(box.scroll_visible, animate=False)  # what is wrong took room from it
        return bool(problem)
