"""How a run begins from the summary: a live one is asked about first, then it is made and opened like every run.

Invariants: a live run is made only after the names of its subscriptions were typed, by the rule that holds on the
command line, too; what fails comes back to the summary; a run that was made is not made twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message

from runbook.core.error import RunbookError
from runbook.tui.making import Making, Terms
from runbook.tui.messages import Chosen
from runbook.tui.present.summary import names_in, pinned_rows
from runbook.tui.present.text import clean, lines, one_line
from runbook.tui.question import Answers, Field, Question
from runbook.tui.screens.dialogs import Dialog

if TYPE_CHECKING:
    from runbook.engine.host import Attachment
    from runbook.tui.screens.summary import SummaryScreen


class WhereRead(Message):
    """It is known what a live run would be pinned to, or why not."""

    def __init__(self, terms: Terms, pinned: Mapping[str, Any] | None, problem: str = "") -> None:
        super().__init__()
        self.terms, self.pinned, self.problem = terms, pinned, problem


class Failed(Message):
    """The run could not be made or opened."""

    def __init__(self, problem: str) -> None:
        super().__init__()
        self.problem = problem


class Beginning:
    """Begins runs for one summary.

    Attributes:
        is_opened: whether one was.
    """

    def __init__(self, screen: SummaryScreen, making: Making) -> None:
        self._screen, self._making = screen, making
        self._made: dict[str, str] = {}
        """Runs that were made, by their terms."""
        self.is_opened = False

    def go(self, terms: Terms) -> None:
        """Begin; a live run asks first."""
        if terms.mode == "live":
            work = partial(self._where, terms)
            self._screen.run_worker(work, thread=True, exclusive=True, group="where", name="where")
            self._screen.notify("Reading where this run would write…", markup=False, timeout=2.0)
        else:
            self._open(terms, ())

    def _where(self, terms: Terms) -> None:
        try:
            self._screen.post_message(WhereRead(terms, self._making.where(terms)))
        except RunbookError as error:
            self._screen.post_message(WhereRead(terms, None, told(error)))

    def ask(self, message: WhereRead) -> None:
        """Have every subscription named that a live run writes to."""
        pinned = message.pinned
        if pinned is None:
            self._screen.fail(message.problem)
            return
        names = names_in(pinned)
        fields = tuple(
            Field(f"name{n}", f"To go on, type this name: {one_line(name)}", "The name", expected=one_line(name))
            for n, name in enumerate(names)
        )
        body = (*lines("This run will change real resources.", "bad"), *pinned_rows(pinned))

        def answered(answers: Answers | None) -> None:
            if answers is None:
                return
            said = tuple(name for n, name in enumerate(names) if answers[f"name{n}"] == one_line(name))
            try:
                self._making.check_words(pinned, said)
            except RunbookError as error:
                self._screen.fail(told(error))
            else:
                self._open(message.terms, said)

        question = Question("Start this live run?", body, "Start", fields, is_grave=True)
        self._screen.app.push_screen(Dialog(question), answered)

    def _open(self, terms: Terms, said: Sequence[str]) -> None:
        self._screen.post_message(Chosen(partial(self._opening, terms, said)))

    def _opening(self, terms: Terms, said: Sequence[str]) -> Attachment:
        """In a worker thread. A run that was made but could not be opened is opened the next time."""
        key = repr(terms)
        try:
            if key not in self._made:
                self._made[key] = self._making.create(terms, said)
            attachment = self._making.open_run(self._made[key], terms, said)
        except RunbookError as error:
            made = f" The run {self._made[key]} was made: it can be resumed." if key in self._made else ""
            self._screen.post_message(Failed(f"{told(error)}{made}"))
            raise
        self.is_opened = True
        return attachment


def told(error: RunbookError) -> str:
    """An error in one text: what is wrong, and what to do."""
    return clean(f"{error} {'' if error.hint in str(error) else error.hint}".strip())
