from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.book import (
    BookErrors,
    check_inputs,
    describe,
    dump_inputs,
    judge_inputs,
    load_inputs,
    parse_sets,
    save_inputs,
)
from runbook.book.kinds import example
from runbook.book.reader import parse
from runbook.core.error import BookError, Unwritable, UsageError
from tests.book.conftest import tiny, told

SUB = "ABCDEF01-2222-3333-4444-555555555555"
NET = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/Hub"
KINDS: dict[str, dict[str, Any]] = {
    "sub": {"type": "subscription"},
    "text": {"type": "string", "example": "pe-arc"},
    "number": {"type": "integer"},
    "flag": {"type": "boolean"},
    "way": {"type": "enum", "values": ["nsg", "firewall"]},
    "place": {"type": "location"},
    "range": {"type": "cidr"},
    "address": {"type": "ip"},
    "net": {"type": "resource_id", "of": "Microsoft.Network/virtualNetworks"},
    "thing": {"type": "resource_id"},
    "subs": {"type": "list", "items": {"type": "subscription"}},
    "places": {"type": "map", "items": {"type": "resource_id", "of": "Microsoft.Network/virtualNetworks"}},
    "fixed": {"type": "map", "items": {"type": "list", "items": {"type": "ip"}}},
}
BOOK = tiny({"id": "a"}, inputs={n: {**spec, "default": None} for n, spec in KINDS.items()})


@pytest.mark.parametrize(
    ("name", "given_", "kept"),
    [
        ("sub", SUB, SUB.lower()),
        ("text", " x ", "x"),
        ("text", "5", "5"),
        ("number", 5, 5),
        ("number", "-5", -5),
        ("flag", True, True),
        ("flag", "No", False),
        ("way", "NSG", "nsg"),
        ("place", "West Europe", "westeurope"),
        ("range", "10.0.0.0/24", "10.0.0.0/24"),
        ("address", "10.0.0.4", "10.0.0.4"),
        ("net", NET.replace("resourceGroups", "resourcegroups"), NET),
        ("thing", NET, NET),
        ("subs", SUB, [SUB.lower()]),
        ("subs", [], []),
        ("subs", [SUB], [SUB.lower()]),
        ("text", None, None),
        ("places", {" Hp-1 ": NET.replace("resourceGroups", "resourcegroups")}, {"Hp-1": NET}),
        ("places", {}, {}),
        ("fixed", {"a": "10.0.0.4", "b": ["10.0.0.5", "10.0.0.6"]}, {"a": ["10.0.0.4"], "b": ["10.0.0.5", "10.0.0.6"]}),
    ],
)
def test_values_are_kept_in_one_form(name: str, given_: object, kept: object) -> None:
    assert check_inputs(BOOK, {name: given_})[name] == kept


@pytest.mark.parametrize(
    ("name", "given_", "message"),
    [
        ("sub", "x", "input `sub`: expected a subscription id, found the text 'x'; for example 11111111-"),
        ("text", 5, "input `text`: expected text, found the number 5 (write it in quotes); for example pe-arc"),
        ("text", "", "input `text`: expected text, found empty text; for example pe-arc"),
        ("text", "a\x1bb", "it holds a control character"),
        ("text", ["a"], "expected text, found a list; for example"),
        ("number", True, "expected a whole number, found true"),
        ("number", "5.5", "expected a whole number, found the text '5.5'"),
        ("flag", "maybe", "expected true or false, found the text 'maybe'"),
        ("way", "nsq", "expected one of nsg, firewall, found the text 'nsq' (did you mean `nsg`?)"),
        ("place", "w-e", "expected an Azure region, found the text 'w-e'; for example westeurope"),
        (
            "range",
            "10.0.0.1/24",
            "expected an address range, found the text '10.0.0.1/24' (10.0.0.1/24 has host bits set)",
        ),
        ("range", "10.0.0.0", "the length of the prefix is missing"),
        ("address", "10.0.0", "expected an IP address, found the text '10.0.0'; for example 10.1.0.4"),
        (
            "net",
            NET + "/subnets/s",
            "(its type is Microsoft.Network/virtualNetworks/subnets); for example /subscriptions/",
        ),
        (
            "net",
            "hub",
            "expected a resource id of Microsoft.Network/virtualNetworks, found the text 'hub'; for example",
        ),
        ("subs", [SUB, "x"], "input `subs`: member 2: expected a subscription id"),
        ("subs", [SUB, SUB.lower()], "member 2: abcdef01-2222-3333-4444-555555555555 is listed twice"),
        ("subs", {"a": 1}, "expected a list, each a subscription id, found a mapping"),
        ("places", [NET], "input `places`: expected a mapping of names, each to a resource id of Microsoft.Network/"),
        ("places", "x", "found the text 'x'; for example {name: /subscriptions/"),
        ("places", {"hp": "hub"}, "input `places`: `hp`: expected a resource id of Microsoft.Network/virtualNetworks"),
        ("places", {"hp": NET, "HP": NET}, "input `places`: `HP` is named twice"),
        ("places", {" ": NET}, "input `places`: the text ' ' cannot be a name in it (it is empty)"),
        ("places", {"hp": None}, "`hp`: expected a resource id of Microsoft.Network/virtualNetworks, found nothing"),
        ("fixed", {"hp": ["10.0.0.4", "x"]}, "input `fixed`: `hp`: member 2: expected an IP address"),
        ("subz", 1, "there is no input `subz`; did you mean `sub`?"),
    ],
)
def test_a_wrong_value_is_told_with_input_kind_value_and_example(name: str, given_: object, message: str) -> None:
    with pytest.raises(BookError) as caught:
        check_inputs(BOOK, {name: given_})
    assert message in str(caught.value)


def test_all_wrong_and_missing_inputs_are_told_together() -> None:
    book = tiny({"id": "a"}, inputs={"net": {**KINDS["net"], "prompt": "Which network?"}, "sub": KINDS["sub"]})
    with pytest.raises(BookErrors) as caught:
        check_inputs(book, {"sub": 5, "sbu": 5})
    unknown, missing, wrong = (str(f) for f in caught.value.faults)
    assert unknown == "there is no input `sbu`; did you mean `sub`?"
    assert missing.startswith(
        "input `net` is missing: a resource id of Microsoft.Network/virtualNetworks, for example /s"
    )
    assert missing.endswith(" Which network?")
    assert wrong.startswith("input `sub`: expected a subscription id, found the number 5")


def test_defaults_may_refer_to_other_inputs_and_each_other() -> None:
    inputs = {
        "c": {"type": "list", "items": {"type": "string"}, "default": ["${inputs.b}"]},
        "b": {"type": "string", "default": "${inputs.a}-b"},
        "a": {"type": "string"},
        "e": {"type": "string", "default": ""},
        "l": {"type": "list", "items": {"type": "string"}, "default": []},
        "m": {"type": "map", "items": {"type": "string"}, "default": {}},
        "n": {"type": "map", "items": {"type": "string"}, "default": {"k": "${inputs.b}"}},
    }
    book = tiny({"id": "a"}, inputs=inputs)
    assert check_inputs(book, {"a": "x"}) == {
        **{"c": ["x-b"], "b": "x-b", "a": "x", "e": "", "l": []},
        **{"m": {}, "n": {"k": "x-b"}},
    }
    assert check_inputs(book, {"a": "x", "b": "y", "e": "", "l": []})["c"] == ["y"]
    assert list(check_inputs(book, {"a": "x"})) == ["c", "b", "a", "e", "l", "m", "n"]
    with pytest.raises(BookError, match="input `a` is missing"):
        check_inputs(book, {"a": None})


def test_a_default_that_does_not_fit_once_filled_in_is_told() -> None:
    inputs = {"a": {"type": "string"}, "b": {"type": "ip", "default": "${inputs.a}"}}
    with pytest.raises(BookError, match="input `b`: its default: expected an IP address, found the text 'x'"):
        check_inputs(tiny({"id": "a"}, inputs=inputs), {"a": "x"})


def test_faults_in_a_file_have_its_places_unless_the_value_came_from_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "i.yaml"
    file.write_text("text: 5\nsubz: 1\nnet:\n  hub\n", encoding="utf-8")
    values = load_inputs(file)
    assert values == {"text": 5, "subz": 1, "net": "hub"}
    with pytest.raises(BookErrors) as caught:
        check_inputs(BOOK, values | {"net": "bub"}, source=values.source)
    first, second, third = (str(f) for f in caught.value.faults)
    assert first.startswith(f"{file}:2:1: there is no input `subz`")
    assert second.startswith(f"{file}:1:7: input `text`: expected text, found the number 5")
    assert third.startswith("input `net`: expected a resource id")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("i.yaml", "[1]", "i.yaml:1:1: expected a mapping of inputs to values, found a list"),
        ("i.yaml", "a: 1\na: 2", "i.yaml:2:1: `a` is written twice; the first is on line 1"),
        ("i.yaml", "a: [", "i.yaml:2:1: not YAML"),
        ("i.json", '{"a": 1,}', "i.json:1:9: not JSON: "),
        ("i.json", "a: 1", "i.json:1:1: not JSON: "),
        ("i.json", '{"a": 1, "a": 2}', "i.json:1:10: `a` is written twice"),
        ("i.json", "[" * 5000, "nested deeper than"),
        ("i.json", '{"a": ' + "9" * 400 + "}", "i.json:1:7: the number is too large"),
    ],
)
def test_an_inputs_file_that_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BookError) as caught:
        load_inputs(tmp_path / name)
    assert message in str(caught.value)


def test_an_inputs_file_may_be_empty_or_json(tmp_path: Path) -> None:
    file = tmp_path / "i.json"
    file.write_text('{\n\t"a": [1, "x\\u00e9"],\n\t"b": null\n}', encoding="utf-8")
    assert load_inputs(file) == {"a": [1, "xé"], "b": None}
    for text in ("", "null\n"):
        (tmp_path / "e.yaml").write_text(text, encoding="utf-8")
        assert load_inputs(tmp_path / "e.yaml") == {}


def test_sets_are_text_lists_by_repeating_or_yaml_where_they_look_like_it() -> None:
    assert parse_sets(["a=1", "b=x=y", "c=", "d=[1, x]", "e=1", "e=2", "e=[3]", "f='5'", " g = true "]) == {
        "a": "1",
        "b": "x=y",
        "c": "",
        "d": [1, "x"],
        "e": ["1", "2", 3],
        "f": "5",
        "g": "true",
    }
    [argument] = [f"places={{hp-1: {NET}, hp-2: {NET}}}"]
    assert check_inputs(BOOK, parse_sets([argument]))["places"] == {"hp-1": NET, "hp-2": NET}
    assert check_inputs(BOOK, parse_sets(["number=5", "flag=yes", f"subs={SUB}", "text=007"]))["text"] == "007"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("a", "--set 'a' is not of the form name=value"),
        ("=a", "--set '=a' is not of the form name=value"),
        ("a=[1", "--set a: not YAML: "),
        ("a={b: 1, b: 2}", "--set a: `b` is written twice"),
    ],
)
def test_a_set_that_is_none_is_told(argument: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sets([argument])
    assert message in str(caught.value)


def test_kinds_are_described_as_they_stand_in_a_sentence() -> None:
    assert describe(BOOK.inputs["way"]) == "one of nsg, firewall"
    assert describe(BOOK.inputs["thing"]) == "a resource id"
    assert describe(BOOK.inputs["subs"]) == "a list, each a subscription id"
    assert describe(BOOK.inputs["fixed"]) == "a mapping of names, each to a list, each an IP address"
    assert example(BOOK.inputs["fixed"]) == "{name: [10.1.0.4]}"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([SUB, NET, "10.0.0.0/8"]),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*KINDS, "x"]), _JSON))
def test_any_values_are_kept_or_told(values: dict[str, Any]) -> None:
    fault = told(lambda: check_inputs(BOOK, values))
    if fault is not None:
        assert isinstance(fault, BookError)
        assert str(fault).replace("\n", "").isprintable()
    else:
        kept = check_inputs(BOOK, values)
        assert check_inputs(BOOK, kept) == kept


@given(st.lists(st.text()))
def test_any_sets_are_values_or_told(arguments: list[str]) -> None:
    fault = told(lambda: parse_sets(arguments))
    assert fault is None or isinstance(fault, UsageError)


def test_each_input_is_judged_by_itself() -> None:
    book = tiny({"id": "a"}, inputs={"sub": {"type": "subscription"}, "net": KINDS["net"], "way": KINDS["way"]})
    judged = judge_inputs(book, {"sub": SUB, "way": "nsq", "sbu": "x"})
    assert judged.values == {"sub": SUB.lower()}
    assert list(judged.reasons) == ["sbu", "net", "way"]
    assert judged.reasons["sbu"] == "there is no input `sbu`; did you mean `sub`?"
    assert judged.reasons["net"].startswith("missing: a resource id of Microsoft.Network/virtualNetworks, for example")
    assert judged.reasons["way"].startswith("expected one of nsg, firewall, found the text 'nsq'")
    assert judged.faults[0].message == judged.reasons["sbu"]


def test_faults_of_a_file_are_judged_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "inputs.yaml"
    path.write_text("way: nsg\nrange: 10.0.0.1/24\n")
    file = load_inputs(path)
    judged = judge_inputs(BOOK, file, source=file.source)
    assert [(f.line, f.column) for f in judged.faults] == [(2, 8)]
    assert judged.values["way"] == "nsg"


@given(
    st.dictionaries(
        st.sampled_from(sorted(KINDS)),
        st.recursive(
            st.one_of(st.booleans(), st.integers(-9, 9), st.text(st.characters(exclude_categories=["C"]))),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(st.text(st.characters(exclude_categories=["C"]), min_size=1), inner, max_size=3),
            ),
            max_leaves=6,
        ),
    )
)
def test_what_is_written_to_a_file_is_read_back_as_it_was(values: dict[str, Any]) -> None:
    assert parse(dump_inputs(BOOK, values), "x").root.plain() == values


@pytest.mark.parametrize("text", ["no", "1e3", "0o17", "null", "~", "2021-01-01", "- a", "a: b", "#", " x", "é\u2028b"])
def test_texts_that_look_like_something_else_are_kept_as_text(text: str) -> None:
    assert parse(dump_inputs(BOOK, {"text": text}), "x").root.plain() == {"text": text}


def test_an_inputs_file_is_never_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "in.yaml"
    save_inputs(path, "a", replaces=False)
    with pytest.raises(FileExistsError):
        save_inputs(path, "b", replaces=False)
    assert path.read_text() == "a"
    save_inputs(path, "b", replaces=True)
    assert path.read_text() == "b"
    assert list(tmp_path.glob(".*")) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unwritable, match="cannot be written: No such file"):
        save_inputs(tmp_path / "none" / "in.yaml", "a", replaces=False)
    with pytest.raises(Unwritable, match="cannot be written"):
        save_inputs(tmp_path, "a", replaces=True)
    assert list(tmp_path.parent.glob(f".{tmp_path.name}*")) == []
