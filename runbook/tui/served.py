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
    from runbook.tui.given import Home
    from runbook.tui.memory import Memory
    from runbook.tui.runs import Runs
    from runbook.tui.settings import Kept

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
        kept: the operator's settings.
        memory: what run screens are given beside their runs.
        runs: what is known of other runs.
    """

    def __init__(
        self,
        home: Home,
        first: Callable[[], Attachment] | None = None,
        *,
        program: str = "runbook",
        kept: Kept | None = None,
        memory: Memory | None = None,
        runs: Runs | None = None,
    ) -> None:
        super().__init__(home=home, program=program, kept=kept, memory=memory, runs=runs)
        self._first = first

    def on_ready(self) -> None:
        """The home screen is there: open the run above it."""
        if self._first is not None:
            self._start_opening(self._first)
