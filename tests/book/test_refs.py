from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.book.refs import fill, paths, template
from runbook.core.error import BookError
from tests.book.conftest import told

SCOPE: dict[str, Any] = {
    "inputs": {"name": "pe", "count": 3, "flag": True, "none": None, "list": ["a", "b"], "map": {"a-b": 1}},
    "nodes": {"x": {"outputs": {"ids": [{"id": "1"}, {"id": "2"}]}}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${inputs.name}", "pe"),
        ("${ inputs.count }", 3),
        ("${inputs.flag}", True),
        ("${inputs.none}", None),
        ("${inputs.list}", ["a", "b"]),
        ("-${inputs.name}-${inputs.count}-${inputs.flag}-", "-pe-3-true-"),
        ("${inputs.name}${inputs.name}", "pepe"),
        ("all of ${inputs.list}", "all of a, b"),
        ("${nodes.x.outputs.ids[?id == '2'].id | [0]}", "2"),
        ("${nodes.x.outputs.ids[].id}", ["1", "2"]),
        ('${inputs.map."a-b"}', 1),
        ("${{a: inputs.name, b: '}'}}", {"a": "pe", "b": "}"}),
        ("${join(', ', inputs.list)}", "a, b"),
        ("${inputs.nothing || 'else'}", "else"),
        ("${not_null(inputs.nothing, inputs.name)}", "pe"),
        ("${inputs.nothing == `null`}", True),
        ("${inputs.flag && inputs.name}", "pe"),
        ("$${inputs.name}", "${inputs.name}"),
        ("$${a} ${inputs.name} $${b}", "${a} pe ${b}"),
        ("$$${inputs.name}", "$${inputs.name}"),
        ("$$", "$$"),
        ("a $ b { c }", "a $ b { c }"),
    ],
)
def test_references_are_filled_in(text: str, value: object) -> None:
    assert template(text).fill(SCOPE) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${inputs.nothing}", "${inputs.nothing}: `inputs.nothing` has no value"),
        ("${nodes.y.outputs.ids}", "`nodes.y` has no value"),
        ("${nodes.x.outputs.nope == 'a'}", "`nodes.x.outputs.nope` has no value"),
        ("${nodes.x.outputs.nope[0].id}", "`nodes.x.outputs.nope` has no value"),
        ("${length(inputs.nothing)}", "`inputs.nothing` has no value"),
        ("a ${inputs.none}", "${inputs.none} has no value"),
        ("a ${inputs.map}", "${inputs.map} is a mapping, which cannot stand inside a text"),
        ("a ${nodes.x.outputs.ids[?id == '3']}", "is empty ([]), which cannot stand inside a text"),
        ("${length(inputs.count)}", "${length(inputs.count)}: "),
        ("${inputs.list[::0]}", "${inputs.list[::0]} cannot be computed: "),
    ],
)
def test_a_value_that_is_missing_or_does_not_fit_is_named(text: str, message: str) -> None:
    with pytest.raises(BookError) as caught:
        template(text).fill(SCOPE)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${", "is not closed by `}`"),
        ("a ${inputs.name", "is not closed by `}`"),
        ("${'}", "The ' before it is not closed either"),
        ("${}", "${} is empty"),
        ("${inputs.a-b}", 'A name with a dash takes double quotes: nodes.x.outputs."a-b".'),
        ("${inputs.[}", "is not JMESPath"),
        ("${lenght(inputs.name)}", "there is no function `lenght`; did you mean `length`?"),
        ("${length(inputs.name, inputs.name)}", "`length` takes 1 arguments, not 2"),
        ("${join(inputs.name)}", "`join` takes 2 arguments, not 1"),
        ("${" + "(" * 900 + "a" + ")" * 900 + "}", "is nested too deeply"),
        ("${" + "!" * 200 + "a}", "is nested too deeply"),
        ("${" + "a" * 2001 + "}", "an expression of more than 2000 characters"),
    ],
)
def test_what_is_no_reference_is_told(text: str, message: str) -> None:
    with pytest.raises(BookError) as caught:
        template(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("${inputs.a.b[0].c}", ["inputs.a.b"]),
        ("${nodes.x.outputs.ids[?name == inputs.a].id | [0]}", ["nodes.x.outputs.ids"]),
        ("${all.x[].outputs.ids[]}", ["all.x"]),
        ("${nodes.*.id}", ["nodes"]),
        ("${!inputs.a}", ["inputs"]),
        ("${!(inputs.a)}", ["inputs.a"]),
        ("${@}", ["@"]),
        ("${[0]}", ["@"]),
        ("${{a: inputs.x, b: length(item.y)}}", ["inputs.x", "item.y"]),
        ("${max_by(all.x, &outputs.n).id}", ["all.x"]),
        ("${length(inputs.a) > `1` && inputs.b}", ["inputs.a", "inputs.b?"]),
        ("${inputs.a || inputs.b}", ["inputs.a?", "inputs.b?"]),
        ("${nodes.x.outputs.a == `null`}", ["nodes.x.outputs.a?"]),
        ("${inputs.a} ${inputs.a[1:2]}", ["inputs.a", "inputs.a"]),
        ("${`1`}", []),
    ],
)
def test_what_an_expression_reads_is_known_without_evaluating_it(text: str, read: list[str]) -> None:
    assert [f"{p}{'' if p.is_required else '?'}" for p in paths([text])] == read


@given(st.text().filter(lambda t: "${" not in t))
def test_a_plain_text_is_itself(text: str) -> None:
    assert fill(text, {}) == text
    assert template(text).write({}) == text


@given(st.text())
def test_an_escaped_text_comes_back_as_it_was(text: str) -> None:
    if not text.replace("${", "").endswith("$") and "$${" not in text:
        assert fill(text.replace("${", "$${"), {}) == text


@given(st.text(), st.text())
def test_no_text_makes_anything_but_a_value_or_a_book_error(before: str, inside: str) -> None:
    fault = told(lambda: fill(f"{before}${{{inside}}}", SCOPE))
    assert fault is None or isinstance(fault, BookError)


_WORDS = st.sampled_from(
    [
        *"inputs nodes list map . . [ ] [] [? ] ( ) { } : , | || && ! == < @ & *".split(),
        *("'a'", "`1`", "`null`", '"a-b"', "0", "-1", "length", "sort_by", "to_number", "x"),
    ]
)


@given(st.lists(_WORDS, max_size=12).map(" ".join))
def test_no_expression_does_either(expression: str) -> None:
    fault = told(lambda: fill(f"${{{expression}}}", SCOPE))
    assert fault is None or "${" in str(fault)
