"""What crosses the wire: a call, a reply, a refusal; and the readers of untrusted bodies.

Nothing here knows of any resource. A handler reads a body only through ``obj``, ``text``, ``integer``, ``flag`` and
``items``: whatever a client sent, the outcome is a value of the type asked for or an ``ArmFault``, never a traceback.

Source: Azure Resource Manager RPC, common-api-details (error envelope, request headers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

Broken = Literal["", "not_sent", "lose_answer"]
"""How a scripted fault breaks the connection: before the call arrives, or after it took effect."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. ``path`` is percent-encoded as sent, ``query`` is decoded, ``headers`` have lower-case names.

    ``body`` is parsed JSON, or None when there was none; ``BAD_JSON`` when it could not be parsed.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


class _BadJson:
    def __repr__(self) -> str:
        return "BAD_JSON"


BAD_JSON = _BadJson()
"""Stands for a body that is not JSON."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. ``broken`` tells the transport to break the connection instead of handing it over."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    broken: Broken = ""


class ArmFault(Exception):
    """A refusal. Raise it anywhere in a handler or a timer effect: what the handler wrote so far is undone.

    Args:
        status: HTTP status.
        code: ARM's error code, such as ``SubnetIsFull``.
        message: ARM's words.
        target: what it is about; left out of the envelope when empty.
        details: further ``{"code", "message", "target"}`` objects.
        headers: extra answer headers, such as ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        target: str = "",
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.target = status, code, message, target
        self.details = [dict(d) for d in details]
        self.headers = dict(headers or {})

    @property
    def error(self) -> Json:
        """The ``error`` object, as it stands in an answer or in an operation's status."""
        error: Json = {"code": self.code, "message": self.message}
        if self.target:
            error["target"] = self.target
        if self.details:
            error["details"] = self.details
        return error

    @property
    def reply(self) -> Reply:
        return Reply(self.status, self.headers, {"error": self.error})


# ---------------------------------------------------------------- refusals that every provider needs


def bad_request(message: str, code: str = "InvalidRequestContent", target: str = "") -> ArmFault:
    """400."""
    return ArmFault(400, code, message, target)


def resource_not_found(resource_id: str) -> ArmFault:
    """404 ``ResourceNotFound`` in ARM's words for a full resource id."""
    parts = resource_id.strip("/").split("/")
    words = [p.lower() for p in parts]
    group = parts[words.index("resourcegroups") + 1] if "resourcegroups" in words[:-1] else ""
    kind = "/".join(parts[words.index("providers") + 1 :]) if "providers" in words[:-1] else resource_id
    where = f" under resource group '{group}'" if group else ""
    return ArmFault(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}'{where} was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(name: str) -> ArmFault:
    """404 ``ParentResourceNotFound``: ``name`` is the missing parent's own name."""
    return ArmFault(
        404,
        "ParentResourceNotFound",
        f"Can not perform requested operation on nested resource. Parent resource '{name}' not found.",
    )


# ---------------------------------------------------------------- readers of bodies


def obj(body: Any, *path: str, required: bool = False) -> Json:
    """The object at ``path``; an empty one when absent.

    Raises:
        ArmFault: 400 when something on the way is no object, or it is required and absent.
    """
    here = body
    for depth in range(len(path) + 1):
        if here is None:
            if required:
                raise _wrong(path[:depth], "is required")
            return {}
        if not isinstance(here, dict):
            raise _wrong(path[:depth], "must be an object")
        if depth < len(path):
            here = here.get(path[depth])
    return {**here} if isinstance(here, dict) else {}


def _leaf(body: Any, path: tuple[str, ...], kind: type | tuple[type, ...], name: str, required: bool) -> Any:
    value = obj(body, *path[:-1], required=required).get(path[-1])
    if value is None:
        if required:
            raise _wrong(path, "is required")
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(path, f"must be {name}")
    return value


def text(body: Any, *path: str, required: bool = False, default: str = "") -> str:
    """The string at ``path``. Raises ``ArmFault`` 400 when it is something else, or required and absent or empty."""
    value = _leaf(body, path, str, "a string", required)
    if required and not value:
        raise _wrong(path, "must not be empty")
    return default if value is None else str(value)


def integer(body: Any, *path: str, required: bool = False, default: int = 0) -> int:
    """The whole number at ``path``. Raises ``ArmFault`` 400 when it is something else, or required and absent."""
    value = _leaf(body, path, int, "an integer", required)
    return default if value is None else int(value)


def flag(body: Any, *path: str, default: bool = False) -> bool:
    """The boolean at ``path``. Raises ``ArmFault`` 400 when it is something else."""
    value = _leaf(body, path, bool, "true or false", False)
    return default if value is None else bool(value)


def items(body: Any, *path: str) -> list[Any]:
    """The list at ``path``; empty when absent. Raises ``ArmFault`` 400 when it is no list."""
    value = _leaf(body, path, list, "a list", False)
    return [] if value is None else list(value)


def texts(body: Any, *path: str) -> list[str]:
    """The list of strings at ``path``. Raises ``ArmFault`` 400 when it is something else."""
    values = items(body, *path)
    if not all(isinstance(v, str) for v in values):
        raise _wrong(path, "must be a list of strings")
    return values


def tags_of(body: Json) -> Json:
    """The tags in a body.

    Raises:
        ArmFault: 400, they are not texts.
    """
    tags = obj(body, "tags")
    if not all(isinstance(v, str) for v in tags.values()):
        raise bad_request("The request content was invalid: every tag must be a string.", target="tags")
    return tags


def one_of(body: Any, *path: str, among: Sequence[str], default: str) -> str:
    """The enumerated string at ``path``, in the enumeration's own spelling (letter case is ignored).

    Raises:
        ArmFault: 400 ``InvalidParameter`` when it is none of them.
    """
    value = text(body, *path, default=default)
    for known in among:
        if known.lower() == value.lower():
            return known
    where = ".".join(path)
    raise bad_request(
        f"The value '{value}' of '{where}' is not valid. The supported values are '{', '.join(among)}'.",
        "InvalidParameter",
        where,
    )


def _wrong(path: tuple[str, ...], what: str) -> ArmFault:
    where = ".".join(path) or "the request body"
    return bad_request(
        f"The request content was invalid and could not be deserialized: '{where}' {what}.", target=".".join(path)
    )


def json_body(call: Call) -> Json:
    """The call's body as an object. A field that a PUT gives as null counts as left out; in a PATCH it unsets.

    Raises:
        ArmFault: 400 when it is absent, not JSON or no object.
    """
    if call.body is BAD_JSON:
        raise bad_request("The request content was invalid and could not be deserialized: it is not JSON.")
    if call.body is None:
        raise bad_request("The request content is not valid and could not be deserialized: a body is required.")
    body = obj(call.body)
    return {name: _given(value) for name, value in body.items() if value is not None} if call.method == "PUT" else body


def _given(value: Any) -> Any:
    """A value without what is null inside it; a list keeps its length."""
    if isinstance(value, dict):
        return {name: _given(inner) for name, inner in value.items() if inner is not None}
    return [_given(inner) for inner in value] if isinstance(value, list) else value


# ---------------------------------------------------------------- ETags


def check_match(call: Call, etag: str | None) -> None:
    """Hold a write against ``If-Match`` and ``If-None-Match``. ``etag`` is the stored one; None when nothing stands.

    Raises:
        ArmFault: 412 ``PreconditionFailed``.

    Source: private DNS OpenAPI 2020-06-01; RFC 9110 section 13.1.
    """
    wanted = call.headers.get("if-match", "").strip()
    if wanted and (etag is None or (wanted != "*" and _opaque(wanted) != _opaque(etag))):
        raise ArmFault(
            412,
            "PreconditionFailed",
            f"The condition '{wanted}' in the If-Match header was not satisfied. The current was '{etag or ''}'.",
        )
    unwanted = call.headers.get("if-none-match", "").strip()
    if unwanted and etag is not None and (unwanted == "*" or _opaque(unwanted) == _opaque(etag)):
        raise ArmFault(
            412,
            "PreconditionFailed",
            f"The condition '{unwanted}' in the If-None-Match header was not satisfied. The current was '{etag}'.",
        )


def _opaque(etag: str) -> str:
    return etag.strip().removeprefix("W/").strip('"')
