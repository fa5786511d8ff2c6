"""Whether packets get through, against real connections on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme

from runbook.dns.model import Rule
from runbook.here.reach import Prober

NAME = "gbl.his.arc.azure.com"


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def trusting(ca: trustme.CA) -> Prober:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return Prober(context)


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.fixture
async def port(ca: trustme.CA) -> AsyncIterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(NAME).configure_cert(context)
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_a_certificate_that_names_the_service_proves_the_way(ca: trustme.CA, port: int) -> None:
    found = await trusting(ca).probe(NAME, "127.0.0.1", port)
    assert (found.rule, found.state) == (Rule.OK, "ok")


async def test_a_certificate_for_somebody_else_is_told(ca: trustme.CA, port: int) -> None:
    found = await trusting(ca).probe("we.his.arc.azure.com", "127.0.0.1", port)
    assert found.rule is Rule.WRONG_CERTIFICATE
    assert "not one for we.his.arc.azure.com" in found.told


async def test_a_certificate_that_nobody_vouches_for_is_told(port: int) -> None:
    assert (await Prober(ssl.create_default_context()).probe(NAME, "127.0.0.1", port)).rule is Rule.WRONG_CERTIFICATE


async def test_a_closed_port_is_told_with_address_and_port(ca: trustme.CA) -> None:
    found = await trusting(ca).probe(NAME, "127.0.0.1", 9)
    assert (found.rule, found.state) == (Rule.PORT_CLOSED, "wrong")
    assert "127.0.0.1 port 9" in found.told


async def test_a_port_that_does_not_speak_tls_is_told(ca: trustme.CA) -> None:
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    try:
        found = await trusting(ca).probe(NAME, "127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()
    assert found.rule is Rule.PORT_CLOSED
    assert "does not go on with TLS" in found.told
