"""Refuses to go on to private names while an Arc-enabled server is outside the scope."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Blocked, Check, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.fleet import RULE, Guard, Machine, inside_check, machines_in
from steps._shared.look import name_of, said, same, same_region


class AllAssociated(Step):
    """The barrier between association and private DNS.

    Azure does not tell which network a server resolves names through. A server of this region is taken to be on the
    network; for a server elsewhere, or one the operator left out, the operator's word decides.

    Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04 (restrictions).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``listed`` are the servers to associate, ``subscriptions`` where this network's may be registered."""

        subscriptions: tuple[str, ...]
        scope: str
        location: str
        listed: tuple[str, ...]

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        every = await machines_in(ctx.arm, p.subscriptions)
        outside = [m for m in every if not same(m.scope, p.scope)]
        listed = {m.lower() for m in p.listed}
        ours = [m for m in outside if m.id.lower() in listed]
        others = [m for m in outside if m.id.lower() not in listed]
        inside = expect(f"servers in {name_of(p.scope)}", len(every) - len(others), len(every) - len(outside))
        if ours:
            return self._refuse(ours, "", inside)
        if others and not ctx.attested:
            return self._refuse(others, "These servers do not resolve names through this network", inside)
        checks = [inside, inside_check([]) if not others else _vouched(ctx, others)]
        guard = Guard(p.subscriptions, p.scope, tuple(m.id for m in others))
        return Satisfied(
            checks,
            {
                "guard": {
                    "subscriptions": list(guard.subscriptions),
                    "scope": guard.scope,
                    "vouched": list(guard.vouched),
                },
                "count": len(every) - len(others),
            },
        )

    def _refuse(self, outside: list[Machine], attest: str, inside: Check) -> Blocked:
        p = self.params
        names = ", ".join(f"{m.name} ({m.location})" for m in outside)
        near = [m for m in outside if same_region(m.location, p.location)]
        first = (
            "Put them into the scope (az connectedmachine update --private-link-scope-resource-id …); this looks "
            "again by itself."
            if near
            else "They are of another region, so this scope cannot take them: see that their DNS stays public."
        )
        ways = [first, "Disconnect from Azure Arc what is no longer a server of yours."]
        if attest:
            ways.insert(1, "If they use other DNS than this network's, attest it.")
        return Blocked(
            RULE,
            f"{len(outside)} Arc-enabled server(s) are outside the scope {name_of(p.scope)}: {names}. Once they "
            "resolve "
            "private addresses without being in the scope, Azure refuses them.",
            ways,
            (inside, inside_check(outside)),
            attest=attest,
            poll=None if attest else Poll(first_s=60, longest_s=900),
        )


def _vouched(ctx: StepContext, others: list[Machine]) -> Check:
    names = ", ".join(m.name for m in others)
    return expect("servers outside the scope", "none on this network", f"{names}: {said(ctx.attested[-1])}", ok=True)
