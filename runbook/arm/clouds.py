"""The clouds this client knows by name: where their Resource Manager answers and who signs people in.

A cloud that is not among them is used only where it answers on this very machine, a served simulator: its metadata
then names the cloud whose rules (zones, features, endpoints of services) it follows. Any other unknown cloud blocks,
because nobody has said which rules hold there.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from runbook.core.error import ContextError
from runbook.core.redact import plain


@dataclass(frozen=True, slots=True)
class Cloud:
    """One Azure cloud.

    Attributes:
        endpoint: the Resource Manager's origin, without a trailing slash.
        authority: the sign-in host, without a scheme.
        scope: what a token is asked for.
        rules: the known cloud whose rules hold here; for a known cloud its own name.
    """

    name: str
    endpoint: str
    authority: str
    scope: str
    rules: str

    @property
    def is_known(self) -> bool:
        """Whether it is one of Azure's own, at its own address."""
        return self.rules == self.name and CLOUDS.get(self.name) == self


def _cloud(name: str, endpoint: str, authority: str) -> Cloud:
    return Cloud(name, endpoint, authority, f"{endpoint}/.default", name)


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


def cloud_of(name: str, endpoint: str, authority: str, resource: str) -> Cloud:
    """The cloud that a sign-in names.

    Args:
        name: as the Azure CLI registered it.
        endpoint: its Resource Manager's address.
        authority: the address of its sign-in host.
        resource: what tokens are asked for, without ``/.default``; empty stands for the endpoint.

    Raises:
        ContextError: it is unknown and not on this machine, or its metadata names no rules that we know.
    """
    origin = endpoint.rstrip("/").lower()
    known = CLOUDS.get(name)
    if known is not None and known.endpoint == origin:
        return known
    said = plain(name)
    if not is_loopback(origin):
        raise ContextError(
            f"The cloud {said} at {plain(origin)} is not one this program knows: it cannot say which rules hold there.",
            f"Use one of {', '.join(CLOUDS)} (az cloud set --name …), or a simulator on this machine.",
        )
    from runbook.arm.metadata import read_metadata

    doc = read_metadata(origin)
    rules = str(doc.get("name") or "")
    if rules not in CLOUDS:
        raise ContextError(
            f"The cloud {said} at {plain(origin)} names {plain(rules) or 'no cloud'} in its metadata.",
            f"A simulator names the cloud it stands for: one of {', '.join(CLOUDS)}.",
        )
    host = urlsplit(authority if "://" in authority else f"https://{authority}").netloc
    return Cloud(name, origin, host, f"{resource or origin}/.default", rules)


def is_loopback(url: str) -> bool:
    """Whether an address names this machine, by number or as ``localhost``."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
