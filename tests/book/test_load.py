from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import runbook.book
from runbook import assets
from runbook.book import Book, BookInfo, book_from_json, known_steps, lint, list_books, load_book, schema
from runbook.book.reader import parse
from runbook.core.error import BookError
from tests.book.conftest import WITH, text_of, tiny, told


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the folder of the books that come with the program."""
    folder = tmp_path / "assets" / "books"
    folder.mkdir(parents=True)
    monkeypatch.setattr(assets, "root", lambda: folder.parent)
    return folder


def test_a_book_is_found_by_its_name_or_its_path(shelf: Path) -> None:
    (shelf / "demo.yaml").write_text(text_of(f"id: a, {WITH}"), encoding="utf-8")
    by_name, by_path = load_book("demo"), load_book(str(shelf / "demo.yaml"))
    assert by_name == by_path
    assert [s.id for s in by_name.steps] == ["a"]


def test_an_unknown_book_is_told_with_those_there_are(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("arc-private-link", "other"):
        (shelf / f"{name}.yaml").write_text("", encoding="utf-8")
    with pytest.raises(BookError) as caught:
        load_book("arc-privat-link")
    assert caught.value.message == (
        "there is no book 'arc-privat-link'; did you mean `arc-private-link`?; known books: arc-private-link, other"
    )
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("", encoding="utf-8")
    with pytest.raises(BookError) as caught:
        load_book("mine")
    assert caught.value.hint == "There is a file of that name here: write ./mine."
    with pytest.raises(BookError, match=r"nowhere.yaml cannot be read: No such file"):
        load_book("nowhere.yaml")
    assert [str(f) for f in lint("nowhere.yaml")] == ["nowhere.yaml cannot be read: No such file or directory"]


def test_books_are_listed_from_their_heads_and_bad_files_too(shelf: Path) -> None:
    (shelf / "a.yaml").write_text(
        "id: a\nversion: 2\ntitle: A\nsummary: >\n  two\n  lines\nduration: days\nsteps: [[[", encoding="utf-8"
    )
    (shelf / "b.yaml").write_text("id: [", encoding="utf-8")
    (shelf / "c.yaml").write_text("", encoding="utf-8")
    (shelf / "d.yaml").write_bytes(b"\xff")
    (shelf / "e.yml").write_text("version: 1\ntitle: E\nid: *x", encoding="utf-8")
    (shelf / "f.yaml").mkdir()
    (shelf / "g.yaml").write_text("version: one\ntitle: G", encoding="utf-8")
    (shelf / "notes.txt").write_text("", encoding="utf-8")
    first, *rest = list_books()
    assert first == BookInfo("a", 2, "A", "two lines", "days")
    assert [(b.id, bool(b.fault)) for b in rest] == [
        ("b", True), ("c", True), ("d", True), ("e", False), ("f", True), ("g", True)
    ]  # fmt: skip


def test_no_shelf_is_an_empty_one(shelf: Path) -> None:
    shelf.rmdir()
    assert list_books() == []
    with pytest.raises(BookError, match="known books: none"):
        load_book("demo")


def test_a_book_comes_back_from_its_json_without_its_file_or_steps(load: Callable[..., Book]) -> None:
    book = load(
        f"id: a, needs: [b], for_each: [x, {{name: y}}], when: false, guide: {{why: w}}, {WITH}", f"id: b, {WITH}"
    )
    doc = json.loads(json.dumps(book.doc))
    assert book_from_json(doc) == book
    for step in doc["steps"]:
        step["uses"] = "gone.away"
    assert book_from_json(doc).steps[0].uses == "gone.away"


@pytest.mark.parametrize(
    ("doc", "message"),
    [
        ({}, "`id` is missing"),
        ([], "expected a mapping, found a list"),
        (None, "expected a mapping, found nothing"),
        ({**tiny({"id": "a"}).doc, "steps": [{"id": "a"}]}, "step `a`: `title` is missing"),
        ({**tiny({"id": "a"}).doc, "steps": 5}, "`steps`: expected a list, found the number 5"),
    ],
)
def test_json_that_is_no_book_is_told(doc: Any, message: str) -> None:
    with pytest.raises(BookError) as caught:
        book_from_json(doc)
    assert message in str(caught.value)


def test_a_journalled_book_is_checked_like_any_other() -> None:
    with pytest.raises(BookError, match="these steps need each other in a circle: a → b → a"):
        tiny({"id": "a", "needs": ["b"]}, {"id": "b", "needs": ["a"]})


def test_every_book_that_comes_with_the_program_is_sound() -> None:
    assert {b.id: [str(f) for f in lint(b.id)] for b in list_books()} == {b.id: [] for b in list_books()}
    assert [b.fault for b in list_books() if b.fault] == []
    assert [load_book(b.id).id for b in list_books()] == [b.id for b in list_books()]


def test_every_condition_of_a_shipped_book_says_in_words_why_a_node_is_not_needed() -> None:
    steps = [(b.id, step) for b in list_books() for step in load_book(b.id).steps]
    assert [(book, s.id) for book, s in steps if s.when is not True and not s.otherwise] == []


def test_the_schema_accepts_what_the_loader_accepts(load: Callable[..., Book]) -> None:
    book = load(
        f"id: a, for_each: [x], {WITH}",
        "id: b, needs: [{step: a, all: true}], when: true, for_each: {p: [1], q: '${inputs.names}'}, " + WITH,
    )
    found = schema()
    jsonschema.Draft202012Validator.check_schema(found)
    names = found["$defs"]["StepShape"]["properties"]["uses"].pop("enum")
    assert names == list(known_steps())
    validator = jsonschema.Draft202012Validator(found)
    assert list(validator.iter_errors(book.doc)) == []
    assert list(validator.iter_errors({**book.doc, "titel": "x"}))
    assert list(validator.iter_errors({**book.doc, "steps": [{**book.doc["steps"][0], "needs": [5]}]}))


def test_the_package_imports_neither_yaml_nor_pydantic_until_it_is_used() -> None:
    code = "import sys, runbook.book; print([m for m in ('yaml', 'pydantic', 'jmespath') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_package_is_what_it_says() -> None:
    assert {n for names in runbook.book._HOMES.values() for n in names} == set(runbook.book.__all__)
    for name in runbook.book.__all__:
        assert getattr(runbook.book, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        runbook.book.nothing  # noqa: B018


# ---------------------------------------------------------------- garbage

BOOKS = [
    text_of(f"id: a, {WITH}", "id: b, needs: [a], with: {name: '${nodes.a.outputs.x || inputs.name}'}"),
    text_of(
        "id: a, for_each: '${inputs.names}', key: '${item}', gate: team, guide: {why: w}, " + WITH,
        "id: b, needs: [{step: a, all: true}], when: '${inputs.flag}', with: {name: '${length(all.a)}', count: 2}",
    ),
]


def faults_of(path: Path) -> list[str]:
    """Lint, and check that loading says the same and that each fault has a place."""
    faults = [str(f) for f in lint(path)]
    for fault in faults:
        assert fault.startswith(f"{path}:")
        line, column, message = fault[len(str(path)) + 1 :].split(":", 2)
        assert int(line) > 0
        assert int(column) > 0
        assert message.isprintable()
    assert str(told(lambda: load_book(str(path))) or "").splitlines() == faults
    return faults


files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


@files
@given(raw=st.binary())
def test_bytes_are_no_book(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "b.yaml"
    file.write_bytes(raw)
    assert faults_of(file)


@files
@given(text=st.text(st.sampled_from(" \n\t:-[]{}&*!|>'\"%@`,?#a1~<=$"), max_size=60))
def test_text_that_looks_like_yaml_is_no_book(tmp_path: Path, text: str) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(text, encoding="utf-8")
    assert faults_of(file)


@files
@given(data=st.data())
def test_a_book_with_a_piece_cut_out_or_put_in_is_told_or_still_a_book(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(BOOKS))
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 30))
    piece = data.draw(
        st.text(max_size=5) | st.sampled_from(["${", "}", "\n", "  ", ": ", "&a ", "*a", "[", "]", "'", "- "])
    )
    file = tmp_path / "b.yaml"
    file.write_bytes((text[:start] + piece + text[start + length :]).encode("utf-8", "surrogatepass"))
    faults_of(file)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(max_size=5)
    | st.sampled_from(
        ["a", "b", "${nodes.a.id}", "${all.a}", "${item}", "${inputs.names}", "${", "tiny.thing", "main"]
    ),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("step"), inside, max_size=3)
    ),
    max_leaves=5,
)


@files
@given(data=st.data())
def test_a_book_with_a_value_replaced_is_told_or_still_a_book(tmp_path: Path, data: st.DataObject) -> None:
    doc = parse(data.draw(st.sampled_from(BOOKS)), "").root.plain()
    inside, keys = doc, list(doc)
    while True:
        key = data.draw(st.sampled_from(keys))
        deeper = inside[key]
        if not isinstance(deeper, dict | list) or not deeper or data.draw(st.integers(0, 3)) == 0:
            break
        inside, keys = deeper, list(deeper) if isinstance(deeper, dict) else list(range(len(deeper)))
    inside[key] = data.draw(_VALUES)
    if isinstance(inside, dict) and data.draw(st.booleans()):
        inside[data.draw(st.text(min_size=1, max_size=8) | st.sampled_from(["key", "when", "needs", "for_each"]))] = (
            data.draw(_VALUES)
        )
    file = tmp_path / "b.yaml"
    file.write_text(json.dumps(doc), encoding="utf-8")
    faults_of(file)
    fault = told(lambda: book_from_json(doc))
    assert fault is None or isinstance(fault, BookError)
