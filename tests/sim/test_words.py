"""Entries of a scenario that stand for many resources."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.error import BookError
from runbook.sim.scenario import from_doc
from runbook.sim.scenario_files import parse_scenario
from tests.sim.test_scenarios import MINIMAL, faulted
from tests.sim.world import RG, World, scenario


def made(*entries: Any, **let: str) -> list[Any]:
    return list(scenario(resources=list(entries), let=let).every_resource())


def ids(*entries: Any, **let: str) -> list[str]:
    return [body["id"] for body in made(*entries, **let)]


def test_an_entry_stands_for_as_many_resources_as_it_says() -> None:
    entry = {"times": 3, "as": "n", "resources": [{"id": "/a/{{n}}"}, {"id": "/b/{{n:03}}"}]}
    assert ids({"id": "/first"}, entry) == ["/first", "/a/1", "/b/001", "/a/2", "/b/002", "/a/3", "/b/003"]
    assert ids({**entry, "from": 98, "times": 2}) == ["/a/98", "/b/098", "/a/99", "/b/099"]


def test_entries_lie_in_one_another_and_reckon_with_the_words_around_them() -> None:
    inner = {
        "times": 2,
        "from": "{{n * 10}}",
        "as": "k",
        "resources": [{"id": "/{{n}}/{{k}}/{{(k - n) // 3 % 4 + 1:02}}"}],
    }
    assert ids({"times": 2, "as": "n", "resources": [inner]}) == ["/1/10/04", "/1/11/04", "/2/20/03", "/2/21/03"]


def test_a_list_may_hold_texts_or_mappings() -> None:
    assert ids({"each": ["x", 7], "as": "v", "resources": [{"id": "/{{v}}"}]}) == ["/x", "/7"]
    items = [{"sub": "{{main}}", "pools": 2}, {"sub": "o", "pools": 1}]
    pools = {"times": "{{s.pools}}", "as": "n", "resources": [{"id": "/{{s.sub}}/{{n}}"}]}
    assert ids({"each": items, "as": "s", "resources": [pools]}, main="m") == ["/m/1", "/m/2", "/o/1"]


def test_a_text_that_is_only_a_word_becomes_the_number_and_with_a_format_a_text() -> None:
    body = {"id": "/{{n}}", "number": "{{n + 1}}", "text": "{{n:d}}", "keys": {"k{{n}}": ["{{n}}"]}}
    found = made({"times": 1, "as": "n", "resources": [body]})
    assert found == [{"id": "/1", "number": 2, "text": "1", "keys": {"k1": [1]}}]


def test_the_stored_document_stays_as_small_as_the_written_one_and_makes_the_same_again() -> None:
    entry = {"times": 5000, "as": "n", "resources": [{"id": f"{RG}/providers/Microsoft.Fancy/things/t-{{{{n}}}}"}]}
    first = scenario(resources=[entry])
    assert len(json.dumps(first.doc)) < 4000
    again = from_doc(first.doc)
    assert again == first
    assert list(again.every_resource()) == list(first.every_resource())


def test_a_cloud_is_filled_with_what_the_entries_stand_for() -> None:
    zone = f"{RG}/providers/Microsoft.HybridCompute/privateLinkScopes/s-{{{{n:02}}}}"
    many = {"times": 12, "as": "n", "resources": [{"id": zone, "location": "westeurope"}]}
    world = World(scenario(resources=[{"id": RG, "location": "westeurope"}, many]))
    names = [s["name"] for s in world.cloud.resources("Microsoft.HybridCompute/privateLinkScopes")]
    assert names == [f"s-{n:02}" for n in range(1, 13)]


INNER = [{"id": "/{{n}}"}]


@pytest.mark.parametrize(
    ("entry", "place", "words"),
    [
        ({"times": 2, "resources": INNER}, "", "{{n}}"),
        ({"times": 2, "as": "n", "resources": [{"id": "/{{m}}"}]}, "", "{{m}}"),
        ({"times": 2, "as": "n", "resources": []}, "resources.0.generator.resources", "at least 1"),
        ({"times": 2, "as": "n", "size": 1, "resources": INNER}, "resources.0.generator.size", "not permitted"),
        ({"as": "n", "resources": INNER}, "resources.0.generator", "either `times` or `each`"),
        ({"times": 2, "each": [1], "as": "n", "resources": INNER}, "resources.0.generator", "either `times` or `each`"),
        ({"times": 0, "as": "n", "resources": INNER}, "resources.0", "cannot be counted"),
        ({"times": "many", "as": "n", "resources": INNER}, "resources.0", "cannot be counted"),
        ({"times": 2, "as": "n", "resources": [{"id": "/{{n // 0}}"}]}, "resources.0.resources.0", "zero"),
        ({"times": 2, "as": "n", "resources": [{"id": "/{{n ** 9}}"}]}, "resources.0.resources.0", "understood"),
        ({"times": 2, "as": "n", "resources": [{"id": "/{{n.x}}"}]}, "resources.0.resources.0", "no n.x"),
        ({"times": 2, "as": "n", "resources": [{"id": "/{{n:>9999}}"}]}, "resources.0.resources.0", "not a way"),
        ({"each": ["a"], "as": "n", "resources": [{"id": "/{{n + 1}}"}]}, "resources.0.resources.0", "a text"),
        ({"each": [{"a": 1}, {"b": 1}], "as": "n", "resources": [{"id": "/{{n.a}}"}]}, "resources.0", "same keys"),
        ({"each": [{"a": 1}], "as": "n", "resources": [{"id": "/{{n}}"}]}, "resources.0.resources.0", "n.a"),
        ({"times": 2, "as": "N!", "resources": [{"id": "/x"}]}, "resources.0.generator.as", "pattern"),
    ],
)
def test_what_an_entry_gets_wrong_is_told_with_its_place(entry: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(BookError) as caught:
        scenario(resources=[entry])
    assert place in caught.value.message
    assert words in caught.value.message


def test_a_word_has_one_meaning() -> None:
    inner = {"times": 2, "as": "n", "resources": INNER}
    with pytest.raises(BookError, match="'n' is the name of another word"):
        scenario(resources=[{"times": 2, "as": "n", "resources": [inner]}])
    with pytest.raises(BookError, match="'n' is the name of another word"):
        scenario(let={"n": "x"}, resources=[inner])


def test_an_error_in_a_file_is_told_with_line_and_column() -> None:
    text = MINIMAL + 'resources:\n  - {id: /x}\n  - times: 2\n    as: n\n    resources:\n      - {id: "/{{n // 0}}"}\n'
    with pytest.raises(BookError, match="zero") as caught:
        parse_scenario(text, "x.yaml")
    assert (caught.value.line, caught.value.column) == (13, 9)


def test_a_mistake_that_only_a_later_round_shows_is_told_when_the_resources_are_made() -> None:
    given = scenario(resources=[{"times": 3, "as": "n", "resources": [{"id": "/{{6 // (3 - n)}}"}]}])
    with pytest.raises(BookError, match=r"small: resources\.0\.resources\.0: .*zero"):
        list(given.every_resource())


def test_there_is_an_end_to_how_many_can_be_made() -> None:
    inner = {"times": 1000, "as": "k", "resources": [{"id": "/{{n}}/{{k}}"}]}
    with pytest.raises(BookError, match="more than 100,000"):
        for _ in scenario(resources=[{"times": 1000, "as": "n", "resources": [inner]}]).every_resource():
            pass


@given(st.text(alphabet="n1+-*/%(): .{}[]'a_", max_size=20))
def test_garbage_between_braces_is_a_book_error_or_a_resource(inside: str) -> None:
    entry = {"times": 1, "as": "n", "resources": [{"id": "/{{" + inside + "}}"}]}
    error = faulted(lambda: made(entry))
    assert len(made(entry)) == 1 if error is None else error.message
