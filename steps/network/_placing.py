"""Puts one rule into a network security group without disturbing the others: where it fits, it is one write.

A name that is taken, a priority that is taken and a rule that would come first are told before anything is written; a
free priority ahead of it is offered.

Source: Azure Network REST 2024-01-01, security rules; "Network security groups", Microsoft Learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runbook.core.arm import Json
from runbook.core.docs import Risk
from runbook.step import Blocked, Change, Changes, Check, Diff, InProgress, Poll, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.faces import by_hand, word
from steps._shared.look import is_busy, name_of, properties, state_of
from steps.network._rules import Group, Rule, free_priority


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule for what the network sends.

    Attributes:
        title: the change's title, without name and priority.
        words: the traffic in words, after "allows" or "denies".
        destinations: one service tag, or prefixes.
        ports: one port, a range, or ``*``.
    """

    title: str
    words: str
    name: str
    access: Literal["Allow", "Deny"]
    direction: str
    destinations: tuple[str, ...]
    ports: str
    priority: int
    protocol: str = "Tcp"
    risk: Risk = "safe"
    undo: tuple[str, ...] = ()

    def fields(self, priority: int) -> Json:
        """Its properties."""
        one = len(self.destinations) == 1
        to: Json = (
            {"destinationAddressPrefix": self.destinations[0]}
            if one
            else {"destinationAddressPrefixes": list(self.destinations)}
        )
        return {
            "protocol": self.protocol,
            "sourcePortRange": "*",
            "destinationPortRange": self.ports,
            "sourceAddressPrefix": "VirtualNetwork",
            **to,
            "access": self.access,
            "priority": priority,
            "direction": self.direction,
        }

    def put(self, nsg: str, priority: int, before: Json | None = None) -> Change:
        """The write, at a priority. ``before`` are the properties of the rule that it replaces."""
        fields = self.fields(priority)
        az = self._az(nsg, fields)
        is_native = len(self.destinations) == 1
        return Change(
            title=f"{self.title}: rule {self.name} ({priority})",
            method="PUT",
            path=f"{nsg}/securityRules/{self.name}",
            api_version=versions.NETWORK,
            body={"name": self.name, "properties": fields},
            risk=self.risk,
            diff=(Diff(self.name, before, fields),),
            locks=(nsg,),
            az=az if is_native else (),
            by_hand=by_hand(
                az=() if is_native else (" ".join(map(word, az)),),
                powershell=self._powershell(nsg, fields),
            ),
            undo=self.undo,
        )

    def _az(self, nsg: str, fields: Json) -> tuple[str, ...]:
        _, subscription, _, group, *_ = nsg.strip("/").split("/")
        return (
            *("az", "network", "nsg", "rule", "create", "--subscription", subscription),
            *("--resource-group", group, "--nsg-name", name_of(nsg), "--name", self.name),
            *("--priority", str(fields["priority"]), "--direction", self.direction, "--access", self.access),
            *("--protocol", self.protocol, "--source-address-prefixes", "VirtualNetwork"),
            *("--source-port-ranges", "*", "--destination-address-prefixes", *self.destinations),
            *("--destination-port-ranges", self.ports),
        )

    def _powershell(self, nsg: str, fields: Json) -> tuple[str, ...]:
        _, subscription, _, group, *_ = nsg.strip("/").split("/")
        return (
            f"Set-AzContext -Subscription {subscription}",
            f"$nsg = Get-AzNetworkSecurityGroup -ResourceGroupName {word(group)} -Name {word(name_of(nsg))}",
            f"$nsg | Add-AzNetworkSecurityRuleConfig -Name {self.name} -Priority {fields['priority']} -Direction "
            f"{self.direction} -Access {self.access} -Protocol {word(self.protocol)} -SourceAddressPrefix "
            f"VirtualNetwork -SourcePortRange '*' -DestinationAddressPrefix {', '.join(map(word, self.destinations))} "
            f"-DestinationPortRange {word(self.ports)} | Set-AzNetworkSecurityGroup",
        )


def missing(nsg: str, *ways_out: str) -> Blocked:
    """There is no such group."""
    return Blocked("nsg-missing", f"There is no network security group {nsg}.", ways_out)


def busy(group: Group) -> InProgress | None:
    """The group is being written."""
    return InProgress(f"{name_of(group.id)} is {state_of(group.doc)}.", 5) if is_busy(group.doc) else None


def again(group: Group, wanted: Wanted) -> Changes | None:
    """The same rule once more where its last write ended badly."""
    mine = group.has_failed(wanted.name)
    if mine is None:
        return None
    check = expect(f"rule {wanted.name}", "Succeeded", state_of(mine))
    change = wanted.put(group.id, properties(mine)["priority"])
    return Changes((change,), (check,), "Its last write ended badly.")


def place(ctx: StepContext, group: Group, wanted: Wanted, barrier: Rule | None, checks: Sequence[Check]) -> Verdict:
    """Add the rule ahead of ``barrier``, the first rule that would make it useless; or say what is in the way."""
    verb = "denies" if wanted.access == "Deny" else "allows"
    if group.named(wanted.name):
        return Blocked(
            "rule-name-taken",
            f"{name_of(group.id)} has a rule {wanted.name}, and it is not one that {verb} {wanted.words} ahead of "
            "every other rule for it.",
            ("Change that rule, or give it another name, then retry: this run does not overwrite it.",),
            checks,
        )
    others = group.of(wanted.direction)
    taken = next((r for r in others if r.priority == wanted.priority), None)
    if taken is None and (barrier is None or barrier.priority > wanted.priority):
        return Changes((wanted.put(group.id, wanted.priority),), checks)
    free = free_priority(others, wanted.priority, barrier)
    if free is not None and ctx.attested:
        said = f"Priority {free} instead of {wanted.priority}, as you said."
        return Changes((wanted.put(group.id, free),), (), said)
    return _conflict(group, wanted, taken, barrier, free)


def _conflict(group: Group, wanted: Wanted, taken: Rule | None, barrier: Rule | None, free: int | None) -> Blocked:
    direction = wanted.direction.lower()
    if barrier is not None and barrier.priority <= wanted.priority:
        verb = "denies" if barrier.access == "deny" else "allows"
        rule, what = "rule-shadowed", f"{barrier.label} {verb} {wanted.words} ahead of priority {wanted.priority}"
    else:
        owner = f"{taken.name} ({taken.access})" if taken else "another rule"
        rule, what = "nsg-priority-taken", f"priority {wanted.priority} {direction} belongs to {owner}"
    offer = () if free is None else (f"Use priority {free}, which is free: attest it here.",)
    wish = "free and ahead of " + ("denying" if wanted.access == "Allow" else "allowing") + " rules"
    return Blocked(
        rule,
        f"In {name_of(group.id)}, {what}.",
        (*offer, "Have the other rule moved by its owner; this looks again by itself."),
        (expect(f"priority {wanted.priority} {direction}", wish, what),),
        attest="" if free is None else f"Use priority {free} instead",
        poll=Poll(first_s=300, longest_s=4 * 3600),
    )
