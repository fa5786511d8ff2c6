"""Providers of a subscription: reading, registering, unregistering, and which resource types can be seen.

Invariants: a call to a namespace that is not registered is refused; registering takes a while; a type that a preview
feature guards is seen only after a registration that *began* when the feature was already approved, whatever
``registrationState`` says meanwhile, and in preview versions only.

Source: "Azure resource providers and types" and "Set up preview features in Azure subscription" (re-register the
provider to propagate the change), learn.microsoft.com; Microsoft.Resources OpenAPI 2024-03-01.
"""

from __future__ import annotations

from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.hooks import effect
from runbook.sim.providers.namespaces import NAMESPACES, Namespace
from runbook.sim.regions import regions
from runbook.sim.routes import SUBSCRIPTION, Place, route, versions_of
from runbook.sim.scenario import Registration
from runbook.sim.seeding import starter
from runbook.sim.wire import ArmFault, Call, Json, Reply

RESOURCES: Final = frozenset(
    {
        "2014-04-01-preview", "2015-01-01", "2015-11-01", "2016-02-01", "2016-07-01", "2016-09-01", "2017-05-10",
        "2018-02-01", "2018-05-01", "2019-03-01", "2019-05-01", "2019-05-10", "2019-07-01", "2019-08-01", "2019-10-01",
        "2020-06-01", "2020-08-01", "2020-10-01", "2021-01-01", "2021-04-01", "2022-09-01", "2023-07-01", "2024-03-01",
        "2024-07-01", "2024-11-01", "2025-03-01", "2025-04-01",
    }
)  # fmt: skip
_TABLE: Final = "registrations"
_SUFFIX: Final = "See https://aka.ms/rps-not-found for how to register subscriptions."


# ---------------------------------------------------------------- what others ask


def state_of(cloud: Cloud, subscription: str, namespace: str) -> str:
    """``registrationState``; ``Registered`` for ARM's own and for namespaces the catalogue does not know."""
    row = cloud.state.get(_TABLE, _key(subscription, namespace))
    return "Registered" if row is None else str(row["state"])


def check_registered(cloud: Cloud, subscription: str, namespace: str) -> None:
    """Refuse a call to a namespace that the subscription has not registered.

    Raises:
        ArmFault: 409 ``MissingSubscriptionRegistration`` with the namespace as target.
    """
    state = state_of(cloud, subscription, namespace)
    if state in ("Registered", "Unregistering"):
        return
    if state == "NotRegistered":
        message = f"The subscription is not registered to use namespace '{namespace}'. {_SUFFIX}"
    else:
        message = (
            f"The subscription registration is in '{state}' state. "
            f"The subscription must be registered to use namespace '{namespace}'. {_SUFFIX}"
        )
    code = "MissingSubscriptionRegistration"
    raise ArmFault(409, code, message, details=[{"code": code, "target": namespace, "message": message}])


def is_visible(cloud: Cloud, subscription: str, kind: str) -> bool:
    """Whether a resource type (``Microsoft.HybridCompute/privateLinkScopes``) exists for a subscription.

    A guarded one does after a registration that knew its feature, any other always.
    """
    flags = flags_for(cloud, kind)
    if not flags:
        return True
    row = cloud.state.get(_TABLE, _key(subscription, kind.partition("/")[0])) or {"sees": []}
    seen = {f.lower() for f in row["sees"]}
    return all(flag.lower() in seen for flag in flags)


def flags_for(cloud: Cloud, kind: str) -> list[str]:
    """The features that a resource type waits for, in the scenario's era and cloud."""
    namespace, _, name = kind.partition("/")
    entry = NAMESPACES.get(namespace.lower())
    return [
        gate.feature
        for gate in (() if entry is None else entry.gated)
        if gate.kind.lower() == name.lower() and gate.is_shut(cloud.scenario.era, cloud.scenario.cloud)
    ]


# ---------------------------------------------------------------- state


def _key(subscription: str, namespace: str) -> str:
    return f"{subscription}|{namespace}".lower()


@starter
def _start(cloud: Cloud) -> None:
    for subscription in cloud.scenario.subscriptions:
        given = {name.lower(): value for name, value in subscription.providers.items()}
        approved = [name for name, state in subscription.features.items() if state == "Registered"]
        for key, entry in NAMESPACES.items():
            if entry.is_free:
                continue
            value = given.get(key, "Registered" if entry.starts else "NotRegistered")
            row = value if isinstance(value, Registration) else Registration(state=value)
            sees = row.sees if row.sees is not None else approved
            cloud.state.put(
                _TABLE,
                _key(subscription.id, key),
                {
                    "state": row.state,
                    "sees": sees if row.state == "Registered" else [],
                    "takes_ms": cloud.takes_ms("provider") if row.takes is None else round(row.takes * 1000),
                    "turn": 0,
                },
            )


def _body(cloud: Cloud, subscription: str, entry: Namespace) -> Json:
    places = [r.display for r in regions(cloud.scenario).values()]
    types = []
    for name, listed in sorted(entry.types.items()):
        kind = f"{entry.name}/{name}"
        if not is_visible(cloud, subscription, kind):
            continue
        is_global = "dnszones" in name.lower() or entry.is_free
        versions = versions_of(kind) or list(listed)
        if cloud.scenario.era == "preview":
            is_gated = any(gate.kind == name for gate in entry.gated)
            versions = [v for v in versions if v not in entry.later and ("preview" in v or not is_gated)]
        types.append(
            {
                "resourceType": name,
                "locations": ["global"] if "dnszones" in name.lower() else [] if is_global else places,
                "apiVersions": versions,
                "capabilities": "None" if entry.is_free else "SupportsTags, SupportsLocation",
            }
        )
    return {
        "id": f"/subscriptions/{subscription}/providers/{entry.name}",
        "namespace": entry.name,
        "registrationPolicy": "RegistrationFree" if entry.is_free else "RegistrationRequired",
        "registrationState": state_of(cloud, subscription, entry.name),
        "resourceTypes": types,
    }


def _entry(place: Place) -> Namespace:
    entry = NAMESPACES.get(place["ns"].lower())
    if entry is None:
        raise ArmFault(404, "InvalidResourceNamespace", f"The resource namespace '{place['ns']}' is invalid.")
    return entry


# ---------------------------------------------------------------- routes

_KIND: Final = "Microsoft.Resources/providers"
_READ: Final = "Microsoft.Resources/subscriptions/providers/read"
_ONE: Final = SUBSCRIPTION + "/providers/{ns}"


@route("GET", SUBSCRIPTION + "/providers", versions=RESOURCES, kind=_KIND, action=_READ, registered=False)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, [_body(cloud, place.sub, entry) for entry in NAMESPACES.values()])


@route("GET", _ONE, versions=RESOURCES, kind=_KIND, action=_READ, registered=False)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, _body(cloud, place.sub, _entry(place)))


@route("POST", _ONE + "/register", versions=RESOURCES, kind=_KIND, action="{ns}/register/action", registered=False)
def _register(cloud: Cloud, call: Call, place: Place) -> Reply:
    entry = _entry(place)
    key = _key(place.sub, entry.name)
    row = cloud.state.get(_TABLE, key)
    if row is not None:
        row["turn"] += 1
        if row["state"] != "Registered":
            row["state"] = "Registering"
        cloud.state.put(_TABLE, key, row)
        args = {"key": key, "turn": row["turn"], "sees": _approved(cloud, place.sub)}
        cloud.later(cloud.now_ms + row["takes_ms"], "provider.registered", args)
    return Reply(200, {}, _body(cloud, place.sub, entry))


@effect("provider.registered")
def _registered(cloud: Cloud, args: Json) -> None:
    row = cloud.state.get(_TABLE, args["key"])
    if row is not None and row["state"] in ("Registering", "Registered"):
        if row["turn"] == args["turn"]:
            row["state"] = "Registered"
        row["sees"] = args["sees"]
        cloud.state.put(_TABLE, args["key"], row)


@route("POST", _ONE + "/unregister", versions=RESOURCES, kind=_KIND, action="{ns}/unregister/action", registered=False)
def _unregister(cloud: Cloud, call: Call, place: Place) -> Reply:
    entry = _entry(place)
    key = _key(place.sub, entry.name)
    row = cloud.state.get(_TABLE, key)
    if row is not None and row["state"] == "Registered":
        middle = f"/providers/{entry.name.lower()}/"
        used = [k for k in cloud.state.keys("resources", f"/subscriptions/{place.sub.lower()}/") if middle in k]
        if used:
            raise ArmFault(
                409,
                "Conflict",
                f"Cannot unregister namespace '{entry.name}' because {len(used)} resource(s) of it exist in "
                f"subscription '{place.sub}'. Delete them first.",
            )
        row["turn"] += 1
        row["state"] = "Unregistering"
        cloud.state.put(_TABLE, key, row)
        cloud.later(cloud.now_ms + row["takes_ms"], "provider.unregistered", {"key": key, "turn": row["turn"]})
    return Reply(200, {}, _body(cloud, place.sub, entry))


@effect("provider.unregistered")
def _unregistered(cloud: Cloud, args: Json) -> None:
    row = cloud.state.get(_TABLE, args["key"])
    if row is not None and row["turn"] == args["turn"]:
        cloud.state.put(_TABLE, args["key"], {**row, "state": "Unregistered", "sees": []})


def _approved(cloud: Cloud, subscription: str) -> list[str]:
    from runbook.sim.providers.features import approved

    return approved(cloud, subscription)
