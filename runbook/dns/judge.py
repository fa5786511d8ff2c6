"""The verdict on one answer: what it is, why, and what puts it right. Pure.

The order is that of Microsoft's troubleshooting: does anybody answer, does the name exist, is the address private, is
it the right one. A cause is named only where the evidence tells it from the others; else the sentence says which
remain.

Source: "Azure Private Endpoint DNS integration" and "Use Azure Private Link to connect servers to Azure Arc",
troubleshooting, Microsoft Learn; RFC 1034, section 3.6.2 (aliases); RFC 1035, section 4.1.1 (the AA bit).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from runbook.core.records import is_private_address, suffix_of
from runbook.dns.azure import Seen, seen_in
from runbook.dns.estate import AZURE_DNS, Estate
from runbook.dns.model import Answer, Cell, Name, Place, Rule


@dataclass(frozen=True, slots=True)
class Looked:
    """What a place answered for the public name, and for the private one (``inner``) where that was asked."""

    answer: Answer
    inner: Answer | None = None


@dataclass(frozen=True, slots=True)
class Hints:
    """What other names tell about the same place.

    Attributes:
        is_sibling_ok: another public name below the same suffix is right there.
        is_inner_ok: a private name of the same zone is right there.
    """

    is_sibling_ok: bool = False
    is_inner_ok: bool = False


NO_HINTS: Final = Hints()


def judge(name: Name, place: Place, looked: Looked | None, estate: Estate, hints: Hints = NO_HINTS) -> Cell:
    """The cell of one name at one place.

    Args:
        name: with what it must be.
        place: where it was looked up.
        looked: the answer, if somebody could look.
        estate: what Azure says.
        hints: what other names tell about that place.
    """
    if place.kind == "network":
        return _in_network(name, place, looked, estate, hints)
    if looked is None:
        return Cell(name.fqdn, place.id, Rule.NOT_PROVABLE, "not seen", place.why_not)
    return _excused(place, _of_answer(name, place, looked, estate, hints))


def _excused(place: Place, cell: Cell) -> Cell:
    """A wrong answer where a machine may well stand outside proves nothing."""
    if place.counts or cell.rule is Rule.OK:
        return cell
    return replace(cell, rule=Rule.NOT_PROVABLE, cause=place.why_not, fix="")


def _in_network(name: Name, place: Place, looked: Looked | None, estate: Estate, hints: Hints) -> Cell:
    network = estate.network(place.network)
    if not network.is_readable and looked is None:
        return Cell(name.fqdn, place.id, Rule.NOT_PROVABLE, "not seen", f"{network.name} may not be read, or is gone.")
    seen = seen_in(network, name, estate)
    if looked is None:
        if seen.rule is Rule.OK and network.is_custom:
            servers = ", ".join(network.servers)
            why = (
                f"Azure would answer rightly, but the machines of {network.name} ask {servers}. Ask them: --resolver "
                f"{network.servers[0]}, or paste what a machine there gets."
            )
            return Cell(name.fqdn, place.id, Rule.NOT_PROVABLE, "right in Azure", why)
        return _as_seen(name, place, seen, seen.answer(name, network))
    if looked.answer.addresses == (name.address,):
        return Cell(name.fqdn, place.id, Rule.OK, name.address, answer=looked.answer)
    if seen.rule not in (Rule.OK, Rule.NOT_PROVABLE):
        return replace(_as_seen(name, place, seen, looked.answer), observed=looked.answer.told)
    if network.is_custom and _is_public(looked.answer):
        servers = ", ".join(network.servers)
        return Cell(
            name.fqdn,
            place.id,
            Rule.SERVERS_DO_NOT_FORWARD,
            looked.answer.told,
            f"{network.name} uses DNS servers of its own, {servers}, and they do not ask Azure: zone, link and record "
            "are right, the answer is public.",
            f"Have {servers} forward {suffix_of(name.zone)} to {AZURE_DNS} (they must stand in a linked network), or "
            f"set {network.name} back to Azure's DNS and restart its machines.",
            looked.answer,
        )
    return _of_answer(name, place, looked, estate, hints)


def _as_seen(name: Name, place: Place, seen: Seen, answer: Answer) -> Cell:
    return Cell(name.fqdn, place.id, seen.rule, seen.observed, seen.cause, seen.fix, answer)


# ---------------------------------------------------------------- any resolver


def _of_answer(name: Name, place: Place, looked: Looked, estate: Estate, hints: Hints) -> Cell:
    answer = looked.answer
    if answer.addresses == (name.address,):
        return Cell(name.fqdn, place.id, Rule.OK, name.address, answer=answer)
    rule, cause, fix = _verdict(name, place, looked, estate, hints)
    return Cell(name.fqdn, place.id, rule, answer.told, cause, fix, answer)


def _verdict(name: Name, place: Place, looked: Looked, estate: Estate, hints: Hints) -> tuple[Rule, str, str]:
    answer, suffix = looked.answer, suffix_of(name.zone or name.fqdn)
    who = answer.server or place.title
    match answer.status:
        case "TIMEOUT":
            return Rule.TIMEOUT, f"{who} does not answer for {name.fqdn}.", _reachable(suffix)
        case "REFUSED":
            return (
                Rule.REFUSED,
                f"{who} refuses to answer for {name.fqdn}: it does not serve whoever asks from here.",
                "Have this machine allowed to ask there (recursion, access list), or ask the server that the "
                "machines use.",
            )
        case "NOERROR" | "NXDOMAIN":
            pass
        case status:
            return Rule.SERVER_FAILURE, f"{who} fails on {name.fqdn} ({status}).", _reachable(suffix)
    if not answer.addresses:
        return _nothing(name, who, answer, suffix)
    strangers = [a for a in answer.addresses if a != name.address]
    if name.address in answer.addresses:
        return (
            Rule.SEVERAL_ADDRESSES,
            f"{who} gives {', '.join(strangers)} besides the right address: two sources of the name are mixed.",
            f"Have {', '.join(strangers)} removed where that server gets it from.",
        )
    if _is_public(answer):
        return _public(name, who, answer, suffix, hints)
    return _private(name, who, answer, strangers, estate)


def _reachable(suffix: str) -> str:
    return (
        f"See that the server runs and may be asked from here. If it forwards {suffix}, its forwarder must "
        "be a resolver "
        f"in the virtual network; {AZURE_DNS} itself answers inside Azure only."
    )


def _nothing(name: Name, who: str, answer: Answer, suffix: str) -> tuple[Rule, str, str]:
    lasts = _lasts(answer)
    if answer.is_own:
        return (
            Rule.BLACK_HOLE,
            f"{who} holds a zone of its own that covers {name.fqdn} and has no record for it: the public "
            "name is hidden "
            "and there is no private one.",
            f"Have that zone removed and {suffix} forwarded instead, or have {name.fqdn} {name.address} entered in it.",
        )
    return (
        Rule.BLACK_HOLE,
        f"{who} says that {name.fqdn} does not exist: a private zone without this record, on the way or there.{lasts}",
        f"Find the zone that covers {name.inner or name.fqdn} where that server asks; it needs the record "
        f"{name.relative} {name.address}, or must go.",
    )


def _public(name: Name, who: str, answer: Answer, suffix: str, hints: Hints) -> tuple[Rule, str, str]:
    if hints.is_sibling_ok:
        left = f" for at most {answer.ttl_s} s more" if answer.ttl_s is not None else ""
        return (
            Rule.STALE_CACHE,
            f"{who} gives the old, public answer out of its cache{left}: other names below {suffix} are right there.",
            f"Wait{left}, or have that cache cleared (Clear-DnsServerCache, rndc flush, unbound-control flush_zone "
            f"{suffix}); on machines ipconfig /flushdns or resolvectl flush-caches.",
        )
    if hints.is_inner_ok:
        return (
            Rule.FORWARDS_PRIVATELINK,
            f"{who} is right for names in {name.zone} and public for {name.fqdn}: the privatelink name is "
            "forwarded, not the "
            "public one, and the forwarder of the public name follows the alias by itself.",
            f"Have {suffix} forwarded, instead of {name.zone}, to a resolver in the virtual network.",
        )
    return (
        Rule.PUBLIC_ANSWER,
        f"{who} gives the public address of {name.fqdn}: {suffix} is not forwarded into the virtual network, or to a "
        f"network that does not resolve it privately.{_lasts(answer)}",
        f"Have {suffix} (not {name.zone or 'the privatelink name'}) forwarded to a resolver in a network "
        "that is linked "
        "to the zone; `runbook dns RUN --export` writes the lines.",
    )


def _private(name: Name, who: str, answer: Answer, strangers: list[str], estate: Estate) -> tuple[Rule, str, str]:
    told = ", ".join(strangers)
    if all(map(_is_nowhere, strangers)):
        return (
            Rule.OTHER_ADDRESS,
            f"{who} gives {told}, which leads nowhere: a DNS filter or a hosts file blocks the name.",
            f"Have {name.fqdn} taken off that block list, or out of the hosts file.",
        )
    owners = sorted({estate.owners[a] for a in strangers if a in estate.owners} - {name.endpoint_name})
    if owners:
        return (
            Rule.ANOTHER_ENDPOINT,
            f"{who} gives {told}, the address of {', '.join(owners)}; {name.endpoint_name} has {name.address}.",
            f"Have the record, or the zone that it comes from, corrected to {name.address}.",
        )
    if answer.is_own or (name.recorded in strangers and answer.ttl_s is None):
        return (
            Rule.OLD_RECORD,
            f"{who} has an entry of its own, {told}; {name.endpoint_name} has {name.address} now.",
            f"Have the entry corrected to {name.fqdn} {name.address}, or replaced by a forwarder for the "
            "public suffix.",
        )
    if answer.ttl_s is not None:
        return (
            Rule.STALE_CACHE,
            f"{who} gives {told}, which no endpoint has any more that this account sees: an answer kept for at most "
            f"{answer.ttl_s} s more, or an outdated record behind it.",
            f"Look again in {answer.ttl_s} s, or have that cache cleared; if it stays, correct the record to "
            f"{name.address}.",
        )
    return (
        Rule.OTHER_ADDRESS,
        f"{who} gives {told}, a private address that belongs to no endpoint this account sees.",
        f"Find out where that server has it from, and have it corrected to {name.address}.",
    )


def _lasts(answer: Answer) -> str:
    return f" An old answer would be kept for at most {answer.ttl_s} s more." if answer.ttl_s else ""


def _is_public(answer: Answer) -> bool:
    return bool(answer.addresses) and all(_is_public_address(a) for a in answer.addresses)


def _is_public_address(address: str) -> bool:
    try:
        return not is_private_address(address) and not _is_nowhere(address)
    except ValueError:
        return False


def _is_nowhere(address: str) -> bool:
    """Whether it leads to the asking machine itself or to nobody, as filters answer."""
    try:
        at = ip_address(address)
    except ValueError:
        return False
    return at.is_loopback or at.is_unspecified or at.is_link_local or at.is_multicast
