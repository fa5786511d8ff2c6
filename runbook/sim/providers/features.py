"""Microsoft.Features: preview flags of a subscription.

Invariants: an auto-approved flag goes Registering → Registered by itself; an approval-gated one stays ``Pending``
until somebody outside answers, and a refused one reads ``NotRegistered`` again; a name the catalogue does not hold is
``FeatureNotFound``.

Source: "Set up preview features in Azure subscription", learn.microsoft.com; Microsoft.Features OpenAPI 2021-07-01
(features, SubscriptionFeatureRegistration). What a refused request reads as is not documented: our choice.
"""

from __future__ import annotations

from typing import Final

from runbook.core.clock import iso
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import effect
from runbook.sim.parties import ANSWERS
from runbook.sim.providers.namespaces import ARC_FLAG, AVD_CLOUDS, AVD_FLAG, AVD_FLAG_DISPLAY, NETWORK_FLAG
from runbook.sim.routes import SUBSCRIPTION, Place, route
from runbook.sim.scenario import Feature
from runbook.sim.seeding import starter
from runbook.sim.wire import ArmFault, Call, Json, Reply, json_body

FEATURES: Final = frozenset({"2014-08-01-preview", "2015-12-01", "2021-07-01"})
_BOTH: Final = (
    Feature(name=NETWORK_FLAG, display_name="Private endpoints"),
    Feature(name=ARC_FLAG, approval="ApprovalRequired", display_name="Private Link for Arc-enabled servers"),
)
_TABLE: Final = "features"
ANSWERS["feature_pending"] = "feature.answer"


# ---------------------------------------------------------------- what others ask


def approved(cloud: Cloud, subscription: str) -> list[str]:
    """Names of the features that are ``Registered`` in a subscription."""
    prefix = f"{subscription}|".lower()
    return [row["name"] for _, row in cloud.state.items(_TABLE, prefix) if row["state"] == "Registered"]


def check_feature(cloud: Cloud, subscription: str, name: str) -> None:
    """In era ``preview``, refuse what lacks a feature. Never the platform's own calls, and nothing in era ``ga``.

    Raises:
        ArmFault: 400 ``SubscriptionNotRegisteredForFeature``.
    """
    if cloud.scenario.era == "ga" or cloud.turn.caller.kind == "platform":
        return
    need_feature(cloud, subscription, name)


def need_feature(cloud: Cloud, subscription: str, name: str) -> None:
    """Refuse what lacks a feature, in whatever era.

    Raises:
        ArmFault: 400 ``SubscriptionNotRegisteredForFeature``.
    """
    if name.lower() not in (n.lower() for n in approved(cloud, subscription)):
        raise ArmFault(
            400,
            "SubscriptionNotRegisteredForFeature",
            f"Subscription {subscription} is not registered for feature {name} required to carry out the requested "
            "operation.",
            target=name,
        )


# ---------------------------------------------------------------- state


def _catalogue(cloud: Cloud) -> dict[str, Feature]:
    era = cloud.scenario.era
    desktop = (Feature(name=AVD_FLAG, display_name=AVD_FLAG_DISPLAY[era]),)
    has_desktop = era == "preview" or cloud.scenario.cloud in AVD_CLOUDS
    return {f.name.lower(): f for f in (*_BOTH, *(desktop if has_desktop else ()), *cloud.scenario.features)}


@starter
def _start(cloud: Cloud) -> None:
    for subscription in cloud.scenario.subscriptions:
        for name, state in subscription.features.items():
            _set(cloud, subscription.id, name, state)


def _key(subscription: str, name: str) -> str:
    return f"{subscription}|{name}".lower()


def _row(cloud: Cloud, subscription: str, name: str) -> Json:
    return cloud.state.get(_TABLE, _key(subscription, name)) or {"name": name, "state": "NotRegistered", "turn": 0}


def _set(cloud: Cloud, subscription: str, name: str, state: str) -> Json:
    row = _row(cloud, subscription, name)
    row |= {"state": state, "turn": row["turn"] + 1}
    if state in ("Pending", "Registered"):
        row["at_ms"] = cloud.now_ms
    cloud.state.put(_TABLE, _key(subscription, name), row)
    return row


def _found(cloud: Cloud, place: Place) -> Feature:
    name = f"{place['ns']}/{place['feature']}"
    feature = _catalogue(cloud).get(name.lower())
    if feature is None:
        raise ArmFault(404, "FeatureNotFound", f"The feature '{place['feature']}' could not be found.")
    return feature


def _body(cloud: Cloud, subscription: str, feature: Feature) -> Json:
    namespace, _, name = feature.name.partition("/")
    state = _row(cloud, subscription, feature.name)["state"]
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}/features/{name}",
        "name": feature.name,
        "type": "Microsoft.Features/providers/features",
        "properties": {"state": state},
    }


# ---------------------------------------------------------------- registering


def _register(cloud: Cloud, subscription: str, feature: Feature) -> None:
    if _row(cloud, subscription, feature.name)["state"] in ("Registered", "Registering", "Pending"):
        return
    if feature.approval == "ApprovalRequired":
        _set(cloud, subscription, feature.name, "Pending")
        cloud.emit("feature_pending", {"feature": feature.name, "subscription": subscription})
        return
    row = _set(cloud, subscription, feature.name, "Registering")
    takes_ms = cloud.takes_ms("feature") if feature.takes is None else round(feature.takes * 1000)
    args = {"subscription": subscription, "feature": feature.name, "turn": row["turn"]}
    cloud.later(cloud.now_ms + takes_ms, "feature.registered", args)


@effect("feature.registered")
def _registered(cloud: Cloud, args: Json) -> None:
    if _row(cloud, args["subscription"], args["feature"])["turn"] == args["turn"]:
        _set(cloud, args["subscription"], args["feature"], "Registered")


@effect("feature.answer")
def _answer(cloud: Cloud, args: Json) -> None:
    """Somebody outside approves or rejects a pending request; one withdrawn meanwhile stays as it is."""
    if _row(cloud, args["subscription"], args["feature"])["state"] == "Pending":
        _set(cloud, args["subscription"], args["feature"], "Registered" if args["approved"] else "NotRegistered")


# ---------------------------------------------------------------- routes

_KIND: Final = "Microsoft.Features/providers/features"
_HOME: Final = SUBSCRIPTION + "/providers/Microsoft.Features"
_ONE: Final = _HOME + "/providers/{ns}/features/{feature}"
_READ: Final = "Microsoft.Features/features/read"


@route("GET", _HOME + "/features", versions=FEATURES, kind=_KIND, action=_READ, registered=False)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, [_body(cloud, place.sub, f) for _, f in sorted(_catalogue(cloud).items())])


@route("GET", _HOME + "/providers/{ns}/features", versions=FEATURES, kind=_KIND, action=_READ, registered=False)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    prefix = place["ns"].lower() + "/"
    found = [f for name, f in sorted(_catalogue(cloud).items()) if name.startswith(prefix)]
    return cloud.listing(call, [_body(cloud, place.sub, f) for f in found])


@route("GET", _ONE, versions=FEATURES, kind=_KIND, action=_READ, registered=False)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, _body(cloud, place.sub, _found(cloud, place)))


@route(
    "POST",
    _ONE + "/register",
    versions=FEATURES,
    kind=_KIND,
    action="Microsoft.Features/providers/features/register/action",
    registered=False,
)
def _post_register(cloud: Cloud, call: Call, place: Place) -> Reply:
    feature = _found(cloud, place)
    _register(cloud, place.sub, feature)
    return Reply(200, {}, _body(cloud, place.sub, feature))


@route(
    "POST",
    _ONE + "/unregister",
    versions=FEATURES,
    kind=_KIND,
    action="Microsoft.Features/providers/features/unregister/action",
    registered=False,
)
def _post_unregister(cloud: Cloud, call: Call, place: Place) -> Reply:
    feature = _found(cloud, place)
    if _row(cloud, place.sub, feature.name)["state"] in ("Registered", "Registering", "Pending"):
        _set(cloud, place.sub, feature.name, "Unregistered")
    return Reply(200, {}, _body(cloud, place.sub, feature))


# ---------------------------------------------------------------- the registration object

_OBJECT: Final = "Microsoft.Features/featureProviders/subscriptionFeatureRegistrations"
_OBJECTS: Final = _HOME + "/featureProviders/{ns}/subscriptionFeatureRegistrations"


def _object(cloud: Cloud, subscription: str, feature: Feature) -> Json:
    namespace, _, name = feature.name.partition("/")
    row = _row(cloud, subscription, feature.name)
    properties: Json = {
        "tenantId": cloud.scenario.tenant.id,
        "subscriptionId": subscription,
        "featureName": name,
        "displayName": feature.display_name or name,
        "providerNamespace": namespace,
        "state": row["state"],
        "approvalType": feature.approval,
        "shouldFeatureDisplayInPortal": False,
    }
    if "at_ms" in row:
        properties["registrationDate"] = iso(row["at_ms"])
    home = f"/subscriptions/{subscription}/providers/Microsoft.Features/featureProviders/{namespace}"
    return {
        "id": f"{home}/subscriptionFeatureRegistrations/{name}",
        "name": name,
        "type": _OBJECT,
        "properties": properties,
    }


@route("GET", _OBJECTS, versions=("2021-07-01",), kind=_OBJECT, action=_READ, registered=False)
def _list_objects(cloud: Cloud, call: Call, place: Place) -> Reply:
    prefix = place["ns"].lower() + "/"
    found = [f for name, f in sorted(_catalogue(cloud).items()) if name.startswith(prefix)]
    held = [f for f in found if _row(cloud, place.sub, f.name)["state"] != "NotRegistered"]
    return cloud.listing(call, [_object(cloud, place.sub, f) for f in held])


@route("GET", _OBJECTS + "/{feature}", versions=("2021-07-01",), kind=_OBJECT, action=_READ, registered=False)
def _get_object(cloud: Cloud, call: Call, place: Place) -> Reply:
    feature = _found(cloud, place)
    if _row(cloud, place.sub, feature.name)["state"] == "NotRegistered":
        message = f"The subscription feature registration '{place['feature']}' could not be found."
        raise ArmFault(404, "SubscriptionFeatureRegistrationNotFound", message)
    return Reply(200, {}, _object(cloud, place.sub, feature))


@route("PUT", _OBJECTS + "/{feature}", versions=("2021-07-01",), kind=_OBJECT, registered=False)
def _put_object(cloud: Cloud, call: Call, place: Place) -> Reply:
    if call.body is not None:
        json_body(call)
    feature = _found(cloud, place)
    _register(cloud, place.sub, feature)
    return Reply(200, {}, _object(cloud, place.sub, feature))


@route("DELETE", _OBJECTS + "/{feature}", versions=("2021-07-01",), kind=_OBJECT, registered=False)
def _delete_object(cloud: Cloud, call: Call, place: Place) -> Reply:
    feature = _found(cloud, place)
    if _row(cloud, place.sub, feature.name)["state"] == "NotRegistered":
        return Reply(204)
    _set(cloud, place.sub, feature.name, "NotRegistered")
    return Reply(200)
