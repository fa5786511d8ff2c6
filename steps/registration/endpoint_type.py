"""Checks that the region offers private endpoints to a resource type, and registers the network again if not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.step import Blocked, Changes, InProgress, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import same
from steps._shared.providers import register

NETWORK: Final = "Microsoft.Network"
SLOW_MS: Final = 3_600_000


class EndpointType(Step):
    """A target type among those that private endpoints can lead to, in one region.

    Source: Azure Network REST 2024-01-01, available private endpoint types; Arc article of March 2021, troubleshooting
    ("if the type is missing from the wizard, register the provider again").
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        subscription: str
        location: str
        type: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        path = (
            f"/subscriptions/{p.subscription}/providers/{NETWORK}/locations/{p.location}/availablePrivateEndpointTypes"
        )
        offered = await ctx.arm.list(path, versions.NETWORK)
        is_there = any(same(str(o.get("resourceName", "")), p.type) for o in offered)
        check = expect(f"endpoints to {p.type} in {p.location}", "offered", "offered" if is_there else "not offered")
        if is_there:
            return Satisfied((check,), {"offered": len(offered)})
        if not ctx.applied:
            title = f"Register {NETWORK} again"
            return Changes(
                (register(p.subscription, NETWORK, title),), (check,), "The network does not know the type yet."
            )
        if ctx.now_ms - ctx.applied[-1]["at_ms"] < SLOW_MS:
            return InProgress(f"Waiting until {p.location} offers endpoints to {p.type}.", 15, (check,))
        return Blocked(
            "endpoint-type-not-offered",
            f"{p.location} does not offer private endpoints to {p.type}.",
            (
                "Keep waiting; this looks again by itself.",
                "Open a support request.",
                "Use a virtual network in another region.",
            ),
            (check,),
            poll=Poll(first_s=300),
        )
