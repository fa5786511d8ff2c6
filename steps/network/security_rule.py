"""Lets servers reach one service tag over HTTPS through a network security group, without disturbing other rules."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Blocked, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.look import name_of
from steps.network._placing import Wanted, again, busy, place
from steps.network._rules import Group, group_on, is_allowing, is_shadowing, read_group


class SecurityRule(Step):
    """One outbound rule of the article's table.

    A wider rule that already allows the traffic is as good. A priority that is taken, or a denying rule that comes
    first, is told before anything is written; a free priority ahead of it is offered.

    Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04, network
    configuration (the same two rows as in the article of 2021-03-18); Azure Network REST 2024-01-01, security rules.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``nsg`` may be empty: then it is the group on ``subnet``."""

        nsg: str
        subnet: str
        name: str
        tag: str
        priority: int
        port: int = 443

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        nsg = p.nsg or await group_on(ctx.arm, p.subnet)
        group = await read_group(ctx.arm, nsg)
        if group is None:
            where = (
                f"There is no network security group {nsg}."
                if nsg
                else f"{name_of(p.subnet)} has no network security group."
            )
            return Blocked(
                "nsg-missing",
                where,
                (
                    "Create it, or put one on the subnet that the servers' internet traffic passes, then retry.",
                    "Start a run with `network_rules: firewall` if a firewall decides what leaves.",
                    "Skip this node if nothing restricts outbound traffic, and say so.",
                ),
            )
        if waiting := busy(group):
            return waiting
        mine = group.named(p.name)
        if mine is not None and is_allowing(mine, p.tag, p.port) and (repair := again(group, self._wanted)):
            return repair
        return self._judge(ctx, group)

    def _judge(self, ctx: StepContext, group: Group) -> Verdict:
        p = self.params
        outbound = group.of("outbound")
        allow = next((r for r in outbound if is_allowing(r, p.tag, p.port)), None)
        deny = next((r for r in outbound if is_shadowing(r, p.tag, p.port)), None)
        wanted = f"{p.tag}:{p.port}"
        if allow and (deny is None or allow.priority < deny.priority):
            wider = "" if allow.name.lower() == p.name.lower() else ", which is wide enough"
            checks = (
                expect(f"outbound to {wanted}", "allowed", f"allowed by {allow.label}{wider}", ok=True),
                expect("denying rule ahead of it", "none", "none"),
            )
            return Satisfied(checks, {"nsg": group.id, "rule": allow.name, "priority": allow.priority})
        before = expect(f"outbound to {wanted}", "allowed", f"denied by {deny.label}" if deny else "no rule")
        return place(ctx, group, self._wanted, deny, (before,))

    @property
    def _wanted(self) -> Wanted:
        p = self.params
        return Wanted(
            title=f"Allow {p.tag} over HTTPS",
            words=f"{p.tag}:{p.port}",
            name=p.name,
            access="Allow",
            direction="Outbound",
            destinations=(p.tag,),
            ports=str(p.port),
            priority=p.priority,
        )
