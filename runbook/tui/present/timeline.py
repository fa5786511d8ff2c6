"""A run's bars over time, and the run as it stood at the cursor, as lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.cells import cell_len, set_cell_size

from runbook.core.clock import duration
from runbook.core.entry import Entry
from runbook.core.state import NodeState
from runbook.core.tally import URGENT
from runbook.core.view import RunView
from runbook.tui.present.axis import Axis
from runbook.tui.present.lanes import ROLES, SIGNS, WORDS, Fill, Lanes, Span
from runbook.tui.present.rows import Branch, Key, Row, tally
from runbook.tui.present.situation import situation
from runbook.tui.present.text import Line, ago, line, moment, one_line, pack, short, time_of_day
from runbook.tui.present.text import Span as Words
from runbook.tui.present.told import told
from runbook.tui.present.words import RUN_ROLES, RUN_WORDS, glyph, role, word

TOOK: Final = 8
"""Cells for how long a row took, at its right end."""


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One row: a phase, a step with several nodes, or a node."""

    row: Row
    depth: int
    nodes: tuple[str, ...]
    is_open: bool | None
    """Whether what lies below is shown; None where nothing does."""

    @property
    def key(self) -> Key:
        return self.row.key


def time_rows(branches: Iterable[Branch], is_open: Callable[[Branch], bool], depth: int = 0) -> list[TimeRow]:
    """The rows that are shown, top down."""
    rows: list[TimeRow] = []
    for branch in branches:
        opened = is_open(branch) if branch.children else None
        rows.append(TimeRow(branch.row, depth, tuple(_nodes(branch)), opened))
        if opened:
            rows += time_rows(branch.children, is_open, depth + 1)
    return rows


def _nodes(branch: Branch) -> list[str]:
    if not branch.children:
        return [branch.row.key[1]] if branch.row.key[0] == "node" else []
    return [node for child in branch.children for node in _nodes(child)]


def rows_by_key(branches: Iterable[Branch]) -> dict[Key, Row]:
    """Every row of an outline, folded or not."""
    found: dict[Key, Row] = {}
    for branch in branches:
        found[branch.row.key] = branch.row
        found |= rows_by_key(branch.children)
    return found


# ---------------------------------------------------------------- bars


def paint(spans: Iterable[Span], axis: Axis, width: int) -> bytes:
    """A bar: one fill for each cell. What lasted less than a cell still gets one."""
    by_fill: dict[Fill, list[Span]] = {}
    for span in spans:
        by_fill.setdefault(span.fill, []).append(span)
    cells = bytearray(width)
    for fill in sorted(by_fill):
        for span in by_fill[fill]:
            start = axis.column(span.start, width)
            end = width if span.is_open else axis.column(span.end, width)
            end = max(start + 1, end)
            cells[start:end] = bytes([fill]) * (end - start)
    return bytes(cells)


def row_line(row: TimeRow, then: Row | None, cells: bytes, cursor: int, room: tuple[int, int], took: str) -> Line:
    """A row in full: what it is and how it stood at the cursor, its bar, how long it took.

    Args:
        row: which.
        then: the same row as the run stood at the cursor; None when it was not there yet.
        cells: its bar.
        cursor: the cell in which the cursor stands.
        room: cells for the label and for the bar.
        took: in words.
    """
    label, width = room
    fold = "" if row.is_open is None else "▾ " if row.is_open else "▸ "
    sign, style, state = (then.glyph, then.role, then.word) if then else ("·", "muted", "later")
    state = "" if state in ("done", "pending") and label < 44 else state
    room_ = label - 1 - 2 * row.depth - len(fold) - 2 - (len(state) + 1 if state else 0)
    title = short(row.row.title, max(1, room_))
    spans: list[Words] = [("  " * row.depth + fold, ""), (f"{sign} ", style), (title, "heading" if fold else "")]
    spans.append((" " * max(0, room_ - cell_len(title)) + (f" {state}" if state else "") + " ", style))
    spans += bar_spans(cells, cursor)
    spans.append((f"{short(took, TOOK - 1):>{TOOK}}" if width else "", "muted"))
    return tuple(spans)


def bar_spans(cells: bytes, cursor: int) -> list[Words]:
    """A bar's text; what lies right of the cursor had not happened then and is dim."""
    spans: list[Words] = []
    place = 0
    for (fill, side), cells_ in groupby(enumerate(cells), key=lambda c: (c[1], (c[0] > cursor) - (c[0] < cursor))):
        count = len(list(cells_))
        if side == 0:
            spans.append((SIGNS[fill] if fill else "│", "tab"))
        else:
            spans.append((SIGNS[fill] * count, "muted" if side > 0 else ROLES[fill]))
        place += count
    return spans


def axis_line(axis: Axis, width: int, cursor: int) -> Line:
    """The line above the bars: where the cursor stands, and how long the shortened gaps were."""
    cells = ["─"] * width
    for gap in axis.gaps:
        start, end = int(gap.start * width), int(gap.end * width)
        text = f" {duration(gap.lasted_ms / 1000)} "
        room = end - start
        shown = f"{text:┄^{room}}" if len(text) <= room else "┄" * room
        cells[start:end] = shown
    head, tail = "".join(cells[:cursor]), "".join(cells[cursor + 1 :])
    return line((head, "muted"), ("▼", "go"), (tail, "muted"))


def took(lanes: Lanes, spans: Iterable[Span]) -> str:
    """How long something went on in a row, each moment counted once; empty before anything did."""
    parts = sorted((lanes.at_ms(span.start), lanes.at_ms(span.end)) for span in spans)
    if not parts:
        return ""
    total, until = 0, parts[0][0]
    for start, end in parts:
        total += max(0, end - max(start, until))
        until = max(until, end)
    told = duration(total / 1000)
    return told if len(told) < TOOK else " ".join(told.split()[:2])


def lasted(lanes: Lanes, spans: Iterable[Span], upto: int) -> dict[tuple[Fill, str], int]:
    """For how many milliseconds each thing lasted, as far as entry ``upto``; waits by whom."""
    found: dict[tuple[Fill, str], int] = {}
    for span in spans:
        if span.start <= upto and span.fill not in (Fill.DONE, Fill.SKIPPED):
            key = (span.fill, span.who)
            found[key] = found.get(key, 0) + lanes.at_ms(min(span.end, upto)) - lanes.at_ms(span.start)
    return found


def legend(width: int) -> Line:
    """What the fills mean, as many as there is room for; the help has them all."""
    parts = [(f"{SIGNS[f]} {WORDS[f]}", ROLES[f]) for f in (*_LEGEND,)]
    return next(iter(pack(parts, max(20, width), "  ")), ())


_LEGEND: Final = (
    Fill.CHANGED,
    Fill.WAITED,
    Fill.READY,
    Fill.BLOCKED,
    Fill.FAILED,
    Fill.DONE,
    Fill.LOOKED,
    Fill.SKIPPED,
    Fill.DOUBT,
)


def legend_rows() -> list[Line]:
    """The same for the help, one below the other."""
    rows = [line((f"   {SIGNS[fill]}    ", ROLES[fill]), WORDS[fill]) for fill in _LEGEND]
    rows.append(line(("   │    ", "tab"), "the cursor; what came after it is dim"))
    return [*rows, line(("  ┄┄┄   ", "muted"), "on the axis: a long time in which nothing new began, shortened")]


# ---------------------------------------------------------------- the run at the cursor


def then_lines(
    lanes: Lanes, seq: int, view: RunView | None, entry: Entry | None, row: TimeRow | None, width: int
) -> list[Line]:
    """The run as it stood at entry ``seq``: when, how many of what, the entry itself, the selected row."""
    first_ms, at_ms = lanes.at_ms(1), lanes.at_ms(seq)
    when = f"{moment(at_ms)[:10]} {time_of_day(at_ms)}"
    since = f"{ago(first_ms, at_ms)} after the start"
    top: list[Words] = [(f"#{seq} of {lanes.head}", "heading"), (when, ""), (since, "muted")]
    if view is None:
        return [*pack(top, width), line(("Reading the journal…", "muted"))]
    top.append((RUN_WORDS[view.state], RUN_ROLES[view.state]))
    rows = pack([*top, *([("PAUSED", "wait")] if view.paused else [])], width)
    rows += pack(_totals(view), width)
    if entry is not None:
        rows += _entry(view, entry, width)
    if row is not None:
        rows += _row(lanes, seq, view, row, width)
    return rows


def _totals(view: RunView) -> list[Words]:
    order = [NodeState.DONE, NodeState.SKIPPED, *URGENT, NodeState.PENDING]
    totals = view.totals
    shown = [(f"{totals[s]} {s.value.replace('_', ' ')}", role(s)) for s in order if totals.get(s)]
    later = [(f"{view.steps_left} steps still to become nodes", "muted")] if view.steps_left else []
    return [*shown, *later] or [("no node yet", "muted")]


def _entry(view: RunView, entry: Entry, width: int) -> list[Line]:
    node = view.nodes.get(entry.node or "")
    about = short(one_line(node.doc["title"]) or node.id, max(16, width // 2)) if node else "run"
    text = told(entry)
    first = max(8, width - cell_len(about) - 4)
    if cell_len(text) <= first:
        return [line(("▸ ", "go"), (about, "heading"), ": ", text)]
    head = set_cell_size(text, first).rpartition(" ")[0] or set_cell_size(text, first)
    rest = text[len(head) :].strip()
    return [line(("▸ ", "go"), (about, "heading"), ": ", head), line("  ", short(rest, max(8, width - 2)))]


def _row(lanes: Lanes, seq: int, view: RunView, row: TimeRow, width: int) -> list[Line]:
    node = view.nodes.get(row.key[1]) if row.key[0] == "node" else None
    spans = [span for name in row.nodes for span in lanes.spans(name)]
    if node is None:
        there = [view.nodes[name] for name in row.nodes if name in view.nodes]
        later = len(row.nodes) - len(there)
        said = f"{tally(there).spelled()}" if there else "no node of it was there yet"
        said += f", {later} came later" if there and later else ""
        return pack([(short(row.row.title, width - 20), "heading"), (said, "muted")], width)
    mark: Words = (f"{glyph(node)} {word(node)}", role(node.state))
    since = f"for {ago(node.since_ms, lanes.at_ms(seq))}" if node.started_ms is not None else ""
    facts: list[Words] = [mark, (short(one_line(node.doc["title"]) or node.id, max(20, width - 30)), "heading")]
    rows = pack([*facts, *([(since, "muted")] if since else [])], width)
    parts = [_lasted(fill, who, ms) for (fill, who), ms in lasted(lanes, spans, seq).items() if ms >= 1000]
    rows += pack([("so far", "muted"), *parts], width) if parts else []
    rows += situation(node, lanes.at_ms(seq), is_brief=True)
    return rows


def _lasted(fill: Fill, who: str, ms: int) -> Words:
    whom = f" for {short(one_line(who), 40)}" if who else ""
    return (f"{WORDS[fill]} {duration(ms / 1000)}{whom}", ROLES[fill])


def open_at_first(branches: Sequence[Branch], height: int) -> Collection[Key]:
    """What is unfolded to begin with: phases, as far as their steps have room."""
    opened: set[Key] = set()
    used = len(branches)
    for branch in branches:
        if (used := used + len(branch.children)) > height:
            break
        opened.add(branch.row.key)
    return opened


def matching(rows: Sequence[TimeRow], node: str) -> int | None:
    """The row that shows this node, or that it is folded into."""
    found = [number for number, row in enumerate(rows) if node in row.nodes]
    return found[-1] if found else None


def paths(branches: Sequence[Branch]) -> Mapping[str, tuple[Key, ...]]:
    """By node, what has to be unfolded for it to be seen."""
    found: dict[str, tuple[Key, ...]] = {}

    def walk(branch: Branch, above: tuple[Key, ...]) -> None:
        if branch.row.key[0] == "node":
            found[branch.row.key[1]] = above
        for child in branch.children:
            walk(child, (*above, branch.row.key))

    for branch in branches:
        walk(branch, ())
    return found
