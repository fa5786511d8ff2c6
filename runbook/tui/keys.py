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
    Key("take_over", "T", "T", "Drive it", "Drive a run that you only watch; where its driver is alive, asks first."),
    _HELP,
    Key("quit", "q", "q", "Quit", "Leave. The run stays as its journal has it; resume any time."),
    Key("open", "o", "o", "More", "All about a node that waits, failed, is blocked or in doubt.", False),
    Key("hand", "H", "H", "Hand over", "Let another team do this node; the run then waits for it and looks.", False),
    Key("note", "N", "N", "Note", "Write a remark into the run, for whoever reads it next.", False),
    Key("timeline", "h", "h", "History", "The run over time: scrub through its journal, play it again.", False),
    Key("audit", "L", "L", "What was done", "Every call, wait, word and skip, with who answered for it.", False),
    Key("report", "R", "R", "Report", "Write the run's report, as HTML, to a file that you name.", False),
    Key("compare", "C", "C", "Compare", "Lay this run beside another of the same book.", False),
    Key("map", "m", "m", "Map", "Draw the estate: networks, endpoints, zones, and what they lead to.", False),
    Key("settings", "comma", ",", "Settings", "Theme, bell, animations, and where keys are changed.", False),
    Key("dns", "D", "D", "Names", "Every private name: what it must be, what each place answers, and why.", False),
    Key("follow", "f", "f", "Follow", "Let the selection go by itself to what needs you; on or off.", False),
    Key("page_back", "left", "←", "Page", "The page before: Guide, Plan, Commands, Checks, Entries, Map.", False),
    Key("face", "v", "v", "Form", "The next form of commands; on the Plan page: resource ids in full.", False),
    Key("page_on", "right", "→", "Page", "The next page.", False),
    Key("page(1)", "1", "1–6", "Page", "One page by its number.", False),
    Key("page(2)", "2", "", "", "", False),
    Key("page(3)", "3", "", "", "", False),
    Key("page(4)", "4", "", "", "", False),
    Key("page(5)", "5", "", "", "", False),
    Key("page(6)", "6", "", "", "", False),
    Key("scroll(1)", "j", "j", "Down", "Scroll the page down; after Tab, PgUp and PgDn do it too.", False),
    Key("scroll(-1)", "k", "k", "Up", "Scroll the page up.", False),
    Key("abort", "x", "x", "Abort", "End the run for good, after typing its name.", False),
)

_DNS: Final = (
    Key("again", "r", "r", "Read again", "Read Azure and look every name up again; nothing is written."),
    Key("wrong", "n", "n", "Next wrong", "Go to the next answer that is wrong."),
    Key("copy", "c", "c", "Copy", "Copy what stands below the table."),
    _HELP,
    Key("back", "escape,q", "Esc", "Back", "Back to the run."),
    Key("scroll(1)", "j", "j", "Down", "Scroll what stands below the table.", False),
    Key("scroll(-1)", "k", "k", "Up", "Scroll it up.", False),
)

_HOME: Final = (
    Key(
        "open",
        "enter",
        "Enter",
        "Open",
        "Go on with the run, or look on where another process drives; rehearse a book.",
    ),
    Key("find", "slash", "/", "Find", "Show only what every word typed fits: a name, a state, a subscription, who."),
    Key("new", "n", "n", "New", "Make a run, led through every question."),
    Key("watch", "w", "w", "Look on", "Open the run read-only, also where nobody drives it."),
    Key("report", "R", "R", "Report", "Write the run's report, as HTML, to a file that you name."),
    Key("archive", "z", "z", "Put away", "Take the run out of this list, or bring it back; nothing is deleted."),
    Key("sort", "s", "s", "Sort", "The next order: what needs you first, last activity, name."),
    _HELP,
    Key("quit", "q", "q", "Quit", "Leave. Every run stays as its journal has it."),
    Key("take_over", "T", "T", "Take over", "Drive a run whose driver is alive but away; asks first.", False),
    Key("timeline", "h", "h", "History", "What happened in the run, when, and how long it took.", False),
    Key("compare", "c", "c", "Compare", "The run beside another one.", False),
    Key("archived", "A", "A", "All", "Show or hide the runs that were put away.", False),
    Key("refresh", "r,f5", "r", "Refresh", "Read the list again now; it does so by itself, too.", False),
    Key("settings", "comma", ",", "Settings", "Theme, bell, animations, and where keys are changed.", False),
    Key("clear", "escape", "Esc", "Clear", "Show everything again; it never leaves: q does.", False),
    Key("scroll(1)", "j", "j", "Down", "Scroll what is told of the run; after Tab, PgUp and PgDn do it too.", False),
    Key("scroll(-1)", "k", "k", "Up", "Scroll it up.", False),
)

_TIMELINE: Final = (
    Key("play", "space", "Space", "Play", "Let the cursor move by itself, and stop it; without animations, one step."),
    Key("entry(1)", "right", "←→", "Entry", "One entry of the journal on; ← one back."),
    Key("entry(-1)", "left", "", "", "", False),
    Key("turn(1)", "shift+right,ctrl+right", "⇧→", "Turn", "On to where the selected row began something new.", False),
    Key("turn(-1)", "shift+left,ctrl+left", "⇧←", "Turn", "Back to where the selected row began something new.", False),
    Key(
        "asked(1)", "right_square_bracket", "[ ]", "Needed you", "On to what needed a person, or what one said; [ back."
    ),
    Key("asked(-1)", "left_square_bracket", "", "", "", False),
    Key("broke(1)", "f", "f F", "Failures", "On to the next failure, doubt or rule in the way; F back."),
    Key("broke(-1)", "F", "", "", "", False),
    Key("shorten", "z", "z", "Waits", "Shorten long waits on the axis, or show time as it went by."),
    Key("go", "enter", "Enter", "Open", "A group: fold or unfold it; a node: go to it in the run."),
    Key("speaker", "e", "e", "Its node", "Select the node that the entry at the cursor speaks of.", False),
    Key("first", "home", "Home", "First", "To the first entry.", False),
    Key("last", "end", "End", "Last", "To the newest entry; the cursor then follows what comes.", False),
    Key("faster", "plus,equals_sign", "+", "Faster", "Play faster.", False),
    Key("slower", "minus", "-", "Slower", "Play slower.", False),
    _HELP,
    Key("back", "escape,h,q", "Esc", "Back", "Back to the run; nothing here changes it."),
)

_COMPARE: Final = (
    Key("only", "d", "d", "Everything", "List only what differs, or everything."),
    Key("go", "enter", "Enter", "Go to", "Go to the selected node in the run."),
    Key("other", "o", "o", "Other run", "Choose another run to lay beside this one."),
    Key("copy", "c", "c", "Copy", "Copy the differences as text."),
    Key("scroll(1)", "j", "j", "Down", "Scroll the difference down; after Tab, PgUp and PgDn do it too.", False),
    Key("scroll(-1)", "k", "k", "Up", "Scroll the difference up.", False),
    _HELP,
    Key("back", "escape,C,q", "Esc", "Back", "Back to the run; nothing here changes it."),
)

_MAP: Final = (
    Key("choose", "enter", "Enter", "Node", "Go to the node that answers for what is selected; a group opens."),
    Key("in", "plus", "+", "Closer", "Look closer at what is selected: what lies in it, its nodes, its addresses."),
    Key("out", "minus,backspace", "-", "Farther", "Look from farther away; Backspace does it too."),
    Key("find", "slash", "/", "Find", "Find a thing by its name, its kind, an address or a public name."),
    Key("next", "n", "n", "Next", "Go to the next thing whose node needs you."),
    _HELP,
    Key("back", "escape,m,q", "Esc", "Back", "Back to the run."),
)

_BACK: Final = Key("quit", "escape,q", "Esc", "Back", "Back to the run.")
_NEXT: Final = Key("next", "n", "n", "Next", "Back to the run, to what needs you next.")

_WAITING: Final = (
    Key("attest", "t", "t", "Record", "Record the answer or what you did: a text, when, maybe a file."),
    Key("retry", "r", "r", "Look", "Look now whether the wait is over."),
    Key("skip", "s", "s", "Skip", "Leave this node out; the reason stands in the report."),
    Key("copy", "c", "c", "Copy", "Copy the text that is shown."),
    Key("mail", "e", "e", "Mail", "Open the text in your mail program; you send it there, or not."),
    Key("save", "w", "w", "Save", "Save the text to a new file."),
    Key("text", "v", "v", "Other", "The other text: to hand over, to ask again with."),
    _NEXT,
    _HELP,
    _BACK,
)

_FAILURE: Final = (
    Key("retry", "r", "r", "Retry", "Look again and go on; in doubt: send the call again."),
    Key("change_input", "i", "i", "Input", "Start another run with this run's inputs, one of them changed."),
    Key("skip", "s", "s", "Skip", "Leave this node out; the reason stands in the report."),
    Key("attest", "t", "t", "Attest", "Give your word, where a rule accepts it."),
    Key("raw", "v", "v", "Raw", "Show what is stored of the answers, as JSON."),
    Key("copy", "c", "c", "Copy", "Copy what somebody who helps should know: codes, ids, times."),
    _NEXT,
    _HELP,
    _BACK,
)

_AUDIT: Final = (
    Key("copy", "c", "c", "Copy", "Copy the whole text."),
    Key("back", "escape,q,L", "Esc", "Back", "Back to the run."),
)

_RAW: Final = (
    Key("copy", "c", "c", "Copy", "Copy the whole text."),
    Key("quit", "escape,q,v", "Esc", "Back", "Close."),
)

_FIELDS: Final = (
    Key("field(1)", "down", "↓", "Field", "The next field; Tab does it, too.", False),
    Key("field(-1)", "up", "↑", "Field", "The field before; Shift+Tab does it, too.", False),
    Key("list", "f2", "F2", "List", "Open the list of what the field could hold; Enter does it, too."),
)
_ASK: Final = Key("help", "f1", "F1", "Help", "Show every key and every sign.")

_NEW: Final = (
    *_FIELDS,
    Key("save", "ctrl+s", "^S", "Save", "Write what is filled in to a YAML file."),
    Key("load", "ctrl+o", "^O", "Load", "Fill in what a YAML or JSON file holds."),
    Key("go", "f5,ctrl+g", "F5", "Summary", "Go on to the summary: what would be made, and how it is started."),
    _ASK,
    Key("quit", "escape", "Esc", "Back", "Leave the form; asks first if something typed would be lost."),
)

_SUMMARY: Final = (
    *_FIELDS,
    Key("look", "f6", "F6", "Look", "Look again at what a run would do; only reads."),
    Key("stop", "f8", "F8", "Stop", "Give up the look that is under way."),
    Key("go", "f5,ctrl+g", "F5", "Start", "Do what is chosen under Mode. A live run asks for the subscription's name."),
    _ASK,
    Key("quit", "escape", "Esc", "Back", "Back to the form; nothing is lost."),
)

SCREENS: Final[Mapping[str, tuple[Key, ...]]] = {
    "run": _RUN,
    "new": _NEW,
    "summary": _SUMMARY,
    "home": _HOME,
    "timeline": _TIMELINE,
    "compare": _COMPARE,
    "map": _MAP,
    "waiting": _WAITING,
    "failure": _FAILURE,
    "audit": _AUDIT,
    "raw": _RAW,
    "dns": _DNS,
}
"""Every key by its screen. A key's binding id, which a key map of the operator's may name, is ``<screen>.<key id>``."""


def _action(id_: str) -> str:
    if id_ in ("help", "settings"):
        return f"app.{id_}"
    return id_ if "(" in id_ else f"act('{id_}')"


IN_PLACE: Final = frozenset({"help", "quit", "copy", "follow", "face", "map", "dns", "audit", "report"})
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


LASTING: Final = frozenset({"help", "quit", "back"})
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
