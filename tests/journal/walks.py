"""Random lives of a run: every move is in the transition table, every entry carries what its kind carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from runbook.core.entry import GENESIS, Draft, Entry, Kind
from runbook.core.state import TRANSITIONS, NodeState

STEPS = ("context", "zone", "links")
RUN_KINDS = {Kind.RUN_CREATED, Kind.EXPANDED, Kind.PAUSED, Kind.STARTED, Kind.ABORTED, Kind.MIGRATED}
NODE_KINDS = sorted(set(Kind) - RUN_KINDS)
MOVES = {state: [t.target for t in TRANSITIONS if t.source is state] for state in NodeState}

CREATED = Draft(
    Kind.RUN_CREATED,
    data={
        "id": "run-1",
        "book": {"id": "b", "version": 1, "steps": [{"id": step} for step in STEPS]},
        "mode": "rehearsal",
        "edition": "auto",
        "scenario": "none",
        "inputs": {"zones": ["blob", "file"]},
        "pinned": {"cloud": "AzureCloud", "tenant": "t", "account": "anna", "subscriptions": {"s": "Lab"}},
    },
)


def expanded(step: str, *keys: str) -> Draft:
    """A step becomes nodes, one per key."""
    docs = [
        {
            "id": f"{step}[{key}]",
            "step": step,
            "key": key,
            "title": f"{step} {key}",
            "phase": "all",
            "target": key,
            "gate": "",
            "needs": [],
            "item": {"name": key},
        }
        for key in keys
    ]
    return Draft(Kind.EXPANDED, data={"step": step, "nodes": docs})


def chained(drafts: Sequence[Draft], first_ms: int = 1_000) -> list[Entry]:
    """Drafts as a journal would number, date and bind them."""
    entries: list[Entry] = []
    for seq, draft in enumerate(drafts, 1):
        entries.append(Entry.chain(draft, seq, first_ms + 10 * seq, entries[-1].hash if entries else GENESIS))
    return entries


def carried(kind: Kind, flag: bool = False, number: int = 0) -> dict[str, Any]:
    """What an entry of this kind carries; ``flag`` and ``number`` vary it."""
    digest = f"digest-{number % 3}"
    error = {"code": "c", "message": "m", "hint": ""}
    check = {"name": "n", "expected": "1", "observed": str(number), "ok": flag}
    change: dict[str, Any] = {
        "digest": digest,
        "title": "t",
        "risk": "disruptive" if flag else "safe",
        "repeat": "safe",
        "locks": [],
    }
    waiting = {"who": "w", "next_poll_ms": number or None, "since_ms": 1, "polls": number}
    match kind:
        case Kind.OBSERVED:
            more: dict[str, Any] = {"took_effect": True} if flag else {"undecided": True, "due_ms": number}
            shown = {"changes": [change], "waiting": waiting} if number % 2 else {"outputs": {"id": number}}
            return {"verdict": "changes", "summary": "s", "checks": [check], **shown, **more}
        case Kind.DEFERRED:
            return {"error": error, "due_ms": number, "attempt": 1, "refused": flag}
        case Kind.FAILED:
            return {"error": error, "refused": flag}
        case Kind.DOUBTED:
            return {"error": error}
        case Kind.APPROVED:
            return {"digests": [digest], "titles": ["t"]}
        case Kind.SKIPPED:
            return {"by": "operator" if flag else "when", "reason": "r"}
        case Kind.ATTESTED:
            return {"text": "t", "by": "anna", "accepted_skips": [digest] if flag else []}
        case Kind.RETRIED:
            return {"resend": digest if flag else ""}
        case Kind.HANDED:
            said = {"message": "m", "then": "t", "attest": "done" if flag else ""}
            wait = {"who": f"team {number}", **said}
            return {"to": wait["who"], "by": "anna", "note": "", "why": "r" if flag else "", "waiting": wait}
        case Kind.INTENDED:
            return {"digest": digest, "title": "t", "repeat": "never" if flag else "safe", "locks": [f"l{number}"]}
        case Kind.ANSWERED:
            return {"digest": digest, "title": "t", "status": 200}
        case Kind.ACCEPTED:
            return {"digest": digest, "title": "t", "status": 201, "kind": "location", "due_ms": number}
        case Kind.POLLED:
            return {"status": "Running", "due_ms": number, "percent": 0.5 if flag else None}
        case Kind.GREW:
            again = [STEPS[number % 3]] if flag else []
            return {"outputs": {"id": number}, "checks": [check], "summary": "s", "again": again}
        case Kind.ABORTED:
            return {"reason": "r"}
        case _:
            return {}


@st.composite
def walks(draw: st.DrawFn) -> list[Entry]:
    """A journal of up to forty rows, in which every move is in the table."""
    drafts = [CREATED]
    states: dict[str, NodeState] = {}
    for _ in range(draw(st.integers(0, 40))):
        what = draw(st.integers(0, 9))
        if what == 0 or not states:
            step, keys = draw(st.sampled_from(STEPS)), draw(st.lists(st.sampled_from("abc"), unique=True))
            drafts.append(expanded(step, *keys))
            for key in keys:
                states.setdefault(f"{step}[{key}]", NodeState.PENDING)
        elif what == 1:
            kind = draw(st.sampled_from([Kind.PAUSED, Kind.STARTED, Kind.NOTED, Kind.ABORTED]))
            drafts.append(Draft(kind, data=carried(kind)))
        else:
            node = draw(st.sampled_from(sorted(states)))
            to = draw(st.sampled_from([None, states[node], *MOVES[states[node]]]))
            kind = draw(st.sampled_from(NODE_KINDS))
            data = carried(kind, draw(st.booleans()), draw(st.integers(0, 5)))
            drafts.append(Draft(kind, node, to, data))
            states[node] = to or states[node]
    return chained(drafts)
