"""A form made of a book's inputs: what each field asks, what was typed there, and whether it does.

Pure: what is typed is text, what a run is made of are values, and ``read`` and ``write`` lead from one to the other and
back. A list is written with commas, a mapping as ``name: value``, either with brackets where a value needs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from rich.cells import cell_len

from runbook.book import Book, InputSpec, Judged, describe, judge_inputs
from runbook.book.kinds import example
from runbook.book.reader import parse
from runbook.core.error import BookError
from runbook.core.view import RunView
from runbook.tui.keys import SCREENS, shown_as
from runbook.tui.present.text import BLANK, Line, heading, labelled, line, lines, one_line, short, short_middle

LIVE: Final = "azure"
"""The place of the lists that stands for the operator's own Azure; any other is a scenario."""

PLACE: Final = "_place"
"""The name of the field for the place; no input of a book can be called so."""

FieldState = Literal["missing", "wrong", "given", "default"]

_SIGNS: Final[dict[FieldState, tuple[str, str, str]]] = {
    "missing": ("○", "required", "wait"),
    "wrong": ("✗", "wrong", "bad"),
    "given": ("✓", "given", "ok"),
    "default": ("·", "default", "muted"),
}
"""Glyph, word and role of each state."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a form asks for.

    Attributes:
        kind: what is expected, as it stands in a sentence.
        of: what there are lists of: ``subscription``, ``location`` or a resource type; empty for none.
        values: everything it may be, where that is known beforehand.
        is_many: a list, so that several may be chosen.
        is_map: a mapping; a choice goes where the cursor stands.
    """

    name: str
    prompt: str
    kind: str
    help: str = ""
    example: str = ""
    is_required: bool = False
    of: str = ""
    values: tuple[str, ...] = ()
    is_many: bool = False
    is_map: bool = False

    @property
    def has_choices(self) -> bool:
        """Whether a list can be opened."""
        return bool(self.of or self.values)


def field_of(spec: InputSpec) -> Field:
    """What a form asks for an input."""
    leaf = spec
    while leaf.items is not None:
        leaf = leaf.items
    return Field(
        spec.name,
        spec.prompt or spec.name,
        describe(spec),
        spec.help,
        _example(spec),
        is_required=not spec.is_optional,
        of=leaf.of if leaf.type == "resource_id" else leaf.type if leaf.type in ("subscription", "location") else "",
        values=("true", "false") if leaf.type == "boolean" else leaf.values,
        is_many=spec.type == "list",
        is_map=spec.type == "map",
    )


def _example(spec: InputSpec) -> str:
    """As one would type it."""
    if spec.example is not None:
        return write(spec, spec.example)
    return example(spec.items if spec.type == "list" and spec.items is not None else spec)


# ---------------------------------------------------------------- text and value

_SIMPLE: Final = re.compile(r"[A-Za-z/][\w./()-]*")
"""A text that YAML reads as itself, also between brackets, unless it is one of its few words."""
_WORDS: Final = frozenset({"true", "false", "null"})


def read(spec: InputSpec, text: str) -> Any:
    """The value that a text stands for; None where nothing was typed.

    Raises:
        ValueError: the brackets or quotes in it cannot be read.
    """
    text = text.strip()
    if not text:
        return None
    if spec.type == "map":
        return _yaml(text if text.startswith("{") else f"{{{text}}}", text)
    if spec.type == "list":
        return _yaml(text, text) if text.startswith(("[", "{")) else [m for m in map(str.strip, text.split(",")) if m]
    return text


def _yaml(text: str, typed: str) -> Any:
    try:
        source = parse(text, "")
    except BookError as fault:
        raise ValueError(f"cannot be read at character {max(1, fault.column)}: {fault.message}") from fault
    if source.faults:
        raise ValueError(source.faults[0].message)
    return source.root.plain()


def write(spec: InputSpec, value: Any) -> str:
    """The text that stands for a value: ``read`` gives it back."""
    match value:
        case None:
            return ""
        case list() if spec.type == "list" and value and all(_is_bare(m) for m in value):
            return ", ".join(value)
        case dict() if spec.type == "map" and value and all(map(_is_simple, (*value, *_leaves(value.values())))):
            return ", ".join(f"{name}: {_flow(member)}" for name, member in value.items())
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)


def _is_bare(member: Any) -> bool:
    return isinstance(member, str) and member == member.strip() and bool(member) and not set(member) & set(",[{\n")


def _is_simple(member: Any) -> bool:
    return isinstance(member, str) and bool(_SIMPLE.fullmatch(member)) and member.lower() not in _WORDS


def _leaves(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        yield from _leaves(value) if isinstance(value, list) else (value,)


def _is_nothing(spec: InputSpec, value: Any) -> bool:
    """Whether nothing typed means the same."""
    return value in ("", [], {}) and value == spec.default


def _flow(value: Any) -> str:
    return f"[{', '.join(map(_flow, value))}]" if isinstance(value, list) else str(value)


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
        known = {n: v for n, v in values.items() if n in specs and v is not None and not _is_nothing(specs[n], v)}
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


@dataclass(frozen=True, slots=True)
class Prefill:
    """What a form begins with.

    Attributes:
        source: where that is from, in words.
        place: a scenario, or ``LIVE``.
        edition: empty for the scenario's.
    """

    inputs: Mapping[str, Any]
    source: str
    place: str
    edition: str = ""


def prefill_of(view: RunView) -> Prefill:
    """The inputs of a run that exists, for another run with other ones."""
    place = view.scenario if view.mode == "rehearsal" else LIVE
    return Prefill(dict(view.inputs), f"run {view.id}", place, view.edition)


# ---------------------------------------------------------------- what is shown


def label_row(asked: Field, state: FieldState, source: str, width: int) -> Line:
    """``* Which subscription …?   ✓ given``: the sign at the right edge, in a word."""
    glyph, word, role = _SIGNS[state]
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


def hint(form: Form, name: str, asked: Field) -> str:
    """What stands in an empty field."""
    if asked.is_required:
        return f"for example {one_line(asked.example)}"
    return f"default: {default_text(form, name)}"


def default_text(form: Form, name: str) -> str:
    """What an input is when nothing is typed; as the book writes it while that depends on what is not right yet."""
    bare = form if name not in form.given else form.typed(name, "")
    value = bare.judged.values.get(name, form.book.inputs[name].default)
    if value in (None, "", [], {}):
        return "none"
    members = value if isinstance(value, list) else [value]
    return ", ".join("true" if m is True else "false" if m is False else called(m, {}) for m in members)


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


# ---------------------------------------------------------------- where lists come from


def place_field(scenarios: Sequence[str]) -> Field:
    """The first field of every form: which cloud the lists, and a scenario's answers, come from."""
    return Field(PLACE, "Where do lists come from?", "a scenario, or azure", values=(*scenarios, LIVE))


def place_label(place: str, is_wrong: bool, width: int) -> Line:
    """Its line above the box."""
    glyph, word, role = _SIGNS["wrong" if is_wrong else "given"]
    told = f"{glyph} {word if is_wrong else 'your own Azure' if place == LIVE else 'simulated'}"
    prompt = short("Where do lists come from?", max(8, width - cell_len(told) - 3))
    gap = " " * max(1, width - 2 - cell_len(prompt) - cell_len(told))
    return line("  ", (prompt, "heading"), gap, (told, role))


def place_help(place: str, problem: str) -> list[Line]:
    """What is this? For the place."""
    rows = [line(("Where do lists come from?", "heading"))]
    if problem:
        rows += labelled("Wrong", one_line(problem), "bad")
    rows += lines(
        "A scenario: a simulated Azure to rehearse on; it also fills in every field you have not touched. "
        "azure: the one you are signed in to, which is only read."
    )
    rows += lines("Whether to rehearse, to plan or to go live is asked last, on the summary.", "muted")
    if place == LIVE:
        rows += lines("Signed in as the Azure CLI is (az login), or as the environment says.", "muted")
    return [*rows, *lines("Enter opens the list; a scenario's file may be typed.", "muted")]


def form_rows(screen: str, keymap: Mapping[str, str]) -> list[Line]:
    """The help of the form: its keys and its signs."""
    rows = [heading("Keys")]
    for key in SCREENS[screen]:
        if key.shown:
            shown = shown_as(screen, key, keymap)
            rows.append(line(" " * max(0, 6 - len(shown)), (shown, "key"), f"  {key.tooltip}"))
    rows.append(line("   Tab", ("", "key"), "  The next field; Shift+Tab the one before."))
    rows += [BLANK, heading("Signs")]
    told = {
        "missing": "has to be filled in",
        "wrong": "the line below the field says why",
        "given": "typed, chosen from a list, or filled in from where it says",
        "default": "optional; what stands in the empty field holds",
    }
    for state, (glyph, word, role) in _SIGNS.items():
        rows.append(line((f" {glyph} {word:<9} ", role), (told[state], "muted")))
    return [*rows, line((" *           ", "go"), ("required", "muted"))]


# ---------------------------------------------------------------- how it is made

MODES: Final = ("rehearsal", "plan", "live")
EDITIONS: Final = ("preview", "ga", "auto")
SPEEDS: Final = ("60", "1", "600", "max")


def speed_problem(text: str) -> str:
    """Why a speed does not do; empty when it does."""
    text = text.strip().lower()
    try:
        is_right = text in ("", "max") or 0 < float(text) < float("inf")
    except ValueError:
        is_right = False
    return "" if is_right else "neither max nor a number above 0"


def how_fields(scenarios: Sequence[str]) -> list[Field]:
    """What the summary asks: mode, place, edition and speed."""
    return [
        Field("mode", "Mode", "one of rehearsal, plan, live", values=MODES, is_required=True),
        Field("scenario", "Scenario", "a scenario, or its file", values=tuple(scenarios), is_required=True),
        Field("edition", "Edition", "one of preview, ga, auto", values=EDITIONS),
        Field("speed", "Speed", "simulated seconds per second, or max", values=SPEEDS),
    ]


MODE_WORDS: Final = {
    "rehearsal": "makes a run on a simulated Azure; nothing real is touched",
    "plan": "only looks, and makes no run",
    "live": "makes a run on your own Azure; asks for the names of its subscriptions first",
}
"""What each mode does, for the line beside it."""


def how_problem(name: str, text: str) -> str:
    """Why one of these answers does not do; empty when it does."""
    text = text.strip()
    match name:
        case "mode":
            return "" if text in MODES else f"one of {', '.join(MODES)}"
        case "edition":
            return "" if text in ("", *EDITIONS) else f"one of {', '.join(EDITIONS)}"
        case "speed":
            return speed_problem(text)
        case _:
            return "" if text else "a scenario is needed"
