"""Has the platform keep an endpoint's records in private zones: one group for each endpoint, up to five zones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json, Reader
from runbook.core.docs import Risk
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
from steps._shared.faces import by_hand, word
from steps._shared.fleet import Guard, refuse_outsiders
from steps._shared.look import dig, is_busy, name_of, properties, same, state_of
from steps._shared.records import Record

MAX_ZONES: Final = 5


class ZoneGroup(Step):
    """The records of one endpoint in its zones.

    A group that is already there, made by a policy or by hand, is kept: only zones it lacks are added. Records of the
    same names that belong to somebody else are not taken over silently.

    Source: Azure Network REST 2024-01-01, private DNS zone groups; "Azure Private Endpoint DNS integration", Microsoft
    Learn, 2023-10-11 (one group, five zones, last writer wins).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """What is to be written where.

        ``zones`` are ids; those that hold none of the records are left out. ``guard``, where there is one, names the
        servers that must be in its scope first.
        """

        endpoint: str
        zones: tuple[str, ...]
        records: tuple[Record, ...]
        guard: Guard | None = None
        name: str = "default"

    params: Params

    @property
    def _zones(self) -> tuple[str, ...]:
        wanted = {r.zone for r in self.params.records if r.zone}
        return tuple(z for z in self.params.zones if name_of(z).lower() in wanted)

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        there = {name_of(z).lower() for z in p.zones}
        if homeless := [r.fqdn for r in p.records if r.zone and r.zone not in there]:
            return Blocked(
                "zone-missing",
                f"{len(homeless)} of the endpoint's names belong to zones that this run has none of: {homeless[0]}, …",
                ("Look at the nodes of the zones: one was skipped.",),
                (expect("names without a zone", "none", homeless),),
            )
        groups = await ctx.arm.list(f"{p.endpoint}/privateDnsZoneGroups", versions.NETWORK)
        group = groups[0] if groups else None
        if group is not None and is_busy(group):
            return InProgress(f"Zone group {group.get('name')} is {state_of(group)}.", 10)
        held = _held(group)
        missing = [z for z in self._zones if name_of(z).lower() not in held]
        elsewhere = [z for z in self._zones if name_of(z).lower() in held and not same(held[name_of(z).lower()], z)]
        if elsewhere:
            return _other_zone(p.endpoint, group, held, elsewhere)
        if missing or (group is not None and state_of(group).lower() != "succeeded"):
            return await self._extend(ctx, group, missing)
        written = [_written(group, record) for record in p.records if record.zone]
        if any(not check.ok for check in written):
            return InProgress("The platform is writing the records.", 10, written)
        maker = str((group or {}).get("name", ""))
        remark = maker if maker.lower() == p.name else f"{maker}, found and used"
        checks = [expect("zone group", p.name, remark, ok=True), *written]
        zones = [held[name_of(z).lower()] for z in self._zones]
        return Satisfied(checks, {"id": (group or {}).get("id", ""), "name": maker, "zones": zones})

    async def _extend(self, ctx: StepContext, group: Json | None, missing: Sequence[str]) -> Verdict:
        p = self.params
        configs: list[Json] = [*(properties(group).get("privateDnsZoneConfigs") or ())]
        before = expect(
            "zones of the group", [name_of(z) for z in self._zones], [name_of(z) for z in _held(group).values()]
        )
        if len(configs) + len(missing) > MAX_ZONES:
            return Blocked(
                "zone-group-full",
                f"{dig(group, 'name')} holds {len(configs)} zones; with {len(missing)} more it would exceed "
                f"{MAX_ZONES}.",
                ("Have zones that are no longer needed taken out of it, then retry.",),
                (before,),
            )
        if refusal := await refuse_outsiders(ctx.arm, p.guard):
            return refusal
        standing = [pair for zone in missing for pair in await self._standing(ctx.arm, zone)]
        foreign = [
            f"{record.fqdn} is {', '.join(_addresses(item))}, not {record.ip}"
            for record, item in standing
            if _addresses(item) != [record.ip]
        ]
        if foreign and not ctx.attested:
            return Blocked(
                "records-of-another-endpoint",
                f"These names already have other addresses: {'; '.join(foreign)}. The group would take them over, "
                "and whoever "
                "resolves through these zones would be sent to the new endpoint.",
                (
                    "Use zones of your own: start a run with another zones_resource_group, for networks without "
                    "these links.",
                    "If the old endpoint is to be replaced, attest it.",
                ),
                (expect("records of another endpoint", "none", foreign),),
                attest="The old records may be replaced",
            )
        # A zone that no network resolves through redirects nobody yet.
        links = [await ctx.arm.list(f"{zone}/virtualNetworkLinks", versions.PRIVATE_DNS) for zone in self._zones]
        risk: Risk = "disruptive" if any(links) else "safe"
        return Changes((self._put(group, configs, missing, standing, risk),), (before,))

    async def _standing(self, arm: Reader, zone: str) -> list[tuple[Record, Json]]:
        """Records that stand in a zone under our names: the group takes them over, and they go with it."""
        wanted = {r.name.lower(): r for r in self.params.records if r.zone == name_of(zone).lower()}
        found = [
            (wanted.get(str(i.get("name", "")).lower()), i) for i in await arm.list(f"{zone}/A", versions.PRIVATE_DNS)
        ]
        return [(record, item) for record, item in found if record and _addresses(item)]

    def _put(
        self,
        group: Json | None,
        configs: Sequence[Json],
        missing: Sequence[str],
        standing: Sequence[tuple[Record, Json]],
        risk: Risk,
    ) -> Change:
        p = self.params
        name = str((group or {}).get("name") or p.name)
        kept = [
            {"name": c.get("name"), "properties": {"privateDnsZoneId": dig(c, "properties", "privateDnsZoneId")}}
            for c in configs
        ]
        added = [{"name": _config_name(z), "properties": {"privateDnsZoneId": z}} for z in missing]
        _, subscription, _, resource_group, *_ = p.endpoint.strip("/").split("/")
        head = f"az network private-endpoint dns-zone-group {{}} --subscription {subscription} -g {resource_group}"
        lines = tuple(
            f"{head.format('add' if kept or at else 'create')} --endpoint-name {name_of(p.endpoint)} -n {name} "
            f"--private-dns-zone {z} --zone-name {_config_name(z)}"
            for at, z in enumerate(missing)
        )
        return Change(
            title=f"Write the records of {name_of(p.endpoint)} into {_count(len(kept) + len(added))}",
            method="PUT",
            path=f"{p.endpoint}/privateDnsZoneGroups/{name}",
            api_version=versions.NETWORK,
            body={"name": name, "properties": {"privateDnsZoneConfigs": [*kept, *added]}},
            risk=risk,
            diff=(
                *(Diff(f"zone {name_of(z)}", None, z) for z in missing),
                *(_taken_over(record, item) for record, item in standing),
            ),
            locks=(p.endpoint,),
            by_hand=by_hand(
                az=lines,
                powershell=_powershell(p.endpoint, name, [*kept, *added]),
                note="By hand the zones are added one after the other; ours is one write.",
            ),
        )


def _addresses(item: Json) -> list[str]:
    return [str(a.get("ipv4Address")) for a in properties(item).get("aRecords") or ()]


def _taken_over(record: Record, item: Json) -> Diff:
    """What stood there is kept whole: who takes the group away can put it back."""
    before = {k: v for k, v in properties(item).items() if k in ("ttl", "aRecords", "metadata")}
    after = {**before, "aRecords": [{"ipv4Address": record.ip}]}
    return Diff(f"record {record.name} in {record.zone}", before, after)


def _held(group: Json | None) -> dict[str, str]:
    """Zone name to zone id, of a group."""
    ids = [
        str(dig(c, "properties", "privateDnsZoneId") or "")
        for c in properties(group).get("privateDnsZoneConfigs") or ()
    ]
    return {name_of(z).lower(): z for z in ids if z}


def _written(group: Json | None, record: Record) -> Check:
    observed: list[str] = []
    for config in properties(group).get("privateDnsZoneConfigs") or ():
        if name_of(str(dig(config, "properties", "privateDnsZoneId") or "")).lower() == record.zone:
            for written in dig(config, "properties", "recordSets") or ():
                if str(written.get("recordSetName", "")).lower() == record.name.lower():
                    observed += [str(a) for a in written.get("ipAddresses") or ()]
    return expect(f"{record.name} in {record.zone}", record.ip, observed)


def _other_zone(endpoint: str, group: Json | None, held: dict[str, str], elsewhere: Sequence[str]) -> Blocked:
    """A policy may make its group after the run has chosen a zone. Half of the records in each would help nobody."""
    pairs = "; ".join(
        f"{name_of(z)}: the group writes to {held[name_of(z).lower()]}, this run uses {z}" for z in elsewhere
    )
    return Blocked(
        "zone-group-other-zone",
        f"Zone group {dig(group, 'name')} of {name_of(endpoint)} writes into other zones of the same name. {pairs}. A "
        "network resolves through one zone of a name only.",
        (
            "If a policy made the group: abort and start a new run, which takes the group's zone. Have groups that "
            "this run wrote to its own zone removed first, so that they are made again in the other one.",
            "Otherwise have the group corrected, or removed so that this run makes it; this looks again by itself.",
        ),
        (expect("zones of the group", sorted(elsewhere), sorted(held.values())),),
        poll=Poll(first_s=60, longest_s=3600),
    )


def _config_name(zone: str) -> str:
    return name_of(zone).replace(".", "-")


def _count(number: int) -> str:
    return "one zone" if number == 1 else f"{number} zones"


def _powershell(endpoint: str, name: str, configs: Sequence[Json]) -> tuple[str, ...]:
    _, subscription, _, group, *_ = endpoint.strip("/").split("/")
    zones = ", ".join(
        f"(New-AzPrivateDnsZoneConfig -Name {word(c['name'])} -PrivateDnsZoneId "
        f"{word(dig(c, 'properties', 'privateDnsZoneId'))})"
        for c in configs
    )
    return (
        f"Set-AzContext -Subscription {subscription}",
        f"New-AzPrivateDnsZoneGroup -ResourceGroupName {word(group)} -PrivateEndpointName {word(name_of(endpoint))} "
        f"-Name {word(name)} -PrivateDnsZoneConfig {zones}",
    )
