from __future__ import annotations

from typing import Any

import pytest

from runbook.book import Book, expand, expansion_needs, params, when
from runbook.core.error import BookError, StepFault
from tests.book.conftest import Rule, only, tiny, view_of

NAMES = "${inputs.names}"


def ids(book: Book, step: str, **inputs: Any) -> list[str]:
    return [n["id"] for n in expand(book, book.step(step), view_of(book, inputs))]


def test_a_step_without_for_each_is_one_node() -> None:
    book = tiny({"id": "a", "title": "Make ${inputs.name}", "target": "${inputs.name}-x", "gate": "team"})
    assert expand(book, book.step("a"), view_of(book, {"name": "pe"})) == [
        {
            "id": "a",
            "step": "a",
            "key": None,
            "title": "Make pe",
            "phase": "main",
            "target": "pe-x",
            "gate": "team",
            "needs": [],
            "item": None,
        }
    ]


@pytest.mark.parametrize(
    ("step", "names", "expected"),
    [
        ({"for_each": NAMES}, ["B", "a"], ["s[b]", "s[a]"]),
        ({"for_each": NAMES}, [], []),
        ({"for_each": ["x", 5]}, [], ["s[x]", "s[5]"]),
        ({"for_each": NAMES}, [{"id": "/A/B", "name": "n"}, {"name": "M"}], ["s[/a/b]", "s[m]"]),
        ({"for_each": NAMES, "key": "${item.x}-${inputs.name}"}, [{"x": "Q"}], ["s[q-pe]"]),
        ({"for_each": {"n": NAMES, "z": ["X", {"id": "Y"}]}}, ["a", "b"], ["s[a/x]", "s[a/y]", "s[b/x]", "s[b/y]"]),
        ({"for_each": {"n": NAMES, "z": ["x"]}, "key": "${item.z}.${item.n}"}, ["a"], ["s[x.a]"]),
        ({"for_each": {"n": NAMES, "z": []}}, ["a"], []),
    ],
)
def test_ids_come_from_the_members_in_their_order(step: dict[str, Any], names: list[Any], expected: list[str]) -> None:
    book = tiny({"id": "s", **step})
    assert ids(book, "s", names=names, name="pe") == expected


@pytest.mark.parametrize(
    ("step", "names", "message"),
    [
        ({"for_each": NAMES}, ["a", "A"], 'step `s`: two members have the key \'a\': "a" and "A"'),
        ({"for_each": NAMES}, "x", "step `s`: `for_each`: ${inputs.names} is the text 'x', not a list"),
        ({"for_each": NAMES}, None, "step `s`: `for_each`: ${inputs.names} is nothing, not a list"),
        ({"for_each": NAMES}, [None], "has a member without a value"),
        ({"for_each": NAMES}, [float("inf")], "has a member that is not JSON"),
        ({"for_each": NAMES}, [{"x": 1}], "has neither `id` nor `name`; give the step a `key`"),
        ({"for_each": NAMES}, [["x"]], "has neither `id` nor `name`"),
        ({"for_each": NAMES}, [""], "'' cannot be a key"),
        ({"for_each": NAMES}, ["*"], "'*' cannot be a key"),
        ({"for_each": NAMES}, ["a\x1b[31m"], "cannot be a key"),
        ({"for_each": NAMES, "key": "${item.x}"}, [{"x": ["y"]}], "the key of {'x': ['y']} is not text"),
        ({"for_each": NAMES, "key": "${item.x}"}, [{"y": 1}], "`item.x` has no value"),
        ({"for_each": {"n": NAMES}}, 5, "step `s`: `for_each.n`: ${inputs.names} is the number 5, not a list"),
    ],
)
def test_what_cannot_be_repeated_over_is_told(step: dict[str, Any], names: Any, message: str) -> None:
    book = tiny({"id": "s", **step})
    with pytest.raises(BookError) as caught:
        ids(book, "s", names=names)
    assert message in str(caught.value)


def needs_of(book: Book, step: str, **inputs: Any) -> dict[str, list[str]]:
    return {n["id"]: n["needs"] for n in expand(book, book.step(step), view_of(book, inputs))}


def test_a_need_is_a_node_the_node_with_the_same_key_or_a_barrier() -> None:
    book = tiny(
        {"id": "one"},
        {"id": "each", "for_each": NAMES},
        {"id": "same", "for_each": NAMES, "needs": ["one", "each"]},
        {"id": "all_of", "needs": [{"step": "each", "all": True}, {"step": "one", "all": True}]},
    )
    assert needs_of(book, "same", names=["A", "b"]) == {"same[a]": ["one", "each[a]"], "same[b]": ["one", "each[b]"]}
    assert needs_of(book, "all_of") == {"all_of": ["each[*]", "one"]}


def test_the_key_of_a_need_is_the_one_its_own_step_gives() -> None:
    book = tiny(
        {"id": "x", "for_each": NAMES, "key": "k-${item}"},
        {"id": "y", "for_each": {"n": NAMES, "z": ["P", "q"]}, "needs": ["x"]},
        {"id": "z", "for_each": {"a": ["P", "q"], "b": NAMES}, "needs": ["y", "x"]},
    )
    assert needs_of(book, "z", names=["M"]) == {"z[p/m]": ["y[m/p]", "x[k-m]"], "z[q/m]": ["y[m/q]", "x[k-m]"]}


def test_a_barrier_brings_along_what_its_step_needs_as_it_may_have_no_nodes() -> None:
    book = tiny(
        {"id": "first"},
        {"id": "a", "for_each": NAMES, "needs": ["first"]},
        {"id": "b", "for_each": NAMES, "needs": ["a"]},
        {"id": "end", "needs": [{"step": "b", "all": True}]},
    )
    assert needs_of(book, "end") == {"end": ["b[*]", "a[*]", "first"]}


def test_a_step_can_be_expanded_once_what_it_reads_early_is_finished() -> None:
    book = tiny(
        {"id": "find"},
        {"id": "other"},
        {"id": "late", "needs": ["find", "other"], "with": {"name": "${nodes.other.outputs.x}"}},
        {
            "id": "each",
            "needs": ["other", "find"],
            "for_each": "${nodes.find.outputs.ids}",
            "title": "${nodes.other.id}",
            "when": "${nodes.find.outputs.go}",
        },
    )
    assert [expansion_needs(s, book) for s in book.steps] == [(), (), (), ("find", "other")]


def test_repeating_over_outputs_of_a_node_that_was_skipped_gives_no_nodes() -> None:
    book = tiny({"id": "find"}, {"id": "s", "needs": ["find"], "for_each": "${nodes.find.outputs.ids}"})
    found = view_of(book, find={"ids": ["a"]})
    assert [n["id"] for n in expand(book, book.step("s"), found)] == ["s[a]"]
    assert expand(book, book.step("s"), view_of(book, find=None)) == []
    with pytest.raises(BookError, match=r"`nodes.find.outputs.ids` has no value"):
        expand(book, book.step("s"), view_of(book, find={}))


def test_a_title_shows_an_ellipsis_for_what_a_skipped_node_would_have_told() -> None:
    book = tiny({"id": "a"}, {"id": "s", "needs": ["a"], "title": "${nodes.a.outputs.x} of ${inputs.name}"})
    assert only(book, "s", view_of(book, {"name": "n"}, a={"x": 3}))["title"] == "3 of n"
    assert only(book, "s", view_of(book, {"name": "n"}, a=None))["title"] == "… of n"
    with pytest.raises(BookError, match=r"step `s`: `title`: .*has no value"):
        only(book, "s", view_of(book, {"name": "n"}, a={}))


def test_the_target_is_the_member_or_its_key_unless_the_book_says_otherwise() -> None:
    book = tiny({"id": "s", "for_each": NAMES}, {"id": "t", "for_each": NAMES, "target": "${item.id}/x"})
    assert [n["target"] for n in expand(book, book.step("s"), view_of(book, {"names": ["A", {"id": "B"}]}))] == [
        "A",
        "b",
    ]
    assert only(book, "t", view_of(book, {"names": [{"id": "B"}]}))["target"] == "B/x"


def test_when_gives_true_false_or_an_error_that_names_the_node() -> None:
    book = tiny(
        {"id": "a"},
        {"id": "yes"},
        {"id": "no", "when": False},
        {"id": "s", "needs": ["a"], "when": "${nodes.a.outputs.edition == 'preview'}", "for_each": ["k"]},
        {"id": "t", "needs": ["a"], "when": "${nodes.a.outputs.edition}"},
    )
    view = view_of(book, a={"edition": "preview"})
    nodes = {s.id: expand(book, s, view)[0] for s in book.steps}
    assert when(book, nodes["yes"], view)
    assert not when(book, nodes["no"], view)
    assert when(book, nodes["s"], view)
    assert not when(book, nodes["s"], view_of(book, a={"edition": "ga"}))
    with pytest.raises(BookError, match=r"node s\[k\]: `when`: .*`nodes.a.outputs.edition` has no value"):
        when(book, nodes["s"], view_of(book, a={}))
    with pytest.raises(BookError, match=r"node t: `when`: .* is the text 'preview', neither true nor false"):
        when(book, nodes["t"], view)


def test_parameters_are_filled_in_checked_and_converted() -> None:
    book = tiny(
        {"id": "a"},
        {
            "id": "s",
            "needs": ["a"],
            "for_each": NAMES,
            "with": {
                "name": "${run.tenant} ${item} ${key} ${nodes.a.state} ${run.subscriptions.s1}",
                "count": "${nodes.a.outputs.count}",
                "names": ["x", "${inputs.name}"],
                "rules": "${nodes.a.outputs.rules}",
                "note": None,
            },
        },
    )
    view = view_of(book, {"names": ["A"], "name": "n"}, a={"count": "7", "rules": [{"name": "r", "port": 1}]})
    found = params(book, only(book, "s", view), view)
    assert (found.name, found.count, found.names) == ("t A a done One", 7, ("x", "n"))
    assert found.rules == (Rule("r", 1),)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"name": "${nodes.a.outputs.x}"},
            "node s: `with.name`: ${nodes.a.outputs.x}: `nodes.a.outputs.x` has no value",
        ),
        ({"name": "n", "count": "${nodes.a.outputs.y}"}, "found the text 'many', from ${nodes.a.outputs.y}"),
        ({"count": 2}, "node s: `with.name` is missing"),
        (
            {"name": "n", "cuont": 2},
            "node s: `with.cuont`: step tiny.thing has no such parameter; did you mean `count`?",
        ),
        ({"name": "${nodes.a.outputs.z}"}, "node s: `with.name`: input should be a valid string, found nothing, from"),
        ({"name": "n", "rules": [{"name": "r", "port": "x"}]}, "node s: `with.rules.0.port`: input should be a valid"),
    ],
)
def test_parameters_that_do_not_fit_are_told_with_node_and_reference(given: dict[str, Any], message: str) -> None:
    book = tiny({"id": "a"}, {"id": "s", "needs": ["a"], "with": given})
    view = view_of(book, a={"y": "many", "z": None})
    with pytest.raises(BookError) as caught:
        params(book, only(book, "s", view), view)
    assert message in str(caught.value)


def test_parameters_see_the_outputs_of_now() -> None:
    book = tiny({"id": "a"}, {"id": "s", "needs": ["a"], "with": {"name": "${nodes.a.outputs.x}"}})
    node = only(book, "s", view_of(book, a={"x": "old"}))
    assert params(book, node, view_of(book, a={"x": "new"})).name == "new"


def test_all_lists_every_node_of_a_step() -> None:
    book = tiny(
        {"id": "a", "for_each": NAMES},
        {
            "id": "s",
            "needs": [{"step": "a", "all": True}],
            "with": {"name": "n", "names": "${all.a[?state == 'done'].outputs.ids[]}"},
        },
    )
    view = view_of(book, {"names": ["x", "y", "z"]}, a={"x": {"ids": ["1", "2"]}, "y": None, "z": {"ids": ["3"]}})
    assert params(book, only(book, "s", view), view).names == ("1", "2", "3")
    empty = view_of(book, {"names": []}, a={})
    assert params(book, only(book, "s", empty), empty).names == ()


def test_a_reference_to_a_repeated_step_finds_the_node_that_belongs_to_this_one() -> None:
    book = tiny(
        {"id": "a", "for_each": NAMES},
        {
            "id": "s",
            "needs": ["a"],
            "for_each": {"p": ["P", "Q"], "n": NAMES},
            "with": {"name": "${nodes.a.outputs.v}${item.p}"},
        },
    )
    view = view_of(book, {"names": ["x", "Y"]}, a={"x": {"v": "1"}, "y": {"v": "2"}})
    found = [params(book, n, view).name for n in expand(book, book.step("s"), view)]
    assert found == ["1P", "1Q", "2P", "2Q"], "in the order of the dimensions' names, as a journal keeps them"


def test_a_step_without_params_is_a_fault_of_its_code() -> None:
    book = tiny({"id": "s", "uses": "tiny.no_params", "with": {}})
    with pytest.raises(StepFault, match=r"NoParams.Params must be a dataclass"):
        params(book, only(book, "s", view_of(book)), view_of(book))
