"""Lists the other services that manage Arc-enabled servers and what private endpoints they have in this network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.step import Satisfied, Step, StepContext, Verdict, expect
from steps._shared.endpoints import endpoints_in


@dataclass(frozen=True, slots=True)
class Service:
    """One companion: the type its endpoint leads to, the groups to ask for, and its zones in the public cloud."""

    name: str
    type: str
    groups: tuple[str, ...]
    zones: tuple[str, ...]


SERVICES: Final = (
    Service(
        "Azure Monitor",
        "Microsoft.Insights/privateLinkScopes",
        ("azuremonitor",),
        (
            "privatelink.monitor.azure.com",
            "privatelink.oms.opinsights.azure.com",
            "privatelink.ods.opinsights.azure.com",
            "privatelink.agentsvc.azure-automation.net",
            "privatelink.blob.core.windows.net",
        ),
    ),
    Service(
        "Azure Automation",
        "Microsoft.Automation/automationAccounts",
        ("Webhook", "DSCAndHybridWorker"),
        ("privatelink.azure-automation.net",),
    ),
    Service("Azure Key Vault", "Microsoft.KeyVault/vaults", ("vault",), ("privatelink.vaultcore.azure.net",)),
    Service("Blob storage", "Microsoft.Storage/storageAccounts", ("blob",), ("privatelink.blob.core.windows.net",)),
)


class Companions(Step):
    """Optional follow-ups. Nothing is asked for; what is there is shown.

    Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04; "Azure Private
    Endpoint private DNS zone values", 2023-10-11.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        vnet: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        endpoints = await endpoints_in(ctx.arm, self.params.vnet)
        checks = []
        for service in SERVICES:
            there = [e.name for e in endpoints if f"/providers/{service.type}/".lower() in f"{e.target}/".lower()]
            wish = f"optional: group {' and '.join(service.groups)}, zones {', '.join(service.zones)}"
            checks.append(expect(service.name, wish, ", ".join(there) or "no endpoint in this network", ok=True))
        return Satisfied(
            checks,
            {"services": [s.name for s in SERVICES]},
            "Optional: services that your servers use through Azure Arc need endpoints of their own. An endpoint of "
            "Azure "
            "Monitor takes many addresses and exactly the five zones that one zone group can hold.",
        )
