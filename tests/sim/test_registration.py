from __future__ import annotations

from typing import Any

import pytest

from tests.sim.openapi import check, needs_specs
from tests.sim.world import OTHER, SUB, World, scenario

V = "2021-04-01"
FEATURES = "2021-07-01"
SCOPES = "2022-12-27"
ARC = f"/subscriptions/{SUB}/providers/Microsoft.HybridCompute"
FLAG = (
    f"/subscriptions/{SUB}/providers/Microsoft.Features/providers/Microsoft.HybridCompute/features/"
    "ArcServerPrivateLinkPreview"
)
SCOPE = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.HybridCompute/privateLinkScopes/s"
PLACE = {"location": "westeurope"}


def preview(**changes: Any) -> World:
    approver = {"id": "approver", "who": "Microsoft", "on": "feature_pending", "after": "2d", "do": "approve"}
    return World(scenario(**{"era": "preview", "parties": [approver], **changes}))


def types(world: World) -> list[str]:
    return [t["resourceType"] for t in world.get(ARC, V)["resourceTypes"]]


def versions(world: World) -> list[str]:
    """Those of the scope's type."""
    listed = world.get(ARC, V)["resourceTypes"]
    return list(next(t["apiVersions"] for t in listed if t["resourceType"] == "privateLinkScopes"))


def test_an_unregistered_namespace_refuses_reads_and_writes_and_is_named() -> None:
    world = World()
    machines = f"/subscriptions/{OTHER}/providers/Microsoft.HybridCompute/machines"
    reply = world.call("GET", machines, SCOPES)
    assert (reply.status, reply.body["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    assert reply.body["error"]["details"][0]["target"] == "Microsoft.HybridCompute"


def test_registering_takes_a_while_and_then_holds() -> None:
    world = World()
    other = ARC.replace(SUB, OTHER)
    assert world.get(other, V)["registrationState"] == "NotRegistered"
    assert world.ok("POST", other + "/register", V)["registrationState"] == "Registering"
    assert "Registering" in world.refused("GET", other + "/machines", SCOPES)[2]
    world.wait(39)
    assert world.get(other, V)["registrationState"] == "Registering"
    world.wait(1)
    assert world.get(other, V)["registrationState"] == "Registered"
    assert world.get(other + "/machines", SCOPES) == {"value": []}


def test_unregistering_is_refused_while_resources_remain() -> None:
    world = World()
    world.ok("PUT", SCOPE, SCOPES, PLACE)
    assert world.refused("POST", ARC + "/unregister", V)[0] == 409
    world.ok("DELETE", SCOPE, SCOPES)
    world.wait(60)
    assert world.ok("POST", ARC + "/unregister", V)["registrationState"] == "Unregistering"
    world.wait(60)
    assert world.get(ARC, V)["registrationState"] == "Unregistered"


def test_in_the_preview_a_scope_needs_the_flag_and_then_a_registration_that_began_after_the_approval() -> None:
    world = preview()
    assert world.refused("PUT", SCOPE, SCOPES, PLACE)[1] == "SubscriptionNotRegisteredForFeature"
    assert "privateLinkScopes" not in types(world)
    assert world.ok("POST", FLAG + "/register", FEATURES)["properties"]["state"] == "Pending"
    world.ok("POST", ARC + "/register", V)  # too early: it does not know of the approval
    world.wait(2 * 86_400 - 1)
    assert world.get(FLAG, FEATURES)["properties"]["state"] == "Pending"
    world.wait(1)
    assert world.get(FLAG, FEATURES)["properties"]["state"] == "Registered"
    assert world.refused("PUT", SCOPE, SCOPES, PLACE)[1] == "NoRegisteredProviderFound"
    assert "privateLinkScopes" not in types(world)
    again = world.ok("POST", ARC + "/register", V)
    assert again["registrationState"] == "Registered"  # the state says nothing about it
    world.wait(60)
    assert "privateLinkScopes" in types(world)
    assert all("preview" in version for version in versions(world))
    assert world.call("PUT", SCOPE, SCOPES, PLACE).status == 201


def test_at_general_availability_nothing_needs_a_flag() -> None:
    world = World()
    assert "privateLinkScopes" in types(world)
    assert SCOPES in versions(world)
    assert world.get(FLAG, FEATURES)["properties"]["state"] == "NotRegistered"
    assert world.call("PUT", SCOPE, SCOPES, PLACE).status == 201


def test_an_auto_approved_flag_registers_by_itself() -> None:
    world = preview()
    flag = (
        f"/subscriptions/{SUB}/providers/Microsoft.Features/providers/Microsoft.Network/features/AllowPrivateEndpoints"
    )
    assert world.ok("POST", flag + "/register", FEATURES)["properties"]["state"] == "Registering"
    world.wait(20)
    assert world.get(flag, FEATURES)["properties"]["state"] == "Registered"


def test_the_singular_spelling_of_the_article_is_not_found() -> None:
    world = preview()
    flag = (
        f"/subscriptions/{SUB}/providers/Microsoft.Features/providers/Microsoft.Network/features/AllowPrivateEndpoint"
    )
    status, code, message = world.refused("POST", flag + "/register", FEATURES)
    assert (status, code) == (404, "FeatureNotFound")
    assert "AllowPrivateEndpoint" in message


def test_a_rejected_request_reads_not_registered_and_can_be_made_again() -> None:
    party = {"who": "Microsoft", "on": "feature_pending", "after": "1d"}
    world = preview(
        parties=[
            {**party, "id": "first", "nth": 1, "do": "reject"},
            {**party, "id": "then", "beyond": 1, "do": "approve"},
        ]
    )
    world.ok("POST", FLAG + "/register", FEATURES)
    world.wait(86_400)
    assert world.get(FLAG, FEATURES)["properties"]["state"] == "NotRegistered"
    assert world.ok("POST", FLAG + "/register", FEATURES)["properties"]["state"] == "Pending"
    world.wait(86_400)
    assert world.get(FLAG, FEATURES)["properties"]["state"] == "Registered"


def test_a_request_withdrawn_meanwhile_is_not_approved() -> None:
    world = preview()
    world.ok("POST", FLAG + "/register", FEATURES)
    assert world.ok("POST", FLAG + "/unregister", FEATURES)["properties"]["state"] == "Unregistered"
    world.wait(3 * 86_400)
    assert world.get(FLAG, FEATURES)["properties"]["state"] == "Unregistered"


def test_asking_again_while_pending_does_not_start_the_wait_anew() -> None:
    world = preview()
    world.ok("POST", FLAG + "/register", FEATURES)
    world.wait(86_400)
    world.ok("POST", FLAG + "/register", FEATURES)
    world.wait(86_400)
    assert world.get(FLAG, FEATURES)["properties"]["state"] == "Registered"


@needs_specs
@pytest.mark.parametrize(
    ("method", "path", "version", "body"),
    [
        ("GET", f"/subscriptions/{SUB}/providers", "2024-03-01", None),
        ("GET", ARC, "2024-03-01", None),
        ("POST", ARC + "/register", "2024-03-01", None),
        ("GET", f"/subscriptions/{SUB}/providers/Microsoft.Features/features", FEATURES, None),
        ("GET", FLAG.rpartition("/")[0], FEATURES, None),
        ("GET", FLAG, FEATURES, None),
        ("POST", FLAG + "/register", FEATURES, None),
        ("POST", FLAG + "/unregister", FEATURES, None),
        ("GET", FLAG + "x", FEATURES, None),
        ("PUT", "OBJECT", FEATURES, {"properties": {}}),
        ("GET", "OBJECT", FEATURES, None),
        ("GET", "OBJECTS", FEATURES, None),
        ("DELETE", "OBJECT", FEATURES, None),
    ],
)
def test_provider_and_feature_answers_fit_their_descriptions(method: str, path: str, version: str, body: Any) -> None:
    objects = (
        f"/subscriptions/{SUB}/providers/Microsoft.Features/featureProviders/Microsoft.HybridCompute/"
        "subscriptionFeatureRegistrations"
    )
    path = {"OBJECTS": objects, "OBJECT": objects + "/ArcServerPrivateLinkPreview"}.get(path, path)
    world = preview()
    world.ok("POST", FLAG + "/register", FEATURES)
    check(method, path, world.call(method, path, version, body), version)
