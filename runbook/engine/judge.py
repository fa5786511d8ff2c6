"""From what a step said to entries: a pure function, the heart of the engine.

It alone decides whether a change may be sent: approved as shown, inside the pinned subscriptions, not in doubt,
its turn come. ``Judgement.send`` is set only together with a committed intent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

from runbook.core.clock import duration
from runbook.core.docs import ChangeDoc, ErrorDoc, WaitDoc
from runbook.core.entry import Draft, Kind, canonical
from runbook.core.ids import digest, subscription_of
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.decide import DID_NOT_HOLD, NEED_SKIPPED
from runbook.engine.handing import handed, seen, team_for, unreadable
from runbook.step import Blocked, Change, Changes, Check, InProgress, Poll, Satisfied, Verdict, Waiting

SENDS: Final = 3
"""How often one repeatable change is sent at one node before we stop and ask."""


LONGEST_WORK_S: Final = 24 * 3600
"""How long Azure may be at work at one place before somebody is told. Nothing in our books takes hours."""

NO_END: Final = "no-end-in-sight"
"""The rule that stops waiting in silence for what Azure never finishes."""

EXPIRED: Final = "wait-expired"
"""The rule that stops waiting for an answer after the time that the step gave it."""


BY_THE_BOOK: Final = "the book: it goes with the go given before"
"""In whose name a change is approved that needs no go of its own."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Entries to commit, and the change to send once they are."""

    drafts: tuple[Draft, ...]
    send: Change | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What a judgement depends on besides the verdict.

    Attributes:
        is_stopped: whether nothing new may be sent, by whomever's wish.
        is_free: whether nobody else holds these locks.
        skipped_needs: gives the nodes the operator skipped, on which this one stands, directly or not.
    """

    view: RunView
    node: NodeView
    now_ms: int
    is_stopped: bool
    is_free: Callable[[tuple[str, ...]], bool]
    skipped_needs: Callable[[], tuple[str, ...]]


def judge(scene: Scene, verdict: Verdict) -> Judgement:
    """What follows from a fresh look."""
    if scene.node.handed:
        wanted = _docs(tuple(verdict.changes)) if isinstance(verdict, Changes) else None
        verdict = seen(scene.node, verdict)
        if isinstance(verdict, Waiting):
            return _waiting(scene, verdict, changes=wanted)
    match verdict:
        case Satisfied():
            return _satisfied(scene, verdict)
        case Changes():
            return _changes(scene, verdict)
        case InProgress():
            return _in_progress(scene, verdict)
        case Waiting():
            return _waiting(scene, verdict)
        case Blocked():
            return _blocked(scene, verdict)
        case _:
            assert_never(verdict)


def judge_unreadable(scene: Scene, refusal: str) -> Judgement:
    """What follows where a node that was handed over may not be read with this account."""
    return judge(scene, unreadable(scene.node, refusal))


def _satisfied(scene: Scene, verdict: Satisfied) -> Judgement:
    unmet = [c for c in verdict.checks if not c.ok]
    if unmet:
        message = "; ".join(f"{c.name}: expected {c.expected}, found {c.observed}" for c in unmet)
        blocked = Blocked("check-not-met", message, ("Put it right, then retry.",), verdict.checks, poll=Poll())
        return _blocked(scene, blocked)
    # As a later session will read them: to an expression a tuple is no list.
    outputs = json.loads(canonical(dict(verdict.outputs))) if verdict.outputs else {}
    return _say(scene, NodeState.DONE, "satisfied", verdict.summary, verdict.checks, outputs=outputs)


def _in_progress(scene: Scene, verdict: InProgress) -> Judgement:
    known = scene.node.busy_since_ms
    since_ms = scene.now_ms if known is None else known
    if scene.now_ms - since_ms > LONGEST_WORK_S * 1000:
        blocked = Blocked(
            NO_END,
            f"Azure has been at work here for {duration((scene.now_ms - since_ms) / 1000)}: {verdict.summary}",
            (
                "Look at the resource in the portal: its activity log and its provisioning state.",
                "Ask Azure support with the correlation id, if nothing moves.",
                "This looks again by itself; retry looks now.",
            ),
            verdict.checks,
            poll=Poll(600, 1.5, 4 * 3600.0),
        )
        return _blocked(scene, blocked, busy_since_ms=since_ms)
    due_ms = scene.now_ms + round(max(verdict.again_s, 1.0) * 1000)
    summary, checks = verdict.summary, verdict.checks
    to, said = NodeState.SETTLING, "in_progress"
    return _say(scene, to, said, summary, checks, due_ms=due_ms, busy_since_ms=since_ms)


def _waiting(scene: Scene, verdict: Waiting, **more: Any) -> Judgement:
    before = scene.node.waiting
    is_same = before is not None and before["who"] == verdict.who
    since_ms = before["since_ms"] if before and is_same else None
    polls = before["polls"] + 1 if before and is_same else 0
    doc = verdict.doc(scene.now_ms, since_ms, polls, _part(scene, polls))
    expires_ms = doc["expires_ms"]
    if expires_ms is not None and scene.now_ms >= expires_ms:
        return _expired(scene, verdict, doc)
    summary = f"Waiting for {verdict.who}."
    more |= {"waiting": doc, "due_ms": doc["next_poll_ms"]}
    return _say(scene, NodeState.WAITING, "waiting", summary, verdict.checks, **more)


def _expired(scene: Scene, verdict: Waiting, doc: WaitDoc) -> Judgement:
    """The request has lapsed. The wait stays as it is and goes on being polled: an answer that comes late counts."""
    lasted = duration((scene.now_ms - doc["since_ms"]) / 1000)
    escalate = doc["escalate"]
    blocked = Blocked(
        EXPIRED,
        f"Nothing came from {verdict.who} in {lasted}; what was asked counts as lapsed.",
        (
            *((escalate["how"],) if escalate and escalate["how"] else ()),
            f"Ask {verdict.who} anew and say so here; the wait then begins again.",
            "Skip this node with the reason.",
            "This goes on looking by itself: an answer that comes late counts.",
        ),
        verdict.checks,
        attest=verdict.attest,
        poll=verdict.poll,
        words=verdict.words,
    )
    return _blocked(scene, blocked, waiting=doc)


def _part(scene: Scene, number: int) -> float:
    """How much of the jitter a delay takes: of the same look always the same, so that a rehearsal can be repeated."""
    return int(digest(f"{scene.view.id} {scene.node.id} {number}", 8), 16) / 16**8


def _blocked(scene: Scene, verdict: Blocked, **more: Any) -> Judgement:
    # The look number stands in for a count of polls: both only grow while the node stays blocked.
    looks = max(0, scene.node.attempts - 1)
    doc = verdict.doc(scene.now_ms, looks, _part(scene, looks))
    more |= {"blocked": doc, "due_ms": doc["next_poll_ms"]}
    if verdict.waits_on and scene.node.waiting:
        more["waiting"] = scene.node.waiting
    return _say(scene, NodeState.BLOCKED, "blocked", verdict.message, verdict.checks, **more)


def _changes(scene: Scene, verdict: Changes) -> Judgement:
    node, changes = scene.node, tuple(verdict.changes)
    if not changes:
        return _fail(scene, error_doc("step_fault", f"{node.id}'s step asks for changes and names none.", "A defect."))
    if outside := [c for c in changes if not _is_pinned(scene.view, c)]:
        message = f"{outside[0].title} would write to {outside[0].path}, outside the subscriptions of this run."
        hint = "Start a run whose inputs name that subscription, or correct the inputs."
        return _fail(scene, error_doc("outside_pinned", message, hint))
    first, digests = changes[0], [c.digest for c in changes]
    if _is_undecided(node, digests):
        summary = "The call was sent and looking cannot tell whether it took effect; sending it twice is not safe."
        return _say(scene, NodeState.IN_DOUBT, "changes", summary, verdict.checks, changes=_docs(changes))
    if held := _did_not_hold(node, first, digests[0]):
        return _blocked_with(scene, held, verdict)
    if any(c.risk == "disruptive" for c in changes):
        skipped = tuple(n for n in scene.skipped_needs() if n not in node.accepted_skips)
        if skipped:
            return _blocked_with(scene, _need_skipped(first, skipped), verdict)
    if team := team_for(scene.view, node, changes):
        summary, docs = verdict.summary or first.title, _docs(changes)
        told = _say(scene, NodeState.READY, "changes", summary, verdict.checks, wanted=digests, changes=docs)
        asked = handed(node.altered({"changes": tuple(docs)}), team["to"], team["by"])
        return Judgement((*told.drafts, replace(asked, data={**asked.data, "why": team["why"]})))
    is_approved = node.approved.issuperset(digests)
    if scene.is_stopped or not (is_approved and scene.is_free(first.locks)):
        summary = verdict.summary or "; ".join(c.title for c in changes)
        docs = _docs(changes)
        seen = _say(scene, NodeState.READY, "changes", summary, verdict.checks, wanted=digests, changes=docs)
        if is_approved or not _is_unasked(scene, changes):
            return seen
        # A go like any other, on record before anything is sent; the next look acts on it.
        go = {"digests": digests, "titles": [c.title for c in changes], "by": BY_THE_BOOK}
        return Judgement((*seen.drafts, Draft(Kind.APPROVED, node.id, data=go)))
    # What was shown and is still wanted as it was shown need not be said again.
    is_shown = [c["digest"] for c in node.changes] == digests
    shown = None if is_shown else _docs(changes)
    summary = verdict.summary or first.title
    seen = _say(scene, NodeState.APPLYING, "changes", summary, verdict.checks, wanted=digests, changes=shown)
    intent = {
        "digest": digests[0],
        "title": first.title,
        "repeat": first.repeat,
        "locks": [lock.lower() for lock in first.locks],
        "method": first.method,
        "path": first.path,
    }
    return Judgement((*seen.drafts, Draft(Kind.INTENDED, node.id, data=intent)), send=first)


def _is_unasked(scene: Scene, changes: tuple[Change, ...]) -> bool:
    """Whether nobody is asked: the book says so, there is no gate, and nothing of it is disruptive."""
    doc = scene.node.doc
    if doc["gate"] or any(c.risk != "safe" for c in changes):
        return False
    return scene.view.is_unasked(doc["step"])


def _docs(changes: tuple[Change, ...]) -> list[ChangeDoc]:
    return [c.doc() for c in changes]


def _is_pinned(view: RunView, change: Change) -> bool:
    pinned = {s.lower() for s in view.pinned.get("subscriptions", {})}
    subscription = subscription_of(change.path)
    return subscription is not None and subscription in pinned


def _is_undecided(node: NodeView, digests: list[str]) -> bool:
    intent = node.intent
    if intent is None or intent["repeat"] == "safe" or node.resend == intent["digest"]:
        return False
    return intent["digest"] in digests


def _did_not_hold(node: NodeView, change: Change, digest: str) -> Blocked | None:
    sent = sum(a["digest"] == digest for a in node.applied)
    if node.resend == digest or sent < (1 if change.repeat == "never" else SENDS):
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


def _blocked_with(scene: Scene, blocked: Blocked, verdict: Changes) -> Judgement:
    checks = (*verdict.checks, *blocked.checks)
    docs = _docs(tuple(verdict.changes))
    doc = blocked.doc(scene.now_ms, 0)
    return _say(scene, NodeState.BLOCKED, "blocked", blocked.message, checks, blocked=doc, changes=docs)


def _fail(scene: Scene, error: ErrorDoc) -> Judgement:
    return Judgement((Draft(Kind.FAILED, scene.node.id, NodeState.FAILED, {"error": error}),))


def _say(
    scene: Scene,
    to: NodeState,
    verdict: str,
    summary: str,
    checks: Iterable[Check],
    *,
    wanted: Iterable[str] = (),
    **rest: Any,
) -> Judgement:
    data: dict[str, Any] = {"verdict": verdict, "summary": summary, "checks": [c.doc() for c in checks]}
    data |= {k: v for k, v in rest.items() if v is not None}
    intent = scene.node.intent
    if intent and to is not NodeState.IN_DOUBT:
        # An in-doubt call took effect if a fresh look no longer asks for it; a rule or a wait decides nothing.
        if verdict in ("waiting", "blocked"):
            data["undecided"] = True
        else:
            data["took_effect"] = intent["digest"] not in wanted
    return Judgement((Draft(Kind.OBSERVED, scene.node.id, to, data),))


def error_doc(code: str, message: str, hint: str = "", correlation_id: str = "") -> ErrorDoc:
    """An error as entries carry it."""
    doc: ErrorDoc = {"code": code, "message": message, "hint": hint}
    if correlation_id:
        doc["correlation_id"] = correlation_id
    return doc
