"""A gate that only a person's word opens: something that no reading can show."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared.look import said


class Attested(Step):
    """Shows what is to be done, waits for the operator's word, and keeps it as the evidence."""

    @dataclass(frozen=True, slots=True)
    class Params:
        """``draft`` is the text to hand over or to run; ``attest`` what the word would say."""

        who: str
        message: str
        then: str
        attest: str
        draft: str = ""

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        if not ctx.attested:
            return Waiting(who=p.who, message=p.message, then=p.then, draft=p.draft, attest=p.attest)
        word = ctx.attested[-1]
        return Satisfied(
            (expect(p.attest, "attested", said(word), ok=True),), {"attested_ms": word["at_ms"], "text": word["text"]}
        )
