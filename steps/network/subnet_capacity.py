"""Checks that endpoints fit into their subnet: room, kind of subnet, network policies, fixed addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Any, Final

from runbook.core.arm import Json, Reader
from runbook.core.together import together
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
from steps._shared.endpoints import endpoints_in
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


MOST_NAMED: Final = 6
"""Endpoints that a message names; more are counted by how many addresses they take."""


@dataclass(frozen=True, slots=True)
class Needed:
    """An endpoint that is to have its addresses in the subnet.

    Attributes:
        id: its name or id, for the message.
        target, group: where it leads; an endpoint of the network that leads there has its addresses already.
        members: how many addresses it takes.
        static_addresses: fixed ones, one for each member, or none.
    """

    id: str
    target: str
    members: int
    group: str = ""
    static_addresses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As a message names it: ``hp-sales (connection)``."""
        return name_of(self.id) + (f" ({self.group})" if self.group else "")


class SubnetCapacity(Step):
    """Room for the members of some endpoints in one subnet.

    Source: "What is a private endpoint?" and "Manage network policies for private endpoints", Microsoft Learn;
    Azure Network REST 2024-01-01. Whether the reported limit leaves out Azure's own five addresses is not documented,
    so the smaller of both counts is taken.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """How much room is needed, and where.

        ``headroom``: addresses to leave free besides, for a service that takes more later. ``are_listed``: whether the
        targets themselves tell their members, as only then fixed addresses can be counted against them.
        """

        vnet: str
        subnet: str
        endpoints: tuple[Needed, ...]
        headroom: int = 0
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
        there = await endpoints_in(ctx.arm, p.vnet)
        needed = [e for e in p.endpoints if not any(t.leads_to(e.target, e.group) for t in there)]
        if not needed:
            held = expect("room for the endpoints", "taken or free", _holding(p.endpoints), ok=True)
            return Satisfied((held,), self._outputs(vnet, subnet, None))
        return await self._fit(ctx, vnet, subnet, needed)

    async def _fit(self, ctx: StepContext, vnet: Json, subnet: Json, needed: Sequence[Needed]) -> Verdict:
        p = self.params
        name = name_of(p.subnet)
        networks = _networks(subnet)
        free = _free(networks, subnet, await ctx.arm.list(f"{p.vnet}/usages", versions.NETWORK), p.subnet)
        wanted = sum(e.members for e in needed)
        wish = f"at least {wanted + p.headroom}" + (f", {p.headroom} of them headroom" if p.headroom else "")
        if not p.are_listed:
            wish += ", as recorded elsewhere (unconfirmed here)"
        room = expect(f"free addresses in {name}", wish, free, ok=free >= wanted + p.headroom)
        is_ordinary = name.lower() not in SPECIAL
        kind = expect(f"kind of {name}", "ordinary", "ordinary" if is_ordinary else "kept for Azure's own use")
        checks: list[Check] = [room, kind]
        if standing := len(p.endpoints) - len(needed):
            checks.append(expect("endpoints that stand already", "need no room", standing, ok=True))
        if not kind.ok:
            return Blocked("subnet-reserved", f"{name} is kept for Azure's own use.", ("Name another subnet.",), checks)
        if not room.ok:
            return Blocked(
                "subnet-too-small",
                f"{name} ({', '.join(map(str, networks))}) is too small: {_count(len(needed), 'endpoint')} "
                f"{'needs' if len(needed) == 1 else 'need'} {_count(wanted, 'address')}"
                + (f" and {p.headroom} more as headroom" if p.headroom else "")
                + f"; {free} {'is' if free == 1 else 'are'} free. {_each(needed)}.",
                (
                    f"Have {name} enlarged or addresses in it freed; this looks again by itself.",
                    "Start a run with another subnet of this virtual network.",
                ),
                checks,
                poll=Poll(first_s=300, longest_s=4 * 3600),
            )
        if any(e.static_addresses for e in needed) and (
            refusal := await self._fixed(ctx.arm, networks, needed, checks)
        ):
            return refusal
        return self._policies(vnet, subnet, checks, free)

    async def _fixed(
        self, arm: Reader, networks: Sequence[IPv4Network], needed: Sequence[Needed], checks: list[Check]
    ) -> Blocked | None:
        wrong = []
        for endpoint in needed:
            given = len(set(endpoint.static_addresses))
            if self.params.are_listed and given and given != endpoint.members:
                wrong.append(
                    f"{endpoint.name} has {_count(given, 'different address')} for "
                    f"{_count(endpoint.members, 'member')}: every member needs one"
                )
        holders = Counter(a for e in needed for a in dict.fromkeys(e.static_addresses))
        wrong += [f"{a} is meant for {_count(n, 'endpoint')}" for a, n in holders.items() if n > 1]
        inside = [a for a in holders if _is_in(a, networks)]
        wrong += [f"{a} lies outside the subnet" for a in holders if a not in inside]
        asked = f"{self.params.vnet}/CheckIPAddressAvailability"
        answers = await together(arm.get(asked, versions.NETWORK, ipAddress=a) for a in inside)
        wrong += [
            f"{a} is taken"
            for a, answer in zip(inside, answers, strict=True)
            if not (answer or {}).get("available", False)
        ]
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


def _is_in(address: str, networks: Sequence[IPv4Network]) -> bool:
    try:
        return any(ip_address(address) in network for network in networks)
    except ValueError:
        return False


def _holding(endpoints: Sequence[Needed]) -> str:
    if len(endpoints) == 1:
        return f"{endpoints[0].name} holds its addresses"
    return f"{len(endpoints)} endpoints hold their addresses"


def _each(needed: Sequence[Needed]) -> str:
    """What every endpoint takes; of many, how many take how much."""
    if len(needed) <= MOST_NAMED:
        return ", ".join(f"{e.name} takes {e.members}" for e in needed)
    kinds = Counter((e.group, e.members) for e in needed)
    return ", ".join(f"{n} {group} endpoints take {m} each".replace("  ", " ") for (group, m), n in kinds.items())


def _count(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
