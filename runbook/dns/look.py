"""Looks at every name from every place and makes the table. All it does is read and ask.

The seams come from outside: ``Reading`` for ARM, ``Resolver`` for the places a run knows, sources for named servers and
pasted texts, a probe for packets. So a rehearsal, a live run and a test differ in these alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runbook.core.arm import Reading
from runbook.core.together import together
from runbook.dns.estate import Estate, Wanted, names_of
from runbook.dns.judge import Looked
from runbook.dns.model import Answer, Name, Place, Reached, Rule, Table
from runbook.dns.reading import read_estate, with_groups
from runbook.dns.table import cells_of, table_of
from runbook.step import Resolver

Ask = Callable[[str], Awaitable[Answer | None]]
"""A name to an answer; None where nobody can look."""
Probe = Callable[[str, str, int], Awaitable[Reached]]
"""A name, its address and a port to whether packets get through."""

ON_PREMISES: Final = "on-premises"
AT_ONCE: Final = 16
"""Lookups at one place under way at the same time."""
PATIENCE: Final = 3
"""A server that leaves so many names unanswered in a row, and has answered none, is not asked again."""
MOST_SCOUTS: Final = 60
"""With more names than this, a server is asked for one private name of each zone."""
MOST_PROBED: Final = 200
"""Addresses that are connected to."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place with a way to ask there."""

    place: Place
    ask: Ask


async def look(
    want: Wanted,
    arm: Reading,
    resolver: Resolver,
    sources: Sequence[Source] = (),
    *,
    probe: Probe | None = None,
    why_no_probe: str = "",
    is_simulated: bool = False,
) -> Table:
    """The truth table of a run.

    Args:
        want: names and places of the run.
        arm: reads only.
        resolver: for the networks and the premises.
        sources: named servers, this machine, pasted texts.
        probe: connects from where this machine stands, if that is inside.
        why_no_probe: why there is none.
        is_simulated: whether the resolver's places are those of a simulated Azure.

    Raises:
        ArmError: Azure could not be read.
    """
    estate = await read_estate(arm, want)
    names = names_of(want, estate)
    every = [*_places(want, resolver), *sources]
    found = _through_servers(every, await asyncio.gather(*(_ask_all(source, names) for source in every)), estate)
    answers = {(fqdn, s.place.id): looked for s, there in zip(every, found, strict=True) for fqdn, looked in there}
    places = [_with_how(s.place, bool(there), is_simulated) for s, there in zip(every, found, strict=True)]
    if not any(p.kind == "paste" for p in places):
        places.append(MACHINE)
    cells = cells_of(names, places, answers, estate)
    wrong = {cell.name for cell in cells.values() if cell.state == "wrong"}
    if suspects := [n.endpoint for n in names if n.fqdn in wrong]:
        estate = await with_groups(arm, estate, suspects)
        cells = cells_of(names, places, answers, estate)
    reached = await _reach(names, probe, why_no_probe)
    return table_of(want, names, places, cells, estate, reached, _remarks(want, names, estate))


async def names_alone(want: Wanted, arm: Reading) -> Table:
    """The run's names with the addresses that their endpoints have now; nobody is asked for them.

    Raises:
        ArmError: Azure could not be read.
    """
    estate = await read_estate(arm, want)
    names = names_of(want, estate)
    return table_of(want, names, (), {}, estate, (), _remarks(want, names, estate))


Told = list[tuple[str, Looked]]


def _through_servers(sources: Sequence[Source], found: Sequence[Told], estate: Estate) -> list[Told]:
    """A network with DNS servers of its own answers what these answer: one that was asked stands for the network."""
    asked = {s.place.id: told for s, told in zip(sources, found, strict=True) if s.place.kind == "resolver"}
    result = []
    for source, told in zip(sources, found, strict=True):
        servers = estate.network(source.place.network).servers if source.place.kind == "network" else ()
        proxy = next((asked[key] for s in servers if (key := f"resolver:{s}:53") in asked), [])
        result.append(told or proxy)
    return result


MACHINE: Final = Place(
    "machine",
    "machine",
    "a machine inside",
    why_not="Asking on a machine runs a command there, which is a write that nobody has approved. Run nslookup, "
    "Resolve-DnsName or dig there yourself and hand it in: --paste FILE.",
)


def _places(want: Wanted, resolver: Resolver) -> list[Source]:
    networks = want.networks if want.keeps == "azure" else ()
    titles = _titles(networks)
    found = [
        Source(Place(f"network:{n.lower()}", "network", titles[n], network=n), _asker(resolver, n)) for n in networks
    ]
    premises = Place(
        ON_PREMISES,
        "premises",
        "the premises",
        why_not="This machine is not said to stand on the premises. Ask their DNS servers (--resolver "
        "ADDRESS), or hand "
        "in what a machine there prints (--paste FILE).",
    )
    return [*found, *([Source(premises, _asker(resolver, ON_PREMISES))] if want.has_premises else [])]


def _titles(networks: Sequence[str]) -> dict[str, str]:
    """Each network's name; with its resource group, or its subscription, too, where several have the same."""
    titles = {n: _name(n) for n in networks}
    for part, what in ((3, "group"), (1, "subscription")):
        shared = [t for t, count in Counter(titles.values()).items() if count > 1]
        for network in networks:
            words = network.strip("/").split("/")
            if titles[network] in shared and len(words) > part:
                titles[network] = f"{_name(network)} ({what} {words[part]})"
    return titles


def _asker(resolver: Resolver, vantage: str) -> Ask:
    async def ask(name: str) -> Answer | None:
        found = await resolver.resolve(name, vantage)
        if found is None:
            return None
        return Answer(found.name, found.status, found.chain, found.addresses, found.server)

    return ask


def _with_how(place: Place, is_looked: bool, is_simulated: bool) -> Place:
    match place.kind:
        case "network" | "premises":
            how = "looked up in the simulated Azure" if is_simulated else "looked up from this machine"
            read = "worked out from zones, links and records in Azure" if place.kind == "network" else ""
            return replace(place, how=how if is_looked else read)
        case _:
            return place


async def _ask_all(source: Source, names: Sequence[Name]) -> list[tuple[str, Looked]]:
    """Every name at one place; the private name, too.

    A server's cache takes the alias's address over from the answer for the public name. So of a server the private
    name is asked first; of other places only where the public one was not right.
    """
    is_server = source.place.kind == "resolver"
    scouts = {n.fqdn for n in (names if len(names) <= MOST_SCOUTS else {n.zone: n for n in names}.values())}
    turn = asyncio.Semaphore(AT_ONCE)
    unanswered = 0
    is_alive = False

    async def one(name: Name) -> tuple[str, Looked] | None:
        nonlocal unanswered, is_alive
        async with turn:
            if unanswered >= PATIENCE and not is_alive:
                return name.fqdn, Looked(Answer(name.fqdn, "TIMEOUT", server=source.place.title))
            is_scout = is_server and name.fqdn in scouts and bool(name.inner)
            first = await source.ask(name.inner) if is_scout else None
            is_silent = first is not None and first.status == "TIMEOUT"
            answer = first if is_silent else await source.ask(name.fqdn)
            if answer is None:
                return None
            if answer.status == "TIMEOUT":
                unanswered += 1
                return name.fqdn, Looked(replace(answer, name=name.fqdn))
            is_alive = True
            is_right = answer.addresses == (name.address,)
            if first is None and not is_server and not is_right and name.inner and answer.addresses:
                first = await source.ask(name.inner)
            return name.fqdn, Looked(answer, first)

    return [found for found in await asyncio.gather(*map(one, names)) if found is not None]


async def _reach(names: Sequence[Name], probe: Probe | None, why_not: str) -> list[Reached]:
    wanted = [(n, port) for n in names for port in n.ports]
    if probe is None:
        return [Reached(n.fqdn, n.address, port, Rule.NOT_PROVABLE, why_not) for n, port in wanted]
    tried = await together((probe(n.fqdn, n.address, p) for n, p in wanted[:MOST_PROBED]), AT_ONCE)
    rest = f"only the first {MOST_PROBED} are tried"
    return [*tried, *(Reached(n.fqdn, n.address, p, Rule.NOT_PROVABLE, rest) for n, p in wanted[MOST_PROBED:])]


def _remarks(want: Wanted, names: Sequence[Name], estate: Estate) -> list[str]:
    remarks = []
    if unread := [n.fqdn for n in names if n.source != "the endpoint's network interface"]:
        remarks.append(
            f"The addresses of {len(unread)} names could not be read afresh; they are those that the run recorded."
        )
    if homeless := [n.fqdn for n in names if not n.zone]:
        remarks.append(f"{', '.join(homeless[:3])}: no private zone of the run fits.")
    if any(n.all_ports for n in names):
        remarks.append(
            "Gateways of Azure Virtual Desktop need every TCP port to their address, 1 to 65535, not 443 alone."
        )
    return remarks


def _name(resource: str) -> str:
    return resource.rstrip("/").rpartition("/")[2]
