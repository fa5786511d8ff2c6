from __future__ import annotations

import pytest

from runbook.core.state import FINISHED, GLYPHS, TRANSITIONS, NodeState, diagram, is_allowed


def reachable(source: NodeState) -> set[NodeState]:
    found, left = {source}, [source]
    while left:
        here = left.pop()
        for move in TRANSITIONS:
            if move.source is here and move.target not in found:
                found.add(move.target)
                left.append(move.target)
    return found


def test_every_state_is_reached_from_pending() -> None:
    assert reachable(NodeState.PENDING) == set(NodeState)


@pytest.mark.parametrize("state", sorted(set(NodeState) - FINISHED))
def test_every_unfinished_state_can_still_finish(state: NodeState) -> None:
    assert NodeState.DONE in reachable(state)
    assert NodeState.SKIPPED in reachable(state), "an operator can always leave a node out, at once or after a look"


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_nothing_leaves_a_finished_state(state: NodeState) -> None:
    assert reachable(state) == {state}


def test_the_table_names_each_move_once_says_when_and_never_stays_in_place() -> None:
    moves = [(t.source, t.target) for t in TRANSITIONS]
    assert len(moves) == len(set(moves))
    assert all(t.when for t in TRANSITIONS)
    assert all(t.source is not t.target for t in TRANSITIONS)


def test_done_is_reached_only_by_looking() -> None:
    assert {t.source for t in TRANSITIONS if t.target is NodeState.DONE} == {NodeState.OBSERVING}


def test_a_call_is_sent_only_from_a_fresh_look() -> None:
    assert {t.source for t in TRANSITIONS if t.target is NodeState.APPLYING} == {NodeState.OBSERVING}


def test_a_call_that_was_sent_cannot_be_skipped_away() -> None:
    assert not is_allowed(NodeState.APPLYING, NodeState.SKIPPED)
    assert not is_allowed(NodeState.SETTLING, NodeState.SKIPPED)


def test_is_allowed_says_what_the_table_says() -> None:
    table = {(t.source, t.target) for t in TRANSITIONS}
    assert {(a, b) for a in NodeState for b in NodeState if is_allowed(a, b)} == table


def test_every_state_has_a_glyph_of_its_own_one_cell_wide() -> None:
    assert set(GLYPHS) == set(NodeState)
    assert len(set(GLYPHS.values())) == len(NodeState)
    assert all(len(glyph) == 1 for glyph in GLYPHS.values())


def test_the_diagram_has_a_line_per_move() -> None:
    lines = diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    for move in TRANSITIONS:
        start = f"    {move.source} --> {move.target}: "
        assert sum(line.startswith(start) for line in lines) == 1
    assert {line.split()[0] for line in lines if line.endswith("--> [*]")} == set(FINISHED)
