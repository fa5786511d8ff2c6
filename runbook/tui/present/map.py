"""The map: a topology as boxes, zoomed to where there is room for it.

Near a thing everything is told; from afar groups are counted, with their most urgent state, and what wants attention
is named all the same. What is not known yet is said to be so. Pure: a topology, a width and a place to look at give
the same drawing every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runbook.core.state import GLYPHS, NodeState
from runbook.core.view import RunView
from runbook.report.topology import ON_PREMISES, Kind, Thing, Topology
from runbook.tui.present.boxes import Box, Drawing, Row, Section, Wire, stand
from runbook.tui.present.map_rows import Rows, names_row, said, status_of, word_of
from runbook.tui.present.map_words import (
    AFAR,
    GROUP,
    NAMED,
    PLURAL,
    PREFIX,
    UNKNOWN,
    addresses_in_short,
    capital,
    fitting,
    group_key,
    group_of,
    link_key,
    trail,
)
from runbook.tui.present.rows import node_row
from runbook.tui.present.text import Line, line, one_line
from runbook.tui.present.words import role, word


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


def draw(
    topology: Topology, view: RunView, width: int, focus: str = "", detail: int | None = None, height: int = 24
) -> Map:
    """The map.

    Args:
        topology: of that view.
        view: for the nodes that are about a thing that is looked at closely.
        width: in cells.
        focus: what to look at: a thing's key or a group's; anything else is everything.
        detail: how much to tell; None: as much as there is room for.
        height: of the screen, in lines: a tall one has room for more of what wants attention.
    """
    if focus not in topology.things and group_of(focus) is None:
        focus = ""
    if detail is None:
        detail = fitting(topology, focus)
    pen = _Pen(topology, view, max(24, width), detail, max(NAMED, height // 4 - 1))
    columns = pen.columns(focus)
    gutter = 2 if focus else 7 if width >= 110 else 3
    wires = () if focus else _wires(topology)
    drawing = stand(columns, max(24, width), gutter, wires)
    return Map(drawing, focus, detail, pen.nodes, frozenset(pen.opens), trail(topology, focus))


def _wires(topology: Topology) -> Iterator[Wire]:
    """What is really there; what is only meant to be stands in words."""
    for edges in topology.out.values():
        for edge in edges:
            if edge.is_made and edge.kind in ("leads", "link"):
                yield Wire(link_key(edge) if edge.kind == "link" else edge.source, edge.target)


class _Pen(Rows):
    """Draws one map."""

    def __init__(self, topology: Topology, view: RunView, width: int, detail: int, named: int) -> None:
        super().__init__(topology, width if width < 100 else width // 2 if width < 165 else width // 3, detail, named)
        self._view, self._width = view, width

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
            return self._dealt(capital(focus.removeprefix(GROUP)), self._map.of_kind(kind))
        thing = self._map.things[focus]
        inside = self._inside(thing)
        if thing.kind is Kind.NETWORK:
            boxes = [[self._network(thing), *self._card(thing)]]
            zones = [self._map.things[e.source] for e in self._map.into.get(focus, ()) if e.kind == "link"]
            found = self._group(Kind.ZONE, zones)
            return [boxes[0], found] if found and self._width >= 100 else [[*boxes[0], *found]]
        if len(inside) > NAMED * 4:
            named = capital(PLURAL.get(inside[0].kind, "things"))
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
        if not subnets:
            sections.append(Section((said(thing.key, f"its subnets: {UNKNOWN}"),)))
        region, dns = thing.fact("region"), thing.fact("DNS")
        facts = [str(region)] * bool(region) + ([f"DNS {dns}"] if dns else [])
        return Box(self._title(thing, *facts), tuple(sections))

    def _prefix(self, subnet: Thing) -> str:
        return str(subnet.fact("prefix") or f"prefix {UNKNOWN}")

    def _room(self, subnet: Thing) -> str:
        free = subnet.fact("free")
        inside = [self._map.things[k] for k in self._map.inside.get(subnet.key, ())]
        made = [t for t in inside if (n := self._view.nodes.get(t.node)) is not None and n.applied]
        taken = len({a.ip for t in made for a in t.addresses})
        told = f", {taken} taken by this run" if taken else ""
        return f"{free} free when looked at{told}" if free is not None else ""

    def _seen(self, thing: Thing) -> Section:
        """How many names answer as they should from here."""
        ok, all_ = self._map.seen.get(thing.name.lower(), (0, 0))
        return Section((names_row(thing.key, ok, all_),) if all_ else ())

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
        rows = [self._row(t, (one_line(t.name), ""), (str(t.kind), "muted"), (status_of(t), "")) for t in lines]
        title = Row(ON_PREMISES, cells=(("On premises", "heading"),))
        if thing is not None:
            title = replace(self._title(thing), cells=(("On premises", "heading"),))
            rows += self._forwards(thing)
            ok, all_ = self._map.seen.get("the premises", (0, 0))
            rows += [names_row(thing.key, ok, all_)] if all_ else []
        return [Box(title, (Section(tuple(rows)),))]

    def _forwards(self, thing: Thing) -> list[Row]:
        edges = [e for e in self._map.out.get(thing.key, ()) if e.kind == "forwards"]
        if not edges:
            return [said(thing.key, f"what its DNS forwards: {UNKNOWN}")]
        via = self._map.things.get(str(thing.fact("via") or ""))
        first = edges[0]
        where = f" to {one_line(via.name)}" if via is not None else ""
        verb = "forwards" if first.is_made else "has to forward"
        self.nodes.setdefault(thing.key, first.node)
        state = first.state or NodeState.PENDING
        names = list(dict.fromkeys(PREFIX.sub("", one_line(e.target)) for e in edges))
        if self._detail is AFAR or len(names) > NAMED:
            told = f"DNS {verb} {len(names)} suffix{'es' * (len(names) != 1)}{where}"
            return [Row(thing.key, GLYPHS[state], role(state), ((told, ""),), word_of(state))]
        rows = [Row(thing.key, GLYPHS[state], role(state), ((f"DNS {verb}{where}", ""),), word_of(state))]
        return [*rows, *(said(thing.key, name, "") for name in names)]

    def _group(self, kind: Kind, things: Sequence[Thing] | None = None) -> list[Box]:
        things = self._map.of_kind(kind) if things is None else things
        if not things:
            return []
        key = group_key(kind)
        loose = kind is Kind.ENDPOINT
        name = f"{capital(PLURAL[kind])}{f', subnet {UNKNOWN}' if loose else ''}"
        if len(things) == 1:
            name = name.replace(capital(PLURAL[kind]), capital(str(kind)))
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
                rows = list(self._rows(thing))
                facts += [text for text, _ in rows[0].cells[1:2]] if thing.kind is Kind.ZONE else []
                below = [replace(r, indent=0) for r in rows if r.indent]
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

    def _card(self, thing: Thing) -> list[Box]:
        """What else is known of a thing: its id, what leads to it, and every node about it."""
        facts = [said("", one_line(thing.id), "code", indent=0)] if thing.id else []
        rows = [node_row(self._view.nodes[n], {}) for n in thing.about if n in self._view.nodes]
        about = []
        for row in rows:
            key = f"node {row.key[1]}"
            self.nodes[key] = row.key[1]
            about.append(Row(key, row.glyph, row.role, ((row.title, ""),), row.word))
        if not about:
            about = [said("", "No node is about this.", indent=0)]
        sections = (Section(tuple(facts)), Section(tuple(about), Row("", cells=(("Nodes about it", "heading"),))))
        return [Box(Row("", cells=(("What is known", "heading"),)), sections)]


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
            return [line((capital(key.removeprefix(GROUP)), "heading")), (), line(("+", "key"), " looks closer")]
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
