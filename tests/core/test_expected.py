"""How long things usually take, from rows that moved nodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.expected import Move, Stretch, Took, Usual, expected, experience, past, stretches, took, usual
from runbook.core.state import NodeState

S = NodeState
MIN = 60_000


def moves(*rows: tuple[int, str, NodeState]) -> list[Move]:
    return [Move(at_min * MIN, node, to) for at_min, node, to in rows]


def test_a_wait_goes_on_through_the_looks_in_between() -> None:
    rows = moves(
        (0, "approval[a]", S.OBSERVING),
        (0, "approval[a]", S.WAITING),
        (30, "approval[a]", S.OBSERVING),
        (30, "approval[a]", S.WAITING),
        (60, "approval[a]", S.OBSERVING),
        (61, "approval[a]", S.DONE),
    )
    assert list(stretches(rows)) == [Stretch("approval", S.WAITING, 60 * MIN)]


def test_each_operation_of_a_node_is_a_stretch_of_its_own() -> None:
    rows = moves(
        (0, "host", S.SETTLING),
        (2, "host", S.OBSERVING),
        (2, "host", S.APPLYING),
        (2, "host", S.SETTLING),
        (7, "host", S.OBSERVING),
        (7, "host", S.READY),
    )
    assert [s.length_ms for s in stretches(rows)] == [2 * MIN, 5 * MIN]


def test_what_has_not_ended_has_no_length_yet() -> None:
    assert list(stretches(moves((0, "a", S.WAITING), (9, "a", S.OBSERVING)))) == []


def test_work_and_waiting_are_told_apart_and_do_not_mix_between_nodes() -> None:
    rows = moves(
        (0, "a", S.SETTLING), (1, "b", S.WAITING), (3, "a", S.OBSERVING), (4, "a", S.DONE), (9, "b", S.SKIPPED)
    )
    found = expected(stretches(rows))
    assert found[("a", S.SETTLING)] == Usual(3 * MIN, 3 * MIN, 3 * MIN, 1)
    assert ("a", S.WAITING) not in found
    assert ("b", S.WAITING) not in found  # it was skipped: how long it would have taken nobody knows


def test_a_run_works_while_any_node_does_and_waits_otherwise() -> None:
    rows = moves(
        (0, "a", S.OBSERVING),
        (1, "b", S.OBSERVING),
        (2, "a", S.DONE),
        (5, "b", S.WAITING),
        (65, "b", S.OBSERVING),
        (66, "b", S.DONE),
    )
    assert took(rows) == Took(6 * MIN, 60 * MIN)
    assert took([]) == Took(0, 0)


def test_of_nothing_nothing_is_usual() -> None:
    assert usual([]) is None
    assert experience([]).active is None


def test_one_night_does_not_make_the_rest_look_quick() -> None:
    told = usual([60_000] * 9 + [120_000] * 10 + [40_000_000])
    assert told is not None
    assert told.high_ms == 120_000


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Usual(60_000, 60_000, 60_000, 1), "took 1 min once before"),
        (Usual(60_000, 60_000, 60_000, 4), "usually about 1 min"),
        (Usual(90_000, 61_000, 185_000, 4), "usually 1 min 1 s to 3 min"),
        (Usual(90_000, 61_000, 185_000, 4, "in rehearsals"), "usually 1 min 1 s to 3 min in rehearsals"),
        (Usual(1, 0, 200_000_000, 4), "usually 1 s to 2 d 8 h"),
    ],
)
def test_how_it_is_told(told: Usual, words: str) -> None:
    assert told.words() == words


def test_experience_is_of_all_runs_together() -> None:
    one = past(moves((0, "a", S.SETTLING), (2, "a", S.OBSERVING), (2, "a", S.DONE)))
    two = past(moves((0, "a", S.SETTLING), (4, "a", S.OBSERVING), (4, "a", S.DONE)))
    told = experience([one, two], "here")
    assert (told.runs, told.steps[("a", S.SETTLING)]) == (2, Usual(3 * MIN, 2 * MIN, 4 * MIN, 2, "here"))


states = st.sampled_from(list(NodeState))


@given(st.lists(st.tuples(st.integers(0, 1_000), st.sampled_from(["a", "b[x]", "b[y]"]), states), max_size=40))
def test_no_row_order_makes_a_negative_length_or_loses_time(rows: list[tuple[int, str, NodeState]]) -> None:
    told = moves(*sorted(rows, key=lambda row: row[0]))
    assert all(s.length_ms >= 0 for s in stretches(told))
    whole = took(told)
    assert whole.active_ms + whole.waiting_ms == (told[-1].at_ms - told[0].at_ms if told else 0)
