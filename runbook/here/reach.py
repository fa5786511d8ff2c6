"""Whether packets get from this machine to an endpoint: a TCP connection, then a TLS handshake. Nothing is sent in it.

Invariant: nothing is claimed beyond what was tried. A connection is opened, greeted with the service's name, its
certificate looked at, and closed again.

Source: RFC 6066, section 3 (server name indication); RFC 6125 (the certificate names the service).
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Final

from runbook.dns.model import Reached, Rule

CONNECT_S: Final = 4.0
TLS_S: Final = 4.0


class Prober:
    """Connects from here.

    Args:
        context: whose certificates are trusted; the system's when absent.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context or ssl.create_default_context()

    async def probe(self, name: str, address: str, port: int) -> Reached:
        """One name's address and port."""

        def told(rule: Rule, text: str) -> Reached:
            return Reached(name, address, port, rule, text)

        try:
            async with asyncio.timeout(CONNECT_S):
                _, plain = await asyncio.open_connection(address, port)
        except TimeoutError:
            return told(Rule.PORT_CLOSED, f"No answer from {address} port {port}: nothing gets through.")
        except OSError as error:
            return told(Rule.PORT_CLOSED, f"No connection to {address} port {port}: {error.strerror or 'refused'}.")
        try:
            async with asyncio.timeout(TLS_S):
                await plain.start_tls(self._context, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            return told(
                Rule.WRONG_CERTIFICATE,
                f"The certificate behind {address} port {port} is not one for {name}: {error.verify_message}.",
            )
        except (TimeoutError, OSError, ssl.SSLError):
            return told(Rule.PORT_CLOSED, f"{address} port {port} takes the connection and does not go on with TLS.")
        finally:
            plain.close()
            with suppress(OSError, ssl.SSLError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await plain.wait_closed()
        return told(Rule.OK, "connected, and the certificate names the service")
