"""The application for a page in a browser: the server's process talks with this one through pipes.

Invariant: it never outlives the server. When the pipe from there closes, whatever the reason, the application ends as
if the operator had left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import messages
from textual.drivers.web_driver import WebDriver

from runbook.tui.app import RunbookApp

if TYPE_CHECKING:
    from runbook.engine.host import Attachment
    from runbook.tui.around import Around
    from runbook.tui.given import Home

DRIVER = f"{__name__}:ServedDriver"
"""For the environment variable ``TEXTUAL_DRIVER``."""


class ServedDriver(WebDriver):
    """Textual's own, which does not notice that nobody is there any more."""

    def run_input_thread(self) -> None:
        """Until there is no more input."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.post_message(messages.ExitApp())


class ServedApp(RunbookApp):
    """The home screen, and a run above it where one was named.

    Args:
        home: what the home screen shows.
        first: opens the run; called in a worker thread.
        program: how the operator calls this program.
        around: what the screens are given beside.
    """

    def __init__(
        self,
        home: Home,
        first: Callable[[], Attachment] | None = None,
        *,
        program: str = "runbook",
        around: Around | None = None,
    ) -> None:
        super().__init__(home=home, program=program, around=around)
        self._first = first

    def on_ready(self) -> None:
        """The home screen is there: open the run above it."""
        if self._first is not None:
            self._start_opening(self._first)
