"""Journal entries: what was decided, intended and seen, in order, each bound to the one before by its hash."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Self

from runbook.core.redact import may_hold_secret, redact
from runbook.core.state import NodeState

SCHEMA: Final = 1
"""Version of the entries' JSON form."""

GENESIS: Final = "0" * 64
"""The hash that stands before the first entry."""


class Kind(StrEnum):
    """What an entry records. Run-level kinds have no node."""

    RUN_CREATED = "run_created"
    EXPANDED = "expanded"
    """A step became nodes; or more nodes, where what it is repeated over grew."""
    PAUSED = "paused"
    STARTED = "started"
    """Going on after a pause."""
    ABORTED = "aborted"
    MIGRATED = "migrated"
    """The run goes on by another version of its book."""
    NOTED = "noted"
    """A remark on the run by its operator or the engine."""

    BEGUN = "begun"
    """A look at the cloud starts."""
    OBSERVED = "observed"
    """What the step said after looking."""
    DEFERRED = "deferred"
    """Refused or unreadable for now; another look follows at ``due_ms``."""
    FAILED = "failed"
    APPROVED = "approved"
    SKIPPED = "skipped"
    ATTESTED = "attested"
    RETRIED = "retried"
    HANDED = "handed"
    """Another team does it; the node waits for that team."""
    INTENDED = "intended"
    """Committed before a mutating call is sent."""
    ANSWERED = "answered"
    """ARM finished the call at once."""
    ACCEPTED = "accepted"
    """ARM took the call as an operation."""
    DOUBTED = "doubted"
    """A sent call whose answer is not known."""
    POLLED = "polled"
    """The operation's status was read."""
    GREW = "grew"
    """A done node was looked at again and found more or other things than before."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before the journal numbers, dates and chains it.

    Args:
        to: the node's state after this entry; None leaves it.
        side: what must be kept but never hashed or exported, such as an operation's signed URL.
    """

    kind: Kind
    node: str | None = None
    to: NodeState | None = None
    data: dict[str, Any] = field(default_factory=dict)
    side: str | None = None
    text: str = ""
    """Canonical JSON of ``data``, once ``seal`` has made it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One committed row."""

    seq: int
    at_ms: int
    kind: Kind
    node: str | None
    to: NodeState | None
    data: dict[str, Any]
    hash: str

    @classmethod
    def chain(cls, draft: Draft, seq: int, at_ms: int, previous: str) -> Self:
        """Number and date a draft and bind it to the entry before."""
        hash_ = entry_hash(previous, seq, at_ms, draft.kind, draft.node, draft.to, canonical(draft.data))
        return cls(seq, at_ms, draft.kind, draft.node, draft.to, draft.data, hash_)


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8."""
    return _encode(value)


def entry_hash(previous: str, seq: int, at_ms: int, kind: str, node: str | None, to: str | None, data: str) -> str:
    """SHA-256 over the previous hash and this row's fields, each with its length, so that no two rows share a text.

    Each field is ``<length in characters>:<text>,``, and one that is absent is ``-,``.
    """
    fields = (previous, str(seq), str(at_ms), kind, node, to, data)
    text = "".join("-," if field is None else f"{len(field)}:{field}," for field in fields)
    return sha256(text.encode()).hexdigest()


def seal(draft: Draft) -> Draft:
    """The draft without secrets and with its JSON text, as the journal takes it.

    Raises:
        TypeError, ValueError: its data is not JSON.
    """
    if draft.text:
        return draft
    data, text = draft.data, canonical(draft.data)
    if may_hold_secret(text):
        data = redact(data)
        text = canonical(data)
    return Draft(draft.kind, draft.node, draft.to, data, draft.side, text)
