"""Everything a step author must read.

A step looks at the cloud and says what it sees. It never changes anything: it proposes changes, and the engine
makes them, one at a time, looking again after each. The same ``observe`` therefore serves the dry run, the first
run, the second run, the check afterwards and the recovery after a crash. For that it must be a function of what it
reads: no memory of its own, no clock but ``ctx.now_ms``, no randomness.

The name in a book is the path: ``uses: endpoints.private_endpoint`` is ``steps/endpoints/private_endpoint.py``,
class ``PrivateEndpoint``. Its ``Params`` are what the book writes under ``with``.

    class ResourceGroup(Step):
        @dataclass(frozen=True, slots=True)
        class Params:
            subscription: str
            name: str
            location: str

        params: Params

        async def observe(self, ctx: StepContext) -> Verdict:
            group = await ctx.arm.get(f"/subscriptions/{...}", "2021-04-01")
            if group is None:
                return Changes((Change(...),))
            return Satisfied(checks=(expect("exists", "yes", "yes"),), outputs={"id": group["id"]})
"""

from __future__ import annotations

import json
import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from runbook.core.arm import Json, Method, Reader, Request
from runbook.core.docs import (
    AppliedDoc,
    AttestDoc,
    BlockDoc,
    ChangeDoc,
    CheckDoc,
    CommandDoc,
    DiffDoc,
    IntentDoc,
    RefusedDoc,
    Repeat,
    Risk,
    WaitDoc,
)
from runbook.core.entry import canonical
from runbook.core.ids import digest
from runbook.core.waiting import Patience, Poll, Sent, Usual, words_doc

__all__ = [
    "AppliedDoc",
    "AttestDoc",
    "Blocked",
    "Change",
    "Changes",
    "Check",
    "Diff",
    "DnsAnswer",
    "InProgress",
    "Json",
    "Patience",
    "Poll",
    "Reader",
    "Resolver",
    "RunFacts",
    "Satisfied",
    "Sent",
    "Step",
    "StepContext",
    "Usual",
    "Verdict",
    "Waiting",
    "expect",
]

# ---------------------------------------------------------------- what a step is given


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What one name resolved to from one vantage point.

    Attributes:
        chain: the CNAMEs followed, in order, without the name asked for.
        addresses: IPv4 addresses at the end; empty when there are none.
        status: ``NOERROR``, ``NXDOMAIN``, ``SERVFAIL`` or ``TIMEOUT``.
        server: who answered, for the screen.
    """

    name: str
    chain: tuple[str, ...]
    addresses: tuple[str, ...]
    status: str
    server: str


class Resolver(Protocol):
    """Looks names up as somebody else would see them."""

    async def resolve(self, name: str, vantage: str) -> DnsAnswer | None:
        """Resolve as seen from ``vantage``: a virtual network's resource id, or ``on-premises``.

        None when this resolver cannot stand at that place; the step must then ask for the operator's word.
        """
        ...


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is pinned for the whole run."""

    id: str
    mode: str
    edition: str
    """As asked for: ``preview``, ``ga`` or ``auto``."""
    cloud: str
    """``AzureCloud``, ``AzureUSGovernment`` or ``AzureChinaCloud``."""
    tenant: str
    account: str
    """Who is signed in, by name."""
    subscriptions: Mapping[str, str]
    """id → name, of the subscriptions that may be written to."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step may use to look.

    Attributes:
        now_ms: the time of this look, UTC milliseconds.
        applied: changes this run made at this node, oldest first.
        attested: the operator's words at this node, oldest first.
        waiting_since_ms: when this node's present wait began; None when it does not wait.
        polls: how many polls of the present wait there have been.
        in_doubt: a change that was sent and whose answer is not known; ``applied`` has it once a look has decided.
        refused: changes that ARM refused here since the last retry, oldest first; only a step that ``tidies`` is told.
        retried: when the operator last asked for another try here, in the order that ``seq`` of changes, refusals
            and words gives; 0 for never.
    """

    arm: Reader
    dns: Resolver
    run: RunFacts
    now_ms: int
    node: str = ""
    gate: str = ""
    applied: tuple[AppliedDoc, ...] = ()
    attested: tuple[AttestDoc, ...] = ()
    waiting_since_ms: int | None = None
    polls: int = 0
    in_doubt: IntentDoc | None = None
    refused: tuple[RefusedDoc, ...] = ()
    retried: int = 0


# ---------------------------------------------------------------- what a step says


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, what it should read and what it reads."""

    name: str
    expected: str
    observed: str
    ok: bool
    later: bool = False
    """It is not so yet and need not be: its work comes later, so it holds nothing up and is not told as done."""

    def doc(self) -> CheckDoc:
        doc: CheckDoc = {"name": self.name, "expected": self.expected, "observed": self.observed, "ok": self.ok}
        return {**doc, "later": True} if self.later else doc


def expect(name: str, expected: object, observed: object, *, ok: bool | None = None) -> Check:
    """A check by equality of the two texts without regard to letter case, unless ``ok`` is said."""
    want, have = _text(expected), _text(observed)
    return Check(name, want, have, want.lower() == have.lower() if ok is None else ok)


def _text(value: object) -> str:
    match value:
        case None:
            return "(absent)"
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case list() | tuple() | set() | frozenset():
            return ", ".join(sorted(_text(v) for v in value)) or "none"
        case _:
            return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


@dataclass(frozen=True, slots=True)
class Diff:
    """One field a change would alter."""

    path: str
    before: Any
    after: Any

    def doc(self) -> DiffDoc:
        return {"path": self.path, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Change:
    """One mutating ARM call, declared once and shown in three faces.

    Args:
        title: what it does, in the imperative: "Create private endpoint pe-arc".
        repeat: ``safe`` when sending the same call twice ends in the same cloud, else ``never``.
        risk: ``disruptive`` for closing public access, deny rules, DNS that redirects live machines, restarts.
        locks: resource ids whose writes ARM serialises (a virtual network, an endpoint); at most one change
            holds each at a time.
        az: the native command, argument by argument, where it makes exactly this one write; else empty, and
            ``az rest`` with the same body is shown.
        powershell: the native command under the same condition, else empty.
        by_hand: friendlier lines that people know and that we never run.
        undo: lines that take it back, one for each tool; never run by us, and shown before go is said.
        headers: only those that change the meaning, such as ``If-None-Match``.
    """

    title: str
    method: Method
    path: str
    api_version: str
    body: Json | None = None
    repeat: Repeat = "safe"
    risk: Risk = "safe"
    diff: tuple[Diff, ...] = ()
    locks: tuple[str, ...] = ()
    az: tuple[str, ...] = ()
    powershell: str = ""
    by_hand: str = ""
    undo: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    _digest: str = field(default="", init=False, repr=False, compare=False)

    @property
    def request(self) -> Request:
        return Request(self.method, self.path, self.api_version, self.body, self.headers, self.az_argv())

    @property
    def digest(self) -> str:
        """Identity of this change as shown: what it sends, without etags."""
        if not self._digest:  # asked for again and again while the change is judged, shown and sent
            body = {k: v for k, v in (self.body or {}).items() if k != "etag"}
            text = canonical([self.method, self.path.lower(), self.api_version, body, self.risk])
            object.__setattr__(self, "_digest", digest(text, 16))
        return self._digest

    @property
    def url(self) -> str:
        return f"{self.path}?api-version={self.api_version}"

    def az_argv(self) -> tuple[str, ...]:
        """The az face as an argument list."""
        if self.az:
            return self.az
        argv = ["az", "rest", "--method", self.method.lower(), "--url", self.url]
        if self.body is not None:
            argv += ["--body", json.dumps(self.body)]
        if self.headers:
            argv += ["--headers", *(f"{k}={v}" for k, v in self.headers.items())]
        return tuple(argv)

    def powershell_line(self) -> str:
        """The PowerShell face."""
        if self.powershell:
            return self.powershell
        line = f"Invoke-AzRestMethod -Method {self.method} -Path {powershell_text(self.url)}"
        return line if self.body is None else f"{line} -Payload {powershell_text(json.dumps(self.body))}"

    def rest_text(self) -> str:
        """The REST face: request line, headers that matter, body."""
        lines = [f"{self.method} {self.url}", *(f"{k}: {v}" for k, v in self.headers.items())]
        return "\n".join(lines if self.body is None else [*lines, "", json.dumps(self.body, indent=2)])

    def doc(self) -> ChangeDoc:
        command: CommandDoc = {
            "az": shlex.join(self.az_argv()),
            "powershell": self.powershell_line(),
            "rest": self.rest_text(),
            "by_hand": "\n\n".join(part for part in (self.by_hand, _to_undo(self.undo)) if part),
        }
        if self.undo:
            command["undo"] = "\n".join(self.undo)
        return {
            "title": self.title,
            "digest": self.digest,
            "method": self.method,
            "path": self.path,
            "api_version": self.api_version,
            "body": self.body,
            "headers": dict(self.headers),
            "repeat": self.repeat,
            "risk": self.risk,
            "locks": [lock.lower() for lock in self.locks],
            "az": list(self.az_argv()),
            "command": command,
            "diff": [d.doc() for d in self.diff],
        }


def _to_undo(undo: Sequence[str]) -> str:
    return "To undo: " + "\nor: ".join(undo) if undo else ""


def powershell_text(text: str) -> str:
    """A PowerShell single-quoted string. Typographic single quotes end one too, so they are doubled as well.

    Source: PowerShell documentation, about_Quoting_Rules.
    """
    return "'" + re.sub("(['‘’‚‛])", r"\1\1", text) + "'"


@dataclass(frozen=True, slots=True)
class Satisfied:
    """Nothing to do. A check that is not ok makes the engine block the node: a step should not say both."""

    checks: Sequence[Check] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """These changes are needed, in this order. The engine makes the first and asks again."""

    changes: Sequence[Change]
    checks: Sequence[Check] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class InProgress:
    """Azure is working on it; look again after ``again_s`` seconds."""

    summary: str
    again_s: float = 10.0
    checks: Sequence[Check] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody outside must act.

    Args:
        who: whom we wait for, as a person would say it.
        message: what the operator should do or know.
        then: what happens afterwards.
        poll: how to look meanwhile; None when nothing can be read and only the operator's word ends it.
        draft: a message ready to send; may be empty.
        attest: what the operator's word would say ("I sent the message to the team"); empty when it cannot help.
        words: further words it takes: what an ``Attest`` says, and how a person would say it.
        sent: what they have been sent.
        patience: when to become impatient.
    """

    who: str
    message: str
    then: str
    poll: Poll | None = None
    draft: str = ""
    attest: str = ""
    checks: Sequence[Check] = ()
    words: Sequence[tuple[str, str]] = ()
    sent: Sent | None = None
    patience: Patience = field(default_factory=Patience)

    def doc(self, now_ms: int, since_ms: int | None, polls: int, part: float = 0.0) -> WaitDoc:
        since_ms = now_ms if since_ms is None else since_ms
        from_ms = self.sent.at_ms if self.sent else since_ms
        plan = self.patience
        remind_ms = [from_ms + round(s * 1000) for s in plan.remind_s]
        return {
            "who": self.who,
            "message": self.message,
            "then": self.then,
            "since_ms": since_ms,
            "next_poll_ms": None if self.poll is None else now_ms + round(self.poll.delay_s(polls, part) * 1000),
            "draft": self.draft,
            "attest": self.attest,
            "polls": polls,
            "sent": self.sent.doc() if self.sent else None,
            "poll": self.poll.doc() if self.poll else None,
            "remind_ms": remind_ms,
            "reminded_ms": max((at for at in remind_ms if at <= now_ms), default=None),
            "escalate": None
            if plan.escalate_s is None
            else {"at_ms": from_ms + round(plan.escalate_s * 1000), "how": plan.how},
            "expires_ms": None if plan.expires_s is None else from_ms + round(plan.expires_s * 1000),
            "usual": plan.usual.doc() if plan.usual else None,
            "words": words_doc(self.words),
        }


@dataclass(frozen=True, slots=True)
class Blocked:
    """A rule forbids going on.

    Args:
        rule: a stable name, such as ``subnet-too-small``.
        message: what is wrong, where.
        ways_out: what the operator can do, in order of preference.
        attest: what the operator could vouch for instead; empty when nothing.
        poll: how often to look again by itself; None waits for a retry.
        words: further words it takes, as a wait does.
        waits_on: whether the node's wait goes on behind the rule, with its beginning and its count.
        failed: changes that ARM took and that did not do what they should, by digest, each with what came of it.
    """

    rule: str
    message: str
    ways_out: Sequence[str]
    checks: Sequence[Check] = ()
    attest: str = ""
    poll: Poll | None = None
    words: Sequence[tuple[str, str]] = ()
    waits_on: bool = False
    failed: Mapping[str, str] = field(default_factory=dict)

    def doc(self, now_ms: int, polls: int, part: float = 0.0) -> BlockDoc:
        doc: BlockDoc = {
            "rule": self.rule,
            "message": self.message,
            "ways_out": list(self.ways_out),
            "attest": self.attest,
            "next_poll_ms": None if self.poll is None else now_ms + round(self.poll.delay_s(polls, part) * 1000),
        }
        if self.words:
            doc["words"] = words_doc(self.words)
        if self.failed:
            doc["failed"] = dict(self.failed)
        return doc


Verdict = Satisfied | Changes | InProgress | Waiting | Blocked


class Step(ABC):
    """The code behind a node. Subclasses hold a frozen dataclass ``Params`` and write ``observe``."""

    Params: ClassVar[type[Any]]
    """What the book writes under ``with``: a frozen dataclass, checked and converted when a node is looked at."""

    tidies: ClassVar[bool] = False
    """Whether it alters something for the time of its work. When ARM refuses one of its changes, such a step is asked
    again at once, so that it can put back what it altered; ``ctx.refused`` tells. The same change refused again fails
    the node, unless the operator asked for another try in between."""

    def __init__(self, params: Any) -> None:
        self.params = params

    @abstractmethod
    async def observe(self, ctx: StepContext) -> Verdict:
        """Look, and say what is seen.

        Raises:
            ArmError: a read failed; the engine decides whether to look again.
        """
