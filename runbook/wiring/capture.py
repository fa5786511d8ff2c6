"""Reads a real estate, and writes nothing to it: what a twin of it is made from (``twin.py``).

What may not be read is left out and told; a twin that silently lacked something would be worse than none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from runbook.core.clock import iso
from runbook.core.error import Refused

if TYPE_CHECKING:
    from runbook.arm.client import ArmClient

Json = dict[str, Any]

SUBSCRIPTIONS: Final = "2022-12-01"
RESOURCES: Final = "2021-04-01"
PERMISSIONS: Final = "2022-04-01"
LOCKS: Final = "2020-05-01"
FEATURES: Final = "2021-07-01"
NETWORK: Final = "2024-01-01"
PRIVATE_DNS: Final = "2020-06-01"
HYBRID: Final = "2022-12-27"
AVD: Final = "2024-04-03"
COMPUTE: Final = "2024-03-01"
ACTIVITY_LOG: Final = "2015-04-01"
"""The api-versions that steps read with, so that a twin is made of what they would see."""

NAMESPACES: Final = ("Microsoft.HybridCompute", "Microsoft.DesktopVirtualization", "Microsoft.Network")
"""Whose feature flags matter to the books."""

LOG_DAYS: Final = 89
"""How far back the activity log is asked; it reaches 90 days."""
MOST_GROUPS: Final = 400
"""Resource groups whose own rights are asked for; beyond them the subscription's count."""
AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Estate:
    """What was read.

    Attributes:
        activity: registrations that the activity log still shows.
        resources: bodies as ARM gave them, by the name of their collection, each in ARM's order.
        grants: what the account may do, by scope.
        remarks: what is not in it, for the operator.
    """

    tenant: Json
    subscriptions: list[Json]
    providers: dict[str, list[Json]]
    features: dict[str, list[Json]]
    registrations: dict[str, list[Json]]
    grants: dict[str, list[Json]]
    activity: list[Json]
    resources: dict[str, list[Json]]
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One collection of a subscription: its type, and how it is listed."""

    name: str
    version: str


_OF_SUBSCRIPTION: Final = (
    _Kind("Microsoft.Network/networkSecurityGroups", NETWORK),
    _Kind("Microsoft.Network/virtualNetworks", NETWORK),
    _Kind("Microsoft.Network/networkInterfaces", NETWORK),
    _Kind("Microsoft.Compute/virtualMachines", COMPUTE),
    _Kind("Microsoft.Network/privateDnsZones", PRIVATE_DNS),
    _Kind("Microsoft.HybridCompute/privateLinkScopes", HYBRID),
    _Kind("Microsoft.HybridCompute/machines", HYBRID),
    _Kind("Microsoft.DesktopVirtualization/hostPools", AVD),
    _Kind("Microsoft.DesktopVirtualization/applicationGroups", AVD),
    _Kind("Microsoft.DesktopVirtualization/workspaces", AVD),
    _Kind("Microsoft.Network/privateEndpoints", NETWORK),
)

_OF_GROUP: Final = (
    _Kind("Microsoft.Network/virtualNetworkGateways", NETWORK),
    _Kind("Microsoft.Network/connections", NETWORK),
)
"""Collections that Azure lists by resource group only."""

_IN_FULL: Final = frozenset({"Microsoft.Network/connections"})
"""Whose lists leave out what matters (here: whether the connection is up); each member is read by itself."""

_BELOW: Final = {
    "Microsoft.Network/privateDnsZones": (("virtualNetworkLinks", PRIVATE_DNS), ("ALL", PRIVATE_DNS)),
    "Microsoft.DesktopVirtualization/hostPools": (("sessionHosts", AVD),),
    "Microsoft.Network/privateEndpoints": (("privateDnsZoneGroups", NETWORK),),
}
"""What lies below a member and is listed apart."""

KNOWN: Final = frozenset(k.name.lower() for k in (*_OF_SUBSCRIPTION, *_OF_GROUP))


async def read_estate(arm: ArmClient, subscriptions: Iterable[str], now_ms: int) -> Estate:
    """Read everything of these subscriptions that the books could look at.

    Args:
        arm: a client behind ``ReadOnly``.
        subscriptions: ids.
        now_ms: the time.

    Raises:
        ArmError: a subscription itself could not be read.
    """
    return await _Reading(arm, now_ms).all([s.lower() for s in subscriptions])


class _Reading:
    def __init__(self, arm: ArmClient, now_ms: int) -> None:
        self._arm = arm
        self._now_ms = now_ms
        self._room = asyncio.Semaphore(AT_ONCE)
        self._remarks: list[str] = []

    async def all(self, subscriptions: list[str]) -> Estate:
        every = await self._arm.list("/subscriptions", SUBSCRIPTIONS)
        docs = [d for d in every if str(d.get("subscriptionId", "")).lower() in subscriptions]
        tenants = await self._list("/tenants", SUBSCRIPTIONS)
        wanted = str(docs[0].get("tenantId", "")) if docs else ""
        tenant = next((t for t in tenants if t.get("tenantId") == wanted), {"tenantId": wanted})
        resources: dict[str, list[Json]] = {}
        estate = Estate(tenant, docs, {}, {}, {}, {}, [], resources, self._remarks)
        for subscription in (str(d["subscriptionId"]).lower() for d in docs):
            await self._subscription(estate, f"/subscriptions/{subscription}")
        return estate

    async def _subscription(self, estate: Estate, scope: str) -> None:
        groups = await self._list(f"{scope}/resourcegroups", RESOURCES)
        kept = estate.resources
        kept.setdefault("resourceGroups", []).extend(groups)
        names = [f"{scope}/resourceGroups/{g['name']}" for g in groups]
        estate.providers[scope] = await self._list(f"{scope}/providers", RESOURCES)
        flags, registered = (
            [f"{scope}/providers/Microsoft.Features/providers/{ns}/features" for ns in NAMESPACES],
            [
                f"{scope}/providers/Microsoft.Features/featureProviders/{ns}/subscriptionFeatureRegistrations"
                for ns in NAMESPACES
            ],
        )
        estate.features[scope] = await self._every(flags, FEATURES)
        estate.registrations[scope] = await self._every(registered, FEATURES)
        await self._grants(estate, scope, names)
        for kind in _OF_SUBSCRIPTION:
            found = await self._list(f"{scope}/providers/{kind.name}", kind.version)
            kept.setdefault(kind.name, []).extend(found)
            for below, version in _BELOW.get(kind.name, ()):
                paths = [f"{body['id']}/{below}" for body in found]
                kept.setdefault(f"{kind.name}/{below}", []).extend(await self._every(paths, version))
        for kind in _OF_GROUP:
            paths = [f"{name}/providers/{kind.name}" for name in names]
            found = await self._every(paths, kind.version)
            if kind.name in _IN_FULL:
                found = await self._each([str(body["id"]) for body in found], kind.version)
            kept.setdefault(kind.name, []).extend(found)
        for namespace in NAMESPACES:
            estate.activity.extend(await self._log(scope, namespace))
        locks = await self._list(f"{scope}/providers/Microsoft.Authorization/locks", LOCKS)
        kept.setdefault("locks", []).extend(locks)
        await self._others(scope)

    async def _each(self, paths: Iterable[str], version: str) -> list[Json]:
        async def one(path: str) -> list[Json]:
            found = await self._arm.get(path, version)
            return [] if found is None else [found]

        parts = await asyncio.gather(*(self._guarded(path, partial(one, path)) for path in paths))
        return [body for part in parts for body in part]

    async def _log(self, scope: str, namespace: str) -> list[Json]:
        """Registrations of a provider, which prove that it was registered after an approval."""
        path = f"{scope}/providers/Microsoft.Insights/eventtypes/management/values"
        since = iso(self._now_ms - LOG_DAYS * 86_400_000)
        asked = f"eventTimestamp ge '{since}' and eventTimestamp le '{iso(self._now_ms)}'"
        asked += f" and resourceProvider eq '{namespace}'"
        found = await self._guarded(path, lambda: self._arm.list(path, ACTIVITY_LOG, **{"$filter": asked}))
        return [e for e in found if _operation(e).lower().endswith("/register/action")]

    async def _grants(self, estate: Estate, scope: str, groups: list[str]) -> None:
        asked = "providers/Microsoft.Authorization/permissions"
        estate.grants[scope] = await self._list(f"{scope}/{asked}", PERMISSIONS)
        if len(groups) > MOST_GROUPS:
            self._remarks.append(f"Rights were asked for {MOST_GROUPS} of {len(groups)} resource groups of {scope}.")

        async def one(group: str) -> None:
            estate.grants[group] = await self._list(f"{group}/{asked}", PERMISSIONS)

        await asyncio.gather(*map(one, groups[:MOST_GROUPS]))

    async def _others(self, scope: str) -> None:
        """Count what no collection here holds."""
        others: dict[str, int] = {}
        for body in await self._list(f"{scope}/resources", RESOURCES):
            kind = str(body.get("type", ""))
            if kind.lower() not in KNOWN:
                others[kind] = others.get(kind, 0) + 1
        if others:
            told = ", ".join(f"{count} × {kind}" for kind, count in sorted(others.items()))
            self._remarks.append(f"Not in the twin, as no book looks at it: {told}.")

    async def _every(self, paths: Iterable[str], version: str) -> list[Json]:
        found = await asyncio.gather(*(self._list(path, version) for path in paths))
        return [body for part in found for body in part]

    async def _list(self, path: str, version: str) -> list[Json]:
        return await self._guarded(path, lambda: self._arm.list(path, version))

    async def _guarded(self, path: str, read: Callable[[], Awaitable[list[Json]]]) -> list[Json]:
        async with self._room:
            try:
                return await read()
            except Refused as refused:
                if refused.status == 403:
                    self._remarks.append(f"Not in the twin, as this account may not read it: {path}.")
                elif refused.arm_code not in ("MissingSubscriptionRegistration", "InvalidResourceType", "NotFound"):
                    self._remarks.append(f"Not in the twin: {path} ({refused.arm_code}).")
                return []


def _operation(event: Json) -> str:
    return str((event.get("operationName") or {}).get("value", ""))
