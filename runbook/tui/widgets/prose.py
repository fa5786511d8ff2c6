"""Lines with roles, drawn. The only place where spans become content; markup is never read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from runbook.tui.present.text import BOXED, Line


def content(rows: Iterable[Line], boxes: Mapping[str, Style] | None = None) -> Content:
    """Lines as one content; each role becomes the component class ``role--<role>``.

    ``boxes`` are the styles of roles that have a background: Textual drops the background of a component class that
    is only named, so these have to be looked up.
    """
    boxes = boxes or {}
    parts: list[str | tuple[str, str | Style]] = []
    for number, row in enumerate(rows):
        if number:
            parts.append("\n")
        parts += [(text, boxes.get(role, f".role--{role}")) if role else text for text, role in row if text]
    return Content.assemble(*parts)


class Prose(Static):
    """Text that redraws only when it changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(markup=False, id=id, classes=classes)
        self.rows: tuple[Line, ...] = ()
        """What is shown now."""

    def show(self, rows: Iterable[Line]) -> None:
        """Show these lines."""
        if (new := tuple(rows)) != self.rows:
            self.rows = new
            self._draw()

    def _draw(self) -> None:
        boxed = {role for row in self.rows for _, role in row if role in BOXED}
        self.update(content(self.rows, {role: self.screen.get_visual_style(f"role--{role}") for role in boxed}))

    def notify_style_update(self) -> None:
        """Another theme: what was looked up is looked up again, once the new styles are there."""
        super().notify_style_update()
        if any(role in BOXED for row in self.rows for _, role in row):
            self.call_later(self._draw)
