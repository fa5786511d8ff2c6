"""Coming back to a run: the same row, page and folds, unless something is more urgent by now."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from runbook.core.entry import Draft, Entry, Kind
from runbook.core.expected import Expected, Usual
from runbook.core.view import RunView
from runbook.tui.app import RunbookApp
from runbook.tui.around import Around
from runbook.tui.memory import Memory, Place
from runbook.tui.present.rows import Key
from runbook.tui.screens import keeper
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.run import RunScreen
from runbook.tui.widgets.node_tree import NodeTree
from tests.tui.conftest import idle, press, screen_text
from tests.tui.sample import NOW, S, Store, change, context, node, ready, view, wait


@dataclass
class Notebook:
    """Places in memory."""

    places: dict[str, Place] = field(default_factory=dict)
    usual: Expected = field(default_factory=dict)

    def memory(self) -> Memory:
        return Memory(self.places.get, self.places.__setitem__, lambda _: self.usual)


@asynccontextmanager
async def opened(store: Store, book: Notebook) -> AsyncIterator[tuple[Pilot[None], RunScreen]]:
    app = RunbookApp(lambda: store, redraw_s=0.0, settle_s=0.0, around=Around(memory=book.memory()))
    app.animation_level = "none"
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await idle(pilot)
        assert isinstance(app.screen, RunScreen)
        yield pilot, app.screen
    app.close()


def calm() -> RunView:
    """Nothing needs the operator: two providers registered, one under way."""
    return view(
        context(),
        node("providers", "a", "Register A", S.DONE),
        node("providers", "b", "Register B", S.SETTLING),
        node("endpoint"),
    )


def urgent() -> RunView:
    put = change("Create private endpoint pe-arc", "pe-arc")
    nodes = {**calm().nodes, "endpoint": node("endpoint", state=S.READY, changes=(put,))}
    return replace(calm(), nodes=nodes, head=8)


async def test_row_page_and_folds_are_as_they_were_left() -> None:
    book = Notebook()
    async with opened(Store(calm()), book) as (pilot, screen):
        screen.query_one(NodeTree).fold([("phase", "network")], [])
        screen.select(("node", "providers[a]"))
        screen.follows = False
        await press(pilot, "4")
    assert book.places["arc-1"].row == ("node", "providers[a]")
    async with opened(Store(calm()), book) as (_, screen):
        assert screen.key == ("node", "providers[a]")
        assert screen.page == "Checks"
        assert not screen.follows
        assert screen.query_one(NodeTree).is_folded(("phase", "network"))
        assert not screen.query_one(NodeTree).is_folded(("phase", "ready"))


async def test_what_needs_the_operator_by_now_comes_first_and_is_told() -> None:
    left = Place(("node", "providers[a]"), "Checks", follows=False)
    async with opened(Store(urgent()), Notebook({"arc-1": left})) as (_, screen):
        assert screen.key == ("node", "endpoint")
        assert "Since you left, this needs you: Private endpoint pe-arc." in screen_text(screen.app)  # type: ignore[arg-type]


async def test_what_needed_the_operator_then_already_comes_first_too_and_is_no_news() -> None:
    left = Place(("node", "providers[a]"), "Checks", follows=False, wanted=frozenset({"endpoint"}))
    async with opened(Store(urgent()), Notebook({"arc-1": left})) as (_, screen):
        assert screen.key == ("node", "endpoint")
        assert screen.follows, "what comes next is not missed either"
        assert "Since you left" not in screen_text(screen.app)  # type: ignore[arg-type]


async def test_a_place_that_is_no_more_is_let_go() -> None:
    left = Place(("node", "gone[x]"), "Nonsense", follows=False, folded=frozenset({("step", "gone")}))
    async with opened(Store(ready()), Notebook({"arc-1": left})) as (_, screen):
        assert screen.key == ("node", "endpoint")
        assert screen.page == "Guide"


async def test_the_place_is_written_after_a_moment_and_not_while_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "NOTE_S", 0.001)
    written: list[Place] = []
    wrote = threading.Event()

    def keep(run: str, place: Place) -> None:
        written.append(place)
        wrote.set()

    app = RunbookApp(lambda: Store(calm()), redraw_s=0.0, settle_s=0.0, around=Around(memory=Memory(keep=keep)))
    async with app.run_test(size=(120, 36)) as pilot:
        await idle(pilot)
        while not wrote.is_set():
            await pilot.pause()
        await idle(pilot)
        many = len(written)
        assert isinstance(app.screen, RunScreen)
        for _ in range(20):
            app.screen.draw_text()
            await idle(pilot)
        assert len(written) == many
        wrote.clear()
        await press(pilot, "right")
        while not wrote.is_set():
            await pilot.pause()
        assert written[-1].page == "Plan"
    app.close()


async def test_how_long_it_usually_takes_stands_beside_what_is_waited_for() -> None:
    usual = {("approval", S.WAITING): Usual(86_400_000, 43_200_000, 3 * 86_400_000, 3)}
    held = view(context(), node("approval", state=S.WAITING, waiting=wait()))
    async with opened(Store(held), Notebook(usual=usual)) as (pilot, screen):
        screen.keeper._learn()
        await idle(pilot)
        screen.draw_text()
        await idle(pilot)
        assert "Elapsed: 2 d, usually 12 h to 3 d" in screen_text(screen.app)  # type: ignore[arg-type]


keys = st.tuples(st.sampled_from(["phase", "step", "node"]), st.text(max_size=9))
places = st.builds(
    Place,
    st.none() | keys,
    st.text(max_size=9),
    st.booleans(),
    st.frozensets(keys, max_size=9),
    st.frozensets(keys, max_size=9),
    st.frozensets(st.text(max_size=9), max_size=9),
)


@given(places)
def test_a_place_survives_its_file(place: Place) -> None:
    assert Place.from_doc(json.loads(json.dumps(place.to_doc()))) == place


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_anything_else_is_no_place(doc: object) -> None:
    assert Place.from_doc(doc) is None


def test_a_run_of_thousands_keeps_a_small_place() -> None:
    many: frozenset[Key] = frozenset(("step", f"s{i}") for i in range(5_000))
    assert len(json.dumps(Place(None, "", True, many, many, frozenset(map(str, range(5_000)))).to_doc())) < 20_000


async def test_what_happened_since_is_shown_once_and_enter_goes_on() -> None:
    store = Store(replace(urgent(), head=8))
    store.log.append(Entry.chain(Draft(Kind.NOTED, data={"text": "Kim has the keys", "by": "ana"}), 8, NOW, ""))
    book = Notebook({"arc-1": Place(("node", "providers[a]"), "Checks", follows=False, head=7)})
    app = RunbookApp(lambda: store, redraw_s=0.0, settle_s=0.0, around=Around(memory=book.memory()))
    app.animation_level = "none"
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await idle(pilot)
        assert isinstance(app.screen, Dialog)
        assert "Kim has the keys (ana)" in screen_text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, RunScreen)
    app.close()
    assert book.places["arc-1"].head == 8
    async with opened(store, book):
        pass  # it opens on the run itself: there is no news
