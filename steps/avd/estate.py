"""Takes stock of host pools and workspaces, and plans every endpoint and every public access value before a write."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runbook.core.arm import Json, Reader
from runbook.core.ids import subscription_of
from runbook.core.together import together
from runbook.step import Blocked, Check, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import readable, said, same
from steps._shared.planned import Planned
from steps.avd._demands import demands
from steps.avd._names import CLOUDS, GOALS, Kind
from steps.avd._placing import Plan, Wish, key_of, place
from steps.avd._stock import Problem, Thing, few, host_regions, pick, publications_in, thing_of, things_in
from steps.avd._summary import (
    access_checks,
    counted,
    picked_check,
    plan_checks,
    publication_checks,
    refused,
    subnet_name,
)


class Estate(Step):
    """The list that everything else is done for.

    An estate of hundreds takes one list of each kind for each subscription, and the checks sum it up. It is looked at
    again while a run goes on, so keys and order depend on names alone.

    Source: "Set up Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17 (prerequisites, regions,
    members); DesktopVirtualization 2024-04-03.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """What the endpoints are for and where they go.

        ``host_pools`` and ``workspaces`` are resource ids, none meaning all; ``placements`` gives a subnet and
        ``static_addresses`` the addresses by name or id of the target, ``global`` meaning the discovery;
        ``location`` is where the placeholder's resource group goes if it has to be made.
        """

        target: str
        subscriptions: tuple[str, ...]
        placeholder: str
        vnet: str
        subnet: str
        endpoint_resource_group: str
        edition: str
        location: str
        host_pools: tuple[str, ...] = ()
        workspaces: tuple[str, ...] = ()
        placements: Mapping[str, str] = field(default_factory=dict)
        static_addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        goal = GOALS.get(p.target)
        if goal is None:
            return Blocked(
                "target-unknown", f"There is no scenario {p.target!r}.", ("Start a run with another target.",)
            )
        inside = list(dict.fromkeys(s.lower() for s in p.subscriptions))
        every_pool = await things_in(ctx.arm, "host_pool", inside)
        every_space = await things_in(ctx.arm, "workspace", inside)
        pools, wrong_pools = pick(every_pool, p.host_pools, "host_pool", inside)
        spaces, wrong_spaces = pick(every_space, p.workspaces, "workspace", inside)
        placeholder = _placeholder(p.placeholder, every_space)
        problems = [*wrong_pools, *wrong_spaces, *self._placeholder_problems(ctx, placeholder)]
        if not pools and not problems:
            problems.append(("no-host-pools", f"There is no host pool in subscription {few(inside)}"))
        wish = Wish(
            target=p.target,
            first=inside[0] if inside else "",
            writable=tuple(ctx.run.subscriptions),
            pools=tuple(pools),
            spaces=tuple(s for s in spaces if placeholder is None or not same(s.id, placeholder.id)),
            placeholder=placeholder if goal.has_global else None,
            vnet=p.vnet,
            subnet=p.subnet,
            placements=p.placements,
            static_addresses=p.static_addresses,
            resource_group=p.endpoint_resource_group,
            networks=await _networks(ctx.arm, (p.subnet, *p.placements.values())) if goal.groups else {},
            hosts=await host_regions(ctx.arm, pools) if p.edition == "preview" and goal.has_connections else {},
        )
        plan = place(wish)
        problems += plan.problems
        published = await publications_in(ctx.arm, inside)
        checks = [
            picked_check("host_pool", pools, every_pool, p.host_pools),
            picked_check("workspace", wish.spaces, every_space, p.workspaces),
            *plan_checks(wish, plan),
            *access_checks(wish),
            *publication_checks(wish, published),
        ]
        if problems:
            return refused(problems, checks)
        if early := [s for s in wish.spaces if goal.has_feeds and "global" in s.groups and "feed" not in s.groups]:
            if not ctx.attested:
                return _too_early(early, checks)
            word = expect("feeds after a discovery endpoint", "made first", said(ctx.attested[-1]), ok=True)
            checks.append(word)
        summary = f"{len(plan.endpoints)} endpoints are planned for {counted(pools, 'host pool')} and "
        summary += f"{counted(wish.spaces, 'workspace')}."
        return Satisfied(checks, self._outputs(ctx.run.cloud, wish, plan, len(published)), summary)

    def _placeholder_problems(self, ctx: StepContext, placeholder: Thing | None) -> list[Problem]:
        p = self.params
        if not GOALS[p.target].has_global:
            return []
        if placeholder is None:
            return [("placeholder-unnamed", "No workspace is named for the endpoint of the feed discovery")]
        found: list[Problem] = []
        if not any(same(placeholder.subscription, s) for s in ctx.run.subscriptions):
            where = f"The placeholder {placeholder.name} is in subscription {placeholder.subscription}"
            found.append(("placeholder-outside-run", f"{where}, where this run may not write"))
        if any(same(w, placeholder.id) for w in p.workspaces):
            found.append(
                (
                    "placeholder-picked",
                    f"{placeholder.name} is both the placeholder and one of the workspaces: with feed and discovery on "
                    "one workspace the feed was seen to resolve publicly",
                )
            )
        return found

    def _outputs(self, cloud: str, wish: Wish, plan: Plan, publications: int) -> dict[str, Any]:
        p = self.params
        goal = GOALS[p.target]
        zones = CLOUDS.get(cloud)
        carrier = wish.placeholder
        pools = [_thing_doc(t, wish, goal.host_pool_access) for t in wish.pools]
        spaces = [_thing_doc(t, wish, goal.workspace_access) for t in wish.spaces]
        groups = _groups(wish, plan.endpoints, p.location)
        return {
            "host_pools": pools,
            "workspaces": spaces,
            "connections": [e.doc() for e in plan.of("connection")],
            "feeds": [e.doc() for e in plan.of("feed")],
            "globals": [e.doc() for e in plan.of("global")],
            "objects": [_object_doc(d, "host_pool") for d in pools] + [_object_doc(d, "workspace") for d in spaces],
            "subnets": _subnets(plan.endpoints),
            "groups": groups,
            "zones": [
                *([zones.feed] if zones and goal.has_connections else ()),
                *([zones.discovery] if zones and goal.has_global else ()),
            ],
            "placeholder": None
            if carrier is None
            else {"subscription": carrier.subscription, "resource_group": carrier.group, "name": carrier.name},
            "rights": demands(wish, plan.endpoints, groups, p.edition),
            "counts": {
                "host_pools": len(pools),
                "workspaces": len(spaces),
                "connections": len(plan.of("connection")),
                "feeds": len(plan.of("feed")),
                "globals": len(plan.of("global")),
                "endpoints": len(plan.endpoints),
                "addresses": sum(e.members for e in plan.endpoints),
                "application_groups": publications,
            },
        }


def _too_early(early: Sequence[Thing], checks: Sequence[Check]) -> Blocked:
    """Source: MicrosoftDocs/azure-docs, issue 101906, November 2022; whether it still happens is (unconfirmed)."""
    names = few([s.name for s in early])
    return Blocked(
        "global-before-feed",
        f"{names} carries an endpoint of the feed discovery (global) and none for its feed yet. Made in this order on "
        "one workspace, the feed's name was seen to stay public.",
        (
            f"Have the global endpoint of {names} removed, then retry: this run makes the feed first, and the "
            "discovery on the placeholder.",
            f"Start a run whose workspaces leave {names} out.",
            "If the order does no harm here any more, say how you know.",
        ),
        (*checks, expect("workspaces with a global endpoint and no feed endpoint", "none", names, ok=False)),
        attest="The feed resolves privately all the same: how that is known",
    )


def _placeholder(named: str, every: Sequence[Thing]) -> Thing | None:
    """The workspace named, as listed where it exists already; one that is to be made has no region yet."""
    if not named:
        return None
    return next((t for t in every if same(t.id, named)), thing_of("workspace", named))


async def _networks(arm: Reader, subnets: Sequence[str]) -> dict[str, Json]:
    """Virtual networks by id in lower case, with their subnets: one list for each subscription that is named."""
    homes = dict.fromkeys(subscription_of(s) for s in subnets)
    paths = [f"/subscriptions/{s}/providers/Microsoft.Network/virtualNetworks" for s in homes]
    lists = await together(readable(arm, path, versions.NETWORK) for path in paths)
    return {str(d.get("id", "")).lower(): d for docs in lists for d in docs or ()}


def _thing_doc(thing: Thing, wish: Wish, access: str) -> dict[str, Any]:
    return {
        "id": key_of(thing, wish.first),
        "name": thing.name,
        "target": thing.id,
        "location": thing.location,
        "access": access,
    }


def _object_doc(doc: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """One object whose access is set. A pool and a workspace may share group and name, so the kind leads the key."""
    return {**doc, "id": f"{kind}/{doc['id']}", "kind": kind}


def _subnets(endpoints: Sequence[Planned]) -> list[dict[str, Any]]:
    """Endpoints by the subnet that they need room in."""
    by_subnet: dict[str, list[Planned]] = defaultdict(list)
    for e in endpoints:
        by_subnet[e.subnet.lower()].append(e)
    names = Counter(subnet_name(found[0]) for found in by_subnet.values())
    docs = []
    for _, found in sorted(by_subnet.items()):
        first = found[0]
        name = subnet_name(first)
        if names[name] > 1:
            name = f"{first.subscription}/{first.vnet.strip('/').split('/')[3]}/{name}".lower()
        docs.append(
            {
                "id": f"{name} for {len(found)} endpoint{'' if len(found) == 1 else 's'}",
                "subnet": first.subnet,
                "vnet": first.vnet,
                "endpoints": [
                    {
                        "id": e.endpoint,
                        "target": e.target,
                        "group": e.group,
                        "members": e.members,
                        "static_addresses": list(e.static_addresses),
                    }
                    for e in found
                ],
            }
        )
    return docs


def _groups(wish: Wish, endpoints: Sequence[Planned], location: str) -> list[dict[str, str]]:
    """Resource groups that endpoints and the placeholder need, each with a region for its own data."""
    spots = [(e.subscription, e.resource_group, e.location) for e in endpoints]
    if wish.placeholder is not None:
        spots.append((wish.placeholder.subscription, wish.placeholder.group, location))
    found: dict[str, dict[str, str]] = {}
    for subscription, name, where in spots:
        key = (name if same(subscription, wish.first) else f"{subscription}/{name}").lower()
        found.setdefault(key, {"id": key, "subscription": subscription, "name": name, "location": where})
    return [found[key] for key in sorted(found)]
