"""The clouds this client knows by name: where their Resource Manager answers and who signs people in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cloud:
    """One Azure cloud.

    Attributes:
        endpoint: the Resource Manager's origin, without a trailing slash.
        authority: the sign-in host, without a scheme.
        scope: what a token is asked for.
    """

    name: str
    endpoint: str
    authority: str
    scope: str


def _cloud(name: str, endpoint: str, authority: str) -> Cloud:
    return Cloud(name, endpoint, authority, f"{endpoint}/.default")


CLOUDS: Final = {
    c.name: c
    for c in (
        _cloud("AzureCloud", "https://management.azure.com", "login.microsoftonline.com"),
        _cloud("AzureUSGovernment", "https://management.usgovcloudapi.net", "login.microsoftonline.us"),
        _cloud("AzureChinaCloud", "https://management.chinacloudapi.cn", "login.chinacloudapi.cn"),
    )
}
"""By the name the Azure CLI uses.

Source: Azure documentation, national clouds ("developer endpoints"); azure-identity, ``AzureAuthorityHosts``.
"""
