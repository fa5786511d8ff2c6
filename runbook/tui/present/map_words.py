"""The map in words: kinds and groups, how near one looks, the way there, addresses in short, and finding.

Pure text and keys; where things stand is ``map``'s, how they are told line by line ``map_rows``'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from runbook.core.state import NodeState
from runbook.report.topology import Edge, Kind, Thing, Topology
from runbook.tui.present.text import Line, Span, one_line

NEAR, THINGS, AFAR = 2, 1, 0
"""How much is told: everything; a line for each thing; numbers."""

_FEW_LINES: Final = 90
"""So many lines of a whole map may be told in full."""
_FEW_THINGS: Final = 80
"""With more things than this, groups are counted."""
NAMED: Final = 5
"""Of a group that is counted, so many that want attention are named."""
UNKNOWN: Final = "not known yet"
LOUD: Final = frozenset(set(NodeState) - {NodeState.DONE, NodeState.PENDING})
"""States whose word is told, too; done and pending are told by their signs, which help and legend explain."""

PLURAL: Final[Mapping[Kind, str]] = {
    Kind.NETWORK: "virtual networks",
    Kind.SUBNET: "subnets",
    Kind.ENDPOINT: "private endpoints",
    Kind.ZONE: "private DNS zones",
    Kind.SCOPE: "Arc private link scopes",
    Kind.WORKSPACE: "workspaces",
    Kind.POOL: "host pools",
    Kind.HOST: "session hosts",
    Kind.MACHINE: "Arc-enabled servers",
    Kind.OTHER: "other targets",
}

GROUP: Final = "all "
"""How the key of a group begins: ``all host pools``."""


def group_key(kind: Kind) -> str:
    """The key under which all things of a kind are one group."""
    return GROUP + PLURAL.get(kind, str(kind))


def group_of(key: str) -> Kind | None:
    """The kind that a group's key stands for."""
    return next((k for k in PLURAL if group_key(k) == key), None)


def fitting(topology: Topology, focus: str) -> int:
    """How much can be told of what is looked at."""
    within = _within(topology, focus)
    things = [t for t in within if t.kind is not Kind.HOST]
    lines = len(within) + sum(len(t.addresses) for t in within)
    if lines <= _FEW_LINES:
        return NEAR
    return THINGS if focus or len(things) <= _FEW_THINGS else AFAR


def _within(topology: Topology, focus: str) -> list[Thing]:
    if not focus:
        return list(topology.things.values())
    kind = group_of(focus)
    keys = [t.key for t in topology.of_kind(kind)] if kind is not None else [focus]
    found: list[Thing] = []
    while keys:
        found += [topology.things[k] for k in keys]
        keys = [inner for k in keys for inner in topology.inside.get(k, ())]
    return found


def trail(topology: Topology, focus: str) -> tuple[tuple[str, str], ...]:
    """The way from everything to what is looked at: names with their keys."""
    steps: list[tuple[str, str]] = []
    at = focus
    for _ in range(6):  # session host, host pool, workspace, group: nothing lies deeper
        thing = topology.things.get(at)
        if thing is None:
            break
        steps.append((one_line(thing.name), at))
        up = thing.parent
        if not up and len(topology.of_kind(thing.kind)) > 1 and thing.kind in PLURAL:
            up = group_key(thing.kind)
        at = up
    if group_of(at) is not None:
        steps.append((capital(at.removeprefix(GROUP)), at))
    return (("Everything", ""), *reversed(steps))


def outwards(topology: Topology, focus: str) -> str:
    """What to look at when zooming out."""
    return trail(topology, focus)[-2][1] if focus else ""


def link_key(edge: Edge) -> str:
    return f"{edge.source} > {edge.target}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def addresses_in_short(thing: Thing) -> str:
    """``10.20.1.4–10``; what is not known yet is said so."""
    ips = list(dict.fromkeys(a.ip for a in thing.addresses))
    if not ips:
        fixed, count = thing.fact("fixed"), thing.fact("members")
        if fixed:
            return f"{', '.join(map(one_line, fixed))} wanted"
        return f"{count} addresses {UNKNOWN}" if isinstance(count, int) and count > 1 else f"address {UNKNOWN}"
    return ", ".join(_spans(ips))


def name_in_short(fqdn: str) -> str:
    """A public name; of an id in it the first part, as that is what tells it from the others."""
    return _GUID.sub(r"\1…", one_line(fqdn))


PREFIX: Final = re.compile(r"^privatelink[a-z0-9-]*\.")
"""What a zone's name has before the public suffix. Source: "Azure Private Endpoint private DNS zone values"."""

_GUID: Final = re.compile(r"([0-9a-fA-F]{8})(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _spans(ips: Sequence[str]) -> list[str]:
    """Addresses that follow each other as one span."""
    found: list[list[str]] = []
    for ip in ips:
        if found and _next(found[-1][-1]) == ip:
            found[-1].append(ip)
        else:
            found.append([ip])
    return [one_line(s[0]) + (f"–{s[-1].rpartition('.')[2]}" if len(s) > 1 else "") for s in found]


def _next(ip: str) -> str:
    head, dot, last = ip.rpartition(".")
    return f"{head}{dot}{int(last) + 1}" if dot and last.isdecimal() else ""


def name_of(things: Sequence[Thing]) -> str:
    kind = things[0].kind
    return str(kind) if len(things) == 1 else PLURAL.get(kind, str(kind))


def where(topology: Topology, key: str) -> str:
    """What to look at so that a thing is seen, where it is not in sight: what it lies in, else its group, else it."""
    steps = trail(topology, key)
    return steps[-2][1] if len(steps) > 1 and steps[-2][1] else key


def summary(topology: Topology) -> tuple[Line, Line]:
    """The whole in a line: how much there is; and what of it is missing."""
    spans: list[Span] = []
    for kind in (Kind.NETWORK, Kind.ENDPOINT, Kind.ZONE, Kind.SCOPE, Kind.POOL, Kind.WORKSPACE, Kind.MACHINE):
        if things := topology.of_kind(kind):
            name = _BRIEFLY[kind][len(things) != 1] if kind in _BRIEFLY else name_of(things)
            spans.append((f"{len(things)} {name}", "muted"))
    gaps: list[Span] = []
    links = [e for edges in topology.out.values() for e in edges if e.kind == "link"]
    if left := sum(not e.is_made for e in links):
        gaps.append((f"{left} of {len(links)} links missing", "wait"))
    if bare := sum(not t.addresses for t in topology.of_kind(Kind.ENDPOINT)):
        gaps.append((f"{bare} endpoint{'s' * (bare != 1)} without addresses", "wait"))
    return tuple(spans), tuple(gaps)


_BRIEFLY: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.NETWORK: ("network", "networks"),
    Kind.ENDPOINT: ("endpoint", "endpoints"),
    Kind.ZONE: ("zone", "zones"),
    Kind.SCOPE: ("scope", "scopes"),
    Kind.MACHINE: ("server", "servers"),
}


def find(topology: Topology, asked: str) -> list[str]:
    """Keys of the things that every word of ``asked`` fits: by name, kind, address or public name, in map order."""
    words = asked.lower().split()
    if not words:
        return []
    found = []
    for thing in topology.things.values():
        text = " ".join((thing.name, thing.kind, *(f"{a.ip} {a.fqdn}" for a in thing.addresses))).lower()
        if all(w in text for w in words):
            found.append(thing.key)
    return found
