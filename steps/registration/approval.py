"""Waits until Microsoft approves a preview feature, gently, for weeks.

Silence, a rejection, an approval that does not arrive at the flag, and a message that forgot a subscription have their
own paths and words. What the team says by mail cannot be read: the operator says it here (``WORDS``), with the
reference and the date, and it is held against what the flag reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.clock import duration
from runbook.core.docs import AttestDoc
from runbook.step import (
    Blocked,
    Changes,
    Check,
    InProgress,
    Patience,
    Poll,
    Satisfied,
    Sent,
    Step,
    StepContext,
    Verdict,
    Waiting,
    expect,
)
from steps._shared.impatience import Impatience
from steps._shared.look import happened_ms, moment, said
from steps.registration._flags import GONE, OFF, ON, read_flag, register_flag

GENTLE: Final = Poll(first_s=60, factor=1.5, longest_s=4 * 3600)
"""About a hundred reads in the first fortnight, six a day at the end of it."""
SILENT_MS: Final = 14 * 86_400_000
"""Silence longer than this calls for a second message. The threshold is ours."""
DAILY: Final = Poll(first_s=86_400, factor=1, longest_s=86_400)
"""Once nobody has answered for so long."""
PROMISED: Final = Poll(first_s=60, factor=1.5, longest_s=900)
"""Once they said yes."""
STUCK_MS: Final = 4 * 3_600_000
"""So long after they said yes the flag should have followed. The threshold is ours."""

SENT, APPROVED, REJECTED = "sent", "approved", "rejected"
WORDS: Final = (
    (SENT, "I wrote to them again"),
    (APPROVED, "They say that it is approved"),
    (REJECTED, "They turned it down"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """The message that went out, as the node that drafted it says in ``sent``."""

    what: str
    at_ms: int
    by: str
    how: str
    about: tuple[str, ...] = ()
    reference: str = ""


class Approval(Step):
    """One subscription's approval.

    A flag that is off again after it was asked for has been turned down (or withdrawn): asking again is a decision,
    so the operator's word comes first.

    Source: "Set up preview features in Azure subscription", Microsoft Learn, 2024-03-19; the state a rejection leaves
    behind is not documented and is read as it is found.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``asked`` are the subscriptions that the request named, ``sent_ms`` when it went out; None if none did.

        ``sent`` says the same and more; runs that an earlier release began lack it.
        """

        subscription: str
        namespace: str
        name: str
        who: str
        asked: tuple[str, ...] = ()
        sent_ms: int | None = None
        sent: Request | None = None
        patience: Impatience | None = None

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        state = await read_flag(ctx.arm, p.subscription, p.namespace, p.name)
        check = expect(f"flag {p.name}", "Registered", state)
        if state == GONE:
            gone = expect(f"flag {p.name}", "Registered", f"{state}: no approval is needed", ok=True)
            return Satisfied((gone,), {"approved_ms": None, "state": "gone", "evidence": ""})
        lowered = state.lower()
        if lowered == ON:
            return self._approved(ctx, check)
        if lowered == "unregistering":
            return InProgress(f"{p.name} is {state}.", 10, (check,))
        if lowered in OFF:
            return self._turned_down(ctx, state, check)
        word = ctx.attested[-1] if ctx.attested else None
        match word.get("says", "") if word else "":
            case "approved" if word:
                return self._promised(ctx, state, check, word)
            case "rejected" if word:
                return self._refused_by_mail(state, check, word)
            case _:
                return self._waiting(ctx, check)

    def _approved(self, ctx: StepContext, check: Check) -> Verdict:
        p = self.params
        word = next((w for w in reversed(ctx.attested) if w.get("says") == APPROVED), None)
        has_waited = ctx.waiting_since_ms is not None or ctx.applied or ctx.attested or p.subscription in p.asked
        if not has_waited:
            found = expect(check.name, "Registered", "Registered, found so at the first look", ok=True)
            return Satisfied((found,), {"approved_ms": None, "state": "Registered", "evidence": ""})
        waited = "" if ctx.waiting_since_ms is None else duration((ctx.now_ms - ctx.waiting_since_ms) / 1000)
        seen = expect("approval", "given", f"seen {moment(ctx.now_ms)}{f' after {waited}' if waited else ''}", ok=True)
        told = (expect("their answer", "approved", said(word), ok=True),) if word else ()
        outputs = {"approved_ms": ctx.now_ms, "state": "Registered", "evidence": said(word) if word else ""}
        return Satisfied((check, seen, *told), outputs)

    def _waiting(self, ctx: StepContext, check: Check) -> Verdict:
        p = self.params
        sent = self._sent(ctx)
        plan = (p.patience or Impatience()).plan()
        began_ms = ctx.waiting_since_ms if ctx.waiting_since_ms is not None else ctx.now_ms
        quiet_ms = ctx.now_ms - max(began_ms, sent.at_ms if sent and ctx.attested else began_ms)
        # For whom, since when and after how many looks is told by every screen already.
        asked_ms = sent.at_ms if sent else p.sent_ms
        asked = f"The request went out {moment(asked_ms)}. " if asked_ms else ""
        message = f"{asked}You may close this and come back: `runbook resume` goes on."
        is_silent = quiet_ms > (SILENT_MS if plan.escalate_s is None else plan.escalate_s * 1000)
        is_reminder = sent is not None and any(ctx.now_ms >= sent.at_ms + s * 1000 for s in plan.remind_s)
        if is_silent:
            message = (
                f"No answer for {duration(quiet_ms / 1000)}. Write to {p.who} again with the date of the first "
                "message, "
                f"or open a support request for subscription {p.subscription} (feature {p.namespace}/{p.name}). "
                + message
            )
        elif self._is_forgotten(ctx):
            message = (
                f"The message to {p.who} did not name this subscription, so nobody will approve it. Send one that "
                "does, and say so here. " + message
            )
        elif is_reminder:
            message = f"Time to remind {p.who}: the message below does. " + message
        return Waiting(
            who=p.who,
            message=message,
            then="As soon as the flag reads Registered, the provider is registered a second time and the work goes on.",
            poll=DAILY if is_silent else GENTLE,
            draft=self._reminder(ctx, sent) if is_silent or is_reminder or self._is_forgotten(ctx) else "",
            checks=(check,),
            words=WORDS,
            sent=sent,
            patience=plan,
        )

    def _is_forgotten(self, ctx: StepContext) -> bool:
        p = self.params
        return p.sent_ms is not None and p.subscription not in p.asked and not ctx.attested

    def _sent(self, ctx: StepContext) -> Sent | None:
        """The newest message about this subscription: a later word of the operator counts before the first one."""
        p = self.params
        word = next((w for w in reversed(ctx.attested) if w.get("says", "") in ("", SENT)), None)
        if word is not None:
            what = f"A further message about {p.namespace}/{p.name}"
            return Sent(what, happened_ms(word), word["by"], word["text"], (p.subscription,), word.get("reference", ""))
        if p.sent is None or self._is_forgotten(ctx):
            return None
        first = p.sent
        about = tuple(s for s in first.about if s == p.subscription)  # the whole list stands where it was sent
        return Sent(first.what, first.at_ms, first.by, first.how, about, first.reference)

    def _reminder(self, ctx: StepContext, sent: Sent | None) -> str:
        p = self.params
        before = f"we asked on {moment(sent.at_ms)}" if sent else "we would like to ask"
        reference = f" (your reference {sent.reference})" if sent and sent.reference else ""
        name = ctx.run.subscriptions.get(p.subscription, "")
        return (
            f"To: {p.who}\n"
            f"Subject: {'Reminder: ' if sent else ''}approval of {p.namespace}/{p.name}\n\n"
            f"Hello,\n\n{before}{reference} for the approval of the preview feature {p.namespace}/{p.name} for:\n\n"
            f"  {p.subscription}  {name}".rstrip()
            + f"\n\nTenant: {ctx.run.tenant}\n\nThe flag does not read Registered yet. Can you tell us when to expect "
            "it, or what is missing?\n\nThank you."
        )

    def _promised(self, ctx: StepContext, state: str, check: Check, word: AttestDoc) -> Verdict:
        """They said yes and the flag does not show it."""
        p = self.params
        told = expect("their answer", "approved", said(word), ok=True)
        since_ms = ctx.now_ms - word["at_ms"]
        if since_ms <= STUCK_MS:
            return Waiting(
                who=p.who,
                message=f"They say that it is approved, and the flag still reads {state}. It is looked at more often "
                "now.",
                then="As soon as the flag reads Registered, the provider is registered a second time.",
                poll=PROMISED,
                checks=(check, told),
                words=WORDS,
                sent=self._sent(ctx),
                patience=Patience(usual=(p.patience or Impatience()).plan().usual),
            )
        return Blocked(
            "approval-stuck",
            f"{p.who} say that {p.name} is approved ({said(word)}), but in {p.subscription} it still reads {state}, "
            f"{duration(since_ms / 1000)} after you were told.",
            (
                f"Answer them: the flag {p.namespace}/{p.name} of subscription {p.subscription} still reads {state}. "
                "Then say `sent` here.",
                "See whether their answer names this very subscription and feature.",
                "This looks again by itself; retry looks now.",
            ),
            (check, told),
            poll=Poll(first_s=900, factor=1.5, longest_s=4 * 3600),
            words=WORDS,
            waits_on=True,
        )

    def _refused_by_mail(self, state: str, check: Check, word: AttestDoc) -> Blocked:
        p = self.params
        return Blocked(
            "approval-rejected",
            f"{p.who} turned {p.name} in {p.subscription} down ({said(word)}); the flag still reads {state}.",
            (
                f"Clear it up with {p.who}, write to them again, and say `sent` here: the wait then goes on.",
                "Leave this subscription out: skip this node with the reason.",
            ),
            (check, expect("their answer", "approved", said(word), ok=False)),
            poll=DAILY,
            words=WORDS,
        )

    def _turned_down(self, ctx: StepContext, state: str, check: Check) -> Verdict:
        p = self.params
        # Words said while it was still pending tell of messages and answers; none of them asks for another try.
        last_word = next((w["at_ms"] for w in reversed(ctx.attested) if not w.get("says")), None)
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
