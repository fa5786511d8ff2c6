"""Links virtual networks to a private zone. From then on its names are private for everybody who asks through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json
from runbook.core.ids import digest, subscription_of
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
from steps._shared.fleet import Guard, refuse_outsiders
from steps._shared.look import dig, find, has_failed, is_busy, name_of, properties, same, state_of
from steps._shared.records import Record
from steps._shared.zones import is_shadow, links_of, places, zones_named, zones_where
from steps.dns._guards import hidden, taken_over, would_hide

MOST_NAMED: Final = 10
"""Records that a message names."""


class ZoneLink(Step):
    """The links of one zone to every network that is to resolve through it.

    Refused while the zone lacks one of the records (an empty zone hides the public names) or holds somebody else's
    under its name, while names of other endpoints in the network would be hidden, while a server that the guard asks
    for is outside its scope, and where a network is linked to another zone of the same name or of the public names.

    Source: Private DNS 2020-06-01, virtual network links; "Azure Private Endpoint DNS integration", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """What is linked to what.

        ``written`` are the zones that records were written into in the end: a policy that made an endpoint's zone
        group may have chosen another one of the same name, and then that is the one to link.
        """

        zone: str
        networks: tuple[str, ...]
        records: tuple[Record, ...]
        guard: Guard | None = None
        written: tuple[str, ...] = ()

    params: Params

    @property
    def _chosen(self) -> list[str]:
        name = name_of(self.params.zone)
        return list({w.lower(): w for w in self.params.written if same(name_of(w), name)}.values())

    @property
    def _zone(self) -> str:
        return next(iter(self._chosen), self.params.zone)

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        if len(self._chosen) > 1:
            return Blocked(
                "records-in-several-zones",
                f"Records went into {len(self._chosen)} zones {name_of(p.zone)}: {', '.join(self._chosen)}. A network "
                "can be linked to one of them only.",
                ("Have the zone groups of the endpoints corrected to one zone, then retry their nodes and this one.",),
                (expect("zones that hold records", 1, len(self._chosen)),),
            )
        links = await links_of(ctx.arm, self._zone)
        by_network = {str(dig(link, "properties", "virtualNetwork", "id") or "").lower(): link for link in links}
        missing = [n for n in p.networks if n.lower() not in by_network]
        checks = [_link_check(n, by_network.get(n.lower())) for n in p.networks]
        if missing:
            return await self._link(ctx, links, missing, checks)
        if broken := [by_network[n.lower()] for n in p.networks if has_failed(by_network[n.lower()])]:
            return Changes([self._repair(link) for link in broken], checks)
        open_links = [by_network[n.lower()] for n in p.networks if not _is_usable(by_network[n.lower()])]
        if open_links:
            return InProgress(f"{', '.join(str(link.get('name')) for link in open_links)} is being linked.", 10, checks)
        for network in p.networks:
            vnet = await find(ctx.arm, network, versions.NETWORK)
            own = dig(vnet, "properties", "dhcpOptions", "dnsServers") or []
            wish = "Azure's own, or servers that forward to 168.63.129.16"
            checks.append(expect(f"DNS servers of {name_of(network)}", wish, own or "Azure's own", ok=True))
        return Satisfied(checks, {"links": [by_network[n.lower()].get("id") for n in p.networks], "zone": self._zone})

    async def _link(self, ctx: StepContext, links: list[Json], missing: list[str], checks: list[Check]) -> Verdict:
        p = self.params
        zone = name_of(self._zone)
        near = [*(subscription_of(n) or "" for n in missing), *sorted(ctx.run.subscriptions)]
        everywhere = await places(ctx.arm, near)
        others = await zones_named(ctx.arm, zone, everywhere)
        for other in others:
            held = [n for n in missing if other.serves(n) and not same(other.id, self._zone)]
            if held:
                return Blocked(
                    "zone-linked-elsewhere",
                    f"{', '.join(map(name_of, held))} is linked to another zone {zone}: {other.id}.",
                    (
                        "Have that link removed by its owners; this looks again by itself.",
                        "Abort and start a new run, which uses the zone that is linked.",
                    ),
                    checks,
                    poll=Poll(first_s=300, longest_s=4 * 3600),
                )
        if not any(same(subscription_of(self._zone), s) for s in ctx.run.subscriptions):
            return Blocked(
                "zone-out-of-reach",
                f"{self._zone} holds the records and is in a subscription where this run may not write, so it cannot "
                f"link {', '.join(map(name_of, missing))}.",
                (
                    "Have its owners link these networks, without automatic registration; this looks again by itself.",
                    "Start a run that names that subscription, if this account may write there.",
                ),
                checks,
                poll=Poll(first_s=300, longest_s=4 * 3600),
            )
        there = await self._held(ctx)
        mine = [r for r in p.records if r.zone == zone.lower()]
        if refusal := taken_over(zone, mine, there):
            return refusal
        lacking = [r for r in mine if r.ip not in there.get(r.name.lower(), ())]
        if lacking:
            return Blocked(
                "zone-would-black-hole",
                f"{zone} lacks {_named(lacking)}. Linked like this it would hide the public names and give none.",
                (
                    "Find out who removed the records or the zone group that wrote them, and have them put back; this "
                    "looks again by itself.",
                ),
                (*checks, *(expect(f"record {r.name} in {zone}", r.ip, "absent or other") for r in lacking)),
                poll=Poll(first_s=60, longest_s=900),
            )
        hiding = await zones_where(ctx.arm, lambda n: is_shadow(n, zone), everywhere)
        if hiding := [z for z in hiding if any(z.serves(n) for n in missing)]:
            return hidden(hiding, missing, {})
        if refusal := await would_hide(ctx.arm, zone, missing, p.records, there):
            return refusal
        attest = "These servers do not resolve names through these networks"
        if not ctx.attested and (refusal := await refuse_outsiders(ctx.arm, p.guard, attest)):
            return refusal
        taken = {str(link.get("name", "")).lower() for link in links}
        return Changes([self._create(n, taken) for n in missing], checks)

    async def _held(self, ctx: StepContext) -> dict[str, list[str]]:
        """What this zone holds: addresses by relative name."""
        return {
            str(item.get("name", "")).lower(): [
                str(a.get("ipv4Address")) for a in properties(item).get("aRecords") or ()
            ]
            for item in await ctx.arm.list(f"{self._zone}/A", versions.PRIVATE_DNS)
        }

    def _create(self, network: str, taken: set[str]) -> Change:
        zone, vnet = name_of(self._zone), name_of(network)
        name = f"link-{vnet}" if f"link-{vnet}".lower() not in taken else f"link-{vnet}-{digest(network.lower(), 6)}"
        _, subscription, _, group, *_ = self._zone.strip("/").split("/")
        body: Json = {
            "location": "global",
            "properties": {"registrationEnabled": False, "virtualNetwork": {"id": network}},
        }
        return Change(
            title=f"Let {vnet} resolve {zone} privately",
            method="PUT",
            path=f"{self._zone}/virtualNetworkLinks/{name}",
            api_version=versions.PRIVATE_DNS,
            body=body,
            risk="disruptive",
            diff=(Diff("", None, body),),
            locks=(self._zone,),
            headers={"If-None-Match": "*"},
            az=(
                *("az", "network", "private-dns", "link", "vnet", "create", "--subscription", subscription),
                *("--resource-group", group, "--zone-name", zone, "--name", name),
                *("--virtual-network", network, "--registration-enabled", "false"),
            ),
            powershell=in_context(
                subscription,
                f"New-AzPrivateDnsVirtualNetworkLink -ResourceGroupName {word(group)} -ZoneName {zone} -Name {name} "
                f"-VirtualNetworkId {word(network)}",
            ),
        )

    def _repair(self, link: Json) -> Change:
        """The link again as it stands. The native command makes new links only."""
        fields = ("registrationEnabled", "virtualNetwork")
        body: Json = {"location": "global", "properties": {k: v for k, v in properties(link).items() if k in fields}}
        if link.get("tags"):
            body["tags"] = link["tags"]
        return Change(
            title=f"Make link {link.get('name')} of {name_of(self._zone)} again, which ended badly",
            method="PUT",
            path=f"{self._zone}/virtualNetworkLinks/{link.get('name')}",
            api_version=versions.PRIVATE_DNS,
            body=body,
            risk="disruptive",
            diff=(Diff("properties.provisioningState", state_of(link), "Succeeded"),),
            locks=(self._zone,),
        )


def _is_usable(link: Json) -> bool:
    """``Completed`` is the state of a link that answers; the value in the description, "Done", does not occur."""
    return str(properties(link).get("virtualNetworkLinkState") or "Completed").lower() == "completed" and not is_busy(
        link
    )


def _link_check(network: str, link: Json | None) -> Check:
    if link is None:
        return expect(f"link to {name_of(network)}", "Completed", "absent")
    state = str(properties(link).get("virtualNetworkLinkState") or "Completed")
    return expect(f"link to {name_of(network)}", "Completed", state)


def _named(records: list[Record]) -> str:
    """The first records by name; the checks hold them all."""
    names = ", ".join(r.name for r in records[:MOST_NAMED])
    return names if len(records) <= MOST_NAMED else f"{names} and {len(records) - MOST_NAMED} more"
