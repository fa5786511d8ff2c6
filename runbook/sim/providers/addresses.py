"""Private addresses of subnets: who holds which, which are free, and giving them out.

Invariants: an address has at most one holder, lies in its subnet and is none of the five that Azure keeps in each
range (the first four and the last). Network interfaces are the only record of who holds an address, found by an index;
nothing is counted twice, because nothing else counts. Giving out an address looks at no interface, however many stand.

Source: "Azure Virtual Network frequently asked questions", learn.microsoft.com (five reserved addresses); error codes
from "Troubleshoot common Azure deployment errors" and recorded answers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final

from runbook.sim.hooks import index
from runbook.sim.wire import ArmFault, Json, bad_request, items, text

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

NIC: Final = "Microsoft.Network/networkInterfaces"

RESERVED_FIRST: Final = 4
RESERVED: Final = 5
"""Addresses of each range that Azure keeps: network, gateway, two for DNS, broadcast."""

Network = IPv4Network | IPv6Network


@index("resources", "address")
def _by_subnet(key: str, doc: Json) -> Iterator[tuple[str, str]]:
    """Subnet id in lower case → an entry of each address that an interface holds there."""
    if str(doc.get("type", "")).lower() != NIC.lower():
        return
    try:
        for number, config in enumerate(items(doc, "properties", "ipConfigurations")):
            where, address = text(config, "properties", "subnet", "id"), text(config, "properties", "privateIPAddress")
            name = text(config, "name", default=f"ipconfig{number + 1}")
            if where and address:
                holder = text(config, "id", default=f"{doc['id']}/ipConfigurations/{name}")
                yield where.lower(), held(IPv4Address(address), holder)
    except (ArmFault, ValueError):
        return  # stored as no service would: it holds nothing


def held(address: IPv4Address, holder: str) -> str:
    """An address and who holds it, as one text; such texts sort by address."""
    return f"{int(address):010d} {holder}"


@dataclass(frozen=True, slots=True)
class Pool:
    """One subnet's addresses.

    Attributes:
        name: the subnet's name, for messages.
        ranges: its IPv4 ranges.
        entries: what ``held`` makes of each address that is given out and the interface configuration that holds it,
            sorted.
    """

    name: str
    ranges: tuple[IPv4Network, ...]
    entries: Sequence[str]

    @property
    def capacity(self) -> int:
        """How many addresses can be given out in all."""
        return sum(max(0, r.num_addresses - RESERVED) for r in self.ranges)

    @property
    def prefix(self) -> str:
        """The ranges as text, for messages."""
        return ",".join(str(r) for r in self.ranges)

    def holder(self, address: IPv4Address) -> str:
        """Id of the interface configuration that holds an address; empty when none does."""
        start = held(address, "")
        at = bisect_left(self.entries, start)
        return self.entries[at].removeprefix(start) if self._is_at(at, int(address)) else ""

    def free(self) -> Iterator[IPv4Address]:
        """Free addresses, lowest first. Those held without a gap from the start on are jumped over."""
        for r in self.ranges:
            number, end = int(r.network_address) + RESERVED_FIRST, int(r.broadcast_address)
            at = bisect_left(self.entries, held(IPv4Address(number), ""))
            full = bisect_left(range(len(self.entries) - at), True, key=lambda i: not self._is_at(at + i, number + i))
            number, at = number + full, at + full
            while number < end:
                if self._is_at(at, number):
                    at += 1
                else:
                    yield IPv4Address(number)
                number += 1

    def _is_at(self, at: int, number: int) -> bool:
        return at < len(self.entries) and self.entries[at].startswith(f"{number:010d} ")

    def is_reserved(self, address: IPv4Address) -> bool:
        """Whether Azure keeps this address of the subnet for itself."""
        return any(
            address in r and not RESERVED_FIRST <= int(address) - int(r.network_address) < r.num_addresses - 1
            for r in self.ranges
        )

    def take(self, count: int) -> list[str]:
        """The lowest free addresses.

        Raises:
            ArmFault: 400 ``SubnetIsFull`` when fewer than ``count`` are free.
        """
        taken = [str(address) for _, address in zip(range(count), self.free(), strict=False)]
        if len(taken) < count:
            raise ArmFault(
                400,
                "SubnetIsFull",
                f"Subnet {self.name} with address prefix {self.prefix} does not have enough capacity "
                f"for {count} IP addresses.",
            )
        return taken

    def claim(self, address: str, by: str) -> str:
        """An address asked for by name, in canonical form.

        Args:
            address: the address.
            by: the id of the interface configuration that asks; it may hold the address already.

        Raises:
            ArmFault: 400, it is no address, lies outside, is reserved or is held by another.
        """
        try:
            wanted = IPv4Address(address)
        except ValueError:
            raise bad_request(f"IP address {address} is invalid.", "InvalidIPAddressFormat") from None
        if not any(wanted in r for r in self.ranges):
            raise ArmFault(
                400,
                "PrivateIPAddressNotInSubnet",
                f"Private static IP address {wanted} does not belong to the range of subnet prefix {self.prefix}.",
            )
        if self.is_reserved(wanted):
            raise ArmFault(
                400,
                "PrivateIPAddressInReservedRange",
                f"Private static IP address {wanted} falls within reserved IP range of subnet prefix {self.prefix}.",
            )
        holder = self.holder(wanted)
        if holder and holder.lower() != by.lower():
            raise ArmFault(
                400,
                "PrivateIPAddressIsAllocated",
                f"IP configuration {by} is using the private IP address {wanted} which is already allocated "
                f"to resource {holder}.",
            )
        return str(wanted)


def pool(cloud: Cloud, subnet: Json) -> Pool:
    """The addresses of a stored subnet as they stand now. ``subnet`` is its stored body."""
    subnet_id = str(subnet["id"]).lower()
    return Pool(str(subnet["name"]), ranges_of(subnet), cloud.state.entries("address", subnet_id))


def holders(cloud: Cloud, subnet_id: str) -> list[str]:
    """Ids of the interface configurations that hold an address of a subnet, sorted by address."""
    return [entry.partition(" ")[2] for entry in cloud.state.entries("address", subnet_id.lower())]


def prefixes_of(body: Json) -> list[str]:
    """The address prefixes of a subnet's body, as written: either spelling."""
    listed = items(body, "properties", "addressPrefixes")
    single = text(body, "properties", "addressPrefix")
    return [str(p) for p in listed] or ([single] if single else [])


def ranges_of(subnet: Json) -> tuple[IPv4Network, ...]:
    """The IPv4 ranges of a stored subnet."""
    networks = [ip_network(p) for p in prefixes_of(subnet)]
    return tuple(n for n in networks if isinstance(n, IPv4Network))


def parse_prefix(prefix: object, owner: str) -> Network:
    """Read one address prefix.

    Args:
        prefix: what stood in the body.
        owner: id of the resource it belongs to, for the message.

    Raises:
        ArmFault: 400 ``InvalidAddressPrefixFormat``, or ``InvalidCIDRNotation`` when host bits are set.
    """
    try:
        loose = ip_network(str(prefix), strict=False)
        if "/" not in str(prefix):
            raise ValueError("no length")
    except ValueError:
        raise bad_request(
            f"Address prefix {prefix} of resource {owner} is not formatted correctly. "
            "It should follow CIDR notation, for example 10.0.0.0/24.",
            "InvalidAddressPrefixFormat",
        ) from None
    if str(prefix).partition("/")[0] != str(loose.network_address):
        raise bad_request(
            f"The address prefix {prefix} in resource {owner} has an invalid CIDR notation. "
            f"For the given prefix length, the address prefix should be {loose}.",
            "InvalidCIDRNotation",
        )
    return loose


def is_inside(inner: Network, spaces: Sequence[Network]) -> bool:
    """Whether a range lies whole in one of the address spaces."""
    for space in spaces:
        if isinstance(inner, IPv4Network) and isinstance(space, IPv4Network) and inner.subnet_of(space):
            return True
        if isinstance(inner, IPv6Network) and isinstance(space, IPv6Network) and inner.subnet_of(space):
            return True
    return False
