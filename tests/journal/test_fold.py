from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.docs import NodeDoc
from runbook.core.entry import Entry, Kind, canonical
from runbook.core.error import Damaged
from runbook.core.state import NodeState, is_allowed
from runbook.core.view import NodeView, RunView
from runbook.journal.fold import FORM, fold, from_snapshot, to_snapshot
from tests.journal.walks import CREATED, NODE_KINDS, carried, chained, expanded, walks

DOC: NodeDoc = {
    "id": "n",
    "step": "n",
    "key": None,
    "title": "",
    "phase": "",
    "target": "",
    "gate": "",
    "needs": [],
    "item": None,
}


def at(state: NodeState, **more: Any) -> RunView:
    return RunView(nodes={"n": NodeView(DOC, state, **more)})


def entry(kind: Kind, to: NodeState | None = None, node: str | None = "n", **data: Any) -> Entry:
    return Entry(7, 700, kind, node, to, {**carried(kind), **data}, "h")


def order(view: RunView) -> list[str]:
    return list(view.nodes)


@given(walks())
def test_every_prefix_of_a_journal_folds(entries: list[Entry]) -> None:
    view = RunView()
    for row in entries:
        view = fold(view, [row])
        assert view.head == row.seq
        assert view.updated_ms == row.at_ms
    assert view == fold(RunView(), entries)


def test_a_rule_holds_since_it_was_first_met_however_often_it_is_looked_at() -> None:
    def met(view: RunView, rule: str, at_ms: int) -> RunView:
        block: dict[str, Any] = {"rule": rule, "message": "m", "ways_out": [], "attest": "", "next_poll_ms": None}
        begun = Entry(1, at_ms, Kind.BEGUN, "n", NodeState.OBSERVING, {}, "h")
        said = {**carried(Kind.OBSERVED), "blocked": block}
        return fold(view, [begun, Entry(2, at_ms, Kind.OBSERVED, "n", NodeState.BLOCKED, said, "h")])

    view = met(at(NodeState.PENDING), "full", 100)
    view = met(view, "full", 200)
    assert (view.nodes["n"].since_ms, view.nodes["n"].blocked_since_ms) == (200, 100)
    view = met(view, "taken", 300)
    assert view.nodes["n"].blocked_since_ms == 300


@given(walks(), st.data())
def test_folding_in_two_parts_gives_the_same_as_folding_at_once(entries: list[Entry], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(entries)))
    whole, parts = fold(RunView(), entries), fold(fold(RunView(), entries[:cut]), entries[cut:])
    assert parts == whole
    assert order(parts) == order(whole)


@given(walks(), st.data())
def test_a_snapshot_and_the_rest_give_the_same_as_the_whole(entries: list[Entry], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(entries)))
    kept = from_snapshot(json.loads(to_snapshot(fold(RunView(), entries[:cut]))))
    assert kept == fold(RunView(), entries[:cut])
    whole = fold(RunView(), entries)
    assert fold(kept, entries[cut:]) == whole
    assert order(fold(kept, entries[cut:])) == order(whole)


@given(walks())
def test_folding_alters_neither_the_view_nor_the_entries(entries: list[Entry]) -> None:
    view = fold(RunView(), entries[:-1])
    before = to_snapshot(view), canonical([e.data for e in entries])
    fold(view, entries[-1:])
    assert (to_snapshot(view), canonical([e.data for e in entries])) == before


@pytest.mark.parametrize("source", NodeState)
@pytest.mark.parametrize("target", NodeState)
def test_a_move_is_made_if_the_table_has_it_and_is_damage_otherwise(source: NodeState, target: NodeState) -> None:
    move = entry(Kind.NOTED, target)
    if source is target or is_allowed(source, target):
        assert fold(at(source), [move]).nodes["n"].state is target
    else:
        with pytest.raises(Damaged, match=f"Row 7 moves n from {source} to {target}"):
            fold(at(source), [move])


def test_an_entry_about_a_node_that_nobody_made_is_damage() -> None:
    with pytest.raises(Damaged, match="'ghost', which no earlier row made"):
        fold(RunView(), [entry(Kind.BEGUN, NodeState.OBSERVING, node="ghost")])


def test_an_entry_that_does_not_carry_what_its_kind_carries_is_damage() -> None:
    with pytest.raises(Damaged, match=r"Row 7 \(run_created\) does not carry"):
        fold(RunView(), [Entry(7, 0, Kind.RUN_CREATED, None, None, {}, "h")])
    with pytest.raises(Damaged, match=r"Row 7 \(paused\) does not carry"):
        fold(at(NodeState.READY), [entry(Kind.PAUSED, node="n")])
    with pytest.raises(Damaged, match=r"Row 7 \(begun\) does not carry"):
        fold(at(NodeState.READY), [entry(Kind.BEGUN, node=None)])


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = sorted({key for kind in Kind for flag in (0, 1) for key in carried(kind, bool(flag), 1)} | {"nodes", "step"})
    return st.dictionaries(st.sampled_from(keys) | st.text(max_size=9), values, max_size=5)


garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda v: st.lists(v, max_size=4) | objects(v),
    max_leaves=12,
)


@given(
    st.lists(
        st.builds(
            Entry,
            st.integers(),
            st.integers(),
            st.sampled_from(Kind),
            st.none() | st.sampled_from(["n", "x"]),
            st.none() | st.sampled_from(NodeState),
            objects(garbage),
            st.text(max_size=9),
        ),
        max_size=6,
    )
)
def test_garbage_folds_or_is_called_damage(entries: list[Entry]) -> None:
    with contextlib.suppress(Damaged):
        fold(at(NodeState.PENDING), entries)


@given(st.sampled_from(NODE_KINDS), st.booleans(), st.integers(0, 5))
def test_only_an_entry_that_names_a_state_moves_a_node(kind: Kind, flag: bool, number: int) -> None:
    view = at(NodeState.OBSERVING, since_ms=5)
    node = fold(view, [Entry(7, 700, kind, "n", None, carried(kind, flag, number), "h")]).nodes["n"]
    assert (node.state, node.since_ms) == (NodeState.OBSERVING, 5)


def test_nodes_stand_in_the_order_of_the_book_however_late_they_came() -> None:
    drafts = [CREATED, expanded("links", "x"), expanded("context"), expanded("zone", "b", "a"), expanded("zone", "c")]
    assert order(fold(RunView(), chained(drafts))) == ["zone[b]", "zone[a]", "zone[c]", "links[x]"]


def test_expanding_a_step_again_keeps_the_nodes_it_has() -> None:
    view = fold(RunView(), chained([CREATED, expanded("zone", "a")]))
    moved = fold(view, [Entry(3, 99, Kind.BEGUN, "zone[a]", NodeState.OBSERVING, {}, "h")])
    again = fold(moved, [Entry(4, 100, Kind.EXPANDED, None, None, expanded("zone", "a", "b").data, "h")])
    assert again.nodes["zone[a]"] == moved.nodes["zone[a]"]
    assert order(again) == ["zone[a]", "zone[b]"]


INTENT: Any = {"seq": 1, "digest": "d", "title": "t", "repeat": "safe", "at_ms": 1, "locks": ["l"]}


@pytest.mark.parametrize(
    ("kind", "to", "data", "is_open"),
    [
        (Kind.ANSWERED, NodeState.OBSERVING, {}, False),
        (Kind.ACCEPTED, NodeState.SETTLING, {}, False),
        (Kind.DOUBTED, NodeState.IN_DOUBT, {}, True),
        (Kind.FAILED, NodeState.FAILED, {"refused": True}, False),
        (Kind.FAILED, NodeState.FAILED, {"refused": False}, True),
        (Kind.DEFERRED, NodeState.OBSERVING, {"refused": True}, False),
        (Kind.DEFERRED, None, {"refused": False}, True),
    ],
)
def test_an_intent_stays_open_until_its_outcome_is_known(
    kind: Kind, to: NodeState | None, data: dict[str, Any], is_open: bool
) -> None:
    node = fold(at(NodeState.APPLYING, intent=INTENT), [entry(kind, to, **data)]).nodes["n"]
    assert (node.intent is not None) is is_open


@pytest.mark.parametrize(
    ("data", "applied", "is_open"),
    [({"took_effect": True}, 1, False), ({"took_effect": False}, 0, False), ({"undecided": True}, 0, True)],
)
def test_a_look_settles_an_open_intent_unless_it_cannot_tell(data: dict[str, Any], applied: int, is_open: bool) -> None:
    look = Entry(7, 700, Kind.OBSERVED, "n", NodeState.BLOCKED, {"verdict": "blocked", **data}, "h")
    node = fold(at(NodeState.OBSERVING, intent=INTENT), [look]).nodes["n"]
    assert len(node.applied) == applied
    assert (node.intent is not None) is is_open


def test_an_accepted_operation_holds_the_locks_of_its_intent() -> None:
    node = fold(at(NodeState.APPLYING, intent=INTENT), [entry(Kind.ACCEPTED, NodeState.SETTLING)]).nodes["n"]
    assert node.operation is not None
    assert node.operation["locks"] == ["l"]
    assert node.operation["seq"] == 7


def test_the_form_of_a_snapshot_follows_the_fields_of_a_view() -> None:
    # A field that is added, removed or renamed makes every kept snapshot worthless, without anybody remembering to.
    assert FORM.startswith("2.")
    kept = json.loads(to_snapshot(at(NodeState.READY)))
    assert from_snapshot(kept) == replace(at(NodeState.READY))
