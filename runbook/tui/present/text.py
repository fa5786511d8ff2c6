"""Text as lines of spans, each with a role. Style sheets say what a role looks like; nothing here knows a colour.

Invariant: whatever came from outside passes ``clean`` or ``one_line`` before it stands in a span, and a span is never
read as markup, so a resource's name or an error's message can neither style nor drive the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import Final

from rich.cells import cell_len, set_cell_size

from runbook.core.clock import duration
from runbook.core.redact import plain

Span = tuple[str, str]
"""A text and its role; the empty role is plain text."""

Line = tuple[Span, ...]

ROLES: Final = (
    "heading",
    "muted",
    "ok",
    "bad",
    "wait",
    "go",
    "busy",
    "code",
    "add",
    "remove",
    "key",
    "dim-key",
    "tab",
    "badge-rehearsal",
    "badge-plan",
    "badge-live",
)
"""Every role, for the style sheet ``tokens.tcss``."""

BOXED: Final = frozenset({"key", "tab", "badge-rehearsal", "badge-plan", "badge-live"})
"""Roles that stand on a background of their own."""

BLANK: Final[Line] = ()


def clean(text: object) -> str:
    """Text from outside, safe to show: control characters and lone surrogates replaced; line feeds and tabs stay."""
    return plain(str(text).encode("utf-8", "replace").decode("utf-8"))


def one_line(text: object) -> str:
    """Text from outside for a place that has one line: every run of white space becomes one blank."""
    return " ".join(clean(text).split())


def short(text: str, width: int) -> str:
    """At most ``width`` cells, ending in an ellipsis when something is left out."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def short_middle(text: str, width: int) -> str:
    """At most ``width`` cells; what is left out is in the middle, because names of one kind differ at their ends."""
    if cell_len(text) <= width or width < 8:
        return short(text, width)
    tail_width = (width - 1) // 2
    tail = text
    while cell_len(tail) > tail_width:
        tail = tail[1:]
    return set_cell_size(text, width - 1 - cell_len(tail)).rstrip() + "…" + tail


def short_parts(parts: Sequence[str], width: int, gap: str = " · ") -> str:
    """Parts side by side in at most ``width`` cells; the longest is shortened first, so that each stays readable."""
    shown = list(parts)
    if len(shown) == 1:
        return short_middle(shown[0], width)
    while cell_len(gap.join(shown)) > width:
        widest = max(range(len(shown)), key=lambda i: cell_len(shown[i]))
        if (room := cell_len(shown[widest]) - 1) < 4:
            return short(gap.join(shown), width)
        shown[widest] = short(parts[widest], room)
    return gap.join(shown)


def end_of(path: str, parts: int) -> str:
    """The last parts of a resource's path, which tell it from its siblings; anything else as it is."""
    text = one_line(path).partition("?")[0]
    names = text.strip("/").split("/")
    return "…/" + "/".join(names[-parts:]) if text.startswith("/") and len(names) > parts else text


def line(*spans: Span | str) -> Line:
    """A line of spans; a bare string has no role."""
    return tuple((span, "") if isinstance(span, str) else span for span in spans)


def lines(text: object, role: str = "", indent: str = "") -> list[Line]:
    """Text from outside, line by line."""
    return [((indent + part, role),) for part in clean(text).expandtabs(4).split("\n")]


def hang(row: Line, width: int) -> list[Line]:
    """A row in so many cells; where its last span goes on, it goes on below its own beginning."""
    indent = sum(cell_len(text) for text, _ in row[:-1])
    if not row or indent + cell_len(row[-1][0]) <= width or width - indent < 16:
        return [row]
    text, role = row[-1]
    before = text[: len(text) - len(text.lstrip())]
    first, *rest = wrap(text.strip(), width - indent - len(before)) or [""]
    pad = " " * (indent + len(before))
    return [(*row[:-1], (before + first, role)), *(((pad, ""), (part, role)) for part in rest)]


def heading(text: str) -> Line:
    return ((text, "heading"),)


def labelled(label: str, text: object, role: str = "") -> list[Line]:
    """``label: text``; further lines of the text stand below it."""
    first, *rest = clean(text).expandtabs(4).split("\n")
    return [line((f"{label}: ", "muted"), (first, role)), *(line((part, role)) for part in rest)]


def is_labelled(row: Line, label: str) -> bool:
    """Whether ``labelled`` made this line with this label."""
    return bool(row) and row[0] == (f"{label}: ", "muted")


def as_text(rows: Iterable[Line]) -> str:
    """The bare text, for copying and for tests."""
    return "\n".join("".join(text for text, _ in row) for row in rows)


def pack(parts: Iterable[Span], width: int, gap: str = " · ") -> list[Line]:
    """Set parts side by side, starting a new line where the next would not fit; a part too long is shortened."""
    rows: list[list[Span]] = []
    used = 0
    for text, role in parts:
        text = short(text, width)
        need = cell_len(text)
        if rows and used + len(gap) + need <= width:
            rows[-1] += [(gap, "muted"), (text, role)]
            used += len(gap) + need
        else:
            rows.append([(text, role)])
            used = need
    return [tuple(row) for row in rows]


def moment(at_ms: int) -> str:
    """``2026-11-20 08:00Z``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")


def time_of_day(at_ms: int) -> str:
    """``08:00:05Z``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%SZ")


def ago(at_ms: int, now_ms: int) -> str:
    """How long something has lasted: ``2 d 4 h``."""
    return duration((now_ms - at_ms) / 1000)


def ahead(at_ms: int, now_ms: int) -> str:
    """How far away something is: ``in 5 min``, or ``now``."""
    return "now" if at_ms <= now_ms else f"in {duration((at_ms - now_ms) / 1000)}"
