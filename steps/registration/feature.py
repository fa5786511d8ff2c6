"""Asks for a preview feature flag. Approval, where Microsoft must give it, is a node of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Reader
from runbook.step import Changes, InProgress, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import name_of
from steps.registration._flags import GONE, ON, PENDING, read_flag, register_flag

SETTLES_MS: Final = 15 * 60_000
"""So long after our call ``Registering`` may turn to ``Registered`` by itself; then somebody has to approve. Ours."""


class Feature(Step):
    """One feature flag in one subscription.

    A flag that no longer exists, or that is on already, is a finding: it is shown with what was read and nothing is
    done. ``Pending`` is enough here: the request has been made.

    Source: Features 2021-07-01; "Set up preview features in Azure subscription", Microsoft Learn, 2024-03-19.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``remark`` is shown beside the commands, such as how an article spells the flag."""

        subscription: str
        namespace: str
        name: str
        remark: str = ""

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        state = await read_flag(ctx.arm, p.subscription, p.namespace, p.name)
        title = f"flag {p.namespace}/{p.name}"
        if state == GONE:
            listed = await _catalogue(ctx.arm, p.subscription, p.namespace)
            checks = (
                expect(title, "Registered", f"{GONE}: nothing to ask for, the feature is open or retired", ok=True),
                expect(f"flags that {p.namespace} lists here", f"not {p.name}", listed, ok=True),
            )
            return Satisfied(checks, {"state": "gone"}, f"{p.namespace} has no flag {p.name} any more.")
        match state.lower():
            case value if value == ON:
                note = "Registered by this run" if ctx.applied else "Registered before this run"
                return Satisfied((expect(title, "Registered", note, ok=True),), {"state": state})
            case value if value in PENDING and not self._may_settle(ctx, value):
                note = f"{state}: asked for, Microsoft has to approve"
                return Satisfied((expect(title, "Registered or Pending", note, ok=True),), {"state": state})
            case value if value in PENDING or value == "unregistering":
                return InProgress(f"{p.name} is {state}.", 10, (expect(title, "Registered", state),))
            case _:
                change = register_flag(p.subscription, p.namespace, p.name, f"Ask for {p.name}", p.remark)
                return Changes((change,), (expect(title, "Registered or Pending", state, ok=False),))

    def _may_settle(self, ctx: StepContext, state: str) -> bool:
        """Whether the flag may still come on by itself: our call is young, and it does not say that it waits."""
        return state != "pending" and bool(ctx.applied) and ctx.now_ms - ctx.applied[-1]["at_ms"] < SETTLES_MS


async def _catalogue(arm: Reader, subscription: str, namespace: str) -> str:
    path = f"/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}/features"
    names = sorted(name_of(str(f.get("name", ""))) for f in await arm.list(path, versions.FEATURES))
    if not names:
        return "no flags at all"
    return f"{len(names)} flags: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
