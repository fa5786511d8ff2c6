"""Checks that an endpoint fits into its subnet: room, kind of subnet, network policies, fixed addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Any, Final

from runbook.core.arm import Json, Reader
from runbook.step import (
    Blocked,
    Change,
    Changes,
    Check,
    Diff,
    InProgress,
    Poll,
    Satisfied,
    Step,
    StepContext,
    Verdict,
    expect,
)
from steps._shared import versions
from steps._shared.endpoints import endpoint_of
from steps._shared.faces import by_hand, word
from steps._shared.look import dig, find, is_busy, name_of, properties, same, state_of

RESERVED: Final = 5
"""Addresses Azure keeps in every subnet: the first four and the last."""
SPECIAL: Final = frozenset(
    {"gatewaysubnet", "azurebastionsubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet"}
)
READ_ONLY: Final = frozenset(
    {
        "ipConfigurations",
        "ipConfigurationProfiles",
        "privateEndpoints",
        "resourceNavigationLinks",
        "serviceAssociationLinks",
        "provisioningState",
        "purpose",
    }
)
"""What a subnet's answer holds and its PUT does not take."""


class SubnetCapacity(Step):
    """Room for an endpoint's members in one subnet.

    Source: "What is a private endpoint?" and "Manage network policies for private endpoints", Microsoft Learn;
    Azure Network REST 2024-01-01. Whether the reported limit leaves out Azure's own five addresses is not documented,
    so the smaller of both counts is taken.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """How much room is needed, and where.

        ``members``: how many addresses it takes; ``are_listed``: whether the target itself says so, as only then fixed
        addresses can be counted against them; ``endpoint`` and ``target`` tell whether it has its addresses already.
        """

        vnet: str
        subnet: str
        endpoint: str
        target: str
        members: int
        static_addresses: tuple[str, ...] = ()
        are_listed: bool = True

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        vnet = await find(ctx.arm, p.vnet, versions.NETWORK)
        subnet = await find(ctx.arm, p.subnet, versions.NETWORK)
        if vnet is None or subnet is None:
            return Blocked(
                "subnet-missing",
                f"There is no {'virtual network ' + p.vnet if vnet is None else 'subnet ' + p.subnet}.",
                ("Create it, then retry.", "Start a run with the right resource id."),
            )
        if is_busy(subnet):
            return InProgress(f"{name_of(p.subnet)} is {state_of(subnet)}.", 5)
        there = await find(ctx.arm, p.endpoint, versions.NETWORK)
        if there is not None and same(endpoint_of(there).target, p.target):
            found = expect(
                "room for the endpoint", "taken or free", f"{name_of(p.endpoint)} holds its addresses", ok=True
            )
            return Satisfied((found,), self._outputs(vnet, subnet, None))
        return await self._fit(ctx, vnet, subnet)

    async def _fit(self, ctx: StepContext, vnet: Json, subnet: Json) -> Verdict:
        p = self.params
        name = name_of(p.subnet)
        networks = _networks(subnet)
        free = _free(networks, subnet, await ctx.arm.list(f"{p.vnet}/usages", versions.NETWORK), p.subnet)
        wish = (
            f"at least {p.members}"
            if p.are_listed
            else f"at least {p.members}, as recorded elsewhere (unconfirmed here)"
        )
        room = expect(f"free addresses in {name}", wish, free, ok=free >= p.members)
        kind = expect("kind of subnet", "ordinary", name, ok=name.lower() not in SPECIAL)
        checks: list[Check] = [room, kind]
        if not kind.ok:
            return Blocked("subnet-reserved", f"{name} is kept for Azure's own use.", ("Name another subnet.",), checks)
        if not room.ok:
            return Blocked(
                "subnet-too-small",
                f"{name} ({', '.join(map(str, networks))}) has {free} free addresses; the endpoint takes {p.members}.",
                (
                    f"Have {name} enlarged or addresses in it freed; this looks again by itself.",
                    "Start a run with another subnet of this virtual network.",
                ),
                checks,
                poll=Poll(first_s=300, longest_s=4 * 3600),
            )
        if p.static_addresses and (refusal := await self._fixed(ctx.arm, networks, checks)):
            return refusal
        return self._policies(vnet, subnet, checks, free)

    async def _fixed(self, arm: Reader, networks: Sequence[IPv4Network], checks: list[Check]) -> Blocked | None:
        p = self.params
        wrong = []
        if p.are_listed and len(set(p.static_addresses)) != p.members:
            wrong.append(
                f"{len(set(p.static_addresses))} different addresses for {p.members} members: every member needs one"
            )
        for address in p.static_addresses:
            if not any(ip_address(address) in network for network in networks):
                wrong.append(f"{address} lies outside the subnet")
                continue
            answer = await arm.get(f"{p.vnet}/CheckIPAddressAvailability", versions.NETWORK, ipAddress=address) or {}
            if not answer.get("available", False):
                wrong.append(f"{address} is taken")
        checks.append(
            expect(
                "fixed addresses", "one free address for each member", "; ".join(wrong) or "as expected", ok=not wrong
            )
        )
        if not wrong:
            return None
        return Blocked(
            "static-addresses-unfit",
            f"The fixed addresses do not fit: {'; '.join(wrong)}.",
            (
                "Start a run with other addresses.",
                "Leave them out: Azure then picks free ones, which stay for the endpoint's life.",
            ),
            checks,
        )

    def _policies(self, vnet: Json, subnet: Json, checks: list[Check], free: int) -> Verdict:
        policies = str(properties(subnet).get("privateEndpointNetworkPolicies") or "Disabled")
        others = properties(subnet).get("privateEndpoints") or ()
        if policies.lower() == "disabled" or others:
            observed = policies if not others else f"{policies}, with {len(others)} endpoints inside already"
            checks.append(expect("network policies for endpoints", "Disabled", observed, ok=True))
            return Satisfied(checks, self._outputs(vnet, subnet, free))
        checks.append(expect("network policies for endpoints", "Disabled", policies))
        return Changes((self._open(subnet, policies),), checks)

    def _open(self, subnet: Json, before: str) -> Change:
        p = self.params
        kept = {k: v for k, v in properties(subnet).items() if k not in READ_ONLY}
        after = "Disabled"
        name, vnet = name_of(p.subnet), name_of(p.vnet)
        _, subscription, _, group, *_ = p.vnet.strip("/").split("/")
        return Change(
            title=f"Let private endpoints into {name}: network policies {after}",
            method="PUT",
            path=p.subnet,
            api_version=versions.NETWORK,
            body={"name": name, "properties": {**kept, "privateEndpointNetworkPolicies": after}},
            diff=(Diff("properties.privateEndpointNetworkPolicies", before, after),),
            locks=(p.vnet,),
            by_hand=by_hand(
                az=(
                    f"az network vnet subnet update --subscription {subscription} -g {group} --vnet-name {vnet} "
                    f"-n {name} --private-endpoint-network-policies Disabled",
                ),
                powershell=(
                    f"Set-AzContext -Subscription {subscription}",
                    f"$vnet = Get-AzVirtualNetwork -ResourceGroupName {word(group)} -Name {word(vnet)}",
                    f"($vnet.Subnets | Where-Object Name -eq '{name}').PrivateEndpointNetworkPolicies = 'Disabled'",
                    "$vnet | Set-AzVirtualNetwork",
                ),
            ),
        )

    def _outputs(self, vnet: Json, subnet: Json, free: int | None) -> Mapping[str, Any]:
        prefixes = [str(n) for n in _networks(subnet)]
        return {"vnet_location": vnet.get("location", ""), "prefixes": prefixes, "free": free}


def _networks(subnet: Json) -> list[IPv4Network]:
    at = properties(subnet)
    texts = [*(at.get("addressPrefixes") or ()), *([at["addressPrefix"]] if at.get("addressPrefix") else [])]
    found = (ip_network(t, strict=False) for t in dict.fromkeys(texts))
    return [n for n in found if isinstance(n, IPv4Network)]


def _free(networks: Sequence[IPv4Network], subnet: Json, usages: Sequence[Json], subnet_id: str) -> int:
    used = len(properties(subnet).get("ipConfigurations") or ())
    by_prefix = sum(max(0, n.num_addresses - RESERVED) for n in networks) - used
    for usage in usages:
        limit, current = dig(usage, "limit"), dig(usage, "currentValue")
        # A gateway subnet reports -1 for both: nothing is known from it.
        if same(str(usage.get("id", "")), subnet_id) and isinstance(limit, int | float) and limit >= 0:
            return max(0, min(by_prefix, int(limit) - int(current or 0)))
    return max(0, by_prefix)
