"""A long text as it is stored, to be scrolled and copied. It knows nothing of what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from runbook.tui.base import Overlay
from runbook.tui.keys import bindings
from runbook.tui.present.text import line, lines
from runbook.tui.widgets.bars import Page
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.tui.app import RunbookApp


class RawScreen(Overlay[None]):
    """Shows a text.

    Args:
        title: what it is.
        text: safe to show already.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("raw")
    screen_name = "raw"

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-raw"):
            yield Prose(id="dialog-title")
            with Page(id="raw-page"):
                yield Prose(id="raw-text")

    def on_mount(self) -> None:
        title = line((self._title, "heading"), ("   c copies, Esc closes", "muted"))
        self.query_one("#dialog-title", Prose).show([title])
        self.query_one("#raw-text", Prose).show(lines(self._text, "code"))
        self.query_one("#raw-page").focus()

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        if id_ == "copy":
            cast("RunbookApp", self.app).copy(self._text, self._title)
        else:
            self.dismiss(None)
