"""The one obvious next action, in words, with its key and what it will do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from runbook.core.docs import ChangeDoc, ErrorDoc
from runbook.core.error import LeaseLost, RunbookError
from runbook.core.expected import Expected
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView, RunView
from runbook.tui.present.along import along
from runbook.tui.present.can import ready_of_step, ready_safe
from runbook.tui.present.matter import matter
from runbook.tui.present.situation import error_lines, situation
from runbook.tui.present.standing import first_at_work, next_for_me, standing
from runbook.tui.present.text import Line, Span, end_of, is_labelled, labelled, line, lines, moment, one_line
from runbook.tui.present.words import can_attest, can_say, driven_by, is_driven, wants_me


@dataclass(frozen=True, slots=True)
class Next:
    """What the bar says. ``key`` is empty when there is nothing to press."""

    key: str
    action: str
    lines: tuple[Line, ...] = ()
    more: str = ""
    """The key that opens all about the selected node, where there is more to tell."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the screen knows beside the view.

    Attributes:
        read_only_for: who drives instead, or None when this screen may decide.
        has_sent: a command for the selected node is on its way.
        failure: what ended the driving, if anything did.
        program: how the operator calls this program.
        is_opening: the run is read already, but not yet opened for driving.
        step: the step that is selected, where the selected row is one.
        real_s: real seconds until a moment of the run's clock, where that is known.
        expected: how long steps usually settle and wait.
        may_drive: this screen, which does not drive, could come to.
    """

    now_ms: int
    read_only_for: str | None = None
    has_sent: bool = False
    failure: RunbookError | None = None
    program: str = "runbook"
    is_opening: bool = False
    step: str = ""
    real_s: Callable[[int], float | None] | None = None
    expected: Expected = field(default_factory=dict)
    may_drive: bool = False


def next_step(view: RunView, selected: str | None, desk: Desk) -> Next:
    """The next action for the node that is selected, or the way to the node that wants the operator."""
    todo = _next_step(view, selected, desk)
    node = view.nodes.get(selected or "")
    has_more = node is not None and matter(node) and not desk.is_opening and desk.failure is None
    return replace(todo, more="o") if has_more else todo


def _next_step(view: RunView, selected: str | None, desk: Desk) -> Next:
    if desk.failure is not None:
        error: ErrorDoc = {"code": desk.failure.code, "message": desk.failure.message, "hint": desk.failure.hint}
        rows = error_lines(error)
        if isinstance(desk.failure, LeaseLost):
            rows = lines(error["message"], "wait")
            old = f"What is shown is old, as of {moment(view.updated_ms)}."
            if desk.may_drive:
                rows.append(line(f"{old} ", ("T", "key"), " drives it from here again."))
            else:
                rows.append(line(f"{old} q leaves; to look on: ", (f"{desk.program} resume {view.id}", "code")))
            rows += lines(error["hint"], "muted")
        elif desk.may_drive:
            rows = [*rows[1:], line(("T", "key"), " opens it again from here, once that is mended."), *rows[:1]]
        return Next("q", "Quit: driving has ended here; the run is safe in its journal", tuple(rows))
    if over := _over(view, desk):
        return over
    node = view.nodes.get(selected or "")
    told = (
        tuple(situation(node, desk.now_ms, is_brief=True, real_s=desk.real_s, expected=desk.expected)) if node else ()
    )
    if desk.is_opening:
        return Next("", "Opening the run: this is how it was left" if view.nodes else "Opening the run", told)
    if desk.read_only_for is not None:
        return _watching(view, desk.read_only_for, told, desk)
    if desk.has_sent:
        return Next("", "Sent; it is being recorded", told)
    if view.paused:
        calm = lines("Paused: nothing new starts; calls in flight finish. What you decide now is kept.")
        return Next("p", "Go on", (*calm, *told))
    if node is not None and wants_me(node):
        return _decision(view, node, told)
    if node is None and desk.step and any(map(wants_me, members := view.of_step(desk.step))):
        return _of_step(view, desk.step, members)
    if (wanted := next_for_me(view, selected)) is not None:
        other = view.nodes[wanted]
        action = f"Go to: {one_line(other.doc['title'])}"
        return Next("n", action, (*lines(_why(other)), *_sayable(node), *told))
    return _nothing(view, node, told, desk)


def _over(view: RunView, desk: Desk) -> Next | None:
    if not view.id:
        return Next("", "Waiting for the run's first entry")
    if view.state is RunState.ABORTED:
        return Next("q", "Quit: this run was aborted", tuple(labelled("Reason", view.aborted or "none given")))
    if view.state is RunState.DONE:
        tally = Counter(str(n.state) for n in view.nodes.values())
        done = ", ".join(f"{count} {state}" for state, count in sorted(tally.items()))
        report = f"{desk.program} report {view.id} --format html --out report.html"
        proven = [n for n in view.nodes.values() if n.state is NodeState.DONE and n.summary][-1:]
        told = [line(f"{one_line(n.doc['title'])}: ", one_line(n.summary)) for n in proven]
        how = lines("R writes its report; so does, in a shell, to the folder you are in there:", "muted")
        return Next("q", f"Finished: {done}; q leaves", (*told, *how, *labelled("Report", report, "code")))
    return None


def _watching(view: RunView, driver: str, told: tuple[Line, ...], desk: Desk) -> Next:
    command = f"{desk.program} resume {view.id}"
    if not is_driven(driver):
        if desk.may_drive:
            return Next("T", "Drive it: whoever drove this run has left it", told)
        return Next("q", "Quit: whoever drove this run has left it", (*labelled("Go on with", command, "code"), *told))
    rows = lines(f"It is {driven_by(driver)}.")
    if desk.may_drive:
        rows.append(line(("T", "key"), " takes it over, with a reason that they see. Ask them first, if you can."))
    else:
        rows += labelled("To drive it yourself", f"{command} --take-over", "code")
    return Next("", "Nothing to press: you are watching", (*rows, *told))


def _decision(view: RunView, node: NodeView, told: tuple[Line, ...]) -> Next:
    title = one_line(node.doc["title"])
    if can_attest(node) and node.waiting and node.state is NodeState.WAITING:
        word = node.waiting["attest"]
        rest = (*(row for row in told if not is_labelled(row, "Then")), *along(view, node))
        if node.waiting["next_poll_ms"] is not None:
            return Next("t", f"Attest, or just wait: {one_line(word)}", rest)
        return Next("t", f"Attest: {one_line(word)}", rest)
    match node.state:
        case NodeState.READY:
            others = len(ready_safe(view, node.doc["phase"]))
            what = title if len(node.changes) > 1 else one_line(node.changes[0]["title"])
            return Next(
                "a", f"Approve: {what}", (*_effect(node.changes), *along(view, node), _aids(others), *_first(view))
            )
        case NodeState.FAILED:
            return Next("r", f"Try again: {title}", told)
        case NodeState.BLOCKED:
            polls = node.blocked is not None and node.blocked["next_poll_ms"] is not None
            acts = " (rehearsed teams act by themselves)" if polls and view.mode == "rehearsal" else ""
            word = node.blocked["attest"] if node.blocked else ""
            vouch = [line("Or ", ("t", "key"), f" attests: {one_line(word)}")] if word else _sayable(node)
            return Next("r", f"Look again once a way out is taken{acts}", (*told, *vouch))
        case NodeState.IN_DOUBT:
            return Next("r", f"Send again, or s skip: {one_line(node.intent['title']) if node.intent else title}", told)
        case _:
            return Next("r", f"Look again: {title}", told)


def _sayable(node: NodeView | None) -> list[Line]:
    """That a node takes a word which does not settle it, such as what others answered."""
    if node is None or not can_say(node):
        return []
    asked = node.blocked or node.waiting
    titles = [one_line(w["title"]) for w in (asked.get("words", ()) if asked else ())]
    return [line(("t", "key"), f" records an answer: {' · '.join(titles)}")] if titles else []


def _of_step(view: RunView, step: str, members: Sequence[NodeView]) -> Next:
    """A step whose nodes can be decided on together."""
    ready = ready_of_step(view, step)
    aid = line(("n", "key"), " goes to the first of them that needs you · ", ("Space", "key"), " opens the step")
    if not ready:
        first = next(n for n in members if wants_me(n))
        wanted = sum(map(wants_me, members))
        return Next("n", f"Go to: {one_line(first.doc['title'])}", (*lines(_why(first)), *lines(f"{wanted} need you.")))
    calls = sum(len(n.changes) for n in ready)
    rows = lines(f"A list shows each of the {calls} calls; nothing is sent before you say so there.")
    if risky := sum(n.is_disruptive for n in ready):
        rows = [*lines(f"Disruptive: {risky}. You will have to type the step's name.", "bad"), *rows]
    return Next("a", f"Approve together: {len(ready)} nodes of {step}", (*rows, *along(view, *ready), aid))


def _first(view: RunView) -> list[Line]:
    """Said until the first decision: what a newcomer wants to know before pressing anything."""
    if view.mode != "rehearsal" or any(n.approved or n.applied for n in view.nodes.values()):
        return []
    return lines("This Azure is simulated: nothing real is touched, and days take seconds.", "muted")


def _effect(changes: tuple[ChangeDoc, ...]) -> list[Line]:
    rows: list[Line] = []
    if any(c["risk"] == "disruptive" for c in changes):
        rows += lines("Disruptive: the Guide tells the risk; you will have to type a name.", "bad")
    if len(changes) == 1:
        return [*rows, line("Sends ", *_call(changes[0]), ", then looks again to prove it.")]
    rows += [line(f"Sends {len(changes)} calls, one after another, then looks again to prove it.")]
    rows += [line("First: ", one_line(changes[0]["title"]))]
    return rows


def _call(change: ChangeDoc) -> tuple[Span, ...]:
    return ((f"{change['method']} ", "muted"), (end_of(change["path"], 2), "code"))


def _aids(others: int) -> Line:
    aids: list[Span | str] = [("2", "key"), " shows the plan, ", ("3", "key"), " the commands"]
    if others > 1:
        aids += [" · ", ("A", "key"), f" approves all {others} ready, safe nodes of this phase"]
    return line(*aids)


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
            return "others have to act; this looks again by itself"
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
    if node is not None and node.state is NodeState.WAITING and can_say(node):
        return Next("t", "Record their answer once there is one, or just wait: this looks again by itself", told)
    if node is not None and told:
        return Next("", f"Nothing to press: {_calm(node)}", told)
    busy = standing(view).at_work
    if busy:
        names = [line("» ", one_line(n.doc["title"])) for n in busy[:3]]
        return Next("", f"Nothing to press: {len(busy)} at work", tuple(names))
    waiting = first_at_work(view)
    if waiting is not None:
        rows = situation(view.nodes[waiting], desk.now_ms, is_brief=True, real_s=desk.real_s, expected=desk.expected)
        return Next("", f"Nothing to press: {_calm(view.nodes[waiting])}", tuple(rows))
    return Next("", "Nothing to press: the engine is looking for the next step")
