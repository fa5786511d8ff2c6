"""What all nodes of a run say, put together: a draft of each thing and of each edge, without states.

Invariant: what is put together depends on what was said and on its order alone. Where two nodes speak of the same
thing it is one draft; an endpoint that a node meant to make, but found another for, is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runbook.core.ids import subscription_of
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.report.claims import ON_PREMISES, Claim, Kind, Place, Told, place


class Address(NamedTuple):
    """One address of an endpoint and a public name that answers with it; the name is empty where none is known."""

    ip: str
    fqdn: str = ""
    zone: str = ""


@dataclass(slots=True)
class Draft:
    """A thing in the making."""

    key: str
    place: Place | None = None
    kind: Kind = Kind.OTHER
    name: str = ""
    parent: str = ""
    makers: dict[str, int] = field(default_factory=dict)
    """Nodes that make it, with how surely: 0 it says so, 1 it is going to."""
    about: dict[str, None] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    records: dict[Address, None] = field(default_factory=dict)
    observed: tuple[str, bool] | None = None
    answering: tuple[str, ...] = ()
    """Of these nodes the most urgent one answers."""


@dataclass(slots=True)
class EdgeDraft:
    kind: str
    source: str
    target: str
    nodes: dict[str, None] = field(default_factory=dict)
    made: bool = False
    label: str = ""


class Merged:
    """What all nodes say, put together."""

    def __init__(self, view: RunView) -> None:
        self._view = view
        self._drafts: dict[str, Draft] = {}
        self._edges: dict[tuple[str, str, str], EdgeDraft] = {}
        self._writers: dict[str, dict[str, None]] = {}
        self._linkers: dict[str, dict[str, None]] = {}
        self._named: dict[str, list[str]] = {}
        self._seen: dict[str, dict[str, bool]] = {}
        self._heard: set[int] = set()
        self._made: dict[str, str] = {}
        self._planned: dict[str, str] = {}
        self._done = {n.id for n in view.nodes.values() if n.state is NodeState.DONE}

    def hear(self, node: str, told: Told) -> None:
        """Take what a node says. What is the same whoever says it is taken once."""
        for claims in told.shared:
            if id(claims) not in self._heard:
                self._heard.add(id(claims))
                for claim in claims:
                    self._take(node, claim)
        for claim in told.own:
            self._take(node, claim)

    def _take(self, node: str, claim: Claim) -> None:
        what, of, to, value = claim
        match what:
            case "is":
                self._thing(of, value, to)
            case "makes" | "plans":
                if isinstance(value, Place) and value.kind in (Kind.GROUP, Kind.LINK):
                    (self._writers if value.kind is Kind.GROUP else self._linkers).setdefault(value.parent, {})[
                        node
                    ] = None
                    return
                self._thing(of, value, to).makers.setdefault(node, 0 if what == "makes" else 1)
                if value.kind is Kind.ENDPOINT:
                    (self._made if what == "makes" else self._planned)[node] = of
            case "in":
                self._thing(of).parent = to
            case "leads":
                edge = self._edge("leads", of, to, node)
                edge.label = value or edge.label
            case "wants_link":
                edge = self._edge("link", of, to, node)
                edge.made = edge.made or bool(value)
            case "link":
                edge = self._edge("link", of, to, node)
                edge.made = edge.made or node in self._done
            case "writes":
                self._writers.setdefault(of, {})[node] = None
            case "about":
                self._named.setdefault(of, []).append(node)
            case "record":
                self._thing(of).records.setdefault(Address(*value))
            case "fact":
                self._thing(of).facts[to] = value
            case "said":
                self._thing(of).observed = value
                self._thing(of).about.setdefault(node)
            case "seen":
                self._seen.setdefault(of, {})[to] = bool(value)
            case "forwards":
                for zone in value:
                    self._thing(zone.lower())
                    self._edge("forwards", ON_PREMISES, zone.lower(), node)
                self._thing(ON_PREMISES).about.setdefault(node)
                if to:
                    self._thing(ON_PREMISES).facts["via"] = to

    def _thing(self, key: str, known: Place | None = None, parent: str = "") -> Draft:
        draft = self._drafts.get(key)
        if draft is None:
            draft = self._drafts[key] = Draft(key)
            if key == ON_PREMISES:
                draft.kind, draft.name = Kind.PREMISES, "on premises"
            else:
                self._describe(draft, known or place(key))
        if known is not None and draft.place is not known and (draft.place is None or draft.place.id.islower()):
            self._describe(draft, known)
        if parent and not draft.parent:
            draft.parent = parent
        return draft

    def _describe(self, draft: Draft, known: Place | None) -> None:
        if known is None:  # a zone that nothing but its name is known of
            draft.kind, draft.name = Kind.ZONE, draft.key
        else:
            draft.place, draft.kind, draft.name = known, known.kind, known.name
            draft.parent = draft.parent or known.parent

    def _edge(self, kind: str, source: str, target: str, node: str) -> EdgeDraft:
        edge = self._edges.get((kind, source, target))
        if edge is None:
            edge = self._edges[kind, source, target] = EdgeDraft(kind, source, target)
        edge.nodes[node] = None
        return edge

    def seen(self) -> dict[str, tuple[int, int]]:
        return {where: (sum(found.values()), len(found)) for where, found in self._seen.items()}

    def settled(self) -> tuple[dict[str, Draft], list[EdgeDraft]]:
        """Things and edges, once every node has spoken."""
        self._replaced()
        self._parents()
        self._name_about()
        self._answering()
        self._tell_apart()
        return self._drafts, self._links()

    def _replaced(self) -> None:
        """A node that found another endpoint good enough does not make the one it would have made."""
        taken = set(self._made.values())
        for node, key in self._planned.items():
            if self._made.get(node, key) != key and key not in taken:
                self._drafts.pop(key, None)

    def _parents(self) -> None:
        for draft in list(self._drafts.values()):
            at, up = draft, draft.parent
            for _ in range(4):  # host pool in workspace, host in pool: nothing lies deeper
                if not up or up in self._drafts:
                    break
                at = self._thing(up, place(at.place.id.rpartition("/")[0].rpartition("/")[0]) if at.place else None)
                up = at.parent

    def _name_about(self) -> None:
        """Nodes whose target is a thing, by its id or by a name that only one thing has."""
        by_name: dict[str, list[Draft]] = {}
        for draft in self._drafts.values():
            by_name.setdefault(draft.name.lower(), []).append(draft)
        order = {id_: at for at, id_ in enumerate(self._view.nodes)}
        for target, nodes in self._named.items():
            found = self._drafts.get(target)
            if found is None and target == ON_PREMISES:
                found = self._thing(ON_PREMISES)
            if found is None and len(same := by_name.get(target, [])) == 1:
                found = same[0]
            if found is not None:
                found.about.update(dict.fromkeys(nodes))
        for key, draft in self._drafts.items():
            draft.about.update(dict.fromkeys((*draft.makers, *self._writers.get(key, ()))))
            draft.about = dict.fromkeys(sorted(draft.about, key=order.__getitem__))

    def _answering(self) -> None:
        """Who answers for what: the node that made it, or will; else those about it that make nothing else."""
        creators = {n for d in self._drafts.values() if d.kind is Kind.ENDPOINT for n in d.makers}
        writers = {n for nodes in self._writers.values() for n in nodes}
        for draft in self._drafts.values():
            if draft.makers and draft.kind is not Kind.MACHINE:
                best = min(draft.makers.values())
                draft.answering = (next(n for n, rank in draft.makers.items() if rank == best),)
            elif draft.kind in (Kind.SCOPE, Kind.ZONE, Kind.ENDPOINT) and draft.about:
                draft.answering = (next(iter(draft.about)),)
            else:
                free = tuple(n for n in draft.about if n not in creators and n not in writers)
                id_ = draft.place.id.lower() if draft.place is not None else ""
                own = tuple(n for n in draft.about if id_ and self._view.nodes[n].doc["target"].lower() == id_)
                draft.answering = own or free or tuple(draft.about)  # who looks at it itself knows most of it

    def _tell_apart(self) -> None:
        """Two things of a kind and a name are told apart by their subscriptions, else by their resource groups."""
        names = {id_.lower(): name for id_, name in self._view.pinned.get("subscriptions", {}).items() if name}
        same: dict[tuple[Kind, str], list[Draft]] = {}
        for draft in self._drafts.values():
            if draft.kind is not Kind.SUBNET and draft.place is not None:
                same.setdefault((draft.kind, draft.name), []).append(draft)
        for drafts in same.values():
            if len(drafts) < 2:
                continue
            ids = [d.place.id for d in drafts if d.place is not None]
            of = [names.get((subscription_of(i) or ""), (subscription_of(i) or "")[:8]) for i in ids]
            if len(set(of)) < len(of):
                of = [f"{whose}, {id_.split('/')[4]}" for whose, id_ in zip(of, ids, strict=True)]
            for draft, whose in zip(drafts, _without_same_start(of), strict=True):
                draft.name = f"{draft.name} ({whose})"

    def _links(self) -> list[EdgeDraft]:
        edges = [e for e in self._edges.values() if e.source in self._drafts and e.target in self._drafts]
        for edge in edges:
            if edge.kind == "link":
                nodes = list(self._linkers.get(edge.source, ())) or list(edge.nodes)
                edge.nodes = dict.fromkeys(nodes[-1:])
            elif edge.kind == "leads":
                edge.nodes = dict.fromkeys(self._drafts[edge.source].answering)
            edge.made = edge.made or any(n in self._done for n in edge.nodes)
        for key, draft in list(self._drafts.items()):
            if draft.kind is Kind.ENDPOINT:
                for zone, count in Counter(r.zone.lower() for r in draft.records if r.zone).items():
                    if zone in self._drafts:
                        writers = self._writers.get(key, {})
                        made = any(n in self._done for n in writers)
                        edges.append(EdgeDraft("writes", key, zone, dict(writers), made, str(count)))
        return edges


def _without_same_start(texts: Sequence[str]) -> list[str]:
    """Texts without the words that all of them begin with: ``Contoso West, Contoso East`` are ``West, East``."""
    words = [t.split(" ") for t in texts]
    same = 0
    while all(len(w) > same + 1 for w in words) and len({w[same] for w in words}) == 1:
        same += 1
    return [" ".join(w[same:]) for w in words]
