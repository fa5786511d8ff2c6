"""A long text above a screen, to be scrolled and copied. It knows nothing of what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from runbook.tui.keys import bindings
from runbook.tui.present.text import Line, line, lines
from runbook.tui.styled import Overlay
from runbook.tui.widgets.bars import Page
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.tui.app import RunbookApp


class TextScreen(Overlay[None]):
    """Shows lines under a title. A subclass says what: ``show`` may be called at any time."""

    def __init__(self, title: str, what: str) -> None:
        super().__init__()
        self._title, self._what = title, what
        self._text = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-raw"):
            yield Prose(id="dialog-title")
            with Page(id="raw-page"):
                yield Prose(id="raw-text")

    def on_mount(self) -> None:
        title = line((self._title, "heading"), ("   ↑↓ scroll, c copies, Esc closes", "muted"))
        self.query_one("#dialog-title", Prose).show([title])
        self.query_one("#raw-page").focus()

    def show(self, rows: Sequence[Line], text: str) -> None:
        """Show these lines; ``text`` is what is copied, nothing where it is empty."""
        self._text = text
        self.query_one("#raw-text", Prose).show(rows)

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        if id_ != "copy":
            self.dismiss(None)
        elif self._text:
            cast("RunbookApp", self.app).copy(self._text, self._what)
        else:
            self.notify("There is nothing to copy yet.", severity="warning", markup=False)


class RawScreen(TextScreen):
    """Shows a text as it is stored.

    Args:
        title: what it is.
        text: safe to show already.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("raw")
    screen_name = "raw"

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title, title)
        self._stored = text

    def on_mount(self) -> None:
        self.show(lines(self._stored, "code"), self._stored)
