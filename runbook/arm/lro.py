"""Long-running operations: does this answer start one, and does that answer end it? Pure functions.

Invariant: an operation is over only when ARM said one of its three terminal words, or gave the final answer at a
``Location``. An answer that cannot be understood is neither running nor ended; it is a failed read.

Source: Azure Resource Manager RPC, v1.0 async-api-reference; azure-docs, "Track asynchronous Azure operations".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runbook.arm.answer import retry_after_s
from runbook.arm.fault import Fault, fault_of
from runbook.arm.hints import hint_for
from runbook.core.arm import Ended, Operation, Request, Running
from runbook.core.error import AnswerMissing

_TERMINAL: Final = {"succeeded": "Succeeded", "failed": "Failed", "canceled": "Canceled"}
"""The only words that end an operation, in the spelling we pass on."""


def accepted(request: Request, status: int, headers: Mapping[str, str], body: Any) -> Operation | None:
    """The operation a write started; None when the write is over, or left nothing that could be polled.

    ``headers`` has lower-case names; ``body`` is the parsed body, or None.

    An ``Azure-AsyncOperation`` header always starts one, whatever the body says: a provider may still show the
    resource's old state. Without it, a PUT or PATCH answered with 200 or 201 is one only while the body's
    ``provisioningState`` is not terminal: a 201 may carry a ``Location`` that merely names the new resource.
    """
    if status not in (200, 201, 202):
        return None
    if url := headers.get("azure-asyncoperation", "").strip():
        return Operation(url, "async-operation")
    location = headers.get("location", "").strip()
    if status == 202:
        return Operation(location, "location") if location else None
    state = _provisioning_state(body)
    if request.method not in ("PUT", "PATCH") or state is None or state.lower() in _TERMINAL:
        return None
    return Operation(location or f"{request.path}?api-version={request.api_version}", "location")


def polled(operation: Operation, status: int, headers: Mapping[str, str], body: Any) -> Running | Ended:
    """What one successful read (HTTP 2xx) of an operation's URL says. A 4xx or 5xx must not be passed here.

    Raises:
        AnswerMissing: the answer does not say how the operation stands.
    """
    wait_s = retry_after_s(headers)
    if operation.kind == "async-operation":
        return _status_document(status, body, wait_s)
    if status == 202:
        return Running(_text(body, "status") or "InProgress", wait_s, _percent(body))
    error = fault_of(body)
    word = (_text(body, "status") or "").lower()
    if error is not None and word in ("failed", "canceled"):  # as what-if answers: a status document at a Location
        return _ended(_TERMINAL[word], error)
    state = _provisioning_state(body)
    if state is None:
        return Ended("Succeeded")
    terminal = _TERMINAL.get(state.lower())
    return Running(state, wait_s, _percent(body)) if terminal is None else _ended(terminal, error)


def _status_document(status: int, body: Any, wait_s: float | None) -> Running | Ended:
    word = _text(body, "status") or _provisioning_state(body)
    if word is None and status == 202:
        return Running("InProgress", wait_s)
    if word is None and status == 204:
        return Ended("Succeeded")
    if word is None:
        raise AnswerMissing(
            "The operation's status was read, but the answer does not name a status.",
            "The operation itself is not affected. The resource shows how it went.",
        )
    terminal = _TERMINAL.get(word.lower())
    return Running(word, wait_s, _percent(body)) if terminal is None else _ended(terminal, fault_of(body))


def _ended(status: str, error: Fault | None) -> Ended:
    if status == "Succeeded":
        return Ended(status)
    if error is None:
        return Ended(status, code=f"Operation{status}", message="Azure gave no reason.")
    return Ended(status, code=error.code or f"Operation{status}", message=error.message, hint=hint_for(error))


def _text(body: Any, name: str) -> str | None:
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) and value else None


def _provisioning_state(body: Any) -> str | None:
    """``properties.provisioningState``; None when the body has none, which counts as Succeeded."""
    return _text(body.get("properties"), "provisioningState") if isinstance(body, dict) else None


def _percent(body: Any) -> float | None:
    value = body.get("percentComplete") if isinstance(body, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return float(value)
