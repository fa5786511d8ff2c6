"""The whole result in one fresh look, summed up per kind: what is right is counted, what is wrong is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.core.together import together
from runbook.step import Check, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import dig, name_of, properties, same
from steps._shared.lookups import checks_of, look_up
from steps._shared.planned import Planned
from steps._shared.providers import read_provider
from steps.avd._hosts import hosts_of, trouble
from steps.avd._names import NAMESPACE, access_of
from steps.avd._survey import Survey, survey

_COUNTED = {"objects": "host pools and workspaces", "hosts": "session hosts"}

NAMED = 20
"""How many wrong ones of a kind are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Target:
    """One host pool or workspace whose public access is set. ``kind`` is ``host_pool`` or ``workspace``."""

    id: str
    name: str
    target: str
    kind: str
    access: str


class Proof(Step):
    """Everything afresh, read with lists: an estate of hundreds of pools costs a few reads of each kind.

    Source: "Set up Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17, validation.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``zones`` are ids.

        ``closed_before`` are the session hosts that took no new sessions when the run found them; without it, those
        that take none are shown and not judged.
        """

        connections: tuple[Planned, ...]
        feeds: tuple[Planned, ...]
        globals: tuple[Planned, ...]
        objects: tuple[Target, ...]
        zones: tuple[str, ...]
        networks: tuple[str, ...]
        vantages: tuple[str, ...]
        subscriptions: tuple[str, ...]
        closed_before: tuple[str, ...] | None = None

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        planned = (*p.connections, *p.feeds, *p.globals)
        seen = await survey(ctx.arm, planned, [o.target for o in p.objects], p.zones)
        checks = await self._providers(ctx)
        for group, wanted in (("connection", p.connections), ("feed", p.feeds), ("global", p.globals)):
            checks += _endpoints(group, wanted, seen)
        checks += await self._links(ctx)
        records = tuple(dict.fromkeys(r for e in planned for r in seen.records.get(e.endpoint.lower(), ())))
        checks += checks_of(await look_up(ctx.dns, records, p.vantages))
        for kind, title in (("host_pool", "host pools"), ("workspace", "workspaces")):
            checks += _access(title, [o for o in p.objects if o.kind == kind], seen)
        hosts, total = await self._hosts(ctx)
        counts = {"endpoints": len(planned), "names": len(records), "objects": len(p.objects), "hosts": total}
        checks += hosts
        held = sum(c.ok for c in checks)
        result = f"all {held} checks hold" if held == len(checks) else f"{held} of {len(checks)} checks hold"
        told = ", ".join(f"{n} {_COUNTED.get(name, name)}" for name, n in counts.items() if n)
        return Satisfied(checks, counts, f"{result[0].upper()}{result[1:]}: {told}, looked at afresh.")

    async def _providers(self, ctx: StepContext) -> list[Check]:
        views = await together(read_provider(ctx.arm, s, NAMESPACE) for s in self.params.subscriptions)
        pairs = zip(self.params.subscriptions, views, strict=True)
        wrong = [f"{s}: {v.state}" for s, v in pairs if not v.is_registered]
        return [_sum(f"{NAMESPACE} registered, by subscription", len(views), wrong)]

    async def _links(self, ctx: StepContext) -> list[Check]:
        """Every zone is linked to every network that resolves."""
        wrong: list[str] = []
        for zone in self.params.zones:
            links = await ctx.arm.list(f"{zone}/virtualNetworkLinks", versions.PRIVATE_DNS)
            for network in self.params.networks:
                found = [x for x in links if same(dig(x, "properties", "virtualNetwork", "id"), network)]
                state = str(properties(found[0]).get("virtualNetworkLinkState") or "") if found else "no link"
                if state.lower() != "completed":
                    wrong.append(f"{name_of(zone)} to {name_of(network)}: {state or 'no state'}")
        return [_sum("zone links Completed", len(self.params.zones) * len(self.params.networks), wrong)]

    async def _hosts(self, ctx: StepContext) -> tuple[list[Check], int]:
        pools = [o.target for o in self.params.objects if o.kind == "host_pool"]
        by_pool = await hosts_of(ctx.arm, pools, ctx.now_ms)
        hosts = [h for pool in pools for h in by_pool[pool]]
        off = [h for h in hosts if h.is_off]
        wrong = [text for h in hosts if (text := trouble(h, ctx.now_ms))]
        checks = [_sum("session hosts that run: Available, heartbeat fresh", len(hosts) - len(off), wrong)]
        if off:
            checks.append(expect("session hosts that are off", "start with their agent", len(off), ok=True))
        shut = [h for h in hosts if not h.allows]
        if self.params.closed_before is None:
            if shut:
                checks.append(
                    expect("session hosts that take no new sessions", "known", [h.name for h in shut], ok=True)
                )
            return checks, len(hosts)
        before = {h.lower() for h in self.params.closed_before}
        left = [f"{h.name}: takes no new sessions, and did before" for h in shut if h.id.lower() not in before]
        checks.append(_sum("session hosts left as they were found", len(hosts), left))
        return checks, len(hosts)


def _endpoints(group: str, wanted: Sequence[Planned], seen: Survey) -> list[Check]:
    """Provisioned, approved on both sides, with names."""
    if not wanted:
        return []
    unfit: list[str] = []
    unapproved: list[str] = []
    nameless: list[str] = []
    for p in wanted:
        endpoint = seen.endpoints.get(p.endpoint.lower())
        if endpoint is None:
            unfit.append(f"{p.endpoint_name}: absent")
            unapproved.append(f"{p.endpoint_name}: absent")
            continue
        if endpoint.state.lower() != "succeeded" or not endpoint.leads_to(p.target, p.group):
            state = endpoint.state if endpoint.leads_to(p.target, p.group) else f"leads to {endpoint.target}"
            unfit.append(f"{endpoint.name}: {state}")
        here, there = endpoint.connection, seen.sides.get(p.endpoint.lower(), "")
        if (here.lower(), there.lower()) != ("approved", "approved"):
            unapproved.append(f"{endpoint.name}: {here or 'nothing'} here, {there or 'not listed'} at {p.name}")
        if not seen.records.get(p.endpoint.lower()):
            nameless.append(f"{endpoint.name}: its interface names nothing")
    total = len(wanted)
    return [
        _sum(f"{group} endpoints Succeeded", total, unfit),
        _sum(f"{group} endpoints Approved on both sides", total, unapproved),
        _sum(f"{group} endpoints with names", total, nameless),
    ]


def _access(title: str, objects: Sequence[Target], seen: Survey) -> list[Check]:
    if not objects:
        return []
    wrong = []
    for o in objects:
        doc = seen.objects.get(o.target.lower())
        have = "absent" if doc is None else access_of(doc)
        if have != o.access:
            wrong.append(f"{o.name}: {have} instead of {o.access}")
    return [_sum(f"{title} with the wanted public access", len(objects), wrong)]


def _sum(what: str, total: int, wrong: Sequence[str]) -> Check:
    """How many of a kind are right; the wrong ones by name."""
    named = "; ".join(wrong[:NAMED]) + (f"; and {len(wrong) - NAMED} more" if len(wrong) > NAMED else "")
    right = f"{total - len(wrong)} of {total}"
    return expect(what, f"{total} of {total}", f"{right}: {named}" if wrong else right, ok=not wrong)
