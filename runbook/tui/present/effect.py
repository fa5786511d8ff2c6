"""What is known about whether a node's last call took effect: a pure function of the node and its entries.

Invariant: it follows from what was recorded (an intent, an answer, a refusal, an operation), never from the text of a
message. Where the record does not tell, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from runbook.core.entry import Entry, Kind
from runbook.core.error import NotSent, SignInNeeded
from runbook.core.state import NodeState
from runbook.core.view import NodeView


class Effect(Enum):
    """How sure we are of what a call did."""

    NO_CALL = "no_call"
    """It went wrong while looking, or a rule forbade: nothing was sent."""
    NOT_SENT = "not_sent"
    """A call was to be made and never left this machine."""
    REFUSED = "refused"
    """Azure said no: not applied."""
    UNANSWERED = "unanswered"
    """It was sent, and how it ended is not known."""
    ENDED_BADLY = "ended_badly"
    """Azure took it, worked on it and gave up: part of it may stand."""
    TAKEN = "taken"
    """Azure said yes, and a fresh look does not show it."""


@dataclass(frozen=True, slots=True)
class LastCall:
    """The newest call of a node, as far as the record has one.

    Attributes:
        effect: what is known of it.
        title, method, path: what it was; empty where nothing was sent.
        at_ms: when its intent was written; None where there is none.
        ended_ms: when what went wrong was recorded; None when the entries do not reach so far.
        seq: the entry of its intent.
        correlation_id, request_id: to be searched for, by us and by Azure support; may be empty.
    """

    effect: Effect
    title: str = ""
    method: str = ""
    path: str = ""
    at_ms: int | None = None
    ended_ms: int | None = None
    seq: int | None = None
    correlation_id: str = ""
    request_id: str = ""


_NEVER_LEFT: Final = frozenset({NotSent.code, SignInNeeded.code, "stopped"})
_ENDS: Final = frozenset({Kind.FAILED, Kind.DEFERRED, Kind.DOUBTED})
_BLOCKED_AFTER_TAKING: Final = "change-did-not-hold"


def last_call(node: NodeView, entries: Sequence[Entry]) -> LastCall:
    """What is known of the last call.

    Args:
        node: as it stands.
        entries: of this node, oldest first; those that are not at hand make the answer only less exact.
    """
    intended = next((e for e in reversed(entries) if e.kind is Kind.INTENDED), None)
    after = [e for e in entries if intended is not None and e.seq > intended.seq]
    ended = next((e for e in reversed(entries) if e.kind in _ENDS), None)
    effect = _effect(node, after, ended)
    at_ms = ended.at_ms if ended is not None else node.since_ms or None
    if effect is Effect.NO_CALL:
        return LastCall(effect, ended_ms=at_ms, correlation_id=_correlation(node, []), request_id=_request(node, []))
    told: dict[str, Any] = dict(intended.data) if intended is not None else {}
    intent = node.intent
    return LastCall(
        effect,
        title=str(told.get("title") or (intent["title"] if intent else "")),
        method=str(told.get("method", "")),
        path=str(told.get("path", "")),
        at_ms=intended.at_ms if intended is not None else intent["at_ms"] if intent else None,
        ended_ms=at_ms,
        seq=intended.seq if intended is not None else intent["seq"] if intent else None,
        correlation_id=_correlation(node, after),
        request_id=_request(node, after),
    )


def _effect(node: NodeView, after: Sequence[Entry], ended: Entry | None) -> Effect:
    if node.intent is not None or node.state is NodeState.IN_DOUBT:
        return Effect.UNANSWERED
    if node.state is NodeState.BLOCKED:
        held = node.blocked is not None and node.blocked["rule"] == _BLOCKED_AFTER_TAKING
        return Effect.TAKEN if held else Effect.NO_CALL
    if node.error is None:
        return Effect.NO_CALL
    if ended is None or ended not in after:
        return Effect.NO_CALL
    if ended.data.get("refused"):
        # An operation that ended badly, at a node that tidies up. One that ended as "not now" took no effect.
        if ended.data.get("declined") and any(e.kind is Kind.ACCEPTED for e in after):
            return Effect.ENDED_BADLY
        return Effect.NOT_SENT if node.error["code"] in _NEVER_LEFT else Effect.REFUSED
    since_look = _since_last_look(after)
    if ended.kind is Kind.FAILED and any(e.kind in (Kind.ACCEPTED, Kind.POLLED) for e in since_look):
        return Effect.ENDED_BADLY
    return Effect.NO_CALL


def _since_last_look(after: Sequence[Entry]) -> list[Entry]:
    """The entries of a call without those of looks that came later."""
    begun = max((i for i, e in enumerate(after) if e.kind is Kind.BEGUN), default=-1)
    return list(after[begun + 1 :])


def _correlation(node: NodeView, after: Sequence[Entry]) -> str:
    own = (node.error or {}).get("correlation_id", "")
    return str(own or _newest(after, "correlation_id"))


def _request(node: NodeView, after: Sequence[Entry]) -> str:
    own = (node.error or {}).get("request_id", "")
    return str(own or _newest(after, "request_id"))


def _newest(after: Sequence[Entry], name: str) -> str:
    return next((str(e.data[name]) for e in reversed(after) if e.data.get(name)), "")
