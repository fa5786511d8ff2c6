"""Whatever nodes do with locks: one holder each, and nobody waits for what is free."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runbook.engine.locks import Locks

NAMES = st.sampled_from("abcdef")
WANTED = st.lists(st.sampled_from(["/1", "/2", "/3", "/One", "/oNE"]), max_size=3)
DEED = st.tuples(st.sampled_from(["take", "hold", "release"]), NAMES, WANTED)


@given(st.lists(DEED, max_size=60))
def test_a_lock_has_one_holder_and_nobody_waits_for_what_is_free(deeds: list[tuple[str, str, list[str]]]) -> None:
    turns: list[str] = []
    locks = Locks(turns.append)
    holds: dict[str, set[str]] = {}
    waits: dict[str, list[str]] = {}
    for deed, name, wanted in deeds:
        turns.clear()
        if deed == "release":
            locks.release(name)
            holds.pop(name, None)
            waits.pop(name, None)
        elif deed == "take":
            if locks.take(name, wanted):
                holds[name] = {lock.lower() for lock in wanted}
                waits.pop(name, None)
            else:
                holds.pop(name, None)
                waits[name] = wanted
        elif locks.is_free(name, wanted):  # the engine holds without asking only what is free, or its own
            locks.hold(name, wanted)
            holds[name] = {lock.lower() for lock in wanted}
            waits.pop(name, None)
        for turn in turns:
            holds[turn] = {lock.lower() for lock in waits.pop(turn)}
        every = [lock for held in holds.values() for lock in held]
        assert len(every) == len(set(every))
        for waiting, wished in waits.items():
            assert not locks.is_free(waiting, wished)
        for holder, held in holds.items():
            assert locks.is_free(holder, held)


def test_a_line_is_served_in_order() -> None:
    turns: list[str] = []
    locks = Locks(turns.append)
    assert locks.take("a", ["/vnet"])
    for name in "bcd":
        assert not locks.take(name, ["/VNET"])
        assert not locks.take(name, ["/vnet"])
    for name in "abc":
        locks.release(name)
    assert turns == ["b", "c", "d"]
