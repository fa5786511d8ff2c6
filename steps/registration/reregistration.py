"""Registers a provider a second time, after approval: the call everybody forgets, as the state reads Registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json
from runbook.core.clock import from_iso, iso
from runbook.step import Blocked, Changes, Check, InProgress, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import dig, moment
from steps._shared.providers import read_provider, register
from steps.registration._flags import GONE, ON, read_flag

LOG_DAYS: Final = 89
"""How far back the activity log is read. It keeps 90 days; asking for more is refused."""
SLOW_MS: Final = 3_600_000


class Reregistration(Step):
    """A real register call later than the approval, whoever made it, and the gated type showing in the region.

    Evidence is the activity log, or this run's own journal while the log has not caught up.

    Source: Microsoft Docs, Arc private link article of 2021-03-18, part 1; "Set up preview features", Microsoft Learn,
    2024-03-19 ("re-register the provider to propagate the change"); Activity Logs 2015-04-01.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``approved_ms`` is when the approval was seen; None when it was there before the run.

        ``feature`` is the flag that the approval turned on; empty where none is looked at.
        """

        subscription: str
        namespace: str
        type: str
        location: str
        approved_ms: int | None = None
        feature: str = ""

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        if (revoked := await self._revoked(ctx)) is not None:
            return revoked
        evidence = await self._evidence(ctx)
        view = await read_provider(ctx.arm, p.subscription, p.namespace)
        is_open = view.is_open(p.type, p.location)
        since = f"after {moment(p.approved_ms)}" if p.approved_ms is not None else "after the approval"
        if evidence is not None and p.approved_ms is None and not is_open and not ctx.applied:
            evidence = None  # Which came first is not known, and a type that does not show speaks against the call.
        if evidence is None:
            check = expect(f"{p.namespace}/register {since}", "one call", "none in the activity log or in this run")
            summary = f"{p.namespace} reads {view.state}, but nobody registered it since the approval."
            return Changes((register(p.subscription, p.namespace, f"Register {p.namespace} again"),), (check,), summary)
        called = expect(f"{p.namespace}/register {since}", "one call", evidence[1], ok=True)
        shown = expect(f"{p.namespace}/{p.type} in {p.location}", "offered", "offered" if is_open else "not yet")
        if is_open:
            return Satisfied((called, shown), {"evidence": evidence[1]})
        return self._spreading(ctx, evidence[0], (called, shown))

    async def _revoked(self, ctx: StepContext) -> Blocked | None:
        """What to say when the flag, which was on, is not any more: registering would carry nothing over."""
        p = self.params
        if not p.feature:
            return None
        state = await read_flag(ctx.arm, p.subscription, p.namespace, p.feature)
        if state == GONE or state.lower() == ON:
            return None
        seen = f"was seen approved {moment(p.approved_ms)}" if p.approved_ms is not None else "was approved"
        return Blocked(
            "approval-revoked",
            f"{p.feature} in {p.subscription} {seen} and now reads {state}: the approval was withdrawn, or somebody "
            "unregistered the flag.",
            (
                "Find out who did it: the activity log names callers of this subscription, the team knows the rest.",
                f"Have it approved again; asking for it by hand is `az feature register --namespace {p.namespace} "
                f"--name {p.feature} --subscription {p.subscription}`. This looks again by itself and goes on.",
                "Leave this subscription out: skip this node with the reason.",
            ),
            (expect(f"flag {p.feature}", "Registered", state),),
            poll=Poll(first_s=600, factor=1.5, longest_s=4 * 3600),
        )

    def _spreading(self, ctx: StepContext, called_ms: int, checks: tuple[Check, ...]) -> Verdict:
        p = self.params
        if ctx.now_ms - called_ms > SLOW_MS:
            return Blocked(
                "type-not-offered",
                f"{p.type} is still not offered in {p.location}, more than an hour after the second registration.",
                (
                    "Keep waiting; this looks again by itself.",
                    "Answer the team's mail: the flag reads Registered but the type does not show.",
                ),
                checks,
                poll=Poll(first_s=300),
            )
        return InProgress(f"The approval is spreading; {p.type} is not offered in {p.location} yet.", 15, checks)

    async def _evidence(self, ctx: StepContext) -> tuple[int, str] | None:
        """When the second call was made, and by whom in words."""
        p = self.params
        events = await ctx.arm.list(
            f"/subscriptions/{p.subscription}/providers/Microsoft.Insights/eventtypes/management/values",
            versions.ACTIVITY_LOG,
            **{"$filter": self._filter(ctx.now_ms)},
        )
        calls = sorted((c for e in events if (c := _register_call(e, p.namespace)) is not None), reverse=True)
        # The log's clock and ours may differ by less than the poll that saw the approval; equal counts as later.
        if calls and (p.approved_ms is None or calls[0][0] >= p.approved_ms):
            at_ms, caller = calls[0]
            return at_ms, f"{moment(at_ms)} by {caller}, in the activity log"
        if ctx.applied:
            at_ms = ctx.applied[-1]["at_ms"]
            return at_ms, f"{moment(at_ms)} by this run"
        return None

    def _filter(self, now_ms: int) -> str:
        since_ms = now_ms - LOG_DAYS * 86_400_000
        if self.params.approved_ms is not None:
            since_ms = max(since_ms, self.params.approved_ms)
        return (
            f"eventTimestamp ge '{iso(since_ms)}' and eventTimestamp le '{iso(now_ms)}' "
            f"and resourceProvider eq '{self.params.namespace}'"
        )


def _register_call(event: Json, namespace: str) -> tuple[int, str] | None:
    """When and by whom, if the event is a register call that succeeded."""
    operation = str(dig(event, "operationName", "value") or "")
    status = str(dig(event, "status", "value") or "")
    at = event.get("eventTimestamp")
    if operation.lower() != f"{namespace}/register/action".lower() or status.lower() != "succeeded" or not at:
        return None
    try:
        return from_iso(str(at)), str(event.get("caller") or "somebody")
    except ValueError:
        return None
