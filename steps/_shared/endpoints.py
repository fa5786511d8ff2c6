"""Private endpoints as several domains look at them: where they sit, what they lead to, whether it is approved.

Source: Azure Network REST 2024-01-01, private endpoints; "What is a private endpoint?", Microsoft Learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from runbook.core.arm import Json, Reader
from runbook.core.ids import ResourceId
from steps._shared import versions
from steps._shared.look import dig, is_under, properties, same, state_of

TARGET_VERSIONS: Final = {
    "microsoft.hybridcompute": versions.HYBRID_COMPUTE,
    "microsoft.desktopvirtualization": versions.AVD,
}
"""With which api-version the connections of a target are read, by its provider."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One private endpoint with its first connection, automatic or manual."""

    id: str
    name: str
    location: str
    subnet: str
    target: str
    groups: tuple[str, ...]
    state: str
    """Its provisioning state."""
    connection: str
    """``Approved``, ``Pending``, ``Rejected``, ``Disconnected``, or empty."""
    remark: str
    """What the other side wrote beside the connection state."""
    nic: str
    doc: Json

    @property
    def network(self) -> str:
        """The virtual network it sits in."""
        return self.subnet.lower().partition("/subnets/")[0]

    def leads_to(self, target: str, group: str = "") -> bool:
        """Whether it leads to that target, and to that sub-resource of it if one is named."""
        is_group = not group or group.lower() in (g.lower() for g in self.groups)
        return same(self.target, target) and is_group

    @property
    def is_manual(self) -> bool:
        """Whether the target's owner was asked for approval."""
        return bool(properties(self.doc).get("manualPrivateLinkServiceConnections"))


def endpoint_of(doc: Json) -> Endpoint:
    """Take one endpoint apart."""
    at = properties(doc)
    links: list[Any] = [
        *(at.get("privateLinkServiceConnections") or ()),
        *(at.get("manualPrivateLinkServiceConnections") or ()),
    ]
    link = properties(links[0]) if links else {}
    status = link.get("privateLinkServiceConnectionState") or {}
    cards = at.get("networkInterfaces") or ()
    return Endpoint(
        id=str(doc.get("id", "")),
        name=str(doc.get("name", "")),
        location=str(doc.get("location", "")),
        subnet=str(dig(at, "subnet", "id") or ""),
        target=str(link.get("privateLinkServiceId") or ""),
        groups=tuple(link.get("groupIds") or ()),
        state=state_of(doc),
        connection=str(status.get("status") or ""),
        remark=str(status.get("description") or ""),
        nic=str(dig(cards[0], "id") or "") if cards else "",
        doc=doc,
    )


async def endpoints_in(arm: Reader, vnet: str) -> list[Endpoint]:
    """The private endpoints of one virtual network. They always live in the network's own subscription."""
    subscription = vnet.strip("/").split("/")[1]
    docs = await arm.list(
        f"/subscriptions/{subscription}/providers/Microsoft.Network/privateEndpoints", versions.NETWORK
    )
    found = [endpoint_of(d) for d in docs]
    return sorted((e for e in found if is_under(e.subnet, vnet)), key=lambda e: e.id.lower())


def version_of(target: str) -> str:
    """The api-version for reading a target's connections; empty for a provider that is not known here."""
    return TARGET_VERSIONS.get(ResourceId.parse(target).namespace.lower(), "")


def is_arc_scope(target: str) -> bool:
    """Whether an endpoint's target is an Azure Arc private link scope."""
    return "/providers/microsoft.hybridcompute/privatelinkscopes/" in target.lower()


async def connection_at_target(arm: Reader, target: str, endpoint: str, api_version: str) -> str:
    """The connection's state as the target's own list has it; empty when it is not listed."""
    for item in await arm.list(f"{target}/privateEndpointConnections", api_version):
        if same(dig(item, "properties", "privateEndpoint", "id"), endpoint):
            return str(dig(item, "properties", "privateLinkServiceConnectionState", "status") or "")
    return ""
