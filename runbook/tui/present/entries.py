"""Journal entries as lines, each in the sentence that the history tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runbook.core.entry import Entry, Kind
from runbook.tui.present.text import Line, end_of, line, lines, moment, one_line, short_middle, time_of_day
from runbook.tui.present.told import told


def entry_lines(entries: Iterable[Entry], *, is_group: bool = False) -> list[Line]:
    """The entries, newest first, under the day they were written; those of a group each name their node."""
    rows: list[Line] = []
    day = ""
    for entry in sorted(entries, key=lambda e: e.seq, reverse=True):
        to = (f"  → {str(entry.to).replace('_', ' ')}", "heading") if entry.to is not None else ("", "")
        if day != (day := moment(entry.at_ms)[:10]):
            rows.append(line((day, "heading")))
        whose = (f"  {short_middle(one_line(entry.node), 48)}", "code") if is_group and entry.node else ("", "")
        rows.append(line((f"{time_of_day(entry.at_ms)} #{entry.seq} ", "muted"), told(entry), to, whose))
        for more in _more(entry):
            rows += lines(more, "muted", "    ")
    return rows or lines("No entry yet.", "muted")


def _more(entry: Entry) -> Iterator[str]:
    """What backs the sentence: the call, and the ids and proofs to look it up by."""
    d = entry.data
    if entry.kind is Kind.INTENDED:
        yield f"{one_line(d.get('method', ''))} {end_of(str(d.get('path', '')), 2)}"
    error = d.get("error")
    error = error if isinstance(error, dict) else {}
    if correlation := d.get("correlation_id") or error.get("correlation_id"):
        yield f"correlation id {one_line(correlation)}"
    if entry.kind is Kind.ATTESTED:
        for name in ("reference", "evidence", "sha256"):
            if d.get(name):
                yield f"{name} {one_line(d[name])}"
