"""Something that cannot be taken back, said in its place so that nobody has to miss it. Nothing is read or changed."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Satisfied, Step, StepContext, Verdict, expect


class Stays(Step):
    """One thing that a run did and that stays."""

    @dataclass(frozen=True, slots=True)
    class Params:
        reason: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        reason = self.params.reason
        return Satisfied((expect("taken back", "where it can be", f"stays: {reason}", ok=True),), {}, reason)
