"""Lists the other services that manage Arc-enabled servers and what private endpoints they have in this network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runbook.step import Satisfied, Step, StepContext, Verdict, expect
from steps._shared.endpoints import endpoints_in


@dataclass(frozen=True, slots=True)
class Service:
    """One companion: the type its endpoint leads to, the groups to ask for, and its zones by cloud, where published."""

    name: str
    type: str
    groups: tuple[str, ...]
    zones: Mapping[str, tuple[str, ...]]


def _zones(public: str, government: str = "", china: str = "") -> dict[str, tuple[str, ...]]:
    clouds = {"AzureCloud": public, "AzureUSGovernment": government, "AzureChinaCloud": china}
    return {cloud: tuple(f"privatelink.{z}" for z in names.split()) for cloud, names in clouds.items()}


SERVICES: Final = (
    Service(
        "Azure Monitor",
        "Microsoft.Insights/privateLinkScopes",
        ("azuremonitor",),
        _zones(
            "monitor.azure.com oms.opinsights.azure.com ods.opinsights.azure.com agentsvc.azure-automation.net "
            "blob.core.windows.net",
            "monitor.azure.us adx.monitor.azure.us oms.opinsights.azure.us ods.opinsights.azure.us "
            "agentsvc.azure-automation.us blob.core.usgovcloudapi.net",
        ),
    ),
    Service(
        "Azure Automation",
        "Microsoft.Automation/automationAccounts",
        ("Webhook", "DSCAndHybridWorker"),
        _zones("azure-automation.net", "azure-automation.us", "azure-automation.cn"),
    ),
    Service(
        "Azure Key Vault",
        "Microsoft.KeyVault/vaults",
        ("vault",),
        _zones("vaultcore.azure.net", "vaultcore.usgovcloudapi.net", "vaultcore.azure.cn"),
    ),
    Service(
        "Blob storage",
        "Microsoft.Storage/storageAccounts",
        ("blob",),
        _zones("blob.core.windows.net", "blob.core.usgovcloudapi.net", "blob.core.chinacloudapi.cn"),
    ),
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
            zones = ", ".join(service.zones.get(ctx.run.cloud, ())) or "not published for this cloud (unconfirmed)"
            wish = f"optional: group {' and '.join(service.groups)}, zones {zones}"
            checks.append(expect(service.name, wish, ", ".join(there) or "no endpoint in this network", ok=True))
        return Satisfied(
            checks,
            {"services": [s.name for s in SERVICES]},
            "Optional: services that your servers use through Azure Arc need endpoints of their own. An endpoint of "
            "Azure Monitor takes many addresses and, in the public cloud, exactly the five zones that one zone group "
            "can hold.",
        )
