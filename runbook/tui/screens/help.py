"""Every key and every sign, made from the key list and the state table."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from runbook.core.state import GLYPHS, TRANSITIONS, NodeState
from runbook.tui.keys import KEYS
from runbook.tui.present.text import BLANK, Line, heading, labelled, line
from runbook.tui.present.words import role
from runbook.tui.widgets.bars import Page
from runbook.tui.widgets.prose import Prose


def help_rows(driver: str) -> list[Line]:
    """The text of the help screen."""
    rows = [heading("Keys")]
    rows += [_key(k.shown, k.tooltip) for k in KEYS if k.shown]
    rows += [_key("↑↓", "Move in the tree; Space folds; Tab goes to the page and back."), BLANK, heading("Signs")]
    for state in NodeState:
        causes = dict.fromkeys(t.when.replace("`", "") for t in TRANSITIONS if t.target is state)
        word = f" {GLYPHS[state]} {state.replace('_', ' '):<10} "
        for cause in causes or ["where every node begins"]:
            rows.append(line((word, role(state)), (cause, "muted")))
            word = " " * len(word)
    return [*rows, BLANK, *labelled("Driven by", driver)]


def _key(shown: str, does: str) -> Line:
    return line(" " * (4 - len(shown)), (shown, "key"), f"  {does}")


class HelpScreen(ModalScreen[None]):
    """Shows the help; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", tooltip="Close the help.", id="help.close"),
    ]

    def __init__(self, driver: str) -> None:
        super().__init__()
        self._driver = driver

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Prose(id="dialog-title")
            with Page(id="help-page"):
                yield Prose(id="help-text")

    def on_mount(self) -> None:
        self.query_one("#dialog-title", Prose).show([line(("Help", "heading"), ("   Esc closes", "muted"))])
        self.query_one("#help-text", Prose).show(help_rows(self._driver))
        self.query_one("#help-page").focus()
