"""A field to type in, in brackets, so that it is seen without colour; a sign stands before the one with the cursor."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from runbook.tui.present.text import line
from runbook.tui.widgets.prose import Prose


class FieldBox(Horizontal):
    """One input of a dialog. What stands in it is selected as soon as it has the cursor: typing replaces it.

    Args:
        field: the input's id.
        value: what stands there at first.
    """

    def __init__(self, field: str, value: str = "") -> None:
        super().__init__(classes="field-box")
        self._field, self._value = field, value

    def compose(self) -> ComposeResult:
        yield Prose(classes="field-begin")
        yield Input(self._value, id=self._field)
        yield Prose(classes="field-end")

    def on_mount(self) -> None:
        self._mark()
        self.query_one(".field-end", Prose).show([line("]")])

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _mark(self) -> None:
        sign = ("› ", "key") if self.query_one(Input).has_focus else ("  ", "")
        self.query_one(".field-begin", Prose).show([line(sign, "[")])
