"""The things of the map, each in a row or a few: what it is, where it leads, how it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from runbook.core.state import FINISHED, GLYPHS, NodeState
from runbook.report.topology import Edge, Kind, Thing, Topology
from runbook.tui.present.boxes import Row
from runbook.tui.present.map_words import (
    AFAR,
    LOUD,
    NAMED,
    NEAR,
    UNKNOWN,
    addresses_in_short,
    link_key,
    name_in_short,
    name_of,
)
from runbook.tui.present.text import Span, one_line
from runbook.tui.present.words import role, urgency


class Rows:
    """Writes rows, and keeps what stands behind them.

    Args:
        topology: what is drawn.
        column: how wide a column is, in cells.
        detail: how much is told.
        named: of a group that is counted, so many that want attention are named.

    Attributes:
        nodes: by key, the node that answers for what stands there.
        opens: keys of what can be looked at more closely.
    """

    def __init__(self, topology: Topology, column: int, detail: int, named: int = NAMED) -> None:
        self._map, self._detail, self._column, self._named = topology, detail, column, named
        self.nodes: dict[str, str] = {}
        self.opens: set[str] = set()

    def _inside(self, thing: Thing) -> list[Thing]:
        inside = [self._map.things[k] for k in self._map.inside.get(thing.key, ())]
        return sorted(inside, key=lambda t: t.name) if inside and inside[0].kind is Kind.HOST else inside

    def _members(self, key: str, things: Sequence[Thing], empty: str) -> tuple[Row, ...]:
        """A line or more for each, or how many there are and how they stand."""
        if not things:
            return (said(key, empty),) if empty else ()
        if self._detail is not AFAR or things[0].kind is Kind.ZONE:
            return tuple(row for t in things for row in self._rows(t))
        self.opens.add(key)
        return (*self._counted(key, things), *self._urgent(things))

    def _counted(self, key: str, things: Sequence[Thing]) -> Iterator[Row]:
        count = Counter(t.state for t in things if t.state is not None)
        states = sorted(count, key=urgency)
        hosts = sum(len(self._map.inside.get(t.key, ())) for t in things if t.kind is Kind.POOL)
        known = sum(len({a.ip for a in t.addresses}) for t in things)
        cells: list[Span] = [(f"{len(things)} {name_of(things)}", "heading")]
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
        rows = [replace(next(iter(self._rows(t))), indent=2) for t in wanting[: self._named]]
        left = len(wanting) - len(rows)
        return [*rows, *([said("", f"and {left} more under way")] if left > 0 else [])]

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
        to = (f"→ {one_line(target.name)}" if target else f"→ {UNKNOWN}", "" if target else "muted")
        connection = thing.fact("connection")
        odd = f"connection {one_line(connection)}" if connection and connection != "Approved" else ""
        name = (one_line(thing.name), "heading" if self._detail is NEAR else "")
        is_known = bool(thing.addresses)
        short = (addresses_in_short(thing), "code" if is_known else "muted")
        is_listed = self._detail is NEAR and is_known
        narrow = self._column < (60 if is_listed else 52 if is_known else 72)
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
                told = name_in_short(address.fqdn) if address.fqdn else f"its name is {UNKNOWN}"
                yield Row(
                    thing.key, cells=((ip, "code"), (told, "" if address.fqdn else "muted")), indent=2, begins=True
                )

    def _zone(self, thing: Thing) -> Iterator[Row]:
        writes = [e for e in self._map.into.get(thing.key, ()) if e.kind == "writes"]
        made = sum(int(e.label) for e in writes if e.is_made)
        all_ = sum(int(e.label) for e in writes)
        names = f"{made} names" if made != 1 else "1 name"
        told = names if made == all_ and all_ else f"{made}/{all_} names" if all_ else f"names {UNKNOWN}"
        row = self._row(thing, (one_line(thing.name), "heading"), (told, "muted"))
        yield replace(row, begins=True)
        links = [e for e in self._map.out.get(thing.key, ()) if e.kind == "link"]
        if not links:
            yield said(thing.key, f"networks to link: {UNKNOWN}")
        for edge in links:
            yield self._link(edge)

    def _link(self, edge: Edge) -> Row:
        network = one_line(self._map.things[edge.target].name)
        key = link_key(edge)
        self.nodes[key] = edge.node
        if edge.is_made:
            return Row(key, GLYPHS[NodeState.DONE], "ok", ((f"linked to {network}", ""),), indent=2)
        state = edge.state or NodeState.PENDING
        is_stuck = state in (NodeState.FAILED, NodeState.BLOCKED, NodeState.SKIPPED, NodeState.IN_DOUBT)
        told = (f"NOT LINKED to {network}", "bad") if is_stuck else (f"not linked to {network} yet", "wait")
        return Row(key, GLYPHS[state], role(state), (told,), word_of(state), indent=2)

    def _target(self, thing: Thing) -> Iterator[Row]:
        hosts = self._inside(thing)
        kind = (f"{len(hosts)} host{'s' * (len(hosts) != 1)}" if hosts else "", "muted")
        if thing.kind is Kind.POOL and not hosts:
            kind = (f"hosts {UNKNOWN}", "muted")
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
        return replace(row, indent=indent, word="" if is_ok else row.word, begins=True)

    def _reached(self, thing: Thing) -> Iterator[Row]:
        edges = [e for e in self._map.into.get(thing.key, ()) if e.kind == "leads"]
        if not edges:
            yield said(thing.key, f"its endpoint: {UNKNOWN}")
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
        return Row(thing.key, GLYPHS[thing.state], role(thing.state), cells, word or word_of(thing.state))


def word_of(state: NodeState) -> str:
    return state.value.replace("_", " ") if state in LOUD else ""


def said(key: str, text: str, of: str = "muted", indent: int = 2) -> Row:
    return Row(key, cells=((text, of),), indent=indent)


def names_row(key: str, ok: int, all_: int) -> Row:
    is_ok = ok == all_
    told = f"{ok} of {all_} names answer privately from here"
    return Row(key, GLYPHS[NodeState.DONE] if is_ok else "!", "ok" if is_ok else "bad", ((told, ""),))


def status_of(thing: Thing) -> str:
    return one_line(thing.observed[0]) if thing.observed else ""


def _type_of(thing: Thing) -> str:
    parts = thing.id.strip("/").split("/")
    return one_line(parts[-2]) if len(parts) > 1 else str(thing.kind)
