"""One entry of the journal in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from runbook.core.docs import skipped_why
from runbook.core.entry import Entry, Kind
from runbook.core.state import NodeState
from runbook.tui.present.text import one_line


def told(entry: Entry) -> str:
    """What happened, for a person; without the node's name."""
    d = entry.data
    match entry.kind:
        case Kind.RUN_CREATED:
            return f"The run was created: {one_line(d.get('mode', ''))}, edition {one_line(d.get('edition', ''))}."
        case Kind.EXPANDED:
            count = len(d.get("nodes", ()))
            nodes = {0: "no node: there is nothing to do", 1: "one node"}.get(count, f"{count} nodes")
            return f"The step {one_line(d.get('step', ''))} became {nodes}."
        case Kind.PAUSED:
            return "Paused: nothing new begins."
        case Kind.STARTED:
            return "Went on after the pause."
        case Kind.ABORTED:
            return f"Aborted: {one_line(d.get('reason', ''))}"
        case Kind.MIGRATED:
            return f"Moved to another book: {one_line(d.get('text', ''))}"
        case Kind.NOTED:
            by = f" ({_who(d)})" if d.get("by") else ""
            return f"Noted: {one_line(d.get('text', ''))}{by}"
        case Kind.BEGUN:
            return "A look at the cloud began."
        case Kind.OBSERVED:
            return _observed(entry)
        case Kind.DEFERRED:
            return f"Put off, to be tried again: {_error(d)}"
        case Kind.FAILED:
            return f"Failed: {_error(d)}"
        case Kind.APPROVED:
            return f"{_who(d)} said go to: {_titles(d.get('titles', ()))}"
        case Kind.SKIPPED:
            by = "Left out by the operator" if d.get("by") == "operator" else "Left out by the book"
            why = one_line(skipped_why(d)) if "by" in d and "reason" in d else ""
            return f"{by}: {why}" if why else f"{by}: its condition does not hold."
        case Kind.ATTESTED:
            return f"{_who(d)} gave their word: {one_line(d.get('text', ''))}"
        case Kind.RETRIED:
            return "Another try was asked for" + (", with the call sent again." if d.get("resend") else ".")
        case Kind.HANDED:
            note = f" ({one_line(d['note'])})" if d.get("note") else ""
            return f"{_who(d)} handed it to {one_line(d.get('to', ''))}{note}."
        case Kind.INTENDED:
            return f"About to send: {one_line(d.get('title', ''))} ({one_line(d.get('method', ''))})"
        case Kind.ANSWERED:
            return f"Azure answered {one_line(d.get('status', ''))}: {one_line(d.get('title', ''))}"
        case Kind.ACCEPTED:
            return f"Azure took it as an operation: {one_line(d.get('title', ''))}"
        case Kind.DOUBTED:
            return f"No answer came; whether it took effect is not known: {_error(d)}"
        case Kind.POLLED:
            percent = f", {d['percent']:g} %" if isinstance(d.get("percent"), int | float) else ""
            return f"Azure's operation: {one_line(d.get('status', ''))}{percent}."
        case Kind.GREW:
            return f"Looked again and found something else than before: {one_line(d.get('summary', ''))}"
        case _:
            assert_never(entry.kind)


def _observed(entry: Entry) -> str:
    d, summary = entry.data, one_line(entry.data.get("summary", ""))
    match entry.to:
        case NodeState.DONE:
            return "Looked: everything is as it should be." + (f" {summary}" if summary else "")
        case NodeState.READY:
            return f"Looked: to be changed: {_titles(c['title'] for c in d.get('changes', ()))}"
        case NodeState.APPLYING:
            return "Looked: what is to be changed is what was approved."
        case NodeState.WAITING:
            wait = d.get("waiting") or {}
            return f"Looked: waits for {one_line(wait.get('who', ''))}. {one_line(wait.get('message', ''))}"
        case NodeState.BLOCKED:
            block = d.get("blocked") or {}
            return f"Looked: a rule forbids going on: {one_line(block.get('rule', ''))}: {_text(block)}"
        case NodeState.SETTLING:
            return "Looked: Azure is at work." + (f" {summary}" if summary else "")
        case NodeState.IN_DOUBT:
            return "Looked, and cannot tell whether the call took effect."
        case _:
            return f"Looked: {one_line(d.get('verdict', '')).replace('_', ' ')}." + (f" {summary}" if summary else "")


def _titles(titles: Any) -> str:
    return "; ".join(one_line(title) for title in titles) or "nothing"


def _who(data: Mapping[str, Any]) -> str:
    return one_line(data.get("by", "")) or "The operator"


def _error(data: Mapping[str, Any]) -> str:
    error = data.get("error") or {}
    return f"{one_line(error.get('code', ''))}: {_text(error)}"


def _text(doc: Mapping[str, Any]) -> str:
    return one_line(doc.get("message", ""))
