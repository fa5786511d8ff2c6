"""Finds the Arc-enabled servers that are to be put into the scope."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runbook.step import Blocked, Check, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.fleet import Machine, machines_in
from steps._shared.look import name_of, same_region


class Machines(Step):
    """The servers named by the operator, or every one of the region.

    Source: HybridCompute 2022-12-27, machines; "Connected Machine agent release notes archive", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``listed`` empty means every server of ``location`` in ``subscriptions``."""

        subscriptions: tuple[str, ...]
        location: str
        listed: tuple[str, ...] = ()

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        every = await machines_in(ctx.arm, p.subscriptions)
        known = {m.id.lower(): m for m in every}
        missing = [m for m in p.listed if m.lower() not in known]
        if missing:
            return Blocked(
                "machine-missing",
                f"There is no Arc-enabled server {', '.join(map(name_of, missing))} in the subscriptions of this run.",
                (
                    "Connect it to Azure Arc first, or take it out of `machines`, in a new run.",
                    "Retry when it has been connected.",
                ),
                (expect("servers named and not found", "none", [name_of(m) for m in missing]),),
            )
        chosen = [known[m.lower()] for m in p.listed] or [m for m in every if same_region(m.location, p.location)]
        if astray := [m for m in chosen if not same_region(m.location, p.location)]:
            return Blocked(
                "machine-in-other-region",
                f"{', '.join(f'{m.name} ({m.location})' for m in astray)}: a scope in {p.location} takes its "
                "region's only.",
                ("Name only servers of that region.", "Make a second scope for the other region, in a run of its own."),
            )
        return Satisfied(
            _checks(p.location, every, chosen), {"items": [_item(m) for m in chosen], "count": len(chosen)}
        )


def _item(machine: Machine) -> dict[str, str]:
    return {"id": machine.id, "name": machine.name, "location": machine.location}


def _checks(location: str, every: list[Machine], chosen: list[Machine]) -> list[Check]:
    chosen_ids = {m.id for m in chosen}
    rest = [f"{m.name} ({m.location})" for m in every if m.id not in chosen_ids]
    away = [f"{m.name} is {m.status}" for m in chosen if m.status.lower() != "connected"]
    return [
        expect(f"servers of {location} to associate", "any", [m.name for m in chosen], ok=True),
        expect("servers left out", "any", rest, ok=True),
        expect("agents that are not connected", "none", away, ok=True),
        *(
            expect(f"agent of {m.name}", "1.4 or newer", remark, ok=True)
            for m in chosen
            if (remark := agent_remark(m.agent))
        ),
    ]


def agent_remark(version: str) -> str:
    """What is known to be wrong with an agent version and private link; empty for nothing.

    Source: "Connected Machine agent release notes archive", Microsoft Learn.
    """
    match = re.match(r"(\d+)\.(\d+)", version)
    if match is None:
        return ""
    release = (int(match[1]), int(match[2]))
    if release < (1, 4):
        return f"{version}: too old for private endpoints, update it"
    if release == (1, 19):
        return f"{version}: downloads extensions over the public endpoint, update it"
    if release == (1, 41):
        return f"{version}: extensions fail over private endpoints, update it"
    if release < (1, 15):
        return f"{version}: works, but has no `azcmagent check` on demand and no proxy bypass"
    return ""
