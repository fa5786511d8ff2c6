from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from runbook.book import reader
from runbook.book.reader import MAX_BYTES, MAX_DEPTH, parse, read
from runbook.core.error import BookError


def fault_of(text: str) -> str:
    with pytest.raises(BookError) as caught:
        parse(text, "f")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: [x, 'y', \"z\"]", {"a": ["x", "y", "z"]}),
        ("no: on", {"no": "on"}),
        ("a: 2021-03-18", {"a": "2021-03-18"}),
        ("a: 010", {"a": 10}),
        ("a: 0x10", {"a": 16}),
        ("a: -1.5e2", {"a": -150.0}),
        ("a: .inf", {"a": ".inf"}),
        ("a: 1e999", {"a": 0}),
        ("a: '5'", {"a": "5"}),
        ("a: !!str 5", {"a": "5"}),
        ("a: ! 5", {"a": "5"}),
        ("a: true\nb: null\nc: ~\nd:", {"a": True, "b": None, "c": None, "d": None}),
        ("5: x", {"5": "x"}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("", {}),
        ("# nothing", {}),
        ("\ufeffa: 1", {"a": 1}),
        ('{"a": {"b": [1, 2.5, null, "\\u00e9"]}}', {"a": {"b": [1, 2.5, None, "é"]}}),
    ],
)
def test_values_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    assert parse(text, "f").root.plain() == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "f:1:5: not YAML: mapping values are not allowed"),
        ("a:\n  - [1, 2\nb: 3", "f:3:2: not YAML: did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 2", "f:2:1: a second document begins here"),
        ("a: !!python/object:os.system x", "f:1:4: the tag"),
        ("a: !thing [1]", "f:1:4: the tag !thing is not allowed"),
        ("a: {<<: 1}", "f:1:5: merge keys"),
        ("? [1]\n: 2", "f:1:3: a key must be text"),
        ("{: 2}", "f:1:2: not YAML: "),
        ('"": 2', "f:1:1: a key is empty"),
        ("a: *x", "f:1:4: `*x` names no anchor above it"),
        ("a: &x [*x]", "f:1:8: `*x` stands inside what it repeats"),
        ("&x a: 1\n*x : 2", "f:2:1: an alias cannot be a key"),
        ("a: \x07", "f:1:4: a control character"),
        ("é: 1\nü: \x07", "f:2:4: a control character"),
        ("[" * 5000, f"f:1:{MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"),
        ("x" * (MAX_BYTES + 1), "f:1:1: larger than 1,000,000 characters"),
        ("a: \ud800", "f:1:4: a character that is not text"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, message: str) -> None:
    assert fault_of(text).startswith(message)


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "more than 100,000 values once aliases are written out" in fault_of("\n".join(lines))


def test_an_alias_counts_with_its_depth() -> None:
    half = MAX_DEPTH // 2 + 1
    text = f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}"
    assert f"nested deeper than {MAX_DEPTH} levels once `*a` is written out" in fault_of(text)


def test_every_key_written_twice_is_reported_and_the_first_stays() -> None:
    source = parse("a: 1\nb: 2\na: 3\nb: 4", "f")
    assert [str(f) for f in source.faults] == [
        "f:3:1: `a` is written twice; the first is on line 1",
        "f:4:1: `b` is written twice; the first is on line 2",
    ]
    assert source.root.plain() == {"a": 1, "b": 2}


def test_a_number_that_json_readers_would_disagree_on_is_a_fault() -> None:
    [fault] = parse("a: 12345678901234567890", "f").faults
    assert str(fault) == "f:1:4: the number is too large; write it in quotes to mean text"


def test_places_are_those_of_keys_and_values_or_of_the_nearest_thing_around() -> None:
    source = parse("a:\n  b: [1,\n    2]\n", "f")
    assert source.place(("a", "b", 1)) == (3, 5)
    assert source.place(("a", "b"), on_key=True) == (2, 3)
    assert source.place(("a", "zzz")) == (2, 3)
    assert source.place(("zzz",)) == (1, 1)


def test_a_file_that_is_not_utf_8_or_not_there_is_told_so(tmp_path: Path) -> None:
    bad = tmp_path / "b.yaml"
    bad.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(BookError, match=r"b.yaml:2:4: not UTF-8 text: byte 0xff"):
        read(bad)
    with pytest.raises(BookError, match=r"none.yaml cannot be read: No such file"):
        read(tmp_path / "none.yaml")
    with pytest.raises(BookError, match="cannot be read"):
        read(tmp_path)
    with pytest.raises(BookError, match="cannot be read"):
        read(Path("a\0b"))
    bad.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(BookError, match="larger than 1,000,000 bytes"):
        read(bad)


def test_without_libyaml_the_same_is_read_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_Loader", yaml.SafeLoader)
    assert parse("a: &x [1, no, '5']\nb: *x", "f").root.plain() == {"a": [1, "no", "5"], "b": [1, "no", "5"]}
    assert fault_of("é: 1\nü: \x07").startswith("f:2:4: a control character")
    assert fault_of("a: b: c").startswith("f:1:5: not YAML: mapping values are not allowed")
    assert fault_of("a: \ud800").startswith("f:1:4: a c")
    assert fault_of("[" * 5000).startswith(f"f:1:{MAX_DEPTH + 1}: nested deeper")
