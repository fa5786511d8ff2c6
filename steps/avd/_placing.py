"""Where every endpoint goes: which subnet, which name, which addresses. Pure: nothing is read here.

An endpoint lives in the region and the subscription of its virtual network; its target may be anywhere.

Source: "What is a private endpoint?", Microsoft Learn, 2023-08-02; "Set up Private Link with Azure Virtual Desktop",
2023-07-17 (for connections also the region of the session hosts).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Final

from runbook.core.arm import Json
from runbook.core.ids import digest, resource_id, subscription_of
from steps._shared.look import is_under, name_of, properties, same, same_region
from steps._shared.planned import Planned
from steps.avd._names import GOALS, MEMBERS
from steps.avd._stock import Problem, Thing, close_to

LONGEST_NAME: Final = 80
"""Characters of an endpoint's name. Source: "Naming rules and restrictions for Azure resources", Microsoft Learn."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, with what is there.

    Attributes:
        first: the first subscription of the run: its members have short keys.
        writable: the subscriptions that the run may write to.
        pools, spaces: those picked; ``placeholder`` carries the global endpoint.
        networks: virtual networks by id in lower case.
        hosts: regions of the session hosts by pool; empty where they do not matter.
    """

    target: str
    first: str
    writable: tuple[str, ...]
    pools: tuple[Thing, ...]
    spaces: tuple[Thing, ...]
    placeholder: Thing | None
    vnet: str
    subnet: str
    placements: Mapping[str, str]
    static_addresses: Mapping[str, tuple[str, ...]]
    resource_group: str
    networks: Mapping[str, Json]
    hosts: Mapping[str, set[str]] = field(default_factory=dict)

    @property
    def wanted(self) -> list[tuple[str, Thing]]:
        """Every endpoint, as group and target, connections first and the discovery last."""
        goal = GOALS[self.target]
        spots = [("connection", t) for t in self.pools if goal.has_connections]
        spots += [("feed", t) for t in self.spaces if goal.has_feeds]
        return spots + [("global", t) for t in (self.placeholder,) if t is not None and goal.has_global]


@dataclass(slots=True)
class Plan:
    """What comes of it; ``unused`` are entries for targets that get no endpoint."""

    endpoints: list[Planned] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def of(self, group: str) -> list[Planned]:
        return [e for e in self.endpoints if e.group == group]


def key_of(thing: Thing, first: str) -> str:
    """Stable key: ``group/name``, behind the subscription where that is not the first of the run."""
    short = f"{thing.group}/{thing.name}".lower()
    return short if same(thing.subscription, first) else f"{thing.subscription}/{short}".lower()


def place(wish: Wish) -> Plan:
    """Every endpoint with its place, and every rule that the wish breaks."""
    plan = Plan()
    goal = GOALS[wish.target]
    if not wish.wanted:
        return plan
    if not is_under(wish.subnet, wish.vnet):
        plan.problems.append(
            ("subnet-outside-network", f"Subnet {name_of(wish.subnet)} does not belong to {name_of(wish.vnet)}")
        )
    subnets = _assigned(wish, wish.placements, "placement", plan)
    addresses = _assigned(wish, wish.static_addresses, "fixed address", plan)
    used = {subnets.get(spot, wish.subnet).lower(): subnets.get(spot, wish.subnet) for spot in _spots(wish)}
    plan.problems += [p for subnet in used.values() for p in _subnet_problems(wish, subnet)]
    access = {"connection": goal.host_pool_access, "feed": goal.workspace_access, "global": ""}
    for group, thing in wish.wanted:
        spot = (group, thing.id)
        subnet = subnets.get(spot, wish.subnet)
        vnet = _vnet_of(subnet)
        network = wish.networks.get(vnet.lower()) or {}
        plan.endpoints.append(
            Planned(
                id=key_of(thing, wish.first),
                name=thing.name,
                target=thing.id,
                group=group,
                members=len(MEMBERS[group]),
                endpoint="",
                endpoint_name=_base_name(thing, group),
                subscription=subscription_of(vnet) or "",
                resource_group=wish.resource_group,
                location=str(network.get("location", "")),
                vnet=vnet,
                subnet=subnet,
                static_addresses=tuple(addresses.get(spot, ())),
                # The service ignores the value of a workspace that carries the global endpoint.
                access=access[group],
                member_names=MEMBERS[group],
            )
        )
    plan.endpoints = _named(plan.endpoints)
    plan.problems += [*_address_problems(plan.endpoints), *_region_problems(wish, plan.of("connection"))]
    return plan


Spot = tuple[str, str]
"""Group and target id of one endpoint."""


def _spots(wish: Wish) -> list[Spot]:
    return [(group, thing.id) for group, thing in wish.wanted]


def _assigned(wish: Wish, entries: Mapping[str, Any], what: str, plan: Plan) -> dict[Spot, Any]:
    """Entries by the endpoint that each is about. A name or id that is about none, or about two, is a problem."""
    given: dict[Spot, Any] = {}
    known = [*wish.pools, *wish.spaces, *([wish.placeholder] if wish.placeholder else ())]
    for key, value in entries.items():
        spots = [(g, t.id) for g, t in wish.wanted if _means(key, g, t)]
        rule = what.replace(" ", "-")
        if len(spots) > 1:
            ids = ", ".join(sorted({i for _, i in spots}))
            plan.problems.append((f"{rule}-ambiguous", f"The {what} for {key} may mean {ids}: use the id"))
        elif not spots and any(_means(key, "", t) for t in known):
            plan.unused.append(key)
        elif not spots and key.lower() == "global":
            plan.unused.append(key)
        elif not spots:
            near = close_to(name_of(key), [t.name for t in known])
            plan.problems.append(
                (f"{rule}-unknown", f"The {what} for {key} names no host pool or workspace of this run{near}")
            )
        elif spots[0] in given:
            plan.problems.append(
                (f"{rule}-twice", f"{name_of(spots[0][1])} has two entries among the {what}s, by name and by id")
            )
        else:
            given[spots[0]] = value
    return given


def _means(key: str, group: str, thing: Thing) -> bool:
    if "/" in key:
        return same(key, thing.id)
    return same(key, thing.name) or (group == "global" and key.lower() == "global")


def _subnet_problems(wish: Wish, subnet: str) -> Iterator[Problem]:
    vnet = _vnet_of(subnet)
    network = wish.networks.get(vnet.lower())
    if (subscription_of(vnet) or "") not in {s.lower() for s in wish.writable}:
        yield (
            "network-outside-run",
            f"{name_of(vnet)} is in subscription {subscription_of(vnet)}, where this run may not write; endpoints live "
            "in the subscription of their network",
        )
    elif network is None:
        yield "network-missing", f"There is no virtual network {vnet}, or it cannot be read"
    else:
        there = [str(s.get("name") or name_of(str(s.get("id", "")))) for s in properties(network).get("subnets") or ()]
        if name_of(subnet).lower() not in (name.lower() for name in there):
            near = close_to(name_of(subnet), there)
            yield "subnet-missing", f"{name_of(vnet)} has no subnet {name_of(subnet)}{near}"


def _address_problems(endpoints: Sequence[Planned]) -> Iterator[Problem]:
    taken: Counter[tuple[str, str]] = Counter()
    for e in endpoints:
        if not e.static_addresses:
            continue
        title = f"The {e.group} endpoint of {e.name}"
        wrong = [a for a in e.static_addresses if not _is_address(a)]
        if wrong:
            yield "fixed-address-malformed", f"{title} has {', '.join(wrong)}, which is no IPv4 address"
        elif len(e.static_addresses) != e.members:
            yield (
                "fixed-address-count",
                f"{title} has {len(e.static_addresses)} fixed addresses for {e.members} members "
                f"({', '.join(e.member_names)}): every member needs one",
            )
        taken.update((e.vnet.lower(), a) for a in e.static_addresses)
    for (vnet, address), count in taken.items():
        if count > 1:
            yield "fixed-address-twice", f"{address} is given {count} times in {name_of(vnet)}"


def _region_problems(wish: Wish, connections: Sequence[Planned]) -> Iterator[Problem]:
    for e in connections:
        away = sorted(r for r in wish.hosts.get(e.target, set()) if r and e.location and not same_region(r, e.location))
        if away:
            yield (
                "endpoint-in-other-region",
                f"The session hosts of {e.name} are in {', '.join(away)}, its endpoint would be in {e.location}: the "
                "preview wants both in one region",
            )


def _base_name(thing: Thing, group: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"pe-{thing.name}-{group}")[:LONGEST_NAME]


def _named(endpoints: Sequence[Planned]) -> list[Planned]:
    """With names that differ inside each resource group: those that would not carry a digest of their target."""
    places: dict[tuple[str, str], list[Planned]] = defaultdict(list)
    for e in endpoints:
        places[e.subscription.lower(), e.endpoint_name.lower()].append(e)
    named = []
    for e in endpoints:
        name = e.endpoint_name
        if len(places[e.subscription.lower(), name.lower()]) > 1:
            mark = digest(f"{e.target.lower()} {e.group}", 6)
            name = f"{name[: LONGEST_NAME - 7]}-{mark}"
        endpoint = resource_id(e.subscription, e.resource_group, "Microsoft.Network/privateEndpoints", name)
        named.append(replace(e, endpoint_name=name, endpoint=endpoint))
    return named


def _vnet_of(subnet: str) -> str:
    return re.split(r"/subnets/", subnet, maxsplit=1, flags=re.IGNORECASE)[0]


def _is_address(text: str) -> bool:
    try:
        return ip_address(text).version == 4
    except ValueError:
        return False
