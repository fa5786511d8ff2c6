"""The report as one JSON document: a pure function of a run's view and entries. All forms are made from it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from runbook.core.clock import duration, iso
from runbook.core.entry import Entry, Kind, canonical
from runbook.core.redact import redact
from runbook.core.state import FINISHED, NodeState
from runbook.core.tally import FEW, standing, title_of
from runbook.core.view import NodeView, RunView
from runbook.dns.estate import wanted
from runbook.journal.store import Driver
from runbook.report.story import Story

Json = dict[str, Any]

FORM: Final = 2
"""Version of the document's form."""


def report_doc(
    view: RunView, entries: Iterable[Entry], drivers: Sequence[Driver], head: tuple[int, str], faults: Sequence[str]
) -> Json:
    """The whole report.

    Args:
        view: the run as it stands.
        entries: all of them, in order.
        drivers: who drove, oldest first.
        head: number and hash of the newest entry.
        faults: what a check of the journal's chain found; empty when it holds.
    """
    stories: defaultdict[str, Story] = defaultdict(Story)
    notes: list[Json] = []
    for entry in entries:
        if entry.node is not None:
            stories[entry.node].hear(entry)
        if note := _note(entry):
            about = f"{entry.node}: " if entry.node is not None else ""
            notes.append({"at": iso(entry.at_ms), "text": f"{about}{note}"})
    for story in stories.values():
        story.still_waiting(view.updated_ms)
        for wait in story.waits if view.mode == "rehearsal" else ():
            # A person took their time while the simulated clock stood still: only that is known.
            wait["lasted"] += " of simulated time" if wait["lasted"] == "0 s" else ""
    doc = {
        "form": FORM,
        "run": _run(view),
        "journal": {"entries": head[0], "head": head[1], "holds": not faults, "faults": list(faults)},
        "totals": {state.value: count for state, count in view.totals.items()},
        "counts": _counts(view, stories),
        "map": _map(view),
        "names": [
            {"name": fqdn, "address": ip, "zone": zone, "record": name, "endpoint": endpoint}
            for fqdn, ip, zone, name, endpoint in wanted(view).records
        ],
        "skipped": [
            {"node": n.id, "title": n.doc["title"], **skip} for n in view.nodes.values() if (skip := _skipped(n))
        ],
        "attention": [a for node in view.nodes.values() if (a := _attention(node))],
        "changes": _listed(view, stories, lambda story: story.commands, _CHANGE),
        "waits": _waits(view, stories),
        "attestations": _listed(view, stories, lambda story: story.attestations, _WORD),
        "phases": _phases(view, stories),
        "many": FEW,
        "notes": notes,
        "drivers": [_driver(row) for row in drivers],
    }
    return dict(json.loads(canonical(redact(doc))))  # as a reader of its JSON has it: a check compares the two


def _run(view: RunView) -> Json:
    book = view.book
    return {
        "id": view.id,
        "book": {"id": book.get("id"), "version": book.get("version"), "title": book.get("title")},
        "summary": book.get("summary", ""),
        "mode": view.mode,
        "scenario": view.scenario,
        "edition": view.edition,
        "state": view.state.value,
        "aborted": view.aborted,
        "created_at": iso(view.created_ms),
        "updated_at": iso(view.updated_ms),
        "took": duration((view.updated_ms - view.created_ms) / 1000),
        "cloud": view.cloud,
        "tenant": view.pinned.get("tenant", ""),
        "account": view.pinned.get("account", ""),
        "subscriptions": [{"id": s, "name": name} for s, name in view.pinned.get("subscriptions", {}).items()],
        "inputs": dict(view.inputs),
    }


def _map(view: RunView) -> list[str]:
    """The estate as text; none for a run that took things away: its map would show what is gone."""
    from runbook.report.map_text import map_lines  # heavy, and `status` takes other things from this package
    from runbook.report.topology import topology

    return [] if view.options.get("undoes") else map_lines(topology(view))


def _note(entry: Entry) -> str:
    match entry.kind:
        case Kind.PAUSED:
            return "Paused."
        case Kind.STARTED:
            return "Went on."
        case Kind.ABORTED:
            return f"Aborted: {entry.data['reason']}"
        case Kind.NOTED | Kind.MIGRATED:
            by = f" ({entry.data['by']})" if entry.data.get("by") else ""
            return f"{entry.data.get('text', '')}{by}"
        case Kind.HANDED:
            note = f" ({entry.data['note']})" if entry.data["note"] else ""
            return f"{entry.data['by']} handed it to {entry.data['to']}{note}."
        case _:
            return ""


def _attention(node: NodeView) -> Json | None:
    """What whoever takes over must know of a node; None when there is nothing."""
    match node.state:
        case NodeState.SKIPPED if node.skipped and node.skipped["by"] == "operator":
            text = f"left out: {node.skipped['reason']}"
        case NodeState.FAILED if node.error:
            text = f"{node.error['code']}: {node.error['message']}"
        case NodeState.BLOCKED if node.blocked:
            text = f"{node.blocked['rule']}: {node.blocked['message']}"
        case NodeState.WAITING if node.waiting:
            text = f"waits for {node.waiting['who']}: {node.waiting['message']}"
        case NodeState.READY:
            text = "changes not made: " + "; ".join(c["title"] for c in node.changes)
        case NodeState.IN_DOUBT:
            text = f"in doubt: {node.summary or (node.error or {'message': ''})['message']}"
        case state if state in FINISHED:
            return None
        case _:
            text = "not finished"
    return {"node": node.id, "title": node.doc["title"], "state": node.state.value, "text": text}


_CHANGE: Final = (
    "entry", "hash", "title", "method", "path", "risk", "by", "sent_at", "outcome", "status", "answer_entry",
    "answer_hash",
)  # fmt: skip
_WORD: Final = ("entry", "at", "by", "text", "evidence", "sha256", "reference", "dated", "says")


def _counts(view: RunView, stories: Mapping[str, Story]) -> Json:
    """What a reader wants to know first."""
    sent = [command for story in stories.values() for command in story.commands]
    checks = [check for node in view.nodes.values() for check in node.checks]
    return {
        "changes": len(sent),
        "disruptive": sum(command["risk"] == "disruptive" for command in sent),
        "checks": len(checks),
        "checks_ok": sum(check["ok"] and not check.get("later") for check in checks),
        "approvals": sum(len(story.approvals) for story in stories.values()),
    }


def _listed(
    view: RunView, stories: Mapping[str, Story], pick: Callable[[Story], list[Json]], names: Sequence[str]
) -> list[Json]:
    """Something of every node's story, in the order of the journal."""
    titles = {node.id: node.doc["title"] for node in view.nodes.values()}
    every = [
        {"node": node, "node_title": titles.get(node, ""), **{name: found[name] for name in names}}
        for node, story in stories.items()
        for found in pick(story)
    ]
    return sorted(every, key=lambda found: found["entry"])


def _waits(view: RunView, stories: dict[str, Story]) -> list[Json]:
    titles = {node.id: node.doc["title"] for node in view.nodes.values()}
    every = [{"node": name, "title": titles.get(name, ""), **w} for name, s in stories.items() for w in s.waits]
    return sorted(every, key=lambda w: (w["since"], w["node"]))


def _phases(view: RunView, stories: dict[str, Story]) -> list[Json]:
    titles = {p["id"]: p["title"] for p in view.book.get("phases", ())}
    sources = {s["id"]: s.get("source", "") for s in view.book.get("steps", ())}
    by_phase: defaultdict[str, list[Json]] = defaultdict(list)
    for node in view.nodes.values():
        story = stories.get(node.id) or Story()
        by_phase[node.doc["phase"]].append(_node(node, story, sources.get(node.doc["step"], "")))
    order = [p for p in titles if p in by_phase] + [p for p in by_phase if p not in titles]
    return [
        {"id": p, "title": titles.get(p, p), "steps": _steps(view, by_phase[p]), "nodes": by_phase[p]} for p in order
    ]


def _steps(view: RunView, nodes: list[Json]) -> list[Json]:
    """The steps behind a phase's nodes, in order, with how their nodes stand."""
    found: defaultdict[str, list[Json]] = defaultdict(list)
    for node in nodes:
        found[node["step"]].append(node)
    return [
        {
            "id": step,
            "title": title_of(view, step),
            "standing": standing(NodeState(n["state"]) for n in members),
            "nodes": [n["id"] for n in members],
        }
        for step, members in found.items()
    ]


def _node(node: NodeView, story: Story, source: str) -> Json:
    took = None
    if story.started_ms is not None and story.ended_ms is not None:
        took = duration((story.ended_ms - story.started_ms) / 1000)
    return {
        "id": node.id,
        "step": node.doc["step"],
        "title": node.doc["title"],
        "target": node.doc["target"],
        "state": node.state.value,
        "changed": node.changed,
        "summary": node.summary,
        "source": source,
        "started_at": None if story.started_ms is None else iso(story.started_ms),
        "ended_at": None if story.ended_ms is None else iso(story.ended_ms),
        "took": took,
        "looks": node.attempts,
        "checks": [dict(check) for check in node.checks],
        "commands": story.commands,
        "not_sent": [{"title": c["title"], "risk": c["risk"], **c["command"]} for c in node.changes],
        "approvals": story.approvals,
        "waits": story.waits,
        "attestations": story.attestations,
        "handed": {"to": node.handed["to"], "by": node.handed["by"], "at": iso(node.handed["at_ms"])}
        if node.handed
        else None,
        "skipped": _skipped(node),
        "blocked": dict(node.blocked) if node.blocked and node.state is NodeState.BLOCKED else None,
        "troubles": story.troubles,
    }


def _skipped(node: NodeView) -> Json | None:
    if node.skipped is None:
        return None
    by, reason = node.skipped["by"], node.skipped["reason"]
    words = f"Left out by the operator: {reason}" if by == "operator" else f"Not needed here: {_why(reason)}"
    return {"by": by, "reason": reason, "words": words}


def _why(reason: str) -> str:
    """The book's words behind ``not needed here: …``, or its condition without the signs of the expression."""
    words = reason.partition(": ")[2]
    if not words.startswith("${"):
        return words
    return f"the book's condition {words.removeprefix('${').removesuffix('}')} does not hold."


def _driver(row: Driver) -> Json:
    doc = asdict(row)
    doc["since"] = iso(doc.pop("since_ms"))
    return doc
