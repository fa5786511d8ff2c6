"""A named DNS server, asked over UDP and TCP, and the system's own way."""

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
from runbook.here.lookups import NamedServer, SystemResolver, parse_server

NAME = "gbl.his.arc.azure.com"
PRIVATE = "gbl.privatelink.his.arc.azure.com"


def reply_to(data: bytes, *, is_tcp: bool) -> bytes | None:
    """By the first label: ``cut`` is cut short over UDP, ``deaf`` is answered over TCP only, ``gbl`` is whole."""
    asked = dns.message.from_wire(data)
    name = asked.question[0].name
    reply = dns.message.make_response(asked)
    match name.labels[0].decode():
        case "deaf" if not is_tcp:
            return None
        case "cut" if not is_tcp:
            reply.flags |= dns.flags.TC
        case "own":
            reply.flags |= dns.flags.AA
            reply.answer.append(dns.rrset.from_text(name, 3600, "IN", "A", "10.0.0.9"))
        case "loop":
            reply.answer.append(dns.rrset.from_text(name, 5, "IN", "CNAME", str(name)))
        case "no":
            reply.set_rcode(dns.rcode.REFUSED)
        case _:
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", f"{PRIVATE}."))
            reply.answer.append(dns.rrset.from_text(f"{PRIVATE}.", 10, "IN", "A", "10.0.0.5", "10.0.0.4"))
    return reply.to_wire()


class Udp(asyncio.DatagramProtocol):
    transport: Any

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if reply := reply_to(data, is_tcp=False):
            self.transport.sendto(reply, addr)


async def tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    size = int.from_bytes(await reader.readexactly(2), "big")
    if reply := reply_to(await reader.readexactly(size), is_tcp=True):
        writer.write(len(reply).to_bytes(2, "big") + reply)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.fixture
async def server() -> AsyncIterator[NamedServer]:
    streams = await asyncio.start_server(tcp, "127.0.0.1", 0)
    port = streams.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Udp, local_addr=("127.0.0.1", port))
    try:
        yield NamedServer("127.0.0.1", port, udp_s=0.2, tcp_s=2.0)
    finally:
        transport.close()
        streams.close()
        await streams.wait_closed()


async def test_an_answer_has_its_whole_chain_and_the_shortest_time(server: NamedServer) -> None:
    found = await server.ask(NAME)
    assert (found.chain, found.addresses, found.status) == ((PRIVATE,), ("10.0.0.4", "10.0.0.5"), "NOERROR")
    assert (found.ttl_s, found.is_own, found.transport, found.server) == (10, False, "udp", server.title)


@pytest.mark.parametrize("name", ["cut.example.com", "deaf.example.com"])
async def test_what_is_cut_short_or_unanswered_is_asked_again_over_tcp(name: str, server: NamedServer) -> None:
    found = await server.ask(name)
    assert (found.addresses, found.transport) == (("10.0.0.4", "10.0.0.5"), "tcp")


async def test_a_servers_own_data_is_known_as_such(server: NamedServer) -> None:
    found = await server.ask("own.example.com")
    assert (found.is_own, found.ttl_s, found.chain) == (True, 3600, ())


async def test_an_alias_that_leads_to_itself_ends(server: NamedServer) -> None:
    assert (await server.ask("loop.example.com")).addresses == ()


async def test_a_refusal_is_told(server: NamedServer) -> None:
    assert (await server.ask("no.example.com")).status == "REFUSED"


async def test_where_nobody_listens_there_is_no_answer() -> None:
    found = await NamedServer("127.0.0.1", 9, udp_s=0.2, tcp_s=0.2).ask(NAME)
    assert (found.status, found.addresses) == ("TIMEOUT", ())


async def test_the_systems_own_way_gives_addresses_and_nothing_else() -> None:
    found = await SystemResolver().ask("localhost")
    assert (found.addresses, found.status, found.ttl_s, found.chain) == (("127.0.0.1",), "NOERROR", None, ())


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("10.0.0.4", ("10.0.0.4", 53)),
        (" 127.0.0.1:5353 ", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
    ],
)
def test_a_server_is_named_by_address_and_port(text: str, server: tuple[str, int]) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize("text", ["", "dc01.contoso.local", "10.0.0.4:", "10.0.0.4:0", "10.0.0.4:99999", "10.0.0.4:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no address of a DNS server"):
        parse_server(text)
