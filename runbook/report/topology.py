"""The estate as a run knows it: things, what lies in what, what leads where, and which node answers for each.

Everything comes from the run's view: what nobody has said yet is not here. Screens and reports draw from the same
``Topology``. Invariant: a ``Plotter`` gives the very same object for a thing about which nothing has changed, so that
whoever draws can tell by that alone; while nodes only change their states, nothing but states is computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Final

from runbook.core.state import FINISHED, NodeState
from runbook.core.tally import URGENT
from runbook.core.view import NodeView, RunView
from runbook.report.claims import ON_PREMISES, Kind, Reader, Told
from runbook.report.drafts import Address, Draft, EdgeDraft, Merged
from runbook.report.given import Givens

__all__ = ["ON_PREMISES", "Address", "Edge", "Kind", "Plotter", "Thing", "Topology", "topology"]

_ORDER: Final = (*URGENT, NodeState.PENDING, NodeState.DONE, NodeState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of the estate.

    Attributes:
        key: what it is known by here; a resource's id in lower case, a zone's name.
        name: its own name, and where two things of a kind share one, whose it is.
        id: its resource id; empty while it is not known.
        parent: the key of what it lies in; empty where that is nothing, or not known yet.
        node: the node that answers for it: the one that makes it, else the most urgent of those about it.
        state: that node's state; None where no node is about it.
        about: every node about it, in book order.
        facts: what else is known, by label.
        addresses: of an endpoint, in order.
        observed: what a look last said of it, and whether that is as it should be.
    """

    key: str
    kind: Kind
    name: str
    id: str = ""
    parent: str = ""
    node: str = ""
    state: NodeState | None = None
    about: tuple[str, ...] = ()
    facts: tuple[tuple[str, Any], ...] = ()
    addresses: tuple[Address, ...] = ()
    observed: tuple[str, bool] | None = None

    def fact(self, label: str) -> Any:
        """One fact; None where it is not known."""
        return next((value for name, value in self.facts if name == label), None)


@dataclass(frozen=True, slots=True)
class Edge:
    """Something leads somewhere.

    Attributes:
        kind: ``leads`` (endpoint to target), ``link`` (zone to network), ``writes`` (endpoint to zone) or ``forwards``
            (the premises to a zone).
        is_made: whether it is known to be there.
        label: the sub-resource an endpoint leads to; how many names it writes.
    """

    kind: str
    source: str
    target: str
    is_made: bool
    node: str = ""
    state: NodeState | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole map. Everything is in the order in which the run first spoke of it."""

    things: Mapping[str, Thing] = field(default_factory=dict)
    inside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys of the things that lie in another."""
    out: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)
    """Edges by the thing they come from."""
    into: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)
    """Edges by the thing they lead to."""
    seen: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """From a place, as looks call it (``the premises``): how many names answer as they should, of how many."""

    def of_kind(self, *kinds: Kind) -> list[Thing]:
        return [t for t in self.things.values() if t.kind in kinds]

    def of_node(self, node: str) -> str | None:
        """The key of the thing that a node is about: one it answers for, if there is one."""
        about = [t for t in self.things.values() if node in t.about]
        return next((t.key for t in about if t.node == node), about[0].key if about else None)


def topology(view: RunView) -> Topology:
    """The map of one view."""
    return Plotter().of(view)


class Plotter:
    """The map of one run, view after view."""

    def __init__(self) -> None:
        self._givens = Givens()
        self._reader = Reader()
        self._read: dict[str, tuple[tuple[Any, ...], Told]] = {}
        self._said: list[Told] = []
        self._drafts: dict[str, Draft] = {}
        self._edges: list[EdgeDraft] = []
        self._view: RunView | None = None
        self._made = Topology()

    def of(self, view: RunView) -> Topology:
        """The map of this view; the same object again where nothing changed."""
        if self._view is not None and view.nodes is self._view.nodes:
            return self._made
        by_step: dict[str, list[NodeView]] = {}
        for node in view.nodes.values():
            by_step.setdefault(node.doc["step"], []).append(node)
        given = self._givens.of(view, by_step)
        said = [self._claims(node, given[node.id]) for node in view.nodes.values()]
        is_same = len(said) == len(self._said) and all(a is b for a, b in zip(said, self._said, strict=True))
        self._view = view
        if is_same:
            self._made = _restated(self._made, self._drafts, self._edges, view)
            return self._made
        self._said = said
        merged = Merged(view)
        for id_, told in zip(view.nodes, said, strict=True):
            merged.hear(id_, told)
        self._drafts, self._edges = merged.settled()
        self._made = _drawn(self._drafts, self._edges, view, self._made, merged.seen())
        return self._made

    def _claims(self, node: NodeView, given: Mapping[str, Any]) -> Told:
        stamp = (node.doc, node.outputs, node.changes, node.checks, node.skipped, given)
        known = self._read.get(node.id)
        if known is not None and all(a is b for a, b in zip(known[0], stamp, strict=True)):
            return known[1]
        told = self._reader.read(node, given)
        if known is not None and told == known[1]:
            told = known[1]
        self._read[node.id] = stamp, told
        return told


# ---------------------------------------------------------------- with states


def _answer(nodes: Iterable[str], view: RunView) -> tuple[str, NodeState | None]:
    """The node that answers, and its state: the most urgent; where all is finished, the last one done."""
    best, rank = "", len(_ORDER)
    for id_ in nodes:
        node = view.nodes.get(id_)
        if node is None:
            continue
        here = _ORDER.index(node.state)
        if here < rank or (here == rank and node.state in FINISHED):
            best, rank = id_, here
    return (best, view.nodes[best].state) if best else ("", None)


def _addresses(records: Iterable[Address]) -> tuple[Address, ...]:
    """In order; an address without a name only where no name is known for it."""
    named = {r.ip for r in records if r.fqdn}
    return tuple(sorted((r for r in records if r.fqdn or r.ip not in named), key=_place_in_line))


def _place_in_line(record: Address) -> tuple[int, int, str, str]:
    try:
        ip = ip_address(record.ip)
    except ValueError:
        return 9, 0, record.ip, record.fqdn
    return ip.version, int(ip), record.ip, record.fqdn


def _drawn(
    drafts: Mapping[str, Draft],
    edges: Sequence[EdgeDraft],
    view: RunView,
    before: Topology,
    seen: dict[str, tuple[int, int]],
) -> Topology:
    things: dict[str, Thing] = {}
    led_to = {e.target for e in edges if e.kind == "leads"}
    for key, draft in drafts.items():
        if draft.kind is Kind.OTHER and key not in led_to:
            continue
        node, state = _answer(draft.answering, view)
        facts = tuple(sorted(draft.facts.items()))
        id_ = draft.place.id if draft.place else ""
        about, addresses = tuple(draft.about), _addresses(draft.records)
        parent = draft.parent if draft.parent in drafts else ""
        new = Thing(
            key, draft.kind, draft.name, id_, parent, node, state, about, facts, addresses, draft.observed
        )  # fmt: skip
        old = before.things.get(key)
        things[key] = old if old == new and old is not None else new
    inside: dict[str, list[str]] = {}
    for thing in things.values():
        if thing.parent:
            inside.setdefault(thing.parent, []).append(thing.key)
    out, into = _edges_of(edges, view, before)
    whole = {key: tuple(keys) for key, keys in inside.items()}
    return Topology(things, whole, out, into, seen)


def _edges_of(
    drafts: Sequence[EdgeDraft], view: RunView, before: Topology
) -> tuple[dict[str, tuple[Edge, ...]], dict[str, tuple[Edge, ...]]]:
    out: dict[str, list[Edge]] = {}
    into: dict[str, list[Edge]] = {}
    known = {(e.kind, e.source, e.target): e for edges in before.out.values() for e in edges}
    for draft in drafts:
        node, state = _answer(draft.nodes, view)
        new = Edge(draft.kind, draft.source, draft.target, draft.made, node, state, draft.label)
        old = known.get((new.kind, new.source, new.target))
        edge = old if old is not None and old == new else new
        out.setdefault(edge.source, []).append(edge)
        into.setdefault(edge.target, []).append(edge)
    return {k: tuple(v) for k, v in out.items()}, {k: tuple(v) for k, v in into.items()}


def _restated(made: Topology, drafts: Mapping[str, Draft], edges: Sequence[EdgeDraft], view: RunView) -> Topology:
    """The same map with the nodes' states as they are now."""
    things = dict(made.things)
    changed = False
    for key, thing in made.things.items():
        node, state = _answer(drafts[key].answering, view)
        if state is not thing.state or node != thing.node:
            things[key] = replace(thing, node=node, state=state)
            changed = True
    done = {n.id for n in view.nodes.values() if n.state is NodeState.DONE}
    for edge in edges:
        if not edge.made and any(n in done for n in edge.nodes):
            edge.made = True
    out, into = _edges_of(edges, view, made)
    if not changed and out == made.out:
        return made
    return replace(made, things=things, out=out, into=into)
