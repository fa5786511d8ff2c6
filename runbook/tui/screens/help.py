"""Every key of the screen below, and every sign: made from the key list and the state table, and searchable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from runbook.core.state import GLYPHS, NodeState
from runbook.core.view import RunView
from runbook.tui.keys import SCREENS, shown_as
from runbook.tui.present.header import Seat, pace
from runbook.tui.present.text import BLANK, Line, as_text, hang, heading, labelled, line, lines
from runbook.tui.present.words import driven_by, role
from runbook.tui.styled import Overlay
from runbook.tui.widgets.bars import Page
from runbook.tui.widgets.prose import Prose

MEANS: Final[dict[NodeState, str]] = {
    NodeState.PENDING: "its turn comes when what it needs is finished",
    NodeState.OBSERVING: "the cloud is being looked at",
    NodeState.READY: "it wants to change something and needs your go",
    NodeState.APPLYING: "you said go; its call is on the way to Azure",
    NodeState.SETTLING: "Azure took the call and works on it",
    NodeState.WAITING: "somebody else has to act, or your word ends it",
    NodeState.BLOCKED: "a rule forbids going on; it says why",
    NodeState.IN_DOUBT: "a call got no answer: did it take effect?",
    NodeState.FAILED: "it went wrong; o tells what to do",
    NodeState.DONE: "every check is as it should be",
    NodeState.SKIPPED: "left out, by you or by the book",
}
"""Each in at most 50 cells, so that none wraps in the smallest window."""


def key_rows(screen: str, keymap: Mapping[str, str]) -> list[Line]:
    """The keys of a screen, each with what it does."""
    keys = [k for k in SCREENS[screen] if k.shown]
    return [heading("Keys"), *(_key(shown_as(screen, k, keymap), k.tooltip) for k in keys)]


def sign_rows() -> list[Line]:
    """The states of a node, each in a line of plain words."""
    rows: list[Line] = [heading("Signs")]
    for state in NodeState:
        rows.append(line((f" {GLYPHS[state]} {state.replace('_', ' '):<10} ", role(state)), (MEANS[state], "muted")))
    rows.append(line((" 2! 1/4+      ", "go"), ("two nodes of a group need you; one of four is", "muted")))
    rows.append(line(" " * 14, ("finished, and more will come", "muted")))
    return rows


def run_rows(view: RunView, seat: Seat) -> list[Line]:
    """What holds for the run as a whole."""
    rows: list[Line] = []
    if view.mode == "rehearsal":
        rows += [heading("Rehearsal")]
        rows += lines("The Azure behind this screen is simulated: no call leaves this machine.")
        rows += lines("Its time goes by only while something is waited for, and then fast.")
        if not seat.is_read_only:
            rows += labelled("Speed", pace(seat.speed))
        rows += [BLANK]
    return [*rows, *lines(f"Run {view.id}: {driven_by(seat.driver)}.", "muted")]


def help_rows(view: RunView, seat: Seat, keymap: Mapping[str, str] | None = None) -> list[Line]:
    """The help of the run screen."""
    moves = _key("↑↓", "Move in the tree; Space folds; Tab goes to the page and back.")
    return [*key_rows("run", keymap or {}), moves, BLANK, *sign_rows(), BLANK, *run_rows(view, seat)]


def found(rows: Sequence[Line], asked: str) -> list[Line]:
    """The lines in which every word of ``asked`` stands; all of them where nothing is asked."""
    words = asked.lower().split()
    hits = [row for row in rows if row and all(w in as_text([row]).lower() for w in words)]
    return list(rows) if not words else hits or lines("Nothing here speaks of that.", "muted")


def _key(shown: str, does: str) -> Line:
    return line(" " * (6 - len(shown)), (shown, "key"), f"  {does}")


class HelpScreen(Overlay[None]):
    """Shows the help; what is typed narrows it down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", tooltip="Close the help.", id="help.close"),
    ]

    def __init__(self, rows: Sequence[Line]) -> None:
        super().__init__()
        self._rows = rows

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Prose(id="dialog-title")
            yield Input(id="help-find", compact=True, placeholder="type to search")
            with Page(id="help-page"):
                yield Prose(id="help-text")

    def on_mount(self) -> None:
        title = line(("Help", "heading"), ("   Esc closes; ↑↓ scroll; Ctrl+P lists every action", "muted"))
        self.query_one("#dialog-title", Prose).show([title])
        self.query_one("#help-find").focus()
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        rows = found(self._rows, self.query_one("#help-find", Input).value)
        width = self.query_one("#help-text").size.width or 72
        self.query_one("#help-text", Prose).show([part for row in rows for part in hang(row, width)])

    @on(Input.Changed)
    def _typed(self) -> None:
        self._draw()
        self.query_one("#help-page", Page).scroll_home(animate=False)

    def key_up(self) -> None:
        self.query_one("#help-page", Page).scroll_up(animate=False)

    def key_down(self) -> None:
        self.query_one("#help-page", Page).scroll_down(animate=False)

    def key_pageup(self) -> None:
        self.query_one("#help-page", Page).scroll_page_up(animate=False)

    def key_pagedown(self) -> None:
        self.query_one("#help-page", Page).scroll_page_down(animate=False)
