"""Names that Azure Arc private link uses. Where the scope itself tells them, the scope is believed first.

Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04, "Connected Machine agent
network requirements", 2026, and "Azure Private Endpoint private DNS zone values", 2023-10-11. Zones of other clouds
than the public one are in none of them, so only the scope can tell those.
"""

from __future__ import annotations

from typing import Final

NAMESPACE: Final = "Microsoft.HybridCompute"
SCOPES: Final = "privateLinkScopes"
FLAG: Final = "ArcServerPrivateLinkPreview"
GROUP: Final = "hybridcompute"
MEMBERS: Final = 7
"""Members, hence addresses, of one endpoint as recorded; planned with until the scope lists its own."""

ZONES: Final = {
    "AzureCloud": (
        "privatelink.his.arc.azure.com",
        "privatelink.guestconfiguration.azure.com",
        "privatelink.dp.kubernetesconfiguration.azure.com",
    ),
}
"""Private zones, by cloud, where they are published."""

TAGS: Final = {
    "preview": ("AzureActiveDirectory", "AzureResourceManager"),
    "ga": (
        "AzureActiveDirectory",
        "AzureTrafficManager",
        "AzureResourceManager",
        "AzureArcInfrastructure",
        "Storage",
        "AzureFrontDoor.Frontend",
        "WindowsAdminCenter (only if used)",
    ),
}
"""Service tags that stay public and must be let through, by edition."""

PROVIDERS: Final = {
    "preview": ("Microsoft.HybridCompute", "Microsoft.GuestConfiguration", "Microsoft.Network"),
    "ga": (
        "Microsoft.HybridCompute",
        "Microsoft.GuestConfiguration",
        "Microsoft.HybridConnectivity",
        "Microsoft.Network",
    ),
}


def needed_type(namespace: str, edition: str) -> str:
    """The resource type whose showing in the region is enough to go on while a provider still registers."""
    if namespace == NAMESPACE:
        # In the preview the scope type shows only after approval and a second registration.
        return "machines" if edition == "preview" else SCOPES
    return "privateEndpoints" if namespace == "Microsoft.Network" else ""
