"""What is asked around a book's inputs: where lists come from, and last in which mode and how fast a run begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len

from runbook.core.view import RunView
from runbook.tui.keys import SCREENS, shown_as
from runbook.tui.present.fields import Field
from runbook.tui.present.form import SIGNS
from runbook.tui.present.text import BLANK, Line, heading, labelled, line, lines, one_line, short

LIVE: Final = "azure"
"""The place of the lists that stands for the operator's own Azure; any other is a scenario."""

PLACE: Final = "_place"
"""The name of the field for the place; no input of a book can be called so."""


@dataclass(frozen=True, slots=True)
class Prefill:
    """What a form begins with.

    Attributes:
        source: where that is from, in words.
        place: a scenario, or ``LIVE``.
        edition: empty for the scenario's.
    """

    inputs: Mapping[str, Any]
    source: str
    place: str
    edition: str = ""


def prefill_of(view: RunView) -> Prefill:
    """The inputs of a run that exists, for another run with other ones."""
    place = view.scenario if view.mode == "rehearsal" else LIVE
    return Prefill(dict(view.inputs), f"run {view.id}", place, view.edition)


# ---------------------------------------------------------------- the place


def place_field(scenarios: Sequence[str]) -> Field:
    """The first field of every form: which cloud the lists, and a scenario's answers, come from."""
    return Field(PLACE, "Where do lists come from?", "a scenario, or azure", values=(*scenarios, LIVE))


def place_label(place: str, is_wrong: bool, width: int) -> Line:
    """Its line above the box."""
    glyph, word, role = SIGNS["wrong" if is_wrong else "given"]
    told = f"{glyph} {word if is_wrong else 'your own Azure' if place == LIVE else 'simulated'}"
    prompt = short("Where do lists come from?", max(8, width - cell_len(told) - 3))
    gap = " " * max(1, width - 2 - cell_len(prompt) - cell_len(told))
    return line("  ", (prompt, "heading"), gap, (told, role))


def place_help(place: str, problem: str) -> list[Line]:
    """What is this? For the place."""
    rows = [line(("Where do lists come from?", "heading"))]
    if problem:
        rows += labelled("Wrong", one_line(problem), "bad")
    rows += lines(
        "A scenario: a simulated Azure to rehearse on; it also fills in every field you have not touched. "
        "azure: the one you are signed in to, which is only read."
    )
    rows += lines("Whether to rehearse, to plan or to go live is asked last, on the summary.", "muted")
    if place == LIVE:
        rows += lines("Signed in as the Azure CLI is (az login), or as the environment says.", "muted")
    return [*rows, *lines("Enter opens the list; a scenario's file may be typed.", "muted")]


def form_rows(screen: str, keymap: Mapping[str, str]) -> list[Line]:
    """The help of the form: its keys and its signs."""
    rows = [heading("Keys")]
    for key in SCREENS[screen]:
        if key.shown:
            shown = shown_as(screen, key, keymap)
            rows.append(line(" " * max(0, 6 - len(shown)), (shown, "key"), f"  {key.tooltip}"))
    rows.append(line("   Tab", ("", "key"), "  The next field; Shift+Tab the one before."))
    rows += [BLANK, heading("Signs")]
    told = {
        "missing": "has to be filled in",
        "wrong": "the line below the field says why",
        "given": "typed, chosen from a list, or filled in from where it says",
        "default": "optional; what stands in the empty field holds",
    }
    for state, (glyph, word, role) in SIGNS.items():
        rows.append(line((f" {glyph} {word:<9} ", role), (told[state], "muted")))
    return [*rows, line((" *           ", "go"), ("required", "muted"))]


# ---------------------------------------------------------------- how it is made

MODES: Final = ("rehearsal", "plan", "live")
EDITIONS: Final = ("preview", "ga", "auto")
SPEEDS: Final = ("60", "1", "600", "max")


def speed_problem(text: str) -> str:
    """Why a speed does not do; empty when it does."""
    text = text.strip().lower()
    try:
        is_right = text in ("", "max") or 0 < float(text) < float("inf")
    except ValueError:
        is_right = False
    return "" if is_right else "neither max nor a number above 0"


def how_fields(scenarios: Sequence[str]) -> list[Field]:
    """What the summary asks: mode, place, edition and speed."""
    return [
        Field("mode", "Mode", "one of rehearsal, plan, live", values=MODES, is_required=True),
        Field("scenario", "Scenario", "a scenario, or its file", values=tuple(scenarios), is_required=True),
        Field("edition", "Edition", "one of preview, ga, auto", values=EDITIONS),
        Field("speed", "Speed", "simulated seconds per second, or max", values=SPEEDS),
    ]


MODE_WORDS: Final = {
    "rehearsal": "makes a run on a simulated Azure; nothing real is touched",
    "plan": "only looks, and makes no run",
    "live": "makes a run on your own Azure; asks for the names of its subscriptions first",
}
"""What each mode does, for the line beside it."""


def how_problem(name: str, text: str) -> str:
    """Why one of these answers does not do; empty when it does."""
    text = text.strip()
    match name:
        case "mode":
            return "" if text in MODES else f"one of {', '.join(MODES)}"
        case "edition":
            return "" if text in ("", *EDITIONS) else f"one of {', '.join(EDITIONS)}"
        case "speed":
            return speed_problem(text)
        case _:
            return "" if text else "a scenario is needed"
