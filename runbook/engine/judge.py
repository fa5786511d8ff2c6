"""From what a step said to entries: a pure function, the heart of the engine.

It alone decides whether a change may be sent: approved as shown, inside the pinned subscriptions, not in doubt,
its turn come. ``Judgement.send`` is set only together with a committed intent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, assert_never

from runbook.core.docs import ErrorDoc
from runbook.core.entry import Draft, Kind
from runbook.core.ids import subscription_of
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.decide import DID_NOT_HOLD, NEED_SKIPPED
from runbook.step import Blocked, Change, Changes, Check, InProgress, Poll, Satisfied, Verdict, Waiting

SENDS: Final = 3
"""How often one repeatable change is sent at one node before we stop and ask."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Entries to commit, and the change to send once they are."""

    drafts: tuple[Draft, ...]
    send: Change | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What a judgement depends on besides the verdict.

    Attributes:
        is_free: whether nobody else holds these locks.
        skipped_needs: nodes the operator skipped, on which this one stands, directly or not.
    """

    view: RunView
    node: NodeView
    now_ms: int
    is_free: Callable[[tuple[str, ...]], bool]
    skipped_needs: tuple[str, ...] = ()


def judge(scene: Scene, verdict: Verdict) -> Judgement:
    """What follows from a fresh look."""
    match verdict:
        case Satisfied():
            return _satisfied(scene, verdict)
        case Changes():
            return _changes(scene, verdict)
        case InProgress():
            due_ms = scene.now_ms + round(max(verdict.again_s, 1.0) * 1000)
            return _say(scene, NodeState.SETTLING, "in_progress", verdict.summary, verdict.checks, due_ms=due_ms)
        case Waiting():
            return _waiting(scene, verdict)
        case Blocked():
            return _blocked(scene, verdict)
        case _:
            assert_never(verdict)


def _satisfied(scene: Scene, verdict: Satisfied) -> Judgement:
    unmet = [c for c in verdict.checks if not c.ok]
    if unmet:
        message = "; ".join(f"{c.name}: expected {c.expected}, found {c.observed}" for c in unmet)
        blocked = Blocked("check-not-met", message, ("Put it right, then retry.",), verdict.checks, poll=Poll())
        return _blocked(scene, blocked)
    return _say(scene, NodeState.DONE, "satisfied", verdict.summary, verdict.checks, outputs=dict(verdict.outputs))


def _waiting(scene: Scene, verdict: Waiting) -> Judgement:
    before = scene.node.waiting
    is_same = before is not None and before["who"] == verdict.who
    since_ms = before["since_ms"] if before and is_same else None
    polls = before["polls"] + 1 if before and is_same else 0
    doc = verdict.doc(scene.now_ms, since_ms, polls)
    summary = f"Waiting for {verdict.who}."
    return _say(scene, NodeState.WAITING, "waiting", summary, verdict.checks, waiting=doc, due_ms=doc["next_poll_ms"])


def _blocked(scene: Scene, verdict: Blocked) -> Judgement:
    # The look number stands in for a count of polls: both only grow while the node stays blocked.
    doc = verdict.doc(scene.now_ms, max(0, scene.node.attempts - 1))
    return _say(
        scene, NodeState.BLOCKED, "blocked", verdict.message, verdict.checks, blocked=doc, due_ms=doc["next_poll_ms"]
    )


def _changes(scene: Scene, verdict: Changes) -> Judgement:
    node, changes = scene.node, tuple(verdict.changes)
    docs = [c.doc() for c in changes]
    if not changes:
        error = error_doc("step_fault", f"{node.id}'s step asks for changes and names none.", "This is a defect.")
        return Judgement((Draft(Kind.FAILED, node.id, NodeState.FAILED, {"error": error}),))
    first = changes[0]
    if outside := [c for c in changes if not _is_pinned(scene.view, c)]:
        message = f"{outside[0].title} would write to {outside[0].path}, outside the subscriptions of this run."
        hint = "Start a run whose inputs name that subscription, or correct the inputs."
        return _fail(scene, error_doc("outside_pinned", message, hint), docs)
    if _is_undecided(node, changes):
        summary = "The call was sent and looking cannot tell whether it took effect; sending it twice is not safe."
        return _say(scene, NodeState.IN_DOUBT, "changes", summary, verdict.checks, changes=docs)
    if held := _did_not_hold(node, first):
        return _blocked_with(scene, held, verdict, docs)
    skipped = tuple(n for n in scene.skipped_needs if n not in node.accepted_skips)
    if skipped and any(c.risk == "disruptive" for c in changes):
        return _blocked_with(scene, _need_skipped(first, skipped), verdict, docs)
    is_approved = all(c.digest in node.approved for c in changes)
    if not (is_approved and not scene.view.paused and scene.is_free(first.locks)):
        summary = verdict.summary or "; ".join(c.title for c in changes)
        return _say(scene, NodeState.READY, "changes", summary, verdict.checks, changes=docs)
    seen = _say(scene, NodeState.APPLYING, "changes", verdict.summary or first.title, verdict.checks, changes=docs)
    intent = {
        "digest": first.digest,
        "title": first.title,
        "repeat": first.repeat,
        "locks": [lock.lower() for lock in first.locks],
        "method": first.method,
        "path": first.path,
    }
    return Judgement((*seen.drafts, Draft(Kind.INTENDED, node.id, data=intent)), send=first)


def _is_pinned(view: RunView, change: Change) -> bool:
    pinned = {s.lower() for s in view.pinned.get("subscriptions", {})}
    subscription = subscription_of(change.path)
    return subscription is not None and subscription in pinned


def _is_undecided(node: NodeView, changes: tuple[Change, ...]) -> bool:
    intent = node.intent
    if intent is None or intent["repeat"] == "safe" or node.resend == intent["digest"]:
        return False
    return any(c.digest == intent["digest"] for c in changes)


def _did_not_hold(node: NodeView, change: Change) -> Blocked | None:
    sent = sum(a["digest"] == change.digest for a in node.applied)
    if node.resend == change.digest or sent < (1 if change.repeat == "never" else SENDS):
        return None
    times = "once" if sent == 1 else f"{sent} times"
    return Blocked(
        DID_NOT_HOLD,
        f"Azure took “{change.title}” {times}, and a fresh look still asks for it.",
        ("Find out who or what undoes it: the activity log names who writes.", "Retry: it will be sent once more."),
    )


def _need_skipped(change: Change, skipped: tuple[str, ...]) -> Blocked:
    return Blocked(
        NEED_SKIPPED,
        f"“{change.title}” is disruptive and stands on {', '.join(skipped)}, which was skipped.",
        ("Attest that it is safe without it.", "Skip this node too."),
        checks=tuple(Check(NEED_SKIPPED, "done", name, ok=False) for name in skipped),
        attest="What was skipped is not needed for this change, because …",
    )


def _blocked_with(scene: Scene, blocked: Blocked, verdict: Changes, docs: list[Any]) -> Judgement:
    doc = blocked.doc(scene.now_ms, 0)
    checks = (*verdict.checks, *blocked.checks)
    return _say(scene, NodeState.BLOCKED, "blocked", blocked.message, checks, blocked=doc, changes=docs)


def _fail(scene: Scene, error: ErrorDoc, docs: list[Any]) -> Judgement:
    seen = Draft(Kind.FAILED, scene.node.id, NodeState.FAILED, {"error": error, "changes": docs})
    return Judgement((seen,))


def _say(scene: Scene, to: NodeState, verdict: str, summary: str, checks: Any, **rest: Any) -> Judgement:
    data: dict[str, Any] = {"verdict": verdict, "summary": summary, "checks": [c.doc() for c in checks]}
    data |= {k: v for k, v in rest.items() if v is not None}
    intent = scene.node.intent
    if intent and to is not NodeState.IN_DOUBT:
        # An in-doubt call took effect if a fresh look no longer asks for it; a rule or a wait decides nothing.
        if verdict in ("waiting", "blocked"):
            data["undecided"] = True
        else:
            data["took_effect"] = all(c["digest"] != intent["digest"] for c in data.get("changes", ()))
    return Judgement((Draft(Kind.OBSERVED, scene.node.id, to, data),))


def error_doc(code: str, message: str, hint: str = "", correlation_id: str = "") -> ErrorDoc:
    """An error as entries carry it."""
    doc: ErrorDoc = {"code": code, "message": message, "hint": hint}
    if correlation_id:
        doc["correlation_id"] = correlation_id
    return doc
