"""A run in a few fields: what a list of runs tells of each, so that nobody keeps three hundred whole views.

Invariant: a pure function of the view, and small: no book, no scenario and no node but the most urgent few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from runbook.core.state import FINISHED, NodeState, RunState
from runbook.core.tally import URGENT, wants_me
from runbook.core.view import NodeView, RunView

SPOTS: Final = 5
"""So many nodes are told by name, the most urgent ones."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A node where something is due or under way.

    Attributes:
        since_ms: when it came into its state; of a wait or a rule, since when that has held.
        who: whom it waits for; empty when for nobody outside.
        due_ms: when the engine looks there again by itself, where it will.
        why: what it waits for, which rule forbids, or what failed, in a sentence; may be empty.
        wants_me: whether the operator should look there.
    """

    node: str
    step: str
    title: str
    state: NodeState
    since_ms: int
    who: str = ""
    due_ms: int | None = None
    why: str = ""
    wants_me: bool = False


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run stands. Times are the run's: simulated in a rehearsal."""

    id: str
    book: str
    book_version: Any
    title: str
    mode: str
    edition: str
    scenario: str
    state: RunState
    account: str
    subscriptions: tuple[str, ...]
    """Their names, or their ids where they have none; the one the run is mostly about first."""
    cloud: str
    created_ms: int
    updated_ms: int
    head: int
    paused: bool
    aborted: str | None
    finished: int
    total: int
    has_more: bool
    """Whether steps are left that have not become nodes yet."""
    wanting: int
    """How many nodes want the operator."""
    spots: tuple[Spot, ...] = ()

    @property
    def spot(self) -> Spot | None:
        """Where the run stands: the most urgent node."""
        return self.spots[0] if self.spots else None

    @property
    def is_over(self) -> bool:
        """Whether nothing will ever happen in it again."""
        return self.state in (RunState.DONE, RunState.ABORTED)


def summary(view: RunView) -> RunSummary:
    """The run in a few fields."""
    nodes = list(view.nodes.values())
    place = {state: number for number, state in enumerate(URGENT)}
    lively = [n for n in nodes if n.state in place]
    lively.sort(key=lambda n: (not wants_me(n), place[n.state]))
    return RunSummary(
        id=view.id,
        book=str(view.book.get("id", "")),
        book_version=view.book.get("version", 0),
        title=str(view.book.get("title", "")),
        mode=view.mode,
        edition=view.edition,
        scenario=view.scenario,
        state=view.state,
        account=str(view.pinned.get("account") or ""),
        subscriptions=_subscriptions(view),
        cloud=view.cloud,
        created_ms=view.created_ms,
        updated_ms=view.updated_ms,
        head=view.head,
        paused=view.paused,
        aborted=view.aborted,
        finished=sum(n.state in FINISHED for n in nodes),
        total=len(nodes),
        has_more=bool(view.steps_left),
        wanting=sum(map(wants_me, nodes)),
        spots=tuple(map(_spot, lively[:SPOTS])),
    )


def _subscriptions(view: RunView) -> tuple[str, ...]:
    pinned: dict[str, str] = dict(view.pinned.get("subscriptions") or {})
    main = view.inputs.get("subscription")
    order = sorted(pinned, key=lambda id_: id_ != main)
    return tuple(pinned[id_] or id_ for id_ in order)


def _spot(node: NodeView) -> Spot:
    since_ms, who, due_ms, why = node.since_ms, "", node.due_ms, ""
    if node.state is NodeState.WAITING and (wait := node.waiting):
        since_ms, who, due_ms, why = wait["since_ms"], wait["who"], wait["next_poll_ms"], wait["message"]
    elif node.state is NodeState.BLOCKED and (block := node.blocked):
        since_ms, due_ms = node.blocked_since_ms or node.since_ms, block["next_poll_ms"]
        why = f"{block['rule']}: {block['message']}"
    elif node.error:
        why = f"{node.error['code']}: {node.error['message']}"
    elif node.state is NodeState.SETTLING and node.busy_since_ms is not None:
        since_ms = node.busy_since_ms
    title = str(node.doc["title"])
    return Spot(node.id, node.doc["step"], title, node.state, since_ms, who, due_ms, why, wants_me(node))
