"""Who else uses what a run made: read before it is removed, since those who came later are in no journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json
from runbook.core.ids import ResourceId
from runbook.step import StepContext
from steps._shared import versions
from steps._shared.endpoints import endpoint_of
from steps._shared.look import dig, find, is_under, name_of, properties, readable, same

MOST: Final = 4
"""So many of what others have there are named."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Something that the run that is taken back made or changed."""

    path: str
    api_version: str


class _Known:
    """Tells this run's own things from those of others.

    While nothing was removed yet (a plan), its own count as gone. Later its own are gone, and one that is still there
    was left on purpose; a list may name one for a while that is not there any more.
    """

    def __init__(self, ctx: StepContext, ours: Sequence[Ours], foresees: bool) -> None:
        self._ctx, self._foresees = ctx, foresees
        self._ours = {o.path.lower(): o for o in ours}
        self._resources = [path for path in self._ours if "/providers/" in path]

    async def others(self, ids: Sequence[str]) -> list[str]:
        """Those that stand in the way."""
        found = []
        for id_ in ids:
            mine = self._ours.get(id_.lower())
            if mine is not None and (self._foresees or await self._is_gone(mine)):
                continue
            if mine is None and self._foresees and any(is_under(id_, path) for path in self._resources):
                continue  # part of something of ours
            found.append(id_)
        return found

    async def _is_gone(self, mine: Ours) -> bool:
        return await find(self._ctx.arm, mine.path, mine.api_version) is None

    def of_kind(self, kind: str) -> list[Ours]:
        return [o for path, o in self._ours.items() if f"/{kind.lower()}/" in path]


async def used_by_others(
    ctx: StepContext, path: str, version: str, doc: Json, ours: Sequence[Ours], *, foresees: bool
) -> str:
    """Why it must stay, in words; empty where nothing speaks against its removal.

    Args:
        ctx: to look with.
        path: what is to be removed.
        version: with which it and its children are read.
        doc: as it stands.
        ours: what else the run made or changed.
        foresees: whether that counts as gone already.
    """
    known = _Known(ctx, ours, foresees)
    match path.rstrip("/").lower().split("/")[-2]:
        case "resourcegroups":
            inside = [str(r.get("id", "")) for r in await ctx.arm.list(f"{path}/resources", version)]
            inside = [i for i in inside if not await _goes_along(ctx, i, known)]
            return _words("it holds", await known.others(inside))
        case "privatednszones":
            return await _in_zone(ctx, path, version, known)
        case "privatelinkscopes" | "workspaces" | "hostpools":
            return await _on_target(ctx, path, version, doc, known)
        case "locks":
            return await _behind_lock(ctx, path, _Known(ctx, ours, foresees=True))
        case "privateendpoints" if "global" in [g.lower() for g in endpoint_of(doc).groups]:
            return await _beside_global(ctx, path, _Known(ctx, ours, foresees=True))
        case _:
            return ""


async def _goes_along(ctx: StepContext, id_: str, known: _Known) -> bool:
    """Whether a network interface belongs to one of the run's own endpoints: Azure removes it with the endpoint."""
    if "/networkinterfaces/" not in id_.lower():
        return False
    card = await find(ctx.arm, id_, versions.NETWORK)
    owner = str(dig(properties(card), "privateEndpoint", "id") or "")
    return card is None or bool(owner and not await known.others([owner]))


async def _in_zone(ctx: StepContext, path: str, version: str, known: _Known) -> str:
    links = [str(link.get("id", "")) for link in await ctx.arm.list(f"{path}/virtualNetworkLinks", version)]
    if others := await known.others(links):
        return _words("other networks resolve through it:", others)
    written = await _written_by_ours(ctx, path, known)
    records = [r for r in await ctx.arm.list(f"{path}/ALL", version) if not _is_soa(r)]
    left = [str(r.get("name", "")) for r in records if str(r.get("name", "")).lower() not in written]
    return _words("it holds records that this run did not write:", left)


def _is_soa(record: Json) -> bool:
    """Every zone has one; it goes with the zone."""
    return str(record.get("type", "")).lower().endswith("/soa")


async def _written_by_ours(ctx: StepContext, zone: str, known: _Known) -> set[str]:
    """Names that the run's own zone groups write into the zone; their removal takes them out."""
    names: set[str] = set()
    for group in known.of_kind("privateDnsZoneGroups"):
        doc = await find(ctx.arm, group.path, group.api_version)
        for config in properties(doc).get("privateDnsZoneConfigs") or ():
            if same(str(dig(config, "properties", "privateDnsZoneId") or ""), zone):
                sets = dig(config, "properties", "recordSets") or ()
                names |= {str(r.get("recordSetName", "")).lower() for r in sets}
    return names


async def _on_target(ctx: StepContext, path: str, version: str, doc: Json, known: _Known) -> str:
    """Endpoints that lead to it, servers that are in it, application groups that it publishes."""
    connections = await ctx.arm.list(f"{path}/privateEndpointConnections", version)
    endpoints = [str(dig(c, "properties", "privateEndpoint", "id") or c.get("id") or "") for c in connections]
    if others := await known.others(endpoints):
        return _words("private endpoints lead to it:", others)
    if groups := [str(g) for g in properties(doc).get("applicationGroupReferences") or ()]:
        return _words("it publishes application groups:", groups)
    if "/microsoft.hybridcompute/" not in path.lower():
        return ""
    inside: list[str] = []
    for subscription in ctx.run.subscriptions:
        kind = f"/subscriptions/{subscription}/providers/Microsoft.HybridCompute/machines"
        for machine in await readable(ctx.arm, kind, versions.HYBRID_COMPUTE) or ():
            if same(str(properties(machine).get("privateLinkScopeResourceId") or ""), path):
                inside.append(str(machine.get("id", "")))
    return _words("servers are in it:", await known.others(inside))


async def _behind_lock(ctx: StepContext, path: str, known: _Known) -> str:
    """A lock goes before what it protects. Where that will have to stay, so must the lock."""
    scope = path.lower().partition("/providers/microsoft.authorization/")[0]
    if "/microsoft.desktopvirtualization/workspaces/" not in scope:
        return ""
    doc = await find(ctx.arm, scope, versions.AVD)
    used = doc and await _on_target(ctx, scope, versions.AVD, doc, known)
    return (used and f"it protects {name_of(scope)}: {used}") or await _beside_global(ctx, scope, known)


async def _beside_global(ctx: StepContext, path: str, known: _Known) -> str:
    """Whoever has a feed or connection endpoint finds its feed through the global one.

    Source: "Set up Private Link with Azure Virtual Desktop", Microsoft Learn (initial feed discovery needs one global
    endpoint; with it gone, every client of these networks loses discovery).

    The run's own were made before it, so they go after it: they count as gone.
    """
    subscriptions = {*(s.lower() for s in ctx.run.subscriptions), ResourceId.parse(path).subscription.lower()}
    beside: list[str] = []
    for subscription in sorted(subscriptions):
        kind = f"/subscriptions/{subscription}/providers/Microsoft.Network/privateEndpoints"
        for doc in await readable(ctx.arm, kind, versions.NETWORK) or ():
            endpoint = endpoint_of(doc)
            if {"feed", "connection"} & {g.lower() for g in endpoint.groups}:
                beside.append(endpoint.id)
    return _words("it is the way to feed discovery, on which others depend:", await known.others(beside))


def _words(why: str, ids: Sequence[str]) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - MOST} more" if len(ids) > MOST else ""
    return f"{why} {', '.join(name_of(i) or i for i in ids[:MOST])}{more}"
