"""From an event to the line that a person reads without a screen.

``event_lines`` is a pure function of one event. ``Teller`` remembers how far it told of steps with many nodes, so that
two hundred nodes that do the same are told in tenths and not in a thousand lines.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from runbook.cli.naming import moment, short_ids
from runbook.core.clock import duration
from runbook.core.docs import skipped_why
from runbook.core.entry import Kind
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.core.tally import FEW, by_step, title_of
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
            by = f" ({data['by']})" if data.get("by") else ""
            return f"{data.get('text', '')}{by}"


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
            what = d["titles"][0] if len(d["titles"]) == 1 else f"{node.doc['title']}: {len(d['titles'])} calls"
            return "approved", what + (f" (by {d['by']})" if d.get("by") else ""), []
        case Kind.SKIPPED:
            why = skipped_why(d) or "not needed here"
            return "skipped", why if d["by"] == "operator" else f"{node.doc['title']}: {why}", []
        case Kind.ATTESTED:
            more = [f"says {d['says']}"] if d.get("says") else []
            more += [f"reference {d['reference']}"] if d.get("reference") else []
            more += [f"dated {moment(d['dated_ms'])}"] if "dated_ms" in d else []
            more += [f"evidence {d['evidence']}, SHA-256 {d['sha256']}"] if d.get("evidence") else []
            backed = f" ({', '.join(more)})" if more else ""
            return "attested", f"“{d['text']}” by {d['by']}{backed}", []
        case Kind.RETRIED:
            return "retry", "looking again", []
        case Kind.HANDED:
            reason = [f"because {d['why']}"] if d["why"] else []
            return (
                "handed",
                f"to {d['to']} by {d['by']}{': ' + d['note'] if d['note'] else ''}",
                [*reason, d["waiting"]["message"]],
            )
        case Kind.DEFERRED:
            again = duration((d["due_ms"] - entry.at_ms) / 1000)
            return "deferred", f"{_error(d['error'])}; again in {again}", []
        case Kind.FAILED:
            return "failed", _error(d["error"]), [d["error"]["hint"]] if d["error"]["hint"] else []
        case Kind.DOUBTED:
            return "in doubt", f"{_error(d['error'])} Looking will tell whether it took effect.", []
        case Kind.GREW:
            return "grew", f"{node.doc['title']}: {d['summary'] or 'what it finds has changed'}", []
        case Kind.NOTED:
            return "note", d["text"], []
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
            told = _titled(node)
            if len(told) == 1:
                return "ready", told[0], []
            return "ready", f"{title}: {len(told)} calls", [f"- {call}" for call in told]
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


class Teller:
    """Tells events one after another.

    Args:
        is_whole: a line for every node, also of steps with many.
    """

    def __init__(self, *, is_whole: bool = False) -> None:
        self._is_whole = is_whole
        self._seen: dict[tuple[str, str], set[str]] = {}
        self._told: dict[tuple[str, str], int] = {}
        self._blocks: dict[str, str] = {}
        self._counted_of = -1
        self._counts: Counter[str] = Counter()

    def lines(self, event: Event) -> list[str]:
        """What to print for the next event."""
        node = event.view.nodes.get(event.entry.node or "")
        if node is not None and self._has_told(event.entry.kind, node):
            return []
        if self._is_whole or node is None or event.entry.kind in _QUIET:
            return event_lines(event)
        step = node.doc["step"]
        if (count := self._count(event.view, step)) <= FEW:
            return event_lines(event)
        word, text, more = _of_node(event, node)
        if word in _IN_TENTHS:
            return self._tally(event, step, word, count)
        if not word:
            return []
        # Alike are those that say the same of other nodes; the first few are told whole, the rest without advice.
        first, *_ = text.split(": ", 1)
        alike = self._seen.setdefault((step, f"{word} {first}"), set())
        alike.add(node.id)
        told = event_lines(event)
        return told if len(alike) <= _WHOLE or not more else told[:1]

    def _has_told(self, kind: Kind, node: NodeView) -> bool:
        """Whether a node is blocked as it was when it last spoke: a rule that looks again by itself says so once."""
        if kind is Kind.OBSERVED and node.blocked:
            text = f"{node.blocked['rule']}: {node.blocked['message']}"
            before, self._blocks[node.id] = self._blocks.get(node.id), text
            return before == text
        if kind is not Kind.BEGUN:
            self._blocks.pop(node.id, None)
        return False

    def _count(self, view: RunView, step: str) -> int:
        """How many nodes a step has; counted anew only when nodes came."""
        if self._counted_of != len(view.nodes):
            self._counted_of = len(view.nodes)
            self._counts = Counter(n.doc["step"] for n in view.nodes.values())
        return self._counts[step]

    def _tally(self, event: Event, step: str, word: str, count: int) -> list[str]:
        """A line whenever another tenth of the step's nodes has come so far, and at the first and the last."""
        key = (step, word)
        seen = self._seen.setdefault(key, set())
        seen.add(event.entry.node or "")
        mark = len(seen) * 10 // count
        if key in self._told and mark <= self._told[key]:
            return []
        self._told[key] = mark
        title = title_of(event.view, step)
        return [f"{moment(event.entry.at_ms)}  {word:<9}  {step}[*]: {len(seen)} of {count}: {title}"]


_IN_TENTHS: Final = frozenset({"ready", "approved", "applying", "accepted", "done", "skipped"})
"""What goes well, and is told by numbers where there is much of it. The journal has each with its command."""

_WHOLE: Final = 3


def closing_lines(view: RunView, is_interrupted: bool) -> list[str]:
    """What to tell at the end: how the run stands, what is asked for, and what to type next."""
    totals = ", ".join(f"{count} {state.value}" for state, count in view.totals.items())
    how = "interrupted; nothing was lost" if is_interrupted else view.state.value.replace("_", " ")
    lines = [f"Run {view.id}: {how} ({totals or 'no nodes yet'})."]
    asked = _hints(view)
    lines += asked[:8]
    if len(asked) > 8:
        lines.append(f"… and {len(asked) - 8} more: runbook status {view.id}")
    if view.state not in (RunState.DONE, RunState.ABORTED):
        lines.append(f"Go on: runbook resume {view.id}")
    lines.append(f"Report: runbook report {view.id} --format html --out report.html")
    return lines


def _hints(view: RunView) -> list[str]:
    """What is asked for, node by node; the ready ones of a step with many together."""
    names = short_ids(view.nodes)
    hints: list[str] = []
    for step, members in by_step(view.nodes.values()).items():
        ready = [n for n in members if n.state is NodeState.READY and not n.is_approved]
        if len(members) > FEW and len(ready) > 1:
            is_risky = any(n.is_disruptive for n in ready)
            answer = f"runbook answer {view.id} '{step}[*]' approve{' --disruptive' if is_risky else ''}"
            flag = "--yes-disruptive" if is_risky else "--yes"
            hints.append(f"{step}[*]: {len(ready)} nodes need your go: {answer}, or resume with {flag}")
            members = [n for n in members if n.state is not NodeState.READY]
        hints += [hint for node in members if (hint := _hint(view.id, node, names[node.id]))]
    return hints


def _hint(run: str, node: NodeView, name: str) -> str:
    answer = f"runbook answer {run} '{name}'"
    match node.state:
        case NodeState.READY if not node.is_approved:
            flag = "--yes-disruptive" if node.is_disruptive else "--yes"
            return f"{name} needs your go: {answer} approve, or resume with {flag}"
        case NodeState.IN_DOUBT if node.needs_operator:
            return f"{name} is in doubt: {answer} retry sends the call again; skip leaves it out"
        case NodeState.WAITING if node.handed:
            to = node.handed["to"]
            return f"{name} is with {to}: runbook handover {run} '{name}' says what to send them; it looks by itself"
        case NodeState.WAITING if node.waiting and node.waiting["attest"]:
            return f"{name} waits for {node.waiting['who']}: {answer} attest --text '…' if that is done"
        case NodeState.BLOCKED if node.blocked:
            ways = " ".join(node.blocked["ways_out"][:1])
            word = f", or {answer} attest --text '…'" if node.blocked["attest"] else ""
            return f"{name} is blocked ({node.blocked['rule']}): {ways} Then: {answer} retry{word}"
        case NodeState.FAILED if node.error:
            return f"{name} failed ({node.error['code']}): {answer} retry"
        case _:
            return ""
