"""Who signs the calls. Nothing here keeps a secret on disk; the libraries of the field sign in.

azure-identity's credentials are the blocking ones, used from a thread: only they know the device code and the browser,
and only they ask ``HTTPS_PROXY`` and ``REQUESTS_CA_BUNDLE`` by themselves.

Invariants: importing this module does not import azure-identity, which takes a fifth of a second; asking for a live
credential does. A token of another tenant than the one expected never leaves this module.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Literal, Protocol, get_args

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

from runbook.arm.clouds import CLOUDS, Cloud
from runbook.arm.quiet import hush
from runbook.core.clock import RealClock
from runbook.core.error import SignInNeeded, UsageError
from runbook.core.redact import plain

Kind = Literal["auto", "cli", "device-code", "browser", "environment", "workload", "managed"]
"""``cli``: the operator's Azure CLI sign-in. ``device-code``: a code to type on any device. ``browser``: one opens.
``environment``: a service principal in ``AZURE_CLIENT_ID`` and its companions. ``workload``: a federated token file.
``managed``: the machine's own identity. ``auto``: the Azure CLI when it is signed in, else what the environment names.
"""

KINDS: Final = get_args(Kind)

AGAIN: Final[dict[str, str]] = {
    "cli": "az login",
    "device-code": "retry, and type the new code",
    "browser": "retry, and sign in in the browser",
    "environment": "set the variables anew and resume",
    "workload": "see that the federated token file is renewed",
    "managed": "see that the identity is still assigned",
}
"""How to sign in again, by kind."""

_END_OF_TIME: Final = 253_402_300_799
"""Seconds since 1970 at the end of the year 9999: a token that needs no clock."""

_CLI_TIMEOUT_S: Final = 45
_FRESH_S: Final = 300
"""A token that is good for less is asked for anew, as azure-core does."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a sign-in wants: open ``address`` and type ``code`` before ``until`` (seconds since 1970)."""

    address: str
    code: str
    until: float

    def __str__(self) -> str:
        return f"To sign in, open {plain(self.address)} on any device and type the code {plain(self.code)}"


OnPrompt = Callable[[Prompt], None]
"""Told of a prompt, in a thread of its own."""


class StaticCredential(AsyncTokenCredential):
    """Always the same token. For rehearsals, whose cloud does not look at it."""

    def __init__(self, token: str) -> None:
        self._token = AccessToken(token, _END_OF_TIME)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        return self._token

    async def close(self) -> None:
        """Nothing is held."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Nothing is held."""


def static_credential(token: str) -> AsyncTokenCredential:
    """A credential that always gives ``token``."""
    return StaticCredential(token)


# ---------------------------------------------------------------- live


AnyCredential = AsyncTokenCredential | AsyncSupportsTokenInfo
"""What the client signs with."""


class Source(Protocol):
    """One of azure-identity's blocking credentials."""

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo: ...

    def close(self) -> None: ...


class Prompts:
    """Where prompts go. It may be elsewhere later: once a screen has the terminal, nothing may write to it."""

    def __init__(self, on_prompt: OnPrompt | None = None) -> None:
        self.on_prompt = on_prompt

    def tell(self, address: str, code: str, until: datetime) -> None:
        if self.on_prompt is not None:
            self.on_prompt(Prompt(address, code, until.timestamp()))


class LiveCredential(AsyncSupportsTokenInfo):
    """A blocking credential in a thread, asked once however many wait for its token.

    A device code takes minutes, longer than any call waits: who gives up waiting leaves the sign-in going, and the
    next who asks joins it instead of starting another.

    Attributes:
        kind: how it signs in.
        tenant: whose tokens are let through; empty lets any through.
        account: who signed in first, by the token; another person's token is not let through either.
        prompts: what a device code wants is handed on here.
    """

    def __init__(self, source: Source, kind: str, tenant: str = "", prompts: Prompts | None = None) -> None:
        self.kind = kind
        self.prompts = prompts or Prompts()
        self.tenant = tenant.lower()
        self.account = ""
        self._source = source
        self._first: dict[tuple[str, ...], AccessTokenInfo] = {}
        self._asking: dict[tuple[str, ...], asyncio.Future[AccessTokenInfo]] = {}

    def sign_in(self, scope: str) -> AccessTokenInfo:
        """Get the first token, waiting for it; later calls are given the same one while it is fresh.

        Raises:
            SignInNeeded: it is of another tenant.
            Exception: what the library raises.
        """
        token = self._checked(self._source.get_token_info(scope, options={}))
        self.account = claims_of(token.token).name
        self._first[(scope,)] = token
        return token

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token.

        Raises:
            SignInNeeded: it is of another tenant than expected.
            Exception: what the library raises.
        """
        wanted: TokenRequestOptions = options or {}
        claims = str(wanted.get("claims") or "")
        if claims:
            self._first.pop(scopes, None)  # Azure has just refused it
        elif (first := self._first.get(scopes)) and first.expires_on - RealClock().now_ms() / 1000 > _FRESH_S:
            return first
        key = (*scopes, claims)
        asking = self._asking.get(key)
        if asking is None or asking.done():
            asking = _in_thread(lambda: self._source.get_token_info(*scopes, options=wanted))
            self._asking[key] = asking
        return self._checked(await asyncio.shield(asking))

    def _checked(self, token: AccessTokenInfo) -> AccessTokenInfo:
        claims = claims_of(token.token)
        if self.tenant and claims.tenant and claims.tenant != self.tenant:
            raise SignInNeeded(
                f"The sign-in is now in tenant {claims.tenant}, and this run is pinned to {self.tenant}. "
                "Nothing was sent.",
                f"Sign in to the run's own tenant: az login --tenant {self.tenant}.",
            )
        if self.account and claims.name and claims.name != self.account:
            raise SignInNeeded(
                f"The sign-in is now {claims.name}, and {self.account} drives this run. Nothing was sent.",
                f"Sign in as {self.account} again; or quit and resume the run, to go on as {claims.name}.",
            )
        return token

    async def close(self) -> None:
        for asking in self._asking.values():
            asking.cancel()
        self._source.close()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


class Lent(AsyncSupportsTokenInfo):
    """A credential that its borrower cannot close."""

    def __init__(self, owned: AnyCredential) -> None:
        self._owned = owned
        self.kind = str(getattr(owned, "kind", "cli"))

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token, as its owner would be given it."""
        if isinstance(self._owned, AsyncSupportsTokenInfo):
            return await self._owned.get_token_info(*scopes, options=options)
        token = await self._owned.get_token(*scopes, **(options or {}))
        return AccessTokenInfo(token.token, token.expires_on)

    async def close(self) -> None:
        """Its owner does."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Its owner does."""


def _in_thread(ask: Callable[[], AccessTokenInfo]) -> asyncio.Future[AccessTokenInfo]:
    """Ask in a thread that no exit waits for: a sign-in that nobody completes would hold it up for minutes."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[AccessTokenInfo] = loop.create_future()
    answer.add_done_callback(lambda done: None if done.cancelled() else done.exception())  # seen, whoever waits

    def settle(token: AccessTokenInfo | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if token is not None:
            answer.set_result(token)
        else:
            answer.set_exception(error or RuntimeError("no token"))

    def work() -> None:
        token, error = None, None
        try:
            token = ask()
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(settle, token, error)

    threading.Thread(target=work, name="sign-in", daemon=True).start()
    return answer


def live_credential(
    kind: str,
    *,
    tenant: str = "",
    subscription: str = "",
    cloud: Cloud = CLOUDS["AzureCloud"],
    on_prompt: OnPrompt | None = None,
) -> LiveCredential:
    """A credential for a real cloud. It asks for nothing until a token is needed.

    Args:
        kind: one of ``KINDS`` but ``auto``.
        tenant: whose tokens are wanted; empty takes what the sign-in gives.
        subscription: whose account of the Azure CLI is asked, whatever its default is at that moment.
        cloud: whose sign-in host is asked. The Azure CLI knows its own.
        on_prompt: told what the operator must do for a device code.

    Raises:
        UsageError: no such kind, or what it needs is not there.
    """
    if kind not in AGAIN:
        raise UsageError(f"There is no way to sign in called {kind!r}.", f"Choose one of: {', '.join(KINDS)}.")
    hush()
    prompts = Prompts(on_prompt)
    return LiveCredential(_source(kind, tenant, subscription, cloud, prompts), kind, tenant, prompts)


def _source(kind: str, tenant: str, subscription: str, cloud: Cloud, prompts: Prompts) -> Source:
    from azure import identity

    where: dict[str, Any] = {"authority": cloud.authority, "disable_instance_discovery": not cloud.is_known}
    whose: dict[str, Any] = {"tenant_id": tenant} if tenant else {}
    try:
        match kind:
            case "cli":  # `az` takes a tenant or a subscription, not both; the subscription says whose account, too
                named = {"subscription": subscription} if subscription else whose
                return identity.AzureCliCredential(**named, process_timeout=_CLI_TIMEOUT_S)
            case "device-code":
                return identity.DeviceCodeCredential(**where, **whose, prompt_callback=prompts.tell)
            case "browser":
                return identity.InteractiveBrowserCredential(**where, **whose)
            case "environment":
                return identity.EnvironmentCredential(**where)
            case "workload":
                return identity.WorkloadIdentityCredential(**where, **whose)
            case _:
                return identity.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID") or None)
    except ValueError as error:
        raise UsageError(f"Signing in by {kind} cannot be: {plain(str(error))}", NEEDS.get(kind, "")) from error


NEEDS: Final[dict[str, str]] = {
    "environment": "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH.",
    "workload": "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE.",
}
"""What a kind needs, beyond somebody at the keyboard."""


def named_by_environment() -> str:
    """The kind that this process's environment names; empty when it names none.

    A managed identity is named only by the variables of its host: without them the question would go to an address
    outside this machine.
    """
    has = os.environ.get
    if has("AZURE_CLIENT_ID") and has("AZURE_TENANT_ID"):
        if has("AZURE_CLIENT_SECRET") or has("AZURE_CLIENT_CERTIFICATE_PATH"):
            return "environment"
        if has("AZURE_FEDERATED_TOKEN_FILE"):
            return "workload"
    return "managed" if has("IDENTITY_ENDPOINT") and has("IDENTITY_HEADER") else ""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of whom it was given to. Nobody's word but the token's own: good for showing and comparing.

    Attributes:
        name: a person's sign-in name, or an application's id.
    """

    name: str = ""
    tenant: str = ""


def claims_of(token: str) -> Claims:
    """Who a token was given to; empty where it is none that can be read. Its signature is ARM's to check."""
    parts = token.split(".")
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))) if len(parts) > 2 else {}
    except (ValueError, RecursionError):
        return Claims()
    if not isinstance(body, dict):
        return Claims()
    names = ("upn", "unique_name", "preferred_username", "app_displayname", "appid", "azp")
    name = next((str(body[n]) for n in names if body.get(n)), "")
    return Claims(plain(name), plain(str(body.get("tid") or "")).lower())
