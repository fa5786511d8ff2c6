"""The whole result in one fresh look: endpoint, both sides of its connection, records, servers."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Blocked, Check, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.endpoints import connection_at_target, endpoint_of
from steps._shared.fleet import Guard, inside_check, outsiders
from steps._shared.look import find, name_of, same
from steps._shared.records import Record


class Proof(Step):
    """What must hold before the public way is closed, and what the report shows.

    Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04, troubleshooting.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        endpoint: str
        scope: str
        records: tuple[Record, ...]
        machines: tuple[str, ...]
        guard: Guard

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        doc = await find(ctx.arm, p.endpoint, versions.NETWORK)
        if doc is None:
            return Blocked(
                "endpoint-missing", f"{p.endpoint} is gone.", ("Find out who removed it; a new run makes a new one.",)
            )
        endpoint = endpoint_of(doc)
        other_side = await connection_at_target(ctx.arm, p.scope, p.endpoint, versions.HYBRID_COMPUTE)
        checks = [
            expect("endpoint", "Succeeded", endpoint.state),
            expect("connection, as the endpoint has it", "Approved", endpoint.connection),
            expect("connection, as the scope has it", "Approved", other_side),
            expect("names with a private address", "at least one", len(p.records), ok=bool(p.records)),
            inside_check(await outsiders(ctx.arm, p.guard)),
            *[await self._server(ctx, machine) for machine in p.machines],
        ]
        return Satisfied(checks, {"names": {r.fqdn: r.ip for r in p.records}, "servers": len(p.machines)})

    async def _server(self, ctx: StepContext, machine: str) -> Check:
        seen = await find(ctx.arm, f"{machine}/privateLinkScopes/current", versions.HYBRID_COMPUTE)
        is_in = seen is not None and same(str(seen.get("id", "")), self.params.scope)
        return expect(f"{name_of(machine)} in effect in {name_of(self.params.scope)}", "yes", is_in)
