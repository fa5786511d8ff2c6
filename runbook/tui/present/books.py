"""Books on the home screen: what they do, how long they say they take, and how long they took here; and first words.

Invariant: a length is told with where it comes from: the book's own word, or runs on this machine.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from runbook.core.expected import Experience
from runbook.tui.present.text import BLANK, Line, labelled, line, lines, one_line


class BookLine(Protocol):
    """What the home screen shows of a book."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> Any: ...
    @property
    def title(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def duration(self) -> str: ...


def book_line(book: BookLine) -> Line:
    """One row."""
    return line(("Rehearse  ", "muted"), one_line(book.title))


def book_about(book: BookLine, past: Experience | None = None, live: Experience | None = None) -> list[Line]:
    """A book in full.

    Args:
        book: the book.
        past: what finished rehearsals of it took on this machine.
        live: what finished live runs took.
    """
    rows = [line((one_line(book.title), "heading"), (f"  {one_line(book.id)} {one_line(book.version)}", "muted"))]
    rows += lines("Enter rehearses it, on a simulated Azure: nothing real is touched.", "go")
    rows += lines(" ".join(book.summary.split()))
    if book.duration:
        rows += labelled("Takes", " ".join(book.duration.split()))
    rows += _took("Live runs here", live)
    rows += _took("Rehearsals here", past, " (simulated time)")
    return rows


def _took(label: str, past: Experience | None, clock: str = "") -> list[Line]:
    if past is None or not past.runs or past.active is None or past.waiting is None:
        return []
    many = f"{past.runs} finished" if past.runs > 1 else "one finished"
    return labelled(label, f"{many}; at work {past.active.length()}, waiting {past.waiting.length()}{clock}")


MINUTES: Final = "ten to fifteen minutes"
"""Of the operator's, for a whole rehearsal on a screen, at the speed that screens have: measured by hand."""


def welcome(program: str, *, has_maker: bool = False) -> list[Line]:
    """What an operator reads who has no run yet.

    Args:
        program: how the operator calls this program.
        has_maker: whether a key leads through making a live run.
    """
    live = line(("A live run begins with ", "muted"), (f"{program} plan BOOK --mode live --inputs FILE", "code"))
    if has_maker:
        live = line(("A live run begins with ", "muted"), ("n", "key"), ".")
    return [
        line(("Welcome. Nothing has been done here yet.", "heading")),
        *lines(
            "A book leads you, node by node, through putting Azure behind Private Link: it looks, says what it would "
            "change and why, shows the command, does it when you say go, and looks again."
        ),
        line(
            ("First: ", "muted"),
            "choose a book with ",
            ("↑↓", "key"),
            " and press ",
            ("Enter", "key"),
            f". That rehearses it: about {MINUTES}, on a simulated Azure. It touches nothing, asks no sign-in,",
            " and you can leave at any moment with ",
            ("q", "key"),
            ".",
        ),
        *lines(
            "Live is different: it works in your subscription. It first reads only, shows where it would write, and "
            "writes nothing before you typed the subscription's name. Disruptive changes ask every time."
        ),
        live,
        BLANK,
    ]
