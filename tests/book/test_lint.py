from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.book import BookErrors, lint, load_book
from runbook.core.error import BookError
from tests.book.conftest import HEAD, WITH, text_of

Said = Callable[[str], list[str]]
"""Lints a text as the file ``b.yaml``."""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Said:
    monkeypatch.chdir(tmp_path)

    def lint_text(text: str) -> list[str]:
        Path("b.yaml").write_text(text, encoding="utf-8")
        return [str(f) for f in lint("b.yaml")]

    return lint_text


def test_a_sound_book_has_no_faults(said: Said) -> None:
    assert said(text_of(f"id: a, {WITH}", f"id: b, needs: [a], {WITH}")) == []


LINE = HEAD.count("\n") + 1
"""Where the first step stands."""


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("id: ▸A, " + WITH, "step `A`: `id`: 'A' is not a name: lower-case letters, digits and `_`, beginning"),
        ("id: a, ▸gat: x, " + WITH, "step `a`: unknown key `gat`; did you mean `gate`?"),
        ("id: a, gate: ▸x, " + WITH, "step `a`: `gate`: expected operator, team or microsoft, found the text 'x'"),
        ("id: a, gate: ▸teem, " + WITH, "found the text 'teem'; did you mean `team`?"),
        ("id: a, needs: ▸b, " + WITH, "step `a`: `needs`: expected a list, found the text 'b'"),
        ("id: a, needs: [▸{stp: b}], " + WITH, "step `a`: `step` is missing"),
        ("id: a, needs: [{step: b, ▸al: true}], " + WITH, "step `a`: unknown key `al`; did you mean `all`?"),
        ("id: a, with: ▸[x]", "step `a`: `with`: expected a mapping, found a list"),
        ("id: a, source: ▸5, " + WITH, "step `a`: `source`: expected text, found the number 5; write it in quotes"),
        ("id: a, guide: {▸wy: x}, " + WITH, "step `a`: unknown key `wy`; did you mean `why`?"),
        (WITH, "step number 1: `id` is missing"),
        ("id: a, needs: [▸b], " + WITH, "step `a` needs `b`, which does not exist"),
        ("id: a, needs: ▸[a], " + WITH, "these steps need each other in a circle: a → a"),
        ("id: a, ▸id: b, " + WITH, f"`id` is written twice; the first is on line {LINE}"),
        ("id: a, when: ▸5, " + WITH, "step `a`: `when` takes a reference, true or false"),
        ("id: a, when: ▸'true', " + WITH, "step `a`: `when` must be exactly one ${…}, not 'true'"),
        ("id: a, when: ▸'${inputs.flag} ', " + WITH, "step `a`: `when` must be exactly one ${…}"),
        ("id: a, ▸key: x, " + WITH, "step `a`: `key` without `for_each`"),
        ("id: a, for_each: ▸5, " + WITH, "step `a`: `for_each` takes a reference or a list"),
        ("id: a, for_each: ▸{}, " + WITH, "step `a`: `for_each` names nothing to repeat over"),
        ("id: a, for_each: {▸a-b: []}, " + WITH, "step `a`: 'a-b' is not a name"),
        ("id: a, for_each: ▸x, " + WITH, "step `a`: `for_each` must be exactly one ${…}, not 'x'"),
        ("id: a, with: {name: ▸'${inputs.nam}'}", "there is no input `nam`; did you mean `name`?"),
        ("id: a, with: {name: ▸'${inputs}'}", "`inputs` takes a name after it, `inputs.name`"),
        ("id: a, with: {name: ▸'${!inputs.flag}'}", "a negation takes brackets, `!(inputs.name)`"),
        ("id: a, with: {name: ▸'${item}'}", "`item` exists only in a step with `for_each`"),
        ("id: a, with: {name: ▸'${input.name}'}", "`input` is not known; begin with inputs, run, nodes or all"),
        ("id: a, with: {name: ▸'${@}'}", "names no value"),
        ("id: a, with: {name: ▸'${run.tenent}'}", "there is no `run.tenent`; did you mean `tenant`?"),
        ("id: a, with: {name: ▸'${nodes.b.id}'}", "there is no step `b`"),
        ("id: a, with: {name: ▸'${nodes.a.id}'}", "a step cannot refer to itself"),
        ("id: a, with: {name: ▸'${inputs.a-b}'}", "A name with a dash takes double quotes"),
        ("id: a, title: ▸'${', " + WITH, "is not closed by `}`"),
        ("id: a, for_each: [], key: ▸'${nodes.a.id}', " + WITH, "`nodes` is not known here"),
        ("id: a, for_each: {x: []}, title: ▸'${item.y}', " + WITH, "`for_each` has no `y`"),
        ("id: a, uses: ▸tiny.thin, " + WITH, "there is no step `tiny.thin`"),
        ("id: a, uses: ▸nosuch.thing, " + WITH, "there is no step `nosuch.thing`"),
        ("id: a, uses: ▸Thing, " + WITH, "'Thing' is not a step: it is written domain.noun"),
        ("id: a, uses: ▸..os, " + WITH, "'..os' is not a step"),
        ("id: a, uses: ▸tiny.no_params", "step tiny.no_params: NoParams.Params must be a dataclass"),
        ("id: a, uses: ▸tiny.nothing", "step tiny.nothing has no class Nothing(Step)"),
        ("id: a", "step `a`: tiny.thing needs `name` under `with`"),
        ("id: a, with: {▸nam: x, name: y}", "step `a`: tiny.thing has no parameter `nam`; did you mean `name`?"),
        ("id: a, with: {name: ▸5}", "step `a`: `name`: input should be a valid string, found the number 5"),
        ("id: a, with: {name: n, count: ▸x}", "step `a`: `count`: input should be a valid integer"),
        ("id: a, with: {name: n, rules: [{name: r}, ▸{port: 1}]}", "step `a`: `rules.1.name`: field required"),
    ],
)
def test_each_fault_is_told_at_its_place(said: Said, step: str, message: str) -> None:
    """``▸`` stands where the fault is to be told; without it, the step as a whole is meant."""
    text = text_of(step)
    line = next((n for n in text.splitlines() if "▸" in n), "    ")
    found = said(text.replace("▸", ""))
    column = line.index("▸") + 1 if "▸" in line else 5
    assert any(f.startswith(f"b.yaml:{LINE}:{column}: ") and message in f for f in found), found


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("version: 1", "version: '1'", "2:10", "`version`: expected a whole number, found the text '1'"),
        ("version: 1", "version: 0", "2:10", "`version`: must be at least 1, found the number 0"),
        ("title: Demo\n", "", "1:1", "`title` is missing"),
        ("title: Demo", "title: Demo\ntitel: x", "4:1", "unknown key `titel`; did you mean `title`?"),
        ("id: demo", "id: Demo x", "1:5", "`id`: 'Demo x' is not a name"),
        ("phases: [{id: main, title: Main}]", "phases: []", "8:9", "`phases`: needs at least 1"),
        ("{id: main, title", "{id: other, title", "10:47", "step `a`: there is no phase `main`"),
        ("[{id: main, title: Main}]", "[{id: main, title: M}, {id: main, title: N}]", "8:37", "two phases have the id"),
        ("type: boolean", "type: bool", "6:16", "`type`: expected subscription, string, integer, boolean"),
        (
            "type: boolean",
            "type: boolean, defalt: 1",
            "6:25",
            "input `flag`: unknown key `defalt`; did you mean `default`?",
        ),
        (
            "type: boolean, default: true",
            "type: boolean, default: 5",
            "6:34",
            "input `flag`: its default: expected true or",
        ),
        ("type: boolean", "type: enum", "6:9", "input `flag`: an enum needs `values`"),
        ("type: boolean", "type: boolean, values: [a]", "6:33", "input `flag`: `values` does not fit a boolean"),
        ("type: boolean", "type: boolean, of: a", "6:29", "input `flag`: `of` does not fit a boolean"),
        ("items: {type: string}", "help: x", "7:10", "input `names`: a list needs `items`"),
        ("{type: string}, d", "{type: list, items: {type: ip}}, d", "7:30", "input `names`: a list of lists"),
        ("{type: string}, d", "{type: map, items: {type: ip}}, d", "7:30", "input `names`: a list of maps is not"),
        ("type: list, items: {type: string}", "type: map", "7:10", "input `names`: a map needs `items`"),
        (
            "type: list, items: {type: string}",
            "type: map, items: {type: map}",
            "7:29",
            "a map of maps is not supported",
        ),
        (
            "type: list, items: {type: string}, default: []",
            "type: map, items: {type: ip}, default: {a: x}",
            "7:50",
            "its default: `a`",
        ),
        ("default: true", "default: '${inputs.nam}'", "6:34", "input `flag`: there is no input `nam`"),
        ("default: true", "default: '${run.id}'", "6:34", "input `flag`: `run` is not known here; begin with inputs"),
        ("default: true", "default: '${inputs.flag}'", "6:34", "input `flag`: its default refers to itself"),
        ("default: true", "default: '${'", "6:34", "input `flag`: ${ is not closed"),
        ("  name: {", "  Name: {", "5:3", "`Name`: 'Name' is not a name"),
        (HEAD, "[1]\n", "1:1", "a book is a mapping"),
    ],
)
def test_faults_of_the_head_are_told_at_their_place(said: Said, old: str, new: str, place: str, message: str) -> None:
    text = text_of("id: a, with: {name: x}")
    found = said(text.replace(old, new, 1) if old != HEAD else new)
    assert any(f.startswith(f"b.yaml:{place}: ") and message in f for f in found), found


def test_growth_that_nobody_reads_is_told(said: Said) -> None:
    [fault] = said(text_of(f"id: a, grows: true, {WITH}", f"id: b, needs: [a], {WITH}"))
    assert fault.startswith(f"b.yaml:{LINE}:13: step `a`: `grows` has no effect: no step reads what it finds")
    assert said(text_of(f"id: a, grows: true, {WITH}", f"id: b, needs: [a], title: '${{nodes.a.id}}', {WITH}")) == []
    assert said(text_of(f"id: a, {WITH}", f"id: b, needs: [a], grows: true, {WITH}")) == []
    [fault] = said(text_of(f"id: a, grows: 'yes', {WITH}"))
    assert "step `a`: `grows`: expected true or false, found the text 'yes'" in fault


def test_an_empty_file_is_told_so(said: Said) -> None:
    assert said("") == said("# x\n") == said("null") == ["b.yaml:1:1: the file is empty"]


def test_a_cycle_is_named_step_by_step(said: Said) -> None:
    steps = [f"id: {a}, needs: [{b}], {WITH}" for a, b in ("zb", "bc", "cd", "db")]
    [fault] = said(text_of(*steps))
    assert fault == f"b.yaml:{LINE + 1}:20: these steps need each other in a circle: b → c → d → b"


def test_two_steps_with_the_same_id_are_told_with_the_line_of_the_first(said: Said) -> None:
    [fault] = said(text_of(f"id: a, {WITH}", f"id: a, {WITH}"))
    assert fault == f"b.yaml:{LINE + 1}:10: two steps have the id `a`; the first is on line {LINE}"


EACH = "for_each: '${inputs.names}'"
OTHER = "for_each: '${run.subscriptions}'"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([f"id: a, {EACH}", "id: b, needs: [a]"], "write {step: a, all: true} to wait for all of them"),
        ([f"id: a, {EACH}", f"id: b, needs: [a], {OTHER}"], "write {step: a, all: true}"),
        (["id: a", "id: b, title: '${nodes.a.id}'"], "`a` is not among what this step needs"),
        (
            [f"id: a, {EACH}", "id: b, needs: [{step: a, all: true}], title: '${nodes.a.id}'"],
            "`a` has several nodes; refer to `all.a`",
        ),
        (
            [f"id: a, {EACH}", f"id: b, needs: [a], {EACH}, title: '${{length(all.a)}}'"],
            "not every node of `a` is finished by then; add {step: a, all: true} to `needs`",
        ),
        (
            ["id: a", "id: b, needs: [a], title: '${nodes.a.output.x}'"],
            "a node has no `output`; did you mean `outputs`?",
        ),
        (["id: a", "id: b, needs: [a, a]"], "step `b` needs `a` twice"),
    ],
)
def test_what_would_not_be_finished_cannot_be_named(said: Said, steps: list[str], message: str) -> None:
    found = said(text_of(*(f"{s}, {WITH}" for s in steps)).replace("title: T, ", "", 0))
    assert any(message in f for f in found), found


@pytest.mark.parametrize(
    "steps",
    [
        [f"id: a, {EACH}", f"id: b, needs: [a], {EACH}, target: '${{nodes.a.id}}'"],
        [f"id: a, {EACH}", "id: b, needs: [{step: a, all: true}], target: '${length(all.a)}'"],
        [f"id: a, {EACH}", "id: b, needs: [{step: a, all: true}]", "id: c, needs: [b], target: '${length(all.a)}'"],
        [
            f"id: a, {EACH}",
            f"id: b, needs: [a], {EACH}",
            "id: c, needs: [{step: b, all: true}], target: '${length(all.a)}'",
        ],
        [
            f"id: a, {EACH}",
            "id: b, needs: [a], for_each: {n: '${inputs.names}', x: [p, q]}, target: '${nodes.a.id} ${item.x}'",
            "id: c, needs: [b], for_each: {x: [p, q], m: '${inputs.names}'}, target: '${nodes.a.id} ${nodes.b.id}'",
        ],
    ],
)
def test_what_is_sure_to_be_finished_can_be_named(said: Said, steps: list[str]) -> None:
    assert said(text_of(*(f"{s}, {WITH}" for s in steps))) == []


def test_all_faults_come_together_in_file_order_and_as_one_error(said: Said) -> None:
    text = text_of("id: a, phase: x, with: {name: '${inputs.x}', nam: y}", "id: a, needs: [q], uses: tiny.thin")
    text = text.replace("phase: main, uses: tiny.thing, id: a, p", "uses: tiny.thing, id: a, p").replace(
        "uses: tiny.thing, id: a, n", "id: a, n"
    )
    found = said(text)
    assert len(found) == 6
    assert found == sorted(found, key=lambda f: [int(n) for n in f.split(":")[1:3]])
    with pytest.raises(BookErrors) as caught:
        load_book("./b.yaml")
    assert str(caught.value).splitlines() == found
    assert len(caught.value.others) == 5
    assert (caught.value.file, caught.value.line) == ("b.yaml", LINE)
    assert caught.value.exit_status == 2


def test_one_fault_is_raised_as_itself(said: Said) -> None:
    said(text_of("id: a, with: {nam: x}").replace("nam: x", "name: '${inputs.x}'"))
    with pytest.raises(BookError) as caught:
        load_book("b.yaml")
    assert not isinstance(caught.value, BookErrors)


def test_no_control_character_of_a_file_reaches_a_message(said: Said) -> None:
    steps = [
        '"id": a, "\\e[31m": 1',
        'id: b, uses: "\\e[2Jx", with: {"\\e": 1}',
        "id: c, with: {name: '${\"\\u001b\".x}'}",
    ]
    for step in steps:
        for fault in said(text_of(step).replace("uses: tiny.thing, id: b", "id: b")):
            assert fault.isprintable()


def test_what_nobody_is_asked_about_has_no_gate(said: Said) -> None:
    assert said(text_of(f"id: a, unasked: true, {WITH}")) == []
    [fault] = said(text_of(f"id: a, unasked: true, gate: team, {WITH}"))
    assert "`unasked` and `gate` exclude each other" in fault


def test_an_unasked_step_names_the_steps_whose_go_covers_it(said: Said) -> None:
    [fault] = said(text_of(f"id: a, unasked: [b], {WITH}"))
    assert "`unasked`: there is no other step `b`" in fault
