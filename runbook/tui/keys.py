"""The one list of keys: bindings, the line at the bottom, the help screen, user key maps and the tests all read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a screen.

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


_HELP: Final = Key("help", "question_mark", "?", "Help", "Show every key and every sign.")

_RUN: Final = (
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
    _HELP,
    Key("quit", "q", "q", "Quit", "Leave. The run stays as its journal has it; resume any time."),
    Key("settings", "comma", ",", "Settings", "Theme, bell, animations, and where keys are changed.", False),
    Key("dns", "D", "D", "Names", "Every private name: what it must be, what each place answers, and why.", False),
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

_DNS: Final = (
    Key("again", "r", "r", "Read again", "Read Azure and look every name up again; nothing is written."),
    Key("wrong", "n", "n", "Next wrong", "Go to the next answer that is wrong."),
    Key("copy", "c", "c", "Copy", "Copy what stands below the table."),
    _HELP,
    Key("back", "q,escape", "q", "Back", "Back to the run."),
    Key("scroll(1)", "j", "j", "Down", "Scroll what stands below the table.", False),
    Key("scroll(-1)", "k", "k", "Up", "Scroll it up.", False),
)


SCREENS: Final[Mapping[str, tuple[Key, ...]]] = {
    "run": _RUN,
    "dns": _DNS,
}
"""Every key by its screen. A key's binding id, which a key map of the operator's may name, is ``<screen>.<key id>``."""


def _action(id_: str) -> str:
    if id_ in ("help", "settings"):
        return f"app.{id_}"
    return id_ if "(" in id_ else f"act('{id_}')"


IN_PLACE: Final = frozenset({"help", "quit", "copy", "follow", "face", "dns"})
"""Keys of the run screen that always mean something."""


def bindings(screen: str) -> list[BindingType]:
    """The bindings of a screen: each does ``act('<key id>')``, or what its id says by itself: ``page(1)``."""
    return [
        Binding(
            k.keys,
            _action(k.id),
            k.label,
            show=k.is_in_line,
            key_display=k.shown,
            tooltip=k.tooltip,
            id=f"{screen}.{k.id}",
        )
        for k in SCREENS[screen]
    ]


LASTING: Final = frozenset({"help", "quit"})
"""Keys that the line at the bottom never leaves out."""


def shown_as(screen: str, key: Key, keymap: Mapping[str, str]) -> str:
    """How a key is called on the screen: as it stands on the keyboard, or as the operator's key map has it."""
    mapped = keymap.get(f"{screen}.{key.id}", "")
    return key.shown if not mapped else " ".join(map(_sign, mapped.split(",")[:1]))


def _sign(name: str) -> str:
    """``ctrl+s`` as it is; a single letter as it is; ``question_mark`` by its character."""
    from textual.keys import format_key

    return format_key(name.strip()) if name.strip() else name


def unknown_keys(keymap: Mapping[str, str]) -> list[str]:
    """Binding ids that no screen has."""
    known = {f"{screen}.{key.id}" for screen, keys in SCREENS.items() for key in keys}
    return [id_ for id_ in keymap if id_ not in known]
