"""A transport that gives scripted answers and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResponseNotReadError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.utils import case_insensitive_dict

from runbook.arm.auth import static_credential
from runbook.arm.client import ArmClient

HOME = "https://arm.example"


class Response(AsyncHttpResponse):
    """An answer that is already here; with ``chunks`` it has to be read first, and an exception breaks it off."""

    def __init__(
        self,
        request: HttpRequest,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        chunks: list[bytes | Exception] | None = None,
    ) -> None:
        self._request, self._status, self._body, self._chunks = request, status, body, chunks
        self._headers = case_insensitive_dict(headers or {})
        self.closed = False

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._status

    @property
    def headers(self) -> Any:
        return self._headers

    @property
    def reason(self) -> str:
        return ""

    @property
    def content_type(self) -> str | None:
        return self._headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        return self.closed

    @property
    def is_stream_consumed(self) -> bool:
        return self._chunks is None

    @property
    def encoding(self) -> str | None:
        return "utf-8"

    @encoding.setter
    def encoding(self, value: str | None) -> None: ...

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        if self._chunks is not None:
            raise ResponseNotReadError(self)
        return self._body

    def text(self, encoding: str | None = None) -> str:
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        return json.loads(self.content)

    def raise_for_status(self) -> None: ...

    async def read(self) -> bytes:
        return self.content

    async def iter_raw(self, **kwargs: Any) -> AsyncIterator[bytes]:
        for chunk in self._chunks or []:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def iter_bytes(self, **kwargs: Any) -> AsyncIterator[bytes]:
        async for chunk in self.iter_raw():
            yield chunk

    async def close(self) -> None:
        self.closed = True

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


Answer = Callable[[HttpRequest], Response]


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """``body`` is JSON, or bytes as they are; ``Retry_After`` stands for ``Retry-After``."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: Response(request, status, content, named)


def error(status: int, code: str, message: str = "", **headers: str) -> Answer:
    return answer(status, {"error": {"code": code, "message": message or f"{code} it is"}}, **headers)


def chunks(status: int, *parts: bytes | Exception, **headers: str) -> Answer:
    return lambda request: Response(request, status, b"", headers, list(parts))


class Scripted(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Gives the scripted answers in order, then the last again; an exception among them is raised."""

    def __init__(self, *script: Answer | BaseException) -> None:
        self.script = list(script)
        self.requests: list[HttpRequest] = []
        self.tokens: list[str | None] = []
        self.is_open = False

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        self.requests.append(request)
        self.tokens.append(request.headers.get("Authorization"))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, BaseException):
            raise step
        return step(request)

    async def open(self) -> None:
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False

    async def __aenter__(self) -> Scripted:
        await self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


class FailingCredential(AsyncTokenCredential):
    """Raises instead of giving a token, and counts how often it was asked."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure
        self.asked = 0
        self.is_closed = False

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        self.asked += 1
        raise self.failure

    async def close(self) -> None:
        self.is_closed = True

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


TOKEN = "eyJhbGciOiJub25lIn0.eyJ0aWQiOiJ4In0.sig"


def client(*script: Answer | BaseException, timeout_s: float = 60.0) -> tuple[ArmClient, Scripted]:
    transport = Scripted(*script)
    return ArmClient(transport, static_credential(TOKEN), endpoint=HOME, timeout_s=timeout_s), transport
