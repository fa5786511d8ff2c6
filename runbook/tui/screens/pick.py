"""Choosing from a list that may have to be read first: typing searches, Tab marks where several may be chosen.

Invariant: the field changes only by Enter. A list that cannot be read says why, and typing by hand stays possible.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from runbook.core.error import RunbookError
from runbook.tui.aside import Aside, CalledOff
from runbook.tui.making import Choice, Offer
from runbook.tui.present.form import matching
from runbook.tui.present.text import Line, line, one_line, short
from runbook.tui.styled import Overlay
from runbook.tui.widgets.prose import Prose, content

MOST: Final = 400
"""Lines that are shown at once; more are found by typing."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A choice that needs no reading."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Choices that are known beforehand."""

    choices: Sequence[Choice]
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """What a list is opened for.

    Attributes:
        title: what is asked.
        where: where it is read, in words.
        read: reads it; None where ``known`` is all there is.
        known: what was read before, or need not be read.
        chosen: what the field holds now.
        is_many: whether several may be chosen.
        order: the order in which to offer values.
    """

    title: str
    where: str
    read: Callable[[], Coroutine[Any, Any, Offer]] | None
    known: Offer | None = None
    chosen: Sequence[str] = ()
    is_many: bool = False
    order: Callable[[Sequence[str]], Sequence[int]] = lambda values: range(len(values))


@dataclass(frozen=True, slots=True)
class Picked:
    """What was chosen, and the list it was chosen from. ``values`` is None where the field is to stay as it is."""

    values: tuple[str, ...] | None
    offer: Offer | None


def choice_line(choice: Choice, mark: str, width: int) -> Line:
    """One line of the list: the label, then what tells it from its like."""
    label = short(one_line(choice.label), max(12, width))
    detail = "" if choice.detail == choice.label else one_line(choice.detail)
    room = set_cell_size(label, max(cell_len(label), min(width, 34)))
    return line((mark, "go"), room if detail else label, (f"  {detail}" if detail else "", "muted"))


class PickScreen(Overlay[Picked]):
    """Asks for one value, or for several."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", tooltip="Leave the field as it is.", id="pick.cancel"),
        Binding("f5", "read", "Read again", tooltip="Read the list again.", id="pick.read"),
        Binding("tab", "mark", "Mark", tooltip="Mark or unmark this line.", id="pick.mark", priority=True),
        Binding("f4", "mark_all", "All", tooltip="Mark or unmark every line shown.", id="pick.all"),
        Binding("up", "move('cursor_up')", "Up", show=False),
        Binding("down", "move('cursor_down')", "Down", show=False),
        Binding("pageup", "move('page_up')", "Page up", show=False),
        Binding("pagedown", "move('page_down')", "Page down", show=False),
    ]

    class Read(Message):
        """The list was read, or could not be."""

        def __init__(self, aside: Aside[Offer], offer: Offer | None, problem: str = "") -> None:
            super().__init__()
            self.aside, self.offer, self.problem = aside, offer, problem

    def __init__(self, asking: Asking) -> None:
        super().__init__()
        self._asking = asking
        self._offer = asking.known
        self._marked = dict.fromkeys(value.lower() for value in asking.chosen)
        self._is_touched = bool(asking.chosen)
        """Whether no mark at all may be what is meant."""
        self._typed_by_hand = {value.lower(): value for value in asking.chosen}
        self._aside: Aside[Offer] | None = None
        self._problem = ""
        self._seconds = 0
        self._shown: list[Choice] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-pick" if self._asking.read is not None else "-pick -few"):
            yield Prose(id="dialog-title")
            yield Input(id="pick-find", compact=True, placeholder="type to search")
            yield Prose(id="pick-told")
            yield OptionList(id="pick-list", markup=False, compact=True)
            yield Prose(id="pick-keys")

    def on_mount(self) -> None:
        self.query_one("#dialog-title", Prose).show([line((one_line(self._asking.title), "heading"))])
        self.query_one("#pick-find").focus()
        self.query_one("#pick-list").can_focus = False
        self.set_interval(1, self._tick)
        if self._offer is None and self._asking.read is not None:
            self.action_read()
        self.call_after_refresh(self._list)

    def on_unmount(self) -> None:
        if self._aside is not None:
            self._aside.call_off()

    def on_resize(self) -> None:
        self.call_after_refresh(self._list)

    # ------------------------------------------------------------ reading

    def action_read(self) -> None:
        """Read the list, again if it was read before."""
        if self._asking.read is None or self._aside is not None:
            return
        self._problem, self._seconds = "", 0
        self._aside = Aside(self._asking.read)
        self.run_worker(partial(self._read, self._aside), thread=True, group="pick", name="pick", exit_on_error=False)
        self._tell()

    def _read(self, aside: Aside[Offer]) -> None:
        try:
            self.post_message(self.Read(aside, aside.run()))
        except CalledOff:
            return
        except RunbookError as error:
            self.post_message(self.Read(aside, None, f"{one_line(error)} {one_line(error.hint)}".strip()))

    @on(Read)
    def _was_read(self, message: Read) -> None:
        if message.aside is not self._aside:
            return
        self._aside = None
        self._problem = message.problem
        if message.offer is not None:
            self._offer = message.offer
        self._list()

    def _tick(self) -> None:
        if self._aside is not None:
            self._seconds += 1
            self._tell()

    # ------------------------------------------------------------ the list

    def _list(self) -> None:
        """Show what fits to what was typed."""
        every = self._every()
        typed = self.query_one("#pick-find", Input).value
        found = [every[n] for n in matching([f"{c.label} {c.detail} {c.value}" for c in every], typed)]
        self._shown = found[:MOST]
        rows = self.query_one("#pick-list", OptionList)
        at = rows.highlighted or 0
        width = max(12, min(34, max((cell_len(one_line(c.label)) for c in self._shown), default=12)))
        rows.clear_options()
        rows.add_options([Option(content([choice_line(c, self._mark(c), width)])) for c in self._shown])
        if self._shown:
            now = next((n for n, c in enumerate(self._shown) if c.value.lower() in self._marked), 0)
            rows.highlighted = now if not typed and at == 0 else min(at, len(self._shown) - 1)
        self._tell(len(found))

    def _every(self) -> list[Choice]:
        """What is offered, in order; first what the field holds and the list does not."""
        choices = list(self._offer.choices) if self._offer is not None else []
        ordered = [choices[n] for n in self._asking.order([c.value for c in choices])]
        known = {c.value.lower() for c in choices}
        own = [Plain(v, v, "typed by hand") for low, v in self._typed_by_hand.items() if low not in known]
        return [*own, *ordered] if self._asking.is_many else ordered

    def _mark(self, choice: Choice) -> str:
        if not self._asking.is_many:
            return "• " if choice.value.lower() in self._marked else "  "
        return "[x] " if choice.value.lower() in self._marked else "[ ] "

    def _tell(self, found: int | None = None) -> None:
        found = len(self._shown) if found is None else found
        rows: list[Line] = []
        if self._aside is not None:
            waits = f" {self._seconds} s" if self._seconds else ""
            rows.append(line(("… ", "busy"), (f"reading {self._asking.where}{waits}; Esc gives it up", "busy")))
        elif self._problem:
            rows.append(line(("✗ cannot be read: ", "bad"), (self._problem, "bad")))
            rows.append(line(("F5 reads again. Esc, and type the value by hand.", "muted")))
        elif not found:
            what = "Nothing matches." if self._every() else f"There is none {self._asking.where}."
            rows.append(line((f"{what} Esc, and type the value by hand.", "wait")))
        elif found > MOST:
            rows.append(line((f"the first {MOST} of {found:,}; type to narrow it down", "muted")))
        else:
            rows.append(line((f"{found:,} {self._asking.where}", "muted")))
        if self._offer is not None:
            rows += [line((f"! {one_line(remark)}", "wait")) for remark in list(self._offer.remarks)[:3]]
        self.query_one("#pick-told", Prose).show(rows)
        self.query_one("#pick-keys", Prose).show([self._keys()])

    def _keys(self) -> Line:
        keys: list[tuple[str, str]] = [("↑↓", "key"), (" Move ", "")]
        if self._asking.is_many:
            keys += [("Tab", "key"), (" Mark ", ""), ("F4", "key"), (" All shown ", "")]
        by_marks = self._asking.is_many and (self._marked or self._is_touched)
        count = f" Take {len(self._marked)} marked " if by_marks else " Take "
        keys += [("Enter", "key"), (count, "")]
        if self._asking.read is not None:
            keys += [("F5", "key"), (" Read again ", "")]
        return line(*keys, ("Esc", "key"), (" Back", ""))

    # ------------------------------------------------------------ keys

    @on(Input.Changed)
    def _searched(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#pick-list", OptionList).highlighted = 0 if self._shown else None
        self._list()

    def action_move(self, how: str) -> None:
        """Move in the list; the cursor stays where is typed."""
        getattr(self.query_one("#pick-list", OptionList), f"action_{how}")()

    def action_mark(self) -> None:
        """Mark or unmark the highlighted line, and go on to the next."""
        if self._asking.is_many and (choice := self._current()) is not None:
            self._toggle([choice], choice.value.lower() not in self._marked)
            self.action_move("cursor_down")

    def action_mark_all(self) -> None:
        """Mark every line shown; if all are, unmark them."""
        if self._asking.is_many:
            self._toggle(self._shown, any(c.value.lower() not in self._marked for c in self._shown))

    def _toggle(self, choices: Sequence[Choice], is_on: bool) -> None:
        self._is_touched = True
        for choice in choices:
            self._marked.pop(choice.value.lower(), None)
            if is_on:
                self._marked[choice.value.lower()] = None
        self._list()

    def _current(self) -> Choice | None:
        at = self.query_one("#pick-list", OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        """With the mouse: a click takes the line, or marks it where several may be chosen."""
        event.stop()
        if self._asking.is_many:
            choice = self._shown[event.option_index]
            self._toggle([choice], choice.value.lower() not in self._marked)
        else:
            self._take()

    @on(Input.Submitted)
    def _take(self) -> None:
        if not self._asking.is_many:
            if (choice := self._current()) is not None:
                self.dismiss(Picked((choice.value,), self._offer))
            return
        if not self._marked and not self._is_touched and (choice := self._current()) is not None:
            self._marked[choice.value.lower()] = None  # who marks nothing means the line
        values = {c.value.lower(): c.value for c in self._every()}
        self.dismiss(Picked(tuple(values[low] for low in self._marked if low in values), self._offer))

    def action_cancel(self) -> None:
        """Leave the field as it is."""
        self.dismiss(Picked(None, self._offer))
