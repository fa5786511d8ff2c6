"""Names and values of Azure Virtual Desktop private link, and what each value means in words.

Sources: "Set up Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17 (group ids, members, zones,
public access); "Azure Private Endpoint private DNS zone values", 2023-10-11 (zones by cloud); Azure/azure-policy,
DVHostpool_PrivateNetworkPublicClient_Modify.json (which value keeps session hosts private); DesktopVirtualization
2024-04-03 (the values of ``publicNetworkAccess``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from runbook.core.arm import Json
from steps._shared.look import properties

NAMESPACE: Final = "Microsoft.DesktopVirtualization"
HOST_POOLS: Final = f"{NAMESPACE}/hostPools"
WORKSPACES: Final = f"{NAMESPACE}/workspaces"

Kind = Literal["host_pool", "workspace"]


@dataclass(frozen=True, slots=True)
class Zones:
    """Private zones of one cloud, and the public suffix that they shadow: what a forwarder forwards."""

    suffix: str

    @property
    def feed(self) -> str:
        """Of feed and connection endpoints."""
        return f"privatelink.{self.suffix}"

    @property
    def discovery(self) -> str:
        """Of the global endpoint. It shared the other one once; that is unsupported since 2023-09-01."""
        return f"privatelink-global.{self.suffix}"

    @property
    def discovery_name(self) -> str:
        """What a client asks for first."""
        return f"rdweb.{self.suffix}"


CLOUDS: Final = {
    "AzureCloud": Zones("wvd.microsoft.com"),
    "AzureUSGovernment": Zones("wvd.azure.us"),
    "AzureChinaCloud": Zones("wvd.azure.cn"),
}
FLAG_CLOUDS: Final = ("AzureUSGovernment", "AzureChinaCloud")
"""Clouds where the text of 2023-07 asks for a feature flag in today's edition; a later one limits it to 21Vianet."""

MEMBERS: Final = {
    "connection": ("broker", "diagnostics", "gateway-ring-map", "web"),
    "feed": ("web-r0", "web-r1"),
    "global": ("web",),
}
"""Members, hence addresses, of one endpoint by group; from the fixed-address samples of the setup article."""

TAGS: Final = {
    "preview": ("AzureCloud", "AzureActiveDirectory"),
    "ga": ("AzureCloud", "AzureMonitor", "AzureFrontDoor.Frontend", "AzureActiveDirectory"),
}
"""Service tags that session hosts go on needing, besides ``WindowsVirtualDesktop`` itself.

Source: "Required URLs for Azure Virtual Desktop", Microsoft Learn; that this is the whole list is (unconfirmed).
"""

ENABLED: Final = "Enabled"


def access_of(doc: Json | None) -> str:
    """``publicNetworkAccess`` of a host pool or workspace. One that never had it set reads null: it is open."""
    return str(properties(doc).get("publicNetworkAccess") or ENABLED)


PUBLIC_LEGS: Final = {
    "Enabled": {"clients", "session hosts"},
    "EnabledForClientsOnly": {"clients"},
    "EnabledForSessionHostsOnly": {"session hosts"},
    "Disabled": set[str](),
}
"""Which legs may come over public networks, by value; of a workspace there are clients alone."""

WORDS: Final[dict[Kind, dict[str, str]]] = {
    "host_pool": {
        "Enabled": "clients may connect from anywhere, session hosts may reach the service from anywhere",
        "Disabled": "clients must come over the private endpoint, session hosts must use it, too; everything public is "
        "refused",
        "EnabledForClientsOnly": "clients may connect from anywhere, session hosts must use the private endpoint",
        "EnabledForSessionHostsOnly": "clients must come over the private endpoint, session hosts may reach the "
        "service from anywhere",
    },
    "workspace": {
        "Enabled": "clients may download the feed from anywhere",
        "Disabled": "clients must download the feed over the private endpoint; public requests are refused",
    },
}
"""What every value means for each leg. Existing sessions are not cut by a change.

The two values that treat the legs differently are swapped in two published PowerShell samples (2023-07); the built-in
policy for private session hosts with public clients sets ``EnabledForClientsOnly``.
"""


def words(kind: Kind, access: str) -> str:
    """What a value of ``publicNetworkAccess`` means, in words."""
    return WORDS[kind].get(access, "a value that this runbook does not know")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a target scenario makes of an estate: which endpoints there are, and how open everything stays."""

    title: str
    host_pool_access: str
    workspace_access: str
    has_connections: bool = True
    has_feeds: bool = False
    has_global: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        """Group ids that get endpoints."""
        wanted = {"connection": self.has_connections, "feed": self.has_feeds, "global": self.has_global}
        return tuple(g for g, is_wanted in wanted.items() if is_wanted)


GOALS: Final = {
    "all_private": Goal(
        "discovery, feed and connections are private", "Disabled", "Disabled", has_feeds=True, has_global=True
    ),
    "feed_and_connections": Goal(
        "feed and connections are private, discovery stays public", "Disabled", "Disabled", has_feeds=True
    ),
    "connections_only": Goal(
        "connections are private for clients and session hosts, discovery and feed stay public", "Disabled", ENABLED
    ),
    "session_hosts_only": Goal("session hosts are private, clients may stay public", "EnabledForClientsOnly", ENABLED),
    "none": Goal("everything stays public", ENABLED, ENABLED, has_connections=False),
}
"""Supported scenarios, by the input ``target``.

Source: "Azure Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17, supported scenarios.
"""
