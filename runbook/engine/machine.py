"""One node at work: look, send, poll. Each ends in entries and never raises for what the outside did.

The lease is checked before every call, so a driver that was frozen while another took over starts none.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, Literal
from uuid import NAMESPACE_URL, uuid5

from runbook.book import Book, load_step, params
from runbook.core.arm import Operation, Running
from runbook.core.docs import ErrorDoc
from runbook.core.entry import Draft, Kind, seal
from runbook.core.error import (
    AnswerMissing,
    ArmError,
    JournalError,
    NotSent,
    Refused,
    RunbookError,
    StepFault,
    Throttled,
)
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.judge import LONGEST_WORK_S, Judgement, Scene, error_doc, judge, judge_unreadable
from runbook.engine.pace import Pace
from runbook.engine.reading import LookReader, SharedReader
from runbook.engine.world import Limits, World
from runbook.step import Change, Changes, RunFacts, Step, StepContext, Verdict

TOO_MANY: Final = 429
FORBIDDEN: Final = 403
LONGEST_BLIND_S: Final = 4 * 3600.0
"""Between looks that fail, where a wait does not say how often it is looked at."""
CROWD_PATIENCE: Final = 64
"""Times as many postponements as otherwise before a node fails, where ARM only says that there were too many calls."""


class Machine:
    """Turns one node's present state into the entries that follow from acting on it."""

    def __init__(
        self,
        book: Book,
        world: World,
        limits: Limits,
        fence: Callable[[], None],
        moment: Callable[[], int] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._book = book
        self._specs = {spec.id: spec for spec in book.steps}
        self._steps: dict[str, type[Step]] = {}
        self._world = world
        self._limits = limits
        self._fence = fence
        self._moment = moment or partial(next, count(1))
        self._pace = pace or Pace(limits.activities)
        self._reader = SharedReader(world.arm, world.clock, fence, self._moment)
        self._turned_away: dict[str, LookReader] = {}

    # ------------------------------------------------------------ look

    async def look(
        self, node: NodeView, view: Callable[[], RunView], scene: Callable[[], Scene], due: int | None = None
    ) -> Judgement:
        """Observe and judge.

        Args:
            node: as it stands.
            view: what its references read.
            scene: asked after the look, so the judgement sees what happened meanwhile.
            due: the moment at which this look became due; lists read by others since then will do. None: now.
        """
        reader = self._reader_for(node, due)
        try:
            verdict = await self._observe(node, view(), reader)
            judgement = judge(scene(), verdict)
            # Sealed here, so that what is not JSON is this step's fault and nobody else's.
            return replace(judgement, drafts=tuple(map(seal, judgement.drafts)))
        except (NotSent, AnswerMissing, Throttled) as error:
            draft = self._defer(node, error, None)
            if _is_crowd(error) and draft.kind is Kind.DEFERRED:
                self._turned_away[node.id] = reader
            return Judgement((draft,))
        except JournalError:
            raise
        except Refused as error:
            if node.handed and error.status == FORBIDDEN:
                judgement = judge_unreadable(scene(), f"{error.arm_code}: {error.message}")
                return replace(judgement, drafts=tuple(map(seal, judgement.drafts)))
            return Judgement((_failed(node, _arm_error(error)),))
        except RunbookError as error:
            return Judgement((_failed(node, error_doc(error.code, error.message, error.hint)),))
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            message = f"The step behind {node.id} broke: {type(error).__name__}: {error}"
            hint = f"This is a defect of the runbook ({Path(where.filename).name}:{where.lineno}); nothing was changed."
            return Judgement((_failed(node, error_doc("step_fault", message, hint)),))

    def _reader_for(self, node: NodeView, due: int | None) -> LookReader:
        """A new one; a look that was turned away gets its own again, since nothing happens to a node meanwhile.

        A look that is asked for now reads everything anew.
        """
        if (reader := self._turned_away.pop(node.id, None)) is not None and due is not None:
            return reader.again()
        return self._reader.due(due, has_sent=bool(node.applied or node.intent))

    async def _observe(self, node: NodeView, view: RunView, reader: LookReader) -> Verdict:
        step = self._step_of(node)(params(self._book, node.doc, view))
        waiting = node.waiting
        context = StepContext(
            arm=reader,
            dns=self._world.dns,
            run=_facts(view),
            now_ms=self._world.clock.now_ms(),
            node=node.id,
            gate=node.doc["gate"],
            applied=node.applied,
            attested=tuple(word for word in node.attested if not (word.get("accepts") or word.get("is_theirs"))),
            waiting_since_ms=waiting["since_ms"] if waiting else None,
            polls=waiting["polls"] if waiting else 0,
            in_doubt=node.intent,
            refused=node.refused,
            retried=node.retried,
        )
        verdict = await step.observe(context)
        if self._specs[node.doc["step"]].grows and isinstance(verdict, Changes):
            titles = "; ".join(c.title for c in verdict.changes)
            raise StepFault(
                f"{node.id} grows, so its step may only look, and it asks for changes: {titles}.",
                "A defect of the book or of the step: leave out `grows`, or the changes.",
            )
        return verdict

    def _step_of(self, node: NodeView) -> type[Step]:
        uses = self._specs[node.doc["step"]].uses
        if uses not in self._steps:
            self._steps[uses] = load_step(uses)
        return self._steps[uses]

    # ------------------------------------------------------------ send

    async def send(self, node: NodeView, change: Change, run: str) -> Draft:
        """Make the change's one call. Its intent is committed already."""
        digest = change.digest
        data = {"digest": digest, "title": change.title}
        request_id = str(uuid5(NAMESPACE_URL, f"runbook:{run}:{node.id}:{digest}:{node.attempts}"))
        try:
            self._fence()
            answer = await self._world.arm.write(change.request, request_id)
        except JournalError:
            raise
        except (NotSent, Throttled) as error:
            return self._defer(node, error, NodeState.OBSERVING, request_id)
        except Refused as error:
            return self._refused(node, _arm_error(error, request_id), digest, change.title)
        except ArmError as error:
            return self._doubt(node, _arm_error(error, request_id))
        except Exception as error:  # the call may have left: never take that for "nothing happened"
            doubt = error_doc("unexpected", f"Sending broke: {type(error).__name__}: {error}", "Looking will tell.")
            return self._doubt(node, {**doubt, "request_id": request_id})
        data |= {"status": answer.status, "correlation_id": answer.correlation_id, "request_id": request_id}  # type: ignore[dict-item]
        if answer.operation is None:
            return Draft(Kind.ANSWERED, node.id, NodeState.OBSERVING, data)
        due_ms = self._later(answer.retry_after_s or self._limits.poll_s)
        operation = {"kind": answer.operation.kind, "due_ms": due_ms}
        return Draft(Kind.ACCEPTED, node.id, NodeState.SETTLING, {**data, **operation}, side=answer.operation.url)

    def unsent(self, node: NodeView) -> Draft:
        """Close the intent of a call that was not sent after all, because the run was stopped meanwhile."""
        error = error_doc("stopped", "The run was stopped before this call was sent.", "Nothing was changed by it.")
        data = {"error": error, "due_ms": self._later(0), "attempt": 0, "refused": True}
        return Draft(Kind.DEFERRED, node.id, NodeState.OBSERVING, data)

    # ------------------------------------------------------------ poll

    async def poll(self, node: NodeView, url: str | None) -> Draft:
        """Read the status of the operation once."""
        if node.operation is None or url is None:
            return _polled_over(node, "unknown", self._later(0))
        kind: Literal["async-operation", "location"] = (
            "async-operation" if node.operation["kind"] == "async-operation" else "location"
        )
        try:
            self._fence()
            outcome = await self._world.arm.poll(Operation(url, kind))
        except JournalError:
            raise
        except (NotSent, AnswerMissing, Throttled) as error:
            if node.deferred >= self._limits.deferrals:
                return _polled_over(node, "unreadable", self._later(0))  # the resource itself will tell
            return self._defer(node, error, None)
        except Exception:  # the resource itself will tell
            return _polled_over(node, "unreadable", self._later(0))
        if isinstance(outcome, Running):
            if self._world.clock.now_ms() - node.operation["since_ms"] > LONGEST_WORK_S * 1000:
                return _polled_over(node, f"{outcome.status} without an end", self._later(0))  # as above
            due_ms = self._later(outcome.retry_after_s or self._limits.poll_s)
            data = {"status": outcome.status, "percent": outcome.percent, "due_ms": due_ms}
            return Draft(Kind.POLLED, node.id, data=data)
        if outcome.is_ok:
            return _polled_over(node, outcome.status, self._later(0))
        if outcome.is_transient and not _is_never_repeated(node):
            refusal = Refused(outcome.message, status=200, arm_code=outcome.code, hint=outcome.hint)
            return self._defer(node, refusal, NodeState.OBSERVING)
        message = outcome.message or f"The operation ended as {outcome.status}."
        doc = error_doc(
            outcome.code or outcome.status, message, outcome.hint or "Read the message, put it right, retry."
        )
        call = node.applied[-1]  # it was taken, and counted; a deferral takes that back
        return self._refused(node, doc, call["digest"], call["title"])

    # ------------------------------------------------------------ putting off

    def _defer(self, node: NodeView, error: ArmError, to: NodeState | None, request_id: str = "") -> Draft:
        """Another look later; beyond the budget the node fails. ``to`` is set when a call was refused for now."""
        refused = {"refused": True} if to is NodeState.OBSERVING else {}
        doc = _arm_error(error, request_id)
        tries = max(node.deferred, node.setbacks) if refused else node.deferred
        asked_s = (error.retry_after_s if isinstance(error, Throttled) else None) or 0.0
        if is_crowd := _is_crowd(error):
            doc["throttled"] = True
        pause_s = self._pace.turned_away(self._world.clock.now_ms(), asked_s) if is_crowd else 0.0
        if _is_patient(node) and not refused:
            return self._wait_on(node, doc, max(asked_s, pause_s))
        # That there were too many calls is nobody's fault: all wait together, and longer before one gives up.
        if tries >= self._limits.deferrals * (CROWD_PATIENCE if is_crowd else 1):
            doc["hint"] = f"Tried {tries + 1} times. {doc['hint']}".strip()
            return Draft(Kind.FAILED, node.id, NodeState.FAILED, {"error": doc, **refused})
        # What ARM asks for is the least: a look of many reads that came back for one token would be turned away again.
        delay_s = max(asked_s, pause_s if is_crowd and asked_s else self._delay_s(tries))
        data = {"error": doc, "due_ms": self._later(delay_s), "attempt": tries + 1, **refused}
        return Draft(Kind.DEFERRED, node.id, to, data)

    def _wait_on(self, node: NodeView, error: ErrorDoc, asked_s: float) -> Draft:
        """A wait, or a rule that looks again by itself, could not be looked at: it goes on as it was.

        A laptop without a network for a week must not end it. The delay grows as any other until it is the wait's own,
        so there is at most one look in each interval.
        """
        poll = node.waiting.get("poll") if node.waiting else None
        longest_s = poll["longest_s"] if poll else LONGEST_BLIND_S
        delay_s = min(longest_s, self._limits.first_delay_s * 2.0 ** min(node.deferred, 64))
        data = {"error": error, "due_ms": self._later(max(asked_s, delay_s)), "attempt": node.deferred + 1}
        return Draft(Kind.DEFERRED, node.id, NodeState.BLOCKED if node.blocked else NodeState.WAITING, data)

    def _refused(self, node: NodeView, error: ErrorDoc, digest: str, title: str) -> Draft:
        """ARM's own no. A step that tidies up is asked once more; for any other the node fails."""
        is_known = any(r["digest"] == digest for r in node.refused)
        if is_known or not self._step_of(node).tidies:
            return _failed(node, error, refused=node.operation is None)
        declined = {"digest": digest, "title": title}
        data = {"error": error, "due_ms": self._later(0), "attempt": node.deferred + 1, "refused": True}
        return Draft(Kind.DEFERRED, node.id, NodeState.OBSERVING, {**data, "declined": declined})

    def _doubt(self, node: NodeView, error: ErrorDoc) -> Draft:
        """A call without an answer: look at once. If that happens again and again, ever later, and in the end not."""
        tries = max(node.deferred, node.setbacks)
        if tries >= self._limits.deferrals:
            error["hint"] = f"Sent {tries + 1} times without an answer. {error['hint']}".strip()
            return _failed(node, error)
        delay_s = self._delay_s(tries - 1) if tries else 0
        return Draft(Kind.DOUBTED, node.id, NodeState.IN_DOUBT, {"error": error, "due_ms": self._later(delay_s)})

    def _delay_s(self, deferrals: int) -> float:
        return min(self._limits.longest_delay_s, self._limits.first_delay_s * 2.0**deferrals)

    def _later(self, seconds: float) -> int:
        return self._world.clock.now_ms() + round(seconds * 1000)


def _facts(view: RunView) -> RunFacts:
    pinned = view.pinned
    return RunFacts(
        id=view.id,
        mode=view.mode,
        edition=view.edition,
        cloud=pinned["cloud"],
        tenant=pinned["tenant"],
        account=pinned["account"],
        subscriptions=pinned["subscriptions"],
    )


def _is_patient(node: NodeView) -> bool:
    """Whether it is looked at only to see whether somebody acted: by a wait, or a rule that looks again by itself."""
    return node.waiting is not None or (node.blocked is not None and node.blocked["next_poll_ms"] is not None)


def _is_never_repeated(node: NodeView) -> bool:
    """Whether the change under way, the first of those wanted, may not be sent twice without a word."""
    return bool(node.changes) and node.changes[0]["repeat"] == "never"


def _polled_over(node: NodeView, status: str, due_ms: int) -> Draft:
    return Draft(Kind.POLLED, node.id, NodeState.OBSERVING, {"status": status, "due_ms": due_ms})


def _failed(node: NodeView, error: ErrorDoc, *, refused: bool = False) -> Draft:
    data = {"error": error, **({"refused": True} if refused else {})}
    return Draft(Kind.FAILED, node.id, NodeState.FAILED, data)


def _arm_error(error: ArmError, request_id: str = "") -> ErrorDoc:
    """An error as entries carry it. ``request_id`` is our own name for the call, which Azure logs beside its own."""
    if isinstance(error, Refused):
        doc = error_doc(error.arm_code, error.message, error.hint, error.correlation_id)
    else:
        doc = error_doc(error.code, error.message, error.hint)
    return {**doc, "request_id": request_id} if request_id else doc


def _is_crowd(error: ArmError) -> bool:
    return isinstance(error, Throttled) and error.status == TOO_MANY
