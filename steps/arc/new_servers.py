"""Shows the exact line that connects a new server through the scope, and checks that none was connected without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.step import Poll, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared.fleet import Guard, inside_check, outsiders
from steps._shared.look import said

CLOUDS: Final = {"AzureUSGovernment": " --cloud AzureUSGovernment", "AzureChinaCloud": " --cloud AzureChinaCloud"}


class NewServers(Step):
    """New servers, connected by people on the servers themselves.

    Source: "azcmagent connect", Microsoft Learn; the PowerShell cmdlet ``Connect-AzConnectedMachine`` has no parameter
    for the scope (Azure/azure-powershell #27892).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        subscription: str
        resource_group: str
        location: str
        scope: str
        guard: Guard

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        outside = await outsiders(ctx.arm, self.params.guard)
        inside = inside_check(outside)
        if ctx.attested and not outside:
            return Satisfied(
                (inside, expect("new servers", "connected, or none for now", said(ctx.attested[-1]), ok=True)),
                {"line": self.line(ctx)},
            )
        names = ", ".join(m.name for m in outside)
        lead = (
            f"{names}: connected without the scope. Put it in, or disconnect and connect it again. " if outside else ""
        )
        return Waiting(
            who="whoever connects new servers",
            message=f"{lead}On each new server run the line below, signed in as somebody with the role Azure "
            "Connected Machine "
            "Onboarding. Without --private-link-scope it fails with AZCM0026, because the names resolve privately.",
            then="The run goes on; servers connected later use the same line.",
            poll=Poll(first_s=60, longest_s=3600) if outside and ctx.attested else None,
            draft=self.line(ctx),
            attest="The new servers are connected with this line, or there are none for now",
            checks=(inside,),
        )

    def line(self, ctx: StepContext) -> str:
        """The agent's own command; it makes the machine resource, so nothing here runs it."""
        p = self.params
        return (
            f'azcmagent connect --subscription-id "{p.subscription}" --resource-group "{p.resource_group}" '
            f'--tenant-id "{ctx.run.tenant}" --location "{p.location}"{CLOUDS.get(ctx.run.cloud, "")} '
            f'--private-link-scope "{p.scope}" --use-device-code'
        )
