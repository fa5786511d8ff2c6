"""What Azure's own resolver answers in a virtual network, worked out from zones, links and records. Pure.

It asks the private zones that are linked to the network first, the one that fits a name best and no other: a linked
zone without the record is a black hole, unless its link falls back. What no linked zone covers is asked in public,
where the service's name is an alias of its ``privatelink`` name, and that one is looked up in the same way.

Source: "Azure Private Endpoint DNS integration", "What is an Azure Private DNS zone?" and "Fallback to internet for
Azure Private DNS zones", Microsoft Learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runbook.core.records import suffix_of
from runbook.dns.estate import AZURE_DNS, Estate, Network, Zone
from runbook.dns.model import Answer, Name, Rule

PUBLIC: Final = "a public address"
ABSENT: Final = "NXDOMAIN"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a network gets by Azure's resolver, and what is to be done about it."""

    rule: Rule
    observed: str
    cause: str = ""
    fix: str = ""
    chain: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def answer(self, name: Name, network: Network) -> Answer:
        status = ABSENT if self.observed == ABSENT else "NOERROR"
        return Answer(name.fqdn, status, self.chain, self.addresses, f"{AZURE_DNS} in {network.name}, worked out")


def seen_in(network: Network, name: Name, estate: Estate) -> Seen:
    """One name in one network, by Azure's resolver, whatever DNS servers of its own the network has."""
    linked = [z for z in estate.linked(network.id) if (link := z.link_to(network.id)) and link.is_usable]
    if (hiding := _best([z for z in linked if z.covers(name.fqdn)])) is not None:
        return _direct(hiding, network, name, estate)
    if not name.zone:
        return Seen(Rule.NOT_PROVABLE, "no zone is known for it", f"{name.fqdn} fits none of the run's private zones.")
    if (zone := _best([z for z in linked if z.covers(name.inner)])) is not None:
        return _in_zone(zone, network, name, estate)
    return _unlinked(network, name, estate)


def _best(zones: Sequence[Zone]) -> Zone | None:
    return max(zones, key=lambda z: len(z.name), default=None)


def _direct(zone: Zone, network: Network, name: Name, estate: Estate) -> Seen:
    """A zone that answers for the public name itself, so that the alias is never seen."""
    held = zone.find(name.fqdn)
    if held == (name.address,):
        return Seen(Rule.OK, name.address, addresses=held)
    if held:
        return _addresses(held, zone, network, name, estate, ())
    return Seen(
        Rule.HIDDEN_BY_ZONE,
        ABSENT,
        f"Private zone {zone.name} is linked to {network.name} and answers for the public names themselves; it has "
        f"no record {name.fqdn}, so the name does not exist there.",
        f"Have {_at(zone)} unlinked from {network.name} by its owners, or have this name entered in it.",
    )


def _in_zone(zone: Zone, network: Network, name: Name, estate: Estate) -> Seen:
    if not zone.is_readable:
        return Seen(Rule.NOT_PROVABLE, "not readable", f"The records of {_at(zone)} may not be read by this account.")
    held = zone.find(name.inner)
    chain = (name.inner,)
    if held == (name.address,):
        return Seen(Rule.OK, name.address, chain=chain, addresses=held)
    if held:
        return _addresses(held, zone, network, name, estate, chain)
    if (other := _holder(zone, name, estate)) is not None:
        return Seen(
            Rule.WRONG_ZONE,
            ABSENT,
            f"The record of {name.fqdn} is in {_at(other)}, and {network.name} resolves it through {_at(zone)}, which "
            "has none.",
            _moved(other, zone, network, name, estate),
            chain,
        )
    link = zone.link_to(network.id)
    if link is not None and link.falls_back:
        return Seen(
            Rule.FALLS_BACK,
            PUBLIC,
            f"{zone.name} lacks the record {name.relative}, and its link to {network.name} falls back to "
            "the public DNS.",
            _write_record(name, zone, estate),
            chain,
        )
    return Seen(
        Rule.BLACK_HOLE,
        ABSENT,
        f"{zone.name} is linked to {network.name} and lacks the record {name.relative}: it hides the public name and "
        "gives none.",
        _write_record(name, zone, estate),
        chain,
    )


def _addresses(
    held: tuple[str, ...], zone: Zone, network: Network, name: Name, estate: Estate, chain: tuple[str, ...]
) -> Seen:
    told = ", ".join(held)
    strangers = [a for a in held if a != name.address]
    owners = sorted({estate.owners[a] for a in strangers if a in estate.owners} - {name.endpoint_name})
    whose = f", the address of {', '.join(owners)}" if owners else ""
    if name.address in held:
        return Seen(
            Rule.SEVERAL_ADDRESSES,
            told,
            f"{zone.name} has several addresses for {name.relative}: {', '.join(strangers)} besides{whose}. Machines "
            "take now one, now the other.",
            f"Have {', '.join(strangers)} taken out of the record in {_at(zone)}.",
            chain,
            held,
        )
    if owners:
        return Seen(
            Rule.ANOTHER_ENDPOINT,
            told,
            f"The record in {zone.name} is {told}{whose}. Two endpoints of one resource write the same names; the last "
            "one wins.",
            f"Keep one of the two for this zone; then have the zone group of {name.endpoint_name} made again.",
            chain,
            held,
        )
    return Seen(
        Rule.OLD_RECORD,
        told,
        f"The record in {zone.name} is {told}, which no endpoint has that this account sees; {name.endpoint_name} has "
        f"{name.address}.",
        _write_record(name, zone, estate),
        chain,
        held,
    )


def _unlinked(network: Network, name: Name, estate: Estate) -> Seen:
    """No usable link covers the private name, so the public DNS answers."""
    there = [z for z in estate.zones if z.name == name.zone]
    chain = (name.inner,)
    waiting = next((z for z in there if z.link_to(network.id)), None)
    if waiting is not None:
        link = waiting.link_to(network.id)
        state = link.state if link else ""
        return Seen(
            Rule.LINK_NOT_READY,
            PUBLIC,
            f"The link of {waiting.name} to {network.name} is {state}; it answers once it is Completed.",
            "Look again in a minute; if it stays so, have the link removed and made again.",
            chain,
        )
    if not there:
        other = _holder(None, name, estate)
        lies = f" Its record is in {_at(other)}, which is not the zone for it." if other else ""
        return Seen(
            Rule.WRONG_ZONE if other else Rule.MISSING_ZONE,
            PUBLIC,
            f"No private zone {name.zone} exists where this account may look.{lies}",
            f"Make the zone {name.zone}, have the records written into it, and link {network.name} last.",
            chain,
        )
    holder = next((z for z in there if z.find(name.inner) == (name.address,)), there[0])
    has = "which holds the record" if holder.find(name.inner) else "which lacks the record, too"
    return Seen(
        Rule.MISSING_LINK,
        PUBLIC,
        f"{network.name} has no link to {_at(holder)}, {has}.",
        _link_line(holder, network, has_record=bool(holder.find(name.inner)), name=name),
        chain,
    )


def _link_line(zone: Zone, network: Network, *, has_record: bool, name: Name) -> str:
    subscription, group = _parts(zone.id)
    first = "" if has_record else f"Have {name.relative} written into it by the zone group first. "
    return (
        f"{first}Link it, which redirects live machines: az network private-dns link vnet create --subscription "
        f"{subscription} -g {group} -z {zone.name} -n link-{network.name} -v {network.id} -e false"
    )


def _at(zone: Zone) -> str:
    """A zone as a sentence names it: there may be several of one name."""
    subscription, group = _parts(zone.id)
    return f"{zone.name} (resource group {group}, subscription {subscription})" if group else zone.id


def _parts(resource: str) -> tuple[str, str]:
    words = resource.strip("/").split("/")
    return (words[1], words[3]) if len(words) > 3 else ("", "")


def _holder(not_this: Zone | None, name: Name, estate: Estate) -> Zone | None:
    """Another zone that holds this endpoint's address under the name: of the same name, or one of its suffix."""
    for zone in estate.zones:
        if zone is not_this or suffix_of(zone.name) != suffix_of(name.zone):
            continue
        if zone.find(f"{name.relative}.{zone.name}") == (name.address,):
            return zone
    return None


def _moved(other: Zone, zone: Zone, network: Network, name: Name, estate: Estate) -> str:
    written = estate.groups.get(name.endpoint.lower(), ())
    group = f" (the zone group of {name.endpoint_name} writes there)" if other.id.lower() in written else ""
    if other.name != zone.name:
        return f"{name.fqdn} belongs into {name.zone}: correct the zone group of {name.endpoint_name}{group}."
    return (
        f"Use one zone of the name: have the zone group write into {_at(zone)}, or move the link of {network.name} "
        f"to {_at(other)}{group}."
    )


def _write_record(name: Name, zone: Zone, estate: Estate) -> str:
    written = estate.groups.get(name.endpoint.lower())
    if written is None or zone.id.lower() in written:
        return (
            f"Have the zone group of {name.endpoint_name} removed and made again: it writes {name.relative} "
            f"{name.address} into {_at(zone)}. Do not enter it by hand."
        )
    return f"Add {_at(zone)} to the zone group of {name.endpoint_name}; it then writes {name.relative} {name.address}."
