"""A world with a host pool, its session host, an application group and two workspaces; ways to make it private."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.sim.net import HERE, SUBNET, NetWorld, endpoint_body, group_body
from tests.sim.world import OTHER, RG, SUB

V = "2024-04-03"
PREVIEW = "2022-10-14-preview"
OLD = "2021-07-12"
NEWEST = "2025-04-01-preview"
COMPUTE = "2024-03-01"
AVD = f"{RG}/providers/Microsoft.DesktopVirtualization"
POOL = f"{AVD}/hostPools/hp"
WORKSPACE = f"{AVD}/workspaces/ws"
PLACEHOLDER = f"{AVD}/workspaces/placeholder"
APP_GROUP = f"{AVD}/applicationGroups/dag"
HOST = f"{POOL}/sessionHosts/vm1.contoso.com"
VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm1"
NIC = f"{HERE}/networkInterfaces/vm1-nic"
ZONE = "privatelink.wvd.microsoft.com"
GLOBAL_ZONE = "privatelink-global.wvd.microsoft.com"
DISCOVERY = "rdweb.wvd.microsoft.com"
PLACE = {"location": "westeurope"}


def pool_body(**properties: Any) -> dict[str, Any]:
    needed = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
    return {**PLACE, "properties": {**needed, **properties}}


def group_body_of(pool: str = POOL, **properties: Any) -> dict[str, Any]:
    return {**PLACE, "properties": {"hostPoolArmPath": pool, "applicationGroupType": "Desktop", **properties}}


class AvdWorld(NetWorld):
    """A world with ``hp``, its host on ``vm1``, ``dag`` in ``ws``, and an unused workspace; every answer is checked."""

    def __init__(
        self,
        sessions: int = 2,
        era: str = "ga",
        cloud: str = "AzureCloud",
        more: Sequence[dict[str, Any]] = (),
        **changes: Any,
    ) -> None:
        config = {"name": "ipconfig", "properties": {"subnet": {"id": SUBNET}, "primary": True}}
        machine = {"networkProfile": {"networkInterfaces": [{"id": NIC}]}}
        resources = (
            {"id": POOL, **pool_body()},
            {"id": APP_GROUP, **group_body_of()},
            {"id": WORKSPACE, **PLACE, "properties": {"applicationGroupReferences": [APP_GROUP]}},
            {"id": PLACEHOLDER, **PLACE},
            {"id": NIC, **PLACE, "properties": {"ipConfigurations": [config]}},
            {"id": VM, **PLACE, "properties": machine},
            {"id": HOST, "properties": {"resourceId": VM, "sessions": sessions}},
            *more,
        )
        registered = {"Microsoft.HybridCompute": "Registered", "Microsoft.DesktopVirtualization": "Registered"}
        subscriptions = [
            {"id": SUB, "name": "Main", "providers": registered, "features": _NETWORK},
            {"id": OTHER, "name": "Other", "providers": registered},
        ]
        words = {"era": era, "cloud": cloud, "subscriptions": subscriptions, **changes}
        super().__init__(resources=resources, **words)
        self.version = V

    def endpoint(self, name: str, target: str, group: str, **more: Any) -> str:
        """Make an endpoint and wait for it; its id."""
        path = f"{HERE}/privateEndpoints/{name}"
        made = self.settled("PUT", path, "2024-01-01", endpoint_body(target, group, **more))
        assert made is not None
        return path

    def private(self, name: str, target: str, group: str, zone: str = ZONE, *, linked: bool = True) -> str:
        """Make an endpoint with its zone, link and records; its id."""
        endpoint = self.endpoint(name, target, group)
        found = f"{HERE}/privateDnsZones/{zone}"
        if self.cloud.find(found) is None:
            self.zone(zone)
            if linked:
                self.link(found)
        self.settled("PUT", f"{endpoint}/privateDnsZoneGroups/default", "2024-01-01", group_body(found))
        return endpoint

    def access(self, target: str, value: str) -> None:
        self.ok("PATCH", target, V, {"properties": {"publicNetworkAccess": value}})

    def host(self) -> dict[str, Any]:
        """The session host's properties."""
        found: dict[str, Any] = self.get(HOST, V)["properties"]
        return found

    def power(self, action: str) -> None:
        """Do something to the machine's power, and let it end."""
        self.ok("POST", f"{VM}/{action}", COMPUTE)
        self.wait(300)
        self.cloud.catch_up()

    def restart(self, settle_s: float = 31) -> None:
        """Start the agent loader anew, and wait for its first report."""
        self.wait(1)
        self.cloud.catch_up()
        self.cloud.emit("loader_restarted", {"vm": VM})
        self.state.commit(self.cloud.now_ms)
        self.wait(settle_s)


_NETWORK = {"Microsoft.Network/AllowPrivateEndpoints": "Registered"}
