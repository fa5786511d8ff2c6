"""Rows of text, each with a bar, of which only those in sight are made. It knows which row is selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from runbook.tui.present.text import BOXED, Line


class BarRows(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows as many rows as it is told there are, each made when it comes in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "leap(-1)", "Page up", show=False),
        Binding("pagedown", "leap(1)", "Page down", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar-rows--cursor"}

    class Selected(Message):
        """Another row was selected, or a cell of one was clicked (``x`` is None when not)."""

        def __init__(self, row: int, x: int | None = None) -> None:
            super().__init__()
            self.row, self.x = row, x

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._count = 0
        self._line_of: Callable[[int], Line] = lambda _: ()
        self.at = 0
        """The selected row."""

    def show(self, count: int, at: int, line_of: Callable[[int], Line]) -> None:
        """Show so many rows, the one at ``at`` selected; ``line_of`` makes a row's text when it is needed."""
        moved = at != self.at or count != self._count
        self._count, self.at, self._line_of = count, at, line_of
        self.virtual_size = Size(self.scrollable_content_region.width or self.size.width, count)
        if moved:
            self.call_after_refresh(self._reveal)
        self.refresh()

    def _reveal(self) -> None:
        if self._count and self.size.height:
            self.scroll_to_region(Region(0, self.at, 1, 1), animate=False)

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        row, width = y + int(self.scroll_offset.y), self.size.width
        if row >= self._count:
            return Strip.blank(width, self.rich_style)
        is_chosen = row == self.at and self.has_focus
        base = self.get_component_rich_style("bar-rows--cursor") if is_chosen else self.rich_style
        segments = [Segment(text, base + self._style(role) if role else base) for text, role in self._line_of(row)]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, role: str) -> Style:
        style: Style = self.screen.get_component_rich_style(f"role--{role}", partial=role not in BOXED)
        return style

    def action_move(self, rows: int) -> None:
        """Select a row so many further down."""
        if self._count:
            self.post_message(self.Selected(min(self._count - 1, max(0, self.at + rows))))

    def action_leap(self, pages: int) -> None:
        """Select a row a page further down."""
        self.action_move(pages * max(1, self.size.height - 1))

    def on_click(self, event: events.Click) -> None:
        row = event.y + int(self.scroll_offset.y)
        if row < self._count:
            self.post_message(self.Selected(row, event.x))
