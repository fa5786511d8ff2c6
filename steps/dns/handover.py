"""Hands over to the people who run DNS exactly what they must enter, and checks that they did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runbook.step import Poll, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared.fleet import Guard, refuse_outsiders
from steps._shared.look import name_of, said
from steps._shared.lookups import ON_PREMISES, Look, checks_of, diagnosis, look_up
from steps._shared.records import Record, suffix_of


class Handover(Step):
    """Entries in DNS that is not Azure's.

    ``own``: the operator's DNS holds the records itself. ``forward``: Azure's private zones hold them and the DNS on
    the premises forwards the public suffixes into the network. Either way the entries redirect live machines. Where
    there is a guard, they are handed over only when every server of it is in the scope. What can be looked up is
    looked up; the operator's word alone counts only where nobody can look.

    Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04 (DNS configuration);
    "Azure Private Endpoint DNS integration", 2023-10-11 (forward the public suffix; 168.63.129.16 only inside Azure).
    That a forwarded suffix loses names without a private record where a zone is not linked is what operators of Azure
    Virtual Desktop report; it is documented nowhere (unconfirmed).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``vnet`` is where the forwarder's target sits, ``dns_servers`` the network's own, if it has any.

        ``zones`` are names of private zones; the public suffixes to forward follow from them.
        """

        mode: Literal["own", "forward"]
        records: tuple[Record, ...]
        zones: tuple[str, ...]
        vnet: str
        guard: Guard | None = None
        dns_servers: tuple[str, ...] = ()

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        looks = await look_up(ctx.dns, p.records, [ON_PREMISES])
        checks = checks_of(looks)
        is_seen = any(look.answer is not None for look in looks)
        wrong = [look for look in looks if look.answer is not None and not look.is_private]
        if not wrong and (is_seen or ctx.attested):
            if ctx.attested:
                checks.append(expect("entries made", "attested or seen", said(ctx.attested[-1]), ok=True))
            return Satisfied(checks, {"verified": is_seen})
        if refusal := await refuse_outsiders(ctx.arm, p.guard):
            return refusal
        return self._wait(ctx, wrong)

    def _wait(self, ctx: StepContext, wrong: Sequence[Look]) -> Waiting:
        reasons = list(dict.fromkeys(diagnosis(look) for look in wrong))
        if ctx.attested:
            message = "They say it is done, but lookups still show something else (answers may be cached for a while). "
            message += " ".join(reasons[:3])
        else:
            message = "Give them the entries below. They redirect live machines, so agree on a time."
        return Waiting(
            who="the DNS team",
            message=message,
            then="The names are looked up from every place; then the result is proven.",
            poll=Poll(first_s=60, longest_s=3600) if ctx.attested else None,
            draft=self.draft(),
            attest="" if ctx.attested else "The DNS team has made these entries: who, when, ticket",
            checks=checks_of(wrong),
        )

    def draft(self) -> str:
        """The message: records, forwarding and hosts lines as the mode needs them."""
        p = self.params
        suffixes = sorted({suffix_of(z) for z in p.zones})
        if p.mode == "forward":
            asked = _forwarding(suffixes, p.zones, p.vnet, p.dns_servers)
            return f"{asked}\n\nAfterwards these names must resolve to:\n{_hosts(p.records)}\n"
        return (
            f"Please make these entries in the DNS that the machines on the premises use.\n\n"
            f"1. Records (one zone for each suffix, or single records; no empty zones):\n{_records(p.records)}\n\n"
            f"2. If other DNS servers ask yours: conditional forwarders to your own server for\n"
            + "\n".join(f"   {s}" for s in suffixes)
            + "\n\n3. For single machines instead, lines for /etc/hosts or "
            f"C:\\Windows\\System32\\drivers\\etc\\hosts:\n{_hosts(p.records)}\n"
        )


def _records(records: Sequence[Record]) -> str:
    return "\n".join(f"   {r.fqdn}.  10  IN  A  {r.ip}" for r in sorted(records, key=lambda r: r.fqdn))


def _hosts(records: Sequence[Record]) -> str:
    return "\n".join(f"{r.ip} {r.fqdn}" for r in sorted(records, key=lambda r: r.fqdn))


def _forwarding(suffixes: Sequence[str], zones: Sequence[str], vnet: str, servers: Sequence[str]) -> str:
    known = f" (the network's DNS servers are {', '.join(servers)})" if servers else ""
    lines = "\n".join(f"   {s}" for s in suffixes)
    target = "<address of the resolver in the network>"
    windows = "\n".join(f"   Add-DnsServerConditionalForwarderZone -Name {s} -MasterServers {target}" for s in suffixes)
    bind = "\n".join(f'   zone "{s}" {{ type forward; forward only; forwarders {{ {target}; }}; }};' for s in suffixes)
    return (
        "Please forward these public suffixes (not the privatelink names) to a resolver inside "
        f"{name_of(vnet)}{known}:\n{lines}\n\n"
        "That resolver is a DNS Private Resolver inbound endpoint, a firewall with DNS proxy, or a forwarder "
        "machine; it asks "
        "168.63.129.16, which answers inside Azure only.\n\n"
        f"With this, every name below {_either(suffixes)} is asked there, also one that has no private record. Such "
        "names can break. Before you switch, make sure that the network which that resolver asks through is linked to "
        f"{_every(zones)} of this run, and try a name without a private record.\n\n"
        f"Windows DNS:\n{windows}\n\nBIND:\n{bind}"
    )


def _either(words: Sequence[str]) -> str:
    return " or ".join(words) or "them"


def _every(zones: Sequence[str]) -> str:
    count = len({z.lower() for z in zones})
    return "the one private zone" if count == 1 else f"all {count} private zones"
