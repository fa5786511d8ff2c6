"""Every key and every sign, made from the key list and the state table."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from runbook.core.state import GLYPHS, TRANSITIONS, NodeState
from runbook.core.view import RunView
from runbook.tui.keys import KEYS
from runbook.tui.present.header import Seat, pace
from runbook.tui.present.text import BLANK, Line, heading, labelled, line, lines
from runbook.tui.present.words import driven_by, role
from runbook.tui.widgets.bars import Page
from runbook.tui.widgets.prose import Prose


def help_rows(view: RunView, seat: Seat) -> list[Line]:
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
    rows.append(line((" 2! 1/4+      ", "go"), ("two nodes of a group need you; one of four is", "muted")))
    rows.append(line(" " * 14, ("finished, and more will come", "muted")))
    if view.mode == "rehearsal":
        rows += [BLANK, heading("Rehearsal")]
        rows += lines("The Azure behind this screen is simulated: no call leaves this machine.")
        rows += lines("Its time goes by only while something is waited for, and then fast.")
        if not seat.is_read_only:
            rows += labelled("Speed", pace(seat.speed))
    return [*rows, BLANK, *lines(f"Run {view.id}: {driven_by(seat.driver)}.", "muted")]


def _key(shown: str, does: str) -> Line:
    return line(" " * (4 - len(shown)), (shown, "key"), f"  {does}")


class HelpScreen(ModalScreen[None]):
    """Shows the help; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", tooltip="Close the help.", id="help.close"),
    ]

    def __init__(self, view: RunView, seat: Seat) -> None:
        super().__init__()
        self._rows = help_rows(view, seat)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Prose(id="dialog-title")
            with Page(id="help-page"):
                yield Prose(id="help-text")

    def on_mount(self) -> None:
        self.query_one("#dialog-title", Prose).show([line(("Help", "heading"), ("   Esc closes", "muted"))])
        self.query_one("#help-text", Prose).show(self._rows)
        self.query_one("#help-page").focus()
