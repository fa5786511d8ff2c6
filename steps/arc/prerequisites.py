"""Holds the plan against the rules of its edition before anything is written, and says what is out of scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.arm import Json
from runbook.core.ids import subscription_of
from runbook.step import Blocked, Check, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.fleet import Machine, machines_in
from steps._shared.look import dig, find, group_of, is_under, name_of, properties, same, same_region

OUT_OF_SCOPE: Final = (
    "building the VPN or ExpressRoute connection",
    "sign-in (Microsoft Entra ID) and Azure Resource Manager, which stay public and are let through instead",
    "Windows Admin Center and SSH remote access, which do not work over private link",
    "private endpoints of other services that manage the servers (listed at the end)",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the rules are about."""

    edition: str
    cloud: str
    subscription: str
    location: str
    vnet: str
    vnet_location: str
    subnet: str
    listed: tuple[str, ...]
    machines: tuple[Machine, ...]


class Prerequisites(Step):
    """The network and the subnet exist and the edition's rules on subscription, region and cloud are kept.

    Source: Microsoft Docs, Arc private link article of 2021-03-18 (planning; part 1, step 2; availability) and
    Microsoft Learn, same title, 2026-05-04 (restrictions); "What is a private endpoint?" (its region, subscription).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``machines`` are the servers named by the operator, ``fleet`` the subscriptions searched for servers."""

        edition: str
        subscription: str
        location: str
        vnet: str
        subnet: str
        machines: tuple[str, ...]
        fleet: tuple[str, ...]

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        vnet = await find(ctx.arm, p.vnet, versions.NETWORK)
        if vnet is None:
            return _missing(f"There is no virtual network {p.vnet}, or {ctx.run.account} may not read it.")
        subnet = await find(ctx.arm, p.subnet, versions.NETWORK)
        if subnet is None:
            return _missing(f"There is no subnet {p.subnet}.")
        plan = Plan(
            p.edition,
            ctx.run.cloud,
            p.subscription,
            p.location,
            p.vnet,
            str(vnet.get("location", "")),
            p.subnet,
            p.machines,
            tuple(await machines_in(ctx.arm, p.fleet)),
        )
        broken = list(broken_rules(plan))
        checks = _checks(plan, broken, vnet)
        if broken:
            return Blocked(
                broken[0][0],
                " ".join(f"{message}." for _, message in broken),
                (
                    "Start a run whose inputs keep these rules.",
                    "If today's procedure applies here, start it with --edition ga."
                    if p.edition == "preview"
                    else "Make a second scope, endpoint and set of zones for what does not fit.",
                ),
                checks,
            )
        servers = properties(vnet).get("dhcpOptions") or {}
        return Satisfied(
            checks,
            {
                "vnet_location": plan.vnet_location,
                "dns_servers": list(servers.get("dnsServers") or ()),
                "nsg": str(dig(subnet, "properties", "networkSecurityGroup", "id") or ""),
                "is_open": _is_open(subnet),
                "network_subscription": (subscription_of(p.vnet) or p.subscription).lower(),
                "machine_groups": _groups(plan),
                "out_of_scope": list(OUT_OF_SCOPE),
            },
            f"The plan keeps the rules of the {p.edition} edition. Not part of this runbook: "
            f"{'; '.join(OUT_OF_SCOPE)}.",
        )


def broken_rules(plan: Plan) -> Iterator[tuple[str, str]]:
    """Rules that the plan breaks: a stable name, and what is wrong."""
    if not is_under(plan.subnet, plan.vnet):
        yield "subnet-outside-network", f"Subnet {name_of(plan.subnet)} does not belong to {name_of(plan.vnet)}"
    if plan.edition == "preview":
        yield from _preview_rules(plan)
    known = {m.id.lower(): m for m in plan.machines}
    for name in plan.listed:
        machine = known.get(name.lower())
        if machine is None:
            if plan.edition != "preview" or same(subscription_of(name), plan.subscription):
                yield "machine-missing", f"There is no Arc-enabled server {name} in the subscriptions of this run"
        elif not same_region(machine.location, plan.location):
            where = f"{machine.name} is in {machine.location}, the scope in {plan.location}"
            yield "machine-in-other-region", f"{where}: server and scope must share a region"


def _preview_rules(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.cloud != "AzureCloud":
        yield "cloud-not-in-preview", f"The preview was offered in the public cloud only, not in {plan.cloud}"
    if not same(subscription_of(plan.vnet), plan.subscription):
        where = f"{name_of(plan.vnet)} is not in subscription {plan.subscription}"
        yield "network-in-other-subscription", f"{where}: the preview wants network, scope and servers in one"
    if not same_region(plan.vnet_location, plan.location):
        where = f"{name_of(plan.vnet)} is in {plan.vnet_location}, the scope in {plan.location}"
        yield "network-in-other-region", f"{where}: the preview wants both in one region"
    for machine in plan.listed:
        if not same(subscription_of(machine), plan.subscription):
            yield (
                "machine-in-other-subscription",
                f"{name_of(machine)} is in another subscription: the preview wants servers and scope in one",
            )


def _groups(plan: Plan) -> list[dict[str, Any]]:
    """Resource groups of the servers that this run will put into the scope, with their names."""
    listed = {m.lower() for m in plan.listed}
    found: dict[str, list[str]] = {}
    for machine in plan.machines:
        if machine.id.lower() in listed or (not listed and same_region(machine.location, plan.location)):
            found.setdefault(group_of(machine.id), []).append(machine.name)
    return [{"id": group, "names": sorted(found[group])} for group in sorted(found)]


def _is_open(subnet: Json) -> bool:
    """Whether the subnet takes endpoints as it is, so that nobody has to write it."""
    at = properties(subnet)
    return str(at.get("privateEndpointNetworkPolicies") or "Disabled").lower() == "disabled" or bool(
        at.get("privateEndpoints")
    )


def _missing(message: str) -> Blocked:
    return Blocked(
        "network-missing",
        message,
        ("Create it, or have a reader role assigned, then retry.", "Start a run with the right id."),
    )


def _checks(plan: Plan, broken: Sequence[tuple[str, str]], vnet: Json) -> list[Check]:
    rules = sorted({rule for rule, _ in broken})
    own = dig(vnet, "properties", "dhcpOptions", "dnsServers") or []
    private = (
        "offered"
        if plan.cloud == "AzureCloud"
        else f"{plan.cloud}: (unconfirmed) its zone names are not published; only the scope can tell them"
    )
    return [
        expect("rules of the edition that are broken", "none", rules),
        expect("network and subnet", "present", "present"),
        expect(
            "region of the network",
            plan.location if plan.edition == "preview" else "any",
            plan.vnet_location,
            ok="network-in-other-region" not in rules,
        ),
        expect("Arc-enabled servers seen", "any", len(plan.machines), ok=True),
        expect("private link in this cloud", "offered", private, ok=True),
        expect(
            "DNS servers of the network",
            "Azure's own, or servers that forward to 168.63.129.16",
            own or "Azure's own",
            ok=True,
        ),
    ]
