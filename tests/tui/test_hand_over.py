"""Handing a node to another team from the screen, the document to send them, taking it back; and notes."""

from __future__ import annotations

from typing import Any

from runbook.core.command import HandOver, Note, Retry
from runbook.core.view import NodeView
from tests.tui.conftest import every_size, press, screen_text, showing, write
from tests.tui.matters import opened
from tests.tui.sample import NOW, S, Store, change, context, node, ready, view, wait

HANDED: Any = {"to": "the DNS team", "by": "ana", "note": "DNS-7", "why": "", "at_ms": NOW, "seq": 9}


def theirs() -> NodeView:
    made = change("Create private endpoint pe-arc", "pe-arc")
    asked = wait(who="the DNS team", message="Still to be done by them: that.", draft="", attest="It was done by hand")
    return node("endpoint", state=S.WAITING, attempts=1, changes=(made,), handed=HANDED, waiting=asked)


def waiting_ready() -> Store:
    one = ready().nodes["endpoint"]
    return Store(view(context(), one.altered({"attempts": 1})))


@every_size
async def test_h_asks_who_does_it_and_hands_it_over(size: tuple[int, int]) -> None:
    store = waiting_ready()
    async with showing(store, size) as (pilot, app):
        shown = await press(pilot, "H")
        assert "Hand over to another team" in shown
        assert "Nothing of it is sent from here any more" in " ".join(shown.split())
        assert "A name is needed." in await press(pilot, "enter", "enter")
        await write(pilot, "the DNS team", "enter")
        await write(pilot, "DNS-7", "enter")
        assert store.commands == [HandOver("endpoint", "the DNS team", "ana@contoso.example", "DNS-7")]
        assert not app.is_busy


async def test_what_was_never_looked_at_is_not_handed_over() -> None:
    store = Store(view(context(), node("endpoint")))
    async with showing(store) as (pilot, _):
        await press(pilot, "H")
        assert store.commands == []


async def test_the_waiting_screen_has_the_document_to_send_them() -> None:
    store = Store(view(context(), theirs()))
    async with showing(store, (120, 36)) as (pilot, app):
        await opened(pilot, store.held, "c")
        assert app.clipboard.startswith("# For the DNS team")
        assert "Create private endpoint pe-arc" in app.clipboard


async def test_r_takes_it_back_after_a_question() -> None:
    store = Store(view(context(), theirs()))
    async with showing(store) as (pilot, _):
        shown = await press(pilot, "r")
        assert "Take it back?" in shown
        assert "the DNS team was asked to do this" in shown
        await press(pilot, "enter")
        assert store.commands == [Retry("endpoint")]


async def test_a_note_is_written_into_the_run() -> None:
    store = waiting_ready()
    async with showing(store) as (pilot, _):
        await press(pilot, "N")
        await write(pilot, "Kim has the keys", "enter")
        assert store.commands == [Note("Kim has the keys", "ana@contoso.example")]


async def test_what_is_with_another_team_does_not_keep_the_operator_from_what_is_theirs() -> None:
    mine = node("providers", "a", "Register A", S.READY, attempts=1, changes=(change("Make my own", "own"),))
    store = Store(view(context(), mine, theirs()))
    async with showing(store, (120, 36)) as (_, app):
        assert "Approve: Make my own" in screen_text(app)


async def test_its_waiting_screen_says_that_r_takes_it_back() -> None:
    store = Store(view(context(), theirs()))
    async with showing(store, (200, 60)) as (pilot, app):
        await opened(pilot, store.held)
        text = screen_text(app)
        assert "The document to send them" in text
        assert "Take back" in text
