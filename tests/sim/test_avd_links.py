from __future__ import annotations

from typing import Any

import pytest

from runbook.sim.providers.namespaces import AVD_FLAG
from runbook.sim.resolver import SimResolver
from runbook.step import DnsAnswer
from tests.sim.avd import (
    APP_GROUP,
    DISCOVERY,
    GLOBAL_ZONE,
    PLACEHOLDER,
    POOL,
    PREVIEW,
    WORKSPACE,
    ZONE,
    AvdWorld,
    V,
)
from tests.sim.net import HERE, VNET, endpoint_body
from tests.sim.world import SUB

ENDPOINT = f"{HERE}/privateEndpoints/pe1"
REGISTER = f"/subscriptions/{SUB}/providers/Microsoft.DesktopVirtualization/register"
FEATURES = f"/subscriptions/{SUB}/providers/Microsoft.Features/providers/Microsoft.DesktopVirtualization/features"
TYPES = f"/subscriptions/{SUB}/providers/Microsoft.Network/locations/westeurope/availablePrivateEndpointTypes"


async def ask(world: AvdWorld, name: str, place: str = VNET) -> DnsAnswer:
    answer = await SimResolver(world.cloud).resolve(name, place)
    assert answer is not None
    return answer


def is_public(answer: DnsAnswer) -> bool:
    return answer.status == "NOERROR" and answer.addresses[0].startswith(("203.0.113.", "198.51.100."))


def fqdns(world: AvdWorld, endpoint: str) -> dict[str, list[str]]:
    configs = world.get(endpoint, "2024-01-01")["properties"]["customDnsConfigs"]
    return {c["fqdn"]: c["ipAddresses"] for c in configs}


# ---------------------------------------------------------------- members and connections


@pytest.mark.parametrize(
    ("target", "groups"),
    [
        (POOL, {"connection": ["broker", "diagnostics", "gateway-ring-map", "web"]}),
        (WORKSPACE, {"feed": ["web-r0", "web-r1"], "global": ["web"]}),
    ],
)
def test_link_resources_name_the_live_group_ids_members_and_zones(target: str, groups: dict[str, list[str]]) -> None:
    found = AvdWorld().get(target + "/privateLinkResources", V)["value"]
    assert {r["properties"]["groupId"]: r["properties"]["requiredMembers"] for r in found} == groups
    zones = [r["properties"]["requiredZoneNames"] for r in found]
    assert zones == [[GLOBAL_ZONE if group == "global" else ZONE] for group in groups]


@pytest.mark.parametrize(("target", "group", "count"), [(POOL, "connection", 4), (WORKSPACE, "feed", 2)])
def test_an_endpoint_gets_an_address_for_each_member_and_is_approved(target: str, group: str, count: int) -> None:
    world = AvdWorld()
    names = fqdns(world, world.endpoint("pe1", target, group))
    object_id = world.get(target, V)["properties"]["objectId"]
    assert len({a for addresses in names.values() for a in addresses}) == count
    assert all(name.startswith(object_id) for name in names)
    link = world.get(target, V)["properties"]["privateEndpointConnections"][0]
    assert link["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    assert link["properties"]["privateEndpoint"]["id"] == ENDPOINT
    assert link["type"] == f"Microsoft.DesktopVirtualization/{target.split('/')[-2].lower()}/privateEndpointConnections"
    one = world.get(target + "/privateEndpointConnections/" + link["name"], V)
    assert one["properties"]["groupIds"] == [group]
    assert "groupIds" not in world.get(link["id"], PREVIEW)["properties"]


def test_the_global_endpoint_has_the_one_discovery_name() -> None:
    world = AvdWorld()
    assert list(fqdns(world, world.endpoint("pe1", PLACEHOLDER, "global"))) == [DISCOVERY]


@pytest.mark.parametrize(("target", "group"), [(POOL, "hostpool"), (POOL, "feed"), (WORKSPACE, "connection")])
def test_a_wrong_group_id_shows_when_the_operation_ends(target: str, group: str) -> None:
    world = AvdWorld()
    code, message = world.failed("PUT", ENDPOINT, "2024-01-01", endpoint_body(target, group))
    assert code == "InvalidGroupId"
    assert group in message


def test_an_endpoint_leads_to_one_target_and_one_group() -> None:
    world = AvdWorld()
    body = endpoint_body(WORKSPACE, "feed")
    body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"].append("global")
    assert world.refused("PUT", ENDPOINT, "2024-01-01", body)[1] == "OnlyOneGroupIdPermitted"


def test_static_addresses_must_cover_every_member() -> None:
    world = AvdWorld()
    config = {"groupId": "feed", "memberName": "web-r0", "privateIPAddress": "10.0.1.9"}
    body = endpoint_body(WORKSPACE, "feed", ipConfigurations=[{"name": "a", "properties": config}])
    assert "web-r1" in world.refused("PUT", ENDPOINT, "2024-01-01", body)[2]


def test_the_owner_approves_rejects_and_removes_and_the_endpoint_follows() -> None:
    world = AvdWorld()
    world.endpoint("pe1", POOL, "connection", manual=True)
    link = world.get(POOL, V)["properties"]["privateEndpointConnections"][0]["id"]

    def seen() -> str:
        connection = world.get(ENDPOINT, "2024-01-01")["properties"]["manualPrivateLinkServiceConnections"][0]
        return str(connection["properties"]["privateLinkServiceConnectionState"]["status"])

    assert seen() == "Pending"
    for status in ("Approved", "Rejected"):
        body = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": "so be it"}}}
        answer = world.call("PUT", link, V, body)
        assert (answer.status, seen()) == (200, status)
        assert answer.body["properties"]["privateLinkServiceConnectionState"]["status"] == status
    assert world.refused("PUT", link, V, {"properties": {}})[0] == 400
    assert [world.call("DELETE", link, V).status for _ in range(2)] == [200, 204]
    assert seen() == "Disconnected"


def test_a_party_answers_a_pending_connection() -> None:
    party = {"id": "desktop", "who": "Desktop team", "on": "connection_pending", "after": 600, "do": "approve"}
    world = AvdWorld(parties=[party])
    world.endpoint("pe1", POOL, "connection", manual=True)
    world.wait(600)
    state = world.get(POOL + "/privateEndpointConnections", V)["value"][0]["properties"]
    assert state["privateLinkServiceConnectionState"]["description"] == "Approved by Desktop team"


def test_only_who_may_approve_connects_without_asking() -> None:
    right = "Microsoft.DesktopVirtualization/hostpools/privateEndpointConnectionsApproval/action"
    grants = [{"scope": "*", "actions": ["*"], "notActions": [right]}]
    world = AvdWorld(operator={"name": "d", "object_id": "o", "permissions": grants})
    body = endpoint_body(POOL, "connection")
    assert world.refused("PUT", ENDPOINT, "2024-01-01", body)[1] == "LinkedAuthorizationFailed"
    world.endpoint("pe1", POOL, "connection", manual=True)


def test_deleting_an_endpoint_forgets_its_connection_and_its_names() -> None:
    world = AvdWorld()
    endpoint = world.endpoint("pe1", POOL, "connection")
    assert world.settled("DELETE", endpoint, "2024-01-01") is None
    assert world.get(POOL, V)["properties"]["privateEndpointConnections"] == []
    assert not any(world.state.keys(table) for table in ("avd_names", "avd_approvals"))


def test_deleting_a_target_tells_its_endpoint() -> None:
    world = AvdWorld()
    endpoint = world.endpoint("pe1", WORKSPACE, "feed")
    world.ok("DELETE", WORKSPACE, V)
    connection = world.get(endpoint, "2024-01-01")["properties"]["privateLinkServiceConnections"][0]
    assert connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Disconnected"


# ---------------------------------------------------------------- the feature flag


def try_endpoint(world: AvdWorld) -> tuple[int, str, str]:
    return world.refused("PUT", ENDPOINT, "2024-01-01", endpoint_body(POOL, "connection"))


def types(world: AvdWorld) -> set[str]:
    return {t["resourceName"] for t in world.get(TYPES, "2024-01-01")["value"] if "Desktop" in t["resourceName"]}


def features(world: AvdWorld) -> list[str]:
    return [f["name"] for f in world.get(FEATURES, "2021-07-01")["value"]]


@pytest.mark.parametrize(
    ("era", "cloud", "display"),
    [
        ("preview", "AzureCloud", "Azure Virtual Desktop Private Link Public Preview"),
        ("ga", "AzureUSGovernment", "Azure Virtual Desktop Private Link"),
        ("ga", "AzureChinaCloud", "Azure Virtual Desktop Private Link"),
    ],
)
def test_the_flag_and_then_the_provider_must_be_registered(era: str, cloud: str, display: str) -> None:
    regions = {"westeurope": {"display": "West Europe", "short": "we", "geo": "eu"}}
    vnet = {"privateEndpointNetworkPolicies": "Disabled"}
    world = AvdWorld(era=era, cloud=cloud, regions=regions)
    world.settled("PUT", f"{VNET}/subnets/pe", "2024-01-01", {"properties": {"addressPrefix": "10.0.1.0/27", **vnet}})
    assert features(world) == [AVD_FLAG]
    assert types(world) == set()
    assert try_endpoint(world)[1] == "SubscriptionNotRegisteredForFeature"
    world.ok("POST", f"{FEATURES}/{AVD_FLAG.partition('/')[2]}/register", "2021-07-01")
    world.wait(30)
    objects = f"/subscriptions/{SUB}/providers/Microsoft.Features/featureProviders/Microsoft.DesktopVirtualization"
    held = world.get(objects + "/subscriptionFeatureRegistrations", "2021-07-01")["value"]
    assert [(h["properties"]["state"], h["properties"]["displayName"]) for h in held] == [("Registered", display)]
    code, message = try_endpoint(world)[1:]
    assert code == "NoRegisteredProviderFound"
    assert "register the provider again" in message
    world.ok("POST", REGISTER, "2021-04-01")
    world.wait(60)
    assert types(world) == {f"Microsoft.DesktopVirtualization/{t}" for t in ("hostpools", "workspaces")}
    world.endpoint("pe1", POOL, "connection")


def test_the_public_cloud_has_no_flag_any_more() -> None:
    world = AvdWorld()
    assert features(world) == []
    assert len(types(world)) == 2


def test_in_the_preview_manual_approval_is_a_known_issue() -> None:
    flags = {AVD_FLAG: "Registered", "Microsoft.Network/AllowPrivateEndpoints": "Registered"}
    registered = {"Microsoft.HybridCompute": "Registered", "Microsoft.DesktopVirtualization": "Registered"}
    world = AvdWorld(
        era="preview",
        subscriptions=[{"id": SUB, "name": "Main", "providers": registered, "features": flags}],
    )
    subnet = {"addressPrefix": "10.0.1.0/27", "privateEndpointNetworkPolicies": "Disabled"}
    world.settled("PUT", f"{VNET}/subnets/pe", "2024-01-01", {"properties": subnet})
    refused = world.refused("PUT", ENDPOINT, "2024-01-01", endpoint_body(POOL, "connection", manual=True))
    assert refused[1] == "ManualConnectionApprovalNotSupported"
    assert world.cloud.find(ENDPOINT) is None
    world.endpoint("pe1", POOL, "connection")


def test_the_preview_lists_no_version_from_after_it() -> None:
    for era, has_newest in (("preview", False), ("ga", True)):
        world = AvdWorld(era=era)
        found = world.get(REGISTER.rpartition("/")[0], "2021-04-01")["resourceTypes"]
        listed = {t["resourceType"]: t["apiVersions"] for t in found}
        assert ("2025-04-01-preview" in listed["hostpools"]) is has_newest
        assert PREVIEW in listed["hostpools"]
        assert ("hostpools/privateEndpointConnections" in listed) is has_newest


# ---------------------------------------------------------------- names


async def test_names_of_a_pool_without_an_endpoint_are_plain_public_ones() -> None:
    world = AvdWorld()
    world.link(world.zone(ZONE))
    object_id = world.get(POOL, V)["properties"]["objectId"]
    for name in (f"{object_id}.afdfp-rdgateway.wvd.microsoft.com", f"{object_id}.wvd.microsoft.com"):
        answer = await ask(world, name)
        assert is_public(answer)
        assert answer.chain == ()


async def test_names_of_a_private_pool_are_aliases_private_where_the_zone_is_linked() -> None:
    world = AvdWorld()
    endpoint = world.endpoint("pe1", POOL, "connection")
    names = fqdns(world, endpoint)
    other = f"{HERE}/virtualNetworks/other"
    space = {"addressSpace": {"addressPrefixes": ["10.7.0.0/16"]}}
    world.settled("PUT", other, "2024-01-01", {"location": "westeurope", "properties": space})
    zone = world.zone(ZONE)
    world.link(zone)
    for name in names:
        assert (await ask(world, name)).status == "NXDOMAIN"
    group = {"properties": {"privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": zone}}]}}
    world.settled("PUT", f"{endpoint}/privateDnsZoneGroups/default", "2024-01-01", group)
    for name, addresses in names.items():
        inside = await ask(world, name)
        assert list(inside.addresses) == addresses
        assert inside.chain == (name.replace(".wvd.", ".privatelink.wvd."),)
        for place in (other, "internet", "on-premises"):
            outside = await ask(world, name, place)
            assert is_public(outside)
            assert outside.chain == inside.chain


async def test_names_are_aliases_only_once_the_connection_is_approved() -> None:
    world = AvdWorld()
    world.endpoint("pe1", POOL, "connection", manual=True)
    name = f"{world.get(POOL, V)['properties']['objectId']}.rdbroker.wvd.microsoft.com"
    assert (await ask(world, name)).chain == ()
    link = world.get(POOL, V)["properties"]["privateEndpointConnections"][0]["id"]
    body: dict[str, Any] = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    world.ok("PUT", link, V, body)
    assert (await ask(world, name)).chain != ()


async def test_discovery_is_always_an_alias_into_a_zone_of_its_own() -> None:
    world = AvdWorld()
    assert is_public(await ask(world, DISCOVERY))
    world.link(world.zone(ZONE))
    assert is_public(await ask(world, DISCOVERY))
    world.private("pe1", PLACEHOLDER, "global", GLOBAL_ZONE)
    inside = await ask(world, DISCOVERY)
    assert inside.chain == (f"rdweb.{GLOBAL_ZONE}",)
    assert inside.addresses[0].startswith("10.0.1.")
    assert is_public(await ask(world, DISCOVERY, "internet"))


async def test_a_forwarder_of_the_whole_suffix_sees_what_its_network_sees() -> None:
    forwarder = {"forwarder": {"vnet": VNET, "suffixes": ["wvd.microsoft.com"]}}
    world = AvdWorld(dns={"onprem": forwarder})
    world.private("pe1", PLACEHOLDER, "global", GLOBAL_ZONE)
    answer = await ask(world, DISCOVERY, "on-premises")
    assert answer.addresses[0].startswith("10.0.1.")
    assert "forwarded to v1" in answer.server


@pytest.mark.parametrize("era", ["preview", "ga"])
async def test_feed_after_global_on_one_workspace_resolves_publicly_until_made_again_without(era: str) -> None:
    flags = {AVD_FLAG: "Registered", "Microsoft.Network/AllowPrivateEndpoints": "Registered"}
    registered = {"Microsoft.HybridCompute": "Registered", "Microsoft.DesktopVirtualization": "Registered"}
    main = {"id": SUB, "name": "Main", "providers": registered, "features": flags}
    world = AvdWorld(era=era, subscriptions=[main])
    subnet = {"addressPrefix": "10.0.1.0/27", "privateEndpointNetworkPolicies": "Disabled"}
    world.settled("PUT", f"{VNET}/subnets/pe", "2024-01-01", {"properties": subnet})
    first = world.private("pe-global", WORKSPACE, "global", GLOBAL_ZONE)
    feed = world.private("pe-feed", WORKSPACE, "feed")
    name = f"{world.get(WORKSPACE, V)['properties']['objectId']}.wvd.microsoft.com"
    assert is_public(await ask(world, name))
    world.settled("DELETE", first, "2024-01-01")
    assert is_public(await ask(world, name))
    world.settled("DELETE", feed, "2024-01-01")
    world.private("pe-feed", WORKSPACE, "feed")
    assert (await ask(world, name)).addresses[0].startswith("10.0.1.")
    world.private("pe-global", WORKSPACE, "global", GLOBAL_ZONE)
    assert (await ask(world, name)).addresses[0].startswith("10.0.1.")


async def test_feed_after_global_on_another_workspace_is_no_trouble() -> None:
    world = AvdWorld()
    world.private("pe-global", PLACEHOLDER, "global", GLOBAL_ZONE)
    world.private("pe-feed", WORKSPACE, "feed")
    name = f"{world.get(WORKSPACE, V)['properties']['objectId']}.wvd.microsoft.com"
    assert (await ask(world, name)).addresses[0].startswith("10.0.1.")
    assert world.cloud.find(APP_GROUP) is not None
