"""Endpoints of the feed discovery that stand already, and whether they answer the names of the same networks.

What a network resolves through is told by the zones linked to it; where it asks DNS servers of its own, by the zones
linked to the network that those stand in. Servers elsewhere, on premises say, cannot be looked through from here.

Source: "Azure Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17 (one global endpoint for all
deployments that share DNS); "Azure Private Endpoint DNS integration", 2023-10-11; Azure Network REST 2024-01-01.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Final, Literal

from runbook.core.arm import Json, Reader
from runbook.core.error import Refused
from runbook.core.ids import ResourceId, subscription_of
from runbook.core.together import together
from steps._shared import versions
from steps._shared.endpoints import Endpoint, endpoint_of
from steps._shared.look import dig, find, name_of, properties, readable, same, whereabouts
from steps._shared.zones import FoundZone
from steps.avd._names import WORKSPACES

AZURE_DNS: Final = "168.63.129.16"
GROUP: Final = "global"
DEAD: Final = frozenset({"rejected", "disconnected"})
"""Connection states in which an endpoint leads nowhere."""
Bearing = Literal["ours", "shared", "unclear", "apart", "dead"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which networks' zones decide what the networks of this run resolve; lower-case ids.

    Attributes:
        networks: those of the run, and those that their DNS servers stand in.
        unseen: what cannot be looked through: servers elsewhere, networks that cannot be read.
    """

    networks: frozenset[str]
    unseen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One endpoint of the feed discovery, with what it means for this run."""

    endpoint: Endpoint
    addresses: tuple[str, ...]
    bearing: Bearing
    why: str
    carried: tuple[str, ...] = ()
    """Application groups on the workspace behind it."""

    def doc(self) -> dict[str, Any]:
        return {
            "id": self.endpoint.id,
            "name": self.endpoint.name,
            "subscription": subscription_of(self.endpoint.id) or "",
            "target": self.endpoint.target,
            "network": self.endpoint.network,
            "bearing": self.bearing,
            "why": self.why,
            "application_groups": list(self.carried),
        }


def is_discovery(endpoint: Endpoint) -> bool:
    """Whether an endpoint leads to the global sub-resource of a workspace."""
    to_workspace = f"/providers/{WORKSPACES}/".lower() in endpoint.target.lower()
    return to_workspace and GROUP in (g.lower() for g in endpoint.groups)


async def discoveries(arm: Reader, subscriptions: Sequence[str]) -> tuple[list[Endpoint], list[str]]:
    """Every such endpoint by id, and the subscriptions whose endpoints this account may not read."""
    paths = [f"/subscriptions/{s}/providers/Microsoft.Network/privateEndpoints" for s in subscriptions]
    lists = await together(readable(arm, path, versions.NETWORK) for path in paths)
    every = [endpoint_of(d) for docs in lists for d in docs or ()]
    closed = [s for s, docs in zip(subscriptions, lists, strict=True) if docs is None]
    return sorted((e for e in every if is_discovery(e)), key=lambda e: e.id.lower()), closed


async def scope_of(arm: Reader, networks: Sequence[str]) -> Scope:
    """Follow the DNS servers of these networks to where they stand."""
    docs = await together(_network(arm, n) for n in networks)
    known = {n.lower() for n in networks}
    spaces = {n.lower(): _prefixes(dig(d, "properties", "addressSpace")) for n, d in zip(networks, docs, strict=True)}
    for doc in docs:
        for peering in map(properties, properties(doc).get("virtualNetworkPeerings") or ()):
            remote = str(dig(peering, "remoteVirtualNetwork", "id") or "").lower()
            space = peering.get("remoteVirtualNetworkAddressSpace") or peering.get("remoteAddressSpace")
            spaces.setdefault(remote, _prefixes(space))
    unseen = [f"network {name_of(n)}" for n, d in zip(networks, docs, strict=True) if d is None]
    for doc in docs:
        for server in dig(doc, "properties", "dhcpOptions", "dnsServers") or ():
            homes = {n for n, prefixes in spaces.items() if _is_in(server, prefixes)}
            known |= homes
            if not homes and server != AZURE_DNS:
                unseen.append(f"DNS server {server}")
    return Scope(frozenset(known), tuple(dict.fromkeys(unseen)))


async def judge(
    arm: Reader, endpoint: Endpoint, scope: Scope, records: Mapping[str, Sequence[str]], *, is_ours: bool
) -> Found:
    """What one endpoint means for these networks.

    Args:
        arm: for its zone group, the links of its zones, and the workspace behind it.
        endpoint: the endpoint.
        scope: what the networks of this run resolve through.
        records: addresses in the zones that answer these networks, or will, by zone id.
        is_ours: whether it is the endpoint that this run wants.
    """
    groups = await readable(arm, f"{endpoint.id}/privateDnsZoneGroups", versions.NETWORK) or []
    configs = [properties(c) for g in groups for c in properties(g).get("privateDnsZoneConfigs") or ()]
    addresses = {str(a) for c in configs for r in c.get("recordSets") or () for a in r.get("ipAddresses") or ()}
    own = properties(endpoint.doc).get("customDnsConfigs") or ()
    addresses |= {str(a) for item in own for a in item.get("ipAddresses") or ()}
    if is_ours:
        return Found(endpoint, tuple(sorted(addresses)), "ours", "the endpoint of this run")
    zones = [str(c.get("privateDnsZoneId") or "") for c in configs]
    links = dict(zip(zones, await together(_linked(arm, z) for z in zones), strict=True))
    bearing, why = _bearing(endpoint, sorted(addresses), scope, links, records)
    return Found(endpoint, tuple(sorted(addresses)), bearing, why, await _carried(arm, endpoint.target))


def _bearing(
    endpoint: Endpoint,
    addresses: Sequence[str],
    scope: Scope,
    links: Mapping[str, frozenset[str] | None],
    records: Mapping[str, Sequence[str]],
) -> tuple[Bearing, str]:
    if endpoint.connection.lower() in DEAD:
        return "dead", f"its connection is {endpoint.connection}"
    if endpoint.network in scope.networks:
        return "shared", f"it stands in {name_of(endpoint.network)}"
    for zone, networks in links.items():
        if networks and (common := sorted(name_of(n) for n in networks & scope.networks)):
            verb = "resolves" if len(common) == 1 else "resolve"
            return "shared", f"{', '.join(common)} {verb} through its zone, {_place(zone, endpoint)}"
        if any(same(zone, z) for z in records):
            return "shared", f"it writes to {_place(zone, endpoint)}, which this run would use, too"
    for zone, there in records.items():
        if common := sorted(set(there) & set(addresses)):
            place = _place(zone, endpoint)
            return "shared", f"its address {', '.join(common)} stands in {place}, which answers these networks, or will"
    unread = [zone for zone, networks in links.items() if networks is None]
    if unread:
        return "unclear", f"the links of its zone {', '.join(unread)} cannot be read"
    if scope.unseen:
        return "unclear", f"what these networks resolve through {', '.join(scope.unseen)} cannot be read"
    return "apart", "none of these networks resolves through its zone"


def _place(zone: str, endpoint: Endpoint) -> str:
    """A zone as a sentence names it; the endpoint's own subscription has been named already."""
    parsed = ResourceId.parse(zone)
    is_near = same(parsed.subscription, subscription_of(endpoint.id))
    return f"{name_of(zone)} in resource group {parsed.group}" if is_near else whereabouts(zone, {})


async def addresses_in(arm: Reader, zones: Iterable[FoundZone]) -> dict[str, list[str]]:
    """Addresses of the A records of some zones, by zone id."""
    found = list(zones)
    lists = await together(readable(arm, f"{z.id}/A", versions.PRIVATE_DNS) for z in found)
    return {
        z.id: [str(a.get("ipv4Address")) for d in docs or () for a in properties(d).get("aRecords") or ()]
        for z, docs in zip(found, lists, strict=True)
    }


async def _linked(arm: Reader, zone: str) -> frozenset[str] | None:
    """Networks linked to a zone, in lower case; None where the links cannot be read."""
    docs = await readable(arm, f"{zone}/virtualNetworkLinks", versions.PRIVATE_DNS)
    if docs is None:
        return None
    return frozenset(str(dig(d, "properties", "virtualNetwork", "id") or "").lower() for d in docs)


async def _carried(arm: Reader, workspace: str) -> tuple[str, ...]:
    doc = await _readable_one(arm, workspace, versions.AVD)
    return tuple(sorted(name_of(str(g)) for g in properties(doc).get("applicationGroupReferences") or ()))


async def _network(arm: Reader, network: str) -> Json | None:
    return await _readable_one(arm, network, versions.NETWORK)


async def _readable_one(arm: Reader, path: str, api_version: str) -> Json | None:
    try:
        return await find(arm, path, api_version)
    except Refused as refused:
        if refused.status != 403:
            raise
        return None


def _prefixes(space: Any) -> list[str]:
    return [str(p) for p in dig(space, "addressPrefixes") or ()]


def _is_in(address: str, prefixes: Iterable[str]) -> bool:
    return any(ip_address(address) in ip_network(p, strict=False) for p in prefixes)


def is_adopted(endpoint: Endpoint, wanted: str, placeholder: str, networks: Sequence[str]) -> bool:
    """Whether it is the endpoint this run wants: by its id, or one of another name that would be used in its place."""
    if same(endpoint.id, wanted):
        return True
    is_near = any(same(endpoint.network, n) for n in networks)
    return endpoint.leads_to(placeholder, GROUP) and is_near and endpoint.connection.lower() not in DEAD
