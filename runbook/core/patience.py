"""How a wait stands, for a person: how long already, what is usual, whether to remind or to turn to somebody else.

Pure: a wait's record (``WaitDoc``), the time, and how long such waits took in earlier runs of this machine
(``runbook.report.earlier`` reads them). Screens, ``status``, ``poll`` and reports tell it in the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Literal

from runbook.core.clock import duration, iso
from runbook.core.docs import EscalateDoc, SentDoc, WaitDoc
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView

Pace = Literal["early", "usual", "long", "unknown"]
"""Within what is usual from its lower end on; ``early`` is before that."""

FEW: Final = 3
"""Below so many earlier waits their middle says little; their longest counts then."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One wait at one moment.

    Attributes:
        lasted_s: since the wait began, never below zero, whatever the clock did.
        pace: against what is usual.
        usual: what is usual in a sentence with its source; empty when nobody knows.
        is_reminder_due: a moment to remind has passed since the last message.
        next_reminder_ms: the next such moment; None when there is none left.
        is_escalation_due: it is time to turn to somebody else.
        apart: names of the nodes of the same step that are through already, while this one waits.
    """

    lasted_s: float
    pace: Pace
    usual: str
    sent: SentDoc | None
    is_reminder_due: bool
    next_reminder_ms: int | None
    escalate: EscalateDoc | None
    is_escalation_due: bool
    expires_ms: int | None
    apart: tuple[str, ...] = ()


def standing(wait: WaitDoc, now_ms: int, earlier_s: Sequence[float] = (), apart: Sequence[str] = ()) -> Standing:
    """How a wait stands now.

    Args:
        wait: as the journal has it; an earlier release may have written less.
        now_ms: the run's time.
        earlier_s: how long such waits took before, in seconds.
        apart: see ``Standing``.
    """
    lasted_s = max(0.0, (now_ms - wait["since_ms"]) / 1000)
    remind_ms = wait.get("remind_ms") or []
    escalate = wait.get("escalate")
    low_s, high_s = _usual_s(wait, earlier_s)
    pace: Pace = "unknown"
    if low_s is not None and high_s is not None:
        pace = "early" if lasted_s < low_s else "usual" if lasted_s <= high_s else "long"
    return Standing(
        lasted_s=lasted_s,
        pace=pace,
        usual=_usual(wait, earlier_s),
        sent=wait.get("sent"),
        is_reminder_due=any(at <= now_ms for at in remind_ms),
        next_reminder_ms=min((at for at in remind_ms if at > now_ms), default=None),
        escalate=escalate,
        is_escalation_due=escalate is not None and escalate["at_ms"] <= now_ms,
        expires_ms=wait.get("expires_ms"),
        apart=tuple(apart),
    )


def _usual_s(wait: WaitDoc, earlier_s: Sequence[float]) -> tuple[float | None, float | None]:
    """From and to, in seconds. What happened here beats what somebody wrote."""
    if earlier_s:
        return min(earlier_s), max(earlier_s)
    usual = wait.get("usual")
    return (usual["from_s"], usual["to_s"]) if usual else (None, None)


def _usual(wait: WaitDoc, earlier_s: Sequence[float]) -> str:
    said = []
    if earlier_s:
        low, high = duration(min(earlier_s)), duration(max(earlier_s))
        span = low if low == high else f"{low} to {high}"
        count = len(earlier_s)
        times = "one earlier wait" if count == 1 else f"{count} earlier waits"
        middle = f", {duration(median(earlier_s))} in the middle" if count >= FEW else ""
        said.append(f"{span}{middle} ({times} on this machine)")
    if usual := wait.get("usual"):
        said.append(f"{usual['text']} ({usual['source']})" if usual["source"] else usual["text"])
    return "; ".join(said)


def apart_of(view: RunView, node: NodeView) -> tuple[str, ...]:
    """What others of the same step are called that got what this one waits for."""
    others = (n for n in view.of_step(node.doc["step"]) if n.id != node.id and n.state is NodeState.DONE)
    return tuple(n.doc["key"] or n.id for n in others if n.waited)


_PACES: Final[dict[Pace, str]] = {
    "early": "That is not long yet.",
    "usual": "That is usual.",
    "long": "That is longer than usual.",
    "unknown": "",
}


def sentences(s: Standing, who: str) -> list[str]:
    """What to tell of it beside for whom and since when, most urgent first; each a sentence of its own."""
    told: list[str] = []
    if s.is_escalation_due and s.escalate is not None:
        told.append(f"Time to turn to somebody else: {s.escalate['how']}" if s.escalate["how"] else "Time to escalate.")
    elif s.is_reminder_due:
        told.append(f"Remind {who}, then say so here.")
    if s.apart:
        told.append(f"Already through: {', '.join(s.apart)}. This one is not: name it in your message.")
    if s.usual:
        told.append(f"Usual: {s.usual}. {_PACES[s.pace]}".rstrip())
    if s.sent:
        reference = f", reference {s.sent['reference']}" if s.sent["reference"] else ""
        told.append(f"Sent {_at(s.sent['at_ms'])} by {s.sent['by']}{reference}: {s.sent['how']}")
    if not s.is_reminder_due and s.next_reminder_ms is not None:
        told.append(f"A reminder is due from {_at(s.next_reminder_ms)}.")
    if s.escalate is not None and not s.is_escalation_due:
        told.append(f"To be escalated from {_at(s.escalate['at_ms'])}.")
    if s.expires_ms is not None:
        told.append(f"The request lapses {_at(s.expires_ms)}.")
    return told


def _at(at_ms: int) -> str:
    return f"{iso(at_ms)[:16].replace('T', ' ')} UTC"


def patience_doc(s: Standing) -> dict[str, Any]:
    """The ``patience`` object that ``status --json`` prints for a wait."""
    return {
        "lasted_s": round(s.lasted_s),
        "pace": s.pace,
        "usual": s.usual,
        "sent": {**s.sent, "at": iso(s.sent["at_ms"])} if s.sent else None,
        "reminder_due": s.is_reminder_due,
        "next_reminder": None if s.next_reminder_ms is None else iso(s.next_reminder_ms),
        "escalate": None
        if s.escalate is None
        else {"at": iso(s.escalate["at_ms"]), "how": s.escalate["how"], "due": s.is_escalation_due},
        "expires": None if s.expires_ms is None else iso(s.expires_ms),
        "apart": list(s.apart),
    }
