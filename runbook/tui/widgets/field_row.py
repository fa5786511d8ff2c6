"""One field of a form: what is asked, a box to type in, a way to its list, and a remark below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input

from runbook.tui.present.fields import Field
from runbook.tui.present.text import Line, line
from runbook.tui.widgets.prose import Prose


class Box(Input):
    """A line to type in. What is pasted on several lines becomes members with commas between: nothing is lost."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()  # Textual would go on to its own way, which keeps the first line alone
        joined = ", ".join(part.strip(" \t,") for part in event.text.splitlines() if part.strip(" \t,"))
        if joined and self.selection.is_empty:
            self.insert_text_at_cursor(joined)
        elif joined:
            self.replace(joined, *self.selection)


class Opener(Prose):
    """What is clicked to open a list."""

    class Clicked(Message):
        """It was."""

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked())


class Fields(VerticalScroll, inherit_bindings=False):
    """The fields of a form, one below the other; the arrow keys stay free to go from one to the next."""


class FieldRow(Vertical):
    """Shows a field and says what happens to it; what is right or wrong it does not know."""

    class Typed(Message):
        """The text changed, by the operator's hand."""

        def __init__(self, row: FieldRow) -> None:
            super().__init__()
            self.name, self._row = row.asked.name, row

        @property
        def text(self) -> str:
            """What stands there now: more may have been typed since."""
            return self._row.box.value

    class ListWanted(Message):
        """The list of what there is was asked for."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Entered(Message):
        """Enter was pressed in a field without a list."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Reached(Message):
        """The cursor came here."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Resized(Message):
        """There is more or less room in a line."""

    DEFAULT_CLASSES: ClassVar[str] = "field"

    def __init__(self, asked: Field, *, is_brief: bool = False) -> None:
        super().__init__(id=f"row-{asked.name}", classes="-brief" if is_brief else None)
        self.asked = asked
        self._known = ""
        """The form's text, as last shown."""

    def compose(self) -> ComposeResult:
        yield Prose(classes="field-head")
        with Horizontal(classes="field-line"):
            yield Box(compact=True, select_on_focus=False, classes="field-box")
            if self.asked.has_choices:
                yield Opener(classes="field-list")
        yield Prose(classes="field-remark")

    def on_mount(self) -> None:
        for opener in self.query(Opener):
            opener.show([line(("▾ list", "key"))])

    @property
    def box(self) -> Box:
        """Where the text is typed."""
        return self.query_one(Box)

    @property
    def room(self) -> int:
        """How many cells a line of it has."""
        return max(20, self.content_size.width or 76)

    def show(self, text: str, head: Line, hint: str, remark: Iterable[Line]) -> None:
        """Bring it up to date. Nobody is told that the text changed: it was not typed.

        While somebody types, the box is ahead of the form: only a text that the form changed by itself is put there.
        """
        if text != self._known and self.box.value.strip() != text.strip():
            with self.box.prevent(Input.Changed):
                self.box.value = text
        self._known = text
        self.query_one(".field-head", Prose).show([head])
        self.box.placeholder = hint
        told = self.query_one(".field-remark", Prose)
        rows = [row for row in remark if row]
        told.show(rows)
        told.display = bool(rows)

    def insert(self, text: str) -> None:
        """Put a text where the cursor stands."""
        self.box.insert_text_at_cursor(text)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        wants = self.ListWanted if self.asked.has_choices else self.Entered
        self.post_message(wants(self.asked.name))

    @on(Opener.Clicked)
    def _clicked(self, event: Opener.Clicked) -> None:
        event.stop()
        self.box.focus()
        self.post_message(self.ListWanted(self.asked.name))

    def on_resize(self) -> None:
        self.post_message(self.Resized())
        if self.box.has_focus:  # a remark has come, and with it a line more
            self.scroll_visible(animate=False)

    def on_descendant_focus(self) -> None:
        self.scroll_visible(animate=False)
        self.post_message(self.Reached(self.asked.name))
