"""Names as this machine sees them, for the one place where it is said to stand.

A machine stands in one place. Which one, only the operator knows: a laptop on a VPN, one at home and a jump host in a
network look alike from the inside, and their answers prove different things. So nobody stands anywhere until told
(``--here``), and what is asked from any other place is answered with None: then a step asks for the operator's word.

Source: dnspython 2.8, ``dns.asyncresolver``; RFC 1034, section 3.6.2 (aliases).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from runbook.core.error import UsageError
from runbook.step import DnsAnswer

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

NOWHERE: Final = "nowhere"
ON_PREMISES: Final = "on-premises"
_LIFETIME_S: Final = 8.0


def check_place(place: str) -> str:
    """A place as ``--here`` names it.

    Raises:
        UsageError: it is none.
    """
    if place in (NOWHERE, ON_PREMISES) or (
        place.startswith("/subscriptions/") and "/virtualnetworks/" in place.lower()
    ):
        return place
    raise UsageError(
        f"{place!r} is no place a machine can stand in.",
        f"--here takes {ON_PREMISES}, a virtual network's resource id, or {NOWHERE}.",
    )


class HereResolver:
    """``runbook.step.Resolver`` over this machine's own resolver.

    Args:
        place: where this machine stands: ``on-premises``, a virtual network's id, or ``nowhere``.
        servers: addresses to ask instead of those the system names.
        port: theirs.
    """

    def __init__(self, place: str, servers: Sequence[str] = (), port: int = 53) -> None:
        self._place = place.lower()
        self._servers, self._port = tuple(servers), port
        self._resolver: Resolver | None = None

    async def resolve(self, name: str, vantage: str) -> DnsAnswer | None:
        """Look a name up; None for a place where this machine does not stand."""
        if self._place == NOWHERE or vantage.lower() != self._place:
            return None
        from dns import exception, resolver
        from dns.rdatatype import A

        try:
            asked = self._asked()
            answer = await asked.resolve(name, A, raise_on_no_answer=False, search=False)
        except resolver.NXDOMAIN:
            return self._nothing(name, "NXDOMAIN")
        except resolver.NoNameservers:
            return self._nothing(name, "SERVFAIL")
        except (resolver.NoResolverConfiguration, exception.Timeout, OSError):
            return self._nothing(name, "TIMEOUT")
        except exception.DNSException:
            return self._nothing(name, "SERVFAIL")
        chain = tuple(
            str(alias.target).rstrip(".").lower() for rrset in answer.chaining_result.cnames for alias in rrset
        )
        addresses = tuple(sorted(str(record) for record in answer)) if answer.rrset else ()
        return DnsAnswer(name, chain, addresses, "NOERROR", f"this machine, by {answer.nameserver}")

    def _asked(self) -> Resolver:
        from dns.asyncresolver import Resolver

        if self._resolver is None:
            self._resolver = Resolver(configure=not self._servers)
            if self._servers:
                self._resolver.nameservers = list(self._servers)
                self._resolver.port = self._port
            self._resolver.lifetime = _LIFETIME_S
        return self._resolver

    def _nothing(self, name: str, status: str) -> DnsAnswer:
        servers = ", ".join(str(s) for s in self._resolver.nameservers) if self._resolver is not None else ""
        return DnsAnswer(name, (), (), status, f"this machine, by {servers}" if servers else "this machine")
