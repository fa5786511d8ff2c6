"""Host pools and workspaces of some subscriptions, read with lists, and the operator's picks held against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from runbook.core.arm import Json, Reader
from runbook.core.error import Refused
from runbook.core.ids import ResourceId, subscription_of
from runbook.core.together import together
from steps._shared import versions
from steps._shared.look import dig, properties, readable
from steps.avd._names import HOST_POOLS, NAMESPACE, WORKSPACES, Kind, access_of

Problem = tuple[str, str]
"""A rule's stable name, and what breaks it."""

SHOWN: Final = 8
"""So many names stand in one sentence; an estate may have hundreds."""
NOUNS: Final[dict[Kind, str]] = {"host_pool": "host pool", "workspace": "workspace"}
TYPES: Final[dict[Kind, str]] = {"host_pool": HOST_POOLS, "workspace": WORKSPACES}


@dataclass(frozen=True, slots=True)
class Thing:
    """One host pool or workspace. ``id`` is spelled as the documentation does: answers have types in lower case."""

    kind: Kind
    id: str
    name: str
    subscription: str
    group: str
    location: str
    access: str
    """``publicNetworkAccess`` as it stands."""
    groups: frozenset[str] = frozenset()
    """What the endpoints that lead to it are for (``connection``, ``feed``, ``global``)."""

    @property
    def place(self) -> str:
        """The resource group it is in."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"


@dataclass(frozen=True, slots=True)
class Publication:
    """One application group: a host pool that it takes from, and the workspace that shows it, if any."""

    name: str
    host_pool: str
    workspace: str


def thing_of(kind: Kind, resource: str, doc: Json | None = None) -> Thing:
    """Take one apart.

    Raises:
        ValueError: ``resource`` is not a resource id.
    """
    at = ResourceId.parse(resource)
    plain = ResourceId(at.subscription.lower(), at.group, NAMESPACE, (TYPES[kind].rpartition("/")[2],), at.names[:1])
    return Thing(
        kind=kind,
        id=str(plain),
        name=plain.name,
        subscription=plain.subscription,
        group=at.group,
        location=str((doc or {}).get("location", "")),
        access=access_of(doc),
        groups=frozenset(
            str(group).lower()
            for connection in properties(doc).get("privateEndpointConnections") or ()
            for group in dig(connection, "properties", "groupIds") or ()
        ),
    )


async def things_in(arm: Reader, kind: Kind, subscriptions: Sequence[str]) -> list[Thing]:
    """Every host pool, or every workspace, by id: one list for each subscription."""
    plural = TYPES[kind].rpartition("/")[2]
    found = [thing_of(kind, str(doc["id"]), doc) for doc in await _listed(arm, plural, subscriptions)]
    return sorted(found, key=lambda t: t.id.lower())


async def publications_in(arm: Reader, subscriptions: Sequence[str]) -> list[Publication]:
    """Every application group, with the ids of its host pool and workspace in lower case."""
    return [
        Publication(
            str(doc.get("name", "")),
            str(properties(doc).get("hostPoolArmPath") or "").lower(),
            str(properties(doc).get("workspaceArmPath") or "").lower(),
        )
        for doc in await _listed(arm, "applicationGroups", subscriptions)
    ]


async def _listed(arm: Reader, plural: str, subscriptions: Sequence[str]) -> list[Json]:
    lists = await together(_list(arm, f"/subscriptions/{s}/providers/{NAMESPACE}/{plural}") for s in subscriptions)
    return [doc for docs in lists for doc in docs]


async def _list(arm: Reader, path: str) -> list[Json]:
    """A list that must be readable: what is not seen would be left public."""
    try:
        return await arm.list(path, versions.AVD)
    except Refused as refused:
        # A subscription whose provider was never registered can hold none.
        if refused.arm_code not in ("MissingSubscriptionRegistration", "NoRegisteredProviderFound"):
            raise
        return []


async def host_regions(arm: Reader, pools: Sequence[Thing]) -> dict[str, set[str]]:
    """Regions of each pool's session hosts by the pool's id, with an empty text for machines that are not seen.

    A session host tells its machine but not its region, so this asks each pool for its hosts.
    """
    hosts = await together(arm.list(f"{pool.id}/sessionHosts", versions.AVD) for pool in pools)
    machines = {
        pool.id: [str(dig(h, "properties", "resourceId") or "").lower() for h in found]
        for pool, found in zip(pools, hosts, strict=True)
    }
    homes = sorted({subscription_of(m) or "" for ids in machines.values() for m in ids} - {""})
    paths = [f"/subscriptions/{s}/providers/Microsoft.Compute/virtualMachines" for s in homes]
    lists = await together(readable(arm, path, versions.COMPUTE) for path in paths)
    where = {str(d.get("id", "")).lower(): str(d.get("location", "")) for docs in lists for d in docs or ()}
    return {pool: {where.get(m, "") for m in ids} for pool, ids in machines.items()}


def pick(
    every: Sequence[Thing], named: Sequence[str], kind: Kind, subscriptions: Sequence[str]
) -> tuple[list[Thing], list[Problem]]:
    """The things that were named, or all of them where none was; and what is wrong with the names."""
    if not named:
        return list(every), []
    known = {t.id.lower(): t for t in every}
    noun = NOUNS[kind]
    problems: list[Problem] = []
    counted = Counter("/" + n.strip("/").lower() for n in named)
    for key, count in counted.items():
        thing = known.get(key)
        if count > 1:
            problems.append(("picked-twice", f"The {noun} {key.rpartition('/')[2]} is named {count} times"))
        if thing is None and subscription_of(key) not in {s.lower() for s in subscriptions}:
            problems.append(
                ("picked-outside-run", f"The {noun} {key} is in none of the subscriptions that this run is about")
            )
        elif thing is None:
            near = close_to(key.rpartition("/")[2], [t.name for t in every])
            problems.append((f"{kind.replace('_', '-')}-missing", f"There is no {noun} {key}{near}"))
    return [t for t in every if t.id.lower() in counted], problems


def close_to(name: str, names: Iterable[str]) -> str:
    """A hint at names like this one, or empty."""
    spelled = {n.lower(): n for n in names}
    near = [spelled[n] for n in get_close_matches(name.lower(), list(spelled), 3)]
    return f" (near: {', '.join(near)})" if near else ""


def few(names: Sequence[str]) -> str:
    """Names as one text that stays readable."""
    if not names:
        return "none"
    rest = len(names) - SHOWN
    return f"{', '.join(names[:SHOWN])} and {rest} more" if rest > 0 else ", ".join(names)
