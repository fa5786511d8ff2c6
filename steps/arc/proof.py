"""The whole result in one fresh look: endpoint, both sides of its connection, names, servers."""

from __future__ import annotations

from runbook.step import Satisfied, Step, StepContext, Verdict
from steps.arc._result import Result, checks_of


class Proof(Step):
    """What must hold before the public way is closed, and what the report shows.

    Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04, troubleshooting.
    """

    Params = Result
    params: Result

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        checks = await checks_of(ctx, p)
        return Satisfied(checks, {"names": {r.fqdn: r.ip for r in p.records}, "servers": len(p.machines)})
