"""The home screen's list: rows with roles, and headings that the cursor passes over."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from runbook.tui.present.text import Line
from runbook.tui.widgets.prose import content


class RunList(OptionList):
    """Shows rows by their ids. What changed is drawn anew; the cursor stays on its row whatever moves around it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._pressed_on: int | None = None
        self._ids: list[str | None] = []
        self._rows: list[Line] = []

    def on_click(self, event: events.Click) -> None:
        """A click goes to a row; another one there opens it."""
        place = event.style.meta.get("option")
        if place is not None and place != self._pressed_on:
            event.prevent_default()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember where the cursor was when the button went down."""
        self._pressed_on = self.highlighted
        place = event.style.meta.get("option")
        if place is not None and not self.get_option_at_index(place).disabled:
            self.highlighted = place

    def show(self, rows: Sequence[tuple[str | None, Line]], at: str | None) -> str | None:
        """Show these rows, a heading where the id is None. Says nothing to anybody.

        Args:
            rows: in order.
            at: the row to be on; where it is gone, the cursor goes to its neighbour, and at first to the first.

        Returns:
            The row that the cursor is on.
        """
        ids = [id_ for id_, _ in rows]
        with self.prevent(OptionList.OptionHighlighted):
            if ids == self._ids:
                for place, (_, row) in enumerate(rows):
                    if row != self._rows[place]:
                        self.replace_option_prompt_at_index(place, content([row]))
                if at is not None and at in ids:
                    self.highlighted = ids.index(at)
            else:
                was, top = self.highlighted or 0, self.scroll_y
                self.clear_options()
                self.add_options(Option(content([row]), id=id_, disabled=id_ is None) for id_, row in rows)
                self.scroll_to(y=top, animate=False)
                real = [place for place, id_ in enumerate(ids) if id_ is not None]
                if at is not None and at in ids:
                    self.highlighted = ids.index(at)
                elif real:
                    self.highlighted = next((p for p in real if p >= was), real[-1]) if at else real[0]
            self._ids, self._rows = ids, [row for _, row in rows]
        on = self.highlighted
        return ids[on] if on is not None and on < len(ids) else None
