"""What Azure says about the names of a run, taken apart: zones, links, records, networks, endpoints. Pure.

Source: Private DNS 2020-06-01 (links, record sets); Azure Network REST 2024-01-01 (``dhcpOptions.dnsServers``, private
endpoints, network interfaces with ``privateLinkConnectionProperties.fqdns``, zone groups with ``recordSets``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runbook.core.arm import Json
from runbook.core.records import suffix_of
from runbook.core.view import RunView
from runbook.dns.model import Name

AZURE_DNS: Final = "168.63.129.16"
"""Azure's own resolver, reachable inside Azure only. Source: "What is IP address 168.63.129.16?", Microsoft Learn."""


@dataclass(frozen=True, slots=True)
class Link:
    """One virtual network link. ``is_usable`` once its state is ``Completed``."""

    network: str
    state: str
    falls_back: bool = False
    """Whether a missing record is looked up in the public DNS (``resolutionPolicy`` ``NxDomainRedirect``)."""

    @property
    def is_usable(self) -> bool:
        return self.state.lower() == "completed"


@dataclass(frozen=True, slots=True)
class Zone:
    """A private zone. ``records`` holds A records by relative name; the zone's own name is ``@``."""

    id: str
    name: str
    links: tuple[Link, ...] = ()
    records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_readable: bool = True

    def link_to(self, network: str) -> Link | None:
        return next((link for link in self.links if link.network == network.lower()), None)

    def find(self, fqdn: str) -> tuple[str, ...] | None:
        """The addresses of a name in this zone, also by a wildcard; None where it has none."""
        relative = fqdn.removesuffix(self.name).rstrip(".") or "@"
        labels = relative.split(".")
        wild = [".".join(["*", *labels[at:]]) for at in range(1, len(labels) + 1)] if relative != "@" else []
        return next((self.records[n] for n in (relative, *wild) if n in self.records), None)

    def covers(self, fqdn: str) -> bool:
        return fqdn == self.name or fqdn.endswith("." + self.name)


@dataclass(frozen=True, slots=True)
class Network:
    """A virtual network. ``servers`` are its own DNS servers; none means Azure's resolver."""

    id: str
    servers: tuple[str, ...] = ()
    is_readable: bool = True

    @property
    def name(self) -> str:
        return self.id.rstrip("/").rpartition("/")[2]

    @property
    def is_custom(self) -> bool:
        """Whether something other than Azure's resolver answers its machines."""
        return bool(self.servers) and AZURE_DNS not in self.servers


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything read. Keys are in lower case.

    Attributes:
        names: public name to address, of every endpoint that was found, by its id.
        owners: address to name of the endpoint that has it.
        groups: ids of the zones that an endpoint's zone group writes to, by endpoint id; only of those asked for.
        homes: subscriptions whose endpoints could be listed.
        remarks: what could not be read, in sentences.
    """

    zones: tuple[Zone, ...] = ()
    networks: Mapping[str, Network] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    homes: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()

    def network(self, id_: str) -> Network:
        return self.networks.get(id_.lower(), Network(id_, is_readable=False))

    def linked(self, network: str) -> list[Zone]:
        return [z for z in self.zones if z.link_to(network)]


# ---------------------------------------------------------------- from a run


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run wants of DNS, as its journal tells it.

    Attributes:
        records: rows of ``{fqdn, ip, zone, name, endpoint id}``, as the nodes of the endpoints put them out.
        networks: ids of the virtual networks that are to resolve.
        keeps: ``azure`` or ``own``: who holds the names.
        subscriptions: where to look for zones.
        has_premises: whether anybody on the premises is to resolve the names.
    """

    records: tuple[tuple[str, str, str, str, str], ...]
    networks: tuple[str, ...]
    keeps: str
    subscriptions: tuple[str, ...]
    has_premises: bool = True

    @property
    def endpoints(self) -> list[str]:
        return list(dict.fromkeys(r[4] for r in self.records))


def wanted(view: RunView) -> Wanted:
    """What the nodes of a run's endpoints have put out: their ``records``, and the ``id`` beside them.

    No step is named here: whatever puts out an endpoint's id and ``records`` is taken. Of the inputs those count that
    books call ``vnet``, ``resolving_networks``, ``dns`` and ``clients_on_premises``.
    """
    rows: dict[str, tuple[str, str, str, str, str]] = {}
    for node in view.nodes.values():
        endpoint = str(node.outputs.get("id", ""))
        if "/privateendpoints/" not in endpoint.lower():
            continue
        for found in node.outputs.get("records") or ():
            if isinstance(found, Mapping) and found.get("fqdn"):
                row = [str(found.get(k, "")) for k in ("fqdn", "ip", "zone", "name")]
                rows[row[0].lower()] = (row[0].lower(), row[1], row[2].lower(), row[3].lower(), endpoint)
    networks = [str(n) for n in view.inputs.get("resolving_networks") or ()] or [str(view.inputs.get("vnet") or "")]
    keeps = str(view.inputs.get("dns") or "azure")
    near = [_subscription(n) for n in (*networks, *(r[4] for r in rows.values()))]
    places = dict.fromkeys(s.lower() for s in (*view.pinned.get("subscriptions", ()), *near) if s)
    return Wanted(
        records=tuple(rows[k] for k in sorted(rows)),
        networks=tuple(dict.fromkeys(n for n in networks if n)),
        keeps=keeps,
        subscriptions=tuple(places),
        has_premises=keeps != "azure" or view.inputs.get("clients_on_premises", True) is not False,
    )


def _subscription(resource: str) -> str:
    parts = resource.strip("/").split("/")
    return parts[1] if len(parts) > 1 and parts[0].lower() == "subscriptions" else ""


def is_gone(endpoint: str, estate: Estate) -> bool:
    """Whether an endpoint is certainly not there any more."""
    return _subscription(endpoint).lower() in estate.homes and endpoint.lower() not in estate.names


def names_of(want: Wanted, estate: Estate) -> tuple[Name, ...]:
    """Every name with the address that its endpoint has now; the recorded one where that cannot be read."""
    found = []
    for fqdn, ip, zone, relative, endpoint in sorted(want.records, key=lambda r: (r[2], r[3])):
        now = estate.names.get(endpoint.lower(), {}).get(fqdn, "")
        source = "the endpoint's network interface" if now else "the run's journal"
        # Gateway ports are mapped through the endpoint's address, so none may be closed.
        # Source: "Azure Private Link with Azure Virtual Desktop", Microsoft Learn (TCP 1-65535 to a connection).
        is_gateway = ".afdfp-rdgateway." in f".{fqdn}"
        found.append(Name(fqdn, now or ip, ip, zone, relative, endpoint, source, (443,), is_gateway))
    return tuple(found)


# ---------------------------------------------------------------- from ARM


def is_near(zone: str, fqdns: Iterable[str]) -> bool:
    """Whether a private zone of that name may answer, or hide, one of the names."""
    zone = zone.lower()
    suffix = "." + suffix_of(zone)
    return any(f == zone or f.endswith("." + zone) or f.endswith(suffix) for f in fqdns)


def zone_of(doc: Json, links: Sequence[Json] | None, records: Sequence[Json] | None) -> Zone:
    """A zone from its document, its links and its A records; None where these may not be read."""
    return Zone(
        str(doc.get("id", "")),
        str(doc.get("name") or "").lower(),
        tuple(_link(found) for found in links or ()),
        {
            str(r.get("name", "")).lower(): tuple(str(a.get("ipv4Address")) for a in _at(r).get("aRecords") or ())
            for r in records or ()
        },
        links is not None and records is not None,
    )


def _link(doc: Json) -> Link:
    at = _at(doc)
    return Link(
        str((at.get("virtualNetwork") or {}).get("id") or "").lower(),
        str(at.get("virtualNetworkLinkState") or "Completed"),
        str(at.get("resolutionPolicy") or "").lower() == "nxdomainredirect",
    )


def network_of(id_: str, doc: Json | None) -> Network:
    if doc is None:
        return Network(id_, is_readable=False)
    servers = (_at(doc).get("dhcpOptions") or {}).get("dnsServers") or ()
    return Network(id_, tuple(str(s) for s in servers))


def endpoint_names(doc: Json, card: Json | None) -> dict[str, str]:
    """Public names and addresses of an endpoint: its own list, then its interface's, which is never emptied.

    A zone group empties ``customDnsConfigs``; the interface keeps the names.
    """
    found: dict[str, str] = {}
    for item in _at(doc).get("customDnsConfigs") or ():
        found |= {str(item.get("fqdn", "")).lower(): str(a) for a in (item.get("ipAddresses") or ())[:1]}
    for configuration in _at(card).get("ipConfigurations") or ():
        at = _at(configuration)
        for fqdn in (at.get("privateLinkConnectionProperties") or {}).get("fqdns") or ():
            found[str(fqdn).lower()] = str(at.get("privateIPAddress", ""))
    return found


def interface_of(doc: Json) -> str:
    """Id of an endpoint's network interface, lower case; empty where there is none yet."""
    cards = _at(doc).get("networkInterfaces") or ()
    return str(cards[0].get("id") or "").lower() if cards else ""


def group_zones(groups: Sequence[Json]) -> tuple[str, ...]:
    """Ids of the zones that zone groups write to, lower case."""
    configs = [c for g in groups for c in _at(g).get("privateDnsZoneConfigs") or ()]
    return tuple(str(_at(c).get("privateDnsZoneId") or "").lower() for c in configs)


def _at(doc: Json | None) -> dict[str, Any]:
    found = (doc or {}).get("properties")
    return found if isinstance(found, dict) else {}
