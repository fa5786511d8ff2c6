"""From the options of ``start``, ``rehearse`` and ``resume`` to a driven run: on a screen, by questions, or alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.names import names_of
from runbook.cli.options import JUMP, LONGEST_S, TUI_SPEED
from runbook.core.error import UsageError

if TYPE_CHECKING:
    from runbook.cli.desk import Desk
    from runbook.core.summary import RunSummary
    from runbook.core.view import RunView
    from runbook.journal.past import Past
    from runbook.tui.around import Around
    from runbook.tui.runs import Runs
    from runbook.tui.settings import Kept
    from runbook.wiring import Wish
    from runbook.wiring.live_drive import Consent


@dataclass(frozen=True, slots=True)
class Front:
    """How the operator meets the run.

    Attributes:
        speed: None when not said, ``JUMP``, or virtual seconds per second.
        away_s: virtual seconds that pass first.
        is_whole: lines for every node, also of steps with many.
    """

    headless: bool = False
    plain: bool = False
    as_json: bool = False
    is_whole: bool = False
    yes: bool = False
    yes_disruptive: bool = False
    speed: Any = None
    away_s: float = 0.0
    take_over: bool = False
    because: str = ""

    def check(self) -> None:
        """Refuse what does not go together, before anything is made.

        Raises:
            UsageError: it does not, or there is no terminal for a screen.
        """
        if self.headless and self.plain:
            raise click.UsageError("--headless and --plain exclude each other.")
        alone = [("--json", self.as_json), ("--yes", self.yes), ("--yes-disruptive", self.yes_disruptive)]
        for name, is_given in alone:
            if is_given and not self.headless:
                raise click.UsageError(f"{name} goes with --headless.")
        if self.is_whole and not (self.headless or self.plain):
            raise click.UsageError("--all goes with --headless or --plain.")
        if not self.headless and not self.plain:
            check_terminal()

    def check_live(self) -> None:
        """Refuse what goes with rehearsals only.

        Raises:
            UsageError: it was given for a live run.
        """
        if self.speed is not None or self.away_s:
            raise click.UsageError("--speed and --away are for rehearsals: in a live run time passes by itself.")

    @property
    def opening(self) -> dict[str, Any]:
        """The arguments of ``open_run`` that follow."""
        said = TUI_SPEED if self.speed is None and not self.headless else self.speed
        speed = None if said is JUMP else said
        return {
            "speed": speed,
            "longest_s": LONGEST_S,
            "away_s": self.away_s,
            "take_over": self.take_over,
            "because": self.because,
        }


def check_terminal() -> None:
    """Refuse to open a screen where there is none.

    Raises:
        UsageError: stdin or stdout is not a terminal, or it cannot move its cursor.
    """
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("This is not a terminal, so no screen can be opened.", _INSTEAD)
    if os.environ.get("TERM") == "dumb":
        raise UsageError("This terminal (TERM=dumb) cannot show a screen.", _INSTEAD)


_INSTEAD = "Use --headless to drive without a person, or --plain to be asked in plain lines."


def read_wish(
    book: str, mode: str, scenario: str, edition: str | None, inputs: str | None, sets: Any, run: str
) -> Wish:
    """What a run is to be made from.

    Raises:
        UsageError, BookError: an inputs file or ``--set`` cannot be read.
    """
    from runbook.book import load_inputs, parse_sets
    from runbook.wiring import Wish

    file = load_inputs(inputs) if inputs else None
    return Wish(book, mode, scenario, edition or "", parse_sets(sets), file, run)


def drive(home: Path, named: Callable[[], str], front: Front, consent: Consent | None = None) -> Exit:
    """Drive a run as the operator wants to meet it.

    Args:
        home: the state folder.
        named: gives the run's id; it may have to make the run first, which a screen does behind its first paint.
        front: how.
        consent: what a live run is opened with.

    Raises:
        RunbookError: the run could not be made or opened, or its driving ended by an error.
    """
    if not front.headless and not front.plain:
        return _on_screen(home, named, front, consent)
    run = named()
    if front.plain:
        from runbook.cli.plain import run_plain
        from runbook.wiring import attach

        attachment = attach(home, run, watch=False, consent=consent, **front.opening)
        return run_plain(attachment, is_whole=front.is_whole, home=home)
    from runbook.cli.headless import run_headless
    from runbook.cli.policy import Policy
    from runbook.cli.reading import view_of
    from runbook.engine.engine import Until
    from runbook.wiring import open_session

    view, _ = view_of(home, run)
    by = f"{view.pinned.get('account', '')}, by --yes"
    policy = Policy(front.yes, front.yes_disruptive, attests=view.mode == "rehearsal", by=by)
    output.talk(f"Run {run}: {view.mode} of {view.book.get('title', '')}")
    return run_headless(
        lambda: open_session(home, run, consent=consent, **front.opening),
        policy,
        as_json=front.as_json,
        is_whole=front.is_whole,
        until=Until.PARKED if view.mode == "live" else Until.STUCK,
    )


def settings_of(home: Path) -> Kept:
    """The operator's settings; what is wrong with them is told and stops nobody."""
    from runbook.cli.keeping import kept_anyway

    kept, problem = kept_anyway(home)
    if problem:
        output.talk(problem)
    return kept


def around(home: Path, desk: Desk, front: Front | None = None, consent: Consent | None = None) -> Around:
    """What screens are given beside a run.

    Args:
        home: the state folder.
        desk: what is known of all runs.
        front: how the operator meets a run that is taken over.
        consent: what a live one is opened with.
    """
    from runbook.cli.making import Workshop
    from runbook.tui.around import Around

    def report(run: str, path: Path, over: bool) -> list[str]:
        from runbook.cli.report import write_report

        return write_report(home, run, path, over=over)

    def take_over(run: str, because: str) -> Any:
        from runbook.wiring import attach

        opening = replace(front or Front(), take_over=True, because=because).opening
        return attach(home, run, consent=consent, **opening)

    return Around(
        kept=settings_of(home),
        memory=desk.memory(),
        runs=runs_of(home, desk),
        names=names_of(home),
        making=Workshop(home).making,
        report=report,
        take_over=take_over,
    )


def runs_of(home: Path, desk: Desk) -> Runs:
    """What a screen may know of the runs beside the one it shows. What cannot be read is left out: `runs` tells it."""
    from runbook.home import journal_path
    from runbook.tui.runs import Runs

    def listed() -> list[RunSummary]:
        return [run.summary for run in desk.runs() if run.summary is not None]

    def past(run: str) -> Past:
        from runbook.journal.reader import JournalPast

        return JournalPast(journal_path(home, run))

    return Runs(listed, past)


def _on_screen(home: Path, named: Callable[[], str], front: Front, consent: Consent | None) -> Exit:
    from runbook.cli.desk import Desk
    from runbook.tui.app import run_app

    name = cache(named)  # a run must be made only once

    def open_attachment() -> Any:
        from runbook.wiring import attach

        return attach(home, name(), consent=consent, **front.opening)

    def glance() -> RunView:
        from runbook.cli.reading import view_of

        return view_of(home, name())[0]

    failure = run_app(
        open_attachment,
        glance=glance,
        program=output.program(),
        around=around(home, Desk(home), front, consent),
    )
    if failure is not None:
        raise failure
    return Exit.DONE
