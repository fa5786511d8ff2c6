"""What a request to the served cloud is answered with. No socket: bytes in, bytes out.

The cloud counts its own seconds; a client counts real ones. So every ``Retry-After`` is told in real seconds, never
below 1 (clients take 0 for half a minute), with the finer ``x-ms-retry-after-ms`` beside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from runbook.core.redact import redact
from runbook.sim.cloud import Cloud
from runbook.sim.served.bounds import Bounds
from runbook.sim.served.signin import SignIn
from runbook.sim.wire import BAD_JSON, ArmFault, Broken, Call, Reply

LARGEST_BODY: Final = 4 * 1024 * 1024
"""Bytes of a request's body; ARM's own limit.

Source: "Azure Resource Manager limits", learn.microsoft.com, checked 2026-05."""
DEEPEST: Final = 100
"""Objects and lists inside each other; what is deeper is refused as no JSON. Our choice."""
_SHORTEST_MS: Final = 20
_JSON: Final = "application/json; charset=utf-8"

Note = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. ``broken``: the connection is cut instead, before or after the effect."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    broken: Broken = ""


class Front:
    """Everything behind one port: the sign-in host, cloud metadata, and Azure Resource Manager.

    Args:
        cloud: the simulated Azure; its ``endpoint`` is where all this is served.
        now_s: real time, UTC seconds.
        speed: the cloud's seconds per real second.
        note: told of each request to Resource Manager after it was answered, without its token.
    """

    def __init__(self, cloud: Cloud, now_s: Callable[[], int], speed: float, note: Note | None = None) -> None:
        self.cloud = cloud
        self._signin = SignIn(cloud.scenario, cloud.endpoint, now_s)
        self._bounds = Bounds(cloud)
        self._speed, self._note = speed, note

    def answer(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Answer one request.

        Args:
            method: in capitals.
            target: path and query, percent-encoded as sent.
            headers: with names in lower case.
            content: the body; empty when there is none.
        """
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        page = self._signin.answer(method, url.path, query, content)
        if page is not None:
            is_text = isinstance(page.body, str)
            body = page.body.encode() if is_text else json.dumps(page.body).encode()
            return Answer(page.status, {"Content-Type": "text/plain; charset=utf-8" if is_text else _JSON}, body)
        call = Call(method, url.path or "/", query, headers, _body(content))
        reply = self._reply(call)
        if self._note is not None:
            self._note(_noted(call, reply))
        return self.as_answer(reply)

    def too_large(self) -> Answer:
        """The answer to a body that nobody reads to its end."""
        message = f"The request content size exceeds the maximum size of '{LARGEST_BODY}' bytes."
        return self.as_answer(ArmFault(413, "RequestContentTooLarge", message).reply)

    def _reply(self, call: Call) -> Reply:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            where = f"{self.cloud.endpoint}/{self.cloud.scenario.tenant.id}"
            challenge = f'Bearer authorization_uri="{where}", error="invalid_token"'
            message = "Authentication failed. The 'Authorization' header is missing."
            return ArmFault(401, "AuthenticationFailed", message, headers={"WWW-Authenticate": challenge}).reply
        plain = {name: value for name, value in call.headers.items() if name != "authorization"}
        call = Call(call.method, call.path, call.query, plain, call.body)
        try:
            self._bounds.check(call)
            return self.cloud.handle(call)
        except ArmFault as fault:
            return fault.reply
        finally:
            self._bounds.count(call)

    def as_answer(self, reply: Reply) -> Answer:
        """A reply of the cloud as it goes over the wire."""
        headers = {name: value for name, value in reply.headers.items() if name.lower() != "retry-after"}
        waits = [value for name, value in reply.headers.items() if name.lower() == "retry-after"]
        if waits and waits[0].isdigit():
            real_ms = math.ceil(int(waits[0]) * 1000 / self._speed)
            headers["Retry-After"] = str(max(1, math.ceil(real_ms / 1000)))
            headers["x-ms-retry-after-ms"] = str(max(_SHORTEST_MS, real_ms))
        content = b"" if reply.body is None else json.dumps(reply.body).encode()
        if content:
            headers["Content-Type"] = _JSON
        return Answer(reply.status, {"Cache-Control": "no-cache", **headers}, content, reply.broken)


def _body(content: bytes) -> Any:
    if not content.strip():
        return None
    try:
        body = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return BAD_JSON
    return BAD_JSON if _depth(body) > DEEPEST else body


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _depth(body: Any) -> int:
    """How many objects and lists stand inside each other at most."""
    depth, level = 0, [body]
    while level := [v for v in level if isinstance(v, (dict, list))]:
        depth += 1
        level = [inner for v in level for inner in (v.values() if isinstance(v, dict) else v)]
    return depth


def _noted(call: Call, reply: Reply) -> dict[str, Any]:
    """A request as the log tells it."""
    kept = {name: call.headers[name] for name in ("if-match", "if-none-match") if name in call.headers}
    return {
        "method": call.method,
        "path": call.path,
        "query": dict(call.query),
        "headers": kept,
        "body": "not JSON" if call.body is BAD_JSON else redact(call.body),
        "status": reply.status,
        "command": call.headers.get("commandname", ""),
        "agent": call.headers.get("user-agent", ""),
    }
