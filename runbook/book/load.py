"""Books from files and from journals. A book that is handed out has been checked whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from runbook import assets
from runbook.book.check import check
from runbook.book.errors import near, raise_all, shown
from runbook.book.model import Book
from runbook.book.reader import plain_scalar, read, read_text, scan
from runbook.book.shape import complaints, shaped
from runbook.core.error import BookError

_SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class BookInfo:
    """A book as a list shows it. ``fault`` says why a file that lies among the books cannot be shown; else empty."""

    id: str
    version: int = 0
    title: str = ""
    summary: str = ""
    duration: str = ""
    fault: str = ""


def load_book(name_or_path: str) -> Book:
    """A book by its name, or one's own from a YAML file.

    Args:
        name_or_path: anything with a folder in it or ending in ``.yaml`` or ``.yml`` is a file.

    Raises:
        BookError: there is none of that name, or it has faults: ``file:line:column: message``, all of them.
    """
    book, faults = _load(_file(name_or_path))
    raise_all(faults)
    assert book is not None
    return book


def lint(path: str | Path) -> list[BookError]:
    """Every fault of a book's file, in file order; empty when it is sound."""
    try:
        return _load(_file(str(path)))[1]
    except BookError as fault:
        return [fault]


def book_from_json(doc: Mapping[str, Any]) -> Book:
    """The book that a run keeps in its journal. Neither its file nor its steps need to exist any more.

    Raises:
        BookError: the document is not a book.
    """
    try:
        book = shaped(doc)
    except ValidationError as fault:
        raise_all([BookError(message) for message, _, _ in complaints(fault, doc)])
        raise
    raise_all(check(book, with_steps=False))
    return book


def list_books() -> list[BookInfo]:
    """The books that come with the program, by id. Only the head of each file is read; a bad file is listed as such."""
    return [_head(path) for path in _shipped().values()]


def _shipped() -> dict[str, Path]:
    folder = assets.path("books")
    return {p.stem: p for p in sorted(folder.glob("*")) if p.suffix in _SUFFIXES} if folder.is_dir() else {}


def _file(name: str) -> Path:
    if name.endswith(_SUFFIXES) or "/" in name or os.sep in name:
        return Path(name)
    shipped = _shipped()
    if name in shipped:
        return shipped[name]
    known = ", ".join(shipped) or "none"
    hint = f"There is a file of that name here: write ./{name}." if _is_file(Path(name)) else ""
    raise BookError(f"there is no book {shown(name)!r}{near(name, shipped)}; known books: {known}", hint=hint)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _load(path: Path) -> tuple[Book | None, list[BookError]]:
    """A file's book, where its form allows to make one, and its faults.

    Raises:
        BookError: it is not even readable YAML.
    """
    source = read(path)
    doc = source.root.plain()
    if doc in (None, {}, []):
        return None, [*source.faults, source.fault("the file is empty")]
    try:
        book = shaped(doc) if isinstance(doc, dict) else None
    except ValidationError as fault:
        said = [source.fault(text, where, on_key=on_key) for text, where, on_key in complaints(fault, doc)]
        return None, _in_order([*source.faults, *said])
    if book is None:
        return None, [source.fault("a book is a mapping; it begins with `id:`")]
    return book, _in_order([*source.faults, *check(book, source)])


def _in_order(faults: list[BookError]) -> list[BookError]:
    return sorted(faults, key=lambda f: (f.line, f.column))


def _head(path: Path) -> BookInfo:
    """What a list shows of a book, from the scalars before its first list or mapping."""
    found: dict[str, Any] = {}
    key: list[str] = []
    depth = 0

    def take(event: yaml.Event) -> bool:
        nonlocal depth
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
            return depth == 1
        if isinstance(event, yaml.ScalarEvent):
            if key:
                found[key.pop()] = event.value
            else:
                key.append(event.value)
        return not isinstance(event, yaml.MappingEndEvent | yaml.AliasEvent)

    try:
        scan(read_text(path), str(path), take)
    except BookError as fault:
        return BookInfo(path.stem, fault=str(fault))
    version = plain_scalar(found.get("version", ""))
    if not found.get("title") or not isinstance(version, int) or isinstance(version, bool):
        return BookInfo(path.stem, fault=f"{path}:1:1: no `id`, `version` and `title` at its head")
    texts = {name: " ".join(found.get(name, "").split()) for name in ("title", "summary", "duration")}
    return BookInfo(path.stem, version, **texts)
