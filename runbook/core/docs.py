"""The JSON shapes that journal entries carry and that ``--json`` prints. One definition for both.

Times are UTC milliseconds (``*_ms``) inside; the command line prints ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

Repeat = Literal["safe", "never"]
Risk = Literal["safe", "disruptive"]


class CheckDoc(TypedDict):
    """One expected/observed pair."""

    name: str
    expected: str
    observed: str
    ok: bool


class DiffDoc(TypedDict):
    """One field a change would alter; ``before`` is None where nothing stood."""

    path: str
    before: Any
    after: Any


class CommandDoc(TypedDict):
    """One change in its three faces. ``by_hand`` may be empty; it is for reading and never run by us."""

    az: str
    powershell: str
    rest: str
    by_hand: str


class ChangeDoc(TypedDict):
    """One mutating ARM call a step proposes."""

    title: str
    digest: str
    method: str
    path: str
    api_version: str
    body: Any
    headers: dict[str, str]
    repeat: Repeat
    risk: Risk
    locks: list[str]
    az: list[str]
    """The az face as an argument list, the first word being ``az``."""
    command: CommandDoc
    diff: list[DiffDoc]


class WaitDoc(TypedDict):
    """Whom a node waits for."""

    who: str
    message: str
    """What the operator should know or do, in sentences."""
    then: str
    """What happens after."""
    since_ms: int
    next_poll_ms: int | None
    """None: nothing to poll, the operator's word ends it."""
    draft: str
    """A message ready to send, or empty."""
    attest: str
    """What the operator's word would say; empty when it cannot end this wait."""
    polls: int


class BlockDoc(TypedDict):
    """The rule that forbids going on, and the ways out."""

    rule: str
    message: str
    ways_out: list[str]
    attest: str
    next_poll_ms: int | None


class ErrorDoc(TypedDict):
    """What went wrong, for a person."""

    code: str
    message: str
    hint: str
    correlation_id: NotRequired[str]
    throttled: NotRequired[bool]
    """There were too many calls: nothing is wrong with this one."""


class AppliedDoc(TypedDict):
    """One change this run sent and that ARM took. ``seq`` orders it among refusals and words."""

    digest: str
    title: str
    at_ms: int
    seq: int


class RefusedDoc(TypedDict):
    """One change that ARM refused, or whose operation ended badly, at a node whose step was asked what to put back."""

    digest: str
    title: str
    at_ms: int
    seq: int
    code: str
    message: str


class AttestDoc(TypedDict):
    """The operator's word. ``seq`` orders it among the node's changes."""

    at_ms: int
    seq: int
    text: str
    by: str
    evidence: str
    """File name of the evidence, or empty."""
    sha256: str
    accepts: NotRequired[list[str]]
    """Skipped needs that this word accepts as missing; it then says nothing to the step."""


class IntentDoc(TypedDict):
    """A committed intent that has no answer yet."""

    seq: int
    digest: str
    title: str
    repeat: Repeat
    at_ms: int
    locks: list[str]


class OperationDoc(TypedDict):
    """An accepted operation. Its URL is in the side column of entry ``seq``."""

    seq: int
    kind: str
    status: str
    percent: float | None
    since_ms: int
    locks: list[str]


class SkipDoc(TypedDict):
    by: Literal["when", "operator"]
    reason: str


def skipped_why(skip: Mapping[str, Any]) -> str:
    """Why a node was left out, for a person; empty where there is only the book's bare condition."""
    return "" if skip["by"] == "when" and "${" in skip["reason"] else str(skip["reason"])


class NodeDoc(TypedDict):
    """A node as its step was expanded: everything that does not change afterwards."""

    id: str
    step: str
    key: str | None
    title: str
    phase: str
    target: str
    gate: str
    needs: list[str]
    item: Any
