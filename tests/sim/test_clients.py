from __future__ import annotations

from typing import Any

import pytest

from runbook.core.clock import from_iso
from runbook.core.error import UsageError
from runbook.sim.clients import Outcome, connection, discovery, feed, network_of, session
from tests.sim.avd import (
    DISCOVERY,
    GLOBAL_ZONE,
    HOST,
    PLACEHOLDER,
    POOL,
    VM,
    WORKSPACE,
    ZONE,
    AvdWorld,
    V,
)
from tests.sim.net import HERE, VNET
from tests.sim.world import RG

INTERNET, ON_PREMISES = "internet", "on-premises"
PRIVATE, PUBLIC = VNET, INTERNET


def private_pool() -> AvdWorld:
    """A world whose pool is private from ``v1``, where the host lies, and whose host has restarted since."""
    world = AvdWorld()
    world.private("pe-hp", POOL, "connection")
    world.restart()
    return world


def move_host(world: AvdWorld) -> None:
    """Put the host into a network that knows no private names."""
    space = {"addressSpace": {"addressPrefixes": ["10.8.0.0/16"]}}
    body = {"location": "westeurope", "properties": space}
    world.settled("PUT", f"{HERE}/virtualNetworks/far", "2024-01-01", body)
    nic = world.cloud.need(f"{HERE}/networkInterfaces/vm1-nic")
    nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] = f"{HERE}/virtualNetworks/far/subnets/s"
    world.cloud.save(nic)
    world.state.commit(world.cloud.now_ms)


def works(outcome: Outcome) -> bool:
    assert outcome.why
    return outcome.works


# ---------------------------------------------------------------- the host pool's four values


CELLS = [  # value, client leg, host leg, does a session come about?
    ("Enabled", PUBLIC, "public", True),
    ("Enabled", PUBLIC, "private", True),
    ("Enabled", PRIVATE, "public", True),
    ("Enabled", PRIVATE, "private", True),
    ("Disabled", PUBLIC, "public", False),
    ("Disabled", PUBLIC, "private", False),
    ("Disabled", PRIVATE, "public", False),
    ("Disabled", PRIVATE, "private", True),
    ("EnabledForClientsOnly", PUBLIC, "public", False),
    ("EnabledForClientsOnly", PUBLIC, "private", True),
    ("EnabledForClientsOnly", PRIVATE, "public", False),
    ("EnabledForClientsOnly", PRIVATE, "private", True),
    ("EnabledForSessionHostsOnly", PUBLIC, "public", False),
    ("EnabledForSessionHostsOnly", PUBLIC, "private", False),
    ("EnabledForSessionHostsOnly", PRIVATE, "public", True),
    ("EnabledForSessionHostsOnly", PRIVATE, "private", True),
]


@pytest.mark.parametrize(("value", "client", "host", "comes_about"), CELLS)
def test_public_access_of_a_pool_gates_the_clients_leg_and_the_hosts_leg(
    value: str, client: str, host: str, comes_about: bool
) -> None:
    world = private_pool()
    if host == "public":
        move_host(world)
    world.access(POOL, value)
    outcome = session(world.cloud, HOST, client)
    assert works(outcome) is comes_about
    assert connection(world.cloud, POOL, client).route == ("private" if client == PRIVATE else "public")
    may_host = host == "private" or value in ("Enabled", "EnabledForSessionHostsOnly")
    assert world.host()["status"] == ("Available" if may_host else "Unavailable")


def test_a_value_that_was_never_set_lets_everybody_in() -> None:
    world = AvdWorld()
    assert works(session(world.cloud, HOST, INTERNET))


def test_a_refusal_names_the_value_and_the_way() -> None:
    world = private_pool()
    world.access(POOL, "Disabled")
    outcome = connection(world.cloud, POOL, INTERNET)
    assert outcome.route == "public"
    assert "leads to a public address" in outcome.why
    assert "publicNetworkAccess of hp is Disabled, which refuses it" in outcome.why


# ---------------------------------------------------------------- the workspace's two, and the global endpoint


@pytest.mark.parametrize(
    ("value", "client", "passes"),
    [
        ("Enabled", PUBLIC, True),
        ("Enabled", PRIVATE, True),
        ("Disabled", PUBLIC, False),
        ("Disabled", PRIVATE, True),
    ],
)
def test_public_access_of_a_workspace_gates_its_feed(value: str, client: str, passes: bool) -> None:
    world = AvdWorld()
    world.private("pe-ws", WORKSPACE, "feed")
    world.access(WORKSPACE, value)
    assert works(feed(world.cloud, WORKSPACE, client)) is passes


def test_the_workspace_under_the_global_endpoint_ignores_disabled() -> None:
    world = AvdWorld()
    world.private("pe-ws", WORKSPACE, "feed")
    endpoint = world.private("pe-global", WORKSPACE, "global", GLOBAL_ZONE)
    world.access(WORKSPACE, "Disabled")
    outcome = feed(world.cloud, WORKSPACE, INTERNET)
    assert works(outcome)
    assert "always open" in outcome.why
    world.settled("DELETE", endpoint, "2024-01-01")
    assert not works(feed(world.cloud, WORKSPACE, INTERNET))


def test_discovery_is_open_to_the_public_and_private_where_the_global_zone_is() -> None:
    world = AvdWorld()
    assert discovery(world.cloud, VNET).route == "public"
    world.private("pe-global", PLACEHOLDER, "global", GLOBAL_ZONE)
    world.access(PLACEHOLDER, "Disabled")
    assert discovery(world.cloud, VNET) == Outcome(
        True, "private", f"{DISCOVERY} leads to an approved private endpoint."
    )
    assert works(discovery(world.cloud, INTERNET))
    assert works(discovery(world.cloud, ON_PREMISES))


def test_deleting_the_workspace_under_the_global_endpoint_stops_discovery_where_it_is_private() -> None:
    world = AvdWorld()
    world.private("pe-global", PLACEHOLDER, "global", GLOBAL_ZONE)
    world.ok("DELETE", PLACEHOLDER, V)
    outcome = discovery(world.cloud, VNET)
    assert (outcome.works, outcome.route) == (False, "none")
    assert "no approved private endpoint answers" in outcome.why
    assert works(discovery(world.cloud, INTERNET))


def test_a_feed_that_resolves_publicly_fails_once_its_workspace_is_closed() -> None:
    world = AvdWorld()
    world.private("pe-global", WORKSPACE, "global", GLOBAL_ZONE)
    feed_endpoint = world.private("pe-ws", WORKSPACE, "feed")
    assert feed(world.cloud, WORKSPACE, VNET).route == "public"
    world.settled("DELETE", f"{HERE}/privateEndpoints/pe-global", "2024-01-01")
    world.access(WORKSPACE, "Disabled")
    assert not works(feed(world.cloud, WORKSPACE, VNET))
    world.settled("DELETE", feed_endpoint, "2024-01-01")
    world.private("pe-ws", WORKSPACE, "feed")
    assert works(feed(world.cloud, WORKSPACE, VNET))


# ---------------------------------------------------------------- names and endpoints


def test_a_linked_zone_without_the_records_breaks_the_connection_even_where_public_access_is_open() -> None:
    world = AvdWorld()
    world.endpoint("pe-hp", POOL, "connection")
    world.link(world.zone(ZONE))
    outcome = connection(world.cloud, POOL, VNET)
    assert (outcome.works, outcome.route) == (False, "none")
    assert "NXDOMAIN" in outcome.why
    assert works(connection(world.cloud, POOL, INTERNET))


def test_an_endpoint_whose_connection_was_rejected_answers_nobody() -> None:
    world = private_pool()
    link = world.get(POOL, V)["properties"]["privateEndpointConnections"][0]["id"]
    body: dict[str, Any] = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected"}}}
    world.ok("PUT", link, V, body)
    assert connection(world.cloud, POOL, VNET).route == "public"  # the alias goes with the approval
    world.access(POOL, "Disabled")
    assert not works(connection(world.cloud, POOL, VNET))


def test_a_record_that_leads_to_another_pools_endpoint_does_not_count() -> None:
    world = private_pool()
    record = f"{HERE}/privateDnsZones/{ZONE}/A/{world.get(POOL, V)['properties']['objectId']}.rdbroker"
    world.ok("PUT", record, "2020-06-01", {"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.1.30"}]}})
    outcome = connection(world.cloud, POOL, VNET)
    assert not works(outcome)
    assert "10.0.1.30" in outcome.why


def test_a_place_or_a_target_that_is_not_there_is_named() -> None:
    world = AvdWorld()
    assert "no place" in connection(world.cloud, POOL, VNET + "x").why
    with pytest.raises(UsageError, match="nowhere"):
        feed(world.cloud, "/nowhere", VNET)


# ---------------------------------------------------------------- session hosts


def test_hosts_are_unavailable_until_their_loader_restarts() -> None:
    world = AvdWorld()
    world.private("pe-hp", POOL, "connection")
    assert world.host()["status"] == "Available"
    world.access(POOL, "EnabledForClientsOnly")
    closed_ms = world.clock.now_ms()
    world.wait(300)
    host = world.host()
    assert host["status"] == "Unavailable"
    assert from_iso(host["lastHeartBeat"]) <= closed_ms
    failed = [c for c in host["sessionHostHealthCheckResults"] if c["healthCheckResult"] == "HealthCheckFailed"]
    assert [c["healthCheckName"] for c in failed] == ["UrlsAccessibleCheck"]
    assert "restart the agent loader" in failed[0]["additionalFailureDetails"]["message"]
    assert host["sessions"] == 2
    world.restart()
    assert world.host()["status"] == "Available"
    assert from_iso(world.host()["lastHeartBeat"]) > closed_ms


def test_a_restart_before_the_endpoint_was_approved_does_not_count() -> None:
    world = AvdWorld()
    world.restart()
    world.private("pe-hp", POOL, "connection")
    world.access(POOL, "Disabled")
    assert world.host()["status"] == "Unavailable"


def test_an_endpoint_that_is_approved_later_asks_for_the_restart_later() -> None:
    world = AvdWorld()
    world.endpoint("pe-hp", POOL, "connection", manual=True)
    world.restart()
    link = world.get(POOL, V)["properties"]["privateEndpointConnections"][0]["id"]
    body: dict[str, Any] = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    world.ok("PUT", link, V, body)
    world.access(POOL, "Disabled")
    assert "restart" in str(world.host()["sessionHostHealthCheckResults"])


def test_a_restarted_host_whose_network_has_no_private_names_stays_unavailable() -> None:
    world = private_pool()
    move_host(world)
    world.access(POOL, "Disabled")
    world.restart()
    host = world.host()
    assert host["status"] == "Unavailable"
    assert "public address" in str(host["sessionHostHealthCheckResults"])


def test_a_restart_into_a_black_hole_loses_the_host_although_public_access_is_open() -> None:
    world = AvdWorld()
    world.endpoint("pe-hp", POOL, "connection")
    world.link(world.zone(ZONE))
    assert world.host()["status"] == "Available"
    world.restart()
    assert world.host()["status"] == "Unavailable"


def test_a_host_that_is_connected_keeps_its_connection_when_names_vanish_until_its_loader_restarts() -> None:
    world = AvdWorld()
    zone = world.zone("wvd.microsoft.com")
    world.link(zone)
    assert connection(world.cloud, POOL, VNET).route == "none"
    assert world.host()["status"] == "Available"
    world.restart()
    assert world.host()["status"] == "Unavailable"
    world.settled("DELETE", f"{zone}/virtualNetworkLinks/l1", "2020-06-01")
    assert world.host()["status"] == "Available"


def test_a_drained_host_takes_no_session() -> None:
    world = AvdWorld()
    world.ok("PATCH", HOST, V, {"properties": {"allowNewSession": False}})
    assert "drained" in session(world.cloud, HOST, INTERNET).why


def test_a_machine_without_an_interface_is_taken_to_be_on_the_internet() -> None:
    world = private_pool()
    assert network_of(world.cloud, VM) == VNET
    assert network_of(world.cloud, f"{RG}/providers/Microsoft.Compute/virtualMachines/none") == ""
