"""This machine's resolver, asked against a DNS server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from runbook.core.error import UsageError
from runbook.here.resolver import HereResolver, check_place
from runbook.step import DnsAnswer

NAME = "gbl.his.arc.azure.com"
PRIVATE = "gbl.privatelink.his.arc.azure.com"
VNET = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub"


class Server(asyncio.DatagramProtocol):
    """Answers by the first label of what it is asked."""

    transport: Any

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        asked = dns.message.from_wire(data)
        name = asked.question[0].name
        reply = dns.message.make_response(asked)
        reply.flags |= dns.flags.RA
        match name.labels[0].decode():
            case "gbl":
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", f"{PRIVATE}."))
                reply.answer.append(dns.rrset.from_text(f"{PRIVATE}.", 60, "IN", "A", "10.0.0.5", "10.0.0.4"))
            case "alias":
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", f"{PRIVATE}."))
            case "broken":
                reply.set_rcode(dns.rcode.SERVFAIL)
            case "silent":
                return
            case _:
                reply.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(reply.to_wire(), addr)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def resolver(port: int, place: str = "on-premises") -> HereResolver:
    return HereResolver(place, ["127.0.0.1"], port)


async def test_a_name_is_followed_through_its_aliases(port: int) -> None:
    found = await resolver(port).resolve(NAME, "On-Premises")
    assert found is not None
    assert (found.chain, found.addresses, found.status) == ((PRIVATE,), ("10.0.0.4", "10.0.0.5"), "NOERROR")
    assert "127.0.0.1" in found.server


@pytest.mark.parametrize(
    ("name", "status", "chain"), [("none.example", "NXDOMAIN", ()), ("broken.example", "SERVFAIL", ())]
)
async def test_what_has_no_answer_says_why(port: int, name: str, status: str, chain: tuple[str, ...]) -> None:
    found = await resolver(port).resolve(name, "on-premises")
    assert found == DnsAnswer(name, chain, (), status, "this machine, by 127.0.0.1")


async def test_an_alias_without_an_address_has_none(port: int) -> None:
    found = await resolver(port).resolve("alias.example", "on-premises")
    assert found is not None
    assert (found.addresses, found.status) == ((), "NOERROR")
    assert found.chain == (PRIVATE,)


async def test_a_server_that_is_silent_times_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.here.resolver._LIFETIME_S", 0.05)
    found = await resolver(port).resolve("silent.example", "on-premises")
    assert found is not None
    assert found.status == "TIMEOUT"


@pytest.mark.parametrize(
    ("place", "vantage"),
    [("nowhere", "on-premises"), ("nowhere", "nowhere"), ("on-premises", VNET), (VNET, "on-premises")],
)
async def test_nobody_is_asked_for_a_place_where_this_machine_does_not_stand(place: str, vantage: str) -> None:
    assert await HereResolver(place, ["127.0.0.1"], 9).resolve(NAME, vantage) is None


async def test_a_machine_in_a_network_answers_for_that_network(port: int) -> None:
    found = await resolver(port, VNET).resolve(NAME, VNET.upper())
    assert found is not None
    assert found.status == "NOERROR"


@pytest.mark.parametrize("place", ["", "home", "/subscriptions/1", "on premises"])
def test_a_place_that_is_none_is_told(place: str) -> None:
    with pytest.raises(UsageError, match="no place a machine can stand"):
        check_place(place)
    assert check_place(VNET) == VNET
