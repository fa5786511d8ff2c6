"""Several faults of one file as one error, and what they have in common: the nearest name that was meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from runbook.core.error import BookError


class BookErrors(BookError):
    """Every fault that was found, in file order. Its text has one line for each."""

    def __init__(self, faults: Sequence[BookError]) -> None:
        first = faults[0]
        super().__init__(
            "\n".join(str(f) for f in faults), file=first.file, line=first.line, column=first.column, hint=first.hint
        )
        self.faults = tuple(faults)

    @property
    def others(self) -> tuple[BookError, ...]:
        """All but the first."""
        return self.faults[1:]

    def __str__(self) -> str:
        return self.message


def raise_all(faults: Sequence[BookError]) -> None:
    """Raise what there is: nothing, the one fault, or all of them together.

    Raises:
        BookError: there is at least one fault.
    """
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise BookErrors(faults)


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean `x`?`` where a known name is near, else nothing."""
    names = sorted(known)
    close = get_close_matches(word.lower(), [n.lower() for n in names], n=1, cutoff=0.6)
    meant = next((n for n in names if close and n.lower() == close[0]), None)
    return f"; did you mean `{meant}`?" if meant else ""


def shown(value: object, length: int = 60) -> str:
    """A value as it is quoted in a message: on one line, printable, cut short."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))
    return text if len(text) <= length else text[: length - 1] + "…"


def sort_of(value: object) -> str:
    """What a JSON value is, for a message: ``text``, ``the number 5``, ``a list``."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {shown(value)}"
        case str():
            return f"the text {shown(value)!r}" if value else "empty text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return type(value).__name__
