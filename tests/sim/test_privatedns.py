from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.sim.dnsnames import private_name, public_address, relative_in
from tests.sim.net import DNS, HERE, VNET, ZONES, NetWorld, link_body, vnet_body, zone_id
from tests.sim.world import OTHER, SUB

HIS = ZONES[0]
ZONE = zone_id(HIS)
LINK = f"{ZONE}/virtualNetworkLinks/l1"
GLOBAL = {"location": "global"}
FIRST = {"if-none-match": "*"}


def a(*addresses: str, ttl: int = 3600) -> dict[str, Any]:
    return {"properties": {"ttl": ttl, "aRecords": [{"ipv4Address": x} for x in addresses]}}


# ---------------------------------------------------------------- zones


def test_a_zone_is_made_by_an_operation_of_its_own_kind() -> None:
    world = NetWorld()
    reply = world.call("PUT", ZONE, DNS, GLOBAL, FIRST)
    assert (reply.status, reply.body) == (202, None)
    assert "/providers/Microsoft.Network/privateDnsOperationStatuses/" in reply.headers["Azure-AsyncOperation"]
    assert "/providers/Microsoft.Network/privateDnsOperationResults/" in reply.headers["Location"]
    assert int(reply.headers["Retry-After"]) >= 1
    assert world.get(ZONE, DNS)["properties"]["provisioningState"] == "Creating"
    world.wait(21)
    body = world.get(ZONE, DNS)
    assert (body["properties"]["provisioningState"], body["location"]) == ("Succeeded", "global")
    assert body["properties"]["numberOfRecordSets"] == 1


def test_if_none_match_makes_a_zone_only_once() -> None:
    world = NetWorld()
    world.zone(HIS)
    reply = world.call("PUT", ZONE, DNS, GLOBAL, FIRST)
    assert (reply.status, reply.body["error"]["code"]) == (412, "PreconditionFailed")
    assert "exists already" in reply.body["error"]["message"]
    assert world.call("PUT", ZONE, DNS, GLOBAL).status == 200


def test_a_stale_etag_is_refused_and_the_present_one_accepted() -> None:
    world = NetWorld()
    world.zone(HIS)
    old = world.get(ZONE, DNS)["etag"]
    tagged = {**GLOBAL, "tags": {"a": "b"}}
    assert world.call("PUT", ZONE, DNS, tagged, {"if-match": old}).status == 200
    assert world.call("PUT", ZONE, DNS, GLOBAL, {"if-match": old}).status == 412
    assert world.get(ZONE, DNS)["tags"] == {"a": "b"}
    assert world.call("PATCH", ZONE, DNS, {"tags": {}}).status == 200


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        (HIS, {}, "LocationRequired"),
        (HIS, {"location": "westeurope"}, "LocationNotAvailableForResourceType"),
        ("nodots", GLOBAL, "BadRequest"),
        ("-bad.example.com", GLOBAL, "BadRequest"),
    ],
)
def test_a_zone_that_does_not_fit_is_refused(name: str, body: dict[str, Any], code: str) -> None:
    assert NetWorld().refused("PUT", zone_id(name), DNS, body)[:2] == (400, code)


def broken(kind: str) -> NetWorld:
    """A world in which the first PUT of a kind ends badly."""
    failure = {"code": "InternalServerError", "message": "It broke."}
    fault = {"id": "f", "method": "PUT", "type": f"Microsoft.Network/{kind}", "fail_operation": failure}
    return NetWorld(faults=[fault])


def test_a_zone_that_ended_badly_is_repaired_by_the_same_put() -> None:
    world = broken("privateDnsZones")
    assert world.failed("PUT", ZONE, DNS, GLOBAL)[0] == "InternalServerError"
    assert world.get(ZONE, DNS)["properties"]["provisioningState"] == "Failed"
    assert world.settled("PUT", ZONE, DNS, GLOBAL)["properties"]["provisioningState"] == "Succeeded"


def test_a_link_that_ended_badly_does_not_work_until_the_same_put_repairs_it() -> None:
    world = broken("privateDnsZones/virtualNetworkLinks")
    world.zone(HIS)
    assert world.failed("PUT", LINK, DNS, link_body())[0] == "InternalServerError"
    assert world.get(LINK, DNS)["properties"]["virtualNetworkLinkState"] == "InProgress"
    assert world.settled("PUT", LINK, DNS, link_body())["properties"]["virtualNetworkLinkState"] == "Completed"


def test_a_zone_with_links_is_not_deleted() -> None:
    world = NetWorld()
    world.link(world.zone(HIS))
    status, code, message = world.refused("DELETE", ZONE, DNS)
    assert (status, code) == (409, "CannotDeleteResource")
    assert LINK in message
    assert world.call("DELETE", LINK, DNS).status == 202
    world.wait(60)
    assert world.call("DELETE", ZONE, DNS).status == 202
    world.wait(60)
    assert world.refused("GET", ZONE, DNS)[:2] == (404, "ResourceNotFound")
    assert world.call("DELETE", ZONE, DNS).status == 204


def test_zones_are_listed_and_counted() -> None:
    world = NetWorld()
    world.link(world.zone(HIS))
    world.ok("PUT", f"{ZONE}/A/gbl", DNS, a("10.0.1.4"))
    (listed,) = world.get(f"/subscriptions/{SUB}/providers/Microsoft.Network/privateDnsZones", DNS)["value"]
    assert listed["properties"]["numberOfRecordSets"] == 2
    assert listed["properties"]["numberOfVirtualNetworkLinks"] == 1
    assert len(world.get(f"{HERE}/privateDnsZones", DNS)["value"]) == 1


def test_the_api_versions_that_clients_send_are_known_and_others_named() -> None:
    world = NetWorld()
    world.zone(HIS)
    for version in ("2018-09-01", "2020-06-01", "2024-06-01"):
        assert world.call("GET", ZONE, version).status == 200
    assert world.refused("GET", ZONE, "2024-01-01")[0] == 400


# ---------------------------------------------------------------- links


def test_a_link_is_in_progress_until_it_is_completed() -> None:
    world = NetWorld()
    world.zone(HIS)
    assert world.call("PUT", LINK, DNS, link_body(), FIRST).status == 202
    assert world.get(LINK, DNS)["properties"]["virtualNetworkLinkState"] == "InProgress"
    world.wait(31)
    properties = world.get(LINK, DNS)["properties"]
    assert (properties["virtualNetworkLinkState"], properties["provisioningState"]) == ("Completed", "Succeeded")
    assert [v["name"] for v in world.get(f"{ZONE}/virtualNetworkLinks", DNS)["value"]] == ["l1"]
    assert world.call("PUT", LINK, DNS, link_body(), FIRST).status == 412
    assert world.call("PUT", LINK, DNS, link_body()).status == 200


def test_a_network_is_linked_to_one_zone_of_a_name_wherever_that_zone_lies() -> None:
    elsewhere = f"/subscriptions/{OTHER}/resourceGroups/dns"
    world = NetWorld(resources=({"id": elsewhere, "location": "westeurope"},))
    world.link(world.zone(HIS))
    second = zone_id(HIS, elsewhere)
    world.settled("PUT", second, DNS, GLOBAL)
    status, code, message = world.refused("PUT", f"{second}/virtualNetworkLinks/l", DNS, link_body())
    assert (status, code) == (400, "BadRequest")
    assert message == (
        "A virtual network cannot be linked to multiple zones with overlapping namespaces. "
        f"You tried to link virtual network with '{HIS}' and '{HIS}' zones."
    )
    assert world.refused("PUT", f"{ZONE}/virtualNetworkLinks/l2", DNS, link_body())[1] == "BadRequest"
    other = world.zone(ZONES[1])
    assert world.call("PUT", f"{other}/virtualNetworkLinks/l", DNS, link_body()).status == 202


def test_a_link_needs_its_zone_and_its_network() -> None:
    world = NetWorld()
    assert world.refused("PUT", LINK, DNS, link_body())[:2] == (404, "ParentResourceNotFound")
    world.zone(HIS)
    assert world.refused("PUT", LINK, DNS, link_body(f"{VNET}x"))[:2] == (400, "BadRequest")
    assert world.refused("PUT", LINK, DNS, link_body("nonsense"))[1] == "LinkedInvalidPropertyId"
    assert world.refused("PUT", LINK, DNS, GLOBAL)[0] == 400


def test_a_link_keeps_its_network() -> None:
    second = f"{HERE}/virtualNetworks/v2"
    world = NetWorld(resources=({"id": second, **vnet_body()},))
    world.link(world.zone(HIS))
    assert world.refused("PUT", LINK, DNS, link_body(second))[1] == "BadRequest"
    assert world.call("PATCH", LINK, DNS, {"tags": {"a": "b"}}).status == 200
    assert world.call("PATCH", LINK, DNS, {"properties": {"registrationEnabled": True}}).status == 202
    world.wait(60)
    assert world.get(LINK, DNS)["properties"]["registrationEnabled"] is True


def test_a_zone_that_is_being_made_takes_no_link() -> None:
    world = NetWorld()
    world.ok("PUT", ZONE, DNS, GLOBAL)
    assert world.refused("PUT", LINK, DNS, link_body())[:2] == (409, "AnotherOperationInProgress")


def test_linking_needs_the_right_to_join_the_network() -> None:
    grant = {"actions": ["*"], "notActions": ["Microsoft.Network/virtualNetworks/join/action"]}
    world = NetWorld(operator={"name": "dana", "object_id": "d", "permissions": [grant]})
    world.zone(HIS)
    assert world.refused("PUT", LINK, DNS, link_body())[:2] == (403, "LinkedAuthorizationFailed")


# ---------------------------------------------------------------- records


def test_a_record_is_made_changed_and_removed_at_once() -> None:
    world = NetWorld()
    world.zone(HIS)
    path = f"{ZONE}/A/GBL"
    reply = world.call("PUT", path, DNS, a("10.0.1.4"), FIRST)
    assert (reply.status, reply.body["name"]) == (201, "gbl")
    assert reply.body["properties"]["fqdn"] == f"gbl.{HIS}."
    assert world.call("PUT", path, DNS, a("10.0.1.5"), FIRST).status == 412
    assert world.call("PUT", path, DNS, a("10.0.1.5"), {"if-match": reply.body["etag"]}).status == 200
    assert world.call("PUT", path, DNS, a("10.0.1.6"), {"if-match": reply.body["etag"]}).status == 412
    assert world.call("PATCH", path, DNS, {"properties": {"ttl": 60}}).body["properties"]["ttl"] == 60
    assert world.records(ZONE) == {"gbl": ["10.0.1.5"]}
    assert world.call("DELETE", path, DNS, headers={"if-match": reply.body["etag"]}).status == 412
    assert world.call("DELETE", path, DNS).status == 200
    assert world.call("DELETE", path, DNS).status == 204
    assert world.refused("GET", path, DNS)[:2] == (404, "NotFound")


def test_all_record_sets_are_the_zones_own_and_its_soa() -> None:
    world = NetWorld()
    world.zone(HIS)
    world.ok("PUT", f"{ZONE}/A/gbl", DNS, a("10.0.1.4"))
    world.ok("PUT", f"{ZONE}/A/we", DNS, a())
    kinds = [(r["type"].rpartition("/")[2], r["name"]) for r in world.get(f"{ZONE}/ALL", DNS)["value"]]
    assert kinds == [("A", "gbl"), ("A", "we"), ("SOA", "@")]
    assert [r["name"] for r in world.get(f"{ZONE}/A?$recordsetnamesuffix=bl", DNS)["value"]] == ["gbl"]
    assert world.get(f"{ZONE}/SOA/@", DNS)["properties"]["soaRecord"]["serialNumber"] == 1


def test_an_address_that_stands_twice_counts_once() -> None:
    world = NetWorld()
    world.zone(HIS)
    world.ok("PUT", f"{ZONE}/A/gbl", DNS, a("10.0.1.4", "10.0.1.5", "10.0.1.4"))
    assert world.records(ZONE) == {"gbl": ["10.0.1.4", "10.0.1.5"]}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gbl", a("nonsense")),
        ("gbl", a("10.0.1.4", ttl=0)),
        ("gbl", {"properties": {"aRecords": []}}),
        ("gbl", {"properties": {"ttl": "60"}}),
        ("gbl", {"properties": {"ttl": 60, "aRecords": [5]}}),
        ("-gbl", a("10.0.1.4")),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(name: str, body: dict[str, Any]) -> None:
    world = NetWorld()
    world.zone(HIS)
    assert world.refused("PUT", f"{ZONE}/A/{name}", DNS, body)[0] == 400
    assert world.records(ZONE) == {}


def test_records_of_a_type_that_is_not_simulated_are_refused_by_name() -> None:
    world = NetWorld()
    world.zone(HIS)
    status, code, message = world.refused("PUT", f"{ZONE}/MX/gbl", DNS, {"properties": {"ttl": 60}})
    assert (status, code) == (404, "InvalidResourceType")
    assert "MX" in message


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("public", "private"),
    [
        ("gbl.his.arc.azure.com", "gbl.privatelink.his.arc.azure.com"),
        ("we-gas.guestconfiguration.azure.us", "we-gas.privatelink.guestconfiguration.azure.us"),
        (
            "westeurope.dp.kubernetesconfiguration.azure.com",
            "westeurope.privatelink.dp.kubernetesconfiguration.azure.com",
        ),
        ("rdweb.wvd.microsoft.com", "rdweb.privatelink-global.wvd.microsoft.com"),
        ("x.afdfp-rdgateway.wvd.microsoft.com", "x.afdfp-rdgateway.privatelink.wvd.microsoft.com"),
        ("kv.vault.azure.net", "kv.privatelink.vaultcore.azure.net"),
        ("st.blob.core.windows.net", "st.privatelink.blob.core.windows.net"),
        ("a.b.example.com", "a.privatelink.b.example.com"),
    ],
)
def test_a_public_name_leads_to_its_private_one(public: str, private: str) -> None:
    assert private_name(public) == private


def test_a_name_stands_only_in_the_zone_that_is_for_it() -> None:
    assert relative_in(HIS, "GBL.his.arc.azure.com.") == "gbl"
    assert relative_in(ZONES[1], "gbl.his.arc.azure.com") is None
    assert relative_in("his.arc.azure.com", "gbl.his.arc.azure.com") == "gbl.privatelink"
    assert relative_in("privatelink.wvd.microsoft.com", "rdweb.wvd.microsoft.com") is None


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_a_name_or_none_and_always_gives_the_same_public_address(name: str) -> None:
    first = public_address(name)
    assert first == public_address(name)
    assert first is None or first.startswith(("203.0.113.", "198.51.100."))
    assert private_name(name)
