"""Names as a machine somewhere would see them: inside a virtual network of the simulated cloud, or on premises.

Inside a network Azure's resolver asks the zones linked to it first. A linked zone without the record is a black hole:
the answer is NXDOMAIN, not the public address. Only names that no linked zone covers go to the public DNS, where the
name of a service with private link is a CNAME to its ``privatelink`` name, and that one is looked up in the same way.

What stands on premises is told in ``providers/onprem.py``.

Source: "Azure Private Endpoint DNS integration" and "What is IP address 168.63.129.16?", learn.microsoft.com.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runbook.sim.dnsnames import clean, is_always_private, is_below, private_name, public_address
from runbook.sim.hooks import ALIASES
from runbook.sim.providers.dnslinks import linked_zones
from runbook.sim.providers.dnsrecords import lookup
from runbook.sim.providers.interfaces import has_endpoint
from runbook.sim.providers.onprem import site_of
from runbook.sim.wire import Json, obj, text, texts
from runbook.step import DnsAnswer

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

AZURE_DNS: Final = "168.63.129.16"
PUBLIC: Final = "public DNS"
ON_PREMISES: Final = "on-premises"
INTERNET: Final = "internet"


class SimResolver:
    """``runbook.step.Resolver`` over a simulated cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def resolve(self, name: str, vantage: str) -> DnsAnswer | None:
        """Resolve as seen from a virtual network's id, ``on-premises`` or ``internet``; None for any other place."""
        self._cloud.catch_up()
        self._cloud.state.commit(self._cloud.now_ms)
        return look_up(self._cloud, name, vantage)


def look_up(cloud: Cloud, name: str, vantage: str) -> DnsAnswer | None:
    """Resolve as of the cloud's present time; ``internet`` stands for any machine without private DNS."""
    asked = clean(name)
    if vantage.lower() == ON_PREMISES:
        return _on_premises(cloud, asked)
    if vantage.lower() == INTERNET:
        return _public(cloud, asked, PUBLIC)
    vnet = cloud.find(vantage)
    return None if vnet is None else _inside(cloud, asked, vnet)


# ---------------------------------------------------------------- places


def _on_premises(cloud: Cloud, name: str) -> DnsAnswer:
    site = site_of(cloud)
    for known, value in obj(site, "records").items():
        if clean(known) == name:
            addresses = value if isinstance(value, list) else [value]
            return DnsAnswer(name, (), tuple(str(a) for a in addresses), "NOERROR", "on-premises DNS, own record")
    if any(is_below(name, clean(s)) for s in texts(site, "forwarder", "suffixes")):
        vnet = cloud.find(text(site, "forwarder", "vnet"))
        if vnet is None:
            return DnsAnswer(name, (), (), "SERVFAIL", "on-premises DNS, whose forwarder does not answer")
        answer = _inside(cloud, name, vnet)
        server = f"on-premises DNS, forwarded to {vnet['name']}"
        return DnsAnswer(name, answer.chain, answer.addresses, answer.status, server)
    return _public(cloud, name, f"on-premises DNS, then {PUBLIC}")


def _inside(cloud: Cloud, name: str, vnet: Json) -> DnsAnswer:
    servers = texts(vnet, "properties", "dhcpOptions", "dnsServers")
    if servers and servers[0] in texts(site_of(cloud), "non_forwarding"):
        return _public(cloud, name, f"{servers[0]}, which does not ask Azure, then {PUBLIC}")
    via = f"{servers[0]}, then " if servers else ""
    zones = [(str(zone["name"]), zone, link) for zone, link in linked_zones(cloud, str(vnet["id"]))]
    chain: tuple[str, ...] = ()
    here = name
    while True:
        covering = [z for z in zones if is_below(here, z[0])]
        if covering:
            zone_name, zone, link = max(covering, key=lambda z: len(z[0]))
            found = lookup(cloud, zone, here.removesuffix(zone_name).rstrip("."))
            server = f"{via}{AZURE_DNS} in {vnet['name']}, zone {zone_name}"
            if found is not None:
                return DnsAnswer(name, chain, tuple(found), "NOERROR", server)
            if text(link, "properties", "resolutionPolicy") != "NxDomainRedirect":
                return DnsAnswer(name, chain, (), "NXDOMAIN", server)
        if chain or not _is_private(cloud, here):
            public = _public(cloud, here, f"{via}{AZURE_DNS} in {vnet['name']}, then {PUBLIC}")
            return DnsAnswer(name, chain + public.chain, public.addresses, public.status, public.server)
        here = private_name(here)
        chain = (here,)


def _public(cloud: Cloud, name: str, server: str) -> DnsAnswer:
    chain = (private_name(name),) if _is_private(cloud, name) else ()
    address = public_address(name)
    if address is None:
        return DnsAnswer(name, (), (), "NXDOMAIN", server)
    return DnsAnswer(name, chain, (address,), "NOERROR", server)


def _is_private(cloud: Cloud, name: str) -> bool:
    """Whether the public DNS answers a name with a CNAME to its ``privatelink`` name."""
    for alias in ALIASES:
        if (said := alias(cloud, name)) is not None:
            return said
    if is_always_private(name):
        return not any(label.startswith("privatelink") for label in name.split("."))
    return has_endpoint(cloud, name)
