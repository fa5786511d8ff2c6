"""Who signs the calls. Nothing here reads or keeps a secret; the libraries of the field do.

Invariant: importing this module does not import azure-identity, which takes a fifth of a second; asking for a live
credential does.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final, Literal, get_args

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from runbook.arm.clouds import CLOUDS, Cloud
from runbook.core.error import UsageError

Kind = Literal["cli", "default", "environment"]
"""``cli``: the operator's Azure CLI sign-in. ``environment``: ``AZURE_CLIENT_ID`` and its companions.
``default``: azure-identity's own order of sources, without a browser."""

KINDS: Final = get_args(Kind)

_END_OF_TIME: Final = 253_402_300_799
"""Seconds since 1970 at the end of the year 9999: a token that needs no clock."""


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


def live_credential(kind: str, *, tenant: str = "", cloud: Cloud = CLOUDS["AzureCloud"]) -> AsyncTokenCredential:
    """A credential for a real cloud. It asks for nothing until a token is needed.

    Args:
        kind: one of ``KINDS``.
        tenant: which tenant the ``cli`` sign-in is asked for a token of; empty takes the one it stands in. The
            other kinds have a tenant of their own.
        cloud: whose sign-in host is asked. The Azure CLI knows its own.

    Raises:
        UsageError: no such kind.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no way to sign in called {kind!r}.", f"Choose one of: {', '.join(KINDS)}.")
    from azure.identity.aio import AzureCliCredential, DefaultAzureCredential, EnvironmentCredential

    if kind == "cli":
        return AzureCliCredential(tenant_id=tenant)
    if kind == "environment":
        return EnvironmentCredential(authority=cloud.authority)
    return DefaultAzureCredential(authority=cloud.authority)
