"""The one obvious next action, in words, with its key and what it will do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from runbook.core.docs import ChangeDoc, ErrorDoc
from runbook.core.error import RunbookError
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView, RunView
from runbook.tui.present.can import ready_safe
from runbook.tui.present.situation import error_lines, situation
from runbook.tui.present.text import Line, end_of, labelled, line, lines, one_line
from runbook.tui.present.words import AT_WORK, can_attest, first_at_work, next_for_me, wants_me


@dataclass(frozen=True, slots=True)
class Next:
    """What the bar says. ``key`` is empty when there is nothing to press."""

    key: str
    action: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """What the screen knows beside the view.

    Attributes:
        read_only_for: who drives instead, or None when this screen may decide.
        has_sent: a command for the selected node is on its way.
        failure: what ended the driving, if anything did.
    """

    now_ms: int
    read_only_for: str | None = None
    has_sent: bool = False
    failure: RunbookError | None = None


def next_step(view: RunView, selected: str | None, desk: Desk) -> Next:
    """The next action for the node that is selected, or the way to the node that wants the operator."""
    if desk.failure is not None:
        error: ErrorDoc = {"code": desk.failure.code, "message": desk.failure.message, "hint": desk.failure.hint}
        return Next("q", "Quit: driving has ended here; the run is safe in its journal", tuple(error_lines(error)))
    if over := _over(view):
        return over
    node = view.nodes.get(selected or "")
    told = tuple(situation(node, desk.now_ms, is_brief=True)) if node else ()
    if desk.read_only_for is not None:
        return Next("", "Nothing to press: you are watching", (*labelled("Driven by", desk.read_only_for), *told))
    if desk.has_sent:
        return Next("", "Sent; waiting for the journal to say so", told)
    if view.paused:
        calm = lines("Paused: nothing new starts; calls in flight finish. What you decide now is kept.")
        return Next("p", "Go on", (*calm, *told))
    if node is not None and wants_me(node):
        return _decision(view, node, told)
    if (wanted := next_for_me(view, selected)) is not None:
        other = view.nodes[wanted]
        action = f"Go to: {one_line(other.doc['title'])}"
        return Next("n", action, (*lines(_why(other)), *told))
    return _nothing(view, node, told, desk)


def _over(view: RunView) -> Next | None:
    if not view.id:
        return Next("", "Waiting for the run's first entry")
    if view.state is RunState.ABORTED:
        return Next("q", "Quit: this run was aborted", tuple(labelled("Reason", view.aborted or "none given")))
    if view.state is RunState.DONE:
        tally = Counter(str(n.state) for n in view.nodes.values())
        done = ", ".join(f"{count} {state}" for state, count in sorted(tally.items()))
        report = labelled("Report", f"runbook report {view.id} --format md", "code")
        return Next("q", "Quit: every node is finished", (*lines(done), *report))
    return None


def _also(others: int) -> list[Line]:
    return (
        [line(("A", "key"), f" approves all {others} ready, safe nodes of this phase at once.")] if others > 1 else []
    )


def _decision(view: RunView, node: NodeView, told: tuple[Line, ...]) -> Next:
    title = one_line(node.doc["title"])
    if can_attest(node):
        word = (node.waiting and node.waiting["attest"]) or (node.blocked and node.blocked["attest"]) or ""
        return Next("t", f"Attest: {one_line(word)}", told)
    match node.state:
        case NodeState.READY:
            others = len(ready_safe(view, node.doc["phase"]))
            more = f" and {len(node.changes) - 1} more" if len(node.changes) > 1 else ""
            return Next(
                "a",
                f"Approve: {one_line(node.changes[0]['title'])}{more}",
                (*_effect(node.changes), *_also(others), *told),
            )
        case NodeState.FAILED:
            return Next("r", f"Try again: {title}", told)
        case NodeState.BLOCKED:
            return Next("r", "Look again, once a way out has been taken", told)
        case NodeState.IN_DOUBT:
            return Next("r", f"Send again, or s skip: {one_line(node.intent['title']) if node.intent else title}", told)
        case _:
            return Next("r", f"Look again: {title}", told)


def _effect(changes: tuple[ChangeDoc, ...]) -> list[Line]:
    rows: list[Line] = []
    if any(c["risk"] == "disruptive" for c in changes):
        rows += lines("Disruptive: you will be asked to type the resource's name.", "bad")
    calls = "one call" if len(changes) == 1 else f"{len(changes)} calls, one after another"
    rows += lines(f"Sends {calls}, then looks again to prove it. → shows plan and commands.")
    rows += [line((f"{c['method']} ", "muted"), (end_of(c["path"], 2), "code")) for c in changes[:4]]
    if len(changes) > 4:
        rows += lines(f"and {len(changes) - 4} more; the Plan page has them all", "muted")
    return rows


def _why(node: NodeView) -> str:
    match node.state:
        case NodeState.READY:
            return "It needs your go."
        case NodeState.FAILED:
            return f"It failed: {node.error['code']}" if node.error else "It failed."
        case NodeState.BLOCKED:
            return f"A rule blocks it: {node.blocked['rule']}" if node.blocked else "A rule blocks it."
        case NodeState.IN_DOUBT:
            return "Its last call is in doubt."
        case _:
            return f"It needs your word: {node.waiting['attest']}" if node.waiting else "It needs your word."


def _calm(node: NodeView) -> str:
    match node.state:
        case NodeState.WAITING:
            return "others have to act; it is looked at again by itself"
        case NodeState.SETTLING:
            return "Azure is at work"
        case NodeState.OBSERVING | NodeState.IN_DOUBT:
            return "looking at the cloud"
        case NodeState.APPLYING:
            return "a call is under way"
        case NodeState.READY:
            return "approved; its turn comes by itself"
        case NodeState.PENDING:
            return "its turn has not come"
        case _:
            return "this node is finished"


def _nothing(view: RunView, node: NodeView | None, told: tuple[Line, ...], desk: Desk) -> Next:
    if node is not None and told:
        return Next("", f"Nothing to press: {_calm(node)}", told)
    busy = [n for n in view.nodes.values() if n.state in AT_WORK]
    if busy:
        names = [line("» ", one_line(n.doc["title"])) for n in busy[:3]]
        return Next("", f"Nothing to press: {len(busy)} at work", tuple(names))
    waiting = first_at_work(view)
    if waiting is not None:
        rows = situation(view.nodes[waiting], desk.now_ms, is_brief=True)
        return Next("", f"Nothing to press: {_calm(view.nodes[waiting])}", tuple(rows))
    return Next("", "Nothing to press: the engine is looking for the next step")
