"""A run as its journal has it, for the moment until it is opened. Nothing can be decided and nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from runbook.core.command import Command
from runbook.core.entry import Entry
from runbook.core.error import RunbookError, UsageError
from runbook.core.event import Event
from runbook.core.view import RunView
from runbook.journal.past import Past, ToldPast


class Glance:
    """An ``Attachment`` to nothing but a view.

    Args:
        view: as last committed.
    """

    is_read_only = True
    driver = ""
    speed: float | None = None
    failure: RunbookError | None = None

    def __init__(self, view: RunView) -> None:
        self.view = view

    def now_ms(self) -> int:
        return self.view.updated_ms

    def real_s(self, at_ms: int) -> float | None:
        return None

    def submit(self, command: Command) -> Future[None]:
        refused: Future[None] = Future()
        refused.set_exception(UsageError("The run is still being opened.", "Press the key again in a moment."))
        return refused

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        return lambda: None

    def entries(self, node: str | None, limit: int = 200) -> list[Entry]:
        return []

    def past(self) -> Past:
        return ToldPast()

    def close(self) -> None:
        """There is nothing to let go of."""
