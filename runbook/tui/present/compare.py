"""Two runs side by side: the list of what differs, and one difference field by field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final

from rich.cells import cell_len, chop_cells

from runbook.core.summary import RunSummary
from runbook.core.tally import FEW
from runbook.report.compare import Comparison, Field, Item
from runbook.report.sides import MINOR, SAME
from runbook.tui.present.text import BLANK, Line, Span, clean, line, lines, moment, one_line, pack, short
from runbook.tui.present.words import RUN_WORDS

SIGNS: Final = ("!", "≠", "·", "=")
WORDS: Final = ("grave", "different", "minor", "same")
ROLES: Final = ("bad", "wait", "muted", "ok")
"""Each by rank."""

_MIDDLE: Final = " │ "
_NAMED: Final = 40
"""So many of those of which the same is to be said are named."""
_LONGEST: Final = 12
"""So many lines of a text are shown of each side; the report has it in full."""


def head(comparison: Comparison, width: int, *, is_only: bool) -> list[Line]:
    """What is laid beside what, and how much differs."""
    counts = [sum(item.rank == rank for item in comparison.items) for rank in range(SAME + 1)]
    told = [(f"{SIGNS[r]} {counts[r]} {WORDS[r]}", ROLES[r]) for r in range(SAME + 1) if counts[r]]
    left, right = comparison.left, comparison.right
    names: list[Span] = [(f"{one_line(left.id)} ({one_line(left.mode)})", "heading"), ("beside", "muted")]
    names.append((f"{one_line(right.id)} ({one_line(right.mode)})", "heading"))
    shown = [("only differences", "muted")] if is_only else [("everything", "muted")]
    verdict = [("nothing was decided, done or met otherwise", "ok")] if comparison.is_equal else []
    return [*pack(names, width, " "), *pack([*told, *verdict, *shown], width, "   ")]


def shown_items(comparison: Comparison, *, is_only: bool) -> list[tuple[str, list[tuple[Item, ...]]]]:
    """The items by phase, those that differ or all; many nodes of a step of which the same is to be said are one."""
    found: dict[str, dict[tuple[str, ...], list[Item]]] = {}
    for item in comparison.items:
        if item.rank < SAME or not is_only:
            step = item.left.partition("[")[0]
            alike = found.setdefault(item.phase, {})
            alike.setdefault((item.kind, step, str(item.rank), _said(item)), []).append(item)
    titles = comparison.phases
    return [(titles.get(phase, phase), _together(alike.values())) for phase, alike in found.items()]


def _together(alike: Iterable[list[Item]]) -> list[tuple[Item, ...]]:
    groups: list[tuple[Item, ...]] = []
    for items in alike:
        groups += [tuple(items)] if len(items) > FEW else [(item,) for item in items]
    return groups


def item_line(items: Sequence[Item], width: int) -> Line:
    """One row of the list: how grave, what, and in which respect."""
    item = items[0]
    sign: Span = (f"{SIGNS[item.rank]} ", ROLES[item.rank])
    said = _said(item)
    title = (f"{len(items)} × " if len(items) > 1 else "") + one_line(item.title)
    room = max(12, width - 2 - min(cell_len(said) + 2, width // 2))
    return line(sign, short(title, room), (f"  {short(said, max(6, width - 4 - min(cell_len(title), room)))}", "muted"))


def _said(item: Item) -> str:
    if item.rank == SAME:
        return "same"
    first = item.differing[0]
    if first.name in ("state", "nodes"):
        names = {"state": "", "nodes": "nodes "}[first.name]
        return f"{names}{_brief(first.left)} | {_brief(first.right)}"
    return ", ".join(field.name for field in item.differing)


def _brief(texts: Sequence[str]) -> str:
    return one_line(texts[0]) if texts else "nothing"


def phase_line(title: str, groups: Sequence[Sequence[Item]]) -> Line:
    """A group's heading with how much in it differs."""
    count = sum(len(items) for items in groups if items[0].rank < MINOR)
    return line((one_line(title), "heading"), (f"  {count} different" if count else "", "muted"))


def detail(items: Sequence[Item], width: int, left: str, right: str, *, is_only: bool) -> list[Line]:
    """One item, field by field, left beside right; of several alike, the first, and the names of the others.

    Args:
        items: which.
        width: cells.
        left: what the left run is called.
        right: what the right run is called.
        is_only: leave out fields that are the same.
    """
    item, column = items[0], max(10, (width - len(_MIDDLE)) // 2)
    rows: list[Line] = [line((one_line(item.title), "heading"))]
    if item.kind == "node" and item.left != item.right:
        rows += _beside([f"node {item.left}"], [f"node {item.right}"], column, "muted")
    rows += [BLANK, *_beside([left], [right], column, "heading")]
    fields = sorted(item.fields, key=lambda f: f.rank)
    for field in fields:
        if field.rank < SAME or not is_only:
            rows += _field(field, column)
    if all(field.rank == SAME for field in fields) and is_only:
        rows += [BLANK, line(("Here the runs are the same.", "ok"))]
    if others := items[1:]:
        rows += [BLANK, line((f"The same is to be said of {len(others)} more", "heading"))]
        rows += [line(one_line(other.title)) for other in others[:_NAMED]]
        rows += [line((f"and {len(others) - _NAMED} more", "muted"))] if len(others) > _NAMED else []
    return rows


def _field(field: Field, column: int) -> list[Line]:
    rows: list[Line] = [BLANK, line((f"{SIGNS[field.rank]} {field.name}", ROLES[field.rank]))]
    left, right = (field.left, field.right) if field.rank == SAME else field.apart
    style = "" if field.rank < SAME else "muted"
    rows += _beside(left or ("(nothing)",), right or ("(nothing)",), column, style)
    if field.rank < SAME and (same := len(field.left) - len(left)) > 0:
        rows.append(line((f"and {same} on both sides", "muted")))
    return rows


def _beside(left: Sequence[str], right: Sequence[str], column: int, style: str) -> list[Line]:
    pairs = zip_longest(_wrapped(left, column), _wrapped(right, column), fillvalue="")
    return [line((a + " " * (column - cell_len(a)), style), (_MIDDLE, "muted"), (b, style)) for a, b in pairs]


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    """Lines of at most ``width`` cells, broken between words where that is possible."""
    rows: list[str] = []
    for text in texts:
        row = ""
        for word in one_line(text).split(" "):
            parts = chop_cells(word, width) if cell_len(word) > width else [word]
            for part in parts:
                if row and cell_len(row) + 1 + cell_len(part) > width:
                    rows.append(row)
                    row = part
                else:
                    row = f"{row} {part}" if row else part
        rows.append(row)
    if len(rows) > _LONGEST:
        return [*rows[: _LONGEST - 1], f"… {len(rows) - _LONGEST + 1} lines more"]
    return rows


def run_line(run: RunSummary, width: int) -> Line:
    """A run in the list to choose from."""
    facts = [one_line(run.mode), RUN_WORDS[run.state], one_line(run.scenario), moment(run.updated_ms)]
    return line(one_line(run.id), (short(f"  {', '.join(f for f in facts if f)}", max(8, width)), "muted"))


def as_plain(rows: Sequence[str]) -> str:
    """For the clipboard; control characters replaced."""
    return "\n".join(clean(row) for row in rows)


def legend() -> list[Line]:
    """What the signs mean."""
    told = {
        "!": "failed, stuck, left out, or there on one side only",
        "≠": "decided, done, seen or waited for otherwise",
        "·": "only names, numbers or lengths differ (longer: twice as long and more)",
        "=": "the same",
    }
    return [line((f"   {SIGNS[r]}    ", ROLES[r]), told[SIGNS[r]]) for r in range(SAME + 1)]


def problem(code: str, message: str, hint: str) -> list[Line]:
    """What went wrong, with what to do."""
    told = "" if code == "usage" else f": {code}"  # nothing was done wrong: there is only nothing to lay beside
    return [line((f"The runs cannot be compared{told}", "bad")), *lines(message), *lines(hint, "muted")]
