"""What the operator answers a book's questions with: read, checked all at once, and completed by the defaults."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runbook.book.errors import near, raise_all, shown, sort_of
from runbook.book.kinds import accept, describe, example
from runbook.book.model import Book, InputSpec
from runbook.book.reader import Source, parse, plain_scalar, read_text
from runbook.book.refs import fill, paths
from runbook.core.error import BookError, Unwritable, UsageError


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


@dataclass(frozen=True, slots=True)
class Judged:
    """What answers to a book's questions come to, each by itself.

    Attributes:
        values: of every input that is right, given or by default, in the book's order.
        reasons: why an input is not right, in words that do not name it; also of names that the book does not know.
        faults: the same as errors, with places where a file was given; names that are unknown come first.
    """

    values: Mapping[str, Any]
    reasons: Mapping[str, str]
    faults: tuple[BookError, ...]


def check_inputs(book: Book, values: Mapping[str, Any], *, source: Source | None = None) -> dict[str, Any]:
    """Every input of the book with a checked value, given or by default, in the book's order.

    A value that is null counts as not given. ``source`` is the file most of the values come from: a fault in a value
    that stands there is told with its place.

    Raises:
        BookError: an input is unknown, missing or wrong; all such faults together.
    """
    judged = judge_inputs(book, values, source=source)
    raise_all(judged.faults)
    return dict(judged.values)


def judge_inputs(book: Book, values: Mapping[str, Any], *, source: Source | None = None) -> Judged:
    """As ``check_inputs``, but what is wrong stands beside what is right instead of being raised."""
    reasons: dict[str, str] = {}
    faults: list[BookError] = []
    for name in values:
        if name not in book.inputs:
            reasons[name] = f"there is no input `{shown(name)}`{near(str(name), book.inputs)}"
            faults.append(_fault(source, values, name, reasons[name], on_key=True))
    found: dict[str, Any] = {}
    for name, spec in book.inputs.items():
        given = values.get(name)
        if given is not None:
            try:
                found[name] = accept(spec, given)
            except ValueError as fault:
                reasons[name] = str(fault)
                faults.append(_fault(source, values, name, f"input `{name}`: {fault}"))
        elif not spec.is_optional:
            ask = f" {spec.prompt}" if spec.prompt else ""
            reasons[name] = f"missing: {describe(spec)}, for example {example(spec)}"
            faults.append(BookError(f"input `{name}` is {reasons[name]}.{ask}"))
    pending = [s for n, s in book.inputs.items() if n not in found and n not in reasons]
    for name, reason in _complete(found, pending).items():
        reasons[name] = reason
        faults.append(BookError(f"input `{name}`: {reason}"))
    return Judged({name: found[name] for name in book.inputs if name in found}, reasons, tuple(faults))


def dump_inputs(book: Book, values: Mapping[str, Any]) -> str:
    """An inputs file: what ``load_inputs`` reads as these values, in the book's order, others behind."""
    order = {name: place for place, name in enumerate(book.inputs)}
    kept = dict(sorted(values.items(), key=lambda pair: order.get(pair[0], len(order))))
    head = f"# Inputs of the book {book.id}, version {book.version}.\n"
    if not kept:
        return f"{head}{{}}\n"
    return head + yaml.dump(kept, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)


def save_inputs(path: Path, text: str, *, replaces: bool) -> None:
    """Write an inputs file whole or not at all.

    Args:
        path: where.
        text: what ``dump_inputs`` gives.
        replaces: whether a file that is there may go.

    Raises:
        FileExistsError: there is one, and it may not.
        Unwritable: it cannot be written.
    """
    building = None
    try:
        if not replaces:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            return
        handle, building = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(building, path)
    except FileExistsError:
        raise
    except (OSError, ValueError) as error:
        if building is not None:
            Path(building).unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unwritable(f"{shown(path, 200)} cannot be written: {reason}.", "Choose another place.") from error


class _Dumper(yaml.SafeDumper):
    """Quotes every text that our reader, which follows YAML 1.2, would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(plain_scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _complete(found: dict[str, Any], pending: list[InputSpec]) -> dict[str, str]:
    """Add the defaults, each after those it refers to, and say which of them cannot be.

    One that refers to a faulty input is left out, as that input is told.
    """
    faults: dict[str, str] = {}
    while pending:
        rest = []
        for spec in pending:
            if all(p.names[1] in found for p in paths(spec.default)):
                try:
                    value = fill(spec.default, {"inputs": found})
                    found[spec.name] = value if value in (None, "", [], {}) else accept(spec, value)
                except (ValueError, BookError) as fault:
                    faults[spec.name] = f"its default: {fault}"
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
