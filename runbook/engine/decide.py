"""From a command to entries: a pure function. What does not fit the run as it stands is refused with a reason."""

from __future__ import annotations

from typing import Any, assert_never

from runbook.core.command import Abort, Approve, Attest, Command, HandOver, Note, Pause, Retry, Skip, Start
from runbook.core.entry import Draft, Kind
from runbook.core.error import UsageError
from runbook.core.state import FINISHED, NodeState, RunState
from runbook.core.view import NodeView, RunView
from runbook.engine.handing import BY_WORD, handed, takes_team

NEED_SKIPPED = "need-skipped"
"""The rule that stops a disruptive change behind a node the operator skipped."""

DID_NOT_HOLD = "change-did-not-hold"
"""The rule that stops sending a change that ARM took and that looking does not show."""

_SKIPPABLE = frozenset(
    {NodeState.PENDING, NodeState.READY, NodeState.WAITING, NodeState.BLOCKED, NodeState.FAILED, NodeState.IN_DOUBT}
)
_HANDABLE = frozenset({NodeState.READY, NodeState.BLOCKED, NodeState.FAILED})
_RETRYABLE = frozenset({NodeState.READY, NodeState.WAITING, NodeState.BLOCKED, NodeState.FAILED, NodeState.IN_DOUBT})


def decide(view: RunView, command: Command) -> Draft:
    """The entry that records a command.

    Raises:
        UsageError: it does not fit now; the message says why.
    """
    if isinstance(command, Note):  # also on a run that is over: for whoever reads it
        if not command.text.strip():
            raise UsageError("A note needs a text.", "It will stand in the report.")
        return Draft(Kind.NOTED, data={"text": command.text.strip(), "by": command.by})
    # A node that is over refuses by itself; only what concerns the whole run must ask for the run's own state.
    is_over = view.aborted is not None or (isinstance(command, Pause | Start | Abort) and view.state is RunState.DONE)
    if is_over:
        raise UsageError(f"Run {view.id} is {view.state}; nothing can be asked of it any more.")
    match command:
        case Approve(node=name, digests=digests, by=by):
            return _approve(_node(view, name), digests, by)
        case Retry(node=name):
            return _retry(view, _node(view, name))
        case Skip(node=name, reason=reason):
            node = _node(view, name)
            if not reason.strip():
                raise UsageError("A skip needs a reason.", "It will stand in the report.")
            _must_be(node, _SKIPPABLE, "skipped")
            return Draft(Kind.SKIPPED, name, NodeState.SKIPPED, {"by": "operator", "reason": reason.strip()})
        case Attest():
            return _attest(_node(view, command.node), command)
        case HandOver():
            return _hand_over(_node(view, command.node), command)
        case Pause():
            if view.paused:
                raise UsageError(f"Run {view.id} is paused already.")
            return Draft(Kind.PAUSED)
        case Start():
            if not view.paused:
                raise UsageError(f"Run {view.id} is not paused.")
            return Draft(Kind.STARTED)
        case Abort(reason=reason):
            return Draft(Kind.ABORTED, data={"reason": reason.strip() or "no reason given"})
        case _:
            assert_never(command)


def _approve(node: NodeView, digests: tuple[str, ...], by: str) -> Draft:
    _must_be(node, frozenset({NodeState.READY}), "approved")
    shown = tuple(c["digest"] for c in node.changes)
    if digests and digests != shown:
        raise UsageError(
            f"{node.id} wants other changes now than those that were approved.", "Look at its plan again, then approve."
        )
    said = {"by": by} if by else {}
    titles = [c["title"] for c in node.changes]
    return Draft(Kind.APPROVED, node.id, data={"digests": list(shown), "titles": titles, **said})


def _retry(view: RunView, node: NodeView) -> Draft:
    if node.state is NodeState.DONE and view.grows(node.doc["step"]):
        return Draft(Kind.RETRIED, node.id, data={"resend": ""})
    _must_be(node, _RETRYABLE, "looked at again")
    resend = ""
    if node.state is NodeState.IN_DOUBT and node.intent:
        resend = node.intent["digest"]
    elif node.blocked and node.blocked["rule"] == DID_NOT_HOLD and node.changes:
        resend = node.changes[0]["digest"]
    return Draft(Kind.RETRIED, node.id, data={"resend": resend})


def _attest(node: NodeView, command: Attest) -> Draft:
    _must_be(node, frozenset({NodeState.WAITING, NodeState.BLOCKED}), "attested")
    if not command.text.strip():
        raise UsageError("An attestation needs a text.", "Say what you vouch for: it will stand in the report.")
    taken = {w["says"] for doc in (node.waiting, node.blocked) if doc for w in doc.get("words", ())}
    wanted = (node.waiting and node.waiting["attest"]) or (node.blocked and node.blocked["attest"])
    if command.says and command.says not in taken:
        raise UsageError(f"{node.id} takes no word “{command.says}” now.", f"It takes {_listing(taken)}.")
    if not wanted and not command.says:
        ways = f"It takes {_listing(taken)}." if taken else "It goes on when the cloud shows what it waits for."
        raise UsageError(f"{node.id} cannot be settled by word.", ways)
    data: dict[str, Any] = {"text": command.text.strip(), "by": command.by}
    data |= {"evidence": command.evidence, "sha256": command.sha256}
    more = {"reference": command.reference.strip(), "dated_ms": command.dated_ms, "says": command.says}
    data |= {name: value for name, value in more.items() if value not in ("", None)}
    if node.blocked and node.blocked["rule"] == NEED_SKIPPED:
        data["accepted_skips"] = [c["observed"] for c in node.checks if c["name"] == NEED_SKIPPED]
    if node.handed and node.state is NodeState.WAITING:
        data["is_theirs"] = True
    return Draft(Kind.ATTESTED, node.id, data=data)


def _hand_over(node: NodeView, command: HandOver) -> Draft:
    to, note = " ".join(command.to.split()), command.note.strip()
    if not note and node.handed and node.handed["to"] == to:  # told once, it stays told
        note = node.handed["note"]
    if not to:
        raise UsageError("A hand-over needs the name of who does it.", "Such as: the DNS team.")
    if takes_team(node):  # what needs the rights that are missing here goes to them, node by node
        data = {"text": to, "by": command.by, "evidence": "", "sha256": "", "says": BY_WORD}
        return Draft(Kind.ATTESTED, node.id, data={**data, "reference": note} if note else data)
    if not (node.state is NodeState.WAITING and node.handed):  # handed to others, or to the same with another note
        _must_be(node, _HANDABLE, "handed over")
    if not node.attempts:
        raise UsageError(f"{node.id} was never looked at, so nobody knows what to do there.", "Retry it first.")
    return handed(node, to, command.by, note)


def _listing(words: set[str]) -> str:
    return f"one that says {' or '.join(sorted(words))}" if words else "none"


def _node(view: RunView, name: str) -> NodeView:
    if name in view.nodes:
        return view.nodes[name]
    from difflib import get_close_matches

    near = get_close_matches(name, view.nodes, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`runbook status` lists the nodes."
    raise UsageError(f"Run {view.id} has no node {name!r}.", hint)


def _must_be(node: NodeView, states: frozenset[NodeState], deed: str) -> None:
    if node.state in FINISHED:
        how = "is done" if node.state is NodeState.DONE else "was left out"
        raise UsageError(
            f"“{node.doc['title']}” ({node.id}) {how} by now and takes no answer any more.",
            "Nothing is lost: the answer was not needed, and it is not recorded.",
        )
    if node.state not in states:
        fitting = ", ".join(sorted(states))
        raise UsageError(
            f"{node.id} is {node.state} and cannot be {deed} now.", f"That is for nodes that are {fitting}."
        )
