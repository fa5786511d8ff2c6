"""Private zones of one name, wherever this run may look, and the networks linked to each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json, Reader
from runbook.core.error import Refused
from steps._shared import versions
from steps._shared.look import dig, name_of, same


@dataclass(frozen=True, slots=True)
class FoundZone:
    """One private zone with its links."""

    id: str
    doc: Json
    links: tuple[Json, ...]

    @property
    def networks(self) -> list[str]:
        """Ids of the linked networks, lower case."""
        return [str(dig(link, "properties", "virtualNetwork", "id") or "").lower() for link in self.links]

    def serves(self, network: str) -> bool:
        return any(same(n, network) for n in self.networks)


MOST: Final = 50
"""Subscriptions that are looked through besides those named; a tenant may have thousands."""


async def places(arm: Reader, first: Iterable[str]) -> list[str]:
    """The subscriptions named, then others that this account sees: another team's zone hinders ours wherever it is."""
    named = list(dict.fromkeys(s.lower() for s in first if s))
    seen = sorted(
        str(d.get("subscriptionId", "")).lower() for d in await arm.list("/subscriptions", versions.SUBSCRIPTIONS)
    )
    return [*named, *[s for s in seen if s and s not in named][:MOST]]


async def zones_named(arm: Reader, name: str, subscriptions: Iterable[str]) -> list[FoundZone]:
    """Every zone of that name, by id. Subscriptions that this account may not read are passed over."""
    found: dict[str, FoundZone] = {}
    for subscription in subscriptions:
        path = f"/subscriptions/{subscription}/providers/Microsoft.Network/privateDnsZones"
        try:
            docs = await arm.list(path, versions.PRIVATE_DNS)
        except Refused as refused:
            if refused.status != 403 and refused.arm_code != "MissingSubscriptionRegistration":
                raise
            continue
        for doc in docs:
            zone = str(doc.get("id", ""))
            if name_of(zone).lower() == name.lower():
                found[zone.lower()] = FoundZone(zone, doc, tuple(await links_of(arm, zone)))
    return [found[key] for key in sorted(found)]


async def links_of(arm: Reader, zone: str) -> list[Json]:
    """The virtual network links of a zone."""
    return await arm.list(f"{zone}/virtualNetworkLinks", versions.PRIVATE_DNS)
