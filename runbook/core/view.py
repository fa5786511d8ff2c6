"""What a screen may know: the run as its journal tells it. Built only by ``runbook.journal.fold``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from runbook.core.docs import (
    AppliedDoc,
    AttestDoc,
    BlockDoc,
    ChangeDoc,
    CheckDoc,
    ErrorDoc,
    HandedDoc,
    IntentDoc,
    NodeDoc,
    OperationDoc,
    RefusedDoc,
    SkipDoc,
    WaitDoc,
    WaitedDoc,
)
from runbook.core.state import FINISHED, NodeState, RunState


@dataclass(frozen=True, slots=True)
class NodeView:
    """One node. Fields that do not apply in its state are None or empty."""

    doc: NodeDoc
    state: NodeState = NodeState.PENDING
    since_ms: int = 0
    """When it came into this state."""
    started_ms: int | None = None
    attempts: int = 0
    """Looks at the cloud so far."""
    verdict: str = ""
    """The step's last word: satisfied, changes, in_progress, waiting, blocked."""
    summary: str = ""
    """The step's last word in a sentence; may be empty."""
    checks: tuple[CheckDoc, ...] = ()
    changes: tuple[ChangeDoc, ...] = ()
    """Still to be made, in order, as last seen."""
    approved: frozenset[str] = frozenset()
    """Digests of changes the operator said go to."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    waiting: WaitDoc | None = None
    waited: tuple[WaitedDoc, ...] = ()
    """Its waits that are over, oldest first."""
    blocked: BlockDoc | None = None
    blocked_since_ms: int | None = None
    """Since when that rule has held, looks in between included."""
    error: ErrorDoc | None = None
    intent: IntentDoc | None = None
    operation: OperationDoc | None = None
    due_ms: int | None = None
    """When the engine will look or poll again by itself."""
    deferred: int = 0
    """Postponements in a row."""
    setbacks: int = 0
    """Calls in a row that were lost or put off, whatever looks said in between."""
    busy_since_ms: int | None = None
    """Since when looks have found Azure at work here without an end."""
    applied: tuple[AppliedDoc, ...] = ()
    attested: tuple[AttestDoc, ...] = ()
    handed: HandedDoc | None = None
    """To whom it was handed over; None again once it was taken back."""
    skipped: SkipDoc | None = None
    accepted_skips: frozenset[str] = frozenset()
    """Needs the operator skipped and then accepted as missing, for this node."""
    refused: tuple[RefusedDoc, ...] = ()
    """What ARM said no to at a node whose step tidies up, oldest first; another try begins with none."""
    retried: int = 0
    """Number of the entry in which the operator last asked for another try."""
    resend: str = ""
    """Digest of the change in doubt that the operator allowed to be sent again."""

    def altered(self, changed: Mapping[str, Any]) -> NodeView:
        """The node with other values in some fields: ``dataclasses.replace``, which a long fold cannot afford."""
        other: NodeView = object.__new__(NodeView)
        for name in _FIELDS:
            object.__setattr__(other, name, changed[name] if name in changed else getattr(self, name))
        return other

    @property
    def id(self) -> str:
        return self.doc["id"]

    @property
    def changed(self) -> bool:
        """Whether this run changed something here."""
        return bool(self.applied)

    @property
    def is_done_elsewhere(self) -> bool:
        """Whether it is done after it was handed over, without anything that this run sent."""
        return self.state is NodeState.DONE and self.handed is not None and not self.applied

    @property
    def is_disruptive(self) -> bool:
        """Whether a change still to be made is disruptive."""
        return any(c["risk"] == "disruptive" for c in self.changes)

    @property
    def at_stake(self) -> str:
        """What somebody types to approve a disruptive change: the name of the node's target.

        Not that of what is written, which may be called ``default`` or be the same for every target. A node without a
        target gives the first disruptive change's resource.
        """
        risky = next((c["path"].partition("?")[0] for c in self.changes if c["risk"] == "disruptive"), "")
        return " ".join((self.doc["target"] or risky).rstrip("/").rpartition("/")[2].split())

    @property
    def is_approved(self) -> bool:
        """Whether every change still to be made has been approved as shown."""
        return bool(self.changes) and all(c["digest"] in self.approved for c in self.changes)

    @property
    def needs_operator(self) -> bool:
        """Whether nothing goes on here until the operator says something."""
        match self.state:
            case NodeState.READY:
                return not self.is_approved
            case NodeState.IN_DOUBT:
                return self.due_ms is None
            case NodeState.WAITING:
                return self.waiting is not None and self.waiting["next_poll_ms"] is None
            case _:
                return False


_FIELDS: Final = tuple(f.name for f in fields(NodeView))


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. ``nodes`` is in book order; treat every mapping as read-only."""

    id: str = ""
    book: Mapping[str, Any] = field(default_factory=dict)
    """The whole book this run started with, as JSON."""
    mode: str = ""
    edition: str = "auto"
    """As asked for; what `auto` came to is an output of the book's edition step."""
    scenario: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    pinned: Mapping[str, Any] = field(default_factory=dict)
    """``{"cloud", "tenant", "account", "subscriptions": {id: name}}``: the only place writes may go. ``cloud`` is
    the one whose rules hold; a live run has ``cloud_name`` and ``endpoint`` beside it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else the run was created with (``via``, ``speed``, the scenario's text)."""
    created_ms: int = 0
    updated_ms: int = 0
    head: int = 0
    """Number of the newest entry."""
    nodes: Mapping[str, NodeView] = field(default_factory=dict)
    expanded: frozenset[str] = frozenset()
    """Steps that have become nodes (possibly none)."""
    paused: bool = False
    aborted: str | None = None
    """The reason, when aborted."""
    _state: RunState | None = field(default=None, init=False, repr=False, compare=False)
    """Counted once, when first asked for: a screen asks many times, and a run may have thousands of nodes."""

    @property
    def cloud(self) -> str:
        """The cloud's name for people. A simulator that only follows another cloud's rules never passes for it."""
        rules = str(self.pinned.get("cloud") or "")
        name = str(self.pinned.get("cloud_name") or rules)
        return name if name == rules else f"{name} (by the rules of {rules})"

    @property
    def steps_left(self) -> int:
        """Steps of the book that have not been expanded yet."""
        return len(self.book.get("steps", ())) - len(self.expanded)

    def grows(self, step: str) -> bool:
        """Whether the book says that this step is looked at again after it is done."""
        return any(s.get("grows", False) for s in self.book.get("steps", ()) if s["id"] == step)

    def is_unasked(self, step: str) -> bool:
        """Whether the book says that this step's safe changes need no go of their own."""
        return any(bool(s.get("unasked", False)) for s in self.book.get("steps", ()) if s["id"] == step)

    def goes_along(self, step: str) -> list[dict[str, Any]]:
        """The unasked steps of the book that a go or a word at this step covers too, as far as they are still open."""
        named = [s for s in self.book.get("steps", ()) if isinstance(s.get("unasked"), list) and step in s["unasked"]]
        return [s for s in named if not (n := self.of_step(s["id"])) or any(m.state not in FINISHED for m in n)]

    @property
    def state(self) -> RunState:
        """The run as a whole; see ``RunState`` for the order where several hold."""
        if self._state is None:
            object.__setattr__(self, "_state", self._count())
        assert self._state is not None
        return self._state

    def _count(self) -> RunState:
        if self.aborted is not None:
            return RunState.ABORTED
        nodes = self.nodes.values()
        states = {n.state for n in nodes}
        if self.nodes and states <= FINISHED and not self.steps_left:
            return RunState.DONE
        if NodeState.FAILED in states:
            return RunState.FAILED
        if NodeState.BLOCKED in states:
            return RunState.BLOCKED
        if any(n.needs_operator for n in nodes):
            return RunState.NEEDS_OPERATOR
        if NodeState.WAITING in states and not states & _AT_WORK:
            return RunState.WAITING
        return RunState.ACTIVE

    @property
    def is_over(self) -> bool:
        """Whether nothing will ever happen in this run again."""
        return self.state in (RunState.DONE, RunState.ABORTED)

    @property
    def totals(self) -> dict[NodeState, int]:
        """How many nodes stand in each state; states without nodes are left out."""
        return dict(Counter(n.state for n in self.nodes.values()))

    def of_step(self, step: str) -> list[NodeView]:
        """The nodes of one step, in book order."""
        return [n for n in self.nodes.values() if n.doc["step"] == step]


_AT_WORK = frozenset({NodeState.OBSERVING, NodeState.APPLYING, NodeState.SETTLING, NodeState.IN_DOUBT})
