"""A form made of a book's inputs: what was typed, whether it does, and what is shown of it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from rich.cells import cell_len

from runbook.book import Book, Judged, judge_inputs
from runbook.tui.present.fields import Field, is_nothing, read, write
from runbook.tui.present.text import BLANK, Line, labelled, line, lines, one_line, short, short_middle

FieldState = Literal["missing", "wrong", "given", "default"]

SIGNS: Final[dict[FieldState, tuple[str, str, str]]] = {
    "missing": ("○", "required", "wait"),
    "wrong": ("✗", "wrong", "bad"),
    "given": ("✓", "given", "ok"),
    "default": ("·", "default", "muted"),
}
"""Glyph, word and role of each state."""


# ---------------------------------------------------------------- the form


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed so far.

    Attributes:
        texts: by the input's name; what is empty counts as not given.
        sources: where a text came from, unless it was typed: ``scenario …``, ``file …``, ``run …``.
        judged: what the book says to it.
    """

    book: Book
    texts: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    judged: Judged = field(init=False)
    given: Mapping[str, Any] = field(init=False)
    """The values typed; where one cannot be read, its text."""

    def __post_init__(self) -> None:
        given: dict[str, Any] = {}
        unread: dict[str, str] = {}
        for name, text in self.texts.items():
            try:
                value = read(self.book.inputs[name], text)
            except ValueError as fault:
                value, unread[name] = text, str(fault)
            if value is not None:
                given[name] = value
        judged = judge_inputs(self.book, given)
        if unread:
            judged = replace(judged, reasons={**judged.reasons, **unread})
        object.__setattr__(self, "given", given)
        object.__setattr__(self, "judged", judged)

    def typed(self, name: str, text: str) -> Form:
        """With another text in one field."""
        if self.texts.get(name, "") == text:
            return self
        sources = {n: s for n, s in self.sources.items() if n != name}
        return Form(self.book, {**self.texts, name: text}, sources)

    def filled(self, values: Mapping[str, Any], source: str) -> Form:
        """With values from elsewhere in their fields; names that the book does not know are left out."""
        specs = self.book.inputs
        known = {n: v for n, v in values.items() if n in specs and v is not None and not is_nothing(specs[n], v)}
        texts = {name: write(self.book.inputs[name], value) for name, value in known.items()}
        return Form(self.book, {**self.texts, **texts}, {**self.sources, **dict.fromkeys(texts, source)})

    def without(self, source: str) -> Form:
        """Without what came from there and was not touched since."""
        gone = {name for name, known in self.sources.items() if known == source}
        texts = {name: text for name, text in self.texts.items() if name not in gone}
        return Form(self.book, texts, {n: s for n, s in self.sources.items() if n not in gone})

    @property
    def touched(self) -> dict[str, str]:
        """What was typed by hand."""
        return {n: t.strip() for n, t in self.texts.items() if n not in self.sources and t.strip()}

    def state(self, name: str) -> FieldState:
        """How a field stands."""
        if name in self.given:
            return "wrong" if name in self.judged.reasons else "given"
        if name in self.judged.reasons:
            return "wrong" if self.book.inputs[name].is_optional else "missing"
        return "default"

    @property
    def is_right(self) -> bool:
        """Whether a run can be made of it."""
        return not self.judged.reasons

    @property
    def subscriptions(self) -> list[str]:
        """The subscriptions chosen so far, in the book's order: those to look in."""
        found: dict[str, None] = {}
        for name, spec in self.book.inputs.items():
            leaf = spec.items if spec.type == "list" and spec.items is not None else spec
            if leaf.type == "subscription" and self.state(name) == "given":
                value = self.judged.values[name]
                found.update(dict.fromkeys(value if isinstance(value, list) else [value]))
        return list(found)

    def reason(self, name: str) -> str:
        """Why a field does not do, briefly: its example stands in the help."""
        if self.state(name) != "wrong":
            return ""
        return self.judged.reasons[name].partition("; for example ")[0]

    def first_open(self) -> str:
        """The first field that is wrong or missing; empty when there is none."""
        return next((name for name in self.book.inputs if self.state(name) in ("wrong", "missing")), "")


# ---------------------------------------------------------------- what is shown


def label_row(asked: Field, state: FieldState, source: str, width: int) -> Line:
    """``* Which subscription …?   ✓ given``: the sign at the right edge, in a word."""
    glyph, word, role = SIGNS[state]
    told = f"{glyph} {'from ' + source.partition(' ')[0] if state == 'given' and source else word}"
    told = short(one_line(told), max(12, width // 3))
    mark = "* " if asked.is_required else "  "
    room = max(8, width - len(mark) - cell_len(told) - 1)
    prompt = short(one_line(asked.prompt), room)
    gap = " " * max(1, width - cell_len(mark + prompt) - cell_len(told))
    return line((mark, "go"), (prompt, "heading" if asked.is_required else ""), gap, (told, role))


def remark_row(form: Form, name: str, labels: Mapping[str, str], width: int) -> Line:
    """Below a field: why it does not do, or what its ids are called; empty where neither is worth a line."""
    if reason := form.reason(name):
        return line(("  " + short(one_line(reason), max(8, width * 2 - 4)), "bad"))
    if form.state(name) != "given":
        return BLANK
    value = form.judged.values[name]
    members = value if isinstance(value, list) else [value]
    if not any(_is_id(m, labels) for m in members):
        return BLANK
    told = ", ".join(called(m, labels) for m in members)
    count = f"{len(members)}: " if len(members) > 1 else ""
    return line(("  " + short(count + told, max(8, width - 2)), "muted"))


def _is_id(value: Any, labels: Mapping[str, str]) -> bool:
    return isinstance(value, str) and (value.startswith("/subscriptions/") or value.lower() in labels)


def called(value: Any, labels: Mapping[str, str]) -> str:
    """What a value is called: by a list that was read, else by the end of its id."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if known := labels.get(text.lower()):
        return one_line(known)
    parts = one_line(text).strip("/").split("/")
    if not text.startswith("/subscriptions/") or len(parts) < 8:
        return one_line(text)
    return f"{'/'.join(parts[7::2])} in {parts[3]}"


def _is_long_id(text: str) -> bool:
    return called(text, {}) != text


def hint(form: Form, name: str, asked: Field) -> str:
    """What stands in an empty field."""
    if asked.is_required:
        example = one_line(asked.example)
        return f"for example {f'the id of {called(example, {})}' if _is_long_id(example) else example}"
    return f"default: {default_text(form, name)}"


def default_text(form: Form, name: str) -> str:
    """What an input is when nothing is typed; as the book writes it while that depends on what is not right yet."""
    bare = form if name not in form.given else form.typed(name, "")
    value = bare.judged.values.get(name, form.book.inputs[name].default)
    if value in ([], {}):
        return "none named"  # what that means, all of them perhaps, is told of the field with the cursor
    if value in (None, ""):
        return "none"
    members = value if isinstance(value, list) else [value]
    if isinstance(value, str) and (other := _OTHER.fullmatch(value)) and other[1] in form.book.inputs:
        return f"as under “{one_line(form.book.inputs[other[1]].prompt)}”"
    return ", ".join("true" if m is True else "false" if m is False else called(m, {}) for m in members)


_OTHER: Final = re.compile(r"\$\{inputs\.(\w+)\}")

_LONG: Final = 50
"""A text with more characters may not be seen whole in its box."""


def help_rows(form: Form, name: str, asked: Field) -> list[Line]:
    """What is this? For the field with the cursor."""
    state = form.state(name)
    rows = [line((one_line(asked.prompt), "heading"))]
    if reason := form.reason(name):
        rows += labelled("Wrong", one_line(reason), "bad")
    need = "Required" if asked.is_required else "Optional"
    rows.append(line((f"{need}: ", "muted"), f"{one_line(asked.kind)}."))
    if asked.help:
        rows += lines(" ".join(asked.help.split()))
    if not asked.is_required:
        rows += labelled("Default", default_text(form, name))
    rows += labelled("For example", one_line(asked.example), "code")
    if state == "given":
        if len(form.texts[name]) > _LONG:
            rows += labelled("Now", short_middle(one_line(form.texts[name]), 400))
        if source := form.sources.get(name):
            rows += labelled("Filled from", one_line(source))
    rows += lines(_how(asked), "muted")
    return rows


def _how(asked: Field) -> str:
    how = "Enter opens the list of what there is; typing works, too." if asked.has_choices else ""
    if asked.is_many:
        return f"{how} Several: with commas between.".strip()
    if asked.is_map:
        return (
            f"Written as name: value, with commas between. {'Enter puts an id at the cursor.' if how else ''}".strip()
        )
    return how


def tally(form: Form) -> Line:
    """What is still open, in a line."""
    states = [form.state(name) for name in form.book.inputs]
    missing, wrong = states.count("missing"), states.count("wrong")
    told: list[tuple[str, str]] = []
    if missing:
        told.append((f"○ {missing} required {'is' if missing == 1 else 'are'} empty", "wait"))
    if wrong:
        told.append((f"✗ {wrong} {'is' if wrong == 1 else 'are'} wrong", "bad"))
    if not told:
        told.append(("✓ all that is required is given", "ok"))
    spans = [span for number, part in enumerate(told) for span in ([(", ", "")] if number else []) + [part]]
    return line(*spans, ("   * required", "muted"))


# ---------------------------------------------------------------- pickers


def matching(labels: Sequence[str], typed: str) -> list[int]:
    """Which of these hold every word that was typed, in their order."""
    words = typed.lower().split()
    return [number for number, label in enumerate(labels) if all(word in label.lower() for word in words)]


def nearest_first(values: Sequence[str], form: Form, name: str) -> list[int]:
    """The order in which to offer values: first those inside a resource that another field names.

    So the subnets of the chosen network come first. None is left out, as a book does not say that one input depends
    on another.
    """
    chosen = [
        f"{value.lower()}/"
        for other, value in form.judged.values.items()
        if other != name and form.state(other) == "given" and isinstance(value, str) and value.startswith("/")
    ]
    inside = [any(value.lower().startswith(c) for c in chosen) for value in values]
    return sorted(range(len(values)), key=lambda number: not inside[number])
