"""Journal entries as lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from runbook.core.entry import Entry
from runbook.tui.present.text import Line, line, lines, moment, one_line, short_middle, time_of_day

_TOLD: Final = ("title", "titles", "text", "reason", "summary", "status", "verdict", "by", "evidence", "sha256")
"""What is worth reading in an entry's data, in this order; the rest has a page of its own."""


def entry_lines(entries: Iterable[Entry], *, is_group: bool = False) -> list[Line]:
    """The entries, newest first, under the day they were written; those of a group each name their node."""
    rows: list[Line] = []
    day = ""
    for entry in sorted(entries, key=lambda e: e.seq, reverse=True):
        to = (f" → {str(entry.to).replace('_', ' ')}", "heading") if entry.to is not None else ("", "")
        if day != (day := moment(entry.at_ms)[:10]):
            rows.append(line((day, "heading")))
        whose = (f"  {short_middle(one_line(entry.node), 48)}", "code") if is_group and entry.node else ("", "")
        kind = str(entry.kind).replace("_", " ")
        rows.append(line((f"{time_of_day(entry.at_ms)} #{entry.seq} ", "muted"), kind, to, whose))
        for told in _details(entry.data):
            rows += lines(told, indent="    ")
    return rows or lines("No entry yet.", "muted")


def _details(data: dict[str, Any]) -> list[str]:
    told = [f"{name}: {_value(data[name])}" for name in _TOLD if data.get(name)]
    error = data.get("error")
    if isinstance(error, dict):
        told.append(f"{one_line(error.get('code', ''))}: {one_line(error.get('message', ''))}")
    waiting = data.get("waiting")
    if isinstance(waiting, dict):
        told.append(f"waiting for: {one_line(waiting.get('who', ''))}")
    blocked = data.get("blocked")
    if isinstance(blocked, dict):
        told.append(f"rule: {one_line(blocked.get('rule', ''))}")
    return told


def _value(value: Any) -> str:
    return "; ".join(one_line(v) for v in value) if isinstance(value, list) else one_line(value)
