"""The client: one call in, one answer or one error out.

Invariants: every call that can change something leaves at most once. An error that reaches the caller is one of
``ArmError``'s family, and its class says whether the call can have taken effect. No error text, and no cause behind
it, holds a token or an operation's signed address.
"""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import uuid4

from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.core.exceptions import AzureError, ResponseNotReadError, ServiceRequestError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from runbook.arm import lro
from runbook.arm.answer import MAX_BODY_BYTES, Reply, parse, retry_after_s
from runbook.arm.errors import Call, is_absent, refusal
from runbook.arm.paging import Pages
from runbook.arm.policies import CallHeaders, Credential, Departure, HomeOnly, Left, SignIn
from runbook.core.arm import Answered, Ended, Json, Operation, Request, Running
from runbook.core.error import AnswerMissing, ArmError, NotSent
from runbook.core.redact import plain, redact_text

_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f?#\\]|/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
"""A query, a control character, or a dot segment, which could lead out of the subscription a path names."""

_UNWRITTEN: Final = re.compile(r"[^!-~\x00-\x1f\x7f]")
_IN_PATH: Final = "/:@!$&'()*+,;=~-._%"
_IN_QUERY: Final = "/:@!$'()*,;~-._"


def _new_id() -> str:
    return str(uuid4())


class ArmClient:
    """Azure Resource Manager, as ``runbook.core.arm.Arm`` describes it.

    Args:
        transport: the wire, or a simulated cloud. The client closes it.
        credential: who asks. The client closes it too.
        endpoint: the cloud's Resource Manager, ``https://host``; nothing is ever sent elsewhere.
        scope: what a token is asked for; empty stands for ``<endpoint>/.default``.
        timeout_s: how long one call may take, from asking for a token to the answer's last byte.
        new_id: makes the client request ids of reads.

    Raises:
        UsageError: the endpoint is not of that form.
    """

    def __init__(
        self,
        transport: AsyncHttpTransport[HttpRequest, AsyncHttpResponse],
        credential: AsyncTokenCredential | AsyncSupportsTokenInfo,
        *,
        endpoint: str = "https://management.azure.com",
        scope: str = "",
        timeout_s: float = 60.0,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        home = HomeOnly(endpoint)
        self._origin = home.origin
        self._transport = transport
        self._credential = Credential(credential)
        self._timeout_s = timeout_s
        self._new_id = new_id
        sign_in = SignIn(self._credential, scope or f"{home.origin}/.default")
        self._pipeline: AsyncPipeline[HttpRequest, AsyncHttpResponse] = AsyncPipeline(
            transport, [home, CallHeaders(), sign_in, Departure()]
        )

    async def __aenter__(self) -> ArmClient:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of connections and of the credential."""
        await self._transport.close()
        await self._credential.close()

    # ------------------------------------------------------------ reading

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        """The object at ``path``; None when ARM says that it, or what it lies in, does not exist.

        Raises:
            Refused, Throttled, NotSent, AnswerMissing: as the class says. A 404 that speaks of the subscription, a
                feature flag or the question itself is ``Refused``, not absence.
        """
        call = Call(f"GET {path}", is_write=False)
        reply = await self._read(call, self._url(path, api_version, query))
        if is_absent(reply):
            return None
        body = _success(call, reply)
        if not isinstance(body, dict):
            raise AnswerMissing(f"{call.what} was answered with something that is not a JSON object.")
        return body

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        """All items of a collection, every page; empty when what it lies in does not exist.

        Raises:
            Refused, Throttled, NotSent, AnswerMissing: as the class says; never a part of the list.
        """
        call = Call(f"GET {path}", is_write=False)
        pages = Pages(call.what)
        reply = await self._read(call, self._url(path, api_version, query))
        if is_absent(reply):
            return []
        while (link := pages.add(_success(call, reply))) is not None:
            reply = await self._read(call, self._absolute(link))
        return pages.items

    async def poll(self, operation: Operation) -> Running | Ended:
        """Read an operation's status once.

        Raises:
            Refused, Throttled, NotSent, AnswerMissing: the status could not be read; the operation goes on.
        """
        call = Call("GET of an operation's status", is_write=False)
        reply = await self._read(call, self._absolute(operation.url))
        body = _success(call, reply)
        return lro.polled(operation, reply.status, reply.headers, body)

    # ------------------------------------------------------------ writing

    async def write(self, request: Request, client_request_id: str) -> Answered:
        """Send one call that may change something, once.

        Raises:
            NotSent: nothing left this machine.
            AnswerMissing: it may have taken effect.
            Refused, Throttled: ARM said no; it did not take effect.
        """
        call = Call(f"{request.method} {request.path}", is_write=True)
        headers = dict(request.headers)
        content = None
        if request.body is not None:
            content = json.dumps(request.body, allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        if not all(f"{k}{v}".isprintable() for k, v in headers.items()):
            raise NotSent(f"{call.what} has a header with a control character in it.")
        url = self._url(request.path, request.api_version, {})
        http = HttpRequest(request.method, url, headers=headers, content=content)
        reply = await self._send(call, http, client_request_id)
        body = _success(call, reply)
        return Answered(
            reply.status,
            body,
            lro.accepted(request, reply.status, reply.headers, body),
            retry_after_s(reply.headers),
            reply.correlation_id,
        )

    # ------------------------------------------------------------ one call

    async def _read(self, call: Call, url: str) -> Reply:
        return await self._send(call, HttpRequest("GET", url), self._new_id())

    async def _send(self, call: Call, request: HttpRequest, call_id: str) -> Reply:
        left = Left()
        try:
            async with asyncio.timeout(self._timeout_s):
                done = await self._pipeline.run(request, stream=True, call_id=call_id, left=left)
                return await _read_out(call, done.http_response)
        # "from None" below: causes quote addresses, and with them signatures, which a traceback would print.
        except ServiceRequestError as error:
            raise NotSent(f"{call.what} was not sent: {_words(error)}", _UNREACHABLE) from None
        except TimeoutError:
            raise _silence(call, left, f"no answer within {self._timeout_s:g} s") from None
        except (AzureError, OSError) as error:
            raise _silence(call, left, _words(error)) from None

    def _url(self, path: str, api_version: str, query: Mapping[str, str]) -> str:
        if not path.startswith("/") or _UNSAFE.search(path):
            raise NotSent(f"{plain(path)!r} is not a Resource Manager path: it starts with / and holds no query.")
        try:
            words = urlencode({**query, "api-version": api_version}, quote_via=quote, safe=_IN_QUERY)
            return f"{self._origin}{quote(path, safe=_IN_PATH)}?{words}"
        except UnicodeEncodeError:
            raise NotSent(f"{plain(ascii(path))} cannot be written as an address.") from None

    def _absolute(self, link: str) -> str:
        """A link from an answer, verbatim but for characters no address can hold; one without a host means ours."""
        link = _UNWRITTEN.sub(lambda found: quote(found[0], errors="replace"), link)
        return f"{self._origin}{link}" if link.startswith("/") else link


_UNREACHABLE: Final = "Check the network, a proxy (HTTPS_PROXY, NO_PROXY) and a private CA (REQUESTS_CA_BUNDLE)."


async def _read_out(call: Call, response: AsyncHttpResponse) -> Reply:
    """Read an answer to its end, but not beyond ``MAX_BODY_BYTES``, which bounds it after unpacking, too."""
    try:
        content = await _content(response)
    except (AzureError, zlib.error, ValueError) as error:
        # azure-core calls some of these "request" errors; but there was an answer, so the request did arrive.
        raise AnswerMissing(f"The answer to {call.what} broke off: {_words(error)}", call.after_silence) from None
    finally:
        await response.close()
    if len(content) > MAX_BODY_BYTES:
        raise AnswerMissing(f"The answer to {call.what} is longer than {MAX_BODY_BYTES} bytes.", call.after_silence)
    headers = {name.lower(): _text(value) for name, value in response.headers.items()}
    return Reply(response.status_code, headers, bytes(content))


def _text(value: str) -> str:
    """A header value that UTF-8 can hold; aiohttp keeps stray bytes as lone surrogates."""
    return value if value.isascii() else value.encode(errors="replace").decode()


async def _content(response: AsyncHttpResponse) -> bytes | bytearray:
    try:
        return response.content  # a simulated cloud has it all at once
    except ResponseNotReadError:
        content = bytearray()
        async for chunk in response.iter_bytes():
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                break
        return content


def _success(call: Call, reply: Reply) -> Any:
    """The parsed body of an answer that is a success.

    Raises:
        ArmError: it is none, or cannot be read. Where the status alone says all (202, 204), the body is not needed.
    """
    if not 200 <= reply.status < 300:
        raise refusal(call, reply)
    try:
        return parse(reply.content)
    except ValueError:
        if reply.status in (202, 204):
            return None
        raise AnswerMissing(
            f"{call.what} was answered with HTTP {reply.status} and a body that is not JSON.", call.after_silence
        ) from None


def _silence(call: Call, left: Left, why: str) -> ArmError:
    if not left.is_gone:
        return NotSent(f"{call.what} was not sent: {why}", _UNREACHABLE)
    return AnswerMissing(f"{call.what} was sent, but: {why}", call.after_silence)


def _words(error: BaseException) -> str:
    """What a library said, in one line, without secrets."""
    said = plain(redact_text(" ".join(str(error).split())))
    return (said or type(error).__name__)[:1_000]
