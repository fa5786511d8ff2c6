"""Closes one service tag to a subnet, while everything else that its machines need stays reachable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runbook.step import Blocked, Check, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.look import name_of
from steps.network._placing import Wanted, again, busy, missing, place
from steps.network._reach import EVERY_ADDRESS, addresses_of
from steps.network._rules import (
    EVERYWHERE,
    Group,
    Rule,
    first_denying,
    has_port,
    is_from_everywhere,
    is_tcp,
    is_touching,
    read_group,
)

HTTPS: Final = 443
PLATFORM: Final = {"169.254.169.254": "azureplatformimds", "168.63.129.16": "azureplatformdns"}
"""Addresses of the host under every machine, and the tag by which alone a rule for services can touch them.

Source: "Network security groups", Microsoft Learn, Azure platform considerations; "Required URLs for Azure Virtual
Desktop": both on TCP 80.
"""
PLATFORM_PORT: Final = 80


class DenyTag(Step):
    """A denying outbound rule for one service tag, as the last thing that closes the public way.

    It is made only while every other tag that the machines need, and the two platform addresses, stay reachable, and
    only where it has an effect: an allowing rule ahead of it that holds the tag is named.

    Source: "Set up Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17 (block the service tag);
    "Required URLs for Azure Virtual Desktop", Microsoft Learn; "Network security groups", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``needed``: service tags that must stay reachable over HTTPS; ``tag`` itself does not count among them."""

        nsg: str
        needed: tuple[str, ...]
        tag: str = "WindowsVirtualDesktop"
        name: str = "DenyAvdPublic"
        priority: int = 4000

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        group = await read_group(ctx.arm, p.nsg)
        if group is None:
            return missing(p.nsg, "Find out who removed it; skip this node if nothing is to be denied there.")
        if waiting := busy(group):
            return waiting
        outbound = group.of("outbound")
        checks = [*self._tags(outbound), *_platform(outbound)]
        if any(not c.ok for c in checks):
            return self._unreachable(checks)
        wanted = self._wanted()
        deny = next((r for r in outbound if self._is_denying(r)), None)
        if deny is not None and deny.name.lower() == p.name.lower() and (repair := again(group, wanted)):
            return repair
        return self._judge(ctx, group, deny, checks)

    def _judge(self, ctx: StepContext, group: Group, deny: Rule | None, checks: Sequence[Check]) -> Verdict:
        p = self.params
        allow = next((r for r in group.of("outbound") if self._is_allowing(r)), None)
        if deny is not None and (allow is None or deny.priority < allow.priority):
            told = f"denied by {deny.label}"
            undo = self._undo() if deny.name.lower() == p.name.lower() else ""
            return Satisfied(
                (*checks, expect(f"outbound to {p.tag}", "denied", told, ok=True)),
                {"nsg": p.nsg, "rule": deny.name, "undo": undo},
                f"To undo: {undo}" if undo else "",
            )
        told = f"allowed by {allow.label}" if allow else "allowed by the built-in rules"
        return place(ctx, group, self._wanted(), allow, (*checks, expect(f"outbound to {p.tag}", "denied", told)))

    def _is_denying(self, rule: Rule) -> bool:
        """Whether it denies all of the tag."""
        wide = EVERYWHERE | {self.params.tag.lower()}
        is_all = is_from_everywhere(rule) and bool(wide & set(rule.destinations)) and has_port(rule, HTTPS)
        return rule.access == "deny" and is_tcp(rule) and is_all

    def _is_allowing(self, rule: Rule) -> bool:
        """Whether it lets some of the tag through."""
        return rule.access == "allow" and is_tcp(rule) and is_touching(rule, self.params.tag) and has_port(rule, HTTPS)

    def _tags(self, outbound: Sequence[Rule]) -> list[Check]:
        checks = []
        for tag in self.params.needed:
            if tag.lower() == self.params.tag.lower():
                continue
            rule = first_denying(outbound, tag, HTTPS)
            told = "reachable" if rule is None else f"denied by {rule.label}"
            checks.append(expect(f"outbound to {tag}", "reachable", told))
        return checks

    def _unreachable(self, checks: Sequence[Check]) -> Blocked:
        p = self.params
        closed = "; ".join(f"{c.name.removeprefix('outbound to ')} is {c.observed}" for c in checks if not c.ok)
        return Blocked(
            "needed-tag-denied",
            f"{name_of(p.nsg)} already closes what session hosts need: {closed}. Denying {p.tag} too would leave them "
            "without the service's public part and hide which of the two rules is to blame.",
            (
                "Have these allowed ahead of the denying rule; this looks again by itself.",
                "Skip this node: the tag then stays reachable, and public access is closed at the service only.",
            ),
            checks,
            poll=Poll(first_s=300, longest_s=4 * 3600),
        )

    def _wanted(self) -> Wanted:
        p = self.params
        return Wanted(
            title=f"Deny {p.tag} outbound",
            words=p.tag,
            name=p.name,
            access="Deny",
            direction="Outbound",
            destinations=(p.tag,),
            ports="*",
            priority=p.priority,
            protocol="*",
            risk="disruptive",
            undo=(self._undo(),),
        )

    def _undo(self) -> str:
        _, subscription, _, group, *_ = self.params.nsg.strip("/").split("/")
        return (
            f"az network nsg rule delete --subscription {subscription} --resource-group {group} "
            f"--nsg-name {name_of(self.params.nsg)} --name {self.params.name}"
        )


def _platform(outbound: Sequence[Rule]) -> list[Check]:
    """The platform's two addresses. Rules for everything do not touch them; one that names them does."""
    checks = []
    for address, tag in PLATFORM.items():
        first = next((r for r in outbound if _is_naming(r, address, tag)), None)
        told = f"denied by {first.label}" if first is not None and first.access == "deny" else "reachable"
        checks.append(expect(f"outbound to {address}", "reachable", told))
    return checks


def _is_naming(rule: Rule, address: str, tag: str) -> bool:
    ((at, _),) = addresses_of(address)
    spans = [span for d in rule.destinations for span in addresses_of(d) if span != EVERY_ADDRESS]
    is_named = any(first <= at <= last for first, last in spans) and is_tcp(rule) and has_port(rule, PLATFORM_PORT)
    return is_named or tag in rule.destinations
