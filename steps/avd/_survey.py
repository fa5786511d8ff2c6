"""The estate in lists: endpoints, both sides of their connections, names, zones, hosts. One list for many objects.

Sources: Azure Network REST 2024-01-01 (private endpoints and network interfaces of a subscription; an endpoint's
interface names its members' public names beside their addresses); DesktopVirtualization 2024-04-03 (host pools and
workspaces of a subscription carry ``privateEndpointConnections``); Private DNS 2020-06-01 (links of a zone).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runbook.core.arm import Json, Reader
from runbook.core.ids import subscription_of
from runbook.core.together import together
from steps._shared import versions
from steps._shared.endpoints import Endpoint, connection_at_target, endpoint_of
from steps._shared.look import dig, name_of, properties, same
from steps._shared.planned import Planned
from steps._shared.records import Record, record_of, zones_of_group
from steps.avd._names import NAMESPACE


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read; every key is a lower-cased resource id.

    Attributes:
        endpoints: what stands, by the planned endpoint's id; another one that leads to the same counts.
        objects: host pools and workspaces.
        sides: by planned id, the connection's state as the target has it; empty where it is not listed.
        records: by planned id, names and addresses as the interface tells them.
    """

    endpoints: Mapping[str, Endpoint]
    objects: Mapping[str, Json]
    sides: Mapping[str, str]
    records: Mapping[str, tuple[Record, ...]]


async def survey(arm: Reader, planned: Sequence[Planned], targets: Iterable[str], zones: Sequence[str]) -> Survey:
    """Read everything that the planned endpoints and their targets are judged by."""
    endpoints: dict[str, Endpoint] = {}
    cards: dict[str, Json] = {}
    for subscription in _subscriptions(p.endpoint for p in planned):
        network = f"/subscriptions/{subscription}/providers/Microsoft.Network"
        endpoints |= {
            str(d.get("id", "")).lower(): endpoint_of(d)
            for d in await arm.list(f"{network}/privateEndpoints", versions.NETWORK)
        }
        listed = await arm.list(f"{network}/networkInterfaces", versions.NETWORK)
        cards |= {str(d.get("id", "")).lower(): d for d in listed}
    objects: dict[str, Json] = {}
    for subscription in _subscriptions([*targets, *(p.target for p in planned)]):
        for kind in ("hostPools", "workspaces"):
            docs = await arm.list(f"/subscriptions/{subscription}/providers/{NAMESPACE}/{kind}", versions.AVD)
            objects |= {str(d.get("id", "")).lower(): d for d in docs}
    found = [(p, _endpoint(endpoints, p)) for p in planned]
    names = [name_of(z) for z in zones]
    wanted = {p.endpoint.lower(): (p, e) for p, e in found if e is not None}
    sides = await together(_side(arm, p.target, e.id, objects.get(p.target.lower())) for p, e in wanted.values())
    records = {
        key: tuple(_records(cards.get(e.nic.lower()), zones_of_group(names, p.group), e))
        for key, (p, e) in wanted.items()
    }
    return Survey({key: e for key, (_, e) in wanted.items()}, objects, dict(zip(wanted, sides, strict=True)), records)


def _endpoint(endpoints: Mapping[str, Endpoint], planned: Planned) -> Endpoint | None:
    """The endpoint under its planned name, else another that leads to the same: one made by somebody else is used."""
    own = endpoints.get(planned.endpoint.lower())
    if own is not None and own.leads_to(planned.target, planned.group):
        return own
    return next((e for e in endpoints.values() if e.leads_to(planned.target, planned.group)), own)


async def _side(arm: Reader, target: str, endpoint: str, doc: Json | None) -> str:
    """The connection as the target has it: from the list where that carries connections, else asked for."""
    if doc is None:
        return ""
    at = properties(doc)
    if "privateEndpointConnections" not in at:
        return await connection_at_target(arm, target, endpoint, versions.AVD)
    for connection in at["privateEndpointConnections"] or ():
        if same(dig(connection, "properties", "privateEndpoint", "id"), endpoint):
            return str(dig(connection, "properties", "privateLinkServiceConnectionState", "status") or "")
    return ""


def _records(card: Json | None, zones: Sequence[str], endpoint: Endpoint) -> Iterable[Record]:
    for config in properties(card).get("ipConfigurations") or ():
        at = properties(config)
        for fqdn in dig(at, "privateLinkConnectionProperties", "fqdns") or ():
            yield record_of(str(fqdn), str(at.get("privateIPAddress") or ""), zones, endpoint.name)


def _subscriptions(ids: Iterable[str]) -> list[str]:
    return sorted({str(subscription_of(i)).lower() for i in ids})
