"""Shows whether a network security group lets agents reach every service tag they need, and which rule says no."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Poll, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared.look import name_of, said
from steps.network._rules import Rule, first_denying, group_on, read_group


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
        group = await read_group(ctx.arm, nsg)
        outbound = group.of("outbound") if group else []
        denied = {tag: rule for tag in p.tags if (rule := first_denying(outbound, tag, p.port)) is not None}
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


def _told(rule: Rule | None) -> str:
    return "allowed" if rule is None else f"denied by {rule.name} ({rule.priority})"
