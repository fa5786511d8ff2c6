"""What was done and by whom, in one text above the run: read by a worker, to be scrolled and copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from runbook.core.error import RunbookError
from runbook.tui.base import Overlay
from runbook.tui.keys import bindings
from runbook.tui.present.text import Line, as_text, line, lines
from runbook.tui.widgets.bars import Page
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.journal.past import Past
    from runbook.tui.app import RunbookApp


class AuditScreen(Overlay[None]):
    """Shows the calls, waits, words, skips and drivers of a run as they were when it was opened."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("audit")
    screen_name = "audit"

    class Read(Message):
        """The journal was read, or could not be."""

        def __init__(self, rows: Sequence[Line], *, is_whole: bool) -> None:
            super().__init__()
            self.rows, self.is_whole = rows, is_whole

    def __init__(self, past: Past) -> None:
        super().__init__()
        self._past = past
        self._text = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-raw"):
            yield Prose(id="dialog-title")
            with Page(id="raw-page"):
                yield Prose(id="raw-text")

    def on_mount(self) -> None:
        title = line(("What was done, and by whom", "heading"), ("   c copies, Esc closes", "muted"))
        self.query_one("#dialog-title", Prose).show([title])
        self.query_one("#raw-text", Prose).show(lines("Reading the journal …", "muted"))
        self.query_one("#raw-page").focus()
        self.run_worker(self._read, thread=True, group="audit", name="audit")

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return any(not w.is_finished for w in self.workers)

    def _read(self) -> None:
        from runbook.tui.present.audit import audit_of

        try:
            self.post_message(self.Read(audit_of(self._past), is_whole=True))
        except RunbookError as error:
            told = [*lines(f"The journal cannot be read: {error.message}", "bad"), *lines(error.hint, "muted")]
            self.post_message(self.Read(told, is_whole=False))

    @on(Read)
    def _was_read(self, message: Read) -> None:
        self._text = as_text(message.rows) if message.is_whole else ""
        self.query_one("#raw-text", Prose).show(message.rows)

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        if id_ != "copy":
            self.dismiss(None)
        elif self._text:
            cast("RunbookApp", self.app).copy(self._text, "What was done")
        else:
            self.notify("There is nothing to copy yet.", severity="warning", markup=False)
