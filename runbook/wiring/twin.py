"""From what was read of a real estate to a scenario that a rehearsal starts from. Pure.

Invariant: what the books would read of the twin is what was read of the estate; what only a service can make
(records of a zone group, interfaces of an endpoint) is left for the simulated service to make again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from runbook.core.clock import from_iso, iso
from runbook.core.redact import redact
from runbook.sim.providers.namespaces import ARC_FLAG, NAMESPACES
from runbook.wiring.capture import Estate, Json

_READ_ONLY: Final = frozenset({"etag", "systemData", "managedBy"})
_ORDER: Final = (
    "resourceGroups",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/virtualNetworkGateways",
    "Microsoft.Network/connections",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Network/privateDnsZones",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.HybridCompute/privateLinkScopes",
    "Microsoft.DesktopVirtualization/hostPools",
    "Microsoft.DesktopVirtualization/applicationGroups",
    "Microsoft.DesktopVirtualization/workspaces",
    "Microsoft.DesktopVirtualization/hostPools/sessionHosts",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "Microsoft.Network/privateDnsZones/ALL",
    "Microsoft.HybridCompute/machines",
    "locks",
)
"""What refers to something comes after it."""

_STATES: Final = {
    "registered": "Registered",
    "pending": "Pending",
    "registering": "Pending",
    "unregistered": "Unregistered",
}


def twin(
    estate: Estate, *, id_: str, cloud: str, account: str, now_ms: int, inputs: Mapping[str, Any] | None = None
) -> Json:
    """The scenario, as a document.

    Args:
        estate: what was read.
        id_: the scenario's id.
        cloud: whose rules hold there.
        account: who read it; the twin's operator.
        now_ms: when it was read.
        inputs: the book's inputs to go with it.
    """
    subscriptions = [_subscription(estate, doc) for doc in estate.subscriptions]
    doc: Json = {
        "id": id_,
        "title": f"A twin of {len(subscriptions)} subscriptions, read {iso(now_ms)[:10]}",
        "summary": "Made by runbook capture. How long things take and who acts from outside are the defaults.",
        "era": _era(estate),
        "start": iso(now_ms),
        "cloud": cloud,
        "edition": "auto",
        "tenant": {
            "id": str(estate.tenant.get("tenantId", "")),
            "name": str(estate.tenant.get("displayName") or "Tenant"),
            "domain": str(estate.tenant.get("defaultDomain") or "example.onmicrosoft.com"),
        },
        "operator": {"name": account, "object_id": _OPERATOR, "permissions": list(_grants(estate))},
        "subscriptions": subscriptions,
        "features": list(_flags(estate)),
        "activity": list(_activity(estate, now_ms)),
        "resources": [body for name in _ORDER for body in _MAKE.get(name, _all)(estate, name)],
    }
    if inputs:
        doc["inputs"] = dict(inputs)
    safe: Json = _without_words(redact(doc))
    return safe


_OPERATOR: Final = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"


# ---------------------------------------------------------------- subscriptions


def _subscription(estate: Estate, doc: Json) -> Json:
    scope = f"/subscriptions/{str(doc['subscriptionId']).lower()}"
    providers: dict[str, Any] = {}
    for found in estate.providers.get(scope, ()):
        entry = NAMESPACES.get(str(found.get("namespace", "")).lower())
        if entry is None or entry.is_free:
            continue
        state = _STATES.get(str(found.get("registrationState", "")).lower(), "NotRegistered")
        state = "NotRegistered" if state == "Pending" else state
        providers[entry.name] = state
        if entry.gated:
            listed = {str(t.get("resourceType", "")).lower() for t in found.get("resourceTypes") or ()}
            sees = sorted({gate.feature for gate in entry.gated if gate.kind.lower() in listed})
            providers[entry.name] = {"state": state, "sees": sees}
    features = {}
    for flag in estate.features.get(scope, ()):
        word = _STATES.get(str((flag.get("properties") or {}).get("state", "")).lower())
        if word is not None:
            features[str(flag["name"])] = word
    return {
        "id": str(doc["subscriptionId"]).lower(),
        "name": str(doc.get("displayName", "")),
        "state": str(doc.get("state", "Enabled")),
        "providers": providers,
        "features": features,
    }


def _era(estate: Estate) -> str:
    """``preview`` only where the flag still exists and nobody sees the type in a stable version."""
    versions = [
        str(version)
        for found in (p for every in estate.providers.values() for p in every)
        if str(found.get("namespace", "")).lower() == "microsoft.hybridcompute"
        for kind in found.get("resourceTypes") or ()
        if str(kind.get("resourceType", "")).lower() == "privatelinkscopes"
        for version in kind.get("apiVersions") or ()
    ]
    flags = {str(f.get("name", "")).lower() for every in estate.features.values() for f in every}
    is_stable = any("preview" not in version for version in versions)
    return "preview" if ARC_FLAG.lower() in flags and not is_stable else "ga"


def _flags(estate: Estate) -> Iterator[Json]:
    """Flags that the books may ask for, with what is known of them."""
    known = {
        f"{p.get('providerNamespace')}/{p.get('featureName')}".lower(): p
        for every in estate.registrations.values()
        for p in (r.get("properties") or {} for r in every)
    }
    names = {str(f["name"]) for every in estate.features.values() for f in every}
    for name in sorted(names):
        about = known.get(name.lower())
        if about is not None:
            approval = "ApprovalRequired" if about.get("approvalType") == "ApprovalRequired" else "AutoApproval"
            yield {"name": name, "approval": approval, "display_name": str(about.get("displayName") or "")}


def _grants(estate: Estate) -> Iterator[Json]:
    """What the account may do: of a resource group only what its subscription does not say already."""
    for scope, entries in estate.grants.items():
        above = estate.grants.get(scope.partition("/resourceGroups/")[0], []) if "/resourceGroups/" in scope else []
        for entry in entries:
            if entry not in above:
                actions = {"actions": entry.get("actions") or [], "notActions": entry.get("notActions") or []}
                yield {"scope": scope, **actions}


def _activity(estate: Estate, now_ms: int) -> Iterator[Json]:
    """Each registration once, whatever number of entries it left."""
    seen: set[str] = set()
    for event in estate.activity:
        key = str(event.get("correlationId", ""))
        if key not in seen:
            seen.add(key)
            yield {
                "before": max(0.0, (now_ms - from_iso(str(event["eventTimestamp"]))) / 1000),
                "caller": str(event.get("caller", "")),
                "operation": str((event.get("operationName") or {}).get("value", "")),
                "resource": str(event.get("resourceId", "")),
            }


# ---------------------------------------------------------------- resources


def _all(estate: Estate, name: str) -> Iterator[Json]:
    for body in estate.resources.get(name, ()):
        yield {key: value for key, value in body.items() if key not in _READ_ONLY and value is not None}


def _machines_own(estate: Estate, name: str) -> Iterator[Json]:
    """Interfaces of machines; an endpoint's is made with the endpoint."""
    return (nic for nic in _all(estate, name) if not (nic.get("properties") or {}).get("privateEndpoint"))


def _own_records(estate: Estate, name: str) -> Iterator[Json]:
    """Records that somebody entered: no SOA, and none that a zone group writes."""
    for record in _all(estate, name):
        properties = record.get("properties") or {}
        by_group = str((properties.get("metadata") or {}).get("creator", "")).startswith("created by private endpoint")
        is_a = str(record.get("type", "")).lower().endswith("/a")
        if is_a and not by_group and not properties.get("isAutoRegistered"):
            yield {"id": record["id"], "properties": {k: properties[k] for k in _RECORD if k in properties}}


_RECORD: Final = ("ttl", "aRecords", "metadata")


def _endpoints(estate: Estate, name: str) -> Iterator[Json]:
    """Endpoints with the addresses they have, whether somebody chose these or Azure did."""
    nics = {str(n["id"]).lower(): n for n in estate.resources.get("Microsoft.Network/networkInterfaces", ())}
    for endpoint in _all(estate, name):
        properties = endpoint["properties"]
        wanted = [nics.get(str(n.get("id", "")).lower()) for n in properties.get("networkInterfaces") or ()]
        told = [c for nic in wanted if nic for c in (nic.get("properties") or {}).get("ipConfigurations") or ()]
        fixed = properties.get("ipConfigurations") or list(_fixed(told))
        kept = {key: properties[key] for key in _ENDPOINT if properties.get(key)}
        yield {**endpoint, "properties": {**kept, **({"ipConfigurations": fixed} if fixed else {})}}


_ENDPOINT: Final = (
    "subnet",
    "privateLinkServiceConnections",
    "manualPrivateLinkServiceConnections",
    "customNetworkInterfaceName",
)


def _fixed(configurations: Iterable[Json]) -> Iterator[Json]:
    for number, found in enumerate(configurations):
        about = found.get("properties") or {}
        link = about.get("privateLinkConnectionProperties") or {}
        if link.get("groupId") and link.get("requiredMemberName") and about.get("privateIPAddress"):
            yield {
                "name": f"ip{number + 1}",
                "properties": {
                    "groupId": link["groupId"],
                    "memberName": link["requiredMemberName"],
                    "privateIPAddress": about["privateIPAddress"],
                },
            }


def _zone_groups(estate: Estate, name: str) -> Iterator[Json]:
    for group in _all(estate, name):
        configs = [
            {
                "name": c.get("name"),
                "properties": {"privateDnsZoneId": (c.get("properties") or {}).get("privateDnsZoneId")},
            }
            for c in (group.get("properties") or {}).get("privateDnsZoneConfigs") or ()
        ]
        yield {"id": group["id"], "properties": {"privateDnsZoneConfigs": configs}}


_MAKE: Final[Mapping[str, Callable[[Estate, str], Iterator[Json]]]] = {
    "Microsoft.Network/networkInterfaces": _machines_own,
    "Microsoft.Network/privateDnsZones/ALL": _own_records,
    "Microsoft.Network/privateEndpoints": _endpoints,
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": _zone_groups,
}


# ---------------------------------------------------------------- ids


_GUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_OTHERS_DOMAIN: Final = "example.onmicrosoft.com"


def with_other_ids(doc: Json) -> Json:
    """The scenario with every GUID, every person and the tenant's name and domain replaced, the same by the same.

    Names of resources, groups and subscriptions stay: whoever hands the file on reads it first.
    """
    others: dict[str, str] = {}
    people: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        guid = found[0].lower()
        return others.setdefault(guid, f"{len(others) + 1:08x}-0000-4000-8000-000000000000")

    def person(found: re.Match[str]) -> str:
        return people.setdefault(found[0].lower(), f"person-{len(people) + 1}@example.com")

    domain = str(doc["tenant"]["domain"])

    def text(value: str) -> str:
        value = _ADDRESS.sub(person, _GUID.sub(other, value))
        return value.replace(domain, _OTHERS_DOMAIN) if domain else value

    changed: Json = _each_text(doc, text)
    changed["tenant"]["name"] = "Tenant"
    return changed


def _without_words(value: Any) -> Any:
    """Braces in a text would be taken for a scenario's words."""
    return _each_text(value, lambda text: text.replace("{{", "{ {").replace("}}", "} }"))


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {_each_text(key, change): _each_text(inner, change) for key, inner in value.items()}
        case list():
            return [_each_text(inner, change) for inner in value]
        case _:
            return value


# ---------------------------------------------------------------- whether it stands


MOST_UNFIT: Final = 200
"""More resources than this that the simulated Azure refuses, and the twin is given up."""


def fitting(doc: Json) -> tuple[Json, list[str]]:
    """The scenario without the resources that the simulated Azure refuses, and a remark on each of them.

    Raises:
        BookError: it cannot be filled, for a reason that is no resource's.
    """
    from runbook.core.clock import VirtualClock
    from runbook.core.error import BookError
    from runbook.sim.cloud import Cloud
    from runbook.sim.scenario import from_doc
    from runbook.sim.state import State

    remarks: list[str] = []
    for _ in range(MOST_UNFIT):
        scenario = from_doc(doc)
        try:
            Cloud(scenario, VirtualClock(scenario.start_ms), State())
        except BookError as error:
            named = [body["id"] for body in doc["resources"] if f": {body['id']}: " in f"{error.message}"]
            if not named:
                raise
            worst = max(named, key=len)
            doc = {**doc, "resources": [body for body in doc["resources"] if body["id"] != worst]}
            remarks.append(f"Not in the twin, as the simulated Azure refuses it: {error.message.partition(': ')[2]}")
        else:
            return doc, remarks
    raise BookError(f"the simulated Azure refuses more than {MOST_UNFIT} of its resources: {remarks[0]}")
