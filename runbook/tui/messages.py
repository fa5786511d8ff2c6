"""Messages between threads, workers and screens: small, named as what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from runbook.core.command import Command
from runbook.core.entry import Entry
from runbook.core.error import RunbookError

if TYPE_CHECKING:
    from runbook.engine.host import Attachment
    from runbook.tui.memory import Place


class Opened(Message):
    """The run can be watched. ``place`` is where its operator looked last."""

    def __init__(self, attachment: Attachment, place: Place | None = None) -> None:
        super().__init__()
        self.attachment = attachment
        self.place = place


class OpenFailed(Message):
    """The run cannot be opened."""

    def __init__(self, error: RunbookError) -> None:
        super().__init__()
        self.error = error


class RunMoved(Message):
    """The journal has grown; read the newest view."""


class Prompted(Message):
    """A sign-in wants something of the operator, in words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class CommandSettled(Message):
    """The engine took a command (``error`` is None) or refused it."""

    def __init__(self, command: Command, error: BaseException | None) -> None:
        super().__init__()
        self.command = command
        self.error = error


class NewsRead(Message):
    """What happened in a run since its operator last looked: a line for each kind of news."""

    def __init__(self, told: Sequence[str]) -> None:
        super().__init__()
        self.told = told


class EntriesRead(Message):
    """Entries of one node were read from the journal, or could not be."""

    def __init__(self, node: str | None, entries: Sequence[Entry], problem: str = "") -> None:
        super().__init__()
        self.problem = problem
        self.node = node
        self.entries = entries


class HandedOver(Message):
    """A text was saved or given to the mail program, or could not be."""

    def __init__(self, text: str, *, is_problem: bool = False) -> None:
        super().__init__()
        self.text = text
        self.is_problem = is_problem


class EvidenceHashed(Message):
    """An attestation's evidence file was read to its end, or could not be."""

    def __init__(self, command: Command | None, problem: str = "") -> None:
        super().__init__()
        self.command = command
        self.problem = problem


class Chosen(Message):
    """On the home screen something was chosen that is to be opened."""

    def __init__(self, open_attachment: Callable[[], Attachment]) -> None:
        super().__init__()
        self.open_attachment = open_attachment


class HomeDone(Message):
    """Something was done with a run of the home screen, or refused."""

    def __init__(self, text: str, error: RunbookError | None = None) -> None:
        super().__init__()
        self.text, self.error = text, error
