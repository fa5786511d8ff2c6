"""What two equal clouds may differ in: the order in which addresses were given out, and nothing that comes of it."""

from __future__ import annotations

from typing import Any

from steps._shared.records import Record
from steps.avd._restart import identity, script
from tests.crash.harness import without_choices


def cloud(first: str, other: str, *, record: str = "", mark: str = "") -> dict[str, Any]:
    """Two endpoints with these addresses, a record for the first and a host that was restarted for it."""
    resources: dict[str, Any] = {}
    for name, address in (("/pe-a", first), ("/pe-b", other)):
        given = {
            "privateIPAddress": address,
            "privateIPAllocationMethod": "Dynamic",
            "privateLinkConnectionProperties": {"requiredMemberName": "web"},
        }
        card = f"{name}.nic.1"
        resources[card] = {"id": card, "properties": {"ipConfigurations": [{"properties": given}]}}
        links = {"networkInterfaces": [{"id": card}]}
        resources[name] = {"id": name, "type": "Microsoft.Network/privateEndpoints", "properties": links}
    restart = script(identity("/pe-a", [Record("", mark or first, "", "")]), 1)
    resources["/record"] = {"properties": {"aRecords": [{"ipv4Address": record or first}]}}
    resources["/restart"] = {"properties": {"source": {"script": restart}}}
    return resources


def test_addresses_given_out_in_another_order_make_the_same_cloud() -> None:
    assert without_choices(cloud("10.0.0.4", "10.0.0.5")) == without_choices(cloud("10.0.0.5", "10.0.0.4"))


def test_a_record_that_leads_to_another_endpoint_is_a_difference() -> None:
    wrong = cloud("10.0.0.5", "10.0.0.4", record="10.0.0.4")
    assert without_choices(cloud("10.0.0.4", "10.0.0.5")) != without_choices(wrong)


def test_a_restart_for_other_addresses_is_a_difference() -> None:
    wrong = cloud("10.0.0.5", "10.0.0.4", mark="10.0.0.4")
    assert without_choices(cloud("10.0.0.4", "10.0.0.5")) != without_choices(wrong)
