"""A world with a network, a scope to connect to, and bodies for the calls of Microsoft.Network."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from runbook.sim.cloud import Call
from tests.sim.openapi import ROOT, problems
from tests.sim.world import RG, World, scenario

NET = "2024-01-01"
DNS = "2020-06-01"
HYBRID = "2022-12-27"
HERE = f"{RG}/providers/Microsoft.Network"
VNET = f"{HERE}/virtualNetworks/v1"
SUBNET = f"{VNET}/subnets/pe"
SCOPE = f"{RG}/providers/Microsoft.HybridCompute/privateLinkScopes/pls"
ENDPOINT = f"{HERE}/privateEndpoints/pe1"
GROUP = f"{ENDPOINT}/privateDnsZoneGroups/default"
ZONES = (
    "privatelink.his.arc.azure.com",
    "privatelink.guestconfiguration.azure.com",
    "privatelink.dp.kubernetesconfiguration.azure.com",
)


def vnet_body(prefix: str = "10.0.1.0/27", space: str = "10.0.0.0/16", **properties: Any) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": [space]},
            "subnets": [{"name": "pe", "properties": {"addressPrefix": prefix}}],
            **properties,
        },
    }


def endpoint_body(
    target: str = SCOPE, group: str = "hybridcompute", subnet: str = SUBNET, manual: bool = False, **properties: Any
) -> dict[str, Any]:
    field = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    connection = {"name": "c1", "properties": {"privateLinkServiceId": target, "groupIds": [group]}}
    return {
        "location": "westeurope",
        "properties": {"subnet": {"id": subnet}, field: [connection], **properties},
    }


def zone_id(name: str, group: str = RG) -> str:
    return f"{group}/providers/Microsoft.Network/privateDnsZones/{name}"


def group_body(*zones: str) -> dict[str, Any]:
    configs = [{"name": z.rpartition("/")[2].replace(".", "-"), "properties": {"privateDnsZoneId": z}} for z in zones]
    return {"properties": {"privateDnsZoneConfigs": configs}}


def link_body(vnet: str = VNET) -> dict[str, Any]:
    return {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}


class NetWorld(World):
    """A world with ``v1`` (10.0.1.0/27 as ``pe``) and the scope ``pls``; every answer is held against the OpenAPI."""

    def __init__(
        self,
        prefix: str = "10.0.1.0/27",
        resources: tuple[Any, ...] = (),
        path: Path | None = None,
        **changes: Any,
    ) -> None:
        base: tuple[Any, ...] = (
            {"id": RG, "location": "westeurope"},
            {"id": VNET, **vnet_body(prefix)},
            {"id": SCOPE, "location": "westeurope", "properties": {"publicNetworkAccess": "Enabled"}},
        )
        super().__init__(scenario(resources=[*base, *resources], **changes), path, version=NET)

    def call(
        self, method: str, path: str, version: str = "", body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        reply = super().call(method, path, version, body, headers)
        if ROOT.is_dir() and reply.status < 400:
            assert problems(method, path.partition("?")[0], reply, version or self.version) == []
        return reply

    def settled(self, method: str, path: str, version: str = "", body: Any = None, wait: float = 60) -> Any:
        """Make a write, let its operation end well, and read the resource (None when it is gone)."""
        reply = self.call(method, path, version, body)
        assert reply.status < 400, reply
        self.wait(wait)
        if "Azure-AsyncOperation" in reply.headers:
            status = self.cloud.handle(_followed(reply.headers["Azure-AsyncOperation"]))
            assert status.body["status"] == "Succeeded", status
        found = self.call("GET", path, version)
        return found.body if found.status == 200 else None

    def failed(self, method: str, path: str, version: str = "", body: Any = None, wait: float = 60) -> tuple[str, str]:
        """Make a write whose operation ends badly; its error's code and message."""
        reply = self.call(method, path, version, body)
        assert reply.status < 400, reply
        self.wait(wait)
        status = self.cloud.handle(_followed(reply.headers["Azure-AsyncOperation"]))
        assert status.body["status"] == "Failed", status
        return status.body["error"]["code"], status.body["error"]["message"]

    def zone(self, name: str) -> str:
        """Make a zone; its id."""
        self.settled("PUT", zone_id(name), DNS, {"location": "global"})
        return zone_id(name)

    def link(self, zone: str, name: str = "l1", vnet: str = VNET) -> None:
        self.settled("PUT", f"{zone}/virtualNetworkLinks/{name}", DNS, link_body(vnet))

    def records(self, zone: str) -> dict[str, list[str]]:
        """The A records of a zone."""
        found = self.get(f"{zone}/A", DNS)["value"]
        return {r["name"]: [a["ipv4Address"] for a in r["properties"]["aRecords"]] for r in found}


def _followed(url: str) -> Call:
    parts = urlsplit(url)
    return Call("GET", parts.path, dict(parse_qsl(parts.query)), {}, None)
