"""What a new run has to know, asked one by one: each with its help, its default, what it may be, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from runbook.cli import output
from runbook.cli.answers import Answers, Left
from runbook.core.error import RunbookError, UsageError

if TYPE_CHECKING:
    from runbook.book import Book, InputSpec

_TRIES: Final = 20
_MEMBERS: Final = 500


def ask_inputs(
    book: Book,
    given: Mapping[str, Any],
    answers: Answers,
    choices: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> dict[str, Any]:
    """Ask for what is missing; then, if wished, for what has a default.

    Args:
        book: whose inputs.
        given: what is known already.
        answers: where answers come from.
        choices: by the type of an input, what it may be: value and name.

    Returns:
        What was answered.

    Raises:
        UsageError: the input ended, or nothing that was typed would do.
    """
    open_ones = [spec for name, spec in book.inputs.items() if given.get(name) is None]
    needed = [spec for spec in open_ones if not spec.is_optional]
    others = [spec for spec in open_ones if spec.is_optional]
    known = choices or {}
    found: dict[str, Any] = {}
    try:
        if needed:
            output.data(f"{book.title} needs {len(needed)} answers.")
        for number, spec in enumerate(needed, 1):
            found[spec.name] = _ask(spec, f"{number} of {len(needed)}", answers, known.get(spec.type, ()))
        if needed and others:
            names = ", ".join(spec.name for spec in others)
            output.data(f"{len(others)} more have a default: {names}.")
            if answers.ask("Go through them? yes, no (empty: no)").lower() in ("y", "yes"):
                for number, spec in enumerate(others, 1):
                    found[spec.name] = _ask(spec, f"{number} of {len(others)}", answers, known.get(spec.type, ()))
    except Left as end:
        missing = ", ".join(spec.name for spec in needed if spec.name not in found)
        raise UsageError(
            f"The input ended before everything was known{f': {missing} is missing' if missing else ''}.",
            "Nothing was created. Start again, or give inputs by --set or --inputs.",
        ) from end
    return {name: value for name, value in found.items() if value is not None}


def _ask(spec: InputSpec, number: str, answers: Answers, choices: Sequence[tuple[str, str]]) -> Any:
    """One input; None to take the default."""
    from runbook.book import describe
    from runbook.book.kinds import example

    output.data("")
    output.data(f"{number}. {spec.name}: {spec.prompt or describe(spec)}")
    if spec.help:
        output.data(f"  {' '.join(spec.help.split())}")
    output.data(f"  It is {describe(spec)}, for example {example(spec)}")
    options = [(value, value) for value in spec.values] if spec.type == "enum" else list(choices)
    for place, (value, name) in enumerate(options, 1):
        output.data(f"  {place}. {name}{'' if name == value else f' ({value})'}")
    for _ in range(_TRIES):
        text = answers.ask(_prompt(spec, bool(options)))
        if not text and spec.is_optional:
            return None
        if options and text.isdecimal() and 0 < int(text) <= len(options):
            text = options[int(text) - 1][0]
        named = next((value for value, name in options if name.lower() == text.lower()), text)
        try:
            return _checked(spec, _gathered(spec, named, answers))
        except (ValueError, RunbookError) as error:
            output.data(f"Not that: {error}.".replace("..", "."))
    raise UsageError(f"{_TRIES} answers for {spec.name} would not do.", "`runbook books BOOK` tells what it may be.")


def _prompt(spec: InputSpec, has_options: bool) -> str:
    what = {"list": "The first of them", "map": "The first of them, as name=value"}.get(spec.type, "Your answer")
    what += ", or its number" if has_options else ""
    if not spec.is_optional:
        return f"{what}?"
    from runbook.cli.books import told_value

    return f"{what}? (empty: the default, {told_value(spec.default)})"


def _gathered(spec: InputSpec, text: str, answers: Answers) -> Any:
    """Lists and maps take a line for each member, or the whole of them in one line as YAML."""
    from runbook.book import parse_sets

    if text.startswith(("[", "{")):
        return parse_sets([f"{spec.name}={text}"])[spec.name]
    if spec.type not in ("list", "map"):
        return text
    members = [_member(spec, text)]
    while len(members) < _MEMBERS and (line := answers.ask("The next? (empty: that was the last)")):
        try:
            members.append(_member(spec, line))
        except ValueError as error:
            output.data(f"Not that: {error}. Those before it stand.")
    return dict(members) if spec.type == "map" else [value for _, value in members]


def _member(spec: InputSpec, text: str) -> tuple[str, Any]:
    """The name and value of one member of a map; of a list, its value alone.

    Raises:
        ValueError: it will not do.
    """
    assert spec.items is not None
    if spec.type == "list":
        return "", _checked(spec.items, text)
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"{text} is not of the form name=value")
    return name.strip(), _checked(spec.items, value.strip())


def _checked(spec: InputSpec, value: Any) -> Any:
    from runbook.book.kinds import accept

    return accept(spec, value)
