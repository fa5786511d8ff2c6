"""Waits until Microsoft approves a preview feature, gently, for days; rejection and silence have their own paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.clock import duration
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
from steps._shared.look import moment
from steps.registration._flags import GONE, OFF, ON, read_flag, register_flag

GENTLE: Final = Poll(first_s=60, factor=1.5, longest_s=4 * 3600)
"""About a hundred reads in the first fortnight, six a day at the end of it."""
SILENT_MS: Final = 14 * 86_400_000
"""Silence longer than this calls for a second message. The threshold is ours."""
DAILY: Final = Poll(first_s=86_400, factor=1, longest_s=86_400)
"""Once nobody has answered for so long."""


class Approval(Step):
    """One subscription's approval.

    A flag that is off again after it was asked for has been turned down (or withdrawn): asking again is a decision,
    so the operator's word comes first.

    Source: "Set up preview features in Azure subscription", Microsoft Learn, 2024-03-19; the state a rejection leaves
    behind is not documented and is read as it is found.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``asked`` are the subscriptions that the request named, ``sent_ms`` when it went out; None if none did."""

        subscription: str
        namespace: str
        name: str
        who: str
        asked: tuple[str, ...] = ()
        sent_ms: int | None = None

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        state = await read_flag(ctx.arm, p.subscription, p.namespace, p.name)
        check = expect(f"flag {p.name}", "Registered", state)
        if state == GONE:
            gone = expect(f"flag {p.name}", "Registered", f"{state}: no approval is needed", ok=True)
            return Satisfied((gone,), {"approved_ms": None, "state": "gone"})
        lowered = state.lower()
        if lowered == ON:
            return self._approved(ctx, check)
        if lowered == "unregistering":
            return InProgress(f"{p.name} is {state}.", 10, (check,))
        if lowered in OFF:
            return self._turned_down(ctx, state, check)
        return self._waiting(ctx, check)

    def _approved(self, ctx: StepContext, check: Check) -> Verdict:
        p = self.params
        has_waited = ctx.waiting_since_ms is not None or ctx.applied or p.subscription in p.asked
        if not has_waited:
            found = expect(check.name, "Registered", "Registered, found so at the first look", ok=True)
            return Satisfied((found,), {"approved_ms": None, "state": "Registered"})
        waited = "" if ctx.waiting_since_ms is None else duration((ctx.now_ms - ctx.waiting_since_ms) / 1000)
        seen = expect("approval", "given", f"seen {moment(ctx.now_ms)}{f' after {waited}' if waited else ''}", ok=True)
        return Satisfied((check, seen), {"approved_ms": ctx.now_ms, "state": "Registered"})

    def _waiting(self, ctx: StepContext, check: Check) -> Verdict:
        p = self.params
        began_ms = ctx.waiting_since_ms if ctx.waiting_since_ms is not None else ctx.now_ms
        waited_ms = ctx.now_ms - began_ms
        # For whom, since when and after how many looks is told by every screen already.
        asked = f"The request went out {moment(p.sent_ms)}. " if p.sent_ms else ""
        message = f"{asked}You may close this and come back: `runbook resume` goes on."
        is_silent = waited_ms > SILENT_MS
        if is_silent:
            message = (
                f"No answer for {duration(waited_ms / 1000)}. Write to {p.who} again with the date of the first "
                "message, "
                f"or open a support request for subscription {p.subscription} (feature {p.namespace}/{p.name}). "
                + message
            )
        return Waiting(
            who=p.who,
            message=message,
            then="As soon as the flag reads Registered, the provider is registered a second time and the work goes on.",
            poll=DAILY if is_silent else GENTLE,
            checks=(check,),
        )

    def _turned_down(self, ctx: StepContext, state: str, check: Check) -> Verdict:
        p = self.params
        last_word = ctx.attested[-1]["at_ms"] if ctx.attested else None
        last_try = ctx.applied[-1]["at_ms"] if ctx.applied else None
        if last_word is not None and (last_try is None or last_word > last_try):
            change = register_flag(p.subscription, p.namespace, p.name, f"Ask for {p.name} again")
            return Changes((change,), (check,), "Ask again, as cleared up with the team.")
        return Blocked(
            "approval-rejected",
            f"{p.name} in {p.subscription} was asked for and now reads {state}: it was turned down, or somebody "
            "withdrew it.",
            (
                f"Ask {p.who} why, clear it up, and say so here: the flag is then asked for again.",
                "Leave this subscription out: skip this node with the reason.",
                "Retry, if they said that they approve it after all.",
            ),
            (check,),
            attest=f"I cleared it up with {p.who}; ask again",
        )
