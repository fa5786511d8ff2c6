"""What another team does: how a hand-over is recorded, and what a look says of a node that was handed over. Pure.

Invariant: while a node is handed over nothing of it is sent from here. It goes on being looked at; whoever did it and
however, a look that finds everything as it should be ends the wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from runbook.core.docs import HandedDoc
from runbook.core.entry import Draft, Kind
from runbook.core.rights import lacks
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.step import Blocked, Change, Changes, Check, Poll, Satisfied, Verdict, Waiting

BY_WORD: Final = "handed"
"""What an ``Attest`` says at a node that takes the name of a team instead of a right."""

THEN: Final = "The next look that finds it as it should be ends this wait, whoever did it. Retry takes it back."
WORD: Final = "It was done by hand: by whom, when and where it is written"


def takes_team(node: NodeView) -> bool:
    """Whether a rule here is answered by naming who does what it stands in the way of."""
    return node.blocked is not None and any(w["says"] == BY_WORD for w in node.blocked.get("words", ()))


def handed(node: NodeView, to: str, by: str, note: str = "") -> Draft:
    """The entry that hands a node over."""
    error, blocked = node.error, node.blocked
    why = f"{error['code']}: {error['message']}" if error else ""
    why = f"{blocked['rule']}: {blocked['message']}" if blocked and not why else why
    message = _asked(to, (c["title"] for c in node.changes), why)
    wait = {"who": to, "message": message, "then": THEN, "attest": WORD}
    data = {"to": to, "by": by, "note": note, "why": why, "waiting": wait}
    return Draft(Kind.HANDED, node.id, NodeState.WAITING, data)


def team_for(view: RunView, node: NodeView, changes: Iterable[Change]) -> HandedDoc | None:
    """Who does these changes because this account may not; None where it may, or where it is to be tried anyway.

    Once the operator asked for another try at a node, it is theirs.
    """
    if node.retried:
        return None
    for change in changes:
        if lack := lacks(view, change.method, change.path, change.body):
            why = f"{lack['action']} on {lack['scope']} is missing here."
            return {"to": lack["to"], "by": lack["by"], "note": "", "why": why, "at_ms": 0, "seq": 0}
    return None


def seen(node: NodeView, verdict: Verdict) -> Verdict:
    """What a look says of a node that was handed over: what is not as it should be is still theirs."""
    team = node.handed
    assert team is not None
    unmet = [c for c in verdict.checks if not c.ok] if isinstance(verdict, Satisfied | Changes | Blocked) else []
    match verdict:
        case Satisfied() if not unmet:
            said = f"Done by {team['to']}, nothing of it was sent from here." if not node.applied else ""
            return replace(verdict, summary=f"{said} {verdict.summary}".strip())
        case Satisfied():
            return _still(node, (), "", unmet, verdict.checks)
        case Changes():
            return _still(node, [c.title for c in verdict.changes], "", unmet, verdict.checks)
        case Blocked():
            return _still(node, (), f"{verdict.rule}: {verdict.message}", unmet, verdict.checks)
        case _:
            return verdict


def unreadable(node: NodeView, error: str) -> Verdict:
    """What is to be thought of a node that was handed over and that this account may not even read."""
    word = _word(node)
    if word is None:
        return _still(node, (), f"{error} This account cannot see whether it is done: their word will do.", (), ())
    how = f"by the word of {word['by']}: “{word['text']}”" + (f", {word['evidence']}" if word["evidence"] else "")
    check = Check("done by another team", "a word, since it cannot be read with this account", how, ok=True)
    return Satisfied((check,), summary=f"Done by {node.handed['to'] if node.handed else ''}; it was not read: {error}")


def _still(
    node: NodeView, titles: Iterable[str], rule: str, unmet: Iterable[Check], checks: Iterable[Check]
) -> Waiting:
    assert node.handed is not None
    to = node.handed["to"]
    message = _asked(to, titles, rule)
    if word := _word(node):
        differs = "; ".join(f"{c.name}: expected {c.expected}, found {c.observed}" for c in unmet)
        what = f"What differs: {differs}. " if differs else ""
        message = f"{word['by']} said “{word['text']}”, and a fresh look does not show it yet. {what}{message}"
    return Waiting(to, message, THEN, Poll(), attest=WORD, checks=tuple(checks))


def _asked(to: str, titles: Iterable[str], rule: str) -> str:
    told = [*titles]
    what = f"Still to be done by them: {'; '.join(told)}." if told else ""
    return " ".join(part for part in (what, rule) if part) or f"{to} does what is to be done here."


def _word(node: NodeView) -> dict[str, Any] | None:
    """Their newest word since the hand-over."""
    since = node.handed["seq"] if node.handed else 0
    return next((dict(w) for w in reversed(node.attested) if w["seq"] > since), None)
