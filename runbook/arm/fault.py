"""The error inside an ARM body, dug out of its wrappings. Pure.

Azure wraps errors in errors: as ``details`` under a generic code, or as JSON text inside ``message``, sometimes
several times over. What an operator can act on is the innermost one.

Invariant: texts that leave here are bounded, free of secrets and of control characters.

Source: Azure Resource Manager RPC, common-api-details ("error response content"); OData JSON v4, section 21.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.arm import Json
from runbook.core.redact import plain, redact, redact_text

_DEEPEST: Final = 8
_DEEPEST_DETAILS: Final = 32
_LONGEST_MESSAGE: Final = 4_000
_LONGEST_WORD: Final = 512
_MOST_DETAILS: Final = 50

_WRAPPERS: Final = frozenset(
    {
        "badrequest",
        "conflict",
        "deploymentfailed",
        "failed",
        "invalidrequestformat",
        "invalidtemplatedeployment",
        "multipleerrorsoccurred",
        "operationfailed",
        "resourcedeploymentfailure",
    }
)
"""Codes that say nothing themselves when ``details`` has one that does. In lower case."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One ARM error, unwrapped.

    Attributes:
        code: the innermost code, such as ``SubnetIsFull``; empty when the body names none.
        message: the innermost message.
        target: a resource id or a namespace; may be empty.
        details: as ARM sent them, without secrets.
        assignments: names of the policy assignments that forbade it.
    """

    code: str
    message: str
    target: str = ""
    details: tuple[Json, ...] = ()
    assignments: tuple[str, ...] = ()


def fault_of(body: Any) -> Fault | None:
    """The error in a parsed body; None when it holds none."""
    error = _error_in(body)
    return None if error is None else _unwrap(error, _DEEPEST)


def _error_in(body: Any) -> Json | None:
    """The error object: under ``error`` as ARM writes it, or bare as some older providers do."""
    if not isinstance(body, dict):
        return None
    for name in ("error", "odata.error", "Error"):
        match body.get(name):
            case dict() as error:
                return error
            case str() as code if code:
                return {"code": code, "message": body.get("error_description", "")}
    return body if _word(body, "code") and _message(body) else None


def _unwrap(error: Json, depth: int) -> Fault:
    code, message, target = _word(error, "code"), _message(error), _word(error, "target")
    details = [d for d in _list(error, "details") if isinstance(d, dict)]
    assignments = tuple(dict.fromkeys(_assignments(error, message)))
    inner = _error_in_text(message) if depth else None
    if inner is None and depth and (not code or code.lower() in _WRAPPERS):
        inner = next((d for d in details if _word(d, "code")), None)
    if inner is not None:
        found = _unwrap(inner, depth - 1)
        return Fault(
            found.code or _clean(code, _LONGEST_WORD),
            found.message,
            found.target or _clean(target, _LONGEST_WORD),
            found.details or _copy(details),
            found.assignments or assignments,
        )
    target = target or next((t for d in details if (t := _word(d, "target"))), "")
    return Fault(
        _clean(code, _LONGEST_WORD),
        _clean(message, _LONGEST_MESSAGE),
        _clean(target, _LONGEST_WORD),
        _copy(details),
        assignments,
    )


def _error_in_text(message: str) -> Json | None:
    """The first JSON object in a message that is itself an error."""
    for value in _json_in(message, "{"):
        if (error := _error_in(value)) is not None:
            return error
    return None


def _json_in(text: str, opening: str) -> Iterator[Any]:
    """JSON values in a text that start with ``opening``, left to right; a few tries, then it is prose."""
    decoder, at = json.JSONDecoder(), -1
    for _ in range(4):
        at = text.find(opening, at + 1)
        if at < 0:
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        yield value


def _assignments(error: Json, message: str) -> Iterator[str]:
    """Names of policy assignments: from ``additionalInfo``, and from the identifiers quoted in the message.

    Source: Azure Resource Manager RPC, common-api-details (``PolicyViolation``).
    """
    for extra in _list(error, "additionalInfo"):
        info = extra.get("info") if isinstance(extra, dict) else None
        if isinstance(info, dict):
            name = _word(info, "policyAssignmentDisplayName") or _word(info, "policyAssignmentName")
            yield from (_clean(n, _LONGEST_WORD) for n in (name,) if n)
    if "olicy identifiers" in message:
        for found in _json_in(message, "["):
            for item in found if isinstance(found, list) else ():
                assignment = item.get("policyAssignment") if isinstance(item, dict) else None
                if isinstance(assignment, dict) and (name := _word(assignment, "name")):
                    yield _clean(name, _LONGEST_WORD)


def _word(of: Json, name: str) -> str:
    value = of.get(name, of.get(name.capitalize()))
    return value.strip() if isinstance(value, str) else ""


def _message(of: Json) -> str:
    """``message``, a text; older OData wraps it as ``{"lang", "value"}``."""
    value = of.get("message", of.get("Message"))
    if isinstance(value, dict):
        value = value.get("value")
    return value.strip() if isinstance(value, str) else ""


def _list(of: Json, name: str) -> list[Any]:
    value = of.get(name)
    return value[:_MOST_DETAILS] if isinstance(value, list) else []


def _copy(details: list[Json]) -> tuple[Json, ...]:
    """Without secrets; nested beyond reason they are worth nothing to a person, and are left out."""
    return tuple(redact(d) for d in details) if _is_within(details, _DEEPEST_DETAILS) else ()


def _is_within(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_within(v, levels - 1) for v in inner)


def _clean(text: str, longest: int) -> str:
    text = plain(redact_text(text))
    return text if len(text) <= longest else text[: longest - 1] + "…"
