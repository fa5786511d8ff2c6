"""Runs and books in memory, and a ``Home`` on them that remembers what was asked of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from runbook.core.entry import Entry
from runbook.core.error import RunbookError
from runbook.core.expected import Experience
from runbook.core.summary import summary
from runbook.core.view import RunView
from runbook.journal.runs import Listed
from runbook.journal.store import Driver
from runbook.tui.app import RunbookApp
from runbook.tui.around import Around
from runbook.tui.given import Home, Told
from tests.tui.conftest import idle
from tests.tui.sample import NOW, Store, ready

MINUTE = 60_000
ANNA = Driver(3, "host-7", 4711, "anna", NOW - 600_000, "")


@dataclass
class Shelf:
    """A book as the home screen sees it."""

    id: str = "arc-private-link"
    version: int = 1
    title: str = "Arc servers behind [b]Private[/] Link"
    summary: str = "What it is for."
    duration: str = "two days"


def listed(view: RunView, ago_min: int = 5, **more: Any) -> Listed:
    """A run of the list, last written to so many minutes ago."""
    return Listed(view.id, summary(view), None, touched_ms=NOW - ago_min * MINUTE, **more)


def named(view: RunView, id_: str, **more: Any) -> RunView:
    return replace(view, id=id_, **more)


def unreadable(id_: str, error: RunbookError) -> Listed:
    return Listed(id_, None, error, touched_ms=NOW - MINUTE)


@dataclass
class House:
    """What the home screen is given, in memory."""

    runs: list[Listed] = field(default_factory=list)
    books: list[Shelf] = field(default_factory=lambda: [Shelf()])
    away: list[Listed] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    past: Experience | None = None
    live: Experience | None = None
    refuse: RunbookError | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    """What was asked for, in order."""
    books_looked_at: list[str] = field(default_factory=list)

    def opener(self, what: str) -> Any:
        def open_(id_: str, *why: str) -> Store:
            self.asked.append((what, id_, *why))
            if self.refuse is not None:
                raise self.refuse
            return Store(named(ready(), id_), is_read_only=what == "watch")

        return open_

    def archive(self, run: str, back: bool) -> None:
        self.asked.append(("back" if back else "away", run))
        if self.refuse is not None:
            raise self.refuse
        source, target = (self.away, self.runs) if back else (self.runs, self.away)
        at = next(r for r in source if r.id == run)
        source.remove(at)
        target.append(replace(at, is_archived=not back))

    def report(self, run: Listed, path: Path, over: bool) -> Sequence[str]:
        self.asked.append(("report", run.id, str(path), str(over)))
        if self.refuse is not None:
            raise self.refuse
        path.write_text("<html>")
        return ()

    def told_of_book(self, book: str) -> Told:
        self.books_looked_at.append(book)
        return Told((), self.past, self.live)

    def around(self) -> Around:
        return Around(take_over=self.opener("take"))

    def given(self, **more: Any) -> Home:
        return Home(
            list_runs=lambda archived: list(self.away if archived else self.runs),
            list_books=lambda: list(self.books),
            open_run=self.opener("open"),
            watch_run=self.opener("watch"),
            start_rehearsal=self.opener("rehearse"),
            archive=self.archive,
            report=self.report,
            told_of_run=lambda run: Told(self.entries, self.past),
            told_of_book=self.told_of_book,
            now_ms=lambda: NOW,
            **more,
        )


@asynccontextmanager
async def at_home(
    house: House, size: tuple[int, int] = (80, 24), **more: Any
) -> AsyncIterator[tuple[Pilot[None], RunbookApp]]:
    """The app on its home screen, at rest."""
    app = RunbookApp(home=house.given(**more), around=house.around(), redraw_s=0.0, settle_s=0.0)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await idle(pilot)
        yield pilot, app
    app.close()
