from __future__ import annotations

from typing import Any

import pytest

from runbook.core.error import BookError
from runbook.sim.providers.onprem import ONPREM
from runbook.sim.resolver import SimResolver
from runbook.step import DnsAnswer, Resolver
from tests.sim.net import (
    DNS,
    ENDPOINT,
    GROUP,
    HERE,
    VNET,
    ZONES,
    NetWorld,
    endpoint_body,
    group_body,
    link_body,
    vnet_body,
)

GBL = "gbl.his.arc.azure.com"
PRIVATE = "gbl.privatelink.his.arc.azure.com"
HUB = f"{HERE}/virtualNetworks/hub"


async def ask(world: NetWorld, name: str = GBL, place: str = VNET) -> DnsAnswer:
    resolver: Resolver = SimResolver(world.cloud)
    answer = await resolver.resolve(name, place)
    assert answer is not None
    return answer


def is_public(answer: DnsAnswer) -> bool:
    return answer.status == "NOERROR" and answer.addresses[0].startswith(("203.0.113.", "198.51.100."))


def private(world: NetWorld, *, linked: bool = True) -> None:
    """An endpoint with its zone, link and records."""
    world.settled("PUT", ENDPOINT, body=endpoint_body())
    zone = world.zone(ZONES[0])
    if linked:
        world.link(zone)
    world.settled("PUT", GROUP, body=group_body(zone))


async def test_without_a_zone_a_name_resolves_publicly_through_its_private_name() -> None:
    answer = await ask(NetWorld())
    assert is_public(answer)
    assert (answer.name, answer.chain) == (GBL, (PRIVATE,))
    assert await ask(NetWorld()) == answer


async def test_with_zone_link_and_record_a_name_resolves_privately() -> None:
    world = NetWorld()
    private(world)
    answer = await ask(world, "GBL.his.arc.azure.com.")
    assert (answer.chain, answer.addresses, answer.status) == ((PRIVATE,), ("10.0.1.4",), "NOERROR")
    assert ZONES[0] in answer.server
    assert (await ask(world, PRIVATE)).addresses == ("10.0.1.4",)
    assert is_public(await ask(world, "agentserviceapi.guestconfiguration.azure.com"))


async def test_a_linked_zone_without_the_record_is_a_black_hole() -> None:
    world = NetWorld()
    world.link(world.zone(ZONES[0]))
    answer = await ask(world)
    assert (answer.status, answer.addresses, answer.chain) == ("NXDOMAIN", (), (PRIVATE,))
    assert is_public(await ask(world, "login.microsoftonline.com"))


async def test_a_zone_of_the_public_name_itself_shadows_it() -> None:
    world = NetWorld()
    world.link(world.zone("his.arc.azure.com"))
    answer = await ask(world)
    assert (answer.status, answer.chain) == ("NXDOMAIN", ())


async def test_a_link_that_falls_back_lets_names_without_a_record_go_public() -> None:
    world = NetWorld()
    zone = world.zone(ZONES[0])
    body = link_body()
    body["properties"]["resolutionPolicy"] = "NxDomainRedirect"
    world.settled("PUT", f"{zone}/virtualNetworkLinks/l1", DNS, body)
    assert is_public(await ask(world))


async def test_a_zone_works_only_where_it_is_linked_and_only_when_the_link_is_completed() -> None:
    world = NetWorld(resources=({"id": HUB, **vnet_body(space="10.5.0.0/16", prefix="10.5.0.0/24")},))
    private(world, linked=False)
    assert is_public(await ask(world))
    world.ok("PUT", f"{HERE}/privateDnsZones/{ZONES[0]}/virtualNetworkLinks/l1", DNS, link_body())
    assert is_public(await ask(world))
    world.wait(31)
    assert (await ask(world)).addresses == ("10.0.1.4",)
    assert is_public(await ask(world, place=HUB))


async def test_the_longest_zone_answers() -> None:
    world = NetWorld()
    wide, narrow = world.zone("example.com"), world.zone("a.example.com")
    for zone, address in ((wide, "10.0.0.1"), (narrow, "10.0.0.2")):
        world.link(zone)
        world.ok("PUT", f"{zone}/A/*", DNS, {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": address}]}})
    assert (await ask(world, "x.a.example.com")).addresses == ("10.0.0.2",)
    assert (await ask(world, "x.b.example.com")).addresses == ("10.0.0.1",)
    assert (await ask(world, "example.com")).status == "NXDOMAIN"


async def test_other_services_have_a_private_name_only_once_they_have_an_endpoint() -> None:
    answer = await ask(NetWorld(), "store.blob.core.windows.net")
    assert answer.chain == ()
    assert is_public(answer)


async def test_names_that_the_public_dns_does_not_know_do_not_exist() -> None:
    world = NetWorld()
    for name in ("server", "server.corp", "a..com", ""):
        assert (await ask(world, name)).status == "NXDOMAIN"


async def test_custom_servers_that_do_not_ask_azure_answer_publicly() -> None:
    world = NetWorld(dns={"non_forwarding": ["10.9.0.4"]})
    private(world)
    world.settled("PUT", VNET, body=vnet_body(dhcpOptions={"dnsServers": ["10.9.0.4"]}))
    answer = await ask(world)
    assert is_public(answer)
    assert "10.9.0.4" in answer.server
    world.settled("PUT", VNET, body=vnet_body(dhcpOptions={"dnsServers": ["10.9.0.5"]}))
    assert (await ask(world)).addresses == ("10.0.1.4",)


async def test_a_place_that_is_not_there_has_no_resolver() -> None:
    world = NetWorld()
    assert await SimResolver(world.cloud).resolve(GBL, f"{VNET}x") is None
    assert await SimResolver(world.cloud).resolve(GBL, "the moon") is None


# ---------------------------------------------------------------- on premises


async def test_on_premises_without_a_forwarder_names_resolve_publicly() -> None:
    world = NetWorld()
    private(world)
    assert is_public(await ask(world, place="on-premises"))


async def test_on_premises_a_forwarder_answers_for_its_suffixes_as_its_network_would() -> None:
    site = {"forwarder": {"vnet": VNET, "suffixes": ["his.arc.azure.com"]}}
    world = NetWorld(dns={"onprem": site})
    private(world)
    answer = await ask(world, place="on-premises")
    assert (answer.addresses, answer.chain) == (("10.0.1.4",), (PRIVATE,))
    assert is_public(await ask(world, "agentserviceapi.guestconfiguration.azure.com", "on-premises"))


async def test_forwarding_the_private_suffix_instead_of_the_public_one_does_not_help() -> None:
    world = NetWorld(dns={"onprem": {"forwarder": {"vnet": VNET, "suffixes": [ZONES[0]]}}})
    private(world)
    assert is_public(await ask(world, place="on-premises"))


async def test_own_records_answer_on_premises_alone() -> None:
    world = NetWorld(dns={"onprem": {"records": {GBL: "10.0.1.4"}}})
    assert (await ask(world, place="ON-PREMISES")).addresses == ("10.0.1.4",)
    assert is_public(await ask(world))


async def test_a_forwarder_whose_network_is_gone_fails() -> None:
    world = NetWorld(dns={"onprem": {"forwarder": {"vnet": f"{VNET}x", "suffixes": ["his.arc.azure.com"]}}})
    assert (await ask(world, place="on-premises")).status == "SERVFAIL"


async def test_the_dns_team_adds_the_forwarder_later() -> None:
    forwarder = {"properties": {"forwarder": {"vnet": VNET, "suffixes": ["his.arc.azure.com"]}}}
    party = {"id": "dns", "who": "DNS team", "at": "1d", "do": {"do": "set", "path": ONPREM, "body": forwarder}}
    world = NetWorld(parties=[party])
    private(world)
    assert is_public(await ask(world, place="on-premises"))
    world.wait(86_400)
    assert (await ask(world, place="on-premises")).addresses == ("10.0.1.4",)


async def test_looking_lets_due_operations_end_and_keeps_what_they_did() -> None:
    world = NetWorld()
    private(world)
    world.ok("DELETE", GROUP)
    world.wait(60)
    assert (await ask(world)).status == "NXDOMAIN"
    assert world.state.latest_ms == world.clock.now_ms()


@pytest.mark.parametrize(
    "dns",
    [{"onprem": 5}, {"onprem": {"forwarder": {"suffixes": "x"}}}, {"unknown": 1}, {"onprem": {"unknown": 1}}],
)
def test_a_dns_block_that_makes_no_sense_is_refused(dns: dict[str, Any]) -> None:
    with pytest.raises(BookError, match="dns"):
        NetWorld(dns=dns)
