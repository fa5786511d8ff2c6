"""What must hold when everything is done: looked at afresh by the proof, and once more before the public way closes."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Check, StepContext, expect
from steps._shared import versions
from steps._shared.endpoints import connection_at_target, endpoint_of
from steps._shared.fleet import Guard, inside_check, outsiders
from steps._shared.look import find, name_of, same
from steps._shared.lookups import look_up
from steps._shared.records import Record


@dataclass(frozen=True, slots=True)
class Result:
    """The whole of it.

    Attributes:
        endpoint: resource id of the private endpoint.
        scope: resource id of the private link scope.
        records: names and the private addresses they must resolve to.
        machines: resource ids of the servers in the scope.
        guard: who must not be outside the scope.
        vantages: places that must see the private addresses: virtual network ids, or ``on-premises``.
    """

    endpoint: str
    scope: str
    records: tuple[Record, ...]
    machines: tuple[str, ...]
    guard: Guard
    vantages: tuple[str, ...] = ()


async def checks_of(ctx: StepContext, result: Result) -> list[Check]:
    """Every part of the result, as it is now.

    Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04, troubleshooting.
    """
    doc = await find(ctx.arm, result.endpoint, versions.NETWORK)
    if doc is None:
        return [expect("endpoint", "Succeeded", None)]
    endpoint = endpoint_of(doc)
    other_side = await connection_at_target(ctx.arm, result.scope, result.endpoint, versions.HYBRID_COMPUTE)
    return [
        expect("endpoint", "Succeeded", endpoint.state),
        expect("connection, as the endpoint has it", "Approved", endpoint.connection),
        expect("connection, as the scope has it", "Approved", other_side),
        expect("names with a private address", "at least one", len(result.records), ok=bool(result.records)),
        *(look.check() for look in await look_up(ctx.dns, result.records, result.vantages)),
        inside_check(await outsiders(ctx.arm, result.guard)),
        *[await _server(ctx, result.scope, machine) for machine in result.machines],
    ]


async def _server(ctx: StepContext, scope: str, machine: str) -> Check:
    seen = await find(ctx.arm, f"{machine}/privateLinkScopes/current", versions.HYBRID_COMPUTE)
    is_in = seen is not None and same(str(seen.get("id", "")), scope)
    return expect(f"{name_of(machine)} in effect in {name_of(scope)}", "yes", is_in)
