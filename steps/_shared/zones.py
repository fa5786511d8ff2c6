"""Private zones of one name, wherever this run may look, and the networks linked to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from runbook.core.arm import Json, Reader
from runbook.core.together import together
from steps._shared import versions
from steps._shared.look import dig, name_of, readable, same
from steps._shared.records import suffix_of


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


@dataclass(frozen=True, slots=True)
class Area:
    """Where a search goes.

    Attributes:
        subscriptions: ids, those named first.
        left_out: how many more this account sees.
    """

    subscriptions: tuple[str, ...]
    left_out: int
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names by id in lower case, of those that this account sees."""


MOST: Final = 50
"""Subscriptions that are looked through besides those named; a tenant may have thousands."""


async def area(arm: Reader, first: Iterable[str]) -> Area:
    """The subscriptions named, then others that this account sees: another team's zone hinders ours wherever it is."""
    named = list(dict.fromkeys(s.lower() for s in first if s))
    docs = await arm.list("/subscriptions", versions.SUBSCRIPTIONS)
    names = {str(d.get("subscriptionId", "")).lower(): str(d.get("displayName") or "") for d in docs}
    others = [s for s in sorted(names) if s and s not in named]
    return Area((*named, *others[:MOST]), max(0, len(others) - MOST), names)


async def places(arm: Reader, first: Iterable[str]) -> list[str]:
    """The subscriptions of that area."""
    return list((await area(arm, first)).subscriptions)


async def zones_named(arm: Reader, name: str, subscriptions: Iterable[str]) -> list[FoundZone]:
    """Every zone of that name, by id."""
    return await zones_where(arm, lambda found: found == name.lower(), subscriptions)


async def zones_where(arm: Reader, is_wanted: Callable[[str], bool], subscriptions: Iterable[str]) -> list[FoundZone]:
    """Every zone whose name, in lower case, is wanted, by id. Subscriptions that may not be read are passed over."""
    paths = [f"/subscriptions/{s}/providers/Microsoft.Network/privateDnsZones" for s in subscriptions]
    lists = await together(readable(arm, path, versions.PRIVATE_DNS) for path in paths)
    docs = {str(d.get("id", "")).lower(): d for found in lists for d in found or () if d.get("id")}
    wanted = [docs[key] for key in sorted(docs) if is_wanted(name_of(key))]
    links = await together(links_of(arm, str(d["id"])) for d in wanted)
    return [FoundZone(str(d["id"]), d, tuple(found)) for d, found in zip(wanted, links, strict=True)]


def is_shadow(name: str, zone: str) -> bool:
    """Whether a zone of that name hides public names that lead into ``zone``, from whoever resolves through it.

    A resolver takes the private zone that fits a name best and looks nowhere else. So the public suffix itself, one
    above it, and one below it that is no private link zone all keep the alias into ``zone`` from ever being seen.

    Source: "What is an Azure Private DNS zone?", Microsoft Learn (a linked zone answers before public DNS does).
    """
    name, suffix = name.lower(), suffix_of(zone)
    is_above = suffix == name or suffix.endswith("." + name)
    is_below = name.endswith("." + suffix) and suffix_of(name) == name
    return is_above or is_below


async def links_of(arm: Reader, zone: str) -> list[Json]:
    """The virtual network links of a zone."""
    return await arm.list(f"{zone}/virtualNetworkLinks", versions.PRIVATE_DNS)
