"""Finds the way from the premises into the virtual network: a VPN or ExpressRoute connection that is up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runbook.core.arm import Json, Reader
from runbook.step import Check, Poll, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared import versions
from steps._shared.look import dig, find, group_of, name_of, properties, said, same

ONWARD = frozenset({"ipsec", "expressroute"})
"""Connection types that lead out of Azure; ``Vnet2Vnet`` does not."""


class Connection(Step):
    """A gateway of the network, or of a hub it is peered with, that has a connected connection.

    Virtual WAN hubs and routers in virtual machines cannot be seen this way; for those the operator's word counts.

    Source: Azure Network REST 2024-01-01, virtual network gateways and connections; "Create a site-to-site VPN
    connection" and "Connect a virtual network to an ExpressRoute circuit", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        vnet: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        vnet = await find(ctx.arm, self.params.vnet, versions.NETWORK)
        gateways = await _gateways(ctx.arm, vnet)
        found = [line for g in gateways for line in await _connections(ctx.arm, g)]
        up = [line for line in found if line.is_up]
        checks = [
            expect("gateways of the network and its hubs", "at least one", [name_of(g) for g in gateways], ok=True),
            *(expect(f"connection {line.name} ({line.kind})", "Connected", line.status, ok=True) for line in found),
        ]
        if up:
            return Satisfied(
                (*checks, expect("connection to the premises", "Connected", f"Connected: {up[0].name}", ok=True)),
                {"connection": up[0].id, "gateways": gateways, "attested": False},
            )
        if ctx.attested:
            checks.append(expect("connection to the premises", "Connected", said(ctx.attested[-1]), ok=True))
            return Satisfied(checks, {"connection": "", "gateways": gateways, "attested": True})
        return _wait(self.params.vnet, gateways, found, checks)


@dataclass(frozen=True, slots=True)
class Line:
    """One connection of a gateway."""

    id: str
    name: str
    kind: str
    status: str

    @property
    def is_up(self) -> bool:
        return self.status.lower() == "connected"


async def _gateways(arm: Reader, vnet: Json | None) -> list[str]:
    """Ids of the gateways in the network's own gateway subnet and in those of the hubs whose gateway it uses."""
    networks = [vnet]
    for peering in properties(vnet).get("virtualNetworkPeerings") or ():
        at = properties(peering)
        if at.get("useRemoteGateways") and str(at.get("peeringState", "Connected")).lower() == "connected":
            networks.append(await find(arm, str(dig(at, "remoteVirtualNetwork", "id") or ""), versions.NETWORK))
    return sorted({g for network in networks for g in _gateways_of(network)})


def _gateways_of(vnet: Json | None) -> list[str]:
    for subnet in properties(vnet).get("subnets") or ():
        if str(subnet.get("name", "")).lower() == "gatewaysubnet":
            used = (str(c.get("id", "")) for c in properties(subnet).get("ipConfigurations") or ())
            matches = (re.match(r"(.*/virtualNetworkGateways/[^/]+)/", u, re.IGNORECASE) for u in used)
            return sorted({m[1] for m in matches if m})
    return []


async def _connections(arm: Reader, gateway: str) -> list[Line]:
    """Connections of a gateway's resource group that begin at it. The list tells no state, so each is read."""
    lines = []
    for item in await arm.list(f"{group_of(gateway)}/providers/Microsoft.Network/connections", versions.NETWORK):
        if not same(dig(item, "properties", "virtualNetworkGateway1", "id"), gateway):
            continue
        doc = await find(arm, str(item.get("id", "")), versions.NETWORK) or item
        kind = str(properties(doc).get("connectionType") or "")
        if kind.lower() in ONWARD:
            status = str(properties(doc).get("connectionStatus") or "Unknown")
            lines.append(Line(str(doc.get("id", "")), str(doc.get("name", "")), kind, status))
    return lines


def _wait(vnet: str, gateways: list[str], found: list[Line], checks: list[Check]) -> Waiting:
    if found:
        seen = f"{', '.join(f'{line.name} is {line.status}' for line in found)}."
    elif gateways:
        seen = f"{', '.join(map(name_of, gateways))} has no VPN or ExpressRoute connection in its resource group."
    else:
        seen = f"{name_of(vnet)} has no gateway of its own and uses none of a peered hub."
    return Waiting(
        who="the network team",
        message=f"{seen} Servers reach the private endpoint only over a site-to-site VPN or ExpressRoute. If "
        "another way "
        "exists (Virtual WAN, a router in a virtual machine, servers inside Azure), say so.",
        then="Registration goes on meanwhile; nothing that redirects names starts before this is settled.",
        poll=Poll(first_s=300, longest_s=4 * 3600),
        attest="Servers reach this virtual network over another private connection: which one",
        checks=checks,
    )
