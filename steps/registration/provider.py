"""Registers a resource provider for the first time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.step import Blocked, Changes, Diff, InProgress, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.providers import ProviderView, read_provider, register

SLOW_MS: Final = 3_600_000
"""Registering for longer than this deserves a support ticket. The threshold is ours."""
SETTLES_MS: Final = 120_000
"""So long after our call a state that still reads "not registered" is taken for stale."""


class Provider(Step):
    """One provider in one subscription.

    Registration rolls out region by region. When the type that is needed already shows for the region, the rest of the
    roll-out need not be waited for.

    Source: "Azure resource providers and types", Microsoft Learn; Providers 2021-04-01.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``type`` is the resource type needed in ``location``; empty when registration alone is enough."""

        subscription: str
        namespace: str
        type: str = ""
        location: str = ""

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        view = await read_provider(ctx.arm, p.subscription, p.namespace)
        is_open = bool(p.type) and view.is_open(p.type, p.location)
        state = expect("registration state", "Registered", view.state)
        if view.is_registered:
            return Satisfied((state,), outputs={"state": view.state})
        if view.is_registering and is_open:
            note = expect("registration state", "Registered", f"{view.state}, rolling out elsewhere", ok=True)
            ready = expect(f"{p.type} in {p.location}", "offered", "offered")
            return Satisfied((note, ready), outputs={"state": view.state})
        sent_ms = ctx.applied[-1]["at_ms"] if ctx.applied else None
        if view.is_registering or view.state.lower() == "unregistering":
            return self._moving(ctx, view, sent_ms)
        if sent_ms is not None and ctx.now_ms - sent_ms < SETTLES_MS:
            return InProgress(f"{p.namespace} was asked to register and still reads {view.state}.", 10, (state,))
        diff = (Diff("registrationState", view.state, "Registered"),)
        return Changes((register(p.subscription, p.namespace, f"Register {p.namespace}", diff),), (state,))

    def _moving(self, ctx: StepContext, view: ProviderView, sent_ms: int | None) -> Verdict:
        p = self.params
        checks = (expect("registration state", "Registered", view.state),)
        if sent_ms is not None and ctx.now_ms - sent_ms > SLOW_MS:
            return Blocked(
                "registration-slow",
                f"{p.namespace} has been {view.state} for more than an hour.",
                (
                    "Keep waiting; this looks again by itself.",
                    "Open a support request naming the subscription and the provider.",
                ),
                checks,
                poll=Poll(first_s=300),
            )
        return InProgress(f"{p.namespace} is {view.state}.", 10, checks)
