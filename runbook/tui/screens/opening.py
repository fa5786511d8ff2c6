"""Shown while the run is opened in the background."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from runbook.tui.present.text import line
from runbook.tui.styled import BaseScreen
from runbook.tui.widgets.prose import Prose


class OpeningScreen(BaseScreen[None]):
    """One sentence."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "app.leave", "Quit", tooltip="Leave.", id="opening.quit")
    ]

    def compose(self) -> ComposeResult:
        yield Prose(id="opening")

    def on_mount(self) -> None:
        self.query_one("#opening", Prose).show([line("runbook is opening the run…")])
