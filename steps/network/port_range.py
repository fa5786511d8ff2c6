"""Keeps every TCP port toward private endpoints open in one security group, with one allowing rule where needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from runbook.step import Blocked, Changes, Check, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.look import name_of, said
from steps.network._placing import Wanted, again, busy, missing, place
from steps.network._reach import Judgement, judge
from steps.network._rules import Group, Rule, read_group

PORTS: Final = "1-65535"


class PortRange(Step):
    """TCP 1-65535 toward the endpoints' prefixes, judged against every rule of the group.

    The gateways of the service share one address of a connection endpoint and are told apart by port. A rule that lets
    out port 443 only, ahead of one that denies the rest, is therefore the usual mistake. This step never narrows what
    is open: it adds one allowing rule ahead of the first denying one, or widens the prefixes of its own.

    Source: "Use Azure Private Link with Azure Virtual Desktop", Microsoft Learn (ports of the connection endpoint);
    "Network security groups", Microsoft Learn; Azure Network REST 2024-01-01, security rules.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``direction``: ``Both`` for a group that session hosts and endpoints share.

        ``prefixes``: CIDRs of the endpoints' subnets. The inbound rule's name gets ``In`` behind it, as names are
        unique in a group.
        """

        nsg: str
        direction: Literal["Outbound", "Inbound", "Both"]
        prefixes: tuple[str, ...]
        name: str = "AllowAvdPrivateEndpoints"
        priority: int = 140

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        group = await read_group(ctx.arm, p.nsg)
        if group is None:
            return missing(
                p.nsg, "Find out who removed it; if it is meant to be gone, retry the node that lists the groups."
            )
        if waiting := busy(group):
            return waiting
        directions = ("Outbound", "Inbound") if p.direction == "Both" else (p.direction,)
        verdicts = [self._judge(ctx, group, d) for d in directions]
        if refused := next((v for v in verdicts if not isinstance(v, Satisfied | Changes)), None):
            return refused
        checks = [c for v in verdicts if isinstance(v, Satisfied | Changes) for c in v.checks]
        wanted = [v for v in verdicts if isinstance(v, Changes)]
        if wanted:
            summary = " ".join(v.summary for v in wanted if v.summary)
            return Changes([c for v in wanted for c in v.changes], checks, summary)
        return Satisfied(checks, {"nsg": p.nsg, "prefixes": list(p.prefixes)})

    def _judge(self, ctx: StepContext, group: Group, direction: str) -> Verdict:
        wanted = self._wanted(direction)
        found = judge(group.of(direction), self.params.prefixes)
        mine = group.named(wanted.name)
        if mine is not None and _is_ours(mine, wanted) and (repair := again(group, wanted)):
            return repair
        if not found.denials:
            return self._open(ctx, group, direction, found)
        barrier = found.barrier
        assert barrier is not None
        checks = _checks(direction, found)
        if mine is not None and _is_ours(mine, wanted) and mine.priority < barrier.priority:
            return self._widen(group, wanted, mine, checks)
        verdict = place(ctx, group, wanted, barrier, checks)
        said_so = _mistake(found)
        if isinstance(verdict, Changes) and said_so:
            return replace(verdict, summary=" ".join(filter(None, (said_so, verdict.summary))))
        if isinstance(verdict, Blocked) and said_so:
            return replace(verdict, message=f"{verdict.message} {said_so}")
        return verdict

    def _open(self, ctx: StepContext, group: Group, direction: str, found: Judgement) -> Verdict:
        """Nothing denies; what cannot be judged is left to the operator's word."""
        checks = _checks(direction, found)
        if not found.unjudged:
            return Satisfied(checks)
        rules = ", ".join(r.label for r in found.unjudged)
        if ctx.attested:
            told = f"{rules}: {said(ctx.attested[-1])}"
            return Satisfied((*checks, expect("rules by application security groups", "harmless", told, ok=True)))
        return Blocked(
            "rule-not-judged",
            f"{rules} in {name_of(group.id)} denies traffic by application security groups. Whether session hosts or "
            f"endpoints are in them cannot be judged from here.",
            (
                "Look which machines and endpoints the groups hold; if none of these, attest it here.",
                f"Have a rule ahead of it that allows TCP {PORTS} to {', '.join(self.params.prefixes)}; this looks "
                "again by itself.",
            ),
            checks,
            attest="The groups hold neither session hosts nor these endpoints",
            poll=Poll(first_s=300, longest_s=4 * 3600),
        )

    def _widen(self, group: Group, wanted: Wanted, mine: Rule, checks: list[Check]) -> Changes:
        """The rule is this step's own and lacks a prefix: the estate has grown."""
        prefixes = tuple(dict.fromkeys((*mine.destinations, *(p.lower() for p in self.params.prefixes))))
        wider = self._wanted(wanted.direction, prefixes)
        before = self._wanted(wanted.direction, mine.destinations).fields(mine.priority)
        summary = f"{mine.label} does not cover every endpoint's subnet yet."
        return Changes((wider.put(group.id, mine.priority, before),), checks, summary)

    def _wanted(self, direction: str, prefixes: tuple[str, ...] = ()) -> Wanted:
        p = self.params
        return Wanted(
            title="Allow every TCP port to the private endpoints" + (" (inbound)" if direction == "Inbound" else ""),
            words=f"TCP {PORTS} to the private endpoints",
            name=p.name + ("In" if direction == "Inbound" else ""),
            access="Allow",
            direction=direction,
            destinations=prefixes or p.prefixes,
            ports=PORTS,
            priority=p.priority,
        )


def _is_ours(rule: Rule, wanted: Wanted) -> bool:
    """Whether a rule differs from the wanted one in its prefixes and its priority at most."""
    return (
        (rule.direction, rule.access, rule.protocol) == (wanted.direction.lower(), "allow", "tcp")
        and (rule.sources, rule.source_ports, rule.ports) == (("virtualnetwork",), ("*",), (PORTS,))
        and not rule.by_group
    )


def _checks(direction: str, found: Judgement) -> list[Check]:
    denied = [f"{d.ports} by {d.rule.label}" for d in found.denials]
    checks = [expect(f"{direction.lower()} TCP {PORTS} to the endpoints, denied", "none", denied)]
    ahead = [d for d in found.narrow if found.denials and d.rule.priority < found.denials[0].rule.priority]
    if ahead:
        let = [f"{d.ports} by {d.rule.label}" for d in ahead]
        checks.append(expect("let through ahead of that", PORTS, let))
    unjudged = [r.label for r in found.unjudged]
    if unjudged:
        checks.append(expect("denying rules by application security groups", "cannot be judged", unjudged, ok=True))
    return checks


def _mistake(found: Judgement) -> str:
    """The usual mistake, in words; empty where it was not made."""
    deny = found.denials[0].rule
    ahead = next((d for d in found.narrow if d.rule.priority < deny.priority), None)
    if ahead is None:
        return ""
    return (
        f"{ahead.rule.label} lets only port {ahead.ports} through ahead of {deny.label}; sessions need every port of "
        "the endpoint."
    )
