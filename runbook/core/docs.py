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
    later: NotRequired[bool]
    """Nothing is wrong with it, and its work is still to come."""


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
    undo: NotRequired[str]
    """Lines that take the change back, where its step gives some; never run by us."""


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


class SentDoc(TypedDict):
    """What was handed to whom a node waits for. A later word ("I wrote again") takes the place of the one before."""

    what: str
    """The message in a line. Its whole text stands where it was drafted."""
    about: list[str]
    """What it names, such as subscription ids."""
    at_ms: int
    """When it went out: the date that was said, else when that was said."""
    by: str
    how: str
    """In the operator's words."""
    reference: str
    """What the other side calls it (a ticket's number); may be empty."""


class PollDoc(TypedDict):
    """How often a wait is looked at: after ``first_s``, growing by ``factor``, up to ``longest_s`` seconds.

    Each delay is longer by up to ``jitter`` of itself, so that those who wait do not all look at once.
    """

    first_s: float
    factor: float
    longest_s: float
    jitter: float


class EscalateDoc(TypedDict):
    """When to turn to somebody else, and how."""

    at_ms: int
    how: str


class UsualDoc(TypedDict):
    """How long such a wait takes elsewhere. Seconds are None where the source gives none."""

    text: str
    source: str
    from_s: float | None
    to_s: float | None


class WordDoc(TypedDict):
    """A word that a node takes beside the one that settles it: ``says`` goes into the ``Attest``."""

    says: str
    title: str
    """The word as the operator would say it: "I wrote to them again"."""


class WaitedDoc(TypedDict):
    """A wait that is over."""

    who: str
    since_ms: int
    until_ms: int
    draft: NotRequired[str]
    """The text that was to be handed over, where there was one."""


class WaitDoc(TypedDict):
    """Whom a node waits for. What is ``NotRequired`` is missing where an earlier release wrote the entry.

    ``core/patience.py`` makes of it what a person wants to know: how long already, what is usual, what is due.
    """

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
    sent: NotRequired[SentDoc | None]
    """What they have been sent; None when nothing, or when nobody said so."""
    poll: NotRequired[PollDoc | None]
    """None as ``next_poll_ms``: nothing to poll."""
    remind_ms: NotRequired[list[int]]
    """When to remind them, in order; counted from ``sent``, else from ``since_ms``."""
    reminded_ms: NotRequired[int | None]
    """The newest of these that a look has passed; None while none has."""
    escalate: NotRequired[EscalateDoc | None]
    expires_ms: NotRequired[int | None]
    """From then on the request counts as lapsed: the node blocks with the rule ``wait-expired``, and still polls."""
    usual: NotRequired[UsualDoc | None]
    words: NotRequired[list[WordDoc]]
    """Further words it takes, which do not end it by themselves."""


class BlockDoc(TypedDict):
    """The rule that forbids going on, and the ways out."""

    rule: str
    message: str
    ways_out: list[str]
    attest: str
    next_poll_ms: int | None
    words: NotRequired[list[WordDoc]]
    """Further words it takes, as a wait does."""
    failed: NotRequired[dict[str, str]]
    """Changes that ARM took and that did not do what they should, by digest, each with what came of it."""


class ErrorDoc(TypedDict):
    """What went wrong, for a person."""

    code: str
    message: str
    hint: str
    correlation_id: NotRequired[str]
    request_id: NotRequired[str]
    """Ours, of a call that was to be made: ``x-ms-client-request-id``."""
    throttled: NotRequired[bool]
    """There were too many calls: nothing is wrong with this one."""


class AppliedDoc(TypedDict):
    """One change this run sent and that ARM took. ``seq`` orders it among refusals and words."""

    digest: str
    title: str
    at_ms: int
    seq: int
    failed: NotRequired[str]
    """What came of it, where that is not what was wanted: its operation, or the script it ran, ended badly."""


class RefusedDoc(TypedDict):
    """One change that ARM refused, or whose operation ended badly, at a node whose step was asked what to put back."""

    digest: str
    title: str
    at_ms: int
    seq: int
    code: str
    message: str
    taken: NotRequired[bool]
    """ARM had taken it first; its operation ended badly."""


class AttestDoc(TypedDict):
    """The operator's word. ``seq`` orders it among the node's changes."""

    at_ms: int
    seq: int
    text: str
    by: str
    evidence: str
    """File name of the evidence, or empty."""
    sha256: str
    reference: NotRequired[str]
    """What the other side calls it: a ticket's number, a message's subject."""
    dated_ms: NotRequired[int]
    """When what it tells of happened, where the operator said so; ``at_ms`` is when it was said."""
    says: NotRequired[str]
    """Which of the node's ``words`` it is; missing for the one that settles it."""
    accepts: NotRequired[list[str]]
    """Skipped needs that this word accepts as missing; it then says nothing to the step."""
    is_theirs: NotRequired[bool]
    """It was said while another team had the node: that they did it. It says nothing to the step, which looks."""


class HandedDoc(TypedDict):
    """To whom a node was handed over. ``seq`` orders it among the node's changes and words."""

    to: str
    by: str
    note: str
    """What they were told beside it; may be empty."""
    why: str
    """What stood in the way here, such as the refusal; empty where nothing did."""
    at_ms: int
    seq: int


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
