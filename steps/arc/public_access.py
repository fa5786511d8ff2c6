"""Closes the scope to the public: the last act, and the one that shows whether everything before was right."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.core.arm import Json
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
    expect,
)
from steps._shared import versions
from steps._shared.faces import by_hand, word
from steps._shared.look import find, is_busy, name_of, properties, state_of
from steps.arc._result import Result, checks_of


class PublicAccess(Step):
    """``publicNetworkAccess: Disabled`` on an existing scope, everything else kept as it is.

    Between the proof and the go hours may pass, so the result is looked at once more: what no longer holds stops it.

    Source: HybridCompute 2022-12-27, private link scopes: the scope's PATCH takes tags only, so the whole scope is put
    back with this one field changed.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``result`` is what must hold at this moment."""

        scope: str
        result: Result

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        scope = await find(ctx.arm, self.params.scope, versions.HYBRID_COMPUTE)
        if scope is None:
            return Blocked(
                "scope-missing", f"There is no scope {self.params.scope} any more.", ("Find out who removed it.",)
            )
        if is_busy(scope):
            return InProgress(f"{name_of(self.params.scope)} is {state_of(scope)}.", 5)
        access = str(properties(scope).get("publicNetworkAccess") or "Disabled")
        check = expect("public network access", "Disabled", access)
        if check.ok:
            undo = self._lines(scope, "Enabled")
            return Satisfied((check,), {"undo": list(undo)}, f"Closed. To open it again: {undo[0]}")
        proof = await checks_of(ctx, self.params.result)
        if broken := [c for c in proof if not c.ok]:
            return self._refuse(broken, (check, *proof))
        return Changes((self._close(scope, access),), (check, *proof))

    def _refuse(self, broken: list[Check], checks: tuple[Check, ...]) -> Blocked:
        found = "; ".join(f"{c.name}: {c.observed} instead of {c.expected}" for c in broken)
        return Blocked(
            "proof-does-not-hold",
            f"{name_of(self.params.scope)} stays open: what was proven is so no longer. {found}.",
            (
                "Put it right; this looks again by itself.",
                "Skip this node and leave the scope open to public networks.",
            ),
            checks,
            poll=Poll(first_s=60, longest_s=3600),
        )

    def _close(self, scope: Json, before: str) -> Change:
        body: Json = {"location": scope.get("location"), "properties": {"publicNetworkAccess": "Disabled"}}
        if scope.get("tags"):
            body["tags"] = scope["tags"]
        close, undo = self._lines(scope, "Disabled"), self._lines(scope, "Enabled")
        return Change(
            title=f"Close {name_of(self.params.scope)} to public networks",
            method="PUT",
            path=self.params.scope,
            api_version=versions.HYBRID_COMPUTE,
            body=body,
            risk="disruptive",
            diff=(Diff("properties.publicNetworkAccess", before, "Disabled"),),
            by_hand=by_hand(az=close[:1], powershell=close[1:]),
            undo=undo,
        )

    def _lines(self, scope: Json, access: str) -> tuple[str, str]:
        """The same by hand, in az and in PowerShell, whose New-cmdlet also updates."""
        _, subscription, _, group, *_ = self.params.scope.strip("/").split("/")
        name = name_of(self.params.scope)
        return (
            f"az connectedmachine private-link-scope update --subscription {subscription} -g {group} "
            f"--scope-name {name} --public-network-access {access}",
            f"New-AzConnectedPrivateLinkScope -SubscriptionId {subscription} -ResourceGroupName {word(group)} "
            f"-ScopeName {word(name)} "
            f"-Location {scope.get('location')} -PublicNetworkAccess {access}",
        )
