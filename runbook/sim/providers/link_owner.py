"""The owner's side of private link, the same for every resource type: connections are made, answered, taken away.

Invariant: a connection belongs to one endpoint, and its state is the target's owner's to change; what the owner does
ends in ``connection_changed`` (``{"endpoint", "target", "connection", "state"}``; ``state`` None means removed by the
owner), by which the endpoint's side follows.

Source: "What is a private endpoint?" (access to a private-link resource by approval), learn.microsoft.com; recorded
Azure CLI answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers.authorization import may
from runbook.sim.wire import ArmFault, Json, obj, text

CHILD: Final = "privateEndpointConnections"


def connection_id(cloud: Cloud, target: Json, endpoint_id: str) -> str:
    """``{endpoint name}.{resourceGuid}`` below the target; the endpoint's ``resourceGuid`` is ``resource_guid(id)``."""
    name = f"{endpoint_id.rpartition('/')[2]}.{cloud.resource_guid(endpoint_id)}"
    return f"{target['id']}/{CHILD}/{name}"


def connections(cloud: Cloud, target_id: str, kind: str) -> Sequence[Json]:
    """The connections of a target of type ``kind``, sorted by id."""
    return cloud.resources(f"{kind}/{CHILD}", target_id)


def connect(cloud: Cloud, target: Json, endpoint_id: str, group_ids: Sequence[str], manual: bool, message: str) -> Json:
    """Make or renew the connection of an endpoint, and return its state: ``{status, description, actionsRequired}``.

    An automatic one is approved at once when the caller may approve it; a manual one is ``Pending``.

    Raises:
        ArmFault: 403 ``LinkedAuthorizationFailed``.
    """
    own_id = connection_id(cloud, target, endpoint_id)
    existing = cloud.find(own_id)
    if existing is not None:
        return obj(existing, "properties", "privateLinkServiceConnectionState")
    caller, kind, target_id = cloud.turn.caller, str(target["type"]), str(target["id"])
    right = f"{kind}/privateEndpointConnectionsApproval/action"
    if not manual and caller.kind != "platform" and not may(cloud, target_id, right):
        raise ArmFault(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{caller.name}' with object id '{caller.object_id}' has permission to perform action "
            f"'Microsoft.Network/privateEndpoints/write' on scope '{endpoint_id}'; however, it does not have "
            f"permission to perform action 'PrivateEndpointConnectionsApproval/action' on the linked scope(s) "
            f"'{target_id}' or the linked scope(s) are invalid.",
        )
    if manual:
        state = {"status": "Pending", "description": message or "Please approve my connection.", "actionsRequired": ""}
    else:
        state = {"status": "Approved", "description": "Auto-approved", "actionsRequired": "None"}
    cloud.save(
        {
            "id": own_id,
            "name": own_id.rpartition("/")[2],
            "type": f"{kind}/{CHILD}",
            "properties": {
                "privateEndpoint": {"id": endpoint_id},
                "privateLinkServiceConnectionState": state,
                "provisioningState": "Succeeded",
                "groupIds": list(group_ids),
            },
        }
    )
    if manual:
        cloud.emit("connection_pending", {"path": target_id, "connection": own_id, "endpoint": endpoint_id})
    return dict(state)


def disconnect(cloud: Cloud, target_id: str, endpoint_id: str) -> None:
    """Forget the connection of an endpoint that is gone. Nothing happens when there is none."""
    target = cloud.find(target_id)
    if target is not None:
        cloud.drop(connection_id(cloud, target, endpoint_id))


def set_state(cloud: Cloud, connection: Json, state: Json) -> Json:
    """The owner puts a connection into another state; the endpoint's side is told. The connection as it is now."""
    connection["properties"]["privateLinkServiceConnectionState"] = state
    cloud.save(connection)
    tell_changed(cloud, connection, state)
    return connection


def remove(cloud: Cloud, connection: Json) -> None:
    """The owner takes a connection away; the endpoint's side is told."""
    cloud.drop(str(connection["id"]))
    tell_changed(cloud, connection, None)


def tell_changed(cloud: Cloud, connection: Json, state: Json | None) -> None:
    """Tell the endpoint's side that its connection's state is another; None: the owner removed it."""
    cloud.emit(
        "connection_changed",
        {
            "endpoint": text(connection, "properties", "privateEndpoint", "id"),
            "target": str(connection["id"]).rsplit("/", 2)[0],
            "connection": connection["id"],
            "state": state,
        },
    )


def is_approved(connection: Json) -> bool:
    """Whether traffic may pass."""
    return text(connection, "properties", "privateLinkServiceConnectionState", "status") == "Approved"
