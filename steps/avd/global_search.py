"""Looks for another endpoint of the feed discovery that would answer for the same networks, before one is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook.core.ids import subscription_of
from runbook.core.together import together
from runbook.step import Blocked, Check, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.look import name_of, said, same
from steps._shared.zones import Area, area, zones_named
from steps.avd._discovery import (
    Found,
    Scope,
    addresses_in,
    discoveries,
    is_adopted,
    judge,
    scope_of,
)
from steps.avd._stock import few


@dataclass(frozen=True, slots=True)
class Searched:
    """How far the search went and what it found; ``strays`` are records of endpoints that it did not see."""

    where: Area
    closed: Sequence[str]
    scope: Scope
    found: Sequence[Found]
    strays: Sequence[str]

    def of(self, bearing: str) -> list[Found]:
        return [f for f in self.found if f.bearing == bearing]


class GlobalSearch(Step):
    """One endpoint of the discovery serves every deployment that shares DNS; a second takes over its record.

    Every subscription that this account sees is looked through, up to a limit that is told. What cannot be decided by
    reading, such as DNS servers on premises, is said and left to the operator's word.

    Source: the preview article of 2022-12-06 (only one for the entire deployment); "Azure Private Link with Azure
    Virtual Desktop", Microsoft Learn, 2023-07-17.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``endpoint`` is the one this run wants, in ``vnet`` where that is told; ``zone`` the discovery's zone.

        ``zones_home`` is the resource group where that zone is looked for or made if the networks use none yet; empty
        where no zone is to be written to.
        """

        endpoint: str
        placeholder: str
        networks: tuple[str, ...]
        zone: str
        vnet: str = ""
        zones_home: str = ""

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        seen = await self._search(ctx)
        sure, perhaps = seen.of("shared"), seen.of("unclear")
        checks = _checks(seen)
        outputs = {"found": [f.doc() for f in seen.found]}
        if not sure and not perhaps and not seen.strays:
            return Satisfied(checks, outputs, _summary(seen))
        if ctx.attested:
            word = expect("another DNS scope", "attested", said(ctx.attested[-1]), ok=True)
            checks = [expect(c.name, c.expected, c.observed, ok=True) for c in checks]
            return Satisfied(
                (*checks, word), outputs, "What was found serves another DNS scope, on the operator's word."
            )
        return _blocked(ctx, seen, checks)

    async def _search(self, ctx: StepContext) -> Searched:
        p = self.params
        near = [subscription_of(p.endpoint) or "", *(subscription_of(n) or "" for n in p.networks)]
        where = await area(ctx.arm, [*near, *sorted(ctx.run.subscriptions)])
        endpoints, closed = await discoveries(ctx.arm, where.subscriptions)
        scope = await scope_of(ctx.arm, p.networks)
        zones = await zones_named(ctx.arm, p.zone, where.subscriptions)
        home = f"{p.zones_home}/providers/Microsoft.Network/privateDnsZones/{p.zone}".lower() if p.zones_home else ""
        serving = [z for z in zones if scope.networks & set(z.networks)]
        # What none of the networks uses yet is used as soon as this run links it.
        serving = serving or [z for z in zones if same(z.id, home)]
        records = await addresses_in(ctx.arm, serving)
        homes = (p.vnet,) if p.vnet else p.networks
        found = await together(
            judge(ctx.arm, e, scope, records, is_ours=is_adopted(e, p.endpoint, p.placeholder, homes))
            for e in endpoints
        )
        known = {a for f in found for a in f.addresses}
        strays = [f"{a} in {zone}" for zone, there in sorted(records.items()) for a in there if a not in known]
        return Searched(where, closed, scope, found, tuple(dict.fromkeys(strays)))


def _blocked(ctx: StepContext, seen: Searched, checks: Sequence[Check]) -> Blocked:
    sure, perhaps = seen.of("shared"), seen.of("unclear")
    names = {
        **{s.lower(): name for s, name in ctx.run.subscriptions.items()},
        **{s: n for s, n in seen.where.names.items() if n},
    }
    named = [_told(f, names) for f in (*sure, *perhaps)]
    if seen.strays:
        named.append(
            f"an endpoint that this account does not see, or none any more, behind {few(seen.strays)}, where these "
            "networks resolve the discovery, or will"
        )
    rule = "second-global-endpoint" if sure else "second-global-endpoint-possible"
    verb = "serves" if sure else "may serve"
    return Blocked(
        rule,
        f"Another endpoint of the feed discovery {verb} these networks: {'; '.join(named)}. A second one would take "
        "over its record, and the discovery of everybody who uses it.",
        (
            "Use the one that is there: start a run with target feed_and_connections, which leaves the discovery to "
            "it.",
            "Have it removed by its owner together with its records; this looks again by itself.",
            "Say how you know that it serves another DNS scope, one that none of these networks resolves through.",
        ),
        checks,
        attest="It serves another DNS scope: how that is known",
        poll=Poll(first_s=300, longest_s=4 * 3600),
    )


def _told(found: Found, names: Mapping[str, str]) -> str:
    e = found.endpoint
    home = subscription_of(e.id) or ""
    subscription = f"{names[home]} ({home})" if names.get(home) else home
    in_use = f"; workspace {name_of(e.target)} is in use besides, by {few(found.carried)}" if found.carried else ""
    return f"{e.name} in subscription {subscription}, to workspace {name_of(e.target)}: {found.why}{in_use}"


def _summary(seen: Searched) -> str:
    if seen.of("ours"):
        return "The endpoint of the feed discovery that stands is the one of this run."
    return "No other endpoint of the feed discovery that serves these networks was found."


def _checks(seen: Searched) -> list[Check]:
    looked = len(seen.where.subscriptions) - len(seen.closed)
    told = f"{looked}"
    if seen.closed:
        told += f"; {len(seen.closed)} not readable: {few(seen.closed)}"
    if seen.where.left_out:
        told += f"; {seen.where.left_out} more not looked at"
    carrying = [f"{name_of(f.endpoint.target)} ({few(f.carried)})" for f in seen.found if f.carried]
    checks = [
        expect("subscriptions looked through", "every one this account sees", told, ok=True),
        expect("other endpoints of the discovery for these networks", "none", _names(seen.of("shared"))),
        expect("others for which that cannot be told", "none", _names(seen.of("unclear"))),
        expect("records of endpoints not seen", "none", few(seen.strays)),
    ]
    for name, wish, bearing in (
        ("endpoint of this run", "one at most", "ours"),
        ("others that serve elsewhere", "left alone", "apart"),
        ("others that lead nowhere any more", "left alone", "dead"),
    ):
        if found := seen.of(bearing):
            checks.append(expect(name, wish, _names(found), ok=True))
    if seen.scope.unseen:
        checks.append(expect("what cannot be looked through", "known", few(seen.scope.unseen), ok=True))
    if carrying:
        note = f"{few(carrying)}: deleting it stops the discovery of everybody"
        checks.append(expect("discovery on a workspace in use", "a placeholder of its own", note, ok=True))
    return checks


def _names(found: Sequence[Found]) -> str:
    return few([f"{f.endpoint.name} in {subscription_of(f.endpoint.id)}" for f in found])
