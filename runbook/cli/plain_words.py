"""What can be said to ``--plain``: the words, what each does, and what a typed line means.

Invariant: whatever a key of the run screen decides or shows has a word here; a test compares the two lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "approve": "make the changes as shown; what is disruptive wants a name typed",
    "attest": "give your word for what cannot be read, with a text and maybe a file",
    "skip": "leave the node out, with a reason",
    "retry": "look again now; in doubt: send the call again",
    "later": "put the question off",
    "quit": "leave; the run stays as it is",
    "help": "these words; help states: the words for how a node stands",
    "guide": "what is the matter, why the step is there, what happens, what can go wrong, the source",
    "plan": "each change, field by field: as it is, as it would be",
    "commands": "the commands in every form; commands az, powershell, rest or hand: in one",
    "checks": "every check of the last look: expected and found",
    "entries": "what the journal has on this node, newest first",
    "overview": "every node by its number, with counts; overview all, or overview STEP: also where there are many",
    "find": "find TEXT: nodes by a part of their name, or by a state such as ready",
    "go": "go NUMBER or go NAME: look at that node",
    "next": "go to what needs you next, put-off questions as well",
    "step": "approve all ready nodes of this step at once, from a list",
    "phase": "approve all ready, safe nodes of this phase at once, from a list",
    "pause": "start nothing new, let calls finish",
    "on": "go on after a pause",
    "save": "write the commands, or the text to hand over while waiting, to a file",
    "history": "what the journal has on the whole run, newest first",
    "hand": "another team does this node; the run waits for it and looks",
    "document": "what another team is to do at this node: why, the commands, what is looked at",
    "done": "what was done, and by whom: every call, wait, word and skip",
    "note": "write a remark into the run, for whoever reads it next",
    "report": "write the hand-over report to a file: .html, .md or .json",
    "who": "which run this is, where it may write, who drives it",
    "drive": "drive a run that you only look on, also from a driver that is alive, who sees why",
    "abort": "end the run for good, after typing its name",
}
"""In the order in which the first that fits an abbreviation is taken, and in which help tells them."""

_WHOLE: Final = frozenset({"abort", "step", "phase", "drive"})
"""Words that are never guessed from a beginning."""

OF_KEY: Final[Mapping[str, str]] = {
    "approve": "approve",
    "approve_phase": "phase",
    "attest": "attest",
    "retry": "retry",
    "skip": "skip",
    "hand": "hand",
    "note": "note",
    "next": "next",
    "find": "find",
    "pause": "pause",
    "copy": "save",
    "help": "help",
    "quit": "quit",
    "face": "commands",
    "page": "guide",
    "abort": "abort",
    "map": "overview",
    "timeline": "history",
    "audit": "done",
    "take_over": "drive",
    "report": "report",
    "open": "guide",
}
"""The word that stands for a key of the run screen, by the key's id."""

ABOUT_LOOKS: Final = frozenset({"follow", "page_back", "page_on", "scroll", "settings", "compare", "dns"})
"""Keys that move or change the picture alone, or open what a command of its own tells."""


def meaning(line: str, offered: Sequence[str] = ()) -> tuple[str, str]:
    """The word that a typed line stands for, and the rest of the line; an empty word where none fits.

    Args:
        line: as typed.
        offered: what fits the question that stands; these go first.
    """
    typed, _, rest = line.strip().partition(" ")
    typed = typed.lower()
    if typed == "?":
        return "help", rest.strip()
    if typed.startswith("/"):
        return "find", line.strip()[1:].strip()
    if typed.isdecimal():
        return "go", typed
    if not typed:
        return "", ""
    near = (w for w in (*offered, *WORDS) if w.startswith(typed) and (w in offered or w not in _WHOLE))
    word = typed if typed in offered or typed in WORDS else next(near, "")
    return word, rest.strip()


def help_lines() -> list[str]:
    """Every word with what it does."""
    rows = ["A word or its beginning, in a line of its own:"]
    return [*rows, *(f"  {word}: {does}." for word, does in WORDS.items())]
