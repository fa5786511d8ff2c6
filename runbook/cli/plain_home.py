"""``runbook --plain``: the home screen in lines. Runs to go on with, books to rehearse, new runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

from runbook.cli import output, screen
from runbook.cli.answers import Answers, Left
from runbook.cli.driving import Front
from runbook.cli.exits import Exit
from runbook.cli.plain import run_plain
from runbook.cli.reading import every_run
from runbook.core.error import RunbookError
from runbook.core.view import RunView

_WRONG: Final = 25
_HELP: Final = (
    "NUMBER or NAME: open that run, or rehearse that book.",
    "look NUMBER: look at a run without driving it.",
    "new BOOK: make a run of a book, asked for what it needs; live or a rehearsal.",
    "list: read the lists again.",
    "quit: leave.",
)


def show_plain_home(home: Path, source: TextIO | None = None) -> Exit:
    """List, open, rehearse and make runs until the operator leaves.

    Raises:
        RunbookError: what ended the driving of a run.
    """
    talk = _Home(home, source or sys.stdin)
    try:
        talk.go()
    except Left:
        pass
    return Exit.DONE


@dataclass
class _Home:
    home: Path
    source: TextIO
    runs: list[tuple[RunView, str | None]] = field(default_factory=list)
    books: list[Any] = field(default_factory=list)
    wrong: int = 0

    def __post_init__(self) -> None:
        self.answers = Answers(self.source)

    def go(self) -> None:
        self._list()
        while self.wrong < _WRONG:
            reply = self.answers.ask("A number to open, new BOOK, help, or quit?")
            word, _, rest = reply.partition(" ")
            rest = rest.strip()
            try:
                self._do(word.lower(), rest)
            except RunbookError as error:
                output.data(f"{error.message} {error.hint}".strip())
        output.data(f"{_WRONG} answers in a row fitted nothing.")

    def _do(self, word: str, rest: str) -> None:
        match word:
            case "q" | "quit":
                raise Left
            case "h" | "help" | "?":
                self._print(_HELP)
            case "l" | "list":
                self._list()
            case "n" | "new":
                self._new(rest)
            case "look" | "open" | "rehearse":
                self._open(rest, is_looking=word == "look")
            case _:
                self._open(word, is_looking=False)
                return
        self.wrong = 0

    def _list(self) -> None:
        self.runs, self.books = list(every_run(self.home)), screen.books()
        output.data("Runs:" if self.runs else "There is no run yet.")
        for number, (view, driver) in enumerate(self.runs, 1):
            state = view.state.value.replace("_", " ").replace("needs operator", "needs you")
            driven = f", driven by {driver}" if driver else ""
            output.data(f"  {number}. {view.id}: {view.book.get('id', '')}, {view.mode}, {state}{driven}")
        output.data("Books to rehearse on a simulated Azure; nothing real is touched:")
        for number, book in enumerate(self.books, len(self.runs) + 1):
            output.data(f"  {number}. {book.id}: {book.title}")

    def _open(self, asked: str, *, is_looking: bool) -> None:
        choices = [*(view.id for view, _ in self.runs), *(book.id for book in self.books)]
        at = int(asked) - 1 if asked.isdecimal() else choices.index(asked) if asked in choices else -1
        if not 0 <= at < len(choices):
            self.wrong += 1
            output.data("There is nothing of that number or name. help tells what there is.")
            return
        self.wrong = 0
        is_run = at < len(self.runs)
        run = choices[at] if is_run else screen.create(self.home, choices[at])
        self._talk(run, is_looking=is_looking and is_run)

    def _talk(self, run: str, *, is_looking: bool) -> None:
        attachment = screen.watch(self.home, run) if is_looking else self._drive(run, Front(plain=True))
        run_plain(attachment, self.source, home=self.home, opener=partial(self._take_over, run))
        self._list()

    def _take_over(self, run: str, why: str) -> Any:
        return self._drive(run, Front(plain=True, take_over=True, because=why))

    def _drive(self, run: str, front: Front) -> Any:
        """A run to drive; where another process drives it, to look on."""
        from runbook.cli.signing import consent_for
        from runbook.wiring import attach

        consent = consent_for(self.home, run, None, None, (), may_ask=True)
        return attach(self.home, run, consent=consent, **front.opening)

    def _new(self, book: str) -> None:
        from runbook.cli.plain_new import ask_mode, made_by_questions

        if book.isdecimal() and 0 < (at := int(book) - len(self.runs)) <= len(self.books):
            book = self.books[at - 1].id
        if not book:
            book = self.answers.ask(f"Which book? {', '.join(b.id for b in self.books)}")
        if not book:
            return
        run = made_by_questions(self.home, book, ask_mode(self.answers), self.answers)
        output.data(f"Made: {run}")
        self._talk(run, is_looking=False)

    def _print(self, rows: tuple[str, ...]) -> None:
        for row in rows:
            output.data(row)
