"""Reads from ARM what the truth table stands on. Lists of a kind rather than calls for each object; reads only.

Source: Private DNS 2020-06-01; Azure Network REST 2024-01-01.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from runbook.core.arm import Json, Reading
from runbook.core.error import Refused
from runbook.core.together import together
from runbook.dns.estate import (
    Estate,
    Wanted,
    Zone,
    endpoint_names,
    group_zones,
    interface_of,
    is_near,
    network_of,
    zone_of,
)

SUBSCRIPTIONS: Final = "2022-12-01"
NETWORK: Final = "2024-01-01"
PRIVATE_DNS: Final = "2020-06-01"

MOST_PLACES: Final = 50
"""Subscriptions that are looked through besides those of the run; a tenant may have thousands."""
MOST_ZONES: Final = 60
MOST_GROUPS: Final = 40
"""Endpoints whose zone groups are read; only those with a wrong record are."""


async def read_estate(arm: Reading, want: Wanted) -> Estate:
    """Zones, links, records, networks and endpoints, wherever this account may look.

    Raises:
        ArmError: a read failed for another reason than a missing right.
    """
    subscriptions, remarks = await _area(arm, want.subscriptions)
    fqdns = [r[0] for r in want.records]
    zones = await _zones(arm, subscriptions, fqdns, remarks)
    networks = await together(_one(arm, n, NETWORK) for n in want.networks)
    for id_, doc in zip(want.networks, networks, strict=True):
        if doc is None:
            remarks.append(f"Virtual network {_name(id_)} may not be read, or is gone: nothing is proven for it.")
    homes = [h for h in dict.fromkeys(_subscription(r) for r in (*want.endpoints, *want.networks)) if h]
    names, owners, listed = await _endpoints(arm, homes)
    return Estate(
        zones=zones,
        networks={i.lower(): network_of(i, d) for i, d in zip(want.networks, networks, strict=True)},
        names=names,
        owners=owners,
        homes=frozenset(listed),
        remarks=tuple(remarks),
    )


async def with_groups(arm: Reading, estate: Estate, endpoints: Iterable[str]) -> Estate:
    """The same, and which zones the zone groups of some endpoints write to."""
    asked = list(dict.fromkeys(e.lower() for e in endpoints))[:MOST_GROUPS]
    lists = await together(_list(arm, f"{e}/privateDnsZoneGroups", NETWORK) for e in asked)
    found = {e: group_zones(groups) for e, groups in zip(asked, lists, strict=True) if groups is not None}
    return replace(estate, groups=found)


async def _area(arm: Reading, named: Sequence[str]) -> tuple[list[str], list[str]]:
    docs = await _list(arm, "/subscriptions", SUBSCRIPTIONS) or []
    others = sorted({str(d.get("subscriptionId", "")).lower() for d in docs} - {"", *named})
    left = len(others) - MOST_PLACES
    remarks = [f"{left} more subscriptions were not searched for private zones."] if left > 0 else []
    return [*named, *others[:MOST_PLACES]], remarks


async def _zones(
    arm: Reading, subscriptions: Sequence[str], fqdns: Sequence[str], remarks: list[str]
) -> tuple[Zone, ...]:
    path = "/subscriptions/{}/providers/Microsoft.Network/privateDnsZones"
    lists = await together(_list(arm, path.format(s), PRIVATE_DNS) for s in subscriptions)
    if closed := sum(found is None for found in lists):
        remarks.append(f"Private zones of {closed} of {len(lists)} subscriptions may not be read by this account.")
    docs = {str(d.get("id", "")).lower(): d for found in lists for d in found or () if d.get("id")}
    near = [docs[k] for k in sorted(docs) if is_near(_name(k), fqdns)]
    if len(near) > MOST_ZONES:
        remarks.append(f"{len(near)} zones may hold these names; the first {MOST_ZONES} were read.")
    near = near[:MOST_ZONES]
    links = await together(_list(arm, f"{d['id']}/virtualNetworkLinks", PRIVATE_DNS) for d in near)
    records = await together(_list(arm, f"{d['id']}/A", PRIVATE_DNS) for d in near)
    return tuple(
        zone_of({**d, "name": _name(str(d["id"]))}, found, held)
        for d, found, held in zip(near, links, records, strict=True)
    )


async def _endpoints(
    arm: Reading, subscriptions: Sequence[str]
) -> tuple[dict[str, dict[str, str]], dict[str, str], list[str]]:
    """Names of every endpoint by id, the endpoint's name by address, and the subscriptions that could be listed."""
    at = "/subscriptions/{}/providers/Microsoft.Network/{}"
    lists = await together(_list(arm, at.format(s, "privateEndpoints"), NETWORK) for s in subscriptions)
    cards = await together(_list(arm, at.format(s, "networkInterfaces"), NETWORK) for s in subscriptions)
    by_id = {str(c.get("id", "")).lower(): c for found in cards for c in found or ()}
    names: dict[str, dict[str, str]] = {}
    owners: dict[str, str] = {}
    for doc in (d for found in lists for d in found or ()):
        id_ = str(doc.get("id", ""))
        names[id_.lower()] = endpoint_names(doc, by_id.get(interface_of(doc)))
        owners |= {address: _name(id_) for address in names[id_.lower()].values() if address}
    return names, owners, [s for s, found in zip(subscriptions, lists, strict=True) if found is not None]


async def _list(arm: Reading, path: str, version: str) -> list[Json] | None:
    """A collection; None where this account may not read it. A provider that was never registered holds nothing."""
    try:
        return await arm.list(path, version)
    except Refused as refused:
        if (
            refused.arm_code in ("MissingSubscriptionRegistration", "NoRegisteredProviderFound")
            or refused.status == 404
        ):
            return []
        if refused.status == 403:
            return None
        raise


async def _one(arm: Reading, path: str, version: str) -> Json | None:
    try:
        return await arm.get(path, version)
    except Refused as refused:
        if refused.status in (403, 404):
            return None
        raise


def _name(resource: str) -> str:
    return resource.rstrip("/").rpartition("/")[2]


def _subscription(resource: str) -> str:
    parts = resource.strip("/").split("/")
    return parts[1].lower() if len(parts) > 1 else ""
