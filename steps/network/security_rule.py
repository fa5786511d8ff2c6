"""Lets servers reach one service tag over HTTPS through a network security group, without disturbing other rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.core.arm import Json
from runbook.step import Blocked, Change, Changes, Diff, InProgress, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.faces import by_hand, word
from steps._shared.look import find, has_failed, is_busy, name_of, properties, same, state_of
from steps.network._rules import Rule, free_priority, group_on, is_allowing, is_shadowing, rule_of


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
        found = await find(ctx.arm, nsg, versions.NETWORK) if nsg else None
        if found is None:
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
        if is_busy(found):
            return InProgress(f"{name_of(nsg)} is {state_of(found)}.", 5)
        listed = properties(found).get("securityRules") or ()
        rules = sorted((r for r in map(rule_of, listed) if r), key=lambda r: r.priority)
        mine = next((d for d in listed if same(d.get("name"), p.name) and has_failed(d)), None)
        is_ours = any(same(r.name, p.name) and is_allowing(r, p.tag, p.port) for r in rules)
        if mine is not None and is_ours:
            check = expect(f"rule {p.name}", "Succeeded", state_of(mine))
            return Changes((self._create(nsg, properties(mine)["priority"]),), (check,), "Its last write ended badly.")
        return self._judge(ctx, nsg, rules)

    def _judge(self, ctx: StepContext, nsg: str, rules: Sequence[Rule]) -> Verdict:
        p = self.params
        outbound = [r for r in rules if r.direction == "outbound"]
        allow = next((r for r in outbound if is_allowing(r, p.tag, p.port)), None)
        deny = next((r for r in outbound if is_shadowing(r, p.tag, p.port)), None)
        wanted = f"{p.tag}:{p.port}"
        if allow and (deny is None or allow.priority < deny.priority):
            wider = "" if allow.name.lower() == p.name.lower() else ", which is wide enough"
            checks = (
                expect(
                    f"outbound to {wanted}", "allowed", f"allowed by {allow.name} ({allow.priority}){wider}", ok=True
                ),
                expect("denying rule ahead of it", "(none)", "(none)"),
            )
            return Satisfied(checks, {"nsg": nsg, "rule": allow.name, "priority": allow.priority})
        before = expect(
            f"outbound to {wanted}", "allowed", f"denied by {deny.name} ({deny.priority})" if deny else "no rule"
        )
        if any(r.name.lower() == p.name.lower() for r in rules):
            return Blocked(
                "rule-name-taken",
                f"{name_of(nsg)} has a rule {p.name} that does not allow {wanted} ahead of every denying rule.",
                ("Change that rule, or give it another name, then retry: this run does not overwrite it.",),
                (before,),
            )
        taken = next((r for r in outbound if r.priority == p.priority), None)
        if taken is None and (deny is None or deny.priority > p.priority):
            return Changes((self._create(nsg, p.priority),), (before,))
        return self._conflict(ctx, nsg, outbound, taken, deny)

    def _conflict(
        self, ctx: StepContext, nsg: str, outbound: Sequence[Rule], taken: Rule | None, deny: Rule | None
    ) -> Verdict:
        p = self.params
        free = free_priority(outbound, p.priority, deny)
        if free is not None and ctx.attested:
            return Changes((self._create(nsg, free),), (), f"Priority {free} instead of {p.priority}, as you said.")
        if deny is not None and deny.priority <= p.priority:
            rule, what = (
                "rule-shadowed",
                f"{deny.name} ({deny.priority}) denies {p.tag}:{p.port} ahead of priority {p.priority}",
            )
        else:
            assert taken is not None
            rule, what = (
                "nsg-priority-taken",
                f"priority {p.priority} outbound belongs to {taken.name} ({taken.access})",
            )
        offer = () if free is None else (f"Use priority {free}, which is free: attest it here.",)
        return Blocked(
            rule,
            f"In {name_of(nsg)}, {what}.",
            (*offer, "Have the other rule moved by its owner; this looks again by itself."),
            (expect(f"priority {p.priority} outbound", "free and ahead of denying rules", what),),
            attest="" if free is None else f"Use priority {free} instead",
            poll=Poll(first_s=300, longest_s=4 * 3600),
        )

    def _create(self, nsg: str, priority: int) -> Change:
        p = self.params
        fields: Json = {
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "destinationPortRange": str(p.port),
            "sourceAddressPrefix": "VirtualNetwork",
            "destinationAddressPrefix": p.tag,
            "access": "Allow",
            "priority": priority,
            "direction": "Outbound",
        }
        _, subscription, _, group, *_ = nsg.strip("/").split("/")
        return Change(
            title=f"Allow {p.tag} over HTTPS: rule {p.name} ({priority})",
            method="PUT",
            path=f"{nsg}/securityRules/{p.name}",
            api_version=versions.NETWORK,
            body={"name": p.name, "properties": fields},
            diff=(Diff(p.name, None, fields),),
            locks=(nsg,),
            az=_az(subscription, group, name_of(nsg), p.name, fields),
            by_hand=by_hand(powershell=_powershell(subscription, group, name_of(nsg), p.name, fields)),
        )


def _az(subscription: str, group: str, nsg: str, name: str, fields: Json) -> tuple[str, ...]:
    return (
        *("az", "network", "nsg", "rule", "create", "--subscription", subscription),
        *("--resource-group", group, "--nsg-name", nsg, "--name", name),
        *("--priority", str(fields["priority"]), "--direction", "Outbound", "--access", "Allow", "--protocol", "Tcp"),
        *("--source-address-prefixes", "VirtualNetwork", "--source-port-ranges", "*"),
        *("--destination-address-prefixes", fields["destinationAddressPrefix"]),
        *("--destination-port-ranges", fields["destinationPortRange"]),
    )


def _powershell(subscription: str, group: str, nsg: str, name: str, fields: Json) -> tuple[str, ...]:
    return (
        f"Set-AzContext -Subscription {subscription}",
        f"$nsg = Get-AzNetworkSecurityGroup -ResourceGroupName {word(group)} -Name {word(nsg)}",
        f"$nsg | Add-AzNetworkSecurityRuleConfig -Name {name} -Priority {fields['priority']} -Direction Outbound "
        "-Access Allow -Protocol Tcp -SourceAddressPrefix VirtualNetwork -SourcePortRange '*' "
        f"-DestinationAddressPrefix {fields['destinationAddressPrefix']} "
        f"-DestinationPortRange {fields['destinationPortRange']} | Set-AzNetworkSecurityGroup",
    )
