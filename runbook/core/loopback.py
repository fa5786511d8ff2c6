"""Which addresses are this machine's own loopback. Nothing of ours is ever served anywhere else."""

from __future__ import annotations

import ipaddress
import socket

from runbook.core.error import UsageError


def loopback(host: str, hint: str) -> tuple[socket.AddressFamily, str]:
    """The family and address that a host stands for.

    Args:
        host: an address, or ``localhost``.
        hint: why nothing else will do.

    Raises:
        UsageError: it is not on loopback. A name is not looked up: who knows what it stands for tomorrow.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host.lower() == "localhost" else host.strip("[]"))
        if address.is_loopback:
            return (socket.AF_INET if address.version == 4 else socket.AF_INET6), str(address)
    except ValueError:
        pass
    raise UsageError(f"{host!r} is not an address of this machine's own loopback.", hint)
