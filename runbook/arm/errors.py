"""From an HTTP answer that is no success to the runbook's error tree. Pure functions.

Invariant: the *class* of the error says what may have happened in the cloud, and follows from method, status and
code, never from the text of a message:

===============================  ===========  ======================================================
answer                           to a read    to a write
===============================  ===========  ======================================================
429                              Throttled    Throttled: turned away before anything was done
4xx with a "not now" code        Throttled    Throttled: another operation holds the resource
503 with ``Retry-After``         Throttled    Throttled: turned away, and told when to come back
any other 5xx, 408               Throttled    AnswerMissing: a gateway may have stopped waiting for
                                              work that went on behind it
any other 3xx, 4xx               Refused      Refused: not applied
below 200, 600 and above         Refused      AnswerMissing: nobody knows what it means
===============================  ===========  ======================================================

Sources: Azure Resource Manager RPC, common-api-details; azure-docs, "Understand how Azure Resource Manager throttles
requests" (429 is also the answer when a resource is busy); RFC 9110, sections 15.5.9 and 15.6.4.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from runbook.arm.answer import Reply, parse, retry_after_s
from runbook.arm.fault import Fault, fault_of
from runbook.arm.hints import AFTER_SILENCE, NOT_ARM, hint_for
from runbook.core.arm import TRANSIENT_CODES
from runbook.core.error import AnswerMissing, ArmError, Refused, Throttled

_NOT_NOW: Final = frozenset(code.lower() for code in TRANSIENT_CODES)

_WRONG_QUESTION: Final = frozenset(
    {
        "featurenotfound",
        "invalidrequesturi",
        "invalidresourcenamespace",
        "invalidresourcetype",
        "noregisteredproviderfound",
        "subscriptionnotfound",
    }
)
"""Codes of a 404 that say nothing about the resource asked for: creating it would be the wrong answer."""


class Call(NamedTuple):
    """What was asked, for the words of an error. ``what`` has no query: a query may carry a signature."""

    what: str
    is_write: bool

    @property
    def after_silence(self) -> str:
        """The hint beside an answer that did not come."""
        return AFTER_SILENCE if self.is_write else ""


def is_absent(reply: Reply) -> bool:
    """Whether a read was answered with "there is no such thing".

    A 404 that ARM did not write, a proxy's page perhaps, says nothing about the cloud and is no absence.
    """
    if reply.status != 404:
        return False
    try:
        body = parse(reply.content)
    except ValueError:
        return False
    fault = fault_of(body)
    return fault is None or fault.code.lower() not in _WRONG_QUESTION


def refusal(call: Call, reply: Reply) -> ArmError:
    """The error for an answer outside 200 to 299; the table above decides its class."""
    fault, is_arm = _fault(reply)
    status = reply.status
    code = fault.code or f"Http{status}"
    hint = hint_for(fault) if is_arm else NOT_ARM
    wait_s = retry_after_s(reply.headers)
    known: dict[str, Any] = {
        "status": status,
        "arm_code": code,
        "target": fault.target,
        "details": list(fault.details),
        "correlation_id": reply.correlation_id,
        "hint": hint,
    }
    message = fault.message or f"Azure answered {call.what} with HTTP {status} and said no more."
    if _is_turned_away(status, code, wait_s):
        return Throttled(message, retry_after_s=wait_s, **known)
    if 300 <= status < 500 and status != 408:
        return Refused(message, **known)
    if not call.is_write:
        is_server = status == 408 or 500 <= status < 600
        return Throttled(message, retry_after_s=wait_s, **known) if is_server else Refused(message, **known)
    trace = f" Correlation id {reply.correlation_id}." if reply.correlation_id else ""
    return AnswerMissing(
        f"{call.what} was answered with HTTP {status} ({code}), which leaves open whether it took effect.{trace}",
        call.after_silence,
    )


def _is_turned_away(status: int, code: str, wait_s: float | None) -> bool:
    if status == 503:
        return wait_s is not None
    return status == 429 or (400 <= status < 500 and code.lower() in _NOT_NOW)


def _fault(reply: Reply) -> tuple[Fault, bool]:
    """The error in a body, and whether the body can be ARM's at all."""
    try:
        body = parse(reply.content)
    except ValueError:
        return Fault("", ""), False
    return fault_of(body) or Fault("", ""), True
