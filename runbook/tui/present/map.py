"""The map: a topology as boxes, zoomed to where there is room for it.

Near a thing everything is told; from afar groups are counted, with their most urgent state, and what wants attention
is named all the same. What is not known yet is said to be so. Pure: a topology, a width and a place to look at give
the same drawing every time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runbook.core.state import FINISHED, GLYPHS, NodeState
from runbook.core.view import RunView
from runbook.report.topology import ON_PREMISES, Edge, Kind, Thing, Topology
from runbook.tui.present.boxes import Box, Drawing, Row, Section, Wire, stand
from runbook.tui.present.rows import node_row
from runbook.tui.present.text import Line, Span, line, one_line
from runbook.tui.present.words import role, urgency, word

NEAR, THINGS, AFAR = 2, 1, 0
"""How much is told: everything; a line for each thing; numbers."""

_FEW_LINES: Final = 90
"""So many lines of a whole map may be told in full."""
_FEW_THINGS: Final = 80
"""With more things than this, groups are counted."""
_NAMED: Final = 5
"""Of a group that is counted, so many that want attention are named."""
_UNKNOWN: Final = "not known yet"
_LOUD: Final = frozenset(set(NodeState) - {NodeState.DONE, NodeState.PENDING})
"""States whose word is told, too; done and pending are told by their signs, which help and legend explain."""

_PLURAL: Final[Mapping[Kind, str]] = {
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

_GROUP: Final = "all "
"""How the key of a group begins: ``all host pools``."""


def group_key(kind: Kind) -> str:
    """The key under which all things of a kind are one group."""
    return _GROUP + _PLURAL.get(kind, str(kind))


def group_of(key: str) -> Kind | None:
    """The kind that a group's key stands for."""
    return next((k for k in _PLURAL if group_key(k) == key), None)


@dataclass(frozen=True, slots=True)
class Map:
    """A map as it is shown.

    Attributes:
        focus: the key of what is looked at; empty for everything.
        detail: how much of it is told.
        nodes: by key, the node that answers for what stands there.
        opens: keys of what can be looked at more closely.
        trail: from everything to the focus, each with its key.
    """

    drawing: Drawing
    focus: str
    detail: int
    nodes: Mapping[str, str]
    opens: frozenset[str]
    trail: tuple[tuple[str, str], ...]


def draw(topology: Topology, view: RunView, width: int, focus: str = "", detail: int | None = None) -> Map:
    """The map.

    Args:
        topology: of that view.
        view: for the nodes that are about a thing that is looked at closely.
        width: in cells.
        focus: what to look at: a thing's key or a group's; anything else is everything.
        detail: how much to tell; None: as much as there is room for.
    """
    if focus not in topology.things and group_of(focus) is None:
        focus = ""
    if detail is None:
        detail = fitting(topology, focus)
    pen = _Pen(topology, view, max(24, width), detail)
    columns = pen.columns(focus)
    gutter = 2 if focus else 7 if width >= 110 else 3
    wires = () if focus else _wires(topology)
    drawing = stand(columns, max(24, width), gutter, wires)
    return Map(drawing, focus, detail, pen.nodes, frozenset(pen.opens), trail(topology, focus))


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
        if not up and len(topology.of_kind(thing.kind)) > 1 and thing.kind in _PLURAL:
            up = group_key(thing.kind)
        at = up
    if group_of(at) is not None:
        steps.append((_capital(at.removeprefix(_GROUP)), at))
    return (("Everything", ""), *reversed(steps))


def outwards(topology: Topology, focus: str) -> str:
    """What to look at when zooming out."""
    return trail(topology, focus)[-2][1] if focus else ""


def _wires(topology: Topology) -> Iterator[Wire]:
    """What is really there; what is only meant to be stands in words."""
    for edges in topology.out.values():
        for edge in edges:
            if edge.is_made and edge.kind in ("leads", "link"):
                yield Wire(_link_key(edge) if edge.kind == "link" else edge.source, edge.target)


def _link_key(edge: Edge) -> str:
    return f"{edge.source} > {edge.target}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def addresses_in_short(thing: Thing) -> str:
    """``10.20.1.4–10``; what is not known yet is said so."""
    ips = list(dict.fromkeys(a.ip for a in thing.addresses))
    if not ips:
        fixed, count = thing.fact("fixed"), thing.fact("members")
        if fixed:
            return f"{', '.join(map(one_line, fixed))} wanted"
        return f"{count} addresses {_UNKNOWN}" if isinstance(count, int) and count > 1 else f"address {_UNKNOWN}"
    return ", ".join(_spans(ips))


def name_in_short(fqdn: str) -> str:
    """A public name; of an id in it the first part, as that is what tells it from the others."""
    return _GUID.sub(r"\1…", one_line(fqdn))


_PREFIX: Final = re.compile(r"^privatelink[a-z0-9-]*\.")
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


class _Pen:
    """Draws one map."""

    def __init__(self, topology: Topology, view: RunView, width: int, detail: int) -> None:
        self._map, self._view, self._width, self._detail = topology, view, width, detail
        self.nodes: dict[str, str] = {}
        self.opens: set[str] = set()
        self._column = width if width < 100 else width // 2 if width < 165 else width // 3

    # ------------------------------------------------------------ what stands where

    def columns(self, focus: str) -> list[list[Box]]:
        if focus:
            return self._close(focus)
        networks = [self._network(t) for t in self._map.of_kind(Kind.NETWORK)]
        loose = self._group(Kind.ENDPOINT, [t for t in self._map.of_kind(Kind.ENDPOINT) if not t.parent])
        zones = self._group(Kind.ZONE)
        targets = self._targets()
        premises = self._premises()
        if not any((networks, loose, zones, targets, premises)):
            return [[Box(Row("", cells=(("Nothing is known of the estate yet", "muted"),)))]]
        if self._width < 100:
            return [[*networks, *loose, *zones, *targets, *premises]]
        if self._width < 165:
            return [[*networks, *loose, *premises], [*zones, *targets]]
        return [[*premises, *zones], [*networks, *loose], targets]

    def _targets(self) -> list[Box]:
        """What endpoints lead to, in the order of the endpoints, so that wires need not cross."""
        order: dict[str, int] = {}
        for endpoint in self._map.of_kind(Kind.ENDPOINT):
            for edge in self._map.out.get(endpoint.key, ()):
                if edge.kind == "leads":
                    order.setdefault(edge.target, len(order))

        def place(thing: Thing) -> int:
            return order.get(thing.key, len(order))

        boxes: list[tuple[int, list[Box]]] = []
        for scope in self._map.of_kind(Kind.SCOPE):
            boxes.append((place(scope), [self._scope(scope)]))
        for kind in (Kind.POOL, Kind.WORKSPACE, Kind.OTHER):
            things = sorted((t for t in self._map.of_kind(kind) if not t.parent), key=place)
            if things:
                boxes.append((place(things[0]), self._group(kind, things)))
        loose = [t for t in self._map.of_kind(Kind.MACHINE) if not t.parent]
        return [box for _, some in sorted(boxes, key=lambda b: b[0]) for box in some] + self._group(Kind.MACHINE, loose)

    def _close(self, focus: str) -> list[list[Box]]:
        kind = group_of(focus)
        if kind is not None:
            return self._dealt(_capital(focus.removeprefix(_GROUP)), self._map.of_kind(kind))
        thing = self._map.things[focus]
        inside = self._inside(thing)
        if thing.kind is Kind.NETWORK:
            boxes = [[self._network(thing), *self._card(thing)]]
            zones = [self._map.things[e.source] for e in self._map.into.get(focus, ()) if e.kind == "link"]
            found = self._group(Kind.ZONE, zones)
            return [boxes[0], found] if found and self._width >= 100 else [[*boxes[0], *found]]
        if len(inside) > _NAMED * 4:
            named = _capital(_PLURAL.get(inside[0].kind, "things"))
            lists = self._dealt(f"{named} in {one_line(thing.name)}", inside)
            title = self._title(thing, *([self._prefix(thing), self._room(thing)] * (thing.kind is Kind.SUBNET)))
            return [[Box(title, (Section(self._relations(thing)),)), *lists[0]], *lists[1:]]
        return [[self._one(thing), *self._card(thing)]]

    def _dealt(self, title: str, things: Sequence[Thing]) -> list[list[Box]]:
        """A long list, dealt out to as many columns as there is room for."""
        count = 1 if self._width < 100 else 2 if self._width < 165 else 3
        count = max(1, min(count, -(-len(things) // 8)))
        self._column = self._width // count
        share = -(-len(things) // count) or 1
        columns = []
        for start in range(0, max(1, len(things)), share):
            part = things[start : start + share]
            told = f"{start + 1} to {start + len(part)} of {len(things)}" if count > 1 else str(len(things))
            rows = tuple(row for t in part for row in self._rows(t))
            columns.append([Box(Row("", cells=((title, "heading"), (told, "muted"))), (Section(rows),))])
        return columns

    # ------------------------------------------------------------ boxes

    def _network(self, thing: Thing) -> Box:
        subnets = [self._map.things[k] for k in self._map.inside.get(thing.key, ())]
        sections = [self._seen(thing)] if self._seen(thing).rows else []
        for subnet in subnets:
            inside = [self._map.things[k] for k in self._map.inside.get(subnet.key, ())]
            title = self._title(subnet, self._prefix(subnet), self._room(subnet))
            sections.append(Section(self._members(subnet.key, inside, "no endpoint yet"), title))
        region, dns = thing.fact("region"), thing.fact("DNS")
        facts = [str(region)] * bool(region) + ([f"DNS {dns}"] if dns else [])
        return Box(self._title(thing, *facts), tuple(sections))

    def _prefix(self, subnet: Thing) -> str:
        return str(subnet.fact("prefix") or f"prefix {_UNKNOWN}")

    def _room(self, subnet: Thing) -> str:
        free = subnet.fact("free")
        return f"{free} free when looked at" if free is not None else ""

    def _seen(self, thing: Thing) -> Section:
        """How many names answer as they should from here."""
        ok, all_ = self._map.seen.get(thing.name.lower(), (0, 0))
        return Section((_names_row(thing.key, ok, all_),) if all_ else ())

    def _scope(self, thing: Thing) -> Box:
        inside = [self._map.things[k] for k in self._map.inside.get(thing.key, ())]
        reached = tuple(self._reached(thing))
        return Box(
            self._title(thing, *self._access(thing)),
            (Section(reached), Section(self._members(thing.key, inside, "no server in it yet"))),
        )

    def _premises(self) -> list[Box]:
        thing = self._map.things.get(ON_PREMISES)
        lines = self._map.of_kind(Kind.CONNECTION, Kind.GATEWAY, Kind.RESOLVER)
        if thing is None and not lines:
            return []
        rows = [self._row(t, (one_line(t.name), ""), (str(t.kind), "muted"), (_status(t), "")) for t in lines]
        title = Row(ON_PREMISES, cells=(("On premises", "heading"),))
        if thing is not None:
            title = replace(self._title(thing), cells=(("On premises", "heading"),))
            rows += self._forwards(thing)
            ok, all_ = self._map.seen.get("the premises", (0, 0))
            rows += [_names_row(thing.key, ok, all_)] if all_ else []
        return [Box(title, (Section(tuple(rows)),))]

    def _forwards(self, thing: Thing) -> list[Row]:
        edges = [e for e in self._map.out.get(thing.key, ()) if e.kind == "forwards"]
        if not edges:
            return [_said(thing.key, f"what its DNS forwards: {_UNKNOWN}")]
        via = self._map.things.get(str(thing.fact("via") or ""))
        first = edges[0]
        where = f" to {one_line(via.name)}" if via is not None else ""
        verb = "forwards" if first.is_made else "has to forward"
        self.nodes.setdefault(thing.key, first.node)
        state = first.state or NodeState.PENDING
        names = list(dict.fromkeys(_PREFIX.sub("", one_line(e.target)) for e in edges))
        if self._detail is AFAR or len(names) > _NAMED:
            told = f"DNS {verb} {len(names)} suffix{'es' * (len(names) != 1)}{where}"
            return [Row(thing.key, GLYPHS[state], role(state), ((told, ""),), _word(state))]
        rows = [Row(thing.key, GLYPHS[state], role(state), ((f"DNS {verb}{where}", ""),), _word(state))]
        return [*rows, *(_said(thing.key, name, "") for name in names)]

    def _group(self, kind: Kind, things: Sequence[Thing] | None = None) -> list[Box]:
        things = self._map.of_kind(kind) if things is None else things
        if not things:
            return []
        key = group_key(kind)
        loose = kind is Kind.ENDPOINT
        name = f"{_capital(_PLURAL[kind])}{f', subnet {_UNKNOWN}' if loose else ''}"
        if len(things) == 1:
            name = _capital(str(kind))
        self.opens.add(key)
        title = Row(key, cells=((name, "heading"), (str(len(things)) if len(things) > 1 else "", "muted")))
        return [Box(title, (Section(self._members(key, things, "")),))]

    def _one(self, thing: Thing) -> Box:
        """The box of one thing that is looked at."""
        match thing.kind:
            case Kind.SCOPE:
                return self._scope(thing)
            case Kind.SUBNET:
                return Box(
                    self._title(thing, self._prefix(thing), self._room(thing)),
                    (Section(self._members(thing.key, self._inside(thing), "no endpoint yet")),),
                )
            case _:
                facts = [*self._access(thing)] if thing.kind is not Kind.ENDPOINT else []
                if (connection := thing.fact("connection")) is not None:
                    facts.append(f"connection {one_line(connection)}")
                below = [replace(r, indent=0) for r in self._rows(thing) if r.indent]
                return Box(self._title(thing, *facts), (Section(self._relations(thing)), Section(tuple(below))))

    def _relations(self, thing: Thing) -> tuple[Row, ...]:
        """What a thing lies in, what it leads to and what leads to it."""
        rows = []
        up = self._map.things.get(thing.parent)
        if up is not None:
            rows.append(self._related("in", up))
        for edge in self._map.out.get(thing.key, ()):
            if edge.kind in ("leads", "writes") and (other := self._map.things.get(edge.target)) is not None:
                is_written = edge.is_made or edge.kind == "leads"
                rows.append(
                    self._related("→" if edge.kind == "leads" else "names in" if is_written else "names for", other)
                )
        for edge in self._map.into.get(thing.key, ()):
            if edge.kind == "leads" and (other := self._map.things.get(edge.source)) is not None:
                rows.append(self._related("←", other))
        return tuple(rows)

    def _related(self, how: str, thing: Thing) -> Row:
        told = (addresses_in_short(thing), "code") if thing.addresses else (str(thing.kind), "muted")
        return self._row(thing, (how, "muted"), (one_line(thing.name), ""), told)

    def _inside(self, thing: Thing) -> list[Thing]:
        inside = [self._map.things[k] for k in self._map.inside.get(thing.key, ())]
        return sorted(inside, key=lambda t: t.name) if inside and inside[0].kind is Kind.HOST else inside

    def _card(self, thing: Thing) -> list[Box]:
        """What else is known of a thing: its id, what leads to it, and every node about it."""
        facts = [_said("", one_line(thing.id), "code", indent=0)] if thing.id else []
        rows = [node_row(self._view.nodes[n], {}) for n in thing.about if n in self._view.nodes]
        about = []
        for row in rows:
            key = f"node {row.key[1]}"
            self.nodes[key] = row.key[1]
            about.append(Row(key, row.glyph, row.role, ((row.title, ""),), row.word))
        if not about:
            about = [_said("", "No node is about this.", indent=0)]
        sections = (Section(tuple(facts)), Section(tuple(about), Row("", cells=(("Nodes about it", "heading"),))))
        return [Box(Row("", cells=(("What is known", "heading"),)), sections)]

    # ------------------------------------------------------------ rows

    def _members(self, key: str, things: Sequence[Thing], empty: str) -> tuple[Row, ...]:
        """A line or more for each, or how many there are and how they stand."""
        if not things:
            return (_said(key, empty),) if empty else ()
        if self._detail is not AFAR or things[0].kind is Kind.ZONE:
            return tuple(row for t in things for row in self._rows(t))
        self.opens.add(key)
        return (*self._counted(key, things), *self._urgent(things))

    def _counted(self, key: str, things: Sequence[Thing]) -> Iterator[Row]:
        count = Counter(t.state for t in things if t.state is not None)
        states = sorted(count, key=urgency)
        hosts = sum(len(self._map.inside.get(t.key, ())) for t in things if t.kind is Kind.POOL)
        known = sum(len({a.ip for a in t.addresses}) for t in things)
        cells: list[Span] = [(f"{len(things)} {_name(things)}", "heading")]
        cells += [(f"{hosts} session hosts", "muted")] * bool(hosts) + [(f"{known} addresses", "muted")] * bool(known)
        worst = states[0] if states else NodeState.PENDING
        word = worst.value.replace("_", " ") if len(states) == 1 else ""
        yield Row(key, GLYPHS[worst], role(worst), tuple(cells), f"all {word}" if word else "")
        told: list[Span] = [(f"{GLYPHS[s]} {count[s]} {s.value.replace('_', ' ')}", role(s)) for s in states]
        across = max(1, min(4, self._column // 16))
        for at in range(0, len(told) if len(told) > 1 else 0, across):
            yield Row(key, cells=tuple(told[at : at + across]), indent=1)

    def _urgent(self, things: Sequence[Thing]) -> list[Row]:
        """Those that want to be looked at, the most urgent first."""
        quiet = FINISHED | {NodeState.PENDING}
        wanting = sorted((t for t in things if t.state not in (None, *quiet)), key=lambda t: urgency(t.state))  # type: ignore[arg-type]
        rows = [replace(next(iter(self._rows(t))), indent=2) for t in wanting[:_NAMED]]
        left = len(wanting) - len(rows)
        return [*rows, *([_said("", f"and {left} more under way")] if left > 0 else [])]

    def _rows(self, thing: Thing) -> Iterator[Row]:
        match thing.kind:
            case Kind.ENDPOINT:
                yield from self._endpoint(thing)
            case Kind.ZONE:
                yield from self._zone(thing)
            case Kind.POOL | Kind.WORKSPACE | Kind.OTHER | Kind.SCOPE:
                yield from self._target(thing)
            case Kind.HOST:
                yield self._host(thing, 0)
            case _:
                yield self._row(thing, (one_line(thing.name), ""))

    def _endpoint(self, thing: Thing) -> Iterator[Row]:
        leads = next((e for e in self._map.out.get(thing.key, ()) if e.kind == "leads"), None)
        target = self._map.things.get(leads.target) if leads is not None else None
        to = (f"→ {one_line(target.name)}" if target else f"→ {_UNKNOWN}", "" if target else "muted")
        connection = thing.fact("connection")
        odd = f"connection {one_line(connection)}" if connection and connection != "Approved" else ""
        name = (one_line(thing.name), "heading" if self._detail is NEAR else "")
        is_known = bool(thing.addresses)
        short = (addresses_in_short(thing), "code" if is_known else "muted")
        narrow = self._column < 60
        is_listed = self._detail is NEAR and is_known
        label = (one_line(leads.label), "muted") if leads is not None and leads.label else ("", "")
        if narrow:
            yield self._row(thing, name, word=odd)
            yield Row(thing.key, cells=(to,) if is_listed else (short, to), indent=2)
        else:
            yield self._row(thing, name, label if is_listed else short, to, word=odd)
        if is_listed:
            last = ""
            for address in thing.addresses:
                ip = one_line(address.ip) if address.ip != last else ""
                last = address.ip
                told = name_in_short(address.fqdn) if address.fqdn else f"its name is {_UNKNOWN}"
                yield Row(
                    thing.key, cells=((ip, "code"), (told, "" if address.fqdn else "muted")), indent=2, begins=True
                )

    def _zone(self, thing: Thing) -> Iterator[Row]:
        writes = [e for e in self._map.into.get(thing.key, ()) if e.kind == "writes"]
        made = sum(int(e.label) for e in writes if e.is_made)
        all_ = sum(int(e.label) for e in writes)
        names = f"{made} names" if made != 1 else "1 name"
        told = names if made == all_ and all_ else f"{made} of {all_} names" if all_ else f"names {_UNKNOWN}"
        yield self._row(thing, (one_line(thing.name), "heading"), (told, "" if made == all_ and all_ else "muted"))
        links = [e for e in self._map.out.get(thing.key, ()) if e.kind == "link"]
        if not links:
            yield _said(thing.key, f"networks to link: {_UNKNOWN}")
        for edge in links:
            yield self._link(edge)

    def _link(self, edge: Edge) -> Row:
        network = one_line(self._map.things[edge.target].name)
        key = _link_key(edge)
        self.nodes[key] = edge.node
        if edge.is_made:
            return Row(key, GLYPHS[NodeState.DONE], "ok", ((f"linked to {network}", ""),), indent=2)
        state = edge.state or NodeState.PENDING
        yet = " yet" if state not in (NodeState.FAILED, NodeState.BLOCKED, NodeState.SKIPPED) else ""
        told = (f"NOT LINKED to {network}{yet}", "bad" if not yet else "wait")
        return Row(key, GLYPHS[state], role(state), (told,), _word(state), indent=2)

    def _target(self, thing: Thing) -> Iterator[Row]:
        hosts = self._inside(thing)
        kind = (f"{len(hosts)} {_name(hosts)}" if hosts else "", "muted")
        if thing.kind is Kind.POOL and not hosts:
            kind = (f"hosts {_UNKNOWN}", "muted")
        access = next(iter(self._access(thing)), "")
        reached = [e for e in self._map.into.get(thing.key, ()) if e.kind == "leads"]
        ends = [self._map.things[e.source] for e in reached if e.source in self._map.things]
        told = ", ".join(addresses_in_short(t) if t.addresses else one_line(t.name) for t in ends)
        by = (f"← {told}", "code" if any(t.addresses for t in ends) else "muted") if ends else ("", "")
        self.opens.add(thing.key)
        if thing.kind is Kind.OTHER:
            kind = (_type_of(thing), "muted")
        cells = [(one_line(thing.name), "heading" if self._detail is NEAR else ""), kind, (access, "muted"), by]
        yield self._row(thing, *[c for c in cells if c[0]] if self._column < 60 else cells)
        if self._detail is NEAR:
            for host in hosts:
                yield self._host(host, 2)

    def _host(self, thing: Thing, indent: int) -> Row:
        told, is_ok = thing.observed or ("", True)
        row = self._row(thing, (one_line(thing.name), ""), (one_line(told), "muted" if is_ok else "bad"))
        return replace(row, indent=indent, word="" if is_ok else row.word)

    def _reached(self, thing: Thing) -> Iterator[Row]:
        edges = [e for e in self._map.into.get(thing.key, ()) if e.kind == "leads"]
        if not edges:
            yield _said(thing.key, f"its endpoint: {_UNKNOWN}")
        for edge in edges:
            source = self._map.things[edge.source]
            told = addresses_in_short(source)
            cells = ((f"← {one_line(source.name)}", ""), (told, "code" if source.addresses else "muted"))
            yield Row(thing.key, cells=cells)

    def _access(self, thing: Thing) -> Iterator[str]:
        if (public := thing.fact("public")) is not None:
            yield f"public {one_line(public)}"

    def _title(self, thing: Thing, *facts: str) -> Row:
        row = self._row(thing, (one_line(thing.name), "heading"), (str(thing.kind), "muted"))
        return replace(row, cells=(*row.cells, *((one_line(f), "muted") for f in facts if f)))

    def _row(self, thing: Thing, *cells: Span, word: str = "") -> Row:
        self.nodes[thing.key] = thing.node
        self.opens.add(thing.key)
        if thing.state is None:
            return Row(thing.key, "", "", cells, word)
        return Row(thing.key, GLYPHS[thing.state], role(thing.state), cells, word or _word(thing.state))


def _word(state: NodeState) -> str:
    return state.value.replace("_", " ") if state in _LOUD else ""


def _said(key: str, text: str, of: str = "muted", indent: int = 2) -> Row:
    return Row(key, cells=((text, of),), indent=indent)


def _names_row(key: str, ok: int, all_: int) -> Row:
    is_ok = ok == all_
    told = f"{ok} of {all_} names answer privately from here"
    return Row(key, GLYPHS[NodeState.DONE] if is_ok else "!", "ok" if is_ok else "bad", ((told, ""),))


def _name(things: Sequence[Thing]) -> str:
    kind = things[0].kind
    return str(kind) if len(things) == 1 else _PLURAL.get(kind, str(kind))


def _status(thing: Thing) -> str:
    return one_line(thing.observed[0]) if thing.observed else ""


def _type_of(thing: Thing) -> str:
    parts = thing.id.strip("/").split("/")
    return one_line(parts[-2]) if len(parts) > 1 else str(thing.kind)


def where(topology: Topology, key: str) -> str:
    """What to look at so that a thing is seen, where it is not in sight: what it lies in, else its group, else it."""
    steps = trail(topology, key)
    return steps[-2][1] if len(steps) > 1 and steps[-2][1] else key


def told(topology: Topology, map_: Map, view: RunView, key: str) -> list[Line]:
    """What is known of what is selected, in three lines: what it is, its details, what Enter does."""
    node = view.nodes.get(map_.nodes.get(key, ""))
    enter = (
        line(("Enter", "key"), f" goes to {one_line(node.doc['title'])}, ", (word(node), role(node.state)))
        if node is not None
        else line(("No node answers for this.", "muted"))
    )
    thing = topology.things.get(key)
    if thing is None:
        if group_of(key) is not None:
            return [line((_capital(key.removeprefix(_GROUP)), "heading")), (), line(("+", "key"), " looks closer")]
        source, _, target = key.partition(" > ")
        if target:
            names = [one_line(topology.things[k].name) for k in (source, target) if k in topology.things]
            return [line(("Link ", "muted"), (" to ".join(names), "heading")), (), enter]
        return [line((one_line(node.doc["title"]) if node is not None else "", "heading")), (), enter]
    state = (f" {GLYPHS[thing.state]} {thing.state.value.replace('_', ' ')}", role(thing.state)) if thing.state else ""
    head = line((one_line(thing.name), "heading"), (f" {thing.kind}", "muted"), state)
    more = [one_line(thing.id)] if thing.id else []
    if thing.addresses:
        more.insert(0, ", ".join(dict.fromkeys(a.ip for a in thing.addresses)))
    return [head, line(("  ".join(more), "code")), enter]


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
