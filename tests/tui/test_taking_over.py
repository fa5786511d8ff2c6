"""From looking on to driving, on the screen that already shows the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from runbook.core.error import LeaseLost, RunbookError, Unwritable
from runbook.tui.around import Around
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.run import RunScreen
from tests.tui.conftest import idle, press, screen_text, showing, small_and_usual, write
from tests.tui.matters import remarks
from tests.tui.sample import Store, ready

BOB = "bob on jumphost (process 4711)"


@dataclass
class Opener:
    """Opens the run for driving, or refuses."""

    refuse: Sequence[RunbookError] = ()
    asked: list[tuple[str, str]] = field(default_factory=list)
    opened: list[Store] = field(default_factory=list)

    def __call__(self, run: str, why: str) -> Store:
        self.asked.append((run, why))
        if len(self.asked) <= len(self.refuse):
            raise self.refuse[len(self.asked) - 1]
        self.opened.append(Store(ready()))
        return self.opened[-1]


def watched(driver: str = BOB) -> Store:
    return Store(ready(), is_read_only=True, driver=driver)


@small_and_usual
async def test_a_watcher_takes_over_with_a_reason_and_drives_on_the_same_screen(size: tuple[int, int]) -> None:
    store, opener = watched(), Opener()
    async with showing(store, size, around=Around(take_over=opener)) as (pilot, app):
        text = screen_text(app)
        assert "Nothing to press: you are watching" in text
        assert "T takes it over, with a reason that they see." in text
        assert "T Drive it" in text
        await press(pilot, "3")
        seen = app.screen
        text = await press(pilot, "T")
        assert isinstance(app.screen, Dialog)
        assert BOB in text
        await press(pilot, "enter")
        assert isinstance(app.screen, Dialog), "without a reason nothing is taken over"
        assert opener.asked == []
        text = await write(pilot, "she is ill", "enter")
        assert opener.asked == [(ready().id, "she is ill")]
        assert app.screen is seen
        assert "READ-ONLY" not in text
        assert "you drive" in text
        assert "Drive it" not in text
        assert isinstance(seen, RunScreen)
        assert seen.page == "Commands"
        assert store.is_closed
        assert not store.listeners
        await press(pilot, "a")
        assert len(opener.opened[0].commands) == 1
        assert store.commands == []
    assert opener.opened[0].is_closed


async def test_where_nobody_drives_it_is_driven_at_once() -> None:
    opener = Opener()
    async with showing(watched("nobody at the moment"), around=Around(take_over=opener)) as (pilot, app):
        assert "Drive it: whoever drove this run has left it" in screen_text(app)
        text = await press(pilot, "T")
        assert opener.asked == [(ready().id, "")]
        assert "you drive" in text


async def test_a_dialog_that_is_left_takes_nothing_over() -> None:
    opener = Opener()
    async with showing(watched(), around=Around(take_over=opener)) as (pilot, _):
        text = await press(pilot, "T", "escape")
        assert opener.asked == []
        assert "READ-ONLY" in text


async def test_a_refusal_is_told_and_the_watching_goes_on() -> None:
    opener = Opener(refuse=[Unwritable("The disk is full.", "Free some space.")])
    store = watched("nobody at the moment")
    async with showing(store, around=Around(take_over=opener)) as (pilot, app):
        text = await press(pilot, "T")
        assert "The disk is full." in remarks(app)
        assert "READ-ONLY" in text
        assert not store.is_closed
        assert "you drive" in await press(pilot, "T")
        assert len(opener.asked) == 2


async def test_who_was_taken_over_is_told_by_whom_before_taking_it_back() -> None:
    store, opener = Store(ready()), Opener()
    async with showing(store, around=Around(take_over=opener)) as (pilot, app):
        store.failure = LeaseLost("Another process has taken over this run: bob, because: lunch.", "Ask.")
        store.put(ready())
        await idle(pilot)
        assert "T drives it from here again." in screen_text(app)
        assert "bob, because: lunch" in await press(pilot, "T")
        store.put(ready())
        await idle(pilot)
        text = await write(pilot, "we spoke", "enter")
        assert opener.asked == [(ready().id, "we spoke")]
        assert "you drive" in text
        assert "you drive no more" not in text
        assert store.is_closed


async def test_what_ended_by_itself_is_opened_again_without_a_question() -> None:
    store, opener = Store(ready()), Opener()
    async with showing(store, around=Around(take_over=opener)) as (pilot, _):
        store.failure = Unwritable("The disk is full.", "Free some space.")
        store.put(ready())
        await idle(pilot)
        assert "you drive" in await press(pilot, "T")
        assert opener.asked == [(ready().id, "")]


@pytest.mark.parametrize(
    ("store", "around", "why"),
    [
        (Store(ready()), Around(take_over=Opener()), "You drive this run already."),
        (watched(), Around(), "This page only looks on."),
    ],
)
async def test_where_it_cannot_be_it_is_not_offered_and_says_why(store: Store, around: Around, why: str) -> None:
    async with showing(store, around=around) as (pilot, app):
        assert "Drive it" not in screen_text(app)
        assert why in await press(pilot, "T")
