"""How much begins at once while ARM turns calls away."""

from __future__ import annotations

from runbook.engine.pace import LEAST_S, LONGEST_S, Pace


def test_nothing_begins_until_arm_said_to_come_back() -> None:
    pace = Pace(16)
    assert pace.opens_ms(1_000) is None
    pace.turned_away(1_000, 5)
    assert pace.opens_ms(1_000) == 6_000
    assert pace.opens_ms(6_000) is None


def test_a_pause_is_never_so_short_that_one_look_uses_up_what_it_brought() -> None:
    pace = Pace(16)
    pace.turned_away(0, 0)
    assert pace.opens_ms(0) == LEAST_S * 1000


def test_each_pause_halves_what_begins_and_those_refused_during_one_count_once() -> None:
    pace = Pace(16)
    for _ in range(10):
        pace.turned_away(0, 3)
    assert pace.room == 8
    pace.turned_away(3_000, 3)
    assert pace.room == 4


def test_one_may_always_begin() -> None:
    pace = Pace(16)
    for at_s in range(0, 100, 10):
        pace.turned_away(at_s * 1000, 1)
    assert pace.room == 1


def test_what_goes_well_makes_room_again_slowly_and_no_more_than_there_was() -> None:
    pace = Pace(4)
    pace.turned_away(0, 1)
    pace.turned_away(10_000, 1)
    before = pace.room
    pace.went_well()
    assert pace.room == before
    for _ in range(200):
        pace.went_well()
    assert pace.room == 4


def test_a_later_wish_makes_the_pause_longer_and_an_earlier_one_not_shorter() -> None:
    pace = Pace(16)
    pace.turned_away(0, 10)
    pace.turned_away(0, 3)
    assert pace.opens_ms(0) == 10_000


def test_where_one_at_a_time_is_too_much_the_pauses_double_until_something_goes_well() -> None:
    pace = Pace(2)
    assert [pace.turned_away(at * 1_000_000, 1) for at in range(4)] == [2, 4, 8, 16]
    pace.turned_away(3_000_500, 1)
    assert pace.opens_ms(3_000_500) == 3_016_500, "refused during that pause: no doubling"
    for _ in range(50):
        pace.went_well()
    assert pace.room == 2
    assert pace.turned_away(9_000_000, 1) == LEAST_S


def test_pauses_grow_to_an_end_and_arm_may_ask_for_more() -> None:
    pace = Pace(1)
    for at in range(20):
        pace.turned_away(at * 1_000_000, 1)
    assert pace.turned_away(30_000_000, 1) == LONGEST_S
    assert pace.turned_away(40_000_000, 600) == 600
