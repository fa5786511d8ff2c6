"""Asks DNS servers from this machine: the system's own, or one that the operator names; and shows the whole answer.

A named server is asked over UDP, then over TCP where the answer was cut short or UDP stayed silent. Only questions for
IPv4 addresses are sent, with recursion desired.

Source: dnspython 2.8, ``dns.asyncquery``; RFC 1035, section 4.1.1 (AA, RA, response codes); RFC 7766 (DNS over TCP).
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from runbook.core.error import UsageError
from runbook.dns.model import Answer

if TYPE_CHECKING:
    from dns.message import Message

UDP_S: Final = 2.0
TCP_S: Final = 3.0
MOST_LINKS: Final = 16


def parse_server(text: str) -> tuple[str, int]:
    """``ADDRESS`` or ``ADDRESS:PORT``; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: it is no address.
    """
    host, port = text.strip(), "53"
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        port = port.removeprefix(":") or "53"
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        number = int(port)
        if not 0 < number < 65536:
            raise ValueError(port)
        return str(ip_address(host)), number
    except ValueError:
        raise UsageError(
            f"{text!r} is no address of a DNS server.",
            "--resolver takes an IP address, with a port behind a colon where it is not 53: 10.0.0.4 or "
            "127.0.0.1:5353.",
        ) from None


class NamedServer:
    """One DNS server. ``title`` is its address, with the port where that is not 53."""

    def __init__(self, address: str, port: int = 53, *, udp_s: float = UDP_S, tcp_s: float = TCP_S) -> None:
        self._address, self._port = address, port
        self._udp_s, self._tcp_s = udp_s, tcp_s
        host = f"[{address}]" if ":" in address else address
        self.title = address if port == 53 else f"{host}:{port}"

    async def ask(self, name: str) -> Answer:
        """The whole answer for one name; what went wrong is told as its status."""
        from dns import asyncquery, exception, flags, message, rdatatype

        query = message.make_query(name, rdatatype.A)
        transport = "udp"
        try:
            reply = await asyncquery.udp(
                query, self._address, self._udp_s, port=self._port, ignore_unexpected=True, raise_on_truncation=False
            )
            is_cut = bool(reply.flags & flags.TC)
        except exception.Timeout:
            is_cut = True
        except (OSError, EOFError, exception.DNSException):
            return Answer(name, "TIMEOUT", server=self.title, transport=transport)
        if is_cut:
            transport = "tcp"
            try:
                reply = await asyncquery.tcp(query, self._address, self._tcp_s, port=self._port)
            except (OSError, EOFError, exception.DNSException):
                return Answer(name, "TIMEOUT", server=self.title, transport=transport)
        return replace(answer_of(name, reply), server=self.title, transport=transport)


def answer_of(name: str, reply: Message) -> Answer:
    """A reply taken apart: its chain of aliases, its addresses, the shortest time that a part of it may be kept."""
    from dns import flags, rcode, rdatatype
    from dns.name import from_text

    here = from_text(name)
    chain: list[str] = []
    ttls: list[int] = []
    for _ in range(MOST_LINKS):
        alias = reply.get_rrset(reply.answer, here, 1, rdatatype.CNAME)  # type: ignore[arg-type]
        if alias is None:
            break
        here = alias[0].target
        chain.append(str(here).rstrip(".").lower())
        ttls.append(alias.ttl)
    held = reply.get_rrset(reply.answer, here, 1, rdatatype.A)  # type: ignore[arg-type]
    if held is not None:
        ttls.append(held.ttl)
    return Answer(
        name,
        rcode.to_text(reply.rcode()),
        tuple(chain),
        tuple(sorted(str(a) for a in held)) if held is not None else (),
        ttl_s=min(ttls) if ttls else None,
        is_own=bool(reply.flags & flags.AA),
    )


class SystemResolver:
    """The system's own way, as programs of this machine go it: hosts file, then its DNS servers."""

    title = "this machine"

    async def ask(self, name: str) -> Answer:
        """What a program here would get. Nobody says aliases or how long it may be kept."""
        import asyncio
        import socket

        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(UDP_S + TCP_S):
                found = await loop.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
        except TimeoutError:
            return Answer(name, "TIMEOUT", server=self.title)
        except socket.gaierror as error:
            is_absent = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
            return Answer(name, "NXDOMAIN" if is_absent else "SERVFAIL", server=self.title)
        except OSError:
            return Answer(name, "SERVFAIL", server=self.title)
        return Answer(name, "NOERROR", addresses=tuple(sorted({str(at[0]) for *_, at in found})), server=self.title)
