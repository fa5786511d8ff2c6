"""Boxes of text cells: rows set in columns, framed, stood side by side and joined by wires.

Knows nothing of what is in them. Invariants: every line of a drawing is exactly as wide as the drawing; a wire never
crosses another one, what cannot be drawn so is left out. Rows that did not change are not laid out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len

from runbook.tui.present.text import Line, Span, short, short_middle

FRAME: Final = "muted"
_LEAST: Final = 6
"""Cells below which a column is not shortened."""
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``glyph  cell  cell …… word``.

    Attributes:
        key: what it stands for; rows one below the other with the same key are one block. Empty: for nothing.
        glyph: a sign one cell wide, or nothing.
        role: of the glyph and the word.
        cells: texts with roles; those of one section stand below each other.
        word: at the right edge.
        indent: cells before the glyph.
        begins: whether the beginning of its last cell says more than the end.
    """

    key: str
    glyph: str = ""
    role: str = ""
    cells: tuple[Span, ...] = ()
    word: str = ""
    indent: int = 0
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Rows set in columns, below a line with a title, if it has one."""

    rows: tuple[Row, ...] = ()
    title: Row | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A frame with a title and sections."""

    title: Row
    sections: tuple[Section, ...] = ()

    @property
    def height(self) -> int:
        return 2 + sum(len(s.rows) + (s.title is not None) for s in self.sections)


class Spot(NamedTuple):
    """Where something stands, in cells."""

    key: str
    x: int
    y: int
    width: int
    height: int


def beside(spots: Sequence[Spot], at: Spot, direction: str) -> Spot | None:
    """The next thing ``up``, ``down``, ``left`` or ``right`` of one; None at the edge."""
    if direction in ("up", "down"):
        column = [s for s in spots if s.x == at.x and ((s.y < at.y) if direction == "up" else (s.y > at.y))]
        return min(column, key=lambda s: abs(s.y - at.y), default=None)
    side = [s for s in spots if ((s.x < at.x) if direction == "left" else (s.x > at.x))]
    return min(side, key=lambda s: (abs(s.x - at.x), abs(s.y - at.y)), default=None)


class Wire(NamedTuple):
    """A line from one thing to another."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines, all of one width, and where what stands first, column by column."""

    lines: tuple[Line, ...] = ()
    spots: tuple[Spot, ...] = ()
    width: int = 0

    def spot(self, key: str) -> Spot | None:
        return next((s for s in self.spots if s.key == key), None)


def stand(columns: Sequence[Sequence[Box]], width: int, gutter: int, wires: Iterable[Wire] = ()) -> Drawing:
    """Columns of boxes side by side.

    Args:
        columns: boxes from top to bottom, columns from left to right.
        width: of the whole.
        gutter: between two columns, where wires run.
        wires: what to join, as far as it stands in columns next to each other.
    """
    columns = [c for c in columns if c]
    if not columns:
        return Drawing(width=width)
    room = width - gutter * (len(columns) - 1)
    widths = [room // len(columns) + (number < room % len(columns)) for number in range(len(columns))]
    spots: dict[str, Spot] = {}
    drawn: list[list[Line]] = []
    x = 0
    tops: list[dict[str, int]] = []
    for boxes, wide in zip(columns, widths, strict=True):
        lines: list[Line] = []
        first: dict[str, int] = {}
        for box in boxes:
            for key, y, height in _keys(box):
                spots.setdefault(key, Spot(key, x, len(lines) + y, wide, height))
                first.setdefault(key, len(lines) + y)
            lines += _framed(box, wide)
        drawn.append(lines)
        tops.append(first)
        x += wide + gutter
    height = max(map(len, drawn))
    blank = [((" " * w, ""),) for w in widths]
    strips = [[*lines, *[blank[n]] * (height - len(lines))] for n, lines in enumerate(drawn)]
    joined = [*wires]
    for left in range(len(strips) - 1):
        between, leaving, entering = _gutter(joined, tops[left], tops[left + 1], height, gutter)
        for y in leaving:
            strips[left][y] = (*strips[left][y][:-1], (strips[left][y][-1][0][:-1] + "├", FRAME))
        for y in entering:
            strips[left + 1][y] = (("┤" + strips[left + 1][y][0][0][1:], FRAME), *strips[left + 1][y][1:])
        strips[left] = [(*line, span) for line, span in zip(strips[left], between, strict=True)]
    whole = [tuple(span for strip in strips for span in strip[y]) for y in range(height)]
    return Drawing(tuple(whole), tuple(spots.values()), width)


def _keys(box: Box) -> Iterable[tuple[str, int, int]]:
    """Every key in a box, with its first line and how many lines it takes."""
    found: list[tuple[str, int, int]] = []
    rows = [box.title]
    for section in box.sections:
        rows += [section.title] if section.title is not None else []
        rows += section.rows
    for y, row in enumerate(rows):
        if not row.key:
            continue
        if found and found[-1][0] == row.key and sum(found[-1][1:]) == y:
            found[-1] = (row.key, found[-1][1], found[-1][2] + 1)
        else:
            found.append((row.key, y, 1))
    return found


# ---------------------------------------------------------------- one box


@lru_cache(maxsize=4096)
def _framed(box: Box, width: int) -> tuple[Line, ...]:
    lines = [_edge("╭", box.title, "╮", width)]
    for section in box.sections:
        if section.title is not None:
            lines.append(_edge("├", section.title, "┤", width))
        lines += [(("│ ", FRAME), *line, (" │", FRAME)) for line in _set(section.rows, width - 4)]
    lines.append((("╰" + "─" * (width - 2) + "╯", FRAME),))
    return tuple(lines)


def _edge(start: str, row: Row, end: str, width: int) -> Line:
    """A line of the frame with a title in it."""
    inside = width - 4
    glyph = f"{row.glyph} " if row.glyph else ""
    word = f" {row.word} " if row.word else ""
    room = inside - 2 - cell_len(glyph) - cell_len(word)
    texts = _fit_title(row.cells, max(0, room))
    spans: list[Span] = [(start + "─ ", FRAME), (glyph, row.role), *texts]
    used = 3 + cell_len(glyph) + sum(cell_len(t) for t, _ in texts)
    fill = width - used - cell_len(word) - 2
    spans += [(" " + "─" * max(0, fill - 1), FRAME), (word, row.role), ("─" + end, FRAME)]
    return tuple(s for s in spans if s[0])


def _fit_title(cells: Sequence[Span], room: int) -> list[Span]:
    """The name first, in the middle shortened; of the rest as much as there is room for."""
    if not cells:
        return []
    (name, role), *rest = cells
    shown: list[Span] = [(short_middle(name, room), role)]
    left = room - cell_len(shown[0][0])
    for text, of in rest:
        if not text:
            continue
        if cell_len(text) + 3 > left:
            break
        shown.append((" · " + text, of))
        left -= cell_len(text) + 3
    return shown


@lru_cache(maxsize=4096)
def _set(rows: tuple[Row, ...], width: int) -> tuple[Line, ...]:
    """Rows with their cells below each other, each row exactly ``width`` cells. Rows of one kind stand together."""
    together: dict[tuple[int, bool], list[Row]] = {}
    for row in rows:
        together.setdefault((row.indent, row.begins), []).append(row)
    widths = {shape: _widths(group, width - shape[0] - 2) for shape, group in together.items()}
    return tuple(_line(row, widths[row.indent, row.begins], width) for row in rows)


def _widths(rows: Sequence[Row], room: int) -> list[int]:
    """How wide each column may be. What is muted gives way first, then names; addresses and other codes never do."""
    count = max(len(row.cells) for row in rows)
    wide = [0] * count
    is_muted = [True] * count
    is_code = [False] * count
    for row in rows:
        for at, (text, role) in enumerate(row.cells):
            wide[at] = max(wide[at], cell_len(text))
            is_muted[at] = is_muted[at] and (role == "muted" or not text)
            is_code[at] = is_code[at] or role == "code"
    word = max(cell_len(row.word) for row in rows)
    room -= word + _GAP if word else 0
    order = [at for at in reversed(range(count)) if is_muted[at] and not is_code[at]]
    names = [at for at in range(count) if at not in order and not is_code[at]]
    for at in order:
        over = _taken(wide) - room
        if over > 0:
            wide[at] = wide[at] - over if (wide[at] - over) * 5 >= wide[at] * 4 else 0
    while names and (over := _taken(wide) - room) > 0:
        at = max(names, key=lambda i: wide[i])
        if wide[at] <= _LEAST:
            break
        others = max((wide[i] for i in names if i != at), default=0)
        wide[at] -= min(over, max(1, wide[at] - max(_LEAST, others)))
    return wide


def _taken(wide: Sequence[int]) -> int:
    shown = [w for w in wide if w]
    return sum(shown) + _GAP * max(0, len(shown) - 1)


def _line(row: Row, wide: Sequence[int], width: int) -> Line:
    spans: list[Span] = [(" " * row.indent, ""), (f"{row.glyph or ' '} ", row.role)]
    used = row.indent + 2
    tail = f"{'':{_GAP}}{row.word}" if row.word else ""
    is_first = True
    for at, (text, role) in enumerate(row.cells):
        if not wide[at]:
            continue
        if not is_first:
            spans.append((" " * _GAP, ""))
            used += _GAP
        is_first = False
        is_last = not any(t and wide[at + 1 + n] for n, (t, _) in enumerate(row.cells[at + 1 :]))
        room = width - used - cell_len(tail) if is_last else wide[at]  # nothing stands behind it: it may run on
        shown = (short if is_last and row.begins else short_middle)(text, max(0, room))
        pad = 0 if is_last else wide[at] - cell_len(shown)
        spans += [(shown, role), (" " * pad, "")]
        used += cell_len(shown) + pad
        if is_last:
            break
    if used + cell_len(tail) > width:  # too narrow for its columns: what fits, from the left
        return _cut(spans, width)
    spans += [(" " * (width - used - cell_len(tail)), ""), (tail, row.role)]
    return tuple(s for s in spans if s[0])


def _cut(spans: Iterable[Span], width: int) -> Line:
    shown: list[Span] = []
    left = width
    for text, role in spans:
        if left <= 0:
            break
        text = short(text, left)
        shown.append((text, role))
        left -= cell_len(text)
    return (*(s for s in shown if s[0]), (" " * left, "")) if left else tuple(s for s in shown if s[0])


# ---------------------------------------------------------------- wires

_L, _R, _U, _D = 1, 2, 4, 8
_SIGNS: Final[Mapping[int, str]] = {
    0: " ", _L: "─", _R: "─", _L | _R: "─", _U: "│", _D: "│", _U | _D: "│",
    _L | _D: "╮", _L | _U: "╯", _R | _D: "╭", _R | _U: "╰",
    _L | _R | _D: "┬", _L | _R | _U: "┴", _L | _U | _D: "┤", _R | _U | _D: "├", _L | _R | _U | _D: "┼",
}  # fmt: skip


class _Run(NamedTuple):
    left: int
    right: int
    is_rightwards: bool


def _gutter(
    wires: Sequence[Wire], left: Mapping[str, int], right: Mapping[str, int], height: int, width: int
) -> tuple[list[Span], set[int], set[int]]:
    """The cells between two columns, line by line; the lines where wires leave the left column; and the right one."""
    runs: list[_Run] = []
    for wire in wires:
        if wire.source in left and wire.target in right:
            runs.append(_Run(left[wire.source], right[wire.target], True))
        elif wire.target in left and wire.source in right:
            runs.append(_Run(left[wire.target], right[wire.source], False))
    chosen = _without_crossings(sorted(set(runs)))
    tracks = _tracks(chosen, width - 2)
    cells = [[0] * width for _ in range(height)]
    heads: dict[tuple[int, int], str] = {}
    leaving: set[int] = set()
    entering: set[int] = set()
    for run, track in tracks:
        at = track
        for x in range(at):
            cells[run.left][x] |= _L | _R
        for x in range(at + 1, width):
            cells[run.right][x] |= _L | _R
        low, high = sorted((run.left, run.right))
        if low == high:
            cells[low][at] |= _L | _R
        else:
            for y in range(low + 1, high):
                cells[y][at] |= _U | _D
            down = run.right > run.left
            cells[run.left][at] |= _L | (_D if down else _U)
            cells[run.right][at] |= _R | (_U if down else _D)
        if run.is_rightwards:
            heads[run.right, width - 1] = "▸"
            leaving.add(run.left)
        else:
            heads[run.left, 0] = "◂"
            entering.add(run.right)
    rows = []
    for y in range(height):
        text = "".join(heads.get((y, x)) or _SIGNS[bits] for x, bits in enumerate(cells[y]))
        rows.append((text, FRAME if text.strip() else ""))
    return rows, leaving, entering


def _without_crossings(runs: Sequence[_Run]) -> list[_Run]:
    """As many runs, from the top, as can be drawn in order on both sides."""
    chosen: list[_Run] = []
    for run in runs:
        if all(run.right >= other.right for other in chosen):
            chosen.append(run)
    return chosen


def _tracks(runs: Sequence[_Run], most: int) -> list[tuple[_Run, int]]:
    """A place across the gutter for each run, so that none crosses another; those for which there is none are left out.

    Of runs that go down, the later ones turn nearer to the left; of those that go up, farther from it.
    """
    found: list[tuple[_Run, int]] = []
    for is_down in (True, False):
        these = [r for r in runs if (r.right > r.left) is is_down and r.right != r.left]
        placed: list[tuple[_Run, int]] = []
        for run in reversed(these) if is_down else these:
            low, high = sorted((run.left, run.right))
            over = [t for r, t in placed if min(r.left, r.right) <= high and max(r.left, r.right) >= low]
            track = max(over, default=0) + 1
            if track <= most:
                placed.append((run, track))
        found += placed
    return [*found, *((r, 1) for r in runs if r.left == r.right)]
