from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.core.clock import from_iso
from runbook.core.redact import HIDDEN, redact
from runbook.sim.providers.avd_shapes import APP_GROUP_FIELDS, POOL_FIELDS, WORKSPACE_FIELDS
from tests.sim.avd import (
    APP_GROUP,
    AVD,
    COMPUTE,
    HOST,
    NEWEST,
    OLD,
    PLACE,
    PLACEHOLDER,
    POOL,
    PREVIEW,
    VM,
    WORKSPACE,
    AvdWorld,
    V,
    group_body_of,
    pool_body,
)
from tests.sim.openapi import check, needs_specs
from tests.sim.world import RG, SUB, World

PROVIDER = f"/subscriptions/{SUB}/providers/Microsoft.DesktopVirtualization"


def status_of(world: AvdWorld, method: str, path: str, body: Any = None, version: str = V) -> int:
    return int(world.call(method, path, version, body).status)


# ---------------------------------------------------------------- host pools


def test_writes_are_done_at_once_and_nothing_has_a_provisioning_state() -> None:
    world = AvdWorld()
    new = POOL + "2"
    assert status_of(world, "PUT", new, pool_body()) == 201
    assert status_of(world, "PUT", new, pool_body()) == 200
    assert status_of(world, "PATCH", new, {"properties": {"friendlyName": "x"}}) == 200
    assert "provisioningState" not in world.get(new, V)["properties"]
    assert status_of(world, "DELETE", new) == 200
    assert status_of(world, "DELETE", new) == 204


def test_ids_come_back_with_their_types_in_lower_case() -> None:
    world = AvdWorld()
    for path, tail in ((POOL, "hostpools/hp"), (APP_GROUP, "applicationgroups/dag"), (WORKSPACE, "workspaces/ws")):
        found = world.get(path, V)
        assert found["id"] == f"{AVD}/{tail}".replace("resourceGroups", "resourcegroups")
        assert found["type"] == f"Microsoft.DesktopVirtualization/{tail.partition('/')[0]}"
    assert "/resourcegroups/rg/" in world.get(HOST, V)["id"]
    assert "/hostpools/hp/sessionhosts/vm1.contoso.com" in world.get(HOST, V)["id"]


def test_a_host_pool_says_its_registration_token_which_is_to_be_hidden() -> None:
    world = AvdWorld()
    token = world.get(POOL, V)["properties"]["registrationInfo"]["token"]
    header, claims, _ = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["typ"] == "JWT"
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["iss"] == "Simulated"
    assert world.ok("POST", POOL + "/retrieveRegistrationToken", V)["token"] == token
    assert world.get(f"{PROVIDER}/hostPools", V)["value"][0]["properties"]["registrationInfo"]["token"] == token
    assert AvdWorld().get(POOL, V)["properties"]["registrationInfo"]["token"] == token
    assert redact(world.get(POOL, V))["properties"]["registrationInfo"]["token"] == HIDDEN


def test_a_registration_token_can_be_renewed_and_deleted() -> None:
    world = AvdWorld()
    old = world.get(POOL, V)["properties"]["registrationInfo"]["token"]
    wish = {"registrationTokenOperation": "Update", "expirationTime": "2021-04-01T00:00:00Z"}
    new = world.ok("PATCH", POOL, V, {"properties": {"registrationInfo": wish}})["properties"]["registrationInfo"]
    assert new["expirationTime"] == "2021-04-01T00:00:00Z"
    assert new["token"] != old
    world.ok("PATCH", POOL, V, {"properties": {"registrationInfo": {"registrationTokenOperation": "Delete"}}})
    assert "token" not in world.ok("POST", POOL + "/retrieveRegistrationToken", V)


def test_public_access_may_be_unsaid_and_takes_only_the_documented_values() -> None:
    world = AvdWorld()
    assert "publicNetworkAccess" not in world.get(POOL, V)["properties"]
    for value in ("Enabled", "Disabled", "EnabledForSessionHostsOnly", "EnabledForClientsOnly"):
        world.access(POOL, value)
        assert world.get(POOL, V)["properties"]["publicNetworkAccess"] == value
    for path, wrong in ((POOL, "Off"), (WORKSPACE, "EnabledForClientsOnly")):
        body = {"properties": {"publicNetworkAccess": wrong}}
        assert world.refused("PATCH", path, V, body)[:2] == (400, "InvalidParameter")
    assert world.get(POOL, V)["properties"]["publicNetworkAccess"] == "EnabledForClientsOnly"


def test_what_a_host_pool_needs_is_named() -> None:
    world = AvdWorld()
    for name in ("hostPoolType", "loadBalancerType", "preferredAppGroupType"):
        body = pool_body()
        del body["properties"][name]
        assert name in world.refused("PUT", POOL + "2", V, body)[2]
    assert world.refused("PUT", POOL + "2", V, {"properties": {}})[1] == "LocationRequired"
    assert world.refused("PUT", POOL, V, {**pool_body(), "location": "eastus"})[1] == "InvalidResourceLocation"


def test_fields_that_only_answers_hold_are_ignored() -> None:
    world = AvdWorld()
    before = world.get(POOL, V)["properties"]
    told = {"objectId": "x", "cloudPcResource": True, "applicationGroupReferences": [], "privateEndpointConnections": 1}
    assert world.ok("PATCH", POOL, V, {"properties": told})["properties"] == before
    assert world.ok("PUT", POOL, V, pool_body(**told))["properties"]["objectId"] == before["objectId"]
    world.ok("PATCH", POOL, V, {"properties": {"hostPoolType": "Personal"}})
    assert world.get(POOL, V)["properties"]["hostPoolType"] == "Pooled"


def test_a_version_neither_shows_nor_touches_what_it_does_not_know() -> None:
    world = AvdWorld()
    world.access(POOL, "Disabled")
    assert "publicNetworkAccess" not in world.get(POOL, OLD)["properties"]
    assert "privateEndpointConnections" not in world.get(POOL, OLD)["properties"]
    world.ok("PUT", POOL, OLD, pool_body(friendlyName="old"))
    assert world.get(POOL, V)["properties"]["publicNetworkAccess"] == "Disabled"
    world.ok("PATCH", POOL, OLD, {"properties": {"publicNetworkAccess": "Enabled"}})
    assert world.get(POOL, V)["properties"]["publicNetworkAccess"] == "Disabled"
    world.ok("PUT", POOL, V, pool_body())
    assert "publicNetworkAccess" not in world.get(POOL, V)["properties"]


def test_versions_that_nobody_published_are_refused() -> None:
    world = AvdWorld()
    assert world.refused("GET", POOL, "2024-04-04")[1] == "NoRegisteredProviderFound"
    for part in ("privateEndpointConnections", "privateLinkResources"):
        assert world.refused("GET", f"{POOL}/{part}", OLD)[1] == "NoRegisteredProviderFound"


def test_udp_over_private_link_is_known_to_the_preview_version_alone_and_wants_public_shortpath_off() -> None:
    world = AvdWorld()
    opted = {"properties": {"allowRDPShortPathWithPrivateLink": "Enabled"}}
    assert "allowRDPShortPathWithPrivateLink" not in world.get(POOL, V)["properties"]
    world.ok("PATCH", POOL, V, opted)
    assert world.get(POOL, NEWEST)["properties"]["allowRDPShortPathWithPrivateLink"] == "Disabled"
    code, message = world.refused("PATCH", POOL, NEWEST, opted)[1:]
    assert code == "InvalidRdpShortpathSetting"
    assert "publicUDP and relayUDP" in message
    off = {"publicUDP": "Disabled", "relayUDP": "Disabled"}
    world.ok("PATCH", POOL, NEWEST, {"properties": off})
    assert "publicNetworkAccess" in world.refused("PATCH", POOL, NEWEST, opted)[2]
    world.access(POOL, "EnabledForClientsOnly")
    assert world.ok("PATCH", POOL, NEWEST, opted)["properties"]["allowRDPShortPathWithPrivateLink"] == "Enabled"


def test_a_host_pool_in_use_stays() -> None:
    world = AvdWorld()
    assert "application group" in world.refused("DELETE", POOL, V)[2]
    world.ok("DELETE", APP_GROUP, V)
    assert "session host" in world.refused("DELETE", POOL, V)[2]
    world.ok("DELETE", POOL + "?force=true", V)
    assert status_of(world, "GET", HOST) == 404


# ---------------------------------------------------------------- workspaces and application groups


def test_a_group_its_pool_and_its_workspace_know_of_each_other() -> None:
    world = AvdWorld()
    group, pool, workspace = (world.get(p, V) for p in (APP_GROUP, POOL, WORKSPACE))
    assert group["properties"]["workspaceArmPath"] == workspace["id"]
    assert group["properties"]["hostPoolArmPath"] == pool["id"]
    assert workspace["properties"]["applicationGroupReferences"] == [group["id"]]
    assert pool["properties"]["applicationGroupReferences"] == [group["id"]]
    world.ok("PATCH", WORKSPACE, V, {"properties": {"applicationGroupReferences": []}})
    assert "workspaceArmPath" not in world.get(APP_GROUP, V)["properties"]
    world.ok("PATCH", WORKSPACE, V, {"properties": {"applicationGroupReferences": [APP_GROUP.upper()]}})
    assert world.get(WORKSPACE, V)["properties"]["applicationGroupReferences"] == [group["id"]]
    assert world.ok("PUT", APP_GROUP, V, group_body_of())["properties"]["workspaceArmPath"] == workspace["id"]
    world.ok("DELETE", APP_GROUP, V)
    assert world.get(WORKSPACE, V)["properties"]["applicationGroupReferences"] == []
    assert world.get(POOL, V)["properties"]["applicationGroupReferences"] == []


def test_a_group_is_in_one_workspace_and_of_one_pool() -> None:
    world = AvdWorld()
    into = {"properties": {"applicationGroupReferences": [APP_GROUP]}}
    assert world.refused("PATCH", PLACEHOLDER, V, into)[1] == "ApplicationGroupInAnotherWorkspace"
    nowhere = {"properties": {"applicationGroupReferences": [APP_GROUP + "x"]}}
    assert world.refused("PATCH", PLACEHOLDER, V, nowhere)[1] == "ApplicationGroupNotFound"
    assert world.refused("PUT", APP_GROUP + "2", V, group_body_of(POOL + "x"))[1] == "HostPoolNotFound"
    world.ok("PUT", POOL + "2", V, pool_body())
    assert world.refused("PUT", APP_GROUP, V, group_body_of(POOL + "2"))[1] == "PropertyChangeNotAllowed"
    world.ok("DELETE", WORKSPACE, V)
    world.ok("PATCH", PLACEHOLDER, V, into)


def test_a_workspace_needs_no_more_than_a_place() -> None:
    world = AvdWorld()
    made = world.call("PUT", AVD + "/workspaces/new", V, PLACE)
    assert (made.status, made.body["properties"]["applicationGroupReferences"]) == (201, [])
    assert made.body["properties"]["objectId"]
    assert status_of(world, "DELETE", AVD + "/workspaces/new") == 200
    assert (
        world.call("PUT", AVD + "/workspaces/new", V, PLACE).body["properties"]["objectId"]
        != (made.body["properties"]["objectId"])
    )


def test_lists_are_paged_in_the_group_and_in_the_subscription() -> None:
    world = AvdWorld(page_size=2)
    for number in range(4):
        world.ok("PUT", f"{AVD}/workspaces/w{number}", V, PLACE)
    for path in (f"{AVD}/workspaces", f"{PROVIDER}/workspaces"):
        names, page = [], world.get(path, V)
        while True:
            names += [w["name"] for w in page["value"]]
            if "nextLink" not in page:
                break
            page = world.get(path + "?" + page["nextLink"].partition("?")[2].replace("%24", "$"), V)
        assert names == ["placeholder", "w0", "w1", "w2", "w3", "ws"]


# ---------------------------------------------------------------- session hosts


def test_a_session_host_is_listed_with_its_pools_name_and_is_fresh() -> None:
    world = AvdWorld()
    listed = world.get(POOL + "/sessionHosts", V)["value"]
    assert [h["name"] for h in listed] == ["hp/vm1.contoso.com"]
    assert world.get(HOST, V)["name"] == "vm1.contoso.com"
    host = world.host()
    assert (host["status"], host["resourceId"], host["sessions"]) == ("Available", VM, 2)
    for _ in range(5):
        world.wait(47)
        age_ms = world.clock.now_ms() - from_iso(world.host()["lastHeartBeat"])
        assert 0 <= age_ms < 30_000
    assert {c["healthCheckResult"] for c in world.host()["sessionHostHealthCheckResults"]} == {"HealthCheckSucceeded"}


def test_sessions_of_a_drained_host_end_after_a_while() -> None:
    world = AvdWorld(durations={"session": 600})
    drained = world.ok("PATCH", HOST, V, {"properties": {"allowNewSession": False}})
    assert (drained["properties"]["allowNewSession"], drained["properties"]["sessions"]) == (False, 2)
    world.wait(599)
    assert world.host()["sessions"] == 2
    world.ok("PATCH", HOST, V, {"properties": {"allowNewSession": False}})
    world.wait(2)
    assert world.host()["sessions"] == 0
    world.ok("PATCH", HOST, V, {"properties": {"allowNewSession": True}})
    assert (world.host()["allowNewSession"], world.host()["sessions"]) == (True, 0)


def test_a_drain_that_is_taken_back_in_time_ends_no_session() -> None:
    world = AvdWorld()
    world.ok("PATCH", HOST, V, {"properties": {"allowNewSession": False}})
    world.wait(60)
    world.ok("PATCH", HOST, V, {"properties": {"allowNewSession": True, "assignedUser": "a@contoso.com"}})
    world.wait(86_400)
    assert (world.host()["sessions"], world.host()["assignedUser"]) == (2, "a@contoso.com")


def test_a_host_whose_machine_is_deallocated_is_shut_down_until_it_starts() -> None:
    world = AvdWorld()
    world.power("deallocate")
    world.wait(600)
    host = world.host()
    assert (host["status"], host["sessions"]) == ("Shutdown", 0)
    assert world.clock.now_ms() - from_iso(host["lastHeartBeat"]) >= 600_000
    assert host["sessionHostHealthCheckResults"][0]["healthCheckResult"] == "SessionHostShutdown"
    world.power("start")
    assert (world.host()["status"], world.host()["sessions"]) == ("Available", 0)


def test_a_restart_of_the_machine_ends_its_sessions_and_one_of_the_loader_alone_does_not() -> None:
    world = AvdWorld()
    world.restart()
    assert (world.host()["status"], world.host()["sessions"]) == ("Available", 2)
    world.ok("POST", f"{VM}/restart", COMPUTE)
    assert world.host()["status"] == "Unavailable"
    world.wait(300)
    assert (world.host()["status"], world.host()["sessions"]) == ("Available", 0)


def test_the_loader_script_of_a_run_command_brings_a_host_back() -> None:
    world = AvdWorld()
    world.private("pe-hp", POOL, "connection")
    world.access(POOL, "Disabled")
    assert world.host()["status"] == "Unavailable"
    script = {"commandId": "RunPowerShellScript", "script": ["Restart-Service -Name RDAgentBootLoader -Force"]}
    world.ok("POST", f"{VM}/runCommand", COMPUTE, script)
    world.wait(300)
    assert (world.host()["status"], world.host()["sessions"]) == ("Available", 2)


def test_a_host_that_restarted_its_loader_is_away_until_it_reports() -> None:
    world = AvdWorld()
    world.wait(100)
    world.restart(0)
    restarted_ms = world.clock.now_ms()
    seen = []
    for _ in range(31):
        host = world.host()
        seen.append(host["status"])
        assert (host["status"] == "Available") == (from_iso(host["lastHeartBeat"]) >= restarted_ms)
        world.wait(1)
    assert world.host()["status"] == "Available"
    assert "Unavailable" in seen


def test_a_host_with_users_is_deleted_only_by_force() -> None:
    world = AvdWorld()
    assert world.refused("DELETE", HOST, V)[1] == "SessionHostHasUserSessions"
    assert status_of(world, "DELETE", HOST + "?force=true") == 200
    assert status_of(world, "DELETE", HOST) == 204
    assert status_of(world, "GET", HOST) == 404
    assert status_of(world, "PUT", HOST, {"properties": {}}) == 405


def test_a_host_in_trouble_says_so() -> None:
    world = AvdWorld()
    body = world.cloud.need(HOST)
    body["properties"]["status"] = "NeedsAssistance"
    world.cloud.save(body)
    world.state.commit()
    failed = [c for c in world.host()["sessionHostHealthCheckResults"] if c["healthCheckResult"] == "HealthCheckFailed"]
    assert (world.host()["status"], len(failed)) == ("NeedsAssistance", 1)


# ---------------------------------------------------------------- descriptions and size


@needs_specs
@pytest.mark.parametrize("version", [V, PREVIEW])
def test_answers_fit_their_descriptions(version: str) -> None:
    world = AvdWorld()
    world.endpoint("pe1", POOL, "connection")
    world.endpoint("pe2", WORKSPACE, "feed")
    calls: list[tuple[str, str, Any]] = []
    for target, body, patch in (
        (POOL, pool_body(), {"properties": {"publicNetworkAccess": "Disabled", "agentUpdate": {"type": "Default"}}}),
        (WORKSPACE, {**PLACE, "properties": {"friendlyName": "w"}}, {"tags": {"a": "b"}}),
    ):
        link = world.get(target + "/privateEndpointConnections", V)["value"][0]["id"]
        state = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}}
        calls += [
            ("PUT", target, body), ("PUT", target + "2", body), ("PATCH", target, patch), ("GET", target, None),
            ("GET", target + "x", None),
            ("GET", target.rpartition("/")[0], None), ("GET", f"{PROVIDER}/{target.split('/')[-2]}", None),
            ("GET", target + "/privateLinkResources", None), ("GET", target + "/privateEndpointConnections", None),
            ("GET", link, None), ("PUT", link, state), ("DELETE", link, None), ("DELETE", link, None),
            ("DELETE", target + "2", None),
        ]  # fmt: skip
    calls += [
        ("POST", POOL + "/retrieveRegistrationToken", None), ("GET", POOL + "/sessionHosts", None),
        ("GET", HOST, None), ("PATCH", HOST, {"properties": {"allowNewSession": False}}), ("DELETE", HOST, None),
        ("DELETE", HOST + "?force=true", None), ("DELETE", HOST, None), ("PUT", APP_GROUP, group_body_of()),
        ("PUT", APP_GROUP + "2", group_body_of()), ("GET", APP_GROUP, None), ("GET", AVD + "/applicationGroups", None),
        ("PATCH", APP_GROUP, {"properties": {"friendlyName": "x"}}), ("GET", PROVIDER + "/applicationGroups", None),
        ("DELETE", APP_GROUP + "2", None), ("DELETE", APP_GROUP + "2", None), ("DELETE", WORKSPACE, None),
    ]  # fmt: skip
    for method, path, body in calls:
        check(method, path.partition("?")[0], world.call(method, path, version, body), version)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([POOL, APP_GROUP, RG, "/a/b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [f.name for f in (*POOL_FIELDS, *WORKSPACE_FIELDS, *APP_GROUP_FIELDS)] + [
    "registrationInfo",
    "allowNewSession",
]
BODIES = JUNK | st.fixed_dictionaries(
    {"location": st.just("westeurope") | JUNK, "properties": JUNK | st.dictionaries(st.sampled_from(FIELDS), JUNK)}
)


@cache
def garbage() -> AvdWorld:
    return AvdWorld()


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from([POOL, WORKSPACE, APP_GROUP, HOST]), method=st.sampled_from(["PUT", "PATCH"]), body=BODIES)
def test_no_body_brings_more_than_a_refusal(path: str, method: str, body: Any) -> None:
    reply = World.call(garbage(), method, path, NEWEST, body)
    assert reply.status < 300 or reply.body["error"]["code"]


def test_a_list_costs_what_it_holds_not_what_the_estate_holds() -> None:
    def cost(pools: int) -> int:
        more: list[dict[str, Any]] = []
        for number in range(pools):
            pool = f"{AVD}/hostPools/p{number:03}"
            more.append({"id": pool, **pool_body()})
            machines = [(f"{pool}/sessionHosts/h{n}.contoso.com", f"{VM}-{number}-{n}") for n in range(10)]
            more += [{"id": host, "properties": {"resourceId": vm}} for host, vm in machines]
        world = AvdWorld(page_size=20, more=more)
        before = world.state.copies
        world.get(f"{PROVIDER}/hostPools", V)
        world.get(f"{AVD}/hostPools/p000/sessionHosts", V)
        return world.state.copies - before

    assert cost(60) <= cost(30) + 5


def test_a_deleted_group_takes_its_desktops_along() -> None:
    world = AvdWorld()
    world.ok("DELETE", RG, "2021-04-01")
    world.wait(120)
    assert status_of(world, "GET", POOL) == 404
    assert world.cloud.find(HOST) is None
