from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.entry import GENESIS, Draft, Entry, Kind, canonical, entry_hash
from runbook.core.state import NodeState

text = st.text(st.characters(codec="utf-8"))
fields = st.tuples(text, st.integers(0), st.integers(0), text, st.none() | text, st.none() | text, text)


@given(fields, fields)
def test_two_rows_have_the_same_hash_only_if_they_are_the_same(a: Any, b: Any) -> None:
    assert (entry_hash(*a) == entry_hash(*b)) == (a == b)


@given(text, st.data())
def test_no_shifting_of_text_between_fields_keeps_the_hash(whole: str, data: st.DataObject) -> None:
    whole = f"{whole}\n\n"
    cut, other = (data.draw(st.integers(0, len(whole))) for _ in range(2))
    one = entry_hash(GENESIS, 1, 0, "noted", whole[:cut], whole[cut:], "{}")
    two = entry_hash(GENESIS, 1, 0, "noted", whole[:other], whole[other:], "{}")
    assert (one == two) == (cut == other)


def test_an_absent_field_is_not_an_empty_one() -> None:
    assert entry_hash(GENESIS, 1, 0, "noted", None, None, "{}") != entry_hash(GENESIS, 1, 0, "noted", "", None, "{}")


def test_the_hash_of_a_row_stays_what_released_journals_hold() -> None:
    entry = Entry.chain(Draft(Kind.BEGUN, "zone[blob]", NodeState.OBSERVING, {"ä": [1, None]}), 7, 1_000, GENESIS)
    assert entry.hash == entry_hash(GENESIS, 7, 1_000, "begun", "zone[blob]", "observing", '{"ä":[1,null]}')
    assert entry.hash == "d64274687a9cf2786cee6827144c5b4cfb89a699ece45c5cfc9ac637dcd7bd6d"


def test_what_stands_beside_an_entry_is_not_hashed() -> None:
    bare, signed = Draft(Kind.ACCEPTED, "n"), Draft(Kind.ACCEPTED, "n", side="https://x?sig=1")
    assert Entry.chain(bare, 1, 0, GENESIS) == Entry.chain(signed, 1, 0, GENESIS)


def test_canonical_text_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == canonical({"a": {"c": 3, "d": 2}, "b": 1})
    assert canonical({"b": "ü", "a": 1}) == '{"a":1,"b":"ü"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x", object()])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical({"x": value})


@given(st.recursive(st.none() | st.booleans() | st.integers() | text, lambda v: st.lists(v) | st.dictionaries(text, v)))
def test_canonical_text_gives_the_value_back(value: Any) -> None:
    assert json.loads(canonical(value)) == value
