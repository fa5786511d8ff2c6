"""The provider catalogue: which namespaces exist, with which resource types, and which are registered by default.

Types that the simulator answers get their api-versions from the routes; the others are listed for looks only.

Source: provider answers of the Azure CLI; "Azure resource providers and types", learn.microsoft.com.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Gate:
    """A resource type that is seen only by subscriptions that registered a feature, and the provider after it.

    Attributes:
        kind: the resource type, without its namespace.
        feature: the flag.
        clouds: where era ``ga`` wants it too; era ``preview`` wants it everywhere.
    """

    kind: str
    feature: str
    clouds: frozenset[str] = frozenset()

    def is_shut(self, era: str, cloud: str) -> bool:
        """Whether the flag is asked for at all."""
        return era == "preview" or cloud in self.clouds


@dataclass(frozen=True, slots=True)
class Namespace:
    """One provider.

    Attributes:
        is_free: ARM's own: registered always.
        starts: registered in a new subscription unless the scenario says otherwise.
        types: resource type → api-versions where no route knows better.
        gated: the types that a preview feature guards.
        later: api-versions that era ``preview`` has never heard of.
    """

    name: str
    types: dict[str, tuple[str, ...]]
    is_free: bool = False
    starts: bool = False
    gated: tuple[Gate, ...] = ()
    later: frozenset[str] = frozenset()


ARC_FLAG: Final = "Microsoft.HybridCompute/ArcServerPrivateLinkPreview"
NETWORK_FLAG: Final = "Microsoft.Network/AllowPrivateEndpoints"
AVD_FLAG: Final = "Microsoft.DesktopVirtualization/SimulatedPrivateLink"
"""The simulator's own name: Azure's is not published, only the name on screen (``AVD_FLAG_DISPLAY``)."""
AVD_FLAG_DISPLAY: Final = {
    "preview": "Azure Virtual Desktop Private Link Public Preview",
    "ga": "Azure Virtual Desktop Private Link",
}
"""By era. Source: "Set up Private Link with Azure Virtual Desktop", learn.microsoft.com, 2022-12-06 and 2023-07-17."""
AVD_CLOUDS: Final = frozenset({"AzureUSGovernment", "AzureChinaCloud"})
"""Where the flag outlived the preview."""

_CATALOGUE: Final = (
    Namespace(
        "Microsoft.Authorization",
        {"locks": (), "permissions": (), "roleAssignments": ("2022-04-01",), "policyAssignments": ("2023-04-01",)},
        is_free=True,
    ),
    Namespace("Microsoft.Features", {"features": (), "featureProviders": ("2021-07-01",)}, is_free=True),
    Namespace("Microsoft.Resources", {"resourceGroups": (), "subscriptions": (), "tenants": ()}, is_free=True),
    Namespace("Microsoft.Automation", {"automationAccounts": ("2023-11-01",)}),
    Namespace("Microsoft.AzureArcData", {"sqlServerInstances": ("2024-01-01",), "dataControllers": ("2024-01-01",)}),
    Namespace(
        "Microsoft.Compute",
        {"virtualMachines": (), "virtualMachines/runCommands": (), "disks": ("2023-10-02",)},
        starts=True,
    ),
    Namespace(
        "Microsoft.DesktopVirtualization",
        {
            "applicationgroups": (),
            "hostpools": (),
            "hostpools/privateEndpointConnections": (),
            "hostpools/sessionhosts": (),
            "workspaces": (),
            "workspaces/privateEndpointConnections": (),
        },
        gated=(
            Gate("hostpools/privateEndpointConnections", AVD_FLAG, AVD_CLOUDS),
            Gate("workspaces/privateEndpointConnections", AVD_FLAG, AVD_CLOUDS),
        ),
        later=frozenset({"2025-04-01-preview"}),
    ),
    Namespace("Microsoft.GuestConfiguration", {"guestConfigurationAssignments": ("2024-04-05", "2022-01-25")}),
    Namespace(
        "Microsoft.HybridCompute",
        {
            "machines": (),
            "machines/extensions": ("2022-12-27", "2021-05-20"),
            "privateLinkScopes": (),
            "privateLinkScopes/privateEndpointConnections": (),
            "locations": ("2022-12-27", "2021-05-20"),
            "operations": ("2022-12-27", "2021-05-20"),
        },
        gated=(
            Gate("privateLinkScopes", ARC_FLAG),
            Gate("privateLinkScopes/privateEndpointConnections", ARC_FLAG),
        ),
    ),
    Namespace("Microsoft.HybridConnectivity", {"endpoints": ("2023-03-15",)}),
    Namespace(
        "Microsoft.Insights",
        {"eventtypes": (), "privateLinkScopes": ("2021-07-01-preview",), "activityLogAlerts": ("2020-10-01",)},
        starts=True,
    ),
    Namespace("Microsoft.KeyVault", {"vaults": ("2023-07-01",)}),
    Namespace("Microsoft.Kubernetes", {"connectedClusters": ("2024-01-01",)}),
    Namespace("Microsoft.KubernetesConfiguration", {"extensions": ("2023-05-01",)}),
    Namespace(
        "Microsoft.Network",
        {
            "connections": (),
            "expressRouteCircuits": ("2024-01-01",),
            "networkInterfaces": (),
            "networkSecurityGroups": (),
            "privateDnsZones": (),
            "privateDnsZones/virtualNetworkLinks": (),
            "privateEndpoints": (),
            "privateEndpoints/privateDnsZoneGroups": (),
            "virtualNetworkGateways": (),
            "virtualNetworks": (),
            "virtualNetworks/subnets": (),
        },
        starts=True,
    ),
    Namespace("Microsoft.OperationalInsights", {"workspaces": ("2023-09-01",)}),
    Namespace("Microsoft.Storage", {"storageAccounts": ("2023-05-01",)}, starts=True),
)

NAMESPACES: Final[dict[str, Namespace]] = {n.name.lower(): n for n in _CATALOGUE}
