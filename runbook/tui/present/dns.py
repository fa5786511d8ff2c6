"""From a truth table of names to the lines and cells of its screen: pure functions, which know no Textual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from runbook.dns.model import GLYPHS, MEANINGS, WORDS, Cell, Name, Place, Rule, Table
from runbook.tui.present.text import (
    BLANK,
    Line,
    Span,
    as_text,
    end_of,
    labelled,
    line,
    lines,
    one_line,
    short,
    short_middle,
)

ROLE: Final = {"ok": "ok", "wrong": "bad", "unseen": "muted"}
NAME_WIDE: Final = 52
NAME_NARROW: Final = 30
PLACE_WIDTH: Final = 12
WORD_WIDTH: Final = 9
"""A sign, a blank and the longest word of a cell."""
HEADS: Final = ("name", "must be")


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the reads are: under way, failed, or done."""

    table: Table | None = None
    is_under_way: bool = False
    problem: str = ""
    read_at: str = ""


def top(reading: Reading, run: str) -> list[Line]:
    """What the screen is about, and how it stands, in two lines."""
    head = line((f"Names of {one_line(run)}", "heading"), ("   read only; nothing is written", "muted"))
    if reading.is_under_way:
        return [head, line(("… reading Azure and asking DNS", "busy"))]
    if reading.problem:
        return [head, line(("✗ could not be read; r tries again", "bad"))]
    table = reading.table
    if table is None or not table.names:
        return [head, line(("no names yet", "muted"))]
    totals = table.totals
    wrong = f"{totals['wrong']} wrong" if totals["wrong"] else "nothing wrong"
    state = "wrong" if table.is_wrong else "ok" if totals["ok"] else "unseen"
    told = f"{GLYPHS[state]} {len(table.names)} names: {totals['ok']} lookups right, {wrong}, {totals['unseen']} unseen"
    told += " (no proof from here)" * bool(totals["unseen"])
    count = len(table.findings)
    others = count and f" · {count} finding{'s' if count > 1 else ''}"
    return [head, line((told, ROLE[state]), f"{others or ''}", (f" · read {reading.read_at}", "muted"))]


def signs() -> list[Line]:
    """What each word in the table means."""
    rows = [line(("Signs", "heading"))]
    for rule in Rule:
        state = "ok" if rule is Rule.OK else "unseen" if rule is Rule.NOT_PROVABLE else "wrong"
        rows.append(line((f" {GLYPHS[state]} {WORDS[rule]:<8}", ROLE[state]), (MEANINGS[rule], "muted")))
    return rows


def columns(table: Table, width: int = 0) -> list[str]:
    """The heads: name, address, then the places, as far as there is room for what they are called."""
    names = max((cell_len(one_line(n.fqdn)) for n in table.names), default=0)
    names = min(names, NAME_NARROW if width < 100 else NAME_WIDE)
    addresses = max((cell_len(one_line(n.address)) for n in table.names), default=0)
    room = width - names - max(addresses, cell_len(HEADS[1])) - 2 * (len(HEADS) + len(table.places))
    titles = [one_line(place.title) for place in table.places]
    wide = [max(cell_len(title), WORD_WIDTH) for title in titles]
    fitting = (most for most in range(max(wide, default=0), PLACE_WIDTH, -1) if sum(min(w, most) for w in wide) <= room)
    most = next(fitting, PLACE_WIDTH)  # one that is short leaves its room to those that are long
    return [*HEADS, *(short(title, most) for title in titles)]


def row(table: Table, name: Name, *, is_narrow: bool) -> list[Span]:
    """One name: what it is called, what it must be, and a sign and a word for each place."""
    width = NAME_NARROW if is_narrow else NAME_WIDE
    cells = [table.cells[name.fqdn, p.id] for p in table.places]
    return [
        (short_middle(one_line(name.fqdn), width), ""),
        (one_line(name.address), "code"),
        *((f"{GLYPHS[c.state]} {c.word}", ROLE[c.state]) for c in cells),
    ]


def detail(reading: Reading, row_at: int, column_at: int) -> list[Line]:
    """What stands below the table: the selected cell with its cause and fix, or why there is none."""
    if reading.problem:
        return lines(reading.problem, "bad")
    table = reading.table
    if table is None:
        return lines("Azure is read and every name is looked up from every place that can be asked from here.", "muted")
    if not table.names:
        return lines(
            "The run has no private endpoint whose names are known yet. They come with the endpoint; until "
            "then there is "
            "nothing to look up.",
            "muted",
        )
    name = table.names[min(max(row_at, 0), len(table.names) - 1)]
    place_at = column_at - 2
    if 0 <= place_at < len(table.places):
        return _cell_lines(table, name, table.places[place_at])
    return _name_lines(table, name)


def _cell_lines(table: Table, name: Name, place: Place) -> list[Line]:
    cell = table.cells[name.fqdn, place.id]
    rows = [
        line((f"{GLYPHS[cell.state]} {cell.rule.value}", ROLE[cell.state]), "  ", (one_line(name.fqdn), "heading")),
        line(("at ", "muted"), one_line(place.title), (f", {place.how}" if place.how else "", "muted")),
        line(
            *(("Must be: ", "muted"), (one_line(name.address), "code")),
            *(("   Answers: ", "muted"), (one_line(cell.observed), "code")),
        ),
    ]
    if cell.cause:
        rows += labelled("Cause", cell.cause)
    if cell.fix:
        rows += labelled("Fix", cell.fix, "go")
    return [*rows, *_answer_lines(cell), *_remark_lines(table)]


def _answer_lines(cell: Cell) -> list[Line]:
    answer = cell.answer
    if answer is None:
        return []
    rows: list[Line] = []
    if answer.chain:
        rows += labelled("By way of", " → ".join(answer.chain), "muted")
    by = [answer.server, f"over {answer.transport}" if answer.transport else ""]
    by += [f"kept for {answer.ttl_s} s more" if answer.ttl_s is not None else ""]
    if told := ", ".join(part for part in by if part):
        rows += labelled("Answered by", told, "muted")
    return rows


def _name_lines(table: Table, name: Name) -> list[Line]:
    rows = [
        line((one_line(name.fqdn), "heading")),
        *labelled("Must be", f"{name.address}, read from {name.source}"),
        *labelled("Zone", name.zone or "none of the run's"),
        *labelled("Endpoint", end_of(name.endpoint, 2)),
    ]
    if name.recorded and name.recorded != name.address:
        rows += labelled("The run left it at", name.recorded)
    for reached in table.reached:
        if reached.name == name.fqdn:
            rows += labelled(f"Port {reached.port}", reached.told, ROLE[reached.state])
    for found in table.findings:
        if name.fqdn in found.names:
            where = f" at {one_line(found.place)}" if found.place else ""
            rows += [BLANK, line((f"✗ {found.rule.value}{where}", "bad")), *lines(found.cause)]
            rows += labelled("Fix", found.fix, "go")
    return [*rows, *_remark_lines(table)]


def _remark_lines(table: Table) -> list[Line]:
    return [BLANK, *(part for r in table.remarks for part in lines(r, "muted"))] if table.remarks else []


def next_wrong(table: Table, row_at: int, column_at: int) -> tuple[int, int] | None:
    """The next wrong cell after this one, row by row and round; None where nothing is wrong."""
    places = len(table.places)
    total = len(table.names) * places
    start = row_at * places + max(-1, column_at - 2)
    for step in range(1, total + 1):
        at = (start + step) % total
        name, place = table.names[at // places], table.places[at % places]
        if table.cells[name.fqdn, place.id].state == "wrong":
            return at // places, at % places + 2
    return None


def copied(rows: Sequence[Line]) -> str:
    """What is shown below the table, as text to hand on."""
    return as_text(rows)
