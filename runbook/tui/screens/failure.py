"""The failure screen: what went wrong at a node, what is known of its effect, and the ways on."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from runbook.core.state import RunState
from runbook.tui.keys import bindings
from runbook.tui.present import failure as pages
from runbook.tui.present.matter import matter
from runbook.tui.present.text import Line
from runbook.tui.screens.matter import ASIDE, MatterScreen
from runbook.tui.screens.raw import RawScreen
from runbook.tui.widgets.prose import Prose


class FailureScreen(MatterScreen):
    """About one failed, blocked or doubtful node."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("failure")
    screen_name = "failure"

    @property
    def trouble(self) -> pages.Trouble:
        can = super().can() - ASIDE
        return pages.Trouble(
            self.view, self.node, self.attachment.now_ms(), self.meanwhile, self.entries, can, self.due
        )

    def head(self) -> list[Line]:
        return pages.head(self.trouble)

    def can(self) -> frozenset[str]:
        is_matter = matter(self.node) == "failure"
        may_change = is_matter and not self.is_closed and self.view.state is not RunState.ABORTED
        return super().can() | {"raw", "copy"} | ({"change_input"} if may_change else set())

    def draw_matter(self) -> None:
        self.query_one("#matter-text", Prose).show(pages.page(self.trouble))

    def action_act(self, id_: str) -> None:
        match id_:
            case "raw" if self.entries is None:
                self.say("The journal is still being read; press the key again.", "warning")
            case "raw":
                self.app.push_screen(RawScreen("What is stored of this node", pages.raw(self.node, self.entries or ())))
            case "copy":
                self.runbook_app.copy(pages.ticket(self.trouble), "What somebody who helps should know")
            case _:
                super().action_act(id_)
