"""The form of a new run on the screen, for tests: with the real scenarios, or with lists that a test makes up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from runbook.cli.making import Workshop
from runbook.core.error import ContextError, RunbookError
from runbook.tui.app import RunbookApp
from runbook.tui.given import Home
from runbook.tui.making import Making
from runbook.tui.present.how import LIVE, Prefill
from runbook.tui.present.text import as_text
from runbook.tui.screens.new_run import NewRunScreen
from runbook.tui.screens.pick import Fixed, Plain
from runbook.tui.widgets.prose import Prose
from tests.tui.conftest import idle, screen_text

ARC, AVD = "arc-private-link", "avd-private-link"
SUB = "11111111-1111-4111-8111-111111111111"


class Reads:
    """Choices as a test wants them: a list, an error, or an answer that never comes."""

    def __init__(self, *labels: str, error: RunbookError | None = None, is_silent: bool = False) -> None:
        self.labels, self.error, self.is_silent = labels, error, is_silent
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def offer(self, of: str, within: Sequence[str]) -> Fixed:
        self.asked.append((of, tuple(within)))
        if self.is_silent:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return Fixed([Plain(f"value-{label}", label, f"detail of {label}") for label in self.labels], ["one is hidden"])


def refuse() -> Any:
    raise ContextError("Nobody is signed in to the Azure CLI.", "Sign in (az login).")


def home_of(making: Making) -> Home:
    """A home screen with nothing on it but the way to the form."""

    def never(*_: Any) -> Any:
        raise AssertionError("nothing of this is asked for here")

    return Home(
        list_runs=lambda _: [],
        list_books=list,
        open_run=never,
        watch_run=never,
        start_rehearsal=never,
        archive=never,
        report=never,
        told_of_run=never,
        told_of_book=never,
        now_ms=lambda: 0,
        new_run=lambda book: NewRunScreen(making, book),
    )


@asynccontextmanager
async def form(
    home: Path,
    book: str = ARC,
    size: tuple[int, int] = (80, 24),
    change: Callable[[Making], Making] = lambda making: making,
    prefill: Prefill | None = None,
    sign_in: Callable[[], Any] = refuse,
) -> AsyncIterator[tuple[Pilot[None], RunbookApp]]:
    """The app with the form on the screen, ready and at rest."""
    making = change(Workshop(home, sign_in).making)
    app = RunbookApp(home=home_of(making), redraw_s=0.0, settle_s=0.0)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await idle(pilot)
        app.push_screen(NewRunScreen(making, book, prefill))
        await idle(pilot)
        yield pilot, app
    app.close()


async def keys(pilot: Pilot[None], *names: str) -> str:
    for name in names:
        await pilot.press(name)
        await idle(pilot)
    if not names:
        await idle(pilot)
    assert isinstance(pilot.app, RunbookApp)
    return screen_text(pilot.app)


def the_form(app: RunbookApp) -> NewRunScreen:
    return next(s for s in app.screen_stack if isinstance(s, NewRunScreen))


def told(app: RunbookApp, place: str) -> str:
    """The text of a part of the screen, without the line ends that its room asks for."""
    return as_text(app.screen.query_one(place, Prose).rows)


async def at(pilot: Pilot[None], name: str) -> str:
    """Put the cursor into a field."""
    the_form(pilot.app)._row(name).box.focus()  # type: ignore[arg-type]
    return await keys(pilot)


async def clear(pilot: Pilot[None], name: str) -> None:
    await at(pilot, name)
    await keys(pilot, "end", "ctrl+u")


EMPTY = Prefill({}, "nothing", LIVE)
"""A form on the operator's own Azure, with nothing filled in."""
