"""The whole procedure by raw calls, in each shipped scenario: what the book's steps will find."""

from __future__ import annotations

from typing import Any

from runbook.sim.cloud import Reply
from runbook.sim.resolver import SimResolver
from runbook.sim.scenario_files import load_scenario
from tests.sim.openapi import ROOT, problems
from tests.sim.world import World

NET, DNS, ARC, RM, FLAGS = "2024-01-01", "2020-06-01", "2022-12-27", "2021-04-01", "2021-07-01"
ZONES = ("his.arc.azure.com", "guestconfiguration.azure.com", "dp.kubernetesconfiguration.azure.com")


class Walk:
    """A scenario, and the ids its inputs lead to."""

    def __init__(self, name: str) -> None:
        self.world = World(load_scenario(name))
        self.inputs = self.world.scenario.inputs
        self.sub = f"/subscriptions/{self.inputs['subscription']}"
        self.group = f"{self.sub}/resourceGroups/{self.inputs['resource_group']}"
        self.net = f"{self.group}/providers/Microsoft.Network"
        self.scope = f"{self.group}/providers/Microsoft.HybridCompute/privateLinkScopes/{self.inputs['scope_name']}"
        self.endpoint = f"{self.net}/privateEndpoints/{self.inputs['endpoint_name']}"

    def do(self, method: str, path: str, version: str, body: Any = None) -> Reply:
        """One call, held against Azure's description where there is one."""
        reply = self.world.call(method, path, version, body)
        if ROOT.is_dir():
            assert problems(method, path, reply, version) == []
        return reply

    def done(self, method: str, path: str, version: str, body: Any = None) -> Any:
        """A write that must end well: polled to its end, then read."""
        reply = self.do(method, path, version, body)
        assert reply.status < 400, reply
        url = reply.headers.get("Azure-AsyncOperation", "").removeprefix("https://management.azure.com")
        while url and (status := self.world.call("GET", url)).body["status"] == "InProgress":
            self.world.wait(int(status.headers["Retry-After"]))
        if url:
            assert status.body["status"] == "Succeeded", status.body
        return self.do("GET", path, version).body if method == "PUT" else reply.body

    def flag(self, name: str) -> str:
        namespace, _, feature = name.partition("/")
        return f"{self.sub}/providers/Microsoft.Features/providers/{namespace}/features/{feature}"

    def register(self, namespace: str) -> None:
        self.done("POST", f"{self.sub}/providers/{namespace}/register", RM)
        self.world.wait(60)

    def endpoint_body(self) -> dict[str, Any]:
        link = {"name": "pe", "properties": {"privateLinkServiceId": self.scope, "groupIds": ["hybridcompute"]}}
        properties = {"subnet": {"id": self.inputs["subnet"]}, "privateLinkServiceConnections": [link]}
        return {"location": self.inputs["location"], "properties": properties}

    def private_dns(self) -> None:
        configs = []
        for zone in ZONES:
            zone_id = f"{self.net}/privateDnsZones/privatelink.{zone}"
            self.done("PUT", zone_id, DNS, {"location": "global"})
            configs.append({"name": zone.replace(".", "-"), "properties": {"privateDnsZoneId": zone_id}})
        self.done(
            "PUT",
            f"{self.endpoint}/privateDnsZoneGroups/default",
            NET,
            {"properties": {"privateDnsZoneConfigs": configs}},
        )
        for zone in ZONES:
            link = {"virtualNetwork": {"id": self.inputs["vnet"]}, "registrationEnabled": False}
            path = f"{self.net}/privateDnsZones/privatelink.{zone}/virtualNetworkLinks/hub"
            self.done("PUT", path, DNS, {"location": "global", "properties": link})

    async def assert_private(self) -> None:
        """Every name of the scope leads to one of the endpoint's addresses, seen from both sides."""
        resolver = SimResolver(self.world.cloud)
        details = self.world.get(
            self.sub + f"/providers/Microsoft.HybridCompute/locations/x/privateLinkScopes/{self.guid}", ARC
        )
        addresses = {d["privateIpAddress"] for d in details["connectionDetails"]}
        assert len(addresses) == 7
        for name in ("gbl.his.arc.azure.com", "we-gas.guestconfiguration.azure.com"):
            for vantage in (self.inputs["vnet"], "on-premises"):
                answer = await resolver.resolve(name, vantage)
                assert answer is not None
                assert set(answer.addresses) <= addresses, (name, vantage, answer)
                assert answer.addresses

    @property
    def guid(self) -> str:
        return str(self.world.get(self.scope, ARC)["properties"]["privateLinkScopeId"])


OPEN = {"location": "westeurope", "properties": {"publicNetworkAccess": "Enabled"}}


async def test_general_availability_from_nothing_to_proof() -> None:
    walk = Walk("arc-ga")
    walk.done("PUT", walk.group, RM, {"location": "westeurope"})
    walk.done("PUT", walk.scope, ARC, OPEN)
    walk.done("PUT", walk.endpoint, NET, walk.endpoint_body())
    machines = walk.world.get(walk.sub + "/providers/Microsoft.HybridCompute/machines", ARC)["value"]
    assert len(machines) == 3
    for machine in machines:
        walk.done("PATCH", machine["id"], ARC, {"properties": {"privateLinkScopeResourceId": walk.scope}})
    walk.world.wait(900)
    for machine in machines:
        current = walk.do("GET", machine["id"] + "/privateLinkScopes/current", ARC).body
        assert len(current["connectionDetails"]) == 7
    walk.private_dns()
    await walk.assert_private()


async def test_the_preview_wants_flags_an_approval_and_another_registration() -> None:
    walk = Walk("arc-preview")
    walk.done("PUT", walk.group, RM, {"location": "westeurope"})
    for name in ("Microsoft.Network/AllowPrivateEndpoints", "Microsoft.HybridCompute/ArcServerPrivateLinkPreview"):
        walk.done("POST", walk.flag(name) + "/register", FLAGS)
    assert walk.do("PUT", walk.scope, ARC, OPEN).status == 400
    walk.world.wait(2 * 86_400)
    walk.register("Microsoft.HybridCompute")
    walk.done("PUT", walk.scope, ARC, OPEN)
    walk.done("PUT", walk.endpoint, NET, walk.endpoint_body())
    walk.private_dns()
    await walk.assert_private()


async def test_in_the_brownfield_the_endpoint_stands_and_answers_what_was_typed_by_hand() -> None:
    walk = Walk("arc-brownfield")
    endpoint = walk.do("GET", walk.endpoint, NET).body["properties"]
    assert endpoint["provisioningState"] == "Succeeded"
    addresses = {c["fqdn"]: c["ipAddresses"] for c in endpoint["customDnsConfigs"]}
    zone = f"{walk.net}/privateDnsZones/privatelink.his.arc.azure.com"
    for record in walk.world.get(zone + "/A", DNS)["value"]:
        typed = [a["ipv4Address"] for a in record["properties"]["aRecords"]]
        assert addresses[f"{record['name']}.his.arc.azure.com"] == typed
    machine = f"{walk.sub}/resourceGroups/rg-servers/providers/Microsoft.HybridCompute/machines/srv-app-01"
    assert walk.do("GET", machine + "/privateLinkScopes/current", ARC).status == 200
    again = {
        "location": "global",
        "properties": {"virtualNetwork": {"id": walk.inputs["vnet"]}, "registrationEnabled": False},
    }
    link = walk.do("GET", zone + "/virtualNetworkLinks/link-by-hand", DNS).body
    assert link["properties"]["virtualNetwork"]["id"] == again["properties"]["virtualNetwork"]["id"]  # type: ignore[index]


async def test_in_trouble_everything_goes_wrong_once_and_comes_right_later() -> None:
    walk = Walk("arc-trouble")
    world = walk.world
    rule = {
        "protocol": "Tcp",
        "sourcePortRange": "*",
        "destinationPortRange": "443",
        "access": "Allow",
        "priority": 150,
    }
    rule |= {"sourceAddressPrefix": "VirtualNetwork", "destinationAddressPrefix": "AzureActiveDirectory"}
    body = {"properties": {**rule, "direction": "Outbound"}}
    rule_id = walk.inputs["nsg"] + "/securityRules/AllowAADOutboundAccess"
    assert world.refused("PUT", rule_id, NET, body)[0] == 400
    assert world.get(walk.inputs["subnet"], NET)["properties"]["addressPrefix"] == "10.20.1.0/29"
    arc = walk.flag("Microsoft.HybridCompute/ArcServerPrivateLinkPreview")
    walk.done("POST", walk.flag("Microsoft.Network/AllowPrivateEndpoints") + "/register", FLAGS)
    walk.done("POST", arc + "/register", FLAGS)
    world.wait(86_400)
    assert world.get(arc, FLAGS)["properties"]["state"] == "NotRegistered"
    walk.done("POST", arc + "/register", FLAGS)
    world.wait(86_400)
    assert world.get(arc, FLAGS)["properties"]["state"] == "Registered"
    walk.done("PUT", rule_id, NET, body)  # the network team freed the priority
    walk.register("Microsoft.HybridCompute")
    walk.done("PUT", walk.group, RM, {"location": "westeurope"})
    walk.done("PUT", walk.scope, ARC, OPEN)
    lost = walk.world.call("PUT", walk.endpoint, NET, walk.endpoint_body())
    assert (lost.broken, lost.status) == ("lose_answer", 201)
    world.wait(120)
    assert world.get(walk.endpoint, NET)["properties"]["provisioningState"] == "Succeeded"
    zone = f"{walk.net}/privateDnsZones/privatelink.his.arc.azure.com"
    walk.done("PUT", zone, DNS, {"location": "global"})
    link = {
        "location": "global",
        "properties": {"virtualNetwork": {"id": walk.inputs["vnet"]}, "registrationEnabled": False},
    }
    status, code, message = world.refused("PUT", zone + "/virtualNetworkLinks/hub", DNS, link)
    assert (status, code) == (400, "BadRequest")
    assert "overlapping namespaces" in message
    world.wait(4 * 3600)
    walk.private_dns()
    await walk.assert_private()
