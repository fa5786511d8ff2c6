"""From entries to the run as it stands: a pure function, and the only way a ``RunView`` comes about.

Read this beside ``runbook.core.state``: every move it makes must be in the table there. What each kind of entry
carries in ``data`` is what its function below reads.

One kind of entry does not go by that table: a migration, which replaces the book, puts new nodes in old places.

Invariant: ``fold(fold(v, a), b) == fold(v, a + b)``, so a kept snapshot and the rest give the same view as the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any, Final

from runbook.core.docs import AppliedDoc, WaitDoc, WaitedDoc
from runbook.core.entry import Entry, Kind, canonical
from runbook.core.error import Damaged
from runbook.core.ids import digest
from runbook.core.state import FINISHED, NodeState, is_allowed
from runbook.core.view import NodeView, RunView

FORM: Final = "2." + digest(" ".join(f.name for view in (RunView, NodeView) for f in fields(view)), 8)
"""The snapshot's form; another one is ignored and the journal folded anew.

The names of the fields are part of it by themselves. Raise the number when the fold gives a field another meaning.
"""


def fold(view: RunView, entries: Iterable[Entry]) -> RunView:
    """The view after these entries. ``view`` is not altered.

    Raises:
        Damaged: an entry asks for a move that the table does not allow, speaks of an unknown node, or lacks
            what its kind carries.
    """
    nodes = dict(view.nodes)
    last: Entry | None = None
    for last in entries:
        try:
            if last.node is None:
                view = _RUN[last.kind](view, nodes, last)
            else:
                nodes[last.node] = _advance(nodes.get(last.node), last)
                if last.kind is Kind.GREW:
                    view = replace(view, expanded=view.expanded - set(last.data["again"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Damaged(f"Row {last.seq} ({last.kind}) does not carry what it should: {error!r}.", _HINT) from error
    return view if last is None else replace(view, nodes=nodes, head=last.seq, updated_ms=last.at_ms)


def _advance(node: NodeView | None, entry: Entry) -> NodeView:
    if node is None:
        raise Damaged(f"Row {entry.seq} speaks of node {entry.node!r}, which no earlier row made.", _HINT)
    changed = _NODE[entry.kind](node, entry)
    if entry.to is not None and entry.to is not node.state:
        if not is_allowed(node.state, entry.to):
            raise Damaged(f"Row {entry.seq} moves {node.id} from {node.state} to {entry.to}, which cannot be.", _HINT)
        changed |= {"state": entry.to, "since_ms": entry.at_ms}
    return node.altered(changed) if changed else node


_HINT: Final = "`runbook journal check` names damaged rows; restore the journal from a copy."

# ---------------------------------------------------------------- the run


def _created(view: RunView, nodes: dict[str, NodeView], entry: Entry) -> RunView:
    d = entry.data
    return replace(
        view,
        id=d["id"],
        book=d["book"],
        mode=d["mode"],
        edition=d["edition"],
        scenario=d["scenario"],
        inputs=d["inputs"],
        pinned=d["pinned"],
        options=d.get("options", {}),
        created_ms=entry.at_ms,
    )


def _expanded(view: RunView, nodes: dict[str, NodeView], entry: Entry) -> RunView:
    steps = [step["id"] for step in view.book.get("steps", ())]
    place = {name: number for number, name in enumerate(steps)}
    newest = next(reversed(nodes.values())).doc["step"] if nodes else None
    for doc in entry.data["nodes"]:
        if doc["id"] not in nodes:
            nodes[doc["id"]] = NodeView(doc, since_ms=entry.at_ms)
    step = entry.data["step"]
    if newest is not None and place.get(newest, len(place)) > place[step]:
        _put_in_order(nodes, place)
    # Steps that are repeated over this one's nodes become nodes again when these are finished.
    return replace(view, expanded=(view.expanded | {step}) - set(entry.data.get("again", ())))


def _put_in_order(nodes: dict[str, NodeView], place: dict[str, int]) -> None:
    """Book order; nodes of steps that the book does not have any more come last."""
    in_order = sorted(nodes.values(), key=lambda n: place.get(n.doc["step"], len(place)))
    nodes.clear()
    nodes.update((n.id, n) for n in in_order)


def _migrated(view: RunView, nodes: dict[str, NodeView], entry: Entry) -> RunView:
    d = entry.data
    for doc in d["nodes"]:
        nodes[doc["id"]] = nodes[doc["id"]].altered({"doc": doc})
    afresh = {name: getattr(_UNTOUCHED, name) for name in _BEGUN_AGAIN} | {"since_ms": entry.at_ms}
    for name in d["reset"]:
        nodes[name] = nodes[name].altered(afresh)
    for name, reason in d["removed"].items():
        node = nodes[name]
        gone = {"state": NodeState.SKIPPED, "skipped": {"by": "when", "reason": reason}, "waiting": None}
        nodes[name] = node.altered({**afresh, **gone, "waited": _waited(node, None, entry.at_ms)})
    steps = [step["id"] for step in d["book"]["steps"]]
    _put_in_order(nodes, {name: number for number, name in enumerate(steps)})
    expanded = (view.expanded & set(steps)) - set(d["again"])
    return replace(view, book=d["book"], inputs=d["inputs"], expanded=expanded)


_BEGUN_AGAIN: Final = (
    "state", "verdict", "summary", "checks", "changes", "blocked", "blocked_since_ms", "error", "due_ms", "deferred",
    "setbacks", "busy_since_ms", "skipped", "refused", "resend",
)  # fmt: skip
"""What a node loses whose definition is another. What was said, approved, sent and waited for stays with it."""
_UNTOUCHED: Final = NodeView(
    {"id": "", "step": "", "key": None, "title": "", "phase": "", "target": "", "gate": "", "needs": [], "item": None}
)

_RUN: Final[dict[str, Callable[[RunView, dict[str, NodeView], Entry], RunView]]] = {
    Kind.RUN_CREATED: _created,
    Kind.EXPANDED: _expanded,
    Kind.PAUSED: lambda view, _, __: replace(view, paused=True),
    Kind.STARTED: lambda view, _, __: replace(view, paused=False),
    Kind.ABORTED: lambda view, _, entry: replace(view, aborted=entry.data["reason"]),
    Kind.MIGRATED: _migrated,
    Kind.NOTED: lambda view, _, __: view,
}

# ---------------------------------------------------------------- one node: the fields an entry changes

_Fields = dict[str, Any]


def _begun(node: NodeView, entry: Entry) -> _Fields:
    started = entry.at_ms if node.started_ms is None else node.started_ms
    return {"attempts": node.attempts + 1, "started_ms": started, "due_ms": None}


def _observed(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    is_applying = entry.to is NodeState.APPLYING
    changes = node.changes if is_applying and "changes" not in d else tuple(d.get("changes", ()))
    applied = node.applied
    if node.intent is not None and d.get("took_effect"):  # the call in doubt did take effect
        applied = (*applied, _applied(node.intent, entry.at_ms, node.intent["seq"]))
    for digest_, came_of_it in ((d.get("blocked") or {}).get("failed") or {}).items():
        applied = _ended_badly(applied, digest_, came_of_it)
    return {
        "verdict": d["verdict"],
        "summary": d.get("summary", ""),
        "checks": tuple(d.get("checks", ())),
        "changes": changes,
        "outputs": d.get("outputs", node.outputs),
        "waiting": d.get("waiting"),
        "waited": _waited(node, d.get("waiting"), entry.at_ms),
        "blocked": d.get("blocked"),
        "blocked_since_ms": _blocked_since_ms(node, entry),
        "due_ms": d.get("due_ms"),
        "error": None,
        "deferred": node.deferred if is_applying else 0,
        "setbacks": 0 if entry.to is NodeState.DONE or d.get("took_effect") else node.setbacks,
        "busy_since_ms": d.get("busy_since_ms"),
        "operation": None,
        "applied": applied,
        "intent": node.intent if entry.to is NodeState.IN_DOUBT or d.get("undecided") else None,
        "resend": "" if d.get("took_effect") else node.resend,  # that leave was for a call that turned out not needed
    }


def _waited(node: NodeView, now: WaitDoc | None, at_ms: int) -> tuple[WaitedDoc, ...]:
    before = node.waiting
    if before is None or (now is not None and now["since_ms"] == before["since_ms"]):
        return node.waited
    since_ms = max([before["since_ms"], *(w["until_ms"] for w in node.waited[-1:])])  # no time is counted twice
    over: WaitedDoc = {"who": before["who"], "since_ms": since_ms, "until_ms": at_ms}
    if draft := before.get("draft"):
        over["draft"] = draft
    return (*node.waited, over)


def _blocked_since_ms(node: NodeView, entry: Entry) -> int | None:
    now, before = entry.data.get("blocked"), node.blocked
    if now is None:
        return None
    return node.blocked_since_ms if before and before["rule"] == now["rule"] else entry.at_ms


def _deferred(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    intent = None if d.get("refused") else node.intent  # only ARM's own no settles what an intent led to
    # An operation that ended as "not now" took no effect after all; its call was the last to be counted.
    applied = node.applied[:-1] if node.operation and entry.to is NodeState.OBSERVING else node.applied
    over = {"operation": None} if entry.to is NodeState.OBSERVING else {}
    later = {"error": d["error"], "due_ms": d["due_ms"], "deferred": node.deferred + 1}
    if d.get("refused") and d.get("attempt"):
        later["setbacks"] = node.setbacks + 1
    if declined := d.get("declined"):
        error = {"code": d["error"]["code"], "message": d["error"]["message"]}
        taken = {"taken": True} if node.operation else {}
        later["refused"] = (*node.refused, {**declined, "at_ms": entry.at_ms, "seq": entry.seq, **error, **taken})
    if entry.to in (NodeState.WAITING, NodeState.BLOCKED):  # it goes on as it was, only later
        later["waiting"] = node.waiting and {**node.waiting, "next_poll_ms": d["due_ms"]}
        later["blocked"] = node.blocked and {**node.blocked, "next_poll_ms": d["due_ms"]}
    return {**later, **over, "intent": intent, "applied": applied}


def _failed(node: NodeView, entry: Entry) -> _Fields:
    intent = None if entry.data.get("refused") else node.intent
    error, applied = entry.data["error"], node.applied
    if node.operation is not None and applied:
        applied = _ended_badly(applied, applied[-1]["digest"], f"{error['code']}: {error['message']}")
    return {
        "applied": applied,
        "error": error,
        "due_ms": None,
        "deferred": 0,
        "setbacks": 0,
        "intent": intent,
        "operation": None,
    }


def _approved(node: NodeView, entry: Entry) -> _Fields:
    return {"approved": node.approved | set(entry.data["digests"])}


def _skipped(node: NodeView, entry: Entry) -> _Fields:
    skipped = {"by": entry.data["by"], "reason": entry.data["reason"]}
    over = {"waited": _waited(node, None, entry.at_ms)} if node.waiting else {}
    return {**over, "skipped": skipped, "due_ms": None, "waiting": None, "blocked": None, "error": None, "intent": None}


def _attested(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    word = {"at_ms": entry.at_ms, "seq": entry.seq, "text": d["text"], "by": d["by"]}
    word |= {"evidence": d.get("evidence", ""), "sha256": d.get("sha256", "")}
    word |= {name: d[name] for name in ("reference", "dated_ms", "says") if name in d}
    if d.get("is_theirs"):
        word["is_theirs"] = True
    if skips := d.get("accepted_skips", ()):
        word["accepts"] = list(skips)
    accepted = node.accepted_skips | set(skips)
    return {"attested": (*node.attested, word), "accepted_skips": accepted, "due_ms": entry.at_ms}


def _retried(node: NodeView, entry: Entry) -> _Fields:
    if node.state is NodeState.DONE:  # looked at again beside its state: it stays done whatever is seen
        return {}
    resend = entry.data.get("resend", "")
    afresh = {"deferred": 0, "setbacks": 0, "busy_since_ms": None, "refused": ()}
    return {"due_ms": entry.at_ms, "resend": resend, "retried": entry.seq, "handed": None, **afresh}


def _handed(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    wait: WaitDoc = {
        "who": d["waiting"]["who"],
        "message": d["waiting"]["message"],
        "then": d["waiting"]["then"],
        "since_ms": entry.at_ms,
        "next_poll_ms": entry.at_ms,
        "draft": "",
        "attest": d["waiting"]["attest"],
        "polls": 0,
    }
    doc = {name: d[name] for name in ("to", "by", "note", "why")}
    return {
        "handed": {**doc, "at_ms": entry.at_ms, "seq": entry.seq},
        "waiting": wait,
        "waited": _waited(node, wait, entry.at_ms),
        "approved": frozenset[str](),  # a go was for sending it from here
        "due_ms": entry.at_ms,
        "blocked": None,
        "blocked_since_ms": None,
        "error": None,
        "deferred": 0,
        "setbacks": 0,
        "resend": "",
    }


def _intended(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    intent = {k: d[k] for k in ("digest", "title", "repeat", "locks")}
    return {"intent": {**intent, "seq": entry.seq, "at_ms": entry.at_ms}, "resend": ""}


def _answered(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    applied = (*node.applied, _applied(d, entry.at_ms, entry.seq))
    return {"applied": applied, "intent": None, "due_ms": entry.at_ms, "deferred": 0, "setbacks": 0}


def _accepted(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    operation = {"seq": entry.seq, "kind": d["kind"], "status": d["status"], "percent": None, "since_ms": entry.at_ms}
    operation["locks"] = node.intent["locks"] if node.intent else []
    # Taken is not done: should it end as "not now", the next postponement is one more in a row.
    row = {"deferred": node.deferred, "setbacks": node.setbacks}
    return {**_answered(node, entry), "operation": operation, "due_ms": d["due_ms"], **row}


def _doubted(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    # One found at start-up is looked at at once and has no due time of its own.
    is_live = "due_ms" in d
    counts = {"deferred": node.deferred + 1 if is_live else 0, "setbacks": node.setbacks + is_live}
    return {"due_ms": d.get("due_ms", entry.at_ms), "error": d["error"], **counts}


def _polled(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    operation = node.operation and {**node.operation, "status": d["status"], "percent": d.get("percent")}
    is_over = entry.to is not None
    counts = {"deferred": 0, "setbacks": 0} if is_over else {}
    return {"operation": None if is_over else operation, "due_ms": d["due_ms"], **counts}


def _grew(node: NodeView, entry: Entry) -> _Fields:
    d = entry.data
    return {"outputs": d["outputs"], "checks": tuple(d["checks"]), "summary": d["summary"]}


def _applied(change: Any, at_ms: int, seq: int) -> AppliedDoc:
    return {"digest": change["digest"], "title": change["title"], "at_ms": at_ms, "seq": seq}


def _ended_badly(applied: tuple[AppliedDoc, ...], digest_: str, came_of_it: str) -> tuple[AppliedDoc, ...]:
    """The same changes; the last with this digest did not do what it should."""
    at = max((n for n, change in enumerate(applied) if change["digest"] == digest_), default=None)
    if at is None:
        return applied
    return (*applied[:at], {**applied[at], "failed": came_of_it}, *applied[at + 1 :])


_NODE: Final[dict[str, Callable[[NodeView, Entry], _Fields]]] = {
    Kind.BEGUN: _begun,
    Kind.OBSERVED: _observed,
    Kind.DEFERRED: _deferred,
    Kind.FAILED: _failed,
    Kind.APPROVED: _approved,
    Kind.SKIPPED: _skipped,
    Kind.ATTESTED: _attested,
    Kind.RETRIED: _retried,
    Kind.HANDED: _handed,
    Kind.INTENDED: _intended,
    Kind.ANSWERED: _answered,
    Kind.ACCEPTED: _accepted,
    Kind.DOUBTED: _doubted,
    Kind.POLLED: _polled,
    Kind.GREW: _grew,
    Kind.NOTED: lambda _, __: {},
}

# ---------------------------------------------------------------- snapshots


def to_snapshot(view: RunView) -> str:
    """The view as JSON text; ``from_snapshot`` gives it back."""
    doc = {f.name: getattr(view, f.name) for f in fields(RunView) if f.init}
    doc["nodes"] = [_node_doc(n) for n in view.nodes.values()]
    doc["expanded"] = sorted(view.expanded)
    return canonical(doc)


def _node_doc(node: NodeView) -> dict[str, Any]:
    doc = {f.name: getattr(node, f.name) for f in fields(NodeView)}
    doc["approved"], doc["accepted_skips"] = sorted(node.approved), sorted(node.accepted_skips)
    return doc


def from_snapshot(doc: dict[str, Any]) -> RunView:
    """A view from the parsed JSON of ``to_snapshot``."""
    nodes = {}
    for n in doc["nodes"]:
        for name in ("checks", "changes", "applied", "attested", "refused", "waited"):
            n[name] = tuple(n[name])
        for name in ("approved", "accepted_skips"):
            n[name] = frozenset(n[name])
        n["state"] = NodeState(n["state"])
        node = NodeView(**n)
        nodes[node.id] = node
    return RunView(**{**doc, "nodes": nodes, "expanded": frozenset(doc["expanded"])})


def is_finished(node: NodeView) -> bool:
    """Whether the node satisfies those who need it."""
    return node.state in FINISHED
