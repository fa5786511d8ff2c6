"""From a view to what ``runs`` and ``status`` print: pure functions. The JSON forms are a contract with scripts."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from runbook.cli.naming import moment, short_ids
from runbook.cli.output import table
from runbook.core.clock import duration, iso
from runbook.core.docs import AttestDoc, ErrorDoc, WaitDoc, skipped_why
from runbook.core.patience import Standing, apart_of, patience_doc, sentences, standing
from runbook.core.state import FINISHED, GLYPHS, NodeState
from runbook.core.tally import FEW, by_step, title_of
from runbook.core.tally import standing as tally
from runbook.core.view import NodeView, RunView

Json = dict[str, Any]
Waits = Mapping[tuple[str, str], Sequence[float]]
"""Seconds that waits took before, by step and by whom was waited for."""


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


def status_doc(view: RunView, driver: str | None, now_ms: int | None = None, earlier: Waits | None = None) -> Json:
    """What ``status --json`` prints. ``earlier`` says how long such waits took before."""
    return {
        "run": run_doc(view, driver),
        "nodes": [{**node_doc(node), **_proof(view, node, now_ms, earlier)} for node in view.nodes.values()],
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


def _proof(view: RunView, node: NodeView, now_ms: int | None, earlier: Waits | None) -> Json:
    """What people said at a node, and how patient one still is with it."""
    wait = node.waiting if node.state is NodeState.WAITING else None
    return {
        "patience": None if wait is None else patience_doc(stands(view, node, wait, now_ms, earlier)),
        "attested": [
            {
                "at": iso(word["at_ms"]),
                "by": word["by"],
                "text": word["text"],
                "says": word.get("says", ""),
                "reference": word.get("reference", ""),
                "dated": iso(word["dated_ms"]) if "dated_ms" in word else None,
                "evidence": word["evidence"],
                "sha256": word["sha256"],
            }
            for word in node.attested
        ],
    }


def stands(view: RunView, node: NodeView, wait: WaitDoc, now_ms: int | None, earlier: Waits | None) -> Standing:
    """How a node's wait stands."""
    before = (earlier or {}).get((node.doc["step"], wait["who"]), ())
    return standing(wait, view.updated_ms if now_ms is None else now_ms, before, apart_of(view, node))


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


def status_lines(
    view: RunView,
    driver: str | None,
    *,
    is_whole: bool = False,
    now_ms: int | None = None,
    earlier: Waits | None = None,
) -> Iterable[str]:
    """A run and its nodes, phase by phase, each with what it waits for or what went wrong.

    Args:
        view: the run.
        driver: who drives it, in words.
        is_whole: also the nodes of steps with many, one by one.
        now_ms: the run's time; None for that of its newest entry.
        earlier: how long such waits took before.
    """
    now_ms = view.updated_ms if now_ms is None else now_ms
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
        members = [n for n in view.nodes.values() if n.doc["phase"] == phase]
        yield from _phase_lines(view, members, names, is_whole, now_ms, earlier)
    yield ""
    yield ", ".join(f"{count} {state.value}" for state, count in view.totals.items()) or "no nodes yet"


_EXAMPLES: Final = 3
"""So many nodes of a step with many are named where several have the same to say."""


def _phase_lines(
    view: RunView, nodes: list[NodeView], names: Mapping[str, str], is_whole: bool, now_ms: int, earlier: Waits | None
) -> Iterable[str]:
    rows: list[tuple[tuple[str, ...], list[str]]] = []
    for step, members in by_step(nodes).items():
        if is_whole or len(members) <= FEW:
            rows += [(_node_row(view, n, names, now_ms), _below(view, n, names, now_ms, earlier)) for n in members]
        else:
            rows += _step_rows(view, step, members, names, now_ms)
    for (_, below), line in zip(rows, table([row for row, _ in rows]), strict=True):
        yield f"  {line}"
        yield from (f"      {more}" for more in below)


def _node_row(view: RunView, node: NodeView, names: Mapping[str, str], now_ms: int) -> tuple[str, ...]:
    return (f"{GLYPHS[node.state]} {node.state.value}", names[node.id], _word(node, now_ms))


def _below(view: RunView, node: NodeView, names: Mapping[str, str], now_ms: int, earlier: Waits | None) -> list[str]:
    """What stands below a node: what is the matter, the commands that wait for a go, a wait, what people said."""
    told = [*_trouble(node), *_ready_commands(node)]
    wait = node.waiting
    if node.state is NodeState.WAITING and wait:
        told += sentences(stands(view, node, wait, now_ms, earlier), wait["who"])
    if node.state in (NodeState.WAITING, NodeState.BLOCKED):
        told += [f"The last look failed: {node.error['message']} {node.error['hint']}".rstrip()] if node.error else []
        told += [f"said: {said}" for said in map(_said, node.attested)]
        words = [w for doc in (wait, node.blocked) if doc for w in doc.get("words", ())]
        if words:
            says = "|".join(dict.fromkeys(w["says"] for w in words))
            told.append(f"you may say: runbook answer {view.id} '{names[node.id]}' attest --says {says} --text '…'")
    return told


def _said(word: AttestDoc) -> str:
    more = [word["says"]] if word.get("says") else []
    more += [f"reference {word['reference']}"] if word.get("reference") else []
    more += [f"dated {moment(word['dated_ms'])}"] if "dated_ms" in word else []
    more += [f"evidence {word['evidence']}"] if word["evidence"] else []
    backed = f" ({', '.join(more)})" if more else ""
    return f"“{word['text']}” by {word['by']}, {moment(word['at_ms'])}{backed}"


def _trouble(node: NodeView) -> list[str]:
    """What is the matter with a node and what can be done, in lines that a terminal need not break."""
    if node.state is NodeState.BLOCKED and node.blocked:
        message, ways = node.blocked["message"], node.blocked["ways_out"]
    elif node.state is not NodeState.WAITING and (error := _error(node)):  # a wait tells of its last look itself
        message, ways = error["message"], [error["hint"]] if error["hint"] else []
    else:
        return []
    return [*_folded(message), *(row for way in ways for row in _folded(way, "- "))]


_WIDTH: Final = 70
"""Cells of a line below a node's own, which stands six to ten cells to the right."""


def _folded(text: str, mark: str = "") -> list[str]:
    later = " " * len(mark)
    return textwrap.wrap(
        text, _WIDTH, initial_indent=mark, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )


def _ready_commands(node: NodeView) -> list[str]:
    return [f"$ {change['command']['az']}" for change in node.changes] if node.state is NodeState.READY else []


def _step_rows(
    view: RunView, step: str, members: list[NodeView], names: Mapping[str, str], now_ms: int
) -> list[tuple[tuple[str, ...], list[str]]]:
    """A step with many nodes as one row, and below it the first of those that ask for something."""
    below: list[str] = []
    for state, asked in _asking(members).items():
        for number, node in enumerate(asked[:_EXAMPLES]):
            below.append(f"{GLYPHS[state]} {state.value}  {names[node.id]}  {_word(node, now_ms)}")
            below += [f"    {command}" for command in _ready_commands(node) if not number]
            below += [f"    {told}" for told in _trouble(node)]
        if len(asked) > _EXAMPLES:
            below.append(f"… and {len(asked) - _EXAMPLES} more {state.value}; --all names them")
    if ready := [n for n in members if n.state is NodeState.READY and not n.is_approved]:
        risk = " --disruptive" if any(n.is_disruptive for n in ready) else ""
        below.append(f"to approve all {len(ready)}: runbook answer {view.id} '{step}[*]' approve{risk}")
    sign = next((s for s in _asking(members)), NodeState.DONE if _is_over(members) else NodeState.PENDING)
    told = f"{title_of(view, step)}: {tally(n.state for n in members)}"
    return [((f"{GLYPHS[sign]} {len(members)} nodes", f"{step}[*]", told), below)]


_ASKING: Final = (NodeState.FAILED, NodeState.BLOCKED, NodeState.IN_DOUBT, NodeState.READY, NodeState.WAITING)


def _asking(members: list[NodeView]) -> dict[NodeState, list[NodeView]]:
    found = {state: [n for n in members if n.state is state] for state in _ASKING}
    return {state: nodes for state, nodes in found.items() if nodes}


def _is_over(members: list[NodeView]) -> bool:
    return all(n.state in FINISHED for n in members)


def _word(node: NodeView, now_ms: int) -> str:
    """The one thing to know of a node."""
    if node.state is NodeState.WAITING and node.waiting:
        so_far = duration((now_ms - node.waiting["since_ms"]) / 1000)
        return f"{node.doc['title']}: waits for {node.waiting['who']}, {so_far} so far"
    if node.state is NodeState.READY:
        risk = " (disruptive)" if node.is_disruptive else ""
        go = "approved" if node.is_approved else f"needs your go{risk}"
        more = "; ".join(t for c in node.changes if (t := c["title"]) not in node.doc["title"])
        return f"{node.doc['title']}: {go}" + (f": {more}" if more else "")
    if node.state is NodeState.SKIPPED and node.skipped:
        return f"{node.doc['title']}: {skipped_why(node.skipped) or 'not needed here'}"
    if error := _error(node):
        return f"{node.doc['title']}: {error['code']}"
    return node.doc["title"]
