"""Says which account works in which subscription of which tenant, and that the subscription takes writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.step import Blocked, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import find, same

WRITABLE: Final = frozenset({"enabled", "pastdue"})
"""Subscription states that take writes. A past-due one usually does; that is said as a finding."""


class Subscription(Step):
    """Account, tenant and state of one subscription.

    Source: "Azure subscription states", Microsoft Learn; Subscriptions 2022-12-01.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        id: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        wanted = self.params.id
        found = await find(ctx.arm, f"/subscriptions/{wanted}", versions.SUBSCRIPTIONS)
        if found is None:
            return Blocked(
                "subscription-not-visible",
                f"{ctx.run.account} sees no subscription {wanted} in tenant {ctx.run.tenant}.",
                (
                    "Sign in to the tenant that holds it: az login --tenant <tenant>, then az account set -s "
                    f"{wanted}.",
                    "Have a role assigned in it, then retry.",
                    "Start a run with the right subscription id.",
                ),
            )
        name, state, tenant = (str(found.get(k) or "") for k in ("displayName", "state", "tenantId"))
        pinned = any(same(s, wanted) for s in ctx.run.subscriptions)
        checks = (
            expect("signed-in account", ctx.run.account, ctx.run.account),
            expect("tenant", ctx.run.tenant, tenant),
            expect("pinned for this run", True, pinned),
            expect("subscription state", "Enabled", state, ok=state.lower() in WRITABLE),
        )
        if not checks[1].ok or not pinned:
            return Blocked(
                "subscription-not-pinned",
                f"{name or wanted} is not among the subscriptions this run may write to.",
                ("Start a run whose inputs name it, signed in to its tenant.",),
                checks,
            )
        if state.lower() not in WRITABLE:
            return Blocked(
                "subscription-not-enabled",
                f"{name or wanted} is {state}: Azure refuses writes in it.",
                (
                    "Have the account's owner settle the billing or enable the subscription again; this looks again "
                    "by itself.",
                    "Start a run with another subscription.",
                ),
                checks,
                poll=Poll(first_s=300),
            )
        lines = [
            "az account show",
            f"az account set -s {wanted}",
            "Get-AzContext",
            f"Set-AzContext -Subscription {wanted}",
        ]
        return Satisfied(
            checks,
            outputs={"id": wanted, "name": name, "tenant": tenant, "state": state, "commands": lines},
            summary=f"{ctx.run.account} works in {name} ({wanted}). To look or switch by hand: {'; '.join(lines)}.",
        )
