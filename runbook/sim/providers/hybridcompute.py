"""A Microsoft.HybridCompute private link scope as others see it: members, connections, what a machine in it finds.

Invariant: a connection belongs to one endpoint, and its state is the scope owner's to change. The scope's own calls
are in ``arc_scopes.py``, the owner's in ``arc_connections.py``.

Other providers call ``members``, ``connect`` and ``disconnect``, and listen for ``connection_changed``
(``link_owner.py``).

Source: Microsoft.HybridCompute OpenAPI 2022-12-27 (privateLinkScopes); "Use Azure Private Link to connect servers to
Azure Arc", learn.microsoft.com, 2026-05-04; recorded Azure CLI answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runbook.sim.cloud import Cloud, Place
from runbook.sim.providers import link_owner
from runbook.sim.regions import region
from runbook.sim.routes import GROUP
from runbook.sim.wire import Json, bad_request, obj, text

HYBRID: Final = frozenset(
    {
        "2020-08-15-preview", "2021-01-28-preview", "2021-03-25-preview", "2021-04-22-preview", "2021-05-17-preview",
        "2021-05-20", "2021-06-10-preview", "2021-12-10-preview", "2022-03-10", "2022-05-10-preview",
        "2022-08-11-preview", "2022-11-10", "2022-12-27", "2022-12-27-preview", "2023-03-15-preview",
        "2023-06-20-preview", "2023-10-03-preview", "2024-03-31-preview", "2024-05-20-preview", "2024-07-10",
        "2024-07-31-preview", "2024-09-10-preview", "2024-11-10-preview", "2025-01-13", "2025-02-19-preview",
        "2026-07-15",
    }
)  # fmt: skip
SCOPE: Final = "Microsoft.HybridCompute/privateLinkScopes"
GROUP_ID: Final = "hybridcompute"
HOME: Final = "/providers/" + SCOPE
ONE: Final = GROUP + HOME + "/{scope}"
SUFFIX: Final = {"AzureCloud": "azure.com", "AzureUSGovernment": "azure.us", "AzureChinaCloud": "azure.cn"}


# ---------------------------------------------------------------- what other providers ask


def members(cloud: Cloud, scope_id: str, group_id: str) -> list[Json]:
    """What an endpoint to a scope gets an address for: ``{"member": …, "fqdns": [public name]}``, in order.

    Raises:
        ArmFault: 404 no such scope; 400 the group id is not ``hybridcompute``.
    """
    scope = cloud.need(scope_id)
    if group_id.lower() != GROUP_ID:
        raise bad_request(f"Call to {SCOPE} failed. Error message: Invalid groupId '{group_id}'", "InvalidGroupId")
    location = str(scope["location"])
    names = region(cloud.scenario, location)
    suffix = SUFFIX[cloud.scenario.cloud]
    his, guest = f"his.arc.{suffix}", f"guestconfiguration.{suffix}"
    return [
        {"member": "HybridCompute.Global", "fqdns": [f"gbl.{his}"]},
        {"member": "HybridCompute.Server", "fqdns": [f"{names.short}.{his}"]},
        {"member": "HybridCompute.TokenService", "fqdns": [f"{names.geo}-ats.{his}"]},
        {"member": "GuestConfig.GlobalService", "fqdns": [f"agentserviceapi.{guest}"]},
        {"member": f"GuestConfig.AgentService.{names.short}", "fqdns": [f"{names.short}-gas.{guest}"]},
        {"member": f"GuestConfig.AgentService.{location}", "fqdns": [f"{location}-gas.{guest}"]},
        {"member": "HybridCompute.K8sConfiguration", "fqdns": [f"{location}.dp.kubernetesconfiguration.{suffix}"]},
    ]


def connect(
    cloud: Cloud, scope_id: str, endpoint_id: str, group_ids: Sequence[str], manual: bool, message: str
) -> Json:
    """Make or renew the connection of an endpoint, and return its state: ``{status, description, actionsRequired}``.

    An automatic one is approved at once when the caller may approve it; a manual one is ``Pending``.

    Raises:
        ArmFault: 403 ``LinkedAuthorizationFailed``; 404; 400 for a wrong group id, or two endpoints' ids.
    """
    scope = cloud.need(scope_id)
    for group_id in group_ids:
        members(cloud, scope_id, group_id)
    return link_owner.connect(cloud, scope, endpoint_id, [GROUP_ID], manual, message)


def disconnect(cloud: Cloud, scope_id: str, endpoint_id: str) -> None:
    """Forget the connection of an endpoint that is gone. Nothing happens when there is none."""
    link_owner.disconnect(cloud, scope_id, endpoint_id)


def connection_details(cloud: Cloud, scope_id: str) -> list[Json]:
    """``connectionDetails`` of a scope: one entry for each member of each approved endpoint that is finished."""
    details: list[Json] = []
    for connection in connections(cloud, scope_id):
        state = obj(connection, "properties", "privateLinkServiceConnectionState")
        endpoint = cloud.find(text(connection, "properties", "privateEndpoint", "id"))
        if state.get("status") != "Approved" or endpoint is None:
            continue
        for interface in obj(endpoint, "properties").get("networkInterfaces") or []:
            nic = cloud.find(str(interface.get("id", ""))) or {}
            for config in obj(nic, "properties").get("ipConfigurations") or []:
                link = obj(config, "properties", "privateLinkConnectionProperties")
                member = str(link.get("requiredMemberName", ""))
                details.append(
                    {
                        "id": connection["id"],
                        "privateIpAddress": text(config, "properties", "privateIPAddress"),
                        "linkIdentifier": str(int(cloud.guid("link", connection["id"])[:8], 16)),
                        "groupId": GROUP_ID,
                        "memberName": member,
                    }
                )
    return details


def connections(cloud: Cloud, scope_id: str) -> Sequence[Json]:
    """The connections of a scope, sorted by id."""
    return link_owner.connections(cloud, scope_id, SCOPE)


def scope_at(cloud: Cloud, place: Place) -> Json:
    """The scope that a path lies in. Raises ``ArmFault`` 404 ``ResourceNotFound``."""
    return cloud.need(f"{place.group_id}{HOME}/{place['scope']}")


def validation(cloud: Cloud, scope: Json) -> Json:
    """The validation object of a scope: what a machine in it should see."""
    return {
        "id": scope["id"],
        "publicNetworkAccess": scope["properties"]["publicNetworkAccess"],
        "connectionDetails": connection_details(cloud, scope["id"]),
    }
