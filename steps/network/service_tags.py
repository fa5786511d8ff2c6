"""Shows whether a network security group lets agents reach every service tag they need, and which rule says no."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Poll, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared import versions
from steps._shared.look import find, name_of, properties, said
from steps.network._rules import Rule, group_on, is_allowing, is_shadowing, rule_of


class ServiceTags(Step):
    """The whole list of tags against the group's own rules.

    What no rule of the group touches is let out by its built-in rules. A tag that a rule denies may still be reached
    another way, or not be needed here, so the operator's word counts.

    Source: "Connected Machine agent network requirements", Microsoft Learn, 2026; "Network security groups".
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``nsg`` may be empty: then it is the group on ``subnet``, and where there is none nothing is denied."""

        nsg: str
        subnet: str
        tags: tuple[str, ...]
        port: int = 443

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        nsg = p.nsg or await group_on(ctx.arm, p.subnet)
        found = await find(ctx.arm, nsg, versions.NETWORK) if nsg else None
        rules = [
            r for r in map(rule_of, properties(found).get("securityRules") or ()) if r and r.direction == "outbound"
        ]
        outbound = sorted(rules, key=lambda r: r.priority)
        denied = {tag: rule for tag in p.tags if (rule := _denying(outbound, tag, p.port)) is not None}
        checks = [
            expect(f"outbound to {tag}", "allowed", _told(denied.get(tag)), ok=tag not in denied or bool(ctx.attested))
            for tag in p.tags
        ]
        if not denied:
            return Satisfied(checks, {"nsg": nsg, "denied": []})
        if ctx.attested:
            return Satisfied(
                (*checks, expect("tags that are denied", "accepted", said(ctx.attested[-1]), ok=True)),
                {"denied": list(denied)},
            )
        lines = "\n".join(f"{tag}: denied by {rule.name} (priority {rule.priority})" for tag, rule in denied.items())
        return Waiting(
            who="the network team",
            message=f"{name_of(nsg)} denies {len(denied)} of the service tags that agents need besides the two of the "
            "article. Some of this traffic takes the private endpoint later; the rest needs a rule ahead of the "
            "denying one.",
            then="The names turn private; what is still denied then stays out of reach.",
            poll=Poll(first_s=300, longest_s=4 * 3600),
            draft=f"Outbound TCP {p.port} from VirtualNetwork:\n{lines}",
            attest="These tags need not be reached through this group, because …",
            checks=checks,
        )


def _denying(outbound: list[Rule], tag: str, port: int) -> Rule | None:
    """The first rule that denies the tag, unless one that allows it comes first."""
    name = tag.partition(" ")[0]
    for rule in outbound:
        if is_allowing(rule, name, port):
            return None
        if is_shadowing(rule, name, port):
            return rule
    return None


def _told(rule: Rule | None) -> str:
    return "allowed" if rule is None else f"denied by {rule.name} ({rule.priority})"
