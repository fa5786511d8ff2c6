"""What one node says about the estate: which things there are, what lies in what, what leads where.

Read from the node's own documents alone: its item, what its step is given, its outputs, its changes and its checks.
Nothing here knows a step or a book: a thing is told by the type in its resource id, a relation by two ids that stand
in one object. Where an object names two things of a kind, nothing is concluded from it.

Source: the resource types and the fields ``subnet``, ``privateLinkServiceId``, ``virtualNetwork`` and
``privateLinkScopeResourceId`` are those of Azure Network REST 2024-01-01, Private DNS 2020-06-01 and HybridCompute
2022-12-27.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from runbook.core.view import NodeView


class Kind(StrEnum):
    """A kind of thing, by what a person calls it."""

    PREMISES = "on premises"
    NETWORK = "virtual network"
    SUBNET = "subnet"
    ENDPOINT = "private endpoint"
    ZONE = "private DNS zone"
    SCOPE = "Arc private link scope"
    WORKSPACE = "workspace"
    POOL = "host pool"
    HOST = "session host"
    MACHINE = "Arc-enabled server"
    CONNECTION = "connection"
    GATEWAY = "gateway"
    RESOLVER = "DNS resolver"
    OTHER = "resource"
    GROUP = "zone group"
    """An endpoint's records; drawn with the endpoint."""
    LINK = "zone link"
    """Drawn as an edge."""


_KINDS: Final[Mapping[str, Kind]] = {
    "microsoft.network/virtualnetworks": Kind.NETWORK,
    "microsoft.network/virtualnetworks/subnets": Kind.SUBNET,
    "microsoft.network/privateendpoints": Kind.ENDPOINT,
    "microsoft.network/privateendpoints/privatednszonegroups": Kind.GROUP,
    "microsoft.network/privatednszones": Kind.ZONE,
    "microsoft.network/privatednszones/virtualnetworklinks": Kind.LINK,
    "microsoft.network/connections": Kind.CONNECTION,
    "microsoft.network/virtualnetworkgateways": Kind.GATEWAY,
    "microsoft.network/dnsresolvers": Kind.RESOLVER,
    "microsoft.hybridcompute/privatelinkscopes": Kind.SCOPE,
    "microsoft.hybridcompute/machines": Kind.MACHINE,
    "microsoft.desktopvirtualization/workspaces": Kind.WORKSPACE,
    "microsoft.desktopvirtualization/hostpools": Kind.POOL,
    "microsoft.desktopvirtualization/hostpools/sessionhosts": Kind.HOST,
}

ON_PREMISES: Final = "on-premises"
"""The one key and target that is no resource."""

_LINKABLE: Final = frozenset({Kind.SCOPE, Kind.WORKSPACE, Kind.POOL})
_TELLING: Final = frozenset({Kind.ENDPOINT, Kind.GROUP, Kind.LINK, Kind.MACHINE, Kind.SCOPE})
"""Kinds whose requests say what leads where."""
_LISTED: Final = frozenset(
    {Kind.MACHINE, Kind.HOST, Kind.POOL, Kind.WORKSPACE, Kind.CONNECTION, Kind.GATEWAY, Kind.NETWORK, Kind.SUBNET}
)
"""Kinds that exist because somebody listed them."""
_DEEPEST: Final = 8
"""Levels of a document that are read."""

What = Literal["is", "in", "leads", "wants_link", "link", "makes", "plans", "writes", "about", "record", "fact", "said",
               "seen", "forwards"]  # fmt: skip


class Claim(NamedTuple):
    """One thing that was said: of what, of what else, with which value."""

    what: What
    of: str
    to: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A resource id, as far as the map knows its type: what is below a known type counts as that.

    Attributes:
        key: the id in lower case; for a zone its name, which is what records and networks know it by.
        parent: the key of the thing of a known type that it is a child of.
        is_exact: whether the id is the thing's own, and not that of something below it.
    """

    key: str
    kind: Kind
    name: str
    id: str
    parent: str
    is_exact: bool


@lru_cache(maxsize=65536)
def place(text: str) -> Place | None:
    """What a resource id points to; None where it is none. The same text gives the same object."""
    parts = text.strip("/").split("/")
    if len(parts) < 8 or len(parts) % 2 or "" in parts:
        return None
    if (parts[0].lower(), parts[2].lower(), parts[4].lower()) != ("subscriptions", "resourcegroups", "providers"):
        return None
    for length in range(len(parts), 7, -2):
        kind = _KINDS.get("/".join((parts[5], *parts[6:length:2])).lower())
        if kind is None and length > 8:
            continue
        id_ = "/" + "/".join(parts[:length])
        parent = place("/" + "/".join(parts[: length - 2])) if length > 8 else None
        key = parts[7].lower() if kind is Kind.ZONE else id_.lower()
        exact = length == len(parts)
        return Place(key, kind or Kind.OTHER, parts[length - 1], id_, parent.key if parent else "", exact)
    return None


_ZONE: Final = re.compile(r"privatelink[a-z0-9-]*\.[a-z0-9.-]+", re.IGNORECASE)
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


def is_zone_name(value: object) -> bool:
    """Whether a text is the name of a private link zone. Source: "Azure Private Endpoint private DNS zone values"."""
    return isinstance(value, str) and _ZONE.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Told:
    """What one node says.

    Attributes:
        shared: what was read in objects that others hold, too; whoever says it, it is the same.
        own: the rest.
    """

    shared: tuple[tuple[Claim, ...], ...]
    own: tuple[Claim, ...]


NOTHING: Final = Told((), ())


class Reader:
    """Reads the documents of nodes, and an object that several of them hold only once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[Claim, ...]] = {}

    def read(self, node: NodeView, given: Mapping[str, Any]) -> Told:
        """Everything that a node says; nothing where the book left it out."""
        if node.skipped is not None and node.skipped["by"] == "when":
            return NOTHING
        shared: dict[int, tuple[Claim, ...]] = {}
        own = tuple(dict.fromkeys(self._all(node, given, shared)))
        return Told(tuple(shared.values()), own)

    def _all(self, node: NodeView, given: Mapping[str, Any], shared: dict[int, tuple[Claim, ...]]) -> Iterator[Claim]:
        outputs, item = node.outputs, node.doc["item"]
        own = place(outputs["id"]) if isinstance(outputs.get("id"), str) else None
        if own is not None and own.is_exact:
            yield Claim("makes", own.key, own.parent, own)
        yield from _changes(node)
        if planned := _planned(given):
            yield Claim("plans", planned.key, "", planned)
            yield from _object({"id": planned.id, **{k: v for k, v in given.items() if k != "name"}}, "", "")
        yield from _about(node.doc["target"])
        if isinstance(item, dict | list):
            self._inner([item], "", "", 0, shared)
        if given or outputs:
            whole = {**given, **outputs}
            if "zone" not in whole and is_zone_name(node.doc["target"]):
                whole["zone"] = node.doc["target"]
            yield from _object(whole, "", "")
            if inner := [v for v in whole.values() if v.__class__ is dict or (v.__class__ is list and v)]:
                self._inner(inner, *_around(whole, "", ""), 0, shared)
        yield from _of_target(node, own)
        yield from _checks(node)
        yield from _lines(node)

    def _inner(
        self, parts: Sequence[Any], network: str, subnet: str, level: int, shared: dict[int, tuple[Claim, ...]]
    ) -> None:
        """Every object in these; one that names no network or subnet lies in that of the object around it."""
        if level > _DEEPEST or not parts:
            return
        if parts[0].__class__ is dict and "fqdn" in parts[0]:  # records: read with their endpoint
            return
        for part in parts:
            if part.__class__ is dict:
                inner = [
                    v
                    for v in part.values()
                    if v.__class__ is dict or (v.__class__ is list and v and v[0].__class__ is not str)
                ]
                names = repr(part) if not inner else ""
                said = self._known.get((names, network, subnet)) if names else None
                if said is None:
                    said = tuple(dict.fromkeys(_object(part, network, subnet)))
                    if names:
                        self._known[names, network, subnet] = said
                if said:
                    shared[id(said)] = said
                if inner:
                    self._inner(inner, *_around(part, network, subnet), level + 1, shared)
            elif part.__class__ is list:
                self._inner(part, network, subnet, level + 1, shared)
            elif part.__class__ is str and (found := _place_of(part)) is not None and found.is_exact:
                if found.kind in _LISTED:
                    said = self._listed(found)
                    shared[id(said)] = said

    def _listed(self, found: Place) -> tuple[Claim, ...]:
        at = ("", found.id, "")
        if at not in self._known:
            self._known[at] = (Claim("is", found.key, found.parent, found),)
        return self._known[at]


def _around(doc: Mapping[str, Any], network: str, subnet: str) -> tuple[str, str]:
    """The network and the subnet that an object names, else those of the object around it."""
    found = {
        p.kind: p.key
        for v in doc.values()
        if v.__class__ is str and v[:15] == "/subscriptions/" and (p := place(v)) is not None
    }
    return found.get(Kind.NETWORK, network), found.get(Kind.SUBNET, subnet)


def _changes(node: NodeView) -> Iterator[Claim]:
    for change in node.changes:
        if (made := place(change["path"].partition("?")[0])) is not None:
            if made.is_exact:
                yield Claim("makes", made.key, made.parent, made)
            if made.kind in _TELLING and isinstance(change["body"], Mapping):
                yield from _object({"id": made.id, **dict(_flat(change["body"]))}, "", "")


def _planned(given: Mapping[str, Any]) -> Place | None:
    """The endpoint that a step will make, told by what it is given: a name of its own, a subnet and where it leads."""
    subnet = _place_of(given.get("subnet"))
    parts = [given.get(name) for name in ("subscription", "resource_group", "name")]
    if subnet is None or subnet.kind is not Kind.SUBNET or ("target" not in given and "group" not in given):
        return None
    if not all(isinstance(p, str) and p and "/" not in p for p in parts):
        return None
    subscription, group, name = map(str, parts)
    return place(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/privateEndpoints/{name}"
    )


def _about(target: str) -> Iterator[Claim]:
    if target == ON_PREMISES:
        yield Claim("about", ON_PREMISES)
    elif (found := place(target) if target.startswith("/") else None) is not None:
        yield Claim("is", found.key, found.parent, found)
        yield Claim("about", found.key)
    elif target:
        yield Claim("about", target.lower())  # a name, which may turn out to be that of one thing


def _of_target(node: NodeView, own: Place | None) -> Iterator[Claim]:
    """What a node's outputs say of that which it is about."""
    about = own or place(node.doc["target"])
    if about is None:
        return
    for name, label in (("prefixes", "prefix"), ("free", "free"), ("vnet_location", "region"), ("location", "region")):
        if (value := node.outputs.get(name)) not in (None, "", []):
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            if name == "vnet_location" and about.kind is Kind.SUBNET:
                yield Claim("fact", about.parent, label, text)
            else:
                yield Claim("fact", about.key, label, text)
    if about.kind is Kind.NETWORK and isinstance(servers := node.outputs.get("dns_servers"), list):
        yield Claim("fact", about.key, "DNS", ", ".join(map(str, servers)) or "Azure's own")


def _lines(node: NodeView) -> Iterator[Claim]:
    """The ways to the premises that a node found, and how it found them."""
    for value in node.outputs.values():
        for part in value if isinstance(value, list) else [value]:
            found = _place_of(part)
            if found is not None and found.is_exact and found.kind in (Kind.CONNECTION, Kind.GATEWAY):
                yield Claim("about", found.key)
                for check in node.checks:
                    if found.kind is Kind.CONNECTION and check["name"].split()[1:2] == [found.name]:
                        yield Claim("said", found.key, "", (check["observed"], check["ok"]))


def _checks(node: NodeView) -> Iterator[Claim]:
    about = place(str(node.outputs.get("id") or "")) or place(node.doc["target"])
    for check in node.checks:
        name, observed = check["name"], check["observed"]
        fqdn, is_look, where = name.partition(" from ")
        if is_look and _HOST_NAME.fullmatch(fqdn):
            yield Claim("seen", where.lower(), fqdn.lower(), check["ok"])
        elif about is not None and name.startswith("public network access") and " in words" not in name:
            if observed in ("Enabled", "Disabled") or observed.startswith("Enabled"):
                yield Claim("fact", about.key, "public", observed)
        elif about is not None and name == "connection" and about.kind is Kind.ENDPOINT:
            yield Claim("fact", about.key, "connection", observed)
        elif about is not None and about.kind is Kind.POOL and _HOST_NAME.fullmatch(name):
            yield Claim("said", f"{about.key}/sessionhosts/{name.lower()}", "", (observed, check["ok"]))


# ---------------------------------------------------------------- objects


def _place_of(value: Any) -> Place | None:
    if value.__class__ is str and value[:15] == "/subscriptions/":
        found = place(value)
        return found if found is not None and found.kind is not Kind.OTHER else None
    return None


def _object(doc: Mapping[str, Any], network: str, subnet: str) -> Iterator[Claim]:
    """What one object says by what it names."""
    named: dict[Kind, dict[str, Place]] = {}
    lists: dict[str, list[Place]] = {}
    for key, value in doc.items():
        if value.__class__ is str:
            if value[:15] == "/subscriptions/" and (found := _place_of(value)) is not None:
                named.setdefault(found.kind, {})[found.key] = found
                if found.is_exact and found.kind not in (Kind.GROUP, Kind.LINK):
                    yield Claim("is", found.key, found.parent, found)
        elif value.__class__ is list and value and value[0].__class__ is str and value[0][:15] == "/subscriptions/":
            lists[key] = found_here = [p for v in value if (p := _place_of(v)) is not None]
            for listed in found_here:
                if listed.is_exact and listed.kind in _LISTED:
                    yield Claim("is", listed.key, listed.parent, listed)
    if not named and "zone" not in doc and "mode" not in doc and "vantages" not in doc:
        return
    one = {kind: next(iter(found.values())) for kind, found in named.items() if len(found) == 1}
    endpoint = one.get(Kind.ENDPOINT)
    group = one.get(Kind.GROUP)
    if group is not None:
        yield Claim("writes", group.parent)
    elif endpoint is not None:
        yield from _endpoint(doc, endpoint, one, subnet)
    if (zone := _zone_of(doc, one)) is not None:
        yield from _zone(doc, zone, one, lists)
    if (machine := one.get(Kind.MACHINE)) is not None and (scope := one.get(Kind.SCOPE)) is not None:
        yield Claim("in", machine.key, scope.key)
    if (space := one.get(Kind.WORKSPACE)) is not None and endpoint is None:
        for pool in (one.get(Kind.POOL), *(p for found in lists.values() for p in found)):
            if pool is not None and pool.kind is Kind.POOL:
                yield Claim("in", pool.key, space.key)
    if doc.get("mode") == "forward" and isinstance(doc.get("zones"), list):
        to = one[Kind.NETWORK].key if Kind.NETWORK in one else network
        yield Claim("forwards", ON_PREMISES, to, tuple(z for z in doc["zones"] if isinstance(z, str)))
    if isinstance(doc.get("vantages"), list) and ON_PREMISES in doc["vantages"]:
        yield Claim("is", ON_PREMISES, "", None)


def _endpoint(doc: Mapping[str, Any], endpoint: Place, one: Mapping[Kind, Place], subnet: str) -> Iterator[Claim]:
    where = one[Kind.SUBNET].key if Kind.SUBNET in one else subnet
    if where and endpoint.is_exact:
        yield Claim("in", endpoint.key, where)
    target = _target(doc, one)
    if target is not None:
        group = doc.get("group") or doc.get("groupIds")
        yield Claim("is", target.key, target.parent, target)
        yield Claim("leads", endpoint.key, target.key, str(group) if isinstance(group, str) else "")
    own = {_key_of(doc.get("id")), _key_of(doc.get("endpoint"))}
    if endpoint.key not in own:
        return
    fixed = doc.get("static_addresses")
    if isinstance(fixed, list) and fixed:
        yield Claim("fact", endpoint.key, "fixed", tuple(map(str, fixed)))
    count = doc.get("members")
    if isinstance(count, int | list) and count:
        yield Claim("fact", endpoint.key, "members", count if isinstance(count, int) else len(count))
    if endpoint.key != _key_of(doc.get("id")):
        return
    if isinstance(addresses := doc.get("addresses"), list):
        for ip in addresses:
            yield Claim("record", endpoint.key, "", (str(ip), "", ""))
    if isinstance(records := doc.get("records"), list):
        for record in records:
            if isinstance(record, Mapping) and {"fqdn", "ip", "zone"} <= record.keys():
                yield Claim("record", endpoint.key, "", (str(record["ip"]), str(record["fqdn"]), str(record["zone"])))


def _key_of(value: Any) -> str:
    found = _place_of(value)
    return found.key if found is not None and found.is_exact else ""


def _target(doc: Mapping[str, Any], one: Mapping[Kind, Place]) -> Place | None:
    for name in ("target", "privateLinkServiceId"):
        if isinstance(said := doc.get(name), str) and (found := place(said)) is not None and found.is_exact:
            return found
    found_kinds = [one[k] for k in _LINKABLE if k in one]
    return found_kinds[0] if len(found_kinds) == 1 else None


def _zone_of(doc: Mapping[str, Any], one: Mapping[Kind, Place]) -> str | None:
    if Kind.ZONE in one:
        return one[Kind.ZONE].key
    if Kind.LINK in one:
        return one[Kind.LINK].parent
    said = doc.get("zone")
    return str(said).lower() if is_zone_name(said) and "fqdn" not in doc else None


def _zone(
    doc: Mapping[str, Any], zone: str, one: Mapping[Kind, Place], lists: Mapping[str, list[Place]]
) -> Iterator[Claim]:
    yield Claim("is", zone, "", one.get(Kind.ZONE))
    links = [p for p in lists.get("links", ()) if p.kind is Kind.LINK]
    networks = [p for found in lists.values() for p in found if p.kind is Kind.NETWORK]
    for at, network in enumerate(networks):
        # As many links as networks: they belong together, one by one. Else only the link's own call tells.
        made = links[at].id if len(links) == len(networks) else ""
        yield Claim("wants_link", zone, network.key, made)
    if Kind.LINK in one and Kind.NETWORK in one:
        yield Claim("link", zone, one[Kind.NETWORK].key)


def _flat(body: Any, name: str = "", level: int = 0) -> Iterator[tuple[str, Any]]:
    """A request's body as one object: each text under the name that says what it is."""
    if level > _DEEPEST:
        return
    if isinstance(body, Mapping):
        for key, value in body.items():
            yield from _flat(value, name if key == "id" and name else str(key), level + 1)
    elif isinstance(body, list):
        for value in body[:1] if len(body) == 1 else ():
            yield from _flat(value, name, level + 1)
    elif isinstance(body, str):
        yield name, body
