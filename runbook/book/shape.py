"""The form of a book's YAML: which keys there are and what may stand under each. Nothing here looks across keys.

pydantic finds the faults; their words are ours, because the operator reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from runbook.book.errors import near, shown, sort_of
from runbook.book.model import Book, InputKind, InputSpec, Need, Phase, StepSpec
from runbook.book.steps import known_steps

WORD = r"^[a-z][a-z0-9_]*$"
NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"

Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Word = Annotated[str, Field(pattern=WORD, max_length=64)]
Name = Annotated[str, Field(pattern=NAME)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)


class InputShape(Shape):
    type: InputKind = Field(description="What kind of value is asked for.")
    prompt: str = Field("", description="The question, as it is put to the operator.")
    help: str = Field("", description="What the operator should know to answer.")
    example: Any = Field(None, description="A value of this kind.")
    default: Any = Field(None, description="Makes the input optional; may refer to others: ${inputs.name}.")
    values: list[Text] | None = Field(None, description="What an enum may be.")
    of: str | None = Field(
        None,
        description="Resource type of a resource_id, such as Microsoft.Network/virtualNetworks; "
        "of a string: of what it is the name of.",
    )
    items: InputShape | None = Field(None, description="What a list holds, or each value of a map.")


class PhaseShape(Shape):
    id: Name
    title: Text


class NeedShape(Shape):
    step: Word
    all: bool = False


def _spelled_out(value: Any) -> Any:
    return {"step": value} if isinstance(value, str) else value


_NEED_SCHEMA = {
    "anyOf": [
        {"type": "string", "description": "A step; the node with the same key."},
        {
            "type": "object",
            "properties": {"step": {"type": "string"}, "all": {"type": "boolean", "default": False}},
            "required": ["step"],
            "additionalProperties": False,
        },
    ]
}
_REPEAT_SCHEMA = {
    "anyOf": [
        {"type": "string", "description": "A reference that gives a list."},
        {"type": "array"},
        {"type": "object", "description": "Names to lists: one node for each combination.", "minProperties": 1},
    ]
}


class GuideShape(Shape):
    why: str = ""
    what: str = ""
    risk: str = ""


class StepShape(Shape):
    id: Word
    title: Text
    phase: Name
    uses: Text = Field(description="domain.noun: the code behind the step.")
    with_: dict[str, Any] = Field(default_factory=dict, alias="with", description="Parameters of the step.")
    needs: list[Annotated[NeedShape, BeforeValidator(_spelled_out), WithJsonSchema(_NEED_SCHEMA)]] = Field(
        default_factory=list, description="Steps that must be finished first."
    )
    for_each: Annotated[Any, WithJsonSchema(_REPEAT_SCHEMA)] = Field(None, description="One node for each member.")
    key: str = Field("", description="What each node is called, such as ${item.name}.")
    target: str = Field("", description="What the node is about: a resource id or a name.")
    when: Annotated[Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "boolean"}]})] = Field(
        True, description="A reference that gives true or false; false skips the node."
    )
    otherwise: str = Field("", description="Why a node that `when` skips is not needed, in words.")
    gate: Literal["", "operator", "team", "microsoft"] = Field("", description="Who must say go.")
    grows: bool = Field(
        False, description="It only looks, and is looked at again after it is done: more members become more nodes."
    )
    unasked: bool | list[Word] = Field(
        False,
        description="Its safe changes need no go of their own: whoever gave the go before knew of them. "
        "The steps where that is given, which then tell it.",
    )
    guide: GuideShape = Field(default_factory=GuideShape, description="What the operator reads.")
    source: str = Field("", description="The public document this follows, with its date.")


class BookShape(Shape):
    id: Name
    version: int = Field(ge=1)
    title: Text
    summary: str = ""
    duration: str = Field("", description="How long to expect it to take, in words.")
    inputs: dict[Word, InputShape] = Field(default_factory=dict)
    phases: list[PhaseShape] = Field(min_length=1)
    steps: list[StepShape] = Field(min_length=1)


def shaped(doc: Mapping[str, Any]) -> Book:
    """The book that a JSON document of the right form describes.

    Raises:
        ValidationError: the form is wrong; ``complaints`` puts it into words.
    """
    shape = BookShape.model_validate(doc)
    return Book(
        id=shape.id,
        version=shape.version,
        title=shape.title,
        summary=shape.summary,
        duration=shape.duration,
        inputs={name: _input(name, it) for name, it in shape.inputs.items()},
        phases=tuple(Phase(p.id, p.title) for p in shape.phases),
        steps=tuple(_step(s) for s in shape.steps),
        doc=dict(doc),
    )


def _input(name: str, shape: InputShape) -> InputSpec:
    return InputSpec(
        name=name,
        type=shape.type,
        prompt=shape.prompt,
        help=shape.help,
        example=shape.example,
        is_optional="default" in shape.model_fields_set,
        default=shape.default,
        values=tuple(shape.values or ()),
        of=shape.of or "",
        items=None if shape.items is None else _input(name, shape.items),
    )


def _step(shape: StepShape) -> StepSpec:
    return StepSpec(
        id=shape.id,
        title=shape.title,
        phase=shape.phase,
        uses=shape.uses,
        with_=shape.with_,
        needs=tuple(Need(n.step, n.all) for n in shape.needs),
        for_each=shape.for_each,
        key=shape.key,
        target=shape.target,
        when=shape.when,
        otherwise=shape.otherwise,
        gate=shape.gate,
        grows=shape.grows,
        unasked=tuple(shape.unasked) if isinstance(shape.unasked, list) else shape.unasked,
        guide=shape.guide.model_dump(exclude_unset=True),
        source=shape.source,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of a book's YAML, for editors. It knows the names of the steps, not their parameters."""
    doc = BookShape.model_json_schema(by_alias=True)
    doc["$defs"]["StepShape"]["properties"]["uses"]["enum"] = list(known_steps())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **doc, "title": "Runbook book"}


# ---------------------------------------------------------------- in words

Complaint = tuple[str, tuple[str | int, ...], bool]
"""A message, the path it is about, and whether its key is meant rather than its value."""


def complaints(error: ValidationError, doc: Any) -> list[Complaint]:
    """The faults that pydantic found, in the words of the operator."""
    return [_complaint(e, doc) for e in error.errors(include_url=False)]


def _complaint(error: ErrorDetails, doc: Any) -> Complaint:
    path = tuple(error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _keys_beside(path)
        return f"{_place(path[:-1], doc)}unknown key `{shown(path[-1])}`{near(str(path[-1]), known)}", path, True
    if kind == "missing":
        return f"{_place(path[:-1], doc)}`{path[-1]}` is missing", path[:-1], False
    on_key = path[-1:] == ("[key]",)
    if on_key:
        path = path[:-1]
        return f"{_place(path[:-1], doc)}`{shown(path[-1])}`: {_words(error)}", path, True
    name = f"`{shown(path[-1])}`: " if path and isinstance(path[-1], str) else ""
    return f"{_place(path[:-1] if name else path, doc)}{name}{_words(error)}", path, False


def _words(error: ErrorDetails) -> str:
    found = sort_of(error.get("input"))
    context = error.get("ctx", {})
    match error["type"]:
        case "string_type":
            return f"expected text, found {found}" + (
                "" if found.startswith(("a ", "nothing")) else "; write it in quotes"
            )
        case "int_type" | "int_from_float":
            return f"expected a whole number, found {found}"
        case "bool_type":
            return f"expected true or false, found {found}"
        case "list_type":
            return f"expected a list, found {found}"
        case "dict_type" | "model_type" | "model_attributes_type" | "dataclass_type":
            return f"expected a mapping, found {found}"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"longer than {context.get('max_length')} characters"
        case "too_short":
            return f"needs at least {context.get('min_length')}"
        case "greater_than_equal":
            return f"must be at least {context.get('ge')}, found {found}"
        case "string_pattern_mismatch":
            allowed = (
                "lower-case letters, digits and `_`, beginning with a letter"
                if context.get("pattern") == WORD
                else "lower-case letters, digits, `.`, `_` and `-`, at most 64"
            )
            return f"{shown(error.get('input'))!r} is not a name: {allowed}"
        case "literal_error":
            words = _choices(str(context.get("expected", "")))
            value = error.get("input")
            meant = near(value, words) if isinstance(value, str) else ""
            return f"expected {_or(words)}, found {found}{meant}"
        case _:
            return f"{error['msg'][:1].lower()}{error['msg'][1:]}"


def _choices(expected: str) -> list[str]:
    """The words of pydantic's ``'a', 'b' or 'c'``."""
    return [w for w in expected.split("'")[1::2] if w]


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else "something else"


_SHAPES: dict[str, type[Shape]] = {"steps": StepShape, "phases": PhaseShape, "guide": GuideShape, "items": InputShape}


def _keys_beside(path: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand where the last part of the path does."""
    shape: type[Shape] = BookShape
    above = [p for p in path[:-1] if isinstance(p, str)]
    if above and above[0] == "inputs":
        shape = InputShape
    elif above:
        shape = NeedShape if above[-1] == "needs" else _SHAPES.get(above[-1], BookShape)
    return [f.alias or name for name, f in shape.model_fields.items()]


def _place(path: tuple[str | int, ...], doc: Any) -> str:
    """``step `scope`: `` or whatever else tells a reader which part of the book is meant."""
    match path:
        case ("steps" | "phases" as group, int(at), *_):
            try:
                name = doc[group][at]["id"]
            except (LookupError, TypeError):
                name = None
            what = group[:-1]
            return f"{what} `{shown(name)}`: " if isinstance(name, str) else f"{what} number {at + 1}: "
        case ("inputs", str(name), *_):
            return f"input `{shown(name)}`: "
        case _:
            return ""
