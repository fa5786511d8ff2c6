"""From an event to the line that a person reads without a screen: a pure function."""

from __future__ import annotations

from typing import Any, Final

from runbook.cli.naming import moment, short_ids
from runbook.core.clock import duration
from runbook.core.entry import Kind
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView, RunView

_QUIET: Final = frozenset({Kind.RUN_CREATED, Kind.EXPANDED, Kind.BEGUN, Kind.POLLED, Kind.ANSWERED})


def event_lines(event: Event) -> list[str]:
    """What to print for an event: nothing, or a dated line, with more lines indented below it."""
    entry, view = event.entry, event.view
    if entry.kind in _QUIET:
        return []
    if entry.node is None:
        said = _of_run(entry.kind, entry.data)
        return [f"{moment(entry.at_ms)}  {said}"] if said else []
    node = view.nodes[entry.node]
    word, text, more = _of_node(event, node)
    if not word:
        return []
    name = short_ids(view.nodes)[node.id]
    return [f"{moment(entry.at_ms)}  {word:<9}  {name}: {_one(text)}", *(f"    {line}" for line in more)]


def _of_run(kind: Kind, data: dict[str, Any]) -> str:
    match kind:
        case Kind.PAUSED:
            return "paused: nothing new starts"
        case Kind.STARTED:
            return "going on"
        case Kind.ABORTED:
            return f"aborted: {data['reason']}"
        case _:
            return str(data.get("text", ""))


def _of_node(event: Event, node: NodeView) -> tuple[str, str, list[str]]:
    """A word, a sentence, and lines below; an empty word for what is not worth a line."""
    entry, d = event.entry, event.entry.data
    match entry.kind:
        case Kind.OBSERVED:
            return _seen(event, node)
        case Kind.INTENDED:
            commands = [c["command"]["az"] for c in node.changes if c["digest"] == d["digest"]]
            return "applying", d["title"], commands
        case Kind.ACCEPTED:
            return "accepted", f"{d['title']}: Azure works on it", []
        case Kind.APPROVED:
            return "approved", "; ".join(d["titles"]), []
        case Kind.SKIPPED:
            return "skipped", d["reason"] if d["by"] == "operator" else f"{node.doc['title']}: not needed here", []
        case Kind.ATTESTED:
            evidence = f" (evidence {d['evidence']}, SHA-256 {d['sha256']})" if d.get("evidence") else ""
            return "attested", f"“{d['text']}” by {d['by']}{evidence}", []
        case Kind.RETRIED:
            return "retry", "looking again", []
        case Kind.DEFERRED:
            again = duration((d["due_ms"] - entry.at_ms) / 1000)
            return "deferred", f"{_error(d['error'])}; again in {again}", []
        case Kind.FAILED:
            return "failed", _error(d["error"]), [d["error"]["hint"]] if d["error"]["hint"] else []
        case Kind.DOUBTED:
            return "in doubt", f"{_error(d['error'])} Looking will tell whether it took effect.", []
        case _:
            return "", "", []


def _seen(event: Event, node: NodeView) -> tuple[str, str, list[str]]:
    title = node.doc["title"]
    match node.state:
        case NodeState.DONE:
            count = len(node.checks)
            checks = f" ({count} check{'' if count == 1 else 's'} ok)" if count else ""
            return "done", f"{title}{checks}", []
        case NodeState.READY if not node.is_approved:
            return "ready", "; ".join(_titled(node)), []
        case NodeState.WAITING if node.waiting and node.waiting["polls"] == 0:
            wait = node.waiting
            more = [f"| {line}" for line in wait["draft"].splitlines()]
            more += [f"Then: {wait['then']}"] if wait["then"] else []
            return "waiting", f"for {wait['who']}. {wait['message']}", more
        case NodeState.BLOCKED if node.blocked:
            block = node.blocked
            return "blocked", f"{block['rule']}: {block['message']}", [f"- {way}" for way in block["ways_out"]]
        case NodeState.IN_DOUBT:
            return "in doubt", node.summary, []
        case _:
            return "", "", []


def _titled(node: NodeView) -> list[str]:
    return [f"{c['title']} (disruptive)" if c["risk"] == "disruptive" else c["title"] for c in node.changes]


def _error(error: dict[str, Any]) -> str:
    return f"{error['code']}: {error['message']}"


def _one(text: str) -> str:
    return " ".join(text.split())


def closing_lines(view: RunView, is_interrupted: bool) -> list[str]:
    """What to tell at the end: how the run stands, what is asked for, and what to type next."""
    totals = ", ".join(f"{count} {state.value}" for state, count in view.totals.items())
    how = "interrupted; nothing was lost" if is_interrupted else view.state.value.replace("_", " ")
    lines = [f"Run {view.id}: {how} ({totals or 'no nodes yet'})."]
    names = short_ids(view.nodes)
    asked = [hint for node in view.nodes.values() if (hint := _hint(view.id, node, names[node.id]))]
    lines += asked[:8]
    if len(asked) > 8:
        lines.append(f"… and {len(asked) - 8} more: runbook status {view.id}")
    if view.state not in (RunState.DONE, RunState.ABORTED):
        lines.append(f"Go on: runbook resume {view.id}")
    lines.append(f"Report: runbook report {view.id} --format html --out report.html")
    return lines


def _hint(run: str, node: NodeView, name: str) -> str:
    answer = f"runbook answer {run} '{name}'"
    match node.state:
        case NodeState.READY if not node.is_approved:
            flag = "--yes-disruptive" if node.is_disruptive else "--yes"
            return f"{name} needs your go: {answer} approve, or resume with {flag}"
        case NodeState.IN_DOUBT if node.needs_operator:
            return f"{name} is in doubt: {answer} retry sends the call again; skip leaves it out"
        case NodeState.WAITING if node.waiting and node.waiting["attest"]:
            return f"{name} waits for {node.waiting['who']}: {answer} attest --text '…' if that is done"
        case NodeState.BLOCKED if node.blocked:
            then = "attest --text '…'" if node.blocked["attest"] else "retry"
            ways = " ".join(node.blocked["ways_out"][:1])
            return f"{name} is blocked ({node.blocked['rule']}): {ways} Then: {answer} {then}"
        case NodeState.FAILED if node.error:
            return f"{name} failed ({node.error['code']}): {answer} retry"
        case _:
            return ""
