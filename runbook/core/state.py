"""Node states and the one table of allowed transitions. Read this first.

The engine, the fold, the tests, the screen's legend and README's diagram all read ``TRANSITIONS``.
A node's state changes only through a journal entry that names the new state; an entry that asks
for a move which is not in the table is refused before it is written.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class NodeState(StrEnum):
    """Where a node stands."""

    PENDING = "pending"
    """Its needs are not met yet."""
    OBSERVING = "observing"
    """Looking at the cloud. After a change this is shown as "verifying"."""
    READY = "ready"
    """Changes are needed and wait for the operator's go."""
    APPLYING = "applying"
    """One change's intent is committed and its call is under way."""
    SETTLING = "settling"
    """Azure works on it; we poll."""
    WAITING = "waiting"
    """Somebody outside must act; we poll gently or wait to be told."""
    BLOCKED = "blocked"
    """A rule forbids going on; the ways out are listed."""
    IN_DOUBT = "in_doubt"
    """A call was sent and its answer is not known."""
    FAILED = "failed"
    """Refused, or could not be read within its budget."""
    DONE = "done"
    """A fresh read satisfied every check."""
    SKIPPED = "skipped"
    """Not applicable here, or left out by the operator with a reason."""


class Transition(NamedTuple):
    """One allowed move and, in words, what causes it."""

    source: NodeState
    target: NodeState
    when: str


_S = NodeState

TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition(_S.PENDING, _S.OBSERVING, "needs are met"),
    Transition(_S.PENDING, _S.SKIPPED, "`when` is false, or the operator skips"),
    Transition(_S.OBSERVING, _S.DONE, "satisfied, every check of this fresh read is ok"),
    Transition(_S.OBSERVING, _S.READY, "changes needed that are not approved, or whose turn has not come"),
    Transition(_S.OBSERVING, _S.APPLYING, "the remaining changes are all among the approved ones"),
    Transition(_S.OBSERVING, _S.SETTLING, "in progress in the cloud"),
    Transition(_S.OBSERVING, _S.WAITING, "someone outside must act"),
    Transition(_S.OBSERVING, _S.BLOCKED, "a rule forbids"),
    Transition(_S.OBSERVING, _S.FAILED, "the read failed beyond its budget"),
    Transition(_S.OBSERVING, _S.IN_DOUBT, "reading cannot decide about a `repeat: never` change"),
    Transition(_S.READY, _S.OBSERVING, "approved, or refreshed"),
    Transition(_S.READY, _S.SKIPPED, "skipped with a reason"),
    Transition(_S.READY, _S.WAITING, "handed to another team"),
    Transition(_S.APPLYING, _S.SETTLING, "accepted as an operation"),
    Transition(_S.APPLYING, _S.OBSERVING, "answered at once, or refused for now"),
    Transition(_S.APPLYING, _S.FAILED, "refused"),
    Transition(_S.APPLYING, _S.IN_DOUBT, "answer lost, or found so at start-up"),
    Transition(_S.SETTLING, _S.OBSERVING, "operation ended well, or its status cannot be read"),
    Transition(_S.SETTLING, _S.FAILED, "operation ended badly"),
    Transition(_S.IN_DOUBT, _S.OBSERVING, "at once; or the operator said what to do"),
    Transition(_S.IN_DOUBT, _S.SKIPPED, "skipped with a reason"),
    Transition(_S.WAITING, _S.OBSERVING, "poll, attestation or retry"),
    Transition(_S.WAITING, _S.SKIPPED, "skipped with a reason"),
    Transition(_S.BLOCKED, _S.OBSERVING, "poll, attestation or retry"),
    Transition(_S.BLOCKED, _S.SKIPPED, "skipped with a reason"),
    Transition(_S.BLOCKED, _S.WAITING, "handed to another team"),
    Transition(_S.FAILED, _S.OBSERVING, "retry"),
    Transition(_S.FAILED, _S.SKIPPED, "skipped with a reason"),
    Transition(_S.FAILED, _S.WAITING, "handed to another team"),
)

_ALLOWED: Final = frozenset((t.source, t.target) for t in TRANSITIONS)

GLYPHS: Final[dict[NodeState, str]] = {
    _S.PENDING: "·",
    _S.OBSERVING: "◌",
    _S.READY: "?",
    _S.APPLYING: "»",
    _S.SETTLING: "~",
    _S.WAITING: "…",
    _S.BLOCKED: "■",
    _S.IN_DOUBT: "‽",
    _S.FAILED: "✗",
    _S.DONE: "✓",
    _S.SKIPPED: "-",
}
"""One cell wide each; every screen shows the glyph together with the word, so colour carries nothing alone."""

FINISHED: Final = frozenset({_S.DONE, _S.SKIPPED})
"""States that satisfy a dependent's need."""


class RunState(StrEnum):
    """The run as a whole; where several hold, the first of failed, blocked, needs_operator, waiting."""

    ACTIVE = "active"
    WAITING = "waiting"
    NEEDS_OPERATOR = "needs_operator"
    FAILED = "failed"
    BLOCKED = "blocked"
    DONE = "done"
    ABORTED = "aborted"


def is_allowed(source: NodeState, target: NodeState) -> bool:
    """Whether the table has this move. Staying in a state is not a move and needs no row."""
    return (source, target) in _ALLOWED


def diagram() -> str:
    """The table as a Mermaid state diagram, for README."""
    lines = ["stateDiagram-v2", "    [*] --> pending"]
    lines += [f"    {t.source} --> {t.target}: {t.when.replace('`', '')}" for t in TRANSITIONS]
    lines += [f"    {state} --> [*]" for state in NodeState if state in FINISHED]
    return "\n".join(lines)
