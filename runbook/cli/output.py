"""The only module that writes: stdout is data, stderr is talk.

Invariants: commands named in remarks are written as this operator has to type them; no text reaches either stream
with a character in it that could drive a terminal. JSON is written in ASCII, so it is the same bytes in every locale.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from typing import Any, Final

from runbook.core.redact import plain

_COMMAND: Final = re.compile(r"(?<![\w./\\-])runbook (?=[a-z]+\b)(?!is\b|was\b)")

_called: list[str] = ["runbook"]


def call_as(program: str) -> None:
    """From now on, remarks name this program so."""
    _called[0] = program


def program() -> str:
    """How the operator calls this program."""
    return _called[0]


def prepare() -> None:
    """Make both streams safe to write any text to, whatever the locale says: UTF-8 when they are not a terminal.

    Streams that the caller closed lead nowhere.
    """
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def data(text: str) -> None:
    """Lines of data."""
    sys.stdout.write(plain(text) + "\n")
    sys.stdout.flush()


def document(text: str) -> None:
    """A whole document that ends in its own line end."""
    sys.stdout.write(plain(text))
    sys.stdout.flush()


def talk(text: str) -> None:
    """A remark to the person at the terminal."""
    text = _COMMAND.sub(lambda _: f"{program()} ", text)
    with contextlib.suppress(OSError, ValueError):  # nobody listens, and nothing depends on it
        sys.stderr.write(plain(text) + "\n")
        sys.stderr.flush()


def json_data(doc: Any, *, is_line: bool = False) -> None:
    """A JSON document, or one line of a stream of them."""
    text = json.dumps(doc) if is_line else json.dumps(doc, indent=2)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(rows: Sequence[Sequence[str]], heads: Sequence[str] = ()) -> Iterable[str]:
    """Columns two spaces apart; the last one is not padded."""
    every = [[_cell(c) for c in row] for row in ([heads, *rows] if heads else rows)]
    columns = range(max(map(len, every), default=0))
    widths = [max(len(row[i]) for row in every if i < len(row)) for i in columns]
    for row in every:
        yield "  ".join([c.ljust(w) for c, w in zip(row[:-1], widths, strict=False)] + row[-1:]).rstrip()


def _cell(text: str) -> str:
    return plain(" ".join(text.split()))
