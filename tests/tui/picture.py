"""A screen as text that can be kept, compared and read in a diff: its cells, and how each of them is drawn.

The words come first, then for every set of colours one line a row that says how many cells are drawn in which style,
and what each style is. Ten times smaller than a drawing of the same screen, and a change can be reviewed line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.app import App

Strip = Sequence[Segment]


def strips(app: App[None]) -> list[list[Segment]]:
    """What is on the screen now, row by row."""
    return [list(strip) for strip in app.screen._compositor.render_strips()]


def words(rows: Iterable[Strip]) -> str:
    """The bare text."""
    return "\n".join("".join(s.text for s in row if not s.control).rstrip() for row in rows)


def colours(rows: Iterable[Strip]) -> str:
    """Every cell's style, run by run, and the list of styles."""
    names: dict[str, str] = {}
    drawn = []
    for row in rows:
        runs: list[tuple[str, int]] = []
        for segment in row:
            name = names.setdefault(_told(segment.style), _letter(len(names)))
            length = segment.cell_length
            if runs and runs[-1][0] == name:
                runs[-1] = (name, runs[-1][1] + length)
            elif length:
                runs.append((name, length))
        drawn.append(" ".join(f"{name}{length}" for name, length in runs))
    return "\n".join([*drawn, *(f"{letter} = {told}" for told, letter in names.items())])


def _letter(number: int) -> str:
    return ("" if number < 26 else _letter(number // 26 - 1)) + chr(ord("a") + number % 26)


def _told(style: Style | None) -> str:
    """``#ffffff on #000000 bold``, without what only a terminal that is clicked in would notice."""
    if style is None:
        return "plain"
    names = ("bold", "dim", "italic", "underline", "reverse", "strike")
    parts = [style.color.name if style.color else "plain"]
    parts += [f"on {style.bgcolor.name}"] if style.bgcolor else []
    return " ".join([*parts, *(name for name in names if getattr(style, name))])
