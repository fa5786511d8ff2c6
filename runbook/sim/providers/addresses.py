"""Private addresses of subnets: who holds which, which are free, and giving them out.

Invariants: an address has at most one holder, lies in its subnet and is none of the five that Azure keeps in each
range (the first four and the last). Network interfaces are the only record of who holds an address; nothing is
counted twice, because nothing else counts.

Source: "Azure Virtual Network frequently asked questions", learn.microsoft.com (five reserved addresses); error codes
from "Troubleshoot common Azure deployment errors" and recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final

from runbook.core.ids import subscription_of
from runbook.sim.wire import ArmFault, Json, bad_request, items, text

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

NIC: Final = "Microsoft.Network/networkInterfaces"

RESERVED_FIRST: Final = 4
RESERVED: Final = 5
"""Addresses of each range that Azure keeps: network, gateway, two for DNS, broadcast."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Pool:
    """One subnet's addresses.

    Attributes:
        name: the subnet's name, for messages.
        ranges: its IPv4 ranges.
        holders: address → id of the interface configuration that holds it.
    """

    name: str
    ranges: tuple[IPv4Network, ...]
    holders: Mapping[IPv4Address, str]

    @property
    def capacity(self) -> int:
        """How many addresses can be given out in all."""
        return sum(max(0, r.num_addresses - RESERVED) for r in self.ranges)

    @property
    def prefix(self) -> str:
        """The ranges as text, for messages."""
        return ",".join(str(r) for r in self.ranges)

    def free(self) -> Iterator[IPv4Address]:
        """Free addresses, lowest first."""
        for r in self.ranges:
            first, last = int(r.network_address) + RESERVED_FIRST, int(r.broadcast_address) - 1
            for number in range(first, last + 1):
                if (address := IPv4Address(number)) not in self.holders:
                    yield address

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
        holder = self.holders.get(wanted, "")
        if holder and holder.lower() != by.lower():
            raise ArmFault(
                400,
                "PrivateIPAddressIsAllocated",
                f"IP configuration {by} is using the private IP address {wanted} which is already allocated "
                f"to resource {holder}.",
            )
        return str(wanted)


def pool(cloud: Cloud, subnet: Json, *, without: str = "") -> Pool:
    """The addresses of a stored subnet as they stand now.

    Args:
        cloud: the cloud.
        subnet: the subnet's stored body.
        without: the id of an interface to leave out, whose own addresses may be given again.
    """
    return Pool(str(subnet["name"]), ranges_of(subnet), holders(cloud, str(subnet["id"]), without=without))


def holders(cloud: Cloud, subnet_id: str, *, without: str = "") -> dict[IPv4Address, str]:
    """Who holds which address of a subnet: address → id of the interface configuration, sorted by address."""
    held: dict[IPv4Address, str] = {}
    for nic in cloud.resources(NIC, f"/subscriptions/{subscription_of(subnet_id) or ''}"):
        if str(nic["id"]).lower() == without.lower():
            continue
        for number, config in enumerate(items(nic, "properties", "ipConfigurations")):
            where, address = text(config, "properties", "subnet", "id"), text(config, "properties", "privateIPAddress")
            if where.lower() == subnet_id.lower() and address:
                name = text(config, "name", default=f"ipconfig{number + 1}")
                held[IPv4Address(address)] = text(config, "id", default=f"{nic['id']}/ipConfigurations/{name}")
    return dict(sorted(held.items()))


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
