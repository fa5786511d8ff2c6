"""What an input could be answered with, read from a cloud: for the pickers of a new run.

Invariants: reads alone, through ``ReadOnly``; bounded in time, calls and answers; nothing is kept on the disk. What
could not be read is said beside what could, and only where nothing could be read it is an error.

Sources: Azure Resource Manager REST, Subscriptions and List Locations 2022-12-01, Resources List 2021-04-01 (the filter
``resourceType eq``); Azure Network REST 2024-01-01, Virtual Networks List and List Usage. A subnet keeps five addresses
for Azure ("Virtual Network FAQ", Microsoft Learn); as whether the reported limit leaves these out is not documented,
the smaller of both counts is told, as the step that checks a subnet's capacity does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, ip_network
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from runbook.core.error import ArmError, ContextError, Refused, RunbookError, UsageError
from runbook.core.ids import subscription_of
from runbook.core.redact import plain
from runbook.wiring.capture import AVD, COMPUTE, HYBRID, NETWORK, PRIVATE_DNS, RESOURCES, SUBSCRIPTIONS

if TYPE_CHECKING:
    from runbook.arm.client import ArmClient
    from runbook.sim.cloud import Cloud
    from runbook.wiring.live import SignedIn

Json = dict[str, Any]

MOST: Final = 5000
"""Choices that are offered at once."""
MOST_SUBSCRIPTIONS: Final = 100
MOST_USAGES: Final = 60
"""Networks whose own count of free addresses is read; of others the addresses taken are counted."""
AT_ONCE: Final = 8
LONGEST_S: Final = 30.0
RESERVED: Final = 5

_VERSIONS: Final = {
    "microsoft.network": NETWORK,
    "microsoft.network/privatednszones": PRIVATE_DNS,
    "microsoft.hybridcompute": HYBRID,
    "microsoft.desktopvirtualization": AVD,
    "microsoft.compute": COMPUTE,
}
"""The api-versions that steps read with, by type or namespace; any other type is listed among all resources."""

_NONE_THERE: Final = frozenset({"MissingSubscriptionRegistration", "InvalidResourceType", "NotFound"})
"""What ARM says where nothing of a type can be."""

_VNETS: Final = "microsoft.network/virtualnetworks"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer.

    Attributes:
        value: what the input would hold.
        label: how people call it.
        detail: what tells it from others of that name.
    """

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """Every answer that was found, by label; and what is not among them, for the operator."""

    choices: tuple[Choice, ...]
    remarks: tuple[str, ...] = ()


class Choices:
    """Reads what there is to choose from.

    Args:
        client: opens a client that can only read, and closes it.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    async def offer(self, of: str, within: Sequence[str] = ()) -> Offer:
        """What there is of a kind.

        Args:
            of: ``subscription``, ``location``, or a resource type.
            within: ids of the subscriptions to look in; none for every one that is seen.

        Raises:
            ArmError: nothing could be read, or not in time.
            ContextError, SignInNeeded, UsageError, BookError: there is no way to the cloud.
        """
        try:
            async with asyncio.timeout(LONGEST_S):
                async with self._client() as arm:
                    return await _Look(arm).offer(of, within)
        except TimeoutError:
            raise ArmError(
                f"No complete answer came within {LONGEST_S:g} s.", "Type the value, or read again."
            ) from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArmError("The answer has a form that is not known here.", "Type the value.") from error


def scenario_choices(name: str) -> Choices:
    """From a scenario's simulated Azure, as a rehearsal would begin with it. It is made anew and forgotten."""
    held: list[Cloud] = []
    one_at_a_time = Lock()

    @asynccontextmanager
    async def client() -> AsyncIterator[ArmClient]:
        with one_at_a_time:
            cloud = held[0] if held else _simulated(name)
            held[:] = [cloud]
            async with _client_of(cloud) as arm:
                yield arm

    return Choices(client)


def _simulated(name: str) -> Cloud:
    from runbook.core.clock import VirtualClock
    from runbook.sim.cloud import Cloud
    from runbook.sim.state import State
    from runbook.wiring.create import find_scenario

    scenario = find_scenario(name)
    return Cloud(scenario, VirtualClock(scenario.start_ms), State())


def _client_of(cloud: Cloud) -> ArmClient:
    from runbook.arm.policies import ReadOnly
    from runbook.core.clock import VirtualClock
    from runbook.sim.transport import SimTransport
    from runbook.wiring.world import rehearsal_world

    clock = VirtualClock(cloud.now_ms)
    return rehearsal_world("choices", cloud, clock, ReadOnly(SimTransport(cloud)))[1]


def live_choices(sign_in: Callable[[], SignedIn]) -> Choices:
    """From the real cloud. ``sign_in`` is called in a thread, each time: who keeps the sign-in is the caller."""

    @asynccontextmanager
    async def client() -> AsyncIterator[ArmClient]:
        from runbook.wiring.live import live_client

        signed_in = await asyncio.to_thread(sign_in)
        async with live_client(signed_in, is_read_only=True, is_last=False) as arm:
            yield arm

    return Choices(client)


class _Look:
    """One reading."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm
        self._room = asyncio.Semaphore(AT_ONCE)
        self._remarks: list[str] = []
        self._failed: RunbookError | None = None

    async def offer(self, of: str, within: Sequence[str]) -> Offer:
        seen = {str(d["subscriptionId"]).lower(): d for d in await self._arm.list("/subscriptions", SUBSCRIPTIONS)}
        if of == "subscription":
            return self._told(map(_subscription, seen.values()))
        names = {id_: str(doc.get("displayName") or id_) for id_, doc in seen.items()}
        chosen = self._chosen(names, within)
        if of == "location":
            found = await self._all(partial(self._locations, s) for s in chosen)
            return self._told({str(d["name"]): _location(d) for d in found}.values())
        if "/" not in of:
            raise UsageError(f"There are no lists of {of}.", "Type the value.")
        bodies = await self._bodies(of, chosen)
        free = await self._free(bodies) if of.lower() == f"{_VNETS}/subnets" else {}
        return self._told(_resource(body, names, free) for body in bodies)

    def _chosen(self, names: dict[str, str], within: Sequence[str]) -> list[str]:
        wanted = [s.lower() for s in within]
        unseen = [s for s in wanted if s not in names]
        if unseen:
            self._remarks.append(f"Not seen by this account: {', '.join(map(plain, unseen))}.")
        chosen = [s for s in wanted if s in names] or ([] if wanted else list(names))
        if not chosen:
            raise ContextError("None of the chosen subscriptions is seen here.", "Choose others, or type the value.")
        if len(chosen) > MOST_SUBSCRIPTIONS:
            self._remarks.append(f"Of {len(chosen)} subscriptions the first {MOST_SUBSCRIPTIONS} were read.")
        return chosen[:MOST_SUBSCRIPTIONS]

    async def _locations(self, subscription: str) -> list[Json]:
        found = await self._arm.list(f"/subscriptions/{subscription}/locations", SUBSCRIPTIONS)
        return [d for d in found if (d.get("metadata") or {}).get("regionType", "Physical") == "Physical"]

    async def _bodies(self, of: str, chosen: Iterable[str]) -> list[Json]:
        namespace, *types = of.split("/")
        bodies = await self._all(partial(self._top, f"{namespace}/{types[0]}", s) for s in chosen)
        for child in types[1:]:
            bodies = await self._all(partial(self._below, body, child) for body in bodies)
        return bodies

    async def _top(self, kind: str, subscription: str) -> list[Json]:
        scope = f"/subscriptions/{subscription}"
        if version := _version(kind):
            return await self._arm.list(f"{scope}/providers/{kind}", version)
        return await self._arm.list(f"{scope}/resources", RESOURCES, **{"$filter": f"resourceType eq '{kind}'"})

    async def _below(self, parent: Json, child: str) -> list[Json]:
        """Members that the parent's own body holds, or that are listed below it."""
        inside = (parent.get("properties") or {}).get(child)
        if isinstance(inside, list) and all(isinstance(d, dict) and "id" in d for d in inside):
            return inside
        version = _version(str(parent.get("type") or ""))
        if not version:
            raise UsageError(f"How to list {child} is not known here.", "Type the value.")
        return await self._arm.list(f"{parent['id']}/{child}", version)

    async def _free(self, subnets: Sequence[Json]) -> dict[str, int]:
        """How many addresses are free, by the subnet's id in small letters."""
        networks = list(dict.fromkeys(str(d["id"]).rpartition("/subnets/")[0] for d in subnets))
        before, count = self._failed, len(self._remarks)
        usages = await self._all(
            partial(self._arm.list, f"{network}/usages", NETWORK) for network in networks[:MOST_USAGES]
        )
        self._failed = before  # who may not read them still sees what is taken
        del self._remarks[count:]
        limits = {
            str(u.get("id", "")).lower(): int(u["limit"]) - int(u.get("currentValue") or 0)
            for u in usages
            if isinstance(u.get("limit"), int | float) and u["limit"] >= 0  # -1: nothing is known
        }
        found: dict[str, int] = {}
        for body in subnets:
            id_ = str(body["id"]).lower()
            taken = len((body.get("properties") or {}).get("ipConfigurations") or ())
            room = sum(max(0, n.num_addresses - RESERVED) for n in map(_network, _prefixes(body)) if n) - taken
            found[id_] = max(0, min(room, limits.get(id_, room)))
        return found

    async def _all(self, reads: Iterable[Callable[[], Awaitable[list[Json]]]]) -> list[Json]:
        """What every read found; those that failed are told."""
        wanted = list(reads)

        async def one(read: Callable[[], Awaitable[list[Json]]]) -> list[Json] | None:
            async with self._room:
                try:
                    return await read()
                except Refused as refused:
                    if refused.arm_code in _NONE_THERE:
                        return []
                    self._note(refused)
                except ArmError as error:
                    self._note(error)
                return None

        found = await asyncio.gather(*map(one, wanted))
        if wanted and all(part is None for part in found) and self._failed is not None:
            raise self._failed
        return [body for part in found for body in part or ()]

    def _note(self, error: RunbookError) -> None:
        self._failed = self._failed or error
        remark = f"A part could not be read: {error}"
        if remark not in self._remarks and len(self._remarks) < AT_ONCE:
            self._remarks.append(remark)

    def _told(self, choices: Iterable[Choice]) -> Offer:
        found = sorted(
            (c for c in choices if c.value.isprintable()), key=lambda c: (c.label.lower(), c.detail, c.value)
        )
        if len(found) > MOST:
            self._remarks.append(f"The first {MOST:,} of {len(found):,} are shown; type another value by hand.")
        return Offer(tuple(found[:MOST]), tuple(self._remarks))


def _version(kind: str) -> str:
    kind = kind.lower()
    return _VERSIONS.get(kind) or _VERSIONS.get(kind.partition("/")[0], "")


def _subscription(doc: Json) -> Choice:
    id_, state = str(doc["subscriptionId"]).lower(), str(doc.get("state") or "")
    parts = [id_, "" if state in ("", "Enabled") else state]
    return Choice(id_, str(doc.get("displayName") or id_), _joined(parts))


def _location(doc: Json) -> Choice:
    name = str(doc["name"])
    return Choice(name, name, str(doc.get("displayName") or ""))


def _resource(body: Json, names: dict[str, str], free: dict[str, int]) -> Choice:
    id_ = str(body["id"])
    parts = id_.strip("/").split("/")
    at = next((n for n, part in enumerate(parts) if part.lower() == "providers"), len(parts))
    group = parts[3] if len(parts) > 3 and parts[2].lower() == "resourcegroups" else ""
    subscription = subscription_of(id_)
    more = _more(body)
    if id_.lower() in free:
        more = [*more, f"{free[id_.lower()]} free"]
    where = [group, names.get(subscription or "", ""), str(body.get("location") or "")]
    return Choice(id_, "/".join(parts[at + 3 :: 2]) or id_, _joined([*more, *where]))


def _more(body: Json) -> list[str]:
    """What a kind of resource is told by, besides its place."""
    properties = body.get("properties") or {}
    space = (properties.get("addressSpace") or {}).get("addressPrefixes") or ()
    told = [", ".join([*map(str, space), *_prefixes(body)])]
    told += [
        str(properties[name]) for name in ("status", "osName", "hostPoolType", "friendlyName") if properties.get(name)
    ]
    told += [
        f"for {d['properties']['serviceName']}" for d in properties.get("delegations") or () if d.get("properties")
    ]
    return told


def _prefixes(body: Json) -> list[str]:
    properties = body.get("properties") or {}
    several = properties.get("addressPrefixes")
    return [str(p) for p in several or ([properties["addressPrefix"]] if properties.get("addressPrefix") else [])]


def _network(prefix: str) -> IPv4Network | None:
    try:
        network = ip_network(prefix)
    except ValueError:
        return None
    return network if isinstance(network, IPv4Network) else None


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(plain(part) for part in parts if part)
