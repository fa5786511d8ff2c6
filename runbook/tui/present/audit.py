"""What was done in a run and by whom, as lines: made from the report's document, so that both say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runbook.core.clock import duration, from_iso
from runbook.report import report_doc
from runbook.tui.present.text import BLANK, Line, end_of, heading, line, lines, moment, one_line

if TYPE_CHECKING:
    from runbook.journal.past import Past

Json = Mapping[str, Any]


def audit_of(past: Past) -> list[Line]:
    """The lines on a run as its journal stands now.

    Raises:
        RunbookError: the journal cannot be read.
    """
    view = past.newest()
    return audit_lines(report_doc(view, past.each(view.head), past.drivers(), (view.head, ""), ()))


def audit_lines(doc: Json) -> list[Line]:
    """Calls in the order of the journal, then waits, words, what was left out, and who drove."""
    nodes = [node for phase in doc["phases"] for node in phase["nodes"]]
    rows: list[Line] = []
    for title, part in (
        ("Calls sent", _calls(nodes)),
        ("Waits", _waits(doc)),
        ("Words given", _words(doc)),
        ("Left out", _skips(nodes)),
        ("Who drove (this machine's clock)", _drivers(doc)),
    ):
        told = list(part)
        rows += [heading(title), *(told or lines("None.", "muted")), BLANK]
    return rows[:-1]


def _at(iso: str) -> str:
    return moment(from_iso(iso))


def _calls(nodes: list[Json]) -> Iterator[Line]:
    sent = [(command, node) for node in nodes for command in node["commands"]]
    for command, node in sorted(sent, key=lambda pair: pair[0]["entry"]):
        yield line((f"{_at(command['sent_at'])}  ", "muted"), (one_line(command["title"]), "heading"))
        answer = one_line(command["outcome"]) + (f" {command['status']}" if command["status"] else "")
        yield line(f"    {command['method']} {end_of(command['path'], 2)}: {answer}")
        yield line((f"    {_approved(command, node)}; node {one_line(node['id'])}", "muted"))
        if command["correlation_id"]:
            yield line((f"    correlation id {one_line(command['correlation_id'])}", "muted"))


def _approved(command: Json, node: Json) -> str:
    """Who said go to it, last before it was sent."""
    said = [a for a in node["approvals"] if a["entry"] < command["entry"] and command["title"] in a["changes"]]
    return f"approved by {one_line(said[-1]['by'])}, {_at(said[-1]['at'])}" if said else "no go of its own recorded"


def _waits(doc: Json) -> Iterator[Line]:
    for wait in doc["waits"]:
        until = f"until {_at(wait['until'])}" if wait["until"] else "still"
        yield line((f"{_at(wait['since'])}  ", "muted"), f"{one_line(wait['who'])}: {wait['lasted']}, {until}")
        yield line((f"    {one_line(wait['title'])}", "muted"))


def _words(doc: Json) -> Iterator[Line]:
    for word in doc["attestations"]:
        yield line((f"{_at(word['at'])}  ", "muted"), f"{one_line(word['by'])}: {one_line(word['text'])}")
        backing = [one_line(word["node_title"])]
        backing += [f"reference {one_line(word['reference'])}"] if word["reference"] else []
        backing += [f"evidence {one_line(word['evidence'])}, SHA-256 {word['sha256']}"] if word["evidence"] else []
        yield line((f"    {'; '.join(backing)}", "muted"))


def _skips(nodes: list[Json]) -> Iterator[Line]:
    for node in nodes:
        if node["skipped"]:
            yield line(f"{one_line(node['title'])}: ", (one_line(node["skipped"]["words"]), "muted"))


def _drivers(doc: Json) -> Iterator[Line]:
    rows = doc["drivers"]
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        until = f"to {_at(following['since'])} at the latest" if following else "on"
        who = one_line(f"{row['account']} on {row['host']} (process {row['pid']})")
        why = f", {one_line(row['reason'])}" if row["reason"] else ""
        lasted = from_iso(following["since"]) - from_iso(row["since"]) if following else 0
        took = f" (up to {duration(lasted / 1000)})" if following else ""
        yield line((f"{_at(row['since'])}  ", "muted"), f"{who}, from then {until}{took}{why}")
