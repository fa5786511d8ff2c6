"""Who is let in. Pure: what a request says about itself goes in, yes or no comes out.

Invariant: nothing is served to a request that does not carry the token, that is not addressed to this very server by
its own name, or that another page sent. The three together keep out other users of this machine (token), names that
an attacker lets point to 127.0.0.1 (host), and pages open in the same browser (origin).

Source: Fetch Standard, `Origin` and `Sec-Fetch-Site` headers; RFC 6455 section 10.2 on `Origin` of WebSockets: a
browser does not apply the same-origin policy to them, the server has to look.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of one server.

    Attributes:
        names: what `Host` may say, each with its port: the address that is listened at, or ``localhost``.
        token: what the path has to begin with.
    """

    names: frozenset[str]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def admits(self, path: str, headers: Mapping[str, str], *, is_socket: bool) -> bool:
        """Whether a request is to be answered at all.

        Args:
            path: as it was sent.
            headers: those of the request, looked up without regard to case.
            is_socket: whether it wants a WebSocket; browsers always say where from.
        """
        has_token = hmac.compare_digest(_first_part(path).encode(errors="replace"), self.token.encode())
        host = headers.get("Host", "").lower()
        origin = headers.get("Origin")
        is_ours = origin is not None and origin.lower() == f"http://{host}"
        is_own_page = is_ours or (origin is None and not is_socket)
        from_where = headers.get("Sec-Fetch-Site", "none")
        return has_token and host in self.names and is_own_page and from_where in ("none", "same-origin")


def _first_part(path: str) -> str:
    return path.partition("?")[0].lstrip("/").partition("/")[0]
