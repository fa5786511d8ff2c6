"""``runbook books``: the books that come with the program, and what one of them asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from runbook.cli import output
from runbook.cli.completing import complete_book
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option

if TYPE_CHECKING:
    from runbook.book import InputSpec


@click.command()
@click.argument("book", default="", shell_complete=complete_book)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="A list of objects: id, version, title, summary, duration; of a BOOK: name, …",
)
@home_option
@click.pass_obj
def command(settings: Settings, book: str, as_json: bool) -> Exit:
    """List the books; or the inputs of BOOK, a name or a YAML file, as --set and --inputs take them."""
    return _inputs(book, as_json) if book else _books(as_json)


def _books(as_json: bool) -> Exit:
    from runbook.book import list_books

    found = list_books()
    for book in found:
        if book.fault:
            output.talk(book.fault)
    sound = [book for book in found if not book.fault]
    if as_json:
        names = ("id", "version", "title", "summary", "duration")
        output.json_data([{name: getattr(book, name) for name in names} for book in sound])
        return Exit.DONE
    for book in sound:
        output.data(f"{book.id} {book.version}: {book.title}")
        output.data(f"  {book.summary}")
        output.data(f"  Takes: {book.duration}")
    return Exit.DONE


def _inputs(name: str, as_json: bool) -> Exit:
    from runbook.book import describe, load_book

    book = load_book(name)
    if as_json:
        output.json_data([{**_doc(spec), "kind": describe(spec)} for spec in book.inputs.values()])
        return Exit.DONE
    for spec in book.inputs.values():
        for line in _lines(spec, describe(spec)):
            output.data(line)
    output.talk("A rehearsal takes these from its scenario; --set NAME=VALUE beats it.")
    return Exit.DONE


def _doc(spec: InputSpec) -> dict[str, Any]:
    names = ("name", "type", "prompt", "help", "example", "is_optional", "default")
    return {name: getattr(spec, name) for name in names}


def _lines(spec: InputSpec, kind: str) -> Iterator[str]:
    need = f"default {told_value(spec.default)}" if spec.is_optional else "required"
    yield f"{spec.name}: {kind} ({need})"
    if asked := f"{spec.prompt} {spec.help}".strip():
        yield f"  {asked}"


def told_value(value: Any) -> str:
    """A default in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(told_value, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {told_value(member)}" for name, member in value.items()) or "none"
    return "none" if value in (None, "") else str(value).replace("${inputs.", "as ").removesuffix("}")
