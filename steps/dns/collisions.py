"""Finds other endpoints whose records would collide with those of planned ones, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Reader
from runbook.core.ids import subscription_of
from runbook.core.together import together
from runbook.step import Blocked, Check, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.endpoints import Endpoint
from steps._shared.look import name_of, said, same, whereabouts
from steps._shared.planned import Planned
from steps._shared.zones import Area, FoundZone, area, is_shadow, zones_where
from steps.dns._guards import hidden
from steps.dns._rivals import (
    MOST,
    Estate,
    Rival,
    endpoints_of,
    may_hold,
    names_of,
    ours_of,
    records_in,
    rivals_of,
    zones_written,
)

MOST_NAMED: Final = 5
"""Collisions that the message spells out; the checks name them all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One planned endpoint and what is in its way. ``is_sure`` is False where it cannot be told from here."""

    planned: Planned
    other: str
    why: str
    is_sure: bool = True

    @property
    def words(self) -> str:
        return (
            f"{self.planned.endpoint_name} (to {self.planned.name}, {self.planned.group}) and {self.other}: {self.why}"
        )


class Collisions(Step):
    """Two endpoints to one place write the same names. In one zone the last writer wins, silently.

    Another endpoint is found in the subscriptions that this account sees, and in the target's own list. It is in the
    way where its records stand, or would be written, in a zone that one of the networks resolves through: there this
    run's endpoint would take them over. One in a zone that none of the networks uses does no harm.

    Source: "Azure Private Endpoint DNS integration", Microsoft Learn, 2023-10-11.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``networks`` are the virtual networks that are to resolve the names, ``zones`` the names of their zones."""

        endpoints: tuple[Planned, ...]
        networks: tuple[str, ...]
        zones: tuple[str, ...] = ()

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        named = [*(e.endpoint for e in p.endpoints), *(e.target for e in p.endpoints), *p.networks]
        where = await area(ctx.arm, [*(subscription_of(n) or "" for n in named), *sorted(ctx.run.subscriptions)])
        seen, closed = await endpoints_of(ctx.arm, where.subscriptions)
        rivals, unread = await rivals_of(ctx.arm, p.endpoints, seen)
        hiding = await zones_where(ctx.arm, lambda n: any(is_shadow(n, z) for z in p.zones), where.subscriptions)
        if hiding := [z for z in hiding if any(z.serves(n) for n in p.networks)]:
            return hidden(hiding, p.networks, where.names)
        zones = await zones_where(ctx.arm, lambda n: may_hold(n, p.endpoints), where.subscriptions)
        used = tuple(z for z in zones if any(z.serves(n) for n in p.networks))
        ours = {e.id: found for e in p.endpoints if (found := ours_of(e, seen))}
        findings = await _findings(ctx.arm, rivals, ours, p.endpoints, used) if used else []
        checks = _checks(where, closed, rivals, unread, used, findings)
        if not findings:
            return Satisfied(checks, {}, "No other endpoint's records are in the way.")
        if ctx.attested:
            word = expect("the other records", "may be replaced", said(ctx.attested[-1]), ok=True)
            return Satisfied([*(expect(c.name, c.expected, c.observed, ok=True) for c in checks), word], {})
        return _blocked(findings, checks)


async def _findings(
    arm: Reader,
    rivals: Sequence[Rival],
    ours: Mapping[str, Endpoint],
    planned: Sequence[Planned],
    used: tuple[FoundZone, ...],
) -> list[Finding]:
    """Everything that stands, or would land, where the networks look names up."""
    visible = [r for r in rivals if r.endpoint is not None]
    near = {e.id.lower(): e for e in (*ours.values(), *(r.endpoint for r in visible if r.endpoint))}
    names = await names_of(arm, list(near.values()))
    estate = Estate(used, await records_in(arm, used), names)
    findings, quiet = [], []
    for rival in visible:
        mine = ours.get(rival.planned.id)
        standing = estate.standing(rival.id, names.get(mine.id.lower(), {}) if mine else {})
        if standing:
            findings.append(Finding(rival.planned, rival.id, standing[0]))
        else:
            quiet.append(rival)
    findings += await _landing(arm, quiet, used)
    rest = {f.planned.id for f in findings}
    for p in planned:
        if p.id not in rest and (mine := ours.get(p.id)):
            standing = estate.standing(mine.id, names.get(mine.id.lower(), {}))
            findings += [Finding(p, "records of an endpoint that is not seen", standing[0])] if standing else []
    unseen = [r for r in rivals if r.endpoint is None]
    why = "it is on the target's own list and not readable here; where its records are cannot be told"
    return [*findings, *(Finding(r.planned, r.id, why, is_sure=False) for r in unseen)]


async def _landing(arm: Reader, rivals: Sequence[Rival], used: Sequence[FoundZone]) -> list[Finding]:
    """Rivals whose zone groups write into a zone of the networks, though no record stands there yet."""
    written = await together(zones_written(arm, r.id) for r in rivals[:MOST])
    findings = []
    for rival, zones in zip(rivals, written, strict=False):
        if zones is None:
            why = "its zone group may not be read; where its records are cannot be told"
            findings.append(Finding(rival.planned, rival.id, why, is_sure=False))
            continue
        lands = next((u for u in used if any(same(u.id, z) for z in zones)), None)
        if lands is not None:
            findings.append(Finding(rival.planned, rival.id, f"its zone group writes to {lands.id}"))
    why = f"one of {len(rivals)} others; the zone groups of the first {MOST} were read"
    return [*findings, *(Finding(r.planned, r.id, why, is_sure=False) for r in rivals[MOST:])]


def _blocked(findings: Sequence[Finding], checks: Sequence[Check]) -> Blocked:
    is_sure = any(f.is_sure for f in findings)
    told = "; ".join(f.words for f in findings[:MOST_NAMED])
    more = f"; and {len(findings) - MOST_NAMED} more" if len(findings) > MOST_NAMED else ""
    verb = "collide" if is_sure else "may collide"
    return Blocked(
        "records-collide" if is_sure else "records-may-collide",
        f"Records of two endpoints {verb} in a zone that these networks resolve through: {told}{more}. The last writer "
        "wins, and everybody who resolves through that zone is sent to its endpoint.",
        (
            "Have the links between these networks and that zone removed: this run then makes a zone of its own.",
            "Have the other endpoint removed by its owners, if nobody uses it any more; this looks again by itself.",
            "If the other endpoint is to be replaced, attest it.",
        ),
        checks,
        attest="The other endpoint's records may be replaced: agreed with whom",
        poll=Poll(first_s=300, longest_s=4 * 3600),
    )


def _checks(
    where: Area,
    closed: Sequence[str],
    rivals: Sequence[Rival],
    unread: Sequence[Planned],
    used: Sequence[FoundZone],
    findings: Sequence[Finding],
) -> list[Check]:
    limits = [f"{len(closed)} not readable"] if closed else []
    limits += [f"{where.left_out} more not looked at"] if where.left_out else []
    told = "; ".join([str(len(where.subscriptions) - len(closed)), *limits])
    checks = [
        expect("subscriptions looked through", "every one this account sees", told, ok=True),
        expect("endpoints whose records collide", "none", [f.words for f in findings if f.is_sure]),
        expect("endpoints for which that cannot be told", "none", [f.words for f in findings if not f.is_sure]),
    ]
    if used:
        checks.append(
            expect(
                "zones that the networks resolve through",
                "known",
                [whereabouts(z.id, where.names) for z in used],
                ok=True,
            )
        )
    if rivals:
        others = [name_of(r.id) for r in rivals]
        checks.append(expect("other endpoints to the same places", "known", others, ok=True))
    if unread:
        names = [p.name for p in unread]
        checks.append(expect("targets whose own lists were not read", "none", names, ok=True))
    return checks
