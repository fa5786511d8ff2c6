"""What is known about whether a node's last call took effect: a pure function of the node and its entries.

Invariant: it follows from what was recorded (an intent, an answer, a refusal, an operation), never from the text of a
message. Where the record does not tell, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

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
    UNDER_WAY = "under_way"
    """Azure took it and works on it; only its progress could not be read."""
    UNTOLD = "untold"
    """The entries at hand do not tell."""


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
_TAKEN: Final = frozenset({Kind.ACCEPTED, Kind.POLLED})
_CALLS: Final = _TAKEN | {Kind.INTENDED}
_BLOCKED_AFTER_TAKING: Final = "change-did-not-hold"


def last_call(node: NodeView, entries: Sequence[Entry]) -> LastCall:
    """What is known of the last call.

    Args:
        node: as it stands.
        entries: of this node, oldest first; those that are not at hand make the answer only less exact.
    """
    # A rule is no attempt: what was put off before it met has nothing to do with it.
    attempt = () if node.state is NodeState.BLOCKED else _attempt(entries)
    ended = attempt[-1] if attempt else None
    effect = _effect(node, attempt)
    ended_ms = ended.at_ms if ended is not None else node.since_ms or None
    ids = _named(node, attempt, "correlation_id"), _named(node, attempt, "request_id")
    known = LastCall(effect, "", "", "", None, ended_ms, None, *ids)
    if effect is Effect.NO_CALL:
        return known
    intended = next((e for e in reversed(entries) if e.kind is Kind.INTENDED), None)
    if intended is not None:
        title, method, path = (str(intended.data.get(name, "")) for name in ("title", "method", "path"))
        return replace(known, title=title, method=method, path=path, at_ms=intended.at_ms, seq=intended.seq)
    if node.intent is not None:
        i = node.intent
        return replace(known, title=i["title"], at_ms=i["at_ms"], seq=i["seq"])
    return known


def _attempt(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of the attempt that went wrong last: from its look to where it ended."""
    end = max((i for i, e in enumerate(entries) if e.kind in _ENDS), default=-1)
    begin = max((i for i, e in enumerate(entries[: end + 1]) if e.kind is Kind.BEGUN), default=-1)
    return entries[begin + 1 : end + 1]


def _effect(node: NodeView, attempt: Sequence[Entry]) -> Effect:
    if node.intent is not None or node.state is NodeState.IN_DOUBT:
        return Effect.UNANSWERED
    if node.state is NodeState.BLOCKED:
        held = node.blocked is not None and node.blocked["rule"] == _BLOCKED_AFTER_TAKING
        return Effect.TAKEN if held else Effect.NO_CALL
    if node.error is None or not attempt:
        return Effect.UNTOLD
    ended = attempt[-1]
    if not any(e.kind in _CALLS for e in attempt):
        return Effect.NO_CALL
    is_taken = any(e.kind in _TAKEN for e in attempt)
    if ended.data.get("refused"):
        # An operation that ended badly at a node that tidies up is told so; one that ended as "not now" did nothing.
        if ended.data.get("declined") and is_taken:
            return Effect.ENDED_BADLY
        return Effect.NOT_SENT if node.error["code"] in _NEVER_LEFT else Effect.REFUSED
    if ended.kind is Kind.FAILED:
        return Effect.ENDED_BADLY if is_taken else Effect.UNTOLD
    return Effect.UNDER_WAY if is_taken else Effect.UNTOLD


def _named(node: NodeView, attempt: Sequence[Entry], name: str) -> str:
    """An id from the error, else the newest that was recorded in the attempt."""
    own = str((node.error and node.error.get(name)) or "")
    return own or next((str(e.data[name]) for e in reversed(attempt) if e.data.get(name)), "")
