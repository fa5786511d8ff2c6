"""The strip of page names, the line of keys, and the bar that names the next action."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input

from runbook.tui.keys import LASTING, SCREENS, Key, shown_as
from runbook.tui.present.next import Next
from runbook.tui.present.text import Line, Span, as_text, line
from runbook.tui.settings import Settings
from runbook.tui.widgets.prose import Prose


class Page(VerticalScroll, inherit_bindings=False):
    """Text that scrolls; the keys for left and right stay free for the pages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False),
        Binding("down", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "First", show=False),
        Binding("end", "scroll_end", "Last", show=False),
    ]


class PageNames(Prose):
    """The names of the pages; the shown one stands in brackets. A click goes to a page."""

    class Chosen(Message):
        """A page's name was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._ends: Sequence[int] = ()

    def show_names(self, names: Sequence[str], shown: int) -> None:
        """Show these names; ``shown`` counts from 0."""
        pad = " " if sum(cell_len(name) + 2 for name in names) <= (self.size.width or 80) else ""
        spans: list[Span] = []
        for number, name in enumerate(names):
            gap = pad or " " * (number == shown + 1)  # a bracket never touches the next name
            spans.append((f"[{name}]", "tab") if number == shown else (f"{gap}{name} ", "muted"))
        self._ends = list(accumulate(cell_len(text) for text, _ in spans))
        self.show([tuple(spans)])

    def on_click(self, event: events.Click) -> None:
        for number, end in enumerate(self._ends):
            if event.x < end:
                self.post_message(self.Chosen(number))
                return


class KeyLine(Prose):
    """The keys of a screen. Those that mean nothing now are dimmed, never moved; left out where room is short."""

    def __init__(self, screen: str) -> None:
        super().__init__(id="keys")
        self._screen = screen
        self._keys = [k for k in SCREENS[screen] if k.is_in_line]
        self._can: Collection[str] = {k.id for k in self._keys}
        self._renamed: Mapping[str, str] = {}
        self._without: Collection[str] = ()

    def on_mount(self) -> None:
        self.offer(self._can)

    def on_resize(self) -> None:
        self.offer(self._can, self._renamed, self._without)

    def offer(
        self, can: Collection[str], renamed: Mapping[str, str] | None = None, without: Collection[str] = ()
    ) -> None:
        """Show the keys.

        Args:
            can: those that mean something now.
            renamed: keys that have another label for now.
            without: those that are left out unless they mean something: from this seat they never do.
        """
        self._can, self._renamed, self._without = can, renamed or {}, without
        keymap = getattr(self.app, "settings", Settings()).keys
        shown = [(k, shown_as(self._screen, k, keymap), self._renamed.get(k.id, k.label)) for k in self._keys]
        shown = [row for row in shown if row[0].id in can or row[0].id not in without]
        room = self.size.width or 80
        if sum(_length(row) for row in shown) > room:
            usable = [row for row in shown if row[0].id in can]
            room -= sum(_length(row) for row in usable if row[0].id in LASTING)
            shown = []
            for row in usable:  # a key is there as a whole, or not at all
                if row[0].id in LASTING:
                    shown.append(row)
                elif room >= _length(row):
                    room -= _length(row)
                    shown.append(row)
        spans: list[Span] = []
        for key, sign, label in shown:
            is_on = key.id in can
            spans += [(sign, "key" if is_on else "dim-key"), (f" {label} ", "" if is_on else "muted")]
        self.show([tuple(spans)])


def _length(row: tuple[Key, str, str]) -> int:
    return cell_len(f"{row[1]} {row[2]} ")


class NextBar(Page):
    """What to do now."""

    can_focus = False

    def compose(self) -> ComposeResult:
        yield Prose(id="next-text")

    def show(self, todo: Next) -> None:
        """Show the next action and what goes with it."""
        head: Line = (
            line((f" {todo.key} ", "key"), "  ", (todo.action, "heading"))
            if todo.key
            else line((todo.action, "heading"))
        )
        said = " tells all about the selected node" if todo.key == "n" else " tells more"
        more: Line = line((todo.more, "key"), (said, "muted")) if todo.more else ()
        rows = [(*head, ("   ", ""), *more)] if more else [head]
        if cell_len(as_text(rows)) > (self.size.width or 80):
            rows = [head, more] if more else rows
        self.query_one("#next-text", Prose).show([*rows, *todo.lines])


class FindBar(Horizontal):
    """Where the name of a node is typed. It says what was typed and what Enter asks for; it finds nothing itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", tooltip="Close the search; the selection stays.", id="find.close"),
    ]

    class Asked(Message):
        """Something was typed, or the next match is wanted."""

        def __init__(self, text: str, is_next: bool) -> None:
            super().__init__()
            self.text, self.is_next = text, is_next

    class Closed(Message):
        """The search is over."""

    def compose(self) -> ComposeResult:
        yield Prose(id="find-label")
        yield Input(id="find-text", compact=True)
        yield Prose(id="find-told")

    def open(self) -> None:
        """Begin to search."""
        self.display = True
        self.query_one("#find-label", Prose).show([line(("/", "key"))])
        box = self.query_one(Input)
        box.value = ""
        box.focus()
        self.tell("Esc: back to the list; Enter: next; a name or a state")

    def tell(self, text: str) -> None:
        """What came of it."""
        self.query_one("#find-told", Prose).show([line((text, "muted"))])

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self.post_message(self.Asked(event.value, False))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Asked(event.value, True))

    def action_close(self) -> None:
        """Stop searching."""
        self.display = False
        self.post_message(self.Closed())
