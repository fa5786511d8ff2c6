"""Real DNS servers on loopback, and stand-ins for what they ask: Azure's resolver in a network, and the public DNS."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from runbook.here.lookups import NamedServer

TRIES: Final = 100
"""Looks whether a server is up, 50 ms apart."""
STARTS: Final = 3
"""Ports that are tried."""


class Upstream(asyncio.DatagramProtocol):
    """Answers from a table: a name to its alias, or to an address. What is not in it does not exist."""

    transport: Any

    def __init__(self, table: Mapping[str, str], ttl_s: int = 300) -> None:
        self.table, self.ttl_s = dict(table), ttl_s
        self.refuses = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        asked = dns.message.from_wire(data)
        question = asked.question[0]
        reply = dns.message.make_response(asked)
        reply.flags |= dns.flags.RA
        name = str(question.name).rstrip(".").lower()
        if self.refuses or name not in self.table:
            reply.set_rcode(dns.rcode.REFUSED if self.refuses else dns.rcode.NXDOMAIN)
        while question.rdtype == dns.rdatatype.A and (value := self.table.get(name)):
            kind, text = ("A", value) if value[0].isdigit() else ("CNAME", f"{value}.")
            reply.answer.append(dns.rrset.from_text(f"{name}.", self.ttl_s, "IN", kind, text))
            if kind == "A":
                break
            name = value
        self.transport.sendto(reply.to_wire(), addr)


@asynccontextmanager
async def upstream(table: Mapping[str, str], ttl_s: int = 300) -> AsyncIterator[tuple[Upstream, int]]:
    """A stand-in on a free port."""
    made = Upstream(table, ttl_s)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: made, local_addr=("127.0.0.1", 0))
    try:
        yield made, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def free_port() -> int:
    """A port that is free for UDP and TCP at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        return int(tcp.getsockname()[1])


def program(name: str) -> str:
    """Where a server is installed; the test is skipped where it is not."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: this test asks the real server.")
    return found


def written(folder: Path, name: str, lines: Sequence[str]) -> Path:
    """A file of configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


@asynccontextmanager
async def dnsmasq(folder: Path, *lines: str) -> AsyncIterator[str]:
    """dnsmasq with these lines of configuration; gives its address with the port."""

    def command(port: int) -> list[str]:
        fixed = (f"port={port}", "listen-address=127.0.0.1", "bind-interfaces", "no-resolv", "no-hosts", "pid-file=")
        conf = written(folder, "dnsmasq.conf", (*fixed, *lines))
        return [program("dnsmasq"), "--keep-in-foreground", f"--conf-file={conf}"]

    async with _running(command) as address:
        yield address


@asynccontextmanager
async def unbound(folder: Path, server: Sequence[str] = (), *lines: str) -> AsyncIterator[str]:
    """Unbound with these options of its server, and further sections; gives its address with the port."""

    def command(port: int) -> list[str]:
        fixed = (
            *(f"interface: 127.0.0.1@{port}", "do-daemonize: no", 'username: ""', 'chroot: ""', 'pidfile: ""'),
            *("use-syslog: no", "module-config: iterator", "do-not-query-localhost: no", "num-threads: 1"),
            *("do-ip6: no", f'directory: "{folder}"'),
        )
        conf = written(folder, "unbound.conf", ["server:", *(f"  {line}" for line in (*fixed, *server)), *lines])
        return [program("unbound"), "-d", "-c", str(conf)]

    async with _running(command) as address:
        yield address


@asynccontextmanager
async def _running(command: Callable[[int], Sequence[str]]) -> AsyncIterator[str]:
    """A server on a port that was free a moment ago; where another process was quicker, on another one."""
    port = free_port()
    process = await _begun(command(port))
    try:
        for left in reversed(range(STARTS)):
            said = await _until_up(process, port)
            if said is None:
                break
            assert left, f"the server ended: {said}"
            port = free_port()
            process = await _begun(command(port))
        yield f"127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _begun(argv: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )


async def _until_up(process: asyncio.subprocess.Process, port: int) -> str | None:
    """Wait for the first answer of any kind; what it said where it ended instead."""
    server = NamedServer("127.0.0.1", port, udp_s=0.2, tcp_s=0.2)
    for _ in range(TRIES):
        try:
            await asyncio.wait_for(process.wait(), 0.05)
        except TimeoutError:
            if (await server.ask("up.test")).status != "TIMEOUT":
                return None
            continue
        _, said = await process.communicate()
        return said.decode(errors="replace")
    raise AssertionError("the server is not up")
