"""What the table says of places that nobody can stand in, and of what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from runbook.core.arm import Json
from runbook.core.view import RunView
from runbook.dns.estate import Wanted, wanted
from runbook.dns.look import PATIENCE, Source, look
from runbook.dns.model import Answer, Place, Reached, Rule, Table
from runbook.step import DnsAnswer
from tests.steps.table import MAIN, TableCloud, TableDns

SUB = f"/subscriptions/{MAIN}"
NET = f"{SUB}/resourceGroups/rg/providers/Microsoft.Network"
VNET = f"{NET}/virtualNetworks/hub"
ENDPOINT = f"{NET}/privateEndpoints/pe-arc"
ZONE = f"{NET}/privateDnsZones/privatelink.his.arc.azure.com"
GBL, WE = "gbl.his.arc.azure.com", "we.his.arc.azure.com"
WANT = Wanted(
    tuple(
        (f"{n}.his.arc.azure.com", ip, "privatelink.his.arc.azure.com", n, ENDPOINT)
        for n, ip in (("gbl", "10.0.0.4"), ("we", "10.0.0.5"))
    ),
    (VNET,),
    "azure",
    (MAIN,),
)
LINK: Json = {"properties": {"virtualNetwork": {"id": VNET}, "virtualNetworkLinkState": "Completed"}}
CARD: Json = {
    "id": f"{NET}/networkInterfaces/nic",
    "properties": {
        "ipConfigurations": [
            {"properties": {"privateIPAddress": ip, "privateLinkConnectionProperties": {"fqdns": [fqdn]}}}
            for fqdn, ip in ((GBL, "10.0.0.4"), (WE, "10.0.0.5"))
        ]
    },
}


def cloud(**other: Any) -> TableCloud:
    """One endpoint, one linked zone with both records; ``other`` replaces what is read."""
    read: dict[str, Any] = {
        "subscriptions": [{"subscriptionId": MAIN}],
        "zones": [{"id": ZONE, "name": "privatelink.his.arc.azure.com"}],
        "links": [LINK],
        "records": [record("gbl", "10.0.0.4"), record("we", "10.0.0.5")],
        "vnet": {"id": VNET, "properties": {}},
        "endpoints": [{"id": ENDPOINT, "properties": {"networkInterfaces": [{"id": CARD["id"]}]}}],
        "cards": [CARD],
    } | other
    paths = {
        "subscriptions": "/subscriptions",
        "zones": f"{SUB}/providers/Microsoft.Network/privateDnsZones",
        "links": f"{ZONE}/virtualNetworkLinks",
        "records": f"{ZONE}/A",
        "vnet": VNET,
        "endpoints": f"{SUB}/providers/Microsoft.Network/privateEndpoints",
        "cards": f"{SUB}/providers/Microsoft.Network/networkInterfaces",
    }
    return TableCloud({paths[k].lower(): v for k, v in read.items() if v is not None})


def record(name: str, *ips: str) -> Json:
    return {"name": name, "properties": {"aRecords": [{"ipv4Address": ip} for ip in ips]}}


class Nowhere:
    """Nobody of ours stands anywhere."""

    async def resolve(self, name: str, vantage: str) -> DnsAnswer | None:
        return None


def source(kind: str, answers: Mapping[str, Answer | None], **more: Any) -> Source:
    async def ask(name: str) -> Answer | None:
        return answers.get(name)

    return Source(Place(kind, kind, kind, **more), ask)  # type: ignore[arg-type]


def rule(table: Table, place: str, name: str = GBL) -> Rule:
    return table.cells[name, place].rule


AT_HUB = f"network:{VNET.lower()}"


async def test_where_nobody_stands_a_network_is_worked_out_from_azure() -> None:
    table = await look(WANT, cloud(), Nowhere())
    assert (rule(table, AT_HUB), rule(table, "on-premises"), rule(table, "machine")) == (
        Rule.OK,
        Rule.NOT_PROVABLE,
        Rule.NOT_PROVABLE,
    )
    assert not table.is_wrong
    assert [p.title for p in table.seen_places] == ["hub"]
    assert "worked out from zones, links and records" in table.seen_places[0].how
    assert "--resolver" in table.cells[GBL, "on-premises"].cause
    assert "a write that nobody has approved" in table.cells[GBL, "machine"].cause


async def test_with_dns_servers_of_its_own_a_network_is_not_proven_by_azure_alone() -> None:
    vnet = {"id": VNET, "properties": {"dhcpOptions": {"dnsServers": ["10.0.0.200"]}}}
    table = await look(WANT, cloud(vnet=vnet), Nowhere())
    assert rule(table, AT_HUB) is Rule.NOT_PROVABLE
    assert "--resolver 10.0.0.200" in table.cells[GBL, AT_HUB].cause


async def test_with_dns_servers_of_its_own_what_is_wrong_in_azure_is_wrong_all_the_same() -> None:
    vnet = {"id": VNET, "properties": {"dhcpOptions": {"dnsServers": ["10.0.0.200"]}}}
    table = await look(WANT, cloud(vnet=vnet, links=[]), Nowhere())
    assert rule(table, AT_HUB) is Rule.MISSING_LINK


async def test_azures_own_address_among_the_servers_is_no_server_of_its_own() -> None:
    vnet = {"id": VNET, "properties": {"dhcpOptions": {"dnsServers": ["168.63.129.16"]}}}
    assert rule(await look(WANT, cloud(vnet=vnet), Nowhere()), AT_HUB) is Rule.OK


async def test_a_server_of_a_network_that_was_asked_stands_for_the_network() -> None:
    vnet = {"id": VNET, "properties": {"dhcpOptions": {"dnsServers": ["10.0.0.200"]}}}
    answers = {GBL: Answer(GBL, "NOERROR", (), ("10.0.0.4",)), WE: Answer(WE, "NOERROR", (), ("203.0.113.9",))}

    async def ask(name: str) -> Answer | None:
        return answers.get(name, Answer(name, "NOERROR", (), ("203.0.113.9",)))

    server = Source(Place("resolver:10.0.0.200:53", "resolver", "10.0.0.200"), ask)
    table = await look(WANT, cloud(vnet=vnet), Nowhere(), [server])
    assert (rule(table, AT_HUB), rule(table, AT_HUB, WE)) == (Rule.OK, Rule.SERVERS_DO_NOT_FORWARD)
    assert "10.0.0.200" in table.cells[WE, AT_HUB].cause


async def test_a_network_that_may_not_be_read_proves_nothing_and_is_told() -> None:
    table = await look(WANT, cloud(vnet={"refused": "AuthorizationFailed", "status": 403}), Nowhere())
    assert rule(table, AT_HUB) is Rule.NOT_PROVABLE
    assert any("hub may not be read" in r for r in table.remarks)


async def test_records_that_may_not_be_read_prove_nothing() -> None:
    refused = {"refused": "AuthorizationFailed", "status": 403}
    assert rule(await look(WANT, cloud(records=refused), Nowhere()), AT_HUB) is Rule.NOT_PROVABLE


async def test_a_public_answer_from_a_machine_that_stands_outside_is_no_mistake() -> None:
    public = {n: Answer(n, "NOERROR", (), ("203.0.113.9",)) for n in (GBL, WE)}
    here = source("here", public, counts=False, why_not="outside")
    table = await look(WANT, cloud(), Nowhere(), [here])
    assert not table.is_wrong
    assert (table.cells[GBL, "here"].rule, table.cells[GBL, "here"].observed) == (Rule.NOT_PROVABLE, "203.0.113.9")


async def test_a_silent_server_is_not_asked_for_every_name() -> None:
    asked: list[str] = []
    many = Wanted(
        tuple(
            (f"n{i:02}.his.arc.azure.com", "10.0.0.4", "privatelink.his.arc.azure.com", f"n{i:02}", ENDPOINT)
            for i in range(60)
        ),
        (VNET,),
        "azure",
        (MAIN,),
    )

    async def ask(name: str) -> Answer:
        asked.append(name)
        return Answer(name, "TIMEOUT")

    table = await look(many, cloud(), Nowhere(), [Source(Place("resolver:x", "resolver", "x"), ask)])
    assert PATIENCE <= len(asked) < 40
    assert {table.cells[n.fqdn, "resolver:x"].rule for n in table.names} == {Rule.TIMEOUT}
    assert [f.rule for f in table.findings if f.place == "x"] == [Rule.TIMEOUT]


async def test_an_address_that_moved_is_expected_where_the_endpoint_has_it_now() -> None:
    card = {
        **CARD,
        "properties": {
            "ipConfigurations": [
                {
                    "properties": {
                        "privateIPAddress": "10.0.0.44",
                        "privateLinkConnectionProperties": {"fqdns": [GBL, WE]},
                    }
                }
            ]
        },
    }
    table = await look(WANT, cloud(cards=[card]), Nowhere())
    assert {n.address for n in table.names} == {"10.0.0.44"}
    assert any("has moved: the run left it at 10.0.0.4" in r for r in table.remarks)
    assert rule(table, AT_HUB) is Rule.OLD_RECORD


async def test_an_interface_that_cannot_be_read_leaves_the_recorded_address() -> None:
    table = await look(WANT, cloud(cards={"refused": "AuthorizationFailed", "status": 403}), Nowhere())
    assert {n.address for n in table.names} == {"10.0.0.4", "10.0.0.5"}
    assert any("those that the run recorded" in r for r in table.remarks)


async def test_packets_are_tried_only_where_somebody_stands_inside() -> None:
    tried: list[tuple[str, int]] = []

    async def probe(name: str, address: str, port: int) -> Reached:
        tried.append((address, port))
        return Reached(name, address, port, Rule.PORT_CLOSED, f"No answer from {address} port {port}")

    blind = await look(WANT, cloud(), Nowhere(), why_no_probe="not inside")
    assert {(r.rule, r.told) for r in blind.reached} == {(Rule.NOT_PROVABLE, "not inside")}
    table = await look(WANT, cloud(), Nowhere(), probe=probe)
    assert sorted(tried) == [("10.0.0.4", 443), ("10.0.0.5", 443)]
    assert [f.rule for f in table.findings] == [Rule.PORT_CLOSED, Rule.PORT_CLOSED]
    assert table.is_wrong


async def test_of_names_that_dns_of_its_own_holds_azures_networks_are_not_asked() -> None:
    own = Wanted(WANT.records, WANT.networks, "own", WANT.subscriptions)
    dns = TableDns({"on-premises": {GBL: "10.0.0.4", WE: "10.0.0.5"}})
    table = await look(own, cloud(links=[]), dns)
    assert [p.kind for p in table.places] == ["premises", "machine"]
    assert not table.is_wrong


async def test_who_forwards_into_a_broken_network_is_told_to_mend_that_first() -> None:
    dns = TableDns({"on-premises": {GBL: "203.0.113.9", WE: "203.0.113.9"}})
    table = await look(WANT, cloud(links=[]), dns)
    premises = next(f for f in table.findings if f.place == "the premises")
    assert premises.fix.startswith("First mend what is wrong at hub")


@pytest.mark.parametrize(("inputs", "matters"), [({}, True), ({"clients_on_premises": False}, False)])
async def test_the_premises_matter_only_where_somebody_there_resolves(inputs: Json, matters: bool) -> None:
    assert wanted(RunView(id="r", inputs={"vnet": VNET, **inputs})).has_premises == matters
    assert wanted(RunView(id="r", inputs={**inputs, "dns": "own"})).has_premises
    table = await look(replace(WANT, has_premises=matters), cloud(), Nowhere())
    assert ("premises" in {p.kind for p in table.places}) == matters


def test_a_run_without_endpoints_wants_no_names() -> None:
    assert wanted(RunView(id="r", inputs={"vnet": VNET})).records == ()


@pytest.mark.parametrize("said", ["NXDOMAIN", "SERVFAIL", "TIMEOUT"])
async def test_no_answer_is_never_taken_for_a_right_one(said: str) -> None:
    dns = TableDns({"on-premises": {GBL: said, WE: said}})
    assert (await look(WANT, cloud(), dns)).is_wrong


async def test_networks_of_one_name_are_told_apart() -> None:
    other = VNET.replace("resourceGroups/rg/", "resourceGroups/rg-b/")
    third = VNET.replace(MAIN, "22222222-2222-4222-8222-222222222222")
    want = Wanted(WANT.records, (VNET, other, third), "azure", (MAIN,))
    titles = [p.title for p in (await look(want, cloud(), Nowhere())).places if p.kind == "network"]
    assert len(set(titles)) == 3
    assert titles[1] == "hub (group rg-b)"
