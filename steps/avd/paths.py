"""Finds the network security groups between session hosts and the connection endpoints of their host pools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runbook.core.arm import Json, Reader
from runbook.core.ids import subscription_of
from runbook.core.together import together
from runbook.step import Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import dig, name_of, properties, readable
from steps._shared.planned import Planned
from steps.avd._hosts import vm_of
from steps.avd._stock import few

FILTERING: Final = frozenset({"enabled", "networksecuritygroupenabled"})
"""Values of ``privateEndpointNetworkPolicies`` with which a group filters what enters an endpoint of its subnet."""


class Paths(Step):
    """Every group on the way: of a session host's network card and of its subnet, and of the endpoint's subnet.

    The last one counts only where network policies for private endpoints apply. Machines that clients work on are not
    known to Azure; firewalls between the networks are not seen either.

    Source: DesktopVirtualization 2024-04-03, session hosts; Compute 2024-03-01, virtual machines; Azure Network REST
    2024-01-01, network interfaces and subnets; "Manage network policies for private endpoints", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``connections``: the planned connection endpoints, one for each host pool."""

        connections: tuple[Planned, ...]

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        hosts, cards, vnets, closed = await _read(ctx.arm, p.connections)
        subnets = _subnets(vnets)
        map_ = Map()
        for planned in p.connections:
            own = subnets.get(planned.subnet.lower())
            prefixes = _prefixes(own)
            if not prefixes:
                map_.unseen.append(f"{planned.name}: {name_of(planned.subnet)} of the endpoint is not readable")
            for host in hosts[planned.target.lower()]:
                map_.add_host(planned, host, cards, subnets, prefixes)
            if (group := _group(own)) and _policies(own) in FILTERING:
                map_.add(group, "Inbound", prefixes, planned.name, 0)
        groups = map_.groups()
        checks = [
            expect("host pools with a connection endpoint", "any", len(p.connections), ok=True),
            expect("session hosts", "any", map_.hosts, ok=True),
            expect("groups between them and the endpoints", "each is judged", [g["name"] for g in groups], ok=True),
            expect("session hosts that no group filters", "nothing to open", map_.free, ok=True),
        ]
        if map_.unseen:
            checks.append(expect("not seen", "looked at by you", few(map_.unseen), ok=True))
        if closed:
            checks.append(expect("subscriptions that may not be read", "looked at by you", closed, ok=True))
        return Satisfied(
            checks,
            {"groups": groups, "host_groups": map_.host_groups(), "unseen": [*map_.unseen, *closed]},
            _said(len(groups), map_.hosts),
        )


def _said(groups: int, hosts: int) -> str:
    there = f"{hosts} session host{'' if hosts == 1 else 's'}"
    if not groups:
        return f"No security group lies between {there} and the endpoints."
    return f"{groups} security group{' lies' if groups == 1 else 's lie'} between {there} and the endpoints."


@dataclass(slots=True)
class Way:
    """One group and what passes it."""

    id: str
    directions: set[str] = field(default_factory=set)
    prefixes: dict[str, None] = field(default_factory=dict)
    pools: set[str] = field(default_factory=set)
    hosts: int = 0


@dataclass(slots=True)
class Map:
    """What was found on the way so far."""

    ways: dict[str, Way] = field(default_factory=dict)
    leaving: dict[str, str] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    hosts: int = 0
    free: int = 0

    def add(self, group: str, direction: str, prefixes: Sequence[str], pool: str, hosts: int) -> None:
        way = self.ways.setdefault(group.lower(), Way(group))
        way.directions.add(direction)
        way.prefixes |= dict.fromkeys(prefixes)
        way.pools.add(pool)
        way.hosts += hosts

    def add_host(
        self, planned: Planned, host: Json, cards: dict[str, list[Json]], subnets: dict[str, Json], to: Sequence[str]
    ) -> None:
        """Follow one session host to the groups of its cards and of their subnets."""
        self.hosts += 1
        found: dict[str, str] = {}
        mine = cards.get(vm_of(host).lower()) or []
        where = f"{planned.name}: {name_of(str(host.get('id') or host.get('name')))}"
        if not mine:
            self.unseen.append(f"{where} has no virtual machine or network card that can be read")
            return
        for card in mine:
            on_card = _group(card)
            for subnet_id in _subnets_of(card):
                subnet = subnets.get(subnet_id.lower())
                if subnet is None:
                    self.unseen.append(f"{where} is in {name_of(subnet_id)}, which is not readable")
                on_subnet = _group(subnet)
                found |= {g.lower(): g for g in (on_card, on_subnet) if g}
                # Denying on the subnet is enough; the card's group serves where the subnet has none.
                if leaves := on_subnet or on_card:
                    self.leaving.setdefault(leaves.lower(), leaves)
        for group in found.values():
            self.add(group, "Outbound", to, planned.name, 1)
        self.free += not found

    def groups(self) -> list[dict[str, Any]]:
        """The groups by id; one that both hosts and endpoints sit behind is there once, for both directions."""
        return [
            {
                "id": way.id,
                "name": name_of(way.id),
                "direction": "Both" if len(way.directions) > 1 else next(iter(way.directions)),
                "prefixes": sorted(way.prefixes),
                "pools": sorted(way.pools),
                "hosts": way.hosts,
            }
            for _, way in sorted(self.ways.items())
            if way.prefixes
        ]

    def host_groups(self) -> list[dict[str, str]]:
        return [{"id": g, "name": name_of(g)} for _, g in sorted(self.leaving.items())]


async def _read(
    arm: Reader, connections: Sequence[Planned]
) -> tuple[dict[str, list[Json]], dict[str, list[Json]], list[Json], list[str]]:
    """Session hosts by pool, cards by machine, networks, and subscriptions that may not be read; ids in lower case.

    One list for each host pool, and three for each subscription.
    """
    pools = list(dict.fromkeys(c.target.lower() for c in connections))
    lists = await together(arm.list(f"{pool}/sessionHosts", versions.AVD) for pool in pools)
    hosts = dict(zip(pools, lists, strict=True))
    machines = {vm.lower() for found in lists for h in found if (vm := vm_of(h))}
    closed: set[str] = set()

    async def of(ids: Iterable[str], kind: str, version: str) -> list[Json]:
        places = sorted({subscription_of(i) or "" for i in ids} - {""})
        found = await together(readable(arm, f"/subscriptions/{s}/providers/{kind}", version) for s in places)
        closed.update(f"{kind} of {s}" for s, docs in zip(places, found, strict=True) if docs is None)
        return [d for docs in found for d in docs or ()]

    listed = await of(machines, "Microsoft.Compute/virtualMachines", versions.COMPUTE)
    holders = {
        str(card.get("id", "")).lower(): str(vm.get("id", "")).lower()
        for vm in listed
        if str(vm.get("id", "")).lower() in machines
        for card in dig(properties(vm), "networkProfile", "networkInterfaces") or ()
    }
    cards: dict[str, list[Json]] = {}
    for card in await of(holders, "Microsoft.Network/networkInterfaces", versions.NETWORK):
        if machine := holders.get(str(card.get("id", "")).lower()):
            cards.setdefault(machine, []).append(card)
    near = [s for found in cards.values() for c in found for s in _subnets_of(c)]
    vnets = await of([*near, *(c.vnet for c in connections)], "Microsoft.Network/virtualNetworks", versions.NETWORK)
    return hosts, cards, vnets, sorted(closed)


def _subnets(vnets: Iterable[Json]) -> dict[str, Json]:
    """Subnets by id in lower case."""
    return {
        f"{vnet.get('id')}/subnets/{subnet.get('name') or name_of(str(subnet.get('id', '')))}".lower(): subnet
        for vnet in vnets
        for subnet in properties(vnet).get("subnets") or ()
    }


def _subnets_of(card: Json) -> list[str]:
    found = (str(dig(c, "properties", "subnet", "id") or "") for c in properties(card).get("ipConfigurations") or ())
    return list(dict.fromkeys(s for s in found if s))


def _group(doc: Json | None) -> str:
    return str(dig(doc, "properties", "networkSecurityGroup", "id") or "")


def _policies(subnet: Json | None) -> str:
    return str(properties(subnet).get("privateEndpointNetworkPolicies") or "Disabled").lower()


def _prefixes(subnet: Json | None) -> list[str]:
    at = properties(subnet)
    return list(dict.fromkeys([*(at.get("addressPrefixes") or ()), *filter(None, [at.get("addressPrefix")])]))
