"""What forbids a write to DNS: names that it would hide, and records that are somebody else's.

A network resolves a name through the one private zone that fits it best, and through nothing else. So before a link is
made, every name that the network would then see through the zone must be there, not the run's own alone.

Source: "What is an Azure Private DNS zone?" and "Azure Private Endpoint DNS integration", Microsoft Learn (a linked
zone answers before public DNS does; a missing record is NXDOMAIN; the last zone group to write a record wins).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from runbook.core.arm import Reader
from runbook.core.together import together
from runbook.step import Blocked, Poll, expect
from steps._shared.endpoints import Endpoint, endpoints_in
from steps._shared.look import name_of, whereabouts
from steps._shared.records import PREFIX, Record, record_of, suffix_of, zones_of_group
from steps._shared.zones import FoundZone
from steps.dns._rivals import MOST, names_of, zones_written

MOST_NAMED: Final = 5
SINGLE: Final = "global"
"""The one sub-resource whose names go into a zone of its own and into no other."""

Held = Mapping[str, Sequence[str]]
"""Addresses by relative name, lower case, as a zone has them."""


def hidden(hiding: Sequence[FoundZone], networks: Sequence[str], names: Mapping[str, str]) -> Blocked:
    """Zones of the public names themselves, which keep the alias into the private zone from being seen."""
    through = sorted({name_of(n) for z in hiding for n in networks if z.serves(n)})
    one = len(hiding) == 1
    return Blocked(
        "zone-hides-names",
        f"{', '.join(through)} {'resolves' if len(through) == 1 else 'resolve'} through the private "
        f"{'zone' if one else 'zones'} {', '.join(whereabouts(z.id, names) for z in hiding)}. "
        f"{'It answers' if one else 'They answer'} for the public names themselves: a name that is missing there does "
        "not exist for these networks, so nobody there would be led to the private endpoints.",
        (
            f"Have {', '.join(name_of(z.id) for z in hiding)} unlinked from {', '.join(through)} by its owners; this "
            "looks again by itself.",
            "Leave these networks out: start a run with other resolving_networks.",
        ),
        (expect("zones that hide the public names", "none", [whereabouts(z.id, names) for z in hiding]),),
        poll=Poll(first_s=300, longest_s=4 * 3600),
    )


def taken_over(zone: str, records: Sequence[Record], held: Held) -> Blocked | None:
    """Refuse a zone in which a record of ours holds another endpoint's address: the last writer has won."""
    taken = [r for r in records if (there := held.get(r.name.lower())) and r.ip not in there]
    if not taken:
        return None
    told = [f"{r.fqdn} is {', '.join(held[r.name.lower()])}, not {r.ip}" for r in taken]
    return Blocked(
        "records-of-another-endpoint",
        f"In {name_of(zone)} {_first(told)}. Somebody else's endpoint, or an edit by hand, has taken these "
        "records over; "
        "linked like this, the network would be sent there.",
        (
            "Keep one endpoint of a resource for this zone: have the other one's zone group removed, then this run's "
            "zone group removed and its node retried, which writes the records again.",
            "If it was edited by hand, have it put back; this looks again by itself.",
        ),
        (expect("records with another address", "none", told),),
        poll=Poll(first_s=60, longest_s=3600),
    )


async def would_hide(
    arm: Reader, zone: str, networks: Sequence[str], records: Sequence[Record], held: Held
) -> Blocked | None:
    """Refuse a link that would make names of other endpoints in the network disappear.

    Endpoints whose zone group writes into a zone of the same suffix are looked after. What may not be read is passed
    over: it cannot be told, and it is no reason to stop.
    """
    ours = {r.fqdn for r in records}
    own = {r.endpoint.lower() for r in records if r.endpoint}
    lists = await together(endpoints_in(arm, n) for n in networks)
    others = [e for found in lists for e in found if e.name.lower() not in own and _fits(name_of(zone), e)]
    alive = [e for e in others if e.connection.lower() == "approved"]
    if not alive:  # interfaces are many: machines have them, too
        return None
    names = await names_of(arm, alive)
    lost = {e.id: _lost(names[e.id.lower()], zone, ours, held) for e in alive}
    suspects = [e for e in alive if lost[e.id]][:MOST]
    written = await together(zones_written(arm, e.id) for e in suspects)
    suffix = suffix_of(name_of(zone))
    bare = [
        e
        for e, zones in zip(suspects, written, strict=True)
        if zones is not None and not any(suffix_of(name_of(z)) == suffix for z in zones)
    ]
    if not bare:
        return None
    told = [f"{', '.join(lost[e.id][:2])} of {e.name}" for e in bare]
    return Blocked(
        "zone-would-hide-others",
        f"{', '.join(map(name_of, networks))} also holds endpoints whose names {name_of(zone)} lacks: {_first(told)}. "
        "Once it is linked, these names do not exist there any more, in private or in public.",
        (
            f"Have {name_of(zone)} added to the zone group of {_first([e.name for e in bare])}; this looks again by "
            "itself.",
            "Have these endpoints removed by their owners, if nobody uses them any more; this looks again by itself.",
            "Leave this network out: start a run with other resolving_networks.",
        ),
        (expect("names of other endpoints that the zone lacks", "none", [n for e in bare for n in lost[e.id]]),),
        poll=Poll(first_s=300, longest_s=4 * 3600),
    )


def _fits(zone: str, endpoint: Endpoint) -> bool:
    """Whether records of the endpoint's sub-resource may stand in a zone of that name."""
    for group in endpoint.groups:
        if group.lower() == SINGLE and not zone.lower().startswith(f"{PREFIX}-{SINGLE}."):
            continue
        if zones_of_group([zone], group):
            return True
    return False


def _lost(names: Mapping[str, str], zone: str, ours: set[str], held: Held) -> list[str]:
    found = []
    for fqdn in names:
        record = record_of(fqdn, "", [name_of(zone)])
        if record.zone and fqdn not in ours and record.name not in held and "*" not in held:
            found.append(fqdn)
    return sorted(found)


def _first(told: Sequence[str]) -> str:
    more = len(told) - MOST_NAMED
    return "; ".join(told[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
