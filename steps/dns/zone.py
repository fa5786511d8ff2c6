"""Finds or makes one private zone. What already answers for a network is used; nothing that answers is shadowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.arm import Reader
from runbook.core.ids import resource_id, subscription_of
from runbook.core.together import together
from runbook.step import (
    Blocked,
    Change,
    Changes,
    Check,
    Diff,
    InProgress,
    Poll,
    Satisfied,
    Step,
    StepContext,
    Verdict,
    expect,
)
from steps._shared import versions
from steps._shared.faces import in_context, word
from steps._shared.look import dig, has_failed, is_busy, name_of, properties, same, state_of, whereabouts
from steps._shared.rights import grants_at, is_granted
from steps._shared.zones import FoundZone, places, zones_named

MOST_ENDPOINTS: Final = 40
"""Endpoints whose zone groups are read here; each zone group is read again before it is written."""


class Zone(Step):
    """One private zone for some endpoints and the networks that are to resolve through it.

    A network can be linked to one zone of a name only. So a zone that one of the networks is linked to, or that a
    policy has put into an endpoint's zone group, is taken before any other; a new one is made only where none is.
    The zone is not linked here: an empty zone that a network resolves through answers "no such name" for everything
    in it, so links come last.

    Source: Private DNS 2020-06-01; "Azure Private Endpoint DNS integration", Microsoft Learn, 2023-10-11.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``networks`` are the virtual networks to link, ``endpoints`` those whose records the zone is for."""

        zone: str
        subscription: str
        resource_group: str
        networks: tuple[str, ...]
        endpoints: tuple[str, ...] = ()

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        near = [p.subscription, *(subscription_of(n) or "" for n in p.networks), *sorted(ctx.run.subscriptions)]
        found = await zones_named(ctx.arm, p.zone, await places(ctx.arm, near))
        grouped = await _group_zones(ctx.arm, p.endpoints, p.zone)
        linked = {n: z.id for z in found for n in p.networks if z.serves(n)}
        distinct = {z.lower() for z in (*linked.values(), *grouped)}
        if len(distinct) > 1:
            return self._split(linked, grouped)
        if distinct:
            bound = next((z for z in found if z.id.lower() in distinct), None)
            if bound is None:
                zone, endpoint = next(iter(grouped.items()))
                return Blocked(
                    "zone-not-readable",
                    f"{endpoint}'s zone group writes to {zone}, which {ctx.run.account} cannot read.",
                    ("Have a reader role assigned on it, then retry.",),
                )
            if refusal := await self._out_of_reach(ctx, bound):
                return refusal
            return self._use(bound, "linked to the network" if linked else "in an endpoint's zone group")
        wanted = resource_id(p.subscription, p.resource_group, "Microsoft.Network/privateDnsZones", p.zone)
        mine = next((z for z in found if same(z.id, wanted)), None)
        if mine is not None:
            return self._use(mine, "")
        others = [f"{z.id} ({len(z.networks)} networks)" for z in found]
        checks = (
            expect(f"zone {p.zone}", "present", "absent"),
            expect("zones of that name elsewhere, not linked to these networks", "left alone", others, ok=True),
        )
        return Changes((self._create(wanted),), checks)

    async def _out_of_reach(self, ctx: StepContext, zone: FoundZone) -> Blocked | None:
        """Refuse a zone that is used but that this run cannot have records written to, or cannot link."""
        p = self.params
        is_pinned = any(same(subscription_of(zone.id), s) for s in ctx.run.subscriptions)
        unlinked = [name_of(n) for n in p.networks if not zone.serves(n)]
        grants = await grants_at(ctx.arm, zone.id)
        may_join = is_granted("Microsoft.Network/privateDnsZones/join/action", grants)
        may_link = is_pinned and is_granted("Microsoft.Network/privateDnsZones/virtualNetworkLinks/write", grants)
        if may_join and (may_link or not unlinked):
            return None
        lacks = "may not have records written to it" if not may_join else "may not link further networks to it"
        serving = [name_of(n) for n in p.networks if zone.serves(n)]
        return Blocked(
            "zone-linked-elsewhere",
            f"{', '.join(serving) or 'An endpoint'} already uses the zone {zone.id}, and {ctx.run.account} {lacks}.",
            (
                "Have its owners grant Microsoft.Network/privateDnsZones/join/action on it: then it is used as it is.",
                "Have its owners remove the link: then this run makes a zone of its own. This looks again by itself.",
                "Start a run that may write to that subscription: name it as zones_subscription.",
            ),
            (expect(f"zone {p.zone} in use", "one this run may use", zone.id, ok=False),),
            poll=Poll(first_s=300, longest_s=4 * 3600),
        )

    def _use(self, zone: FoundZone, why: str) -> Verdict:
        p = self.params
        if is_busy(zone.doc):
            return InProgress(f"{p.zone} is {state_of(zone.doc)}.", 10)
        if has_failed(zone.doc):
            check = expect(f"zone {p.zone}", "Succeeded", state_of(zone.doc))
            return Changes((self._repair(zone),), (check,))
        serving = [n for n in p.networks if zone.serves(n)]
        strangers = [name_of(n) for n in zone.networks if not any(same(n, mine) for mine in p.networks)]
        checks: list[Check] = [
            expect(f"zone {p.zone}", "present", whereabouts(zone.id, {}), ok=True),
            expect("why this one", "used already, or where it is wanted", why or "where it is wanted", ok=True),
        ]
        if serving:
            checks.append(expect("networks linked already", "known", [name_of(n) for n in serving], ok=True))
        if strangers:
            checks.append(
                expect("other networks that resolve through it", "known; they see the same records", strangers, ok=True)
            )
        outputs: Mapping[str, Any] = {"id": zone.id, "name": p.zone.lower(), "linked": serving, "reused": bool(why)}
        if (rest := len(p.endpoints) - MOST_ENDPOINTS) > 0:
            told = f"{rest} of {len(p.endpoints)} not read here"
            checks.append(expect("zone groups of the endpoints", "each is read before it is written", told, ok=True))
        records = properties(zone.doc).get("numberOfRecordSets")
        summary = f"{whereabouts(zone.id, {})} is used: it is {why}." if why else ""
        if records is not None:
            checks.append(expect("record sets", "at least its own", records, ok=True))
        return Satisfied(checks, outputs, summary)

    def _split(self, linked: Mapping[str, str], grouped: Mapping[str, str]) -> Blocked:
        p = self.params
        seen = [f"{name_of(n)} is linked to {z}" for n, z in sorted(linked.items())]
        seen += [f"{endpoint}'s zone group writes to {z}" for z, endpoint in grouped.items()]
        return Blocked(
            "zone-split",
            f"{p.zone} exists more than once and no single one can serve: {'; '.join(seen)}. A network resolves "
            "through one zone of a name only.",
            (
                "Have the links moved to one of them, records first; this looks again by itself.",
                "Start a run whose resolving_networks all use the same zone.",
            ),
            (
                expect(
                    f"zones {p.zone} in use",
                    "one",
                    sorted({*linked.values(), *grouped}),
                    ok=False,
                ),
            ),
            poll=Poll(first_s=300, longest_s=4 * 3600),
        )

    def _create(self, zone: str) -> Change:
        p = self.params
        return Change(
            title=f"Create private zone {p.zone}",
            method="PUT",
            path=zone,
            api_version=versions.PRIVATE_DNS,
            body={"location": "global"},
            diff=(Diff("", None, {"location": "global"}),),
            headers={"If-None-Match": "*"},
            az=(
                *("az", "network", "private-dns", "zone", "create", "--subscription", p.subscription),
                *("--resource-group", p.resource_group, "--name", p.zone),
            ),
            powershell=in_context(
                p.subscription, f"New-AzPrivateDnsZone -ResourceGroupName {word(p.resource_group)} -Name {p.zone}"
            ),
        )

    def _repair(self, zone: FoundZone) -> Change:
        """The zone again as it stands. The native command makes new zones only."""
        body = {"location": "global", **({"tags": zone.doc["tags"]} if zone.doc.get("tags") else {})}
        return Change(
            title=f"Make private zone {self.params.zone} again, which ended badly",
            method="PUT",
            path=zone.id,
            api_version=versions.PRIVATE_DNS,
            body=body,
            diff=(Diff("properties.provisioningState", state_of(zone.doc), "Succeeded"),),
        )


async def _group_zones(arm: Reader, endpoints: Sequence[str], name: str) -> dict[str, str]:
    """The zones of that name which zone groups of the endpoints write to, each with the first endpoint that does."""
    asked = endpoints[:MOST_ENDPOINTS]
    lists = await together(arm.list(f"{e}/privateDnsZoneGroups", versions.NETWORK) for e in asked)
    found: dict[str, tuple[str, str]] = {}
    for endpoint, groups in zip(asked, lists, strict=True):
        for group in groups:
            for config in properties(group).get("privateDnsZoneConfigs") or ():
                zone = str(dig(config, "properties", "privateDnsZoneId") or "")
                if name_of(zone).lower() == name.lower():
                    found.setdefault(zone.lower(), (zone, name_of(endpoint)))
    return dict(found.values())
