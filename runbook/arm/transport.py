"""The live wire: azure-core's aiohttp transport with a session of our own.

Invariants: a request is put on the wire at most once; an address arrives there exactly as it was handed in; and an
error says whether the request can have left. aiohttp alone keeps none of the three. It sends PUT and DELETE again by
itself when a connection breaks, which for a write whose first sending took effect is a second write. It decodes and
re-encodes the query, which breaks the signature in an operation's address. And it has one error family for "could
not connect" and "broke off after sending", which azure-core then reports as "not sent".

The session holds one TLS context. Left to itself, azure-core builds one per request as soon as a private CA is named,
and no connection is ever used twice.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final, cast
from urllib.request import getproxies, proxy_bypass

import aiohttp
from azure.core.exceptions import ServiceRequestError, ServiceRequestTimeoutError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport
from yarl import URL

from runbook.arm.tls import trusted

_LONGEST_HEADER_BYTES: Final = 64 * 1024
"""Operation addresses carry signatures and exceed 3,500 characters; aiohttp's own limit is 8 KB."""

_CONNECT_TIMEOUT_S: Final = 10.0


class LiveTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core loads it lazily, hiding its type
    """HTTPS to a real cloud, or to a served simulator.

    Proxies come from the environment (``HTTPS_PROXY``, ``NO_PROXY``; on macOS and Windows also the system's), the
    CA from ``ca_bundle`` or, as with the Azure CLI, from ``REQUESTS_CA_BUNDLE``. Loopback never goes through a proxy.
    ``.netrc`` is not read: an entry there would clash with the token.

    Args:
        ca_bundle: a PEM file or a folder of CA certificates to trust instead of the system's.

    Raises:
        UsageError: the CA bundle cannot be read.
    """

    def __init__(self, ca_bundle: str | os.PathLike[str] | None = None) -> None:
        super().__init__(connection_timeout=_CONNECT_TIMEOUT_S, use_env_settings=False)
        self._tls = trusted(ca_bundle)
        self._is_made = False

    async def open(self) -> None:
        """Make the session, in the loop that will use it. Once closed, it stays closed.

        Raises:
            ServiceRequestError: the transport was closed.
        """
        if not self._is_made:
            self._is_made = True
            self.session = cast(aiohttp.ClientSession, _Session(self._tls))
        elif self.session is None:
            raise ServiceRequestError("the connection to Azure was closed")
        await super().open()


class _Session:
    """What ``AioHttpTransport`` asks of an aiohttp session."""

    auto_decompress = False

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._inner = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_field_size=_LONGEST_HEADER_BYTES,
            max_line_size=_LONGEST_HEADER_BYTES,
            middlewares=(_once,),
        )
        self._proxies = getproxies()
        self._proxy_of: dict[str, str | None] = {}

    async def __aenter__(self) -> None:
        """The session is open from the start."""

    async def close(self) -> None:
        await self._inner.close()

    async def request(self, method: str, url: str, **options: Any) -> aiohttp.ClientResponse:
        address = URL(url, encoded=True)
        host = address.host or ""
        if host not in self._proxy_of:
            self._proxy_of[host] = proxy_for(address.scheme, host, self._proxies)
        return await self._inner.request(method, address, **options | {"proxy": self._proxy_of[host]})


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Connect and send, once. aiohttp repeats on its own errors only, so none of those that may repeat leaves here.

    Raises:
        ServiceRequestError: no connection came about; nothing was sent.
        ServiceResponseError: the connection broke after the request was, or may have been, sent.
    """
    try:
        return await handler(request)
    except aiohttp.ConnectionTimeoutError as error:
        raise ServiceRequestTimeoutError("The connection was not established in time.", error=error) from error
    except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError) as error:
        raise ServiceRequestError(_words(error), error=error) from error
    except (aiohttp.ClientError, OSError) as error:
        raise ServiceResponseError(_words(error), error=error) from error


def _words(error: Exception) -> str:
    """The error without the address: aiohttp quotes it, signature and all."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status} {error.message}"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{type(error).__name__}: {error.message}"
    return f"{type(error).__name__}: {error}"


def proxy_for(scheme: str, host: str, proxies: Mapping[str, str]) -> str | None:
    """The proxy to reach a host through; None for a straight connection.

    ``proxies`` is by scheme, as ``urllib.request.getproxies`` gives them.
    """
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or _is_loopback(host) or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
