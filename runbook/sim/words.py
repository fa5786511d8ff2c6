"""Words in scenario documents: ``{{word}}`` of the ``let`` block, and of generators that stand for many resources.

A ``let`` word is a text and is put in when the document is read. A generator's word (``as: n``) stays as it is written
until the resources are made, so that a document of a few lines can stand for thousands::

    - times: 20                          # n is 1, 2, … 20; with `from: 5`, 5, 6, … 24
      as: n
      resources:
        - {id: "{{pools}}/hp-{{n:03}}", location: westeurope}
        - each: [{name: blue, size: 4}, {name: red, size: 8}]     # or texts and numbers
          as: kind
          resources:
            - {id: "{{machines}}/vm-{{n:03}}-{{kind.name}}", tags: {batch: "{{(n - 1) // 5 + 1:02}}"}}

Between the braces stands one word, or whole numbers and words with ``+ - * // %`` and brackets; after a colon, how it
is written out (``03`` pads with zeros to three digits). A text that is nothing but ``{{n}}`` becomes the number; with
a format it is a text. Pure: documents in, documents out.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from runbook.core.error import BookError

Json = dict[str, Any]
Value = str | int | Mapping[str, str | int]

_WORD: Final = re.compile(r"\{\{([^{}]*)\}\}")
_FORMAT: Final = re.compile(r"0?[0-9]{0,2}[dx]?")
_OPERATORS: Final[dict[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


# ---------------------------------------------------------------- let


def fill(doc: Json) -> Json:
    """A document without its ``let`` block, every ``{{word}}`` of it replaced; generators keep theirs.

    Raises:
        BookError: a word is neither in ``let`` nor a generator's, ``let`` is no mapping of words to texts, or a
            generator's word is taken already.
    """
    words: dict[str, str] = {}
    given = doc.get("let") or {}
    if not isinstance(given, dict):
        raise BookError("scenario: let: must be a mapping")
    for word, value in given.items():
        words[str(word)] = _put(str(value), words, frozenset())
    return {str(k): _filled(v, words, frozenset()) for k, v in doc.items() if k != "let"}


def _filled(value: Any, words: Mapping[str, str], bound: frozenset[str]) -> Any:
    if isinstance(value, str):
        return _put(value, words, bound)
    if isinstance(value, Mapping):
        own = str(value["as"]) if is_generator(value) and "as" in value else ""
        if own in words or own in bound:
            raise BookError(f"scenario: as: {own!r} is the name of another word already")
        inner = bound | {own} if own else bound
        return {
            _put(str(k), words, inner): _filled(v, words, inner if str(k) == "resources" else bound)
            for k, v in value.items()
        }
    return [_filled(v, words, bound) for v in value] if isinstance(value, list) else value


def _put(text: str, words: Mapping[str, str], bound: frozenset[str]) -> str:
    def one(match: re.Match[str]) -> str:
        inside = match[1].strip()
        if inside in words:
            return words[inside]
        if bound and _names(inside) <= bound:
            return match[0]
        raise BookError(f"scenario: {{{{{inside}}}}} is not in `let`{', nor a generator has it' if bound else ''}")

    return _WORD.sub(one, text)


def _names(inside: str) -> frozenset[str]:
    """The words that an expression is made of; one that cannot be read counts as a word of its own."""
    try:
        tree = ast.parse(inside.partition(":")[0].strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return frozenset({inside})
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


# ---------------------------------------------------------------- generators


def is_generator(entry: Any) -> bool:
    """Whether an entry of ``resources`` stands for many: it has ``resources`` of its own."""
    return isinstance(entry, Mapping) and "resources" in entry and "id" not in entry


def written(value: Any, words: Mapping[str, Value]) -> Any:
    """A part of a document with generators' words put in.

    Raises:
        ValueError: an expression is wrong; the message says which and why.
    """
    if isinstance(value, str):
        whole = _WORD.fullmatch(value)
        if whole is not None:
            return _result(whole[1], words)
        return _WORD.sub(lambda match: str(_result(match[1], words)), value)
    if isinstance(value, dict):
        return {str(written(k, words)): written(v, words) for k, v in value.items()}
    return [written(v, words) for v in value] if isinstance(value, list) else value


def _result(inside: str, words: Mapping[str, Value]) -> str | int:
    expression, colon, spec = (part.strip() for part in inside.partition(":"))
    try:
        if not _FORMAT.fullmatch(spec):
            raise ValueError(f"{spec!r} is not a way to write a number; 03 is one")
        found = _value(ast.parse(expression, mode="eval").body, words)
        return format(found, spec) if colon else found
    except (SyntaxError, ValueError, ZeroDivisionError, MemoryError, RecursionError) as error:
        why = error.msg if isinstance(error, SyntaxError) else error
        raise ValueError(f"{{{{{inside}}}}}: {why}") from error


def _value(node: ast.expr, words: Mapping[str, Value]) -> str | int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left, words), _value(node.right, words)
        if isinstance(left, str) or isinstance(right, str):
            raise ValueError("a text cannot be reckoned with")
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        item = words.get(node.value.id)
        if isinstance(item, Mapping) and node.attr in item:
            return item[node.attr]
        raise ValueError(f"there is no {node.value.id}.{node.attr}")
    if isinstance(node, ast.Name):
        item = words.get(node.id)
        if item is None:
            raise ValueError(f"there is no {node.id}")
        if isinstance(item, Mapping):
            raise ValueError(f"say which part of {node.id}: {', '.join(f'{node.id}.{key}' for key in item)}")
        return item
    raise ValueError("only words, whole numbers, + - * // % and brackets are understood")
