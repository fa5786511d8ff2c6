"""The list from which many nodes are approved at once. It asks and hands back yes or no; it submits nothing.

Invariant: every object that a yes stands for is named in the list, and what would become of it can be read below.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, OptionList
from textual.widgets.option_list import Option

from runbook.core.view import NodeView
from runbook.tui.present.many import Batch, detail, group_line, node_line
from runbook.tui.present.text import line
from runbook.tui.styled import Overlay
from runbook.tui.widgets.bars import Page
from runbook.tui.widgets.field_box import FieldBox
from runbook.tui.widgets.prose import Prose, content


class ManyDialog(Overlay[bool]):
    """Asks about one batch."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", tooltip="Close without doing anything.", id="many.cancel"),
        Binding("f2", "whole", "Whole ids", tooltip="Show resource ids in full, or shortened.", id="many.whole"),
        Binding("up", "move('cursor_up')", "Up", show=False),
        Binding("down", "move('cursor_down')", "Down", show=False),
        Binding("pageup", "move('page_up')", "Page up", show=False),
        Binding("pagedown", "move('page_down')", "Page down", show=False),
    ]

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.wanted = batch
        self._shown: dict[str, NodeView] = {n.id: n for n in batch.nodes}
        self._is_whole = False
        self._detailed: NodeView | None = None

    def compose(self) -> ComposeResult:
        batch = self.wanted
        with Vertical(id="dialog", classes="-many -grave" if batch.word else "-many"):
            yield Prose(id="dialog-title")
            yield Prose(id="many-remarks")
            yield OptionList(*self._options(), id="many-list", markup=False)
            with Page(id="many-detail"):
                yield Prose(id="many-text")
            if batch.word:
                yield Prose(id="label-word", classes="field-label")
                yield FieldBox("field-word")
            with Vertical(id="dialog-foot"):
                yield Prose(id="dialog-problem")
                with Horizontal(id="dialog-buttons"):
                    yield Button(f"{batch.go} (Enter)", id="go", compact=True)
                    yield Button("Cancel (Esc)", id="cancel", compact=True)

    def _options(self) -> list[Option]:
        options: list[Option] = []
        for group in self.wanted.groups:
            options.append(Option(content([group_line(group)]), disabled=True))
            options += [Option(content([node_line(node)]), id=node.id) for node in group.nodes]
        return options

    def on_mount(self) -> None:
        where = self.wanted.where
        title = (*where, *line("  " if where else "", (self.wanted.title, "heading")))
        self.query_one("#dialog-title", Prose).show([title])
        self.query_one("#many-remarks", Prose).show(self.wanted.remarks)
        if self.wanted.word:
            label = f"↑↓ and Tab show each change. Type the step's name: {self.wanted.word}"
            self.query_one("#label-word", Prose).show([line((label, "muted"))])
        self.query_one("#field-word" if self.wanted.word else "#many-list").focus()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._detailed = self._shown.get(event.option_id or "")
        self.query_one("#many-detail", Page).scroll_home(animate=False)
        self._detail()

    def action_whole(self) -> None:
        """Show resource ids in full, or shortened."""
        self._is_whole = not self._is_whole
        self._detail()

    def _detail(self) -> None:
        node = self._detailed
        self.query_one("#many-text", Prose).show(detail(node, is_whole=self._is_whole) if node else [])

    def action_move(self, how: str) -> None:
        """Move in the list, wherever the cursor is: who types the word can look at the list meanwhile."""
        getattr(self.query_one("#many-list", OptionList), f"action_{how}")()

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    @on(Button.Pressed, "#go")
    def _answer(self) -> None:
        word = self.wanted.word
        if word:
            box = self.query_one("#field-word", Input)
            if box.value.strip() != word:
                self.query_one("#dialog-problem", Prose).show([line((f"Type exactly: {word}", "bad"))])
                box.focus()
                box.select_all()
                return
        self.dismiss(True)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(False)
