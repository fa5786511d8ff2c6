"""The run screen on a run with about 1,700 nodes."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from textual.widgets import OptionList

from runbook.core.command import Approve
from runbook.core.entry import Draft, Kind
from runbook.core.error import LeaseLost, UsageError
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.tui.present.find import from_here, matches
from runbook.tui.present.many import of_phase, of_step
from runbook.tui.present.rows import Branch, Outline, outline
from runbook.tui.screens.many import ManyDialog
from runbook.tui.screens.run import RunScreen
from runbook.tui.widgets.node_tree import NodeTree
from tests import estate
from tests.tui.conftest import idle, press, screen_text, showing, write
from tests.tui.sample import NOW, S, Store, node, view, wait

SMALL, LARGE = (80, 24), (160, 48)
both = pytest.mark.parametrize(
    "size", [pytest.param(SMALL, id="80x24"), pytest.param(LARGE, id="160x48", marks=pytest.mark.soak)]
)
ANA = "ana@contoso.example"


@pytest.fixture(scope="module")
def midway() -> RunView:
    return estate.view_of(estate.midway())


def run_screen(app: object) -> RunScreen:
    screen = getattr(app, "screen", None)
    assert isinstance(screen, RunScreen)
    return screen


def branch_of(branches: tuple[Branch, ...], step: str) -> Branch:
    return next(b for phase in branches for b in phase.children if b.row.key == ("step", step))


# ---------------------------------------------------------------- the tree


def test_a_step_with_many_nodes_is_one_row_that_says_how_they_stand(midway: RunView) -> None:
    row = branch_of(outline(midway), "connection_endpoint").row
    assert row.word == "4! 143/200"
    assert row.spelled == "143 of 200 done, 1 blocked, 3 ready"


def test_an_event_makes_only_its_own_rows_anew(midway: RunView) -> None:
    known = Outline()
    before = known.of(midway)
    moved = replace(midway.nodes["agent_restart[rg-avd/hp-007]"], state=NodeState.OBSERVING)
    after = known.of(replace(midway, nodes={**midway.nodes, moved.id: moved}))
    same = [a is b for a, b in zip(before, after, strict=True)]
    assert same.count(False) == 1
    old, new = branch_of(before, "agent_restart").children, branch_of(after, "agent_restart").children
    assert [a is b for a, b in zip(old, new, strict=True)].count(False) == 1
    assert after == outline(replace(midway, nodes={**midway.nodes, moved.id: moved}))


def test_a_burst_of_events_costs_little_each(midway: RunView) -> None:
    """Making every row anew costs twenty milliseconds and more per event; the bound is far below and far above."""
    known = Outline()
    known.of(midway)
    views = [midway]
    for name in [n.id for n in midway.of_step("agent_restart")]:
        moved = replace(views[-1].nodes[name], state=NodeState.OBSERVING)
        views.append(replace(views[-1], nodes={**views[-1].nodes, name: moved}))
    began = time.process_time()
    for each in views:
        known.of(each)
    assert (time.process_time() - began) / len(views) < 0.010


@both
async def test_large_steps_begin_folded_and_open(midway: RunView, size: tuple[int, int]) -> None:
    async with showing(Store(midway), size) as (pilot, app):
        screen = run_screen(app)
        text = screen_text(app)
        assert screen.key == ("step", "connection_endpoint")
        assert "hp-001" not in text
        assert "143 of 200 done, 1 blocked, 3 ready" in text
        text = await press(pilot, "space", "down")
        assert screen.key == ("node", "connection_endpoint[rg-avd/hp-001]")
        assert "hp-003" in text


async def test_n_goes_to_the_step_then_into_it_and_on_to_the_next_step(midway: RunView) -> None:
    async with showing(Store(midway)) as (pilot, app):
        screen = run_screen(app)
        seen = []
        for _ in range(5):
            await press(pilot, "n")
            seen.append(screen.key)
        assert seen == [
            *(("node", f"connection_endpoint[rg-avd/hp-{n}]") for n in (144, 145, 146, 147)),
            ("step", "feed_endpoint"),
        ]


async def test_new_nodes_in_the_middle_of_a_step_neither_move_the_cursor_nor_the_folds(midway: RunView) -> None:
    store = Store(midway)
    async with showing(store) as (pilot, app):
        screen = run_screen(app)
        await press(pilot, "n", "n")
        at = screen.key
        kept = screen.query_one(NodeTree)._places[("node", "connection_endpoint[rg-avd/hp-001]")]
        nodes = {}
        for name, known in midway.nodes.items():
            nodes[name] = known
            if name in ("connection_endpoint[rg-avd/hp-100]", "agent_restart[rg-avd/hp-100]"):
                doc = {**known.doc, "id": name.replace("100", "100b"), "title": known.doc["title"] + "b"}
                nodes[doc["id"]] = replace(known, doc=doc, state=S.PENDING)  # type: ignore[arg-type, index]
        store.put(replace(midway, nodes=nodes))
        await idle(pilot)
        tree = screen.query_one(NodeTree)
        assert screen.key == tree.key == at
        assert tree._places[("node", "connection_endpoint[rg-avd/hp-001]")] is kept
        rows = [c.data.key[1] for c in kept.parent.children if c.data] if kept.parent else []
        place = rows.index("connection_endpoint[rg-avd/hp-100b]")
        assert rows[place - 1] == "connection_endpoint[rg-avd/hp-100]"
        assert tree.is_folded(("step", "agent_restart"))
        assert len(rows) == 201


def test_the_tree_is_in_book_order_however_late_a_step_became_nodes() -> None:
    steps = estate.book()["steps"]
    late = [Draft(Kind.EXPANDED, data={"step": s["id"], "nodes": estate.node_docs(s)}) for s in reversed(steps)]
    held = fold(RunView(), estate.entries([Draft(Kind.RUN_CREATED, data=estate.CREATED), *late]))
    assert [b.row.key for p in outline(held) for b in p.children] == [
        (("step", s["id"]) if s.get("for_each") else ("node", s["id"])) for s in steps
    ]
    assert list(held.nodes) == list(estate.view_of(list(estate.opening())).nodes)


# ---------------------------------------------------------------- finding


def test_nodes_are_found_by_any_part_of_their_names_and_by_their_state(midway: RunView) -> None:
    assert len(matches(midway, "hp-017")) == len(estate.POOL_STEPS)
    assert matches(midway, "blocked") == ["connection_endpoint[rg-avd/hp-147]"]
    assert matches(midway, "CLOSE ws-09") == ["close_workspace[rg-avd/ws-09]"]
    assert matches(midway, "  ") == matches(midway, "no such thing") == []
    found = matches(midway, "hp-017")
    assert from_here(midway, found, found[2], is_next=False) == found[2]
    assert from_here(midway, found, found[-1], is_next=True) == found[0]
    assert from_here(midway, found, "zone", is_next=False) == "connection_zone_group[rg-avd/hp-017]"
    assert from_here(midway, [], "zone", is_next=False) is None


@both
async def test_a_slash_finds_enter_goes_on_and_escape_gives_the_keys_back(
    midway: RunView, size: tuple[int, int]
) -> None:
    store = Store(midway)
    async with showing(store, size) as (pilot, app):
        screen = run_screen(app)
        await press(pilot, "slash")
        text = await write(pilot, "restart hp-017")
        await idle(pilot)
        assert screen.key == ("node", "agent_restart[rg-avd/hp-017]")
        assert "1 of 1" in screen_text(app)
        assert "nothing like that here" in await write(pilot, "x", "enter")
        for _ in range(11):
            await pilot.press("backspace")
        text = await press(pilot, "escape", "n")
        assert "/ " not in text.splitlines()[-1]
        assert store.commands == []
        assert screen.key != ("node", "agent_restart[rg-avd/hp-017]")


# ---------------------------------------------------------------- approving many


@both
async def test_a_list_of_the_phase_names_every_node_by_step_and_shows_what_changes(
    midway: RunView, size: tuple[int, int]
) -> None:
    store = Store(midway)
    async with showing(store, size) as (pilot, app):
        await press(pilot, "n", "n", "n", "n", "n")
        text = await press(pilot, "A")
        assert "Approve 60 nodes in Feed endpoints?" in text
        assert "60 nodes, 60 calls" in text
        assert "pe-ws-01-feed" in text
        assert "+ Disabled" in text
        assert app.screen.query_one(OptionList).option_count == 61
        text = await press(pilot, "down", "down")
        assert "Resource: …/things/feed_endpoint-ws-03" in text
        await press(pilot, "enter")
    assert len(store.commands) == 60
    assert all(isinstance(c, Approve) and c.by == ANA and c.digests for c in store.commands)


@both
async def test_disruptive_changes_of_a_step_want_its_name_typed(midway: RunView, size: tuple[int, int]) -> None:
    store = Store(midway)
    async with showing(store, size) as (pilot, app):
        screen = run_screen(app)
        screen.follows = False
        screen.select(("step", "agent_restart"))
        screen.draw_text()
        assert "Approve together: 200 nodes of agent_restart" in screen_text(app)
        text = await press(pilot, "a")
        for part in ("Approve 200 nodes of “", "Disruptive, 200 of 200: Sessions may drop.", "hp-001"):
            assert part in text
        text = await press(pilot, "enter")
        assert "Type exactly: agent_restart" in text
        assert "agent_restart-hp-003" in await press(pilot, "down", "down")
        assert store.commands == []
        await write(pilot, "agent_restart", "enter")
        assert isinstance(app.screen, RunScreen)
    assert [c.node for c in store.commands if isinstance(c, Approve)] == [
        f"agent_restart[rg-avd/hp-{n:03}]" for n in range(1, 201)
    ]


async def test_escape_leaves_the_list_without_deciding(midway: RunView) -> None:
    store = Store(midway)
    async with showing(store) as (pilot, app):
        await press(pilot, "a")
        assert isinstance(app.screen, ManyDialog)
        await press(pilot, "escape")
    assert store.commands == []


async def test_what_the_engine_refuses_of_many_is_told_once(midway: RunView) -> None:
    store = Store(midway, refuse=UsageError("Other changes now.", "Look at the plan."))
    async with showing(store, LARGE) as (pilot, app):
        await press(pilot, "a", "enter")
        text = screen_text(app)
        assert text.count("Other changes now.") == 1
        assert "Not recorded: 3. The first:" in text
        assert run_screen(app).sent == set()


async def test_two_hundred_answers_cause_few_redraws(midway: RunView, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = 0
    draw_text = RunScreen.draw_text

    def counted(self: RunScreen) -> None:
        nonlocal draws
        draws += 1
        draw_text(self)

    monkeypatch.setattr(RunScreen, "draw_text", counted)
    store = Store(midway)
    async with showing(store) as (pilot, app):
        screen = run_screen(app)
        screen.follows = False
        screen.select(("step", "agent_restart"))
        await press(pilot, "a")
        draws = 0
        await write(pilot, "agent_restart", "enter")
        assert len(store.commands) == 200
        assert draws < 40


def test_what_disrupts_is_left_out_of_a_phase_and_the_way_is_told(midway: RunView) -> None:
    batch = of_phase(midway, "hosts")
    assert batch.nodes == []
    assert "Not included, because disruptive: 200. Approve those with a on their step's row." in str(batch.remarks)
    assert of_step(midway, "feed_endpoint").word == ""
    assert of_step(midway, "agent_restart").word == "agent_restart"


# ---------------------------------------------------------------- who drives, and how long a wait lasts


async def test_who_was_taken_over_while_idle_sees_it_without_an_event() -> None:
    store = Store(view(node("endpoint", state=S.WAITING, waiting=wait())))
    async with showing(store) as (pilot, app):
        assert "you drive" in screen_text(app)
        store.failure = LeaseLost("Another process has taken over this run.", "Resume it to watch.")
        run_screen(app).draw_text()  # the timer's work
        await idle(pilot)
        assert "READ-ONLY, you drive no more" in screen_text(app)


async def test_a_compressed_wait_says_how_long_it_lasts_here_and_a_real_one_does_not() -> None:
    held = view(node("endpoint", state=S.WAITING, waiting=wait(next_poll_ms=NOW + 3 * 3_600_000)))
    async with showing(Store(held)) as (_, app):
        assert "in 3 h (simulated), about 3 s here" in screen_text(app)
    async with showing(Store(replace(held, mode="live"))) as (_, app):
        assert "in 3 h; 12 so far" in screen_text(app)
        assert "simulated" not in screen_text(app)
