"""Makes the private link scope, open to the public until the very end, and only one for each virtual network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.core.arm import Json, Reader
from runbook.core.ids import resource_id
from runbook.step import (
    Blocked,
    Change,
    Changes,
    Check,
    Diff,
    InProgress,
    Satisfied,
    Step,
    StepContext,
    Verdict,
    expect,
)
from steps._shared import versions
from steps._shared.endpoints import Endpoint, endpoints_in, is_arc_scope
from steps._shared.faces import by_hand, word
from steps._shared.look import find, is_busy, name_of, properties, same, same_region, state_of
from steps.arc._names import GROUP, MEMBERS


class PrivateLinkScope(Step):
    """One scope.

    ``publicNetworkAccess`` is always sent: the API's default is ``Disabled``, the portal's check box is ticked, and a
    scope that is closed by surprise cuts servers off. A scope that was closed before this run stays closed.

    Source: HybridCompute 2022-12-27, private link scopes; Microsoft Learn, "Use Azure Private Link to connect servers
    to Azure Arc", 2026-05-04 (one scope for each virtual network).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``zones`` stand in where the scope does not list those it needs; empty where none are published."""

        subscription: str
        resource_group: str
        name: str
        location: str
        vnet: str
        zones: tuple[str, ...]

    params: Params

    @property
    def _id(self) -> str:
        p = self.params
        return resource_id(p.subscription, p.resource_group, "Microsoft.HybridCompute/privateLinkScopes", p.name)

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        others = [
            e for e in await endpoints_in(ctx.arm, p.vnet) if is_arc_scope(e.target) and not same(e.target, self._id)
        ]
        single = expect(f"other Arc scopes reached from {name_of(p.vnet)}", "none", [name_of(e.target) for e in others])
        if others:
            return _second_scope(p.vnet, others, single)
        scope = await find(ctx.arm, self._id, versions.HYBRID_COMPUTE)
        if scope is None:
            return Changes((self._put({}, None),), (single, expect("private link scope", "present", "absent")))
        where = expect("region", p.location, scope.get("location"), ok=same_region(scope.get("location"), p.location))
        if not where.ok:
            return Blocked(
                "scope-in-other-region",
                f"{p.name} exists in {scope.get('location')}; a scope serves servers of its own region and cannot "
                "be moved.",
                ("Start a run with another scope name.", "Start a run for the region of that scope."),
                (single, where),
            )
        if is_busy(scope):
            return InProgress(f"{p.name} is {state_of(scope)}.", 5, (single, where))
        if state_of(scope).lower() != "succeeded":
            repair = self._put(scope.get("tags") or {}, properties(scope).get("publicNetworkAccess"), state_of(scope))
            return Changes((repair,), (single, where, expect("provisioning state", "Succeeded", state_of(scope))))
        return await self._satisfied(ctx.arm, scope, (single, where))

    async def _satisfied(self, arm: Reader, scope: Json, checks: tuple[Check, ...]) -> Satisfied:
        p = self.params
        access = str(properties(scope).get("publicNetworkAccess") or "Disabled")
        remark = access if access == "Enabled" else f"{access} already; servers outside are refused, and it is left so"
        members, zones = await _wishes(arm, self._id, p.zones)
        outputs: Mapping[str, Any] = {
            "id": str(scope.get("id") or self._id),
            "name": p.name,
            "private_link_scope_id": properties(scope).get("privateLinkScopeId", ""),
            "location": scope.get("location", p.location),
            "public_access": access,
            "members": members,
            "member_count": len(members) or MEMBERS,
            "zones": zones,
        }
        return Satisfied(
            (
                *checks,
                expect("provisioning state", "Succeeded", state_of(scope)),
                expect("public network access until the end", "Enabled", remark, ok=True),
                expect(
                    "members the endpoint will have",
                    "listed by the scope",
                    len(members) or f"not listed; {MEMBERS} planned, as recorded elsewhere (unconfirmed here)",
                    ok=True,
                ),
                expect("private zones for its names", "told by the scope, or published", zones, ok=bool(zones)),
            ),
            outputs,
        )

    def _put(self, tags: Json, access: str | None, broken: str = "") -> Change:
        """``broken`` is the state of the one that stands there and ended badly; empty where there is none."""
        p = self.params
        body: Json = {"location": p.location, "properties": {"publicNetworkAccess": access or "Enabled"}}
        if tags:
            body["tags"] = tags
        return Change(
            title=f"Create private link scope {p.name}",
            method="PUT",
            path=self._id,
            api_version=versions.HYBRID_COMPUTE,
            body=body,
            diff=(Diff("properties.provisioningState", broken, "Succeeded") if broken else Diff("", None, body),),
            by_hand=by_hand(
                az=(
                    "az extension add --name connectedmachine",
                    f"az connectedmachine private-link-scope create --subscription {p.subscription} -g "
                    f"{p.resource_group} "
                    f"-l {p.location} --scope-name {p.name} --public-network-access Enabled",
                ),
                powershell=(
                    f"New-AzConnectedPrivateLinkScope -SubscriptionId {p.subscription} -ResourceGroupName "
                    f"{word(p.resource_group)} -ScopeName {word(p.name)} -Location {p.location} "
                    "-PublicNetworkAccess Enabled",
                ),
            ),
        )


async def _wishes(arm: Reader, scope: str, fallback: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The members and zones that the scope itself asks for; the zones in lower case, each once."""
    for item in await arm.list(f"{scope}/privateLinkResources", versions.HYBRID_COMPUTE):
        at = properties(item)
        if str(at.get("groupId", "")).lower() == GROUP:
            zones = list(dict.fromkeys(str(z).lower() for z in at.get("requiredZoneNames") or fallback))
            return [str(m) for m in at.get("requiredMembers") or ()], zones
    return [], list(fallback)


def _second_scope(vnet: str, others: list[Endpoint], check: Check) -> Blocked:
    named = ", ".join(f"{name_of(e.target)} (endpoint {e.name})" for e in others)
    first = others[0].target
    group = first.strip("/").split("/")[3]
    return Blocked(
        "vnet-has-other-scope",
        f"{name_of(vnet)} already reaches another Arc private link scope: {named}. One network takes one scope, "
        "since both would answer the same names.",
        (
            f"Use that scope: start a run with scope_name {name_of(first)} and resource_group {group}.",
            "Start a run with another virtual network and its own DNS.",
            "Have the other endpoint removed, then retry.",
        ),
        (check,),
    )
