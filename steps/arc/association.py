"""Puts one Arc-enabled server into the scope and waits until Azure says that it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json
from runbook.core.clock import duration
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
    Waiting,
    expect,
)
from steps._shared import versions
from steps._shared.faces import by_hand, word
from steps._shared.fleet import Machine, machine_of
from steps._shared.look import find, name_of, properties, same

USUAL_MS: Final = 15 * 60_000
"""The article's "up to 15 minutes"."""


class Association(Step):
    """One server's ``privateLinkScopeResourceId`` and the machine's own view of it.

    A server that is in another scope is moved only on the operator's word: the other scope loses it.

    Source: HybridCompute 2022-12-27, machines and private link scope validation; Microsoft Learn, "Use Azure Private
    Link to connect servers to Azure Arc", 2026-05-04 ("up to 15 minutes").
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        machine: str
        scope: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        doc = await find(ctx.arm, p.machine, versions.HYBRID_COMPUTE)
        if doc is None:
            return Blocked(
                "machine-missing",
                f"{name_of(p.machine)} is no longer an Arc-enabled server.",
                ("Connect it again, then retry.", "Skip this node if it is gone for good."),
            )
        machine = machine_of(doc)
        inside = expect(
            f"scope of {machine.name}",
            name_of(p.scope),
            name_of(machine.scope) or "none",
            ok=same(machine.scope, p.scope),
        )
        if inside.ok:
            return await self._took(ctx, machine, inside)
        if machine.scope and not ctx.attested:
            return Blocked(
                "machine-in-other-scope",
                f"{machine.name} belongs to the scope {machine.scope}. A server is in one scope only, so it would "
                "leave that one.",
                (
                    "Attest that it may move.",
                    "Skip this node and leave it there; it must then not resolve names through this network.",
                ),
                (inside,),
                attest=f"{machine.name} may leave {name_of(machine.scope)}",
            )
        scope = await find(ctx.arm, p.scope, versions.HYBRID_COMPUTE)
        return Changes((self._join(machine, scope),), (inside,))

    async def _took(self, ctx: StepContext, machine: Machine, inside: Check) -> Verdict:
        p = self.params
        seen = await find(ctx.arm, f"{p.machine}/privateLinkScopes/current", versions.HYBRID_COMPUTE)
        took = seen is not None and same(str(seen.get("id", "")), p.scope)
        valid = expect(
            f"{machine.name} as the scope's validation sees it", "in effect", "in effect" if took else "not yet"
        )
        if took:
            agent = expect(f"agent of {machine.name}", "Connected", machine.status, ok=True)
            return Satisfied((inside, valid, agent), {"id": machine.id, "name": machine.name})
        sent_ms = ctx.applied[-1]["at_ms"] if ctx.applied else None
        if sent_ms is not None and ctx.now_ms - sent_ms <= 2 * USUAL_MS:
            passed = duration((ctx.now_ms - sent_ms) / 1000)
            return InProgress(
                f"{machine.name} was put into the scope {passed} ago; it takes up to 15 minutes.", 30, (inside, valid)
            )
        agent_words = (
            "" if machine.status.lower() == "connected" else f" Its agent is {machine.status}: look there first."
        )
        return Waiting(
            who="Azure Arc",
            message=f"{machine.name} is in the scope, but it is not in effect yet.{agent_words} It usually takes up to "
            "15 minutes; if it does not, restart the agent on the server (azcmagent restart).",
            then="Private DNS follows once every server is in effect.",
            poll=Poll(first_s=30, factor=1.3, longest_s=600),
            checks=(inside, valid),
        )

    def _join(self, machine: Machine, scope: Json | None) -> Change:
        p = self.params
        _, subscription, _, group, *_ = p.machine.strip("/").split("/")
        is_closed = str(properties(scope).get("publicNetworkAccess", "Enabled")) != "Enabled"
        return Change(
            title=f"Put {machine.name} into {name_of(p.scope)}"
            + (" (the scope is closed to the public: it needs private names from now on)" if is_closed else ""),
            method="PATCH",
            path=p.machine,
            api_version=versions.HYBRID_COMPUTE,
            body={"properties": {"privateLinkScopeResourceId": p.scope}},
            risk="disruptive" if is_closed else "safe",
            diff=(Diff("properties.privateLinkScopeResourceId", machine.scope or None, p.scope),),
            by_hand=by_hand(
                az=(
                    f"az connectedmachine update --subscription {subscription} -g {group} -n {machine.name} "
                    f"--private-link-scope-resource-id {p.scope}",
                ),
                powershell=(
                    f"Update-AzConnectedMachine -SubscriptionId {subscription} -ResourceGroupName {word(group)} "
                    f"-Name {word(machine.name)} -PrivateLinkScopeResourceId {word(p.scope)}",
                ),
                note="The az line reads the machine and writes it back whole; ours changes this one field."
                + (_opening(p.scope) if is_closed else ""),
            ),
        )


def _opening(scope: str) -> str:
    """How to keep machines connected until their names are private, in a scope that was closed too early."""
    _, subscription, _, group, *_ = scope.strip("/").split("/")
    return (
        f"\n\n{name_of(scope)} is closed to the public already, so Azure refuses the server until it resolves private "
        "names. Where it does not yet, open the scope first; the last node closes it on proof:\n"
        f"az connectedmachine private-link-scope update --subscription {subscription} -g {group} --scope-name "
        f"{name_of(scope)} --public-network-access Enabled"
    )
