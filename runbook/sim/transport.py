"""The simulated Azure as an azure-core transport: no socket, no thread, no wall clock.

A call that reached the cloud has taken effect durably before ``send`` returns or raises. Tokens are looked at only to
see that there is one; they go no further.

Source: azure-core ``AsyncHttpTransport`` and ``azure.core.rest.AsyncHttpResponse`` (the public abstract classes).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.utils import CaseInsensitiveDict

from runbook.sim.cloud import Cloud
from runbook.sim.wire import BAD_JSON, ArmFault, Call, Reply

READS = frozenset({"GET", "HEAD", "OPTIONS"})


class SimTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Hands requests to a cloud in the same process.

    Attributes:
        before_send: called with each request before the cloud sees it; what it raises is raised from ``send``.
        after_effect: called with the request and the cloud's reply after the effect is durable; likewise.
        writes: ``(method, path, x-ms-client-request-id)`` of every write that took effect, in order.
        calls: how many requests reached the cloud.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.before_send: Callable[[HttpRequest], None] | None = None
        self.after_effect: Callable[[HttpRequest, Reply], None] | None = None
        self.writes: list[tuple[str, str, str]] = []
        self.calls = 0

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        """Answer a request.

        Raises:
            ServiceRequestError: the call never arrived, by script, or it names another host.
            ServiceResponseError: it took effect, and its answer is lost, by script.
            CloudLost, Unwritable: as ``Cloud.handle`` says.
        """
        if self.before_send is not None:
            self.before_send(request)
        url = urlsplit(request.url)
        if url.netloc.lower() != urlsplit(self.cloud.endpoint).netloc.lower():
            raise ServiceRequestError(f"The host {url.netloc!r} cannot be found: this rehearsal has no other network.")
        call = as_call(request)
        reply = check_token(self.cloud, call.headers)
        if reply is None:
            self.calls += 1
            headers = {name: value for name, value in call.headers.items() if name != "authorization"}
            reply = self.cloud.handle(Call(call.method, call.path, call.query, headers, call.body))
            if reply.broken == "not_sent":
                raise ServiceRequestError("The connection could not be made.")
            if call.method not in READS and reply.status < 400:
                self.writes.append((call.method, url.path, headers.get("x-ms-client-request-id", "")))
            if self.after_effect is not None:
                self.after_effect(request, reply)
            if reply.broken == "lose_answer":
                raise ServiceResponseError("The connection was closed before the answer came.")
        return SimResponse(request, reply)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close: the cloud belongs to whoever made it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def check_token(cloud: Cloud, headers: Mapping[str, str]) -> Reply | None:
    """A 401 when there is no bearer token, else None. The token's content is not looked at."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return None
    tenant = cloud.scenario.tenant.id
    challenge = f'Bearer authorization_uri="https://login.microsoftonline.com/{tenant}", error="invalid_token"'
    message = "Authentication failed. The 'Authorization' header is missing."
    return ArmFault(401, "AuthenticationFailed", message, headers={"WWW-Authenticate": challenge}).reply


def as_call(request: HttpRequest) -> Call:
    """An azure-core request as the cloud takes it."""
    url = urlsplit(request.url)
    content: Any = getattr(request, "content", None)
    if isinstance(content, str):
        content = content.encode()
    body: Any = None
    if content:
        try:
            body = json.loads(content)
        except (ValueError, TypeError):
            body = BAD_JSON
    headers = {str(name).lower(): str(value) for name, value in request.headers.items()}
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return Call(request.method.upper(), url.path or "/", query, headers, body)


class SimResponse(AsyncHttpResponse):
    """An answer that has been read already."""

    def __init__(self, request: HttpRequest, reply: Reply) -> None:
        self._request = request
        self._status = reply.status
        self._content = b"" if reply.body is None else json.dumps(reply.body).encode()
        self._headers: MutableMapping[str, str] = CaseInsensitiveDict(dict(reply.headers))
        self._headers["Content-Length"] = str(len(self._content))
        if reply.body is not None:
            self._headers["Content-Type"] = "application/json; charset=utf-8"
        self._encoding: str | None = None
        self.context: dict[str, Any] = {}

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._status

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._headers

    @property
    def reason(self) -> str:
        try:
            return HTTPStatus(self._status).phrase
        except ValueError:
            return ""

    @property
    def content_type(self) -> str | None:
        return self._headers.get("Content-Type")

    @property
    def is_closed(self) -> bool:
        return True

    @property
    def is_stream_consumed(self) -> bool:
        return True

    @property
    def encoding(self) -> str | None:
        return self._encoding or "utf-8"

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        return self._content

    def text(self, encoding: str | None = None) -> str:
        return self._content.decode(encoding or self.encoding or "utf-8")

    def json(self) -> Any:
        return json.loads(self._content)

    def raise_for_status(self) -> None:
        if self._status >= 400:
            raise HttpResponseError(response=self)

    async def read(self) -> bytes:
        return self._content

    async def iter_raw(self, **kwargs: Any) -> AsyncIterator[bytes]:
        yield self._content

    async def iter_bytes(self, **kwargs: Any) -> AsyncIterator[bytes]:
        yield self._content

    async def close(self) -> None:
        """Nothing is held."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
