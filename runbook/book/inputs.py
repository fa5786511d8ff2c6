"""What the operator answers a book's questions with: read, checked all at once, and completed by the defaults."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runbook.book.errors import near, raise_all, shown, sort_of
from runbook.book.kinds import accept, describe, example
from runbook.book.model import Book, InputSpec
from runbook.book.reader import Source, parse, read_text
from runbook.book.refs import fill, paths
from runbook.core.error import BookError, UsageError


class InputFile(dict[str, Any]):
    """The values of an inputs file, and where in it each stands."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.root.plain())
        self.source = source


def load_inputs(path: str | Path) -> InputFile:
    """Read an inputs file: a YAML or JSON mapping of input names to values. ``.source`` gives their places.

    Raises:
        BookError: it cannot be read, is not such a mapping, or names an input twice.
    """
    path = Path(path)
    text = read_text(path)
    if path.suffix.lower() == ".json":
        _must_be_json(text, str(path))
    source = parse(text, str(path))
    if source.root.value is None:
        source.root.value = {}
    if not isinstance(source.root.value, dict):
        raise source.fault(f"expected a mapping of inputs to values, found {sort_of(source.root.plain())}")
    raise_all(source.faults)
    return InputFile(source)


def _must_be_json(text: str, file: str) -> None:
    """JSON is read as YAML, of which it is nearly a part; but what is wrong with it is told as JSON would."""
    try:
        json.loads(text)
    except json.JSONDecodeError as fault:
        raise BookError(f"not JSON: {fault.msg}", file=file, line=fault.lineno, column=fault.colno) from fault
    except (ValueError, RecursionError):
        return  # too long a number or too deep: the bounds of the reader say it better


def parse_sets(assignments: Iterable[str]) -> dict[str, Any]:
    """Values from ``name=value`` arguments. A name given several times makes a list.

    A value that begins with ``[``, ``{`` or a quote is read as YAML; any other is text as it stands, which
    ``check_inputs`` turns into what the input asks for.

    Raises:
        UsageError: an argument has no ``=``, or its value is not YAML.
    """
    found: dict[str, list[Any]] = {}
    for argument in assignments:
        name, equals, text = argument.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"--set {shown(argument)!r} is not of the form name=value")
        found.setdefault(name, []).append(_value(name, text.strip()))
    return {name: values[0] if len(values) == 1 else _joined(values) for name, values in found.items()}


def _value(name: str, text: str) -> Any:
    if not text.startswith(("[", "{", '"', "'")):
        return text
    try:
        source = parse(text, f"--set {name}")
    except BookError as fault:
        raise UsageError(f"--set {shown(name)}: {fault.message} at column {fault.column} of the value") from fault
    if source.faults:
        raise UsageError(f"--set {shown(name)}: {source.faults[0].message}")
    return source.root.plain()


def _joined(values: list[Any]) -> list[Any]:
    return [member for value in values for member in (value if isinstance(value, list) else [value])]


def check_inputs(book: Book, values: Mapping[str, Any], *, source: Source | None = None) -> dict[str, Any]:
    """Every input of the book with a checked value, given or by default, in the book's order.

    A value that is null counts as not given. ``source`` is the file most of the values come from: a fault in a value
    that stands there is told with its place.

    Raises:
        BookError: an input is unknown, missing or wrong; all such faults together.
    """
    faults = [
        _fault(source, values, name, f"there is no input `{shown(name)}`{near(str(name), book.inputs)}", on_key=True)
        for name in values
        if name not in book.inputs
    ]
    found: dict[str, Any] = {}
    wrong: set[str] = set()
    for name, spec in book.inputs.items():
        given = values.get(name)
        if given is not None:
            try:
                found[name] = accept(spec, given)
            except ValueError as fault:
                faults.append(_fault(source, values, name, f"input `{name}`: {fault}"))
                wrong.add(name)
        elif not spec.is_optional:
            ask = f" {spec.prompt}" if spec.prompt else ""
            faults.append(BookError(f"input `{name}` is missing: {describe(spec)}, for example {example(spec)}.{ask}"))
            wrong.add(name)
    pending = [s for n, s in book.inputs.items() if n not in found and n not in wrong]
    faults += _complete(found, pending)
    raise_all(faults)
    return {name: found[name] for name in book.inputs}


def _complete(found: dict[str, Any], pending: list[InputSpec]) -> list[BookError]:
    """Add the defaults, each after those it refers to. One that refers to a faulty input is left out, as it is told."""
    faults: list[BookError] = []
    while pending:
        rest = []
        for spec in pending:
            if all(p.names[1] in found for p in paths(spec.default)):
                try:
                    value = fill(spec.default, {"inputs": found})
                    found[spec.name] = value if value in (None, "", [], {}) else accept(spec, value)
                except (ValueError, BookError) as fault:
                    faults.append(BookError(f"input `{spec.name}`: its default: {fault}"))
            else:
                rest.append(spec)
        if len(rest) == len(pending):
            break
        pending = rest
    return faults


def _fault(
    source: Source | None, values: Mapping[str, Any], name: str, message: str, *, on_key: bool = False
) -> BookError:
    node = source.find((name,)) if source is not None else None
    # The same name may have been given again elsewhere, which beats the file.
    if source is None or node is None or node.plain() != values[name]:
        return BookError(message)
    return source.fault(message, (name,), on_key=on_key)
