"""Names of private endpoints, the addresses they must have, and the private zones that hold them. Pure text.

The one place that knows how a private zone's name and the public suffix it shadows belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from ipaddress import ip_address, ip_network
from typing import Final

PREFIX: Final = "privatelink"
"""First label of a private zone; ``privatelink-global`` is the one of the sub-resource ``global`` alone."""

PRIVATE: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""RFC 1918 and RFC 6598."""


@dataclass(frozen=True, slots=True)
class Record:
    """One name, the private address it must resolve to, and the private zone that holds it.

    ``fqdn`` is the public name; ``name`` is relative to ``zone``, which may be empty when no zone fits. ``endpoint`` is
    the name of the private endpoint that the address belongs to, where it is known.
    """

    fqdn: str
    ip: str
    zone: str
    name: str
    endpoint: str = ""

    def doc(self) -> dict[str, str]:
        return asdict(self)


def is_private_address(address: str) -> bool:
    """Whether it is from a range that networks number themselves with. Python's own test counts more than these."""
    return any(ip_address(address) in network for network in PRIVATE)


def suffix_of(zone: str) -> str:
    """The public suffix that a private zone shadows: what a forwarder must forward."""
    first, _, rest = zone.lower().partition(".")
    return rest if rest and first.partition("-")[0] == PREFIX else zone.lower()


def zones_of_group(zones: Sequence[str], group: str) -> list[str]:
    """The zones that may hold records of one sub-resource: those of all, and those that carry its own name.

    Source: "Azure Private Endpoint private DNS zone values", Microsoft Learn: ``privatelink-global.wvd.…`` is the zone
    of the sub-resource ``global``, ``privatelink.wvd.…`` that of ``feed`` and ``connection``.
    """
    fitting = {PREFIX, f"{PREFIX}-{group}".lower()}
    return [z for z in zones if (first := z.lower().partition(".")[0]) in fitting or not first.startswith(PREFIX)]


def record_of(fqdn: str, ip: str, zones: Sequence[str], endpoint: str = "") -> Record:
    """Find the zone of a name: the one with the longest matching suffix, and among those the most particular."""
    name = fqdn.lower().rstrip(".")
    fitting = [z.lower() for z in zones if name.endswith("." + suffix_of(z))]
    if not fitting:
        return Record(name, ip, "", name, endpoint)
    zone = max(fitting, key=lambda z: (len(suffix_of(z)), len(z)))
    # Some services list the private name itself.
    own = zone if name.endswith("." + zone) else suffix_of(zone)
    return Record(name, ip, zone, name.removesuffix("." + own), endpoint)
