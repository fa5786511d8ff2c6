"""One private endpoint that a run wants: what it leads to, where it goes, and what becomes of its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Planned:
    """One planned endpoint, as ``avd.estate`` plans it and the steps behind it take it.

    Attributes:
        id: stable key, lower case: ``group/name`` of the target, behind its subscription where that is not the first
            of the run.
        name: the target's own name; ``target`` its resource id.
        group: ``connection``, ``feed`` or ``global``.
        members: how many addresses it takes; ``member_names`` are the members they belong to, in order.
        endpoint: the endpoint's resource id; ``subscription`` and ``resource_group`` are its own.
        location: region of the virtual network, hence of the endpoint.
        static_addresses: one for each member, or none.
        access: ``publicNetworkAccess`` that the target is to end up with.
    """

    id: str
    name: str
    target: str
    group: str
    members: int
    endpoint: str
    endpoint_name: str
    subscription: str
    resource_group: str
    location: str
    vnet: str
    subnet: str
    static_addresses: tuple[str, ...] = ()
    access: str = ""
    member_names: tuple[str, ...] = ()

    def doc(self) -> dict[str, Any]:
        """As an output of a step."""
        return {
            "id": self.id,
            "name": self.name,
            "target": self.target,
            "group": self.group,
            "members": self.members,
            "endpoint": self.endpoint,
            "endpoint_name": self.endpoint_name,
            "subscription": self.subscription,
            "resource_group": self.resource_group,
            "location": self.location,
            "vnet": self.vnet,
            "subnet": self.subnet,
            "static_addresses": list(self.static_addresses),
            "access": self.access,
            "member_names": list(self.member_names),
        }
