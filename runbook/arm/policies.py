"""What happens to every request on its way out.

The whole policy list, in order: ``HomeOnly`` → ``CallHeaders`` → ``SignIn`` → ``Departure`` → the transport.

Invariants: no token is asked for, let alone attached, before ``HomeOnly`` has seen that the request goes to the
cloud's own Resource Manager. No policy retries or follows a redirect. The one request that may leave twice is one
that ARM turned away with 401 and a claims challenge, before looking at it.

``ReadOnly`` wraps a transport, not a policy list, so that nothing above it can forget it.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Final

from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from runbook import __version__
from runbook.arm.auth import AGAIN
from runbook.arm.hints import SIGN_IN
from runbook.arm.refusals import explain
from runbook.core.error import NotSent, RunbookError, SignInNeeded, UsageError
from runbook.core.redact import plain, redact_text

_Request = PipelineRequest[HttpRequest]
Wire = AsyncHttpTransport[HttpRequest, AsyncHttpResponse]

_ORIGIN: Final = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)
_VISIBLE: Final = re.compile(r"[!-~]*")


class HomeOnly(SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Refuses every address that is not the cloud's Resource Manager.

    ARM's answers name addresses: of an operation, of a list's next page. Only a text that starts with our own origin
    and a slash is followed; it is compared as text, so that no two parsers can disagree about the host in it.

    Args:
        endpoint: ``https://host`` or ``https://host:port``, without a path.

    Raises:
        UsageError: the endpoint has another form.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.origin = endpoint.rstrip("/").lower()
        if not _ORIGIN.fullmatch(self.origin):
            raise UsageError(
                f"{plain(redact_text(endpoint))!r} is not the address of a Resource Manager.",
                "It has the form https://host or https://host:port. Tokens are never sent without TLS.",
            )
        explicit = () if self.origin.count(":") > 1 else (f"{self.origin}:443/",)
        self._starts = (f"{self.origin}/", *explicit)

    def on_request(self, request: _Request) -> None:
        url = request.http_request.url
        if not _VISIBLE.fullmatch(url) or not url[:300].lower().startswith(self._starts):
            raise NotSent(
                f"Azure's answer points to an address outside {self.origin}, which was not followed.",
                "The sign-in token is only ever sent to the cloud's own Resource Manager. A proxy that rewrites"
                " answers could cause this.",
            )


class CallHeaders(SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Who calls, under which id, and that JSON in English is wanted.

    Takes the pipeline option ``call_id``: the client request id, which ARM writes into its activity log.
    Source: Azure Resource Manager RPC, common-api-details ("client request headers").
    """

    _ALWAYS: Final = {
        "x-ms-return-client-request-id": "true",
        "User-Agent": f"runbook/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Accept-Language": "en-US",
    }

    def on_request(self, request: _Request) -> None:
        headers = request.http_request.headers
        headers.update(self._ALWAYS)
        headers["x-ms-client-request-id"] = request.context.options.pop("call_id")


class SignIn(AsyncARMChallengeAuthenticationPolicy):
    """Attaches the token, and answers ARM's claims challenges."""

    async def on_challenge(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether the request was signed again, as the challenge asks.

        Raises:
            NotSent: no token that meets the challenge can be had.
        """
        try:
            is_signed = await super().on_challenge(request, response)
        except ValueError:  # the challenge itself is garbled: the 401 then stands for itself
            return False
        if is_signed:
            await response.http_response.close()  # nobody reads it, and its connection is needed again
        return is_signed


class Credential(AsyncSupportsTokenInfo):
    """A credential whose failures are the runbook's own: without a token nothing has left this machine."""

    def __init__(self, inner: AsyncTokenCredential | AsyncSupportsTokenInfo) -> None:
        self._inner = inner

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token.

        Raises:
            SignInNeeded: none can be had; the message says why, without secrets.
        """
        try:
            if isinstance(self._inner, AsyncSupportsTokenInfo):
                return await self._inner.get_token_info(*scopes, options=options)
            token = await self._inner.get_token(*scopes, **(options or {}))
            return AccessTokenInfo(token.token, token.expires_on)
        except RunbookError:
            raise
        except Exception as error:  # sign-in libraries raise what they like; all of it means "no token"
            # "from None": the cause may quote a token, and a traceback would print it.
            raise no_token(error, getattr(self._inner, "kind", "cli")) from None

    async def close(self) -> None:
        await self._inner.close()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def no_token(error: Exception, kind: str) -> SignInNeeded:
    """What a sign-in library raised, in words an operator can act on and without secrets.

    Args:
        error: of any class.
        kind: how the sign-in was tried.
    """
    said = plain(redact_text(" ".join(str(error).split())))[:1_000] or type(error).__name__
    cause, hint = explain(said, AGAIN.get(kind, "sign in"))
    reason = f"{cause}. Said was: {said}" if cause else said
    return SignInNeeded(f"No access token could be had: {reason}", hint or SIGN_IN)


class Left:
    """Whether one call has left for the transport. Until then, nothing can have happened."""

    __slots__ = ("is_gone",)

    def __init__(self) -> None:
        self.is_gone = False


class Departure(SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """The last policy: notes, in the pipeline option ``left``, that the transport takes over."""

    def on_request(self, request: _Request) -> None:
        left = request.context.options.pop("left", None)
        if left is not None:  # absent when ARM's claims challenge sends the request on a second time
            left.is_gone = True


_PART: Final = r"/[\w()-][\w.()-]*"
_READING_POSTS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"/providers/Microsoft\.ResourceGraph/resources",
        rf"/subscriptions{_PART}(/resourceGroups{_PART})?/providers/Microsoft\.Resources/deployments{_PART}/whatIf",
        rf"/subscriptions{_PART}(/resourceGroups{_PART})?/providers/Microsoft\.PolicyInsights/checkPolicyRestrictions",
    )
)
"""POST actions that only read. Source: the OpenAPI descriptions of these three providers."""

_METHOD_IN_DISGUISE: Final = ("x-http-method-override", "x-http-method", "x-method-override")


class ReadOnly(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """A transport through which no write can pass, for plan mode."""

    def __init__(self, inner: Wire) -> None:
        self._inner = inner

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        """Pass a read on.

        Raises:
            NotSent: the request could change something.
        """
        if not _is_read(request):
            raise NotSent(
                f"{request.method} was held back: this run only reads.",
                "Start the runbook in live mode to change anything.",
            )
        return await self._inner.send(request, **kwargs)

    async def open(self) -> None:
        await self._inner.open()

    async def close(self) -> None:
        await self._inner.close()

    async def __aenter__(self) -> ReadOnly:
        await self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def _is_read(request: HttpRequest) -> bool:
    if any(name in request.headers for name in _METHOD_IN_DISGUISE):
        return False
    if request.method in ("GET", "HEAD"):
        return True
    if request.method != "POST":
        return False
    _, _, rest = request.url.partition("://")
    path = "/" + rest.partition("/")[2].partition("?")[0]
    return any(pattern.fullmatch(path) for pattern in _READING_POSTS)
