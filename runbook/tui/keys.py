"""The one list of keys: bindings, the line at the bottom, the help screen and the tests all read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the run screen.

    Attributes:
        keys: as Textual names them, comma-separated.
        shown: as it stands on the keyboard.
        label: one or two words for the line at the bottom.
        tooltip: a sentence for the help screen.
        is_in_line: whether the line at the bottom has room for it.
    """

    id: str
    keys: str
    shown: str
    label: str
    tooltip: str
    is_in_line: bool = True


KEYS: Final[tuple[Key, ...]] = (
    Key(
        "approve",
        "a",
        "a",
        "Approve",
        "Say go to the selected node's changes, as shown; on a step's row: to all its ready nodes.",
    ),
    Key("approve_phase", "A", "A", "All", "Say go to every ready, safe node of this phase, from a list."),
    Key("attest", "t", "t", "Attest", "Give your word for what cannot be read: a text, maybe a file."),
    Key("retry", "r", "r", "Retry", "Look at this node again now; in doubt: send its call again."),
    Key("skip", "s", "s", "Skip", "Leave this node out; the reason stands in the report."),
    Key("next", "n", "n", "Next", "Go to what needs you next; on a step's row: to its first such node."),
    Key("find", "slash", "/", "Find", "Go to a node by its name or state; Enter goes on to the next.", False),
    Key("pause", "p", "p", "Pause", "Start nothing new, let calls finish; the same key goes on."),
    Key("copy", "c", "c", "Copy", "Copy the commands, or the text to hand over while waiting."),
    Key("help", "question_mark", "?", "Help", "Show every key and every sign."),
    Key("quit", "q", "q", "Quit", "Leave. The run stays as its journal has it; resume any time."),
    Key("follow", "f", "f", "Follow", "Let the selection go by itself to what needs you; on or off.", False),
    Key("face", "v", "v", "Form", "The next form of commands: CLI, PowerShell, REST, by hand.", False),
    Key("page_back", "left", "←", "Page", "The page before: Guide, Plan, Commands, Checks, Entries.", False),
    Key("page_on", "right", "→", "Page", "The next page.", False),
    Key("page(1)", "1", "1–5", "Page", "One page by its number.", False),
    Key("page(2)", "2", "", "", "", False),
    Key("page(3)", "3", "", "", "", False),
    Key("page(4)", "4", "", "", "", False),
    Key("page(5)", "5", "", "", "", False),
    Key("scroll(1)", "j", "j", "Down", "Scroll the page down; after Tab, PgUp and PgDn do it too.", False),
    Key("scroll(-1)", "k", "k", "Up", "Scroll the page up.", False),
    Key("abort", "x", "x", "Abort", "End the run for good, after typing its name.", False),
)


def bindings() -> list[BindingType]:
    """The bindings of the run screen."""
    return [
        Binding(
            k.keys,
            k.id if "(" in k.id else f"act('{k.id}')",
            k.label,
            show=k.is_in_line,
            key_display=k.shown,
            tooltip=k.tooltip,
            id=f"run.{k.id}",
        )
        for k in KEYS
    ]
