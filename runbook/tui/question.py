"""Questions to the operator, whoever puts them: a dialog, or plain lines. Nothing here asks, decides or submits.

Invariant: answers are complete only when every field holds what it must.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runbook.core.clock import from_iso, iso
from runbook.tui.present.text import Line, moment, one_line, short_middle

Answers = dict[str, str]

_PATH_CELLS = 48
"""Of a path that a sentence names; with the sentence about two lines of a small dialog."""

_DAY_CHARS = len("2026-11-20")
_EASTERNMOST_MS = 14 * 3_600_000
"""Somebody's day may have begun so long before the one in UTC (Kiribati, UTC+14, in the IANA time zone database)."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to type.

    Attributes:
        name: what is missing while it is empty, as a sentence begins: ``A reason``.
        expected: what must be typed exactly; None accepts any text.
        is_file: an existing file's path, or nothing.
        is_new: the path of a file that must not exist yet.
        latest_ms: what is typed is a moment, not after this one, which is now; None accepts any text.
        choices: the words of which one is chosen by its number, from 1; empty accepts any text.
        value: what stands there at first.
    """

    id: str
    label: str
    name: str = "This"
    is_required: bool = True
    expected: str | None = None
    is_file: bool = False
    is_new: bool = False
    value: str = ""
    latest_ms: int | None = None
    choices: tuple[str, ...] = ()

    def problem(self, value: str) -> str:
        """Why this value does not do; empty when it does."""
        value = value.strip()
        if self.expected is not None:
            return "" if value == self.expected else f"Type exactly: {self.expected}"
        if self.is_required and not value:
            return f"{self.name} is needed."
        if value and (self.is_file or self.is_new):
            return self._path_problem(value)
        if value and self.latest_ms is not None:
            return _moment_problem(value, self.latest_ms)
        if self.choices and value not in map(str, range(1, len(self.choices) + 1)):
            return f"Type a number from 1 to {len(self.choices)}."
        return ""

    def _path_problem(self, value: str) -> str:
        # Shortened in its middle: a path may be longer than the dialog has room for.
        shown = short_middle(one_line(value), _PATH_CELLS)
        try:
            place = Path(value).expanduser()
            if self.is_file:
                return "" if place.is_file() else f"There is no file {shown}."
            if place.exists():
                return f"{shown} exists already. Name another file; nothing is written over."
            return "" if place.absolute().parent.is_dir() else f"There is no folder for {shown}."
        except (OSError, RuntimeError, ValueError):  # a name too long, a home of nobody, a zero byte
            return f"{shown} is no path here."


def _moment_problem(value: str, now_ms: int) -> str:
    now = iso(now_ms)
    try:
        moment_of(value, now_ms)
    except OverflowError:
        return f"That lies ahead: it is {moment(now_ms)} now. It is asked when it happened."
    except ValueError:
        return f"Type a day, such as {now[:_DAY_CHARS]}, or a moment, such as {now[:16]}Z."
    return ""


def moment_of(text: str, now_ms: int) -> int:
    """When something happened, by what was typed. The clock that judges is the run's: in a rehearsal the simulated one.

    A day without an hour is that day's beginning; today is now, so that an answer is not dated before what it answers.

    Raises:
        ValueError: it is neither a day nor a moment.
        OverflowError: it lies ahead.
    """
    at_ms, is_day = from_iso(text), len(text) == _DAY_CHARS
    if at_ms > now_ms + (_EASTERNMOST_MS if is_day else 0):
        raise OverflowError(text)
    return now_ms if is_day and text >= iso(now_ms)[:_DAY_CHARS] else at_ms


@dataclass(frozen=True, slots=True)
class Question:
    """What a dialog asks.

    Attributes:
        go: the words on the button that answers yes.
        is_grave: whether saying yes may hurt somebody.
    """

    title: str
    body: tuple[Line, ...]
    go: str
    fields: tuple[Field, ...] = ()
    is_grave: bool = False
