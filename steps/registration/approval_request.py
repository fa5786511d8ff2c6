"""Has the operator ask Microsoft for approval: one message for every subscription that waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Satisfied, Sent, Step, StepContext, Verdict, Waiting, expect
from steps._shared.look import happened_ms, said
from steps.registration._flags import PENDING, read_flag


class ApprovalRequest(Step):
    """The one message to the product team. Only subscriptions whose flag is pending are named in it.

    Source: Microsoft Docs, "Use Azure Private Link to securely connect networks to Azure Arc enabled servers",
    2021-03-18, part 1.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``who`` is the team as a person would say it."""

        subscriptions: tuple[str, ...]
        namespace: str
        name: str
        location: str
        who: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        states = {s: await read_flag(ctx.arm, s, p.namespace, p.name) for s in p.subscriptions}
        checks = [
            expect(
                f"{p.name} in {s}",
                "Pending or further",
                state,
                ok=state.lower() not in ("notregistered", "unregistered"),
            )
            for s, state in states.items()
        ]
        pending = [s for s, state in states.items() if state.lower() in PENDING]
        if ctx.attested:
            word = ctx.attested[-1]
            checks = [expect(c.name, c.expected, c.observed, ok=True) for c in checks]
            sent = expect("request sent", "attested", said(word), ok=True)
            sent_ms = happened_ms(word)
            message = Sent(
                self._subject(pending), sent_ms, word["by"], word["text"], pending, word.get("reference", "")
            )
            outputs = {"subscriptions": pending, "sent_ms": sent_ms, "asked": True, "sent": message.doc()}
            return Satisfied((*checks, sent), {**outputs, "message": self._draft(ctx, states, pending)})
        if not pending:
            checks = [expect(c.name, c.expected, c.observed, ok=True) for c in checks]
            summary = "No subscription waits for approval; there is nothing to ask for."
            return Satisfied(checks, {"subscriptions": [], "sent_ms": None, "asked": False, "sent": None}, summary)
        return Waiting(
            who="you, to send one message",
            message=f"Send the message below to {p.who}, at the address that came with your invitation to the preview. "
            f"It names {_count(len(pending))}.",
            then="Each subscription then waits by itself until its flag reads Registered; that took days in the "
            "preview.",
            draft=self._draft(ctx, states, pending),
            attest=f"I sent the message to {p.who}: when and how",
            checks=checks,
        )

    def _subject(self, pending: list[str]) -> str:
        return f"Azure Arc private link preview: approval for {_count(len(pending))}"

    def _draft(self, ctx: StepContext, states: dict[str, str], pending: list[str]) -> str:
        p = self.params
        lines = "\n".join(f"  {s}  {ctx.run.subscriptions.get(s, '')}".rstrip() for s in pending)
        return (
            f"To: {p.who}\n"
            f"Subject: {self._subject(pending)}\n\n"
            f"Hello,\n\nplease approve the preview feature {p.namespace}/{p.name} for:\n\n{lines}\n\n"
            f"Tenant: {ctx.run.tenant}\nRegion: {p.location}\n\n"
            f"The flag is registered in each of them and reads {' or '.join(sorted({states[s] for s in pending}))}. "
            "We register the resource provider again as soon as it is approved.\n\nThank you."
        )


def _count(number: int) -> str:
    return "one subscription" if number == 1 else f"{number} subscriptions"
