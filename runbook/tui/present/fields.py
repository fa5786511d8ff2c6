"""The fields of a form: what each asks, and the way between what is typed and the value that it stands for.

Pure. ``read`` and ``write`` lead from text to value and back. A list is written with commas, a mapping as
``name: value``, either with brackets where a value needs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from runbook.book import InputSpec, describe
from runbook.book.kinds import example
from runbook.book.reader import parse
from runbook.core.error import BookError


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


def is_nothing(spec: InputSpec, value: Any) -> bool:
    """Whether nothing typed means the same."""
    return value in ("", [], {}) and value == spec.default


def _flow(value: Any) -> str:
    return f"[{', '.join(map(_flow, value))}]" if isinstance(value, list) else str(value)
