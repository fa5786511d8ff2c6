"""From a truth table to what ``dns`` prints: pure functions. The JSON form is a contract with scripts.

A table of words for people, readable at 80 columns: names in rows, places in columns; below it each trouble once, with
its cause and what puts it right, and what cannot be proven from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from runbook.cli.listing import Json, run_doc
from runbook.cli.naming import moment
from runbook.cli.planning import WIDTH, counted, folded
from runbook.core.view import RunView
from runbook.dns.model import GLYPHS, Cell, Name, Place, Table

FEW: Final = 40
"""With more names than this, only those with trouble are told one by one."""
_NAME: Final = 32
_ADDRESS: Final = 15
_CELL: Final = 10
_COLUMNS: Final = (WIDTH - 2 - _NAME - 1 - _ADDRESS - 1 + 1) // _CELL  # the last one needs no gap
"""Places beside one another; the rest follow below in a table of their own."""
_HEAD: Final = 8
"""Characters that stay of the beginning of a long name: the first group of a GUID."""
_NAMED: Final = 4
"""Names that a trouble spells out."""


def dns_doc(view: RunView, driver: str | None, table: Table) -> Json:
    """What ``dns --json`` prints."""
    return {
        "run": run_doc(view, driver),
        "keeps": table.keeps,
        "names": [
            {
                "name": n.fqdn,
                "address": n.address,
                "recorded": n.recorded,
                "zone": n.zone,
                "endpoint": n.endpoint,
                "source": n.source,
            }
            for n in table.names
        ],
        "places": [
            {"id": p.id, "kind": p.kind, "title": p.title, "how": p.how, "why_not": p.why_not} for p in table.places
        ],
        "cells": [_cell_doc(table.cells[n.fqdn, p.id]) for n in table.names for p in table.places],
        "reached": [
            {"name": r.name, "address": r.address, "port": r.port, "rule": r.rule.value, "told": r.told}
            for r in table.reached
        ],
        "findings": [
            {"rule": f.rule.value, "place": f.place, "names": list(f.names), "cause": f.cause, "fix": f.fix}
            for f in table.findings
        ],
        "remarks": list(table.remarks),
        "totals": table.totals,
    }


def _cell_doc(cell: Cell) -> Json:
    answer = cell.answer
    return {
        "name": cell.name,
        "place": cell.place,
        "rule": cell.rule.value,
        "observed": cell.observed,
        "cause": cell.cause,
        "fix": cell.fix,
        "status": answer.status if answer else "",
        "chain": list(answer.chain) if answer else [],
        "addresses": list(answer.addresses) if answer else [],
        "ttl_s": answer.ttl_s if answer else None,
        "server": answer.server if answer else "",
        "transport": answer.transport if answer else "",
    }


def dns_lines(view: RunView, table: Table) -> Iterator[str]:
    """The whole table for people."""
    yield from folded(f"Names of {view.id}: {view.book.get('title', '')}", "")
    clock = " of simulated time" if view.mode == "rehearsal" else ""
    yield from folded(f"the run as of {moment(view.updated_ms)}{clock}, the answers as of now", "")
    if not table.names:
        yield ""
        yield from folded(
            "No names yet: the run has no private endpoint whose names are known. They come with the endpoint; until "
            "then there is nothing to look up.",
            "",
        )
        return
    seen = table.seen_places
    yield from _places(seen)
    shown = table.names if len(table.names) <= FEW else _troubled(table)
    for start in range(0, len(seen), _COLUMNS):
        if shown:
            yield ""
            yield from _grid(table, shown, seen, start)
    if quiet := len(table.names) - len(shown):
        yield ""
        told = counted(quiet, "more name" if shown else "name")
        yield from folded(f"{told} without trouble; --json has them all.", "")
    yield from _findings(table, view.id)
    yield from _unseen(table)
    yield ""
    yield from folded(_summary(table), "")


def letter(number: int) -> str:
    """``A``, ``B``, … ``Z``, ``A2``, …: how a column is headed."""
    return chr(ord("A") + number % 26) + (str(number // 26 + 1) if number >= 26 else "")


def _places(seen: Sequence[Place]) -> Iterator[str]:
    yield ""
    for number, place in enumerate(seen):
        yield from folded(f"{letter(number)}  {place.title}: {place.how}", "  ")


def _troubled(table: Table) -> tuple[Name, ...]:
    bad = {name for f in table.findings for name in f.names}
    return tuple(n for n in table.names if n.fqdn in bad)[:FEW]


def _grid(table: Table, names: Sequence[Name], seen: Sequence[Place], start: int) -> Iterator[str]:
    there = seen[start : start + _COLUMNS]
    heads = "".join(letter(start + i).ljust(_CELL) for i in range(len(there)))
    yield f"  {'name':<{_NAME}} {'must be':<{_ADDRESS}} {heads}".rstrip()
    for zone, members in groupby(names, key=lambda n: n.zone):
        yield f"  {zone or 'no zone'}"
        for name in members:
            cells = "".join(mark(table.cells[name.fqdn, p.id]).ljust(_CELL) for p in there)
            yield f"    {short(name):<{_NAME - 2}} {name.address:<{_ADDRESS}} {cells}".rstrip()


def short(name: Name) -> str:
    """A name below its zone, with its middle left out where it is too long: both ends tell names apart."""
    text, width = name.relative if name.zone else name.fqdn, _NAME - 2
    return text if len(text) <= width else f"{text[:_HEAD]}…{text[len(text) - (width - 1 - _HEAD) :]}"


def mark(cell: Cell) -> str:
    """A cell in a sign and a word."""
    return f"{GLYPHS[cell.state]} {cell.word}"


def _findings(table: Table, run: str) -> Iterator[str]:
    for found in table.findings:
        yield ""
        where = f" at {found.place}" if found.place else ""
        yield from folded(f"✗ {found.rule.value}{where}: {_some(found.names)}", "")
        yield from folded(found.cause, "    ")
        yield from folded(f"→ {found.fix.replace('runbook dns RUN', f'runbook dns {run}')}", "    ")


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _unseen(table: Table) -> Iterator[str]:
    """What cannot be proven from here, each reason once."""
    reasons: dict[str, None] = {}
    for place in table.places:
        cells = [table.cells[n.fqdn, place.id] for n in table.names]
        blind = [c for c in cells if c.state == "unseen"]
        for cause in dict.fromkeys(c.cause for c in blind):
            count = sum(c.cause == cause for c in blind)
            which = "" if count == len(cells) else f", {counted(count, 'name')}"
            reasons[f"{place.title}{which}: {cause or place.why_not}"] = None
    reasons |= dict.fromkeys(r.told for r in table.reached if r.state == "unseen")
    if reasons:
        yield ""
        yield "Not provable from here"
    for reason in reasons:
        yield from folded(f"· {reason}", "  ")
    if table.remarks:
        yield ""
    for remark in table.remarks:
        yield from folded(remark, "")


def _summary(table: Table) -> str:
    totals = table.totals
    tried = [r for r in table.reached if r.state != "unseen"]
    reached = f" {sum(r.state == 'ok' for r in tried)} of {len(tried)} addresses were reached." if tried else ""
    looks = f"{totals['ok']} of {totals['ok'] + totals['wrong']} lookups are right"
    looks += f", {totals['wrong']} wrong" if totals["wrong"] else ""
    blind = f"; {totals['unseen']} more cannot be proven from here" if totals["unseen"] else ""
    calm = "" if table.is_wrong else "Nothing is wrong. " if totals["ok"] else "Nothing could be proven from here. "
    return f"{calm}{counted(len(table.names), 'name')}: {looks}{blind}.{reached}"
