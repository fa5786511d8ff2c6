"""What the operator does with a run or a book of the home screen: questions first, then work in a worker.

Invariant: nothing is put away unfinished, taken over or written over without having been asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from runbook.tui.live import Wanted
from runbook.tui.messages import Chosen
from runbook.tui.present.text import lines, one_line
from runbook.tui.question import Answers, Question
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.questions import take_over
from runbook.tui.screens.reporting import ask_report, do

if TYPE_CHECKING:
    from runbook.journal.runs import Listed
    from runbook.tui.app import RunbookApp
    from runbook.tui.around import Around
    from runbook.tui.given import Home
    from runbook.tui.screens.home import HomeScreen


class Acts:
    """Carries out what the keys of the home screen ask for.

    Args:
        screen: tells what is chosen.
        home: does it.
    """

    def __init__(self, screen: HomeScreen, home: Home) -> None:
        self._screen = screen
        self._home = home

    def on_book(self, book: str) -> None:
        """Rehearse a book."""
        self._screen.post_message(Chosen(partial(self._home.start_rehearsal, book)))

    def make(self, book: str) -> None:
        """Make a run, of this book or, where it is empty, of one that is asked for."""
        if self._home.new_run is None:
            return

        def made(run: str | None) -> None:
            if run:
                self._choose(self._home.open_run, run)

        self._screen.app.push_screen(self._home.new_run(book), made)

    def on_run(self, id_: str, run: Listed) -> None:
        """Do what a key asks for with a run."""
        home = self._home
        match id_:
            case "open":
                self._choose(home.open_run, run.id)
            case "watch":
                self._choose(home.watch_run, run.id)
            case "take_over":
                self._take_over(run)
            case "archive":
                self._put_away(run)
            case "report":
                ask_report(self._screen, run.id, partial(home.report, run))
            case "compare":
                from runbook.tui.screens.compare import CompareScreen

                self._look_back(CompareScreen(run.id, self._around.runs), run.id)
            case "timeline":
                from runbook.tui.screens.timeline import TimelineScreen

                self._look_back(TimelineScreen(self._around.runs.past(run.id)), run.id)
            case _:
                raise AssertionError(id_)

    def _choose(self, opener: Callable[[str], object], run: str) -> None:
        self._screen.post_message(Chosen(partial(opener, run)))  # type: ignore[arg-type]

    @property
    def may_take_over(self) -> bool:
        """Whether runs can be taken over from here."""
        return self._around.take_over is not None

    def _take_over(self, run: Listed) -> None:
        opener = self._around.take_over
        if opener is None or run.driver is None:
            return
        who = f"{run.driver.account} on {run.driver.host} (process {run.driver.pid})"
        self._ask(take_over(run.id, who), lambda said: self._choose(lambda id_: opener(id_, said["why"]), run.id))

    @property
    def _around(self) -> Around:
        return cast("RunbookApp", self._screen.app).around

    def _look_back(self, screen: Screen[Wanted | None], run: str) -> None:
        """Put a screen about a run's past above; who wants one of its nodes opens the run."""

        def came_back(wanted: Wanted | None) -> None:
            if wanted is not None:
                self._choose(self._home.open_run, run)

        self._screen.app.push_screen(screen, came_back)

    def _ask(self, question: Question, then: Callable[[Answers], object]) -> None:
        def answered(answers: Answers | None) -> None:
            if answers is not None:
                then(answers)

        self._screen.app.push_screen(Dialog(question), answered)

    def _put_away(self, run: Listed) -> None:
        def go(_: Mapping[str, str]) -> None:
            back = run.is_archived
            told = f"{run.id} is back among the runs." if back else f"{run.id} is put away. A shows what was put away."
            do(self._screen, partial(self._home.archive, run.id, back), told)

        if run.is_archived or run.summary is None or run.summary.is_over:
            go({})
        else:
            self._ask(_unfinished(run), go)


def why_not(id_: str, run: Listed | None) -> str:
    """Why a key means nothing at this row."""
    if id_ == "new":
        return "That is not possible here."
    if run is None:
        return "That is for runs; this is a book. Enter rehearses it."
    if run.is_archived:
        return "It was put away: z brings it back."
    if id_ == "take_over":
        return "This page only looks on." if run.driver else "Nobody drives it: Enter goes on with it."
    if id_ == "archive":
        return "Somebody drives it. It can be put away once they have left it."
    return "This run cannot be read; below it stands why, and what can be done."


def _unfinished(run: Listed) -> Question:
    body = [
        *lines("It is neither done nor aborted. Put away, it is not listed, and nobody will be reminded of it."),
        *lines("Nothing is deleted: A shows what was put away, z brings it back."),
    ]
    return Question(f"Put {one_line(run.id)} away unfinished?", tuple(body), "Put away", is_grave=True)
