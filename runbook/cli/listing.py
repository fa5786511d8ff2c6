"""From a view to what ``runs`` and ``status`` print: pure functions. The JSON forms are a contract with scripts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from runbook.cli.naming import moment, short_ids
from runbook.cli.output import table
from runbook.core.clock import duration, iso
from runbook.core.docs import ErrorDoc, skipped_why
from runbook.core.state import FINISHED, GLYPHS, NodeState
from runbook.core.tally import FEW, by_step, standing, title_of
from runbook.core.view import NodeView, RunView

Json = dict[str, Any]


def run_doc(view: RunView, driver: str | None) -> Json:
    """The ``run`` object. ``driver`` says in words who drives at this moment."""
    return {
        "id": view.id,
        "book": view.book.get("id", ""),
        "book_version": view.book.get("version", 0),
        "mode": view.mode,
        "edition": view.edition,
        "scenario": view.scenario,
        "state": view.state.value,
        "created_at": iso(view.created_ms),
        "updated_at": iso(view.updated_ms),
        "driver": driver,
    }


def status_doc(view: RunView, driver: str | None) -> Json:
    """What ``status --json`` prints."""
    return {
        "run": run_doc(view, driver),
        "nodes": [node_doc(node) for node in view.nodes.values()],
        "totals": {state.value: count for state, count in view.totals.items()},
    }


def node_doc(node: NodeView) -> Json:
    """One node as ``status --json`` prints it. A rule that blocks is told as its error."""
    faces = ("az", "powershell", "rest")
    return {
        "id": node.id,
        "step": node.doc["step"],
        "title": node.doc["title"],
        "phase": node.doc["phase"],
        "target": node.doc["target"],
        "state": node.state.value,
        "changed": node.changed,
        "attempts": node.attempts,
        "waiting_on": _waiting_on(node),
        "commands": [{face: c["command"][face] for face in faces} for c in node.changes],  # type: ignore[literal-required]
        "checks": [dict(check) for check in node.checks],
        "error": _error(node),
    }


def _waiting_on(node: NodeView) -> Json | None:
    wait = node.waiting
    if wait is None or node.state is not NodeState.WAITING:
        return None
    next_ms = wait["next_poll_ms"]
    return {
        "who": wait["who"],
        "since": iso(wait["since_ms"]),
        "next_poll": None if next_ms is None else iso(next_ms),
        "message": wait["message"],
    }


def _error(node: NodeView) -> Json | None:
    error: ErrorDoc | None = node.error
    if node.state is NodeState.BLOCKED and node.blocked:
        rule = node.blocked
        return {"code": rule["rule"], "message": rule["message"], "hint": "; ".join(rule["ways_out"])}
    return {"code": error["code"], "message": error["message"], "hint": error["hint"]} if error else None


# ---------------------------------------------------------------- text


def runs_lines(rows: Iterable[tuple[RunView, str | None]], away: Collection[str] = ()) -> Iterable[str]:
    """A table of runs; ``away`` are the ids of those that were put away."""
    heads = ("RUN", "BOOK", "MODE", "STATE", "FINISHED", "UPDATED", "DRIVEN BY")
    return table([_run_row(view, "archived" if view.id in away else driver) for view, driver in rows], heads)


def _run_row(view: RunView, driver: str | None) -> tuple[str, ...]:
    finished = sum(n.state in FINISHED for n in view.nodes.values())
    more = "+" if view.steps_left else ""
    book = f"{view.book.get('id', '')} {view.book.get('version', '')}"
    done = f"{finished} of {len(view.nodes)}{more}"
    return (view.id, book, view.mode, view.state.value, done, moment(view.updated_ms), driver or "nobody")


def status_lines(view: RunView, driver: str | None, *, is_whole: bool = False) -> Iterable[str]:
    """A run and its nodes, phase by phase, each with what it waits for or what went wrong.

    Args:
        view: the run.
        driver: who drives it, in words.
        is_whole: also the nodes of steps with many, one by one.
    """
    yield f"{view.id}: {view.book.get('title', '')}"
    scenario = f", scenario {view.scenario}" if view.scenario else ""
    yield f"{view.mode}{scenario}, edition {view.edition}, {view.state.value}"
    clock = " of simulated time" if view.mode == "rehearsal" else ""
    yield f"updated {moment(view.updated_ms)}{clock}, driven by {driver or 'nobody'}"
    if view.aborted is not None:
        yield f"aborted: {view.aborted}"
    titles = {p["id"]: p["title"] for p in view.book.get("phases", ())}
    names = short_ids(view.nodes)
    for phase in dict.fromkeys(n.doc["phase"] for n in view.nodes.values()):
        yield ""
        yield titles.get(phase, phase)
        yield from _phase_lines(view, [n for n in view.nodes.values() if n.doc["phase"] == phase], names, is_whole)
    yield ""
    yield ", ".join(f"{count} {state.value}" for state, count in view.totals.items()) or "no nodes yet"


_EXAMPLES: Final = 3
"""So many nodes of a step with many are named where several have the same to say."""


def _phase_lines(view: RunView, nodes: list[NodeView], names: Mapping[str, str], is_whole: bool) -> Iterable[str]:
    rows: list[tuple[tuple[str, ...], list[str]]] = []
    for step, members in by_step(nodes).items():
        if is_whole or len(members) <= FEW:
            rows += [(_node_row(view, n, names), _ready_commands(n)) for n in members]
        else:
            rows += _step_rows(view, step, members, names)
    for (_, below), line in zip(rows, table([row for row, _ in rows]), strict=True):
        yield f"  {line}"
        yield from (f"      {more}" for more in below)


def _node_row(view: RunView, node: NodeView, names: Mapping[str, str]) -> tuple[str, ...]:
    return (f"{GLYPHS[node.state]} {node.state.value}", names[node.id], _word(view, node))


def _ready_commands(node: NodeView) -> list[str]:
    return [f"$ {change['command']['az']}" for change in node.changes] if node.state is NodeState.READY else []


def _step_rows(
    view: RunView, step: str, members: list[NodeView], names: Mapping[str, str]
) -> list[tuple[tuple[str, ...], list[str]]]:
    """A step with many nodes as one row, and below it the first of those that ask for something."""
    below: list[str] = []
    for state, asked in _asking(members).items():
        for number, node in enumerate(asked[:_EXAMPLES]):
            below.append(f"{GLYPHS[state]} {state.value}  {names[node.id]}  {_word(view, node)}")
            below += [f"    {command}" for command in _ready_commands(node) if not number]
        if len(asked) > _EXAMPLES:
            below.append(f"… and {len(asked) - _EXAMPLES} more {state.value}; --all names them")
    if ready := [n for n in members if n.state is NodeState.READY and not n.is_approved]:
        risk = " --disruptive" if any(n.is_disruptive for n in ready) else ""
        below.append(f"to approve all {len(ready)}: runbook answer {view.id} '{step}[*]' approve{risk}")
    sign = next((s for s in _asking(members)), NodeState.DONE if _is_over(members) else NodeState.PENDING)
    told = f"{title_of(view, step)}: {standing(n.state for n in members)}"
    return [((f"{GLYPHS[sign]} {len(members)} nodes", f"{step}[*]", told), below)]


_ASKING: Final = (NodeState.FAILED, NodeState.BLOCKED, NodeState.IN_DOUBT, NodeState.READY, NodeState.WAITING)


def _asking(members: list[NodeView]) -> dict[NodeState, list[NodeView]]:
    found = {state: [n for n in members if n.state is state] for state in _ASKING}
    return {state: nodes for state, nodes in found.items() if nodes}


def _is_over(members: list[NodeView]) -> bool:
    return all(n.state in FINISHED for n in members)


def _word(view: RunView, node: NodeView) -> str:
    """The one thing to know of a node."""
    if node.state is NodeState.WAITING and node.waiting:
        so_far = duration((view.updated_ms - node.waiting["since_ms"]) / 1000)
        return f"{node.doc['title']}: waits for {node.waiting['who']}, {so_far} so far"
    if node.state is NodeState.READY:
        risk = " (disruptive)" if node.is_disruptive else ""
        go = "approved" if node.is_approved else f"needs your go{risk}"
        more = "; ".join(t for c in node.changes if (t := c["title"]) not in node.doc["title"])
        return f"{node.doc['title']}: {go}" + (f": {more}" if more else "")
    if node.state is NodeState.SKIPPED and node.skipped:
        return f"{node.doc['title']}: {skipped_why(node.skipped) or 'not needed here'}"
    if error := _error(node):
        return f"{node.doc['title']}: {error['code']}: {error['message']}"
    return node.doc["title"]
