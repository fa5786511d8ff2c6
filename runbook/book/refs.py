"""References: ``${…}`` in a book's texts, with a JMESPath expression inside, as people know it from ``az --query``.

A text that is nothing but one reference takes the value's own type; otherwise values are written into the text.
``$${`` is a literal ``${``. What an expression reads is known without evaluating it, so a book can be checked before
it runs, and a value that is missing is an error that names it, never a silent null: only the two sides of ``||``, the
right side of ``&&``, the arguments of ``not_null`` and a comparison with a null literal may name what is not there.
Source: the JMESPath specification, jmespath.org/specification.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult

from runbook.book.errors import near, shown, sort_of
from runbook.core.error import BookError

MAX_EXPRESSION: Final = 2_000
"""Characters of one expression."""
_MAX_LEVELS: Final = 60
_FUNCTIONS: Final[Mapping[str, Any]] = Functions.FUNCTION_TABLE


@dataclass(frozen=True, slots=True)
class Path:
    """What an expression reads from its scope: names from the root, and whether they must exist.

    The whole scope, as ``@`` names it, is the path ``("@",)``.
    """

    names: tuple[str, ...]
    is_required: bool

    def __str__(self) -> str:
        return ".".join(n if n.isidentifier() or n == "@" else json.dumps(n) for n in self.names)


@dataclass(frozen=True, slots=True)
class Expression:
    """One ``${…}``."""

    text: str
    paths: tuple[Path, ...]
    compiled: ParsedResult = field(compare=False, repr=False)

    def value(self, scope: Mapping[str, Any]) -> Any:
        """What the expression gives in a scope.

        Raises:
            BookError: something it names is missing, or it cannot be computed.
        """
        for path in self.paths:
            if path.is_required and (gap := _gap(path.names, scope)):
                raise BookError(f"${{{shown(self.text)}}}: `{gap}` has no value")
        try:
            return self.compiled.search(scope)
        except JMESPathError as fault:
            raise BookError(f"${{{shown(self.text)}}}: {_first_line(fault)}") from fault
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as fault:
            # jmespath's own functions let these through, for example for a slice whose step is zero.
            raise BookError(f"${{{shown(self.text)}}} cannot be computed: {fault}") from fault


@dataclass(frozen=True, slots=True)
class Template:
    """A text taken apart."""

    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(p for p in self.parts if isinstance(p, Expression))

    @property
    def is_reference(self) -> bool:
        """Whether it is exactly one reference, so that the value keeps its type."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Expression)

    def fill(self, scope: Mapping[str, Any]) -> Any:
        """The value of the one reference, or the text with every reference filled in.

        Raises:
            BookError: see ``Expression.value``; or a value cannot stand in a text.
        """
        if self.is_reference:
            return self.expressions[0].value(scope)
        return self.write(scope)

    def write(self, scope: Mapping[str, Any]) -> str:
        """The text with every reference filled in, also where it is exactly one.

        Raises:
            BookError: as ``fill``.
        """
        return "".join(p if isinstance(p, str) else _written(p, p.value(scope)) for p in self.parts)


def _written(expression: Expression, value: Any) -> str:
    match value:
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
        case list() if value and all(isinstance(v, str | int | float) for v in value):
            return ", ".join(_written(expression, v) for v in value)
        case None:
            raise BookError(f"${{{shown(expression.text)}}} has no value")
        case _:
            found = sort_of(value) if value else f"empty ({json.dumps(value)})"
            raise BookError(f"${{{shown(expression.text)}}} is {found}, which cannot stand inside a text")


def _gap(names: tuple[str, ...], scope: Mapping[str, Any]) -> str:
    """The first part of a path that is missing, written out to there; empty when all of it exists."""
    value: Any = scope
    for length, name in enumerate(names, 1):
        if not isinstance(value, Mapping) or name not in value:
            return str(Path(names[:length], True))
        value = value[name]
    return ""


@lru_cache(maxsize=8192)
def template(text: str) -> Template:
    """Take a text apart.

    Raises:
        BookError: a reference is not closed, or its expression is not JMESPath.
    """
    parts: list[str | Expression] = []
    plain: list[str] = []
    at = 0
    while (found := text.find("${", at)) >= 0:
        if found > at and text[found - 1] == "$":
            plain += text[at : found - 1], "${"
            at = found + 2
            continue
        plain.append(text[at:found])
        end = _closing(text, found + 2)
        if literal := "".join(plain):
            parts.append(literal)
        plain = []
        parts.append(_expression(text[found + 2 : end].strip()))
        at = end + 1
    if literal := "".join([*plain, text[at:]]):
        parts.append(literal)
    return Template(tuple(parts))


def _closing(text: str, at: int) -> int:
    """Position of the brace that closes the reference whose expression begins at ``at``."""
    depth, quote, start = 0, "", at
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"`":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            if not depth:
                return at
            depth -= 1
        at += 1
    raise BookError(
        f"${{{shown(text[start:], 40)} is not closed by `}}`",
        hint="Write $${ for a literal ${." if not quote else f"The {quote} before it is not closed either.",
    )


def _expression(text: str) -> Expression:
    if not text:
        raise BookError("${} is empty; write $${ for a literal ${")
    if len(text) > MAX_EXPRESSION:
        raise BookError(f"an expression of more than {MAX_EXPRESSION} characters")
    try:
        compiled = jmespath.compile(text)
    except (JMESPathError, ValueError, TypeError, LookupError, AttributeError) as fault:
        hint = ' A name with a dash takes double quotes: nodes.x.outputs."a-b".' if "-" in text else ""
        raise BookError(f"${{{shown(text)}}} is not JMESPath: {_first_line(fault)}{hint}") from fault
    except RecursionError as fault:
        raise BookError(f"${{{shown(text)}}} is nested too deeply") from fault
    tree = cast("_Ast", compiled.parsed)
    _check_levels(tree, text)
    _check_functions(tree, text)
    return Expression(text, tuple(dict.fromkeys(_paths(tree, True))), compiled)


def _first_line(fault: Exception) -> str:
    line = (str(fault).splitlines() or [type(fault).__name__])[0]
    for noise in ("Invalid jmespath expression: ", "Bad jmespath expression: ", "Invalid JMESPath expression: "):
        line = line.removeprefix(noise)
    return shown(line.partition(", for expression")[0].rstrip(":"), 160)


_Ast = dict[str, Any]


def _check_levels(tree: _Ast, text: str) -> None:
    level = [tree]
    for _ in range(_MAX_LEVELS):
        level = [child for node in level for child in node["children"] if isinstance(child, dict)]
        if not level:
            return
    raise BookError(f"${{{shown(text)}}} is nested too deeply")


def _check_functions(node: _Ast, text: str) -> None:
    """Find now what jmespath would find only when it evaluates: unknown functions, wrong numbers of arguments."""
    if node["type"] == "function_expression":
        name = node["value"]
        if name not in _FUNCTIONS:
            raise BookError(f"${{{shown(text)}}}: there is no function `{shown(name)}`{near(name, _FUNCTIONS)}")
        signature, given = _FUNCTIONS[name]["signature"], len(node["children"])
        is_open = bool(signature) and bool(signature[-1].get("variadic"))
        if given < len(signature) or (given > len(signature) and not is_open):
            raise BookError(f"${{{shown(text)}}}: `{name}` takes {len(signature)} arguments, not {given}")
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(child, text)


_FIRST_ONLY: Final = frozenset(
    {"index_expression", "projection", "value_projection", "filter_projection", "flatten", "pipe"}
)


def _paths(node: _Ast, required: bool) -> Iterator[Path]:
    """What an expression reads from the root. What stands after a dot, a pipe or in a filter reads its left side."""
    kind, children = node["type"], node["children"]
    match kind:
        case "field":
            yield Path((node["value"],), required)
        case "subexpression" if children[0]["type"] == "field":
            yield Path(tuple(_lead(node)[0]), required)
        case "subexpression":
            yield from _paths(children[0], required)
        case "identity" | "current":
            yield Path(("@",), required)
        case "literal" | "index" | "slice" | "expref":
            return
        case "and_expression":
            yield from _paths(children[0], required)
            yield from _paths(children[1], False)
        case "comparator" if any(c["type"] == "literal" and c["value"] is None for c in children):
            for child in children:
                yield from _paths(child, False)
        case _ if kind in _FIRST_ONLY:
            yield from _paths(children[0], required)
        case _:
            optional = kind == "or_expression" or (kind == "function_expression" and node["value"] == "not_null")
            for child in children:
                yield from _paths(child, required and not optional)


def _lead(node: _Ast) -> tuple[list[str], bool]:
    """The names an expression begins with, and whether it is nothing but these names."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return [node["value"]], True
    if kind == "subexpression":
        names: list[str] = []
        for child in children:
            more, is_whole = _lead(child)
            names += more
            if not is_whole:
                return names, False
        return names, True
    return (_lead(children[0])[0], False) if kind in _FIRST_ONLY else ([], False)


# ---------------------------------------------------------------- values made of texts


def fill(value: Any, scope: Mapping[str, Any]) -> Any:
    """A JSON value with every reference in its texts filled in.

    Raises:
        BookError: see ``Template.fill``.
    """
    match value:
        case str():
            return template(value).fill(scope) if "${" in value else value
        case dict():
            return {k: fill(v, scope) for k, v in value.items()}
        case list():
            return [fill(v, scope) for v in value]
        case _:
            return value


def texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in a JSON value that holds ``${``, with its path."""
    match value:
        case str() if "${" in value:
            yield path, value
        case dict():
            for key, inside in value.items():
                yield from texts(inside, (*path, key))
        case list():
            for at, inside in enumerate(value):
                yield from texts(inside, (*path, at))


def paths(value: Any) -> list[Path]:
    """What the references in a JSON value read.

    Raises:
        BookError: a reference is not well formed.
    """
    return [p for _, text in texts(value) for e in template(text).expressions for p in e.paths]
