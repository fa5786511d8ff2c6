"""What DNS that is not Azure's needs for a run, in its own language: conditional forwarders, or records. Pure.

Where Azure holds the names, the *public* suffixes are forwarded to a resolver in the virtual network, never the
``privatelink`` names, and never to 168.63.129.16 from outside Azure. Where the operator's own DNS holds them, exactly
the run's records are written, name by name, so that no other public name below those suffixes is hidden.

Source: "Azure Private Endpoint DNS integration", Microsoft Learn, 2023-10-11 (forward the public zone; 168.63.129.16
inside Azure only); BIND 9 Administrator Reference Manual (``type forward``; a zone for a single name); unbound.conf(5)
(``forward-zone``, ``local-data``); dnsmasq(8) (``--server``, ``--host-record``); module DnsServer
(``Add-DnsServerConditionalForwarderZone``, ``Add-DnsServerPrimaryZone``); hosts(5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Final, Literal

from runbook.core.error import UsageError
from runbook.core.records import suffix_of
from runbook.dns.estate import AZURE_DNS
from runbook.dns.model import Name, Table

Form = Literal["bind", "unbound", "dnsmasq", "windows", "hosts"]
UNKNOWN: Final = "<address of the resolver in the network>"
_COMMENT: Final[Mapping[str, str]] = {"bind": "//"}


def export(table: Table, form: str, target: str = "") -> str:
    """The lines for one kind of server, ready to hand over; ends in a line end.

    Args:
        table: the run's names.
        form: one of ``Form``.
        target: address of the resolver in the network that forwarders are to ask; a placeholder stands there without.

    Raises:
        UsageError: there are no names yet, or the target cannot be one.
    """
    if not table.names:
        raise UsageError(
            "The run has no private names yet, so there is nothing to export.",
            "Its private endpoint gives them; `runbook status RUN` shows how far it is.",
        )
    holds = table.keeps != "azure" or form == "hosts"
    body = _RECORDS[form](table.names) if holds else _FORWARDS[form](_suffixes(table), _target(target))
    mark = _COMMENT.get(form, "#")
    forest = [f"{mark} Leave -ReplicationScope out where the zones are not in Active Directory."]
    return "\n".join(
        [
            *(f"{mark} {line}" for line in _head(table, holds=holds)),
            *(forest if form == "windows" else ()),
            "",
            *body,
            "",
        ]
    )


def _target(text: str) -> str:
    if not text:
        return UNKNOWN
    try:
        address = str(ip_address(text))
    except ValueError:
        raise UsageError(
            f"{text!r} is no IP address.", "--to takes the address of the resolver in the network, such as 10.20.0.4."
        ) from None
    if address == AZURE_DNS:
        raise UsageError(
            f"{AZURE_DNS} answers inside Azure only; no server outside can forward to it.",
            "Name a resolver in the network that asks it: an inbound endpoint of DNS Private Resolver, a "
            "firewall with DNS "
            "proxy, or a forwarder machine.",
        )
    return address


def _suffixes(table: Table) -> list[str]:
    return sorted({suffix_of(n.zone) for n in table.names if n.zone})


def _head(table: Table, *, holds: bool) -> Iterator[str]:
    if holds:
        yield (
            "The private names of this run, one by one: no zone for a whole suffix, or its public names would be lost."
        )
        yield "Nothing keeps these entries right: if an endpoint is ever made anew, its address changes."
        return
    yield "Forward the public suffixes, not the privatelink names, to a resolver inside the virtual network."
    yield f"That resolver asks {AZURE_DNS}, which answers inside Azure only. Its network must be linked to these zones:"
    for zone in table.zones:
        yield f"  {zone}"
    yield "Every name below these suffixes is asked there from then on; try one without a private record, too."


# ---------------------------------------------------------------- forwarders


def _forward_bind(suffixes: Sequence[str], target: str) -> list[str]:
    return [f'zone "{s}" {{ type forward; forward only; forwarders {{ {target}; }}; }};' for s in suffixes]


def _forward_unbound(suffixes: Sequence[str], target: str) -> list[str]:
    """Private addresses in answers, and unsigned ones below signed names, are dropped unless said otherwise."""
    options = [line for s in suffixes for line in (f'    private-domain: "{s}"', f'    domain-insecure: "{s}"')]
    zones = [f'forward-zone:\n    name: "{s}"\n    forward-addr: {target}' for s in suffixes]
    return ["server:", *options, "", *zones]


def _forward_dnsmasq(suffixes: Sequence[str], target: str) -> list[str]:
    """``rebind-domain-ok`` matters where ``stop-dns-rebind`` is set, which drops private addresses."""
    return [line for s in suffixes for line in (f"server=/{s}/{target}", f"rebind-domain-ok=/{s}/")]


def _forward_windows(suffixes: Sequence[str], target: str) -> list[str]:
    to = target if target != UNKNOWN else f"'{target}'"
    return [
        f"Add-DnsServerConditionalForwarderZone -Name {s} -MasterServers {to} -ReplicationScope Forest"
        for s in suffixes
    ] + ["Clear-DnsServerCache -Force"]


# ---------------------------------------------------------------- records


def _records_bind(names: Sequence[Name]) -> list[str]:
    """A zone for each single name, with its data in a file of one line beside it."""
    lines = [f'zone "{n.fqdn}" {{ type primary; file "{n.fqdn}.db"; }};' for n in names]
    files = [
        "//   printf '$TTL 60\\n@ SOA localhost. root.localhost. 1 3600 600 86400 60\\n@ NS localhost.\\n@ A "
        f"{n.address}\\n' "
        f"> {n.fqdn}.db"
        for n in names
    ]
    return [*lines, "", "// The files, in the directory that named reads:", *files]


def _records_unbound(names: Sequence[Name]) -> list[str]:
    zones = [
        line
        for n in names
        for line in (f'    local-zone: "{n.fqdn}." redirect', f'    local-data: "{n.fqdn}. 60 IN A {n.address}"')
    ]
    return ["server:", *zones]


def _records_dnsmasq(names: Sequence[Name]) -> list[str]:
    return [f"host-record={n.fqdn},{n.address},60" for n in names]


def _records_windows(names: Sequence[Name]) -> list[str]:
    lines = []
    for n in names:
        lines.append(f"Add-DnsServerPrimaryZone -Name {n.fqdn} -ReplicationScope Forest")
        lines.append(
            f"Add-DnsServerResourceRecordA -ZoneName {n.fqdn} -Name '@' -IPv4Address {n.address} -TimeToLive 00:01:00"
        )
    return lines


def _records_hosts(names: Sequence[Name]) -> list[str]:
    return [f"{n.address} {n.fqdn}" for n in names]


_FORWARDS: Final[Mapping[str, Callable[[Sequence[str], str], list[str]]]] = {
    "bind": _forward_bind,
    "unbound": _forward_unbound,
    "dnsmasq": _forward_dnsmasq,
    "windows": _forward_windows,
}
_RECORDS: Final[Mapping[str, Callable[[Sequence[Name]], list[str]]]] = {
    "bind": _records_bind,
    "unbound": _records_unbound,
    "dnsmasq": _records_dnsmasq,
    "windows": _records_windows,
    "hosts": _records_hosts,
}
