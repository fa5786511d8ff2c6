"""What was done and by whom, in one text above the run: read by a worker, to be scrolled and copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.message import Message

from runbook.core.error import RunbookError
from runbook.tui.keys import bindings
from runbook.tui.present.text import Line, as_text, lines
from runbook.tui.screens.raw import TextScreen

if TYPE_CHECKING:
    from runbook.journal.past import Past


class AuditScreen(TextScreen):
    """Shows the calls, waits, words, skips and drivers of a run as they were when it was opened."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("audit")
    screen_name = "audit"

    class Read(Message):
        """The journal was read, or could not be."""

        def __init__(self, rows: Sequence[Line], *, is_whole: bool) -> None:
            super().__init__()
            self.rows, self.is_whole = rows, is_whole

    def __init__(self, past: Past) -> None:
        super().__init__("What was done, and by whom", "What was done")
        self._past = past

    def on_mount(self) -> None:
        self.show(lines("Reading the journal …", "muted"), "")
        self.run_worker(self._read, thread=True, group="audit", name="audit")

    def _read(self) -> None:
        from runbook.tui.present.audit import audit_of

        try:
            self.post_message(self.Read(audit_of(self._past), is_whole=True))
        except RunbookError as error:
            told = [*lines(f"The journal cannot be read: {error.message}", "bad"), *lines(error.hint, "muted")]
            self.post_message(self.Read(told, is_whole=False))

    @on(Read)
    def _was_read(self, message: Read) -> None:
        self.show(message.rows, as_text(message.rows) if message.is_whole else "")
