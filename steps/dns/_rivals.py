"""Other private endpoints that lead where planned ones are to lead, and where their records are or would be.

Source: Azure Network REST 2024-01-01, private endpoints and zone groups; DesktopVirtualization 2024-04-03, host pools
and workspaces (``privateEndpointConnections`` in their lists); "Azure Private Endpoint DNS integration", Microsoft
Learn (a zone group writes into its zone whatever stands there: the last one wins).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json, Reader
from runbook.core.ids import ResourceId, subscription_of
from runbook.core.together import together
from steps._shared import versions
from steps._shared.endpoints import Endpoint, endpoint_of, version_of
from steps._shared.look import dig, name_of, properties, readable, same
from steps._shared.planned import Planned
from steps._shared.records import PREFIX, record_of
from steps._shared.zones import FoundZone

MOST: Final = 40
"""Objects that are read one by one; beyond that they count as not looked at, and that is told."""
FAMILIES: Final = {
    "microsoft.desktopvirtualization": frozenset({"wvd"}),
    "microsoft.hybridcompute": frozenset({"his", "guestconfiguration", "dp"}),
}
"""Second label of the zones that hold records of a provider's targets, in every cloud.

Source: "Azure Private Endpoint private DNS zone values", Microsoft Learn.
"""
GONE: Final = frozenset({"rejected", "disconnected"})


@dataclass(frozen=True, slots=True)
class Rival:
    """Another endpoint to the place of a planned one. ``endpoint`` is None where this account does not see it."""

    planned: Planned
    id: str
    endpoint: Endpoint | None


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything read for the comparison.

    Attributes:
        zones: those that one of the networks resolves through.
        held: records of each zone: zone id in lower case to name to addresses.
        names: public names and addresses of endpoints by id in lower case, as far as they can be read.
    """

    zones: tuple[FoundZone, ...]
    held: Mapping[str, Mapping[str, tuple[str, ...]]]
    names: Mapping[str, Mapping[str, str]]

    def standing(self, endpoint: str, ours: Mapping[str, str]) -> list[str]:
        """Records under the endpoint's names that do not hold our address, where we have one."""
        found = []
        for fqdn in self.names.get(endpoint.lower(), {}):
            for zone in self.zones:
                record = record_of(fqdn, "", [name_of(zone.id)])
                there = self.held[zone.id.lower()].get(record.name, ()) if record.zone else ()
                if there and there != (ours.get(fqdn),):
                    found.append(f"{fqdn} is {', '.join(there)} in {zone.id}")
        return found


async def endpoints_of(arm: Reader, subscriptions: Sequence[str]) -> tuple[list[Endpoint], list[str]]:
    """Every private endpoint of some subscriptions, by id, and the subscriptions that may not be read."""
    path = "/subscriptions/{}/providers/Microsoft.Network/privateEndpoints"
    lists = await together(readable(arm, path.format(s), versions.NETWORK) for s in subscriptions)
    found = [endpoint_of(d) for docs in lists for d in docs or ()]
    closed = [s for s, docs in zip(subscriptions, lists, strict=True) if docs is None]
    return sorted(found, key=lambda e: e.id.lower()), closed


def ours_of(planned: Planned, seen: Iterable[Endpoint]) -> Endpoint | None:
    """The endpoint that will be used for a planned one: that of its name, else one of its network that leads there."""
    there = [e for e in seen if e.leads_to(planned.target, planned.group)]
    named = next((e for e in there if same(e.id, planned.endpoint)), None)
    return named or next((e for e in there if same(e.network, planned.vnet)), None)


async def rivals_of(
    arm: Reader, planned: Sequence[Planned], seen: Sequence[Endpoint]
) -> tuple[list[Rival], list[Planned]]:
    """The rivals of some planned endpoints, and those whose targets' own lists could not all be read."""
    there: dict[tuple[str, str], list[Endpoint]] = {}
    for endpoint in seen:
        for group in endpoint.groups:
            there.setdefault((endpoint.target.lower(), group.lower()), []).append(endpoint)
    known = {e.id.lower() for e in seen}
    told, unread = await _connections(arm, planned)
    found: dict[tuple[str, str], Rival] = {}
    for p in planned:
        near = there.get((p.target.lower(), p.group.lower()), [])
        ours = ours_of(p, near)
        for e in near:
            if e is not ours and not same(e.id, p.endpoint):
                found[p.id, e.id.lower()] = Rival(p, e.id, e)
        for connection in told.get(p.target.lower(), ()):
            other = str(dig(connection, "properties", "privateEndpoint", "id") or "")
            if other and other.lower() not in known and not same(other, p.endpoint) and _is_for(connection, p.group):
                found.setdefault((p.target.lower(), other.lower()), Rival(p, other, None))
    return list(found.values()), unread


def _is_for(connection: Json, group: str) -> bool:
    """Whether a connection is alive and for that sub-resource, as far as it tells: not every version names it."""
    groups = [str(g).lower() for g in properties(connection).get("groupIds") or ()]
    state = str(dig(connection, "properties", "privateLinkServiceConnectionState", "status") or "").lower()
    return (not groups or group.lower() in groups) and state not in GONE


async def _connections(arm: Reader, planned: Sequence[Planned]) -> tuple[dict[str, list[Json]], list[Planned]]:
    """What the targets themselves list, by target in lower case, from one list for each kind and subscription."""
    by_list: dict[str, tuple[str, list[Planned]]] = {}
    for p in {p.target.lower(): p for p in planned}.values():
        at = ResourceId.parse(p.target)
        path = f"/subscriptions/{at.subscription}/providers/{at.namespace}/{at.types[0]}"
        by_list.setdefault(path.lower(), (path, []))[1].append(p)
    told: dict[str, list[Json]] = {}
    silent: list[Planned] = []
    for path, mine in by_list.values():
        docs = await readable(arm, path, version_of(mine[0].target)) or []
        held = {str(d.get("id", "")).lower(): properties(d) for d in docs}
        for p in mine:
            at_target = held.get(p.target.lower())
            if at_target is not None and "privateEndpointConnections" in at_target:
                told[p.target.lower()] = list(at_target["privateEndpointConnections"] or ())
            elif at_target is not None:
                silent.append(p)
    asked = silent[:MOST]
    lists = await together(readable(arm, f"{p.target}/privateEndpointConnections", version_of(p.target)) for p in asked)
    told |= {p.target.lower(): docs for p, docs in zip(asked, lists, strict=True) if docs is not None}
    return told, [p for p in silent if p.target.lower() not in told]


def may_hold(zone: str, planned: Sequence[Planned]) -> bool:
    """Whether a zone of that name may hold records of one of the planned endpoints."""
    first, _, rest = zone.lower().partition(".")
    for p in planned:
        family = FAMILIES.get(ResourceId.parse(p.target).namespace.lower())
        if first in (PREFIX, f"{PREFIX}-{p.group}".lower()) and (not family or rest.partition(".")[0] in family):
            return True
    return False


async def records_in(arm: Reader, zones: Sequence[FoundZone]) -> dict[str, dict[str, tuple[str, ...]]]:
    """The A records of some zones: one list for each."""
    lists = await together(arm.list(f"{z.id}/A", versions.PRIVATE_DNS) for z in zones)
    return {
        z.id.lower(): {
            str(d.get("name", "")).lower(): tuple(
                str(a.get("ipv4Address")) for a in properties(d).get("aRecords") or ()
            )
            for d in docs
        }
        for z, docs in zip(zones, lists, strict=True)
    }


async def names_of(arm: Reader, endpoints: Sequence[Endpoint]) -> dict[str, dict[str, str]]:
    """Names and addresses of some endpoints by id in lower case, from the lists of network interfaces."""
    places = sorted({subscription_of(e.id) or "" for e in endpoints} - {""})
    path = "/subscriptions/{}/providers/Microsoft.Network/networkInterfaces"
    lists = await together(readable(arm, path.format(s), versions.NETWORK) for s in places)
    cards = {str(c.get("id", "")).lower(): c for docs in lists for c in docs or ()}
    return {e.id.lower(): _names(e, cards.get(e.nic.lower())) for e in endpoints}


def _names(endpoint: Endpoint, card: Json | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in properties(endpoint.doc).get("customDnsConfigs") or ():
        found |= {str(item.get("fqdn", "")).lower(): str(a) for a in (item.get("ipAddresses") or ())[:1]}
    for configuration in properties(card).get("ipConfigurations") or ():
        at = properties(configuration)
        for fqdn in dig(at, "privateLinkConnectionProperties", "fqdns") or ():
            found[str(fqdn).lower()] = str(at.get("privateIPAddress", ""))
    return found


async def zones_written(arm: Reader, endpoint: str) -> list[str] | None:
    """Ids of the zones that an endpoint's zone group writes to; None where that may not be read."""
    groups = await readable(arm, f"{endpoint}/privateDnsZoneGroups", versions.NETWORK)
    if groups is None:
        return None
    configs = [c for g in groups for c in properties(g).get("privateDnsZoneConfigs") or ()]
    return [str(dig(c, "properties", "privateDnsZoneId") or "") for c in configs]
