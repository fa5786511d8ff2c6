"""Checks that the region offers private endpoints to a resource type; where it helps, registers the network again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.step import (
    Blocked,
    Changes,
    Check,
    InProgress,
    Poll,
    Satisfied,
    Step,
    StepContext,
    Verdict,
    Waiting,
    expect,
)
from steps._shared import versions
from steps._shared.look import said, same
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
        """``registers``: whether a missing type calls for registering the network again, or for waiting alone."""

        subscription: str
        location: str
        type: str
        registers: bool = True

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
        if p.registers and not ctx.applied:
            title = f"Register {NETWORK} again"
            return Changes(
                (register(p.subscription, NETWORK, title),), (check,), "The network does not know the type yet."
            )
        if not p.registers:
            return self._wait(ctx, check)
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

    def _wait(self, ctx: StepContext, check: Check) -> Verdict:
        p = self.params
        if ctx.attested:
            return Satisfied((expect(check.name, "offered", said(ctx.attested[-1]), ok=True),), {"offered": 0})
        return Waiting(
            who="the region's network",
            message=f"It does not list {p.type} among the types that endpoints can lead to. After a registration that "
            "takes a minute or two; an hour would be unusual.",
            then="The endpoints are made.",
            poll=Poll(first_s=15, longest_s=300),
            attest=f"The portal offers private endpoints to {p.type} in {p.location}, although the list does not",
            checks=(check,),
        )
