"""The connection of a private endpoint to its target: read from a body, compared, and its state followed.

Invariant: what a connection leads to never changes; only its state does, and that is the target's owner's to say.

Source: Microsoft.Network OpenAPI 2024-01-01 (privateEndpoint.json); recorded error answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers.network import ENDPOINT, reference, stamped
from runbook.sim.wire import Json, bad_request, items, obj, text, texts

LONGEST_MESSAGE: Final = 140
"""Characters of a request message."""

_AUTOMATIC: Final = "privateLinkServiceConnections"
_MANUAL: Final = "manualPrivateLinkServiceConnections"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a body asks to be connected to."""

    name: str
    target: str
    """The target's resource id."""
    group: str
    """The sub-resource."""
    is_manual: bool
    message: str
    """To the owner, for a manual connection."""

    def body(self, cloud: Cloud, endpoint: Json, state: Mapping[str, Any]) -> Json:
        """The connection as it stands in the endpoint's body."""
        connection_id = f"{endpoint['id']}/{_MANUAL if self.is_manual else _AUTOMATIC}/{self.name}"
        properties: Json = {
            "provisioningState": "Succeeded",
            "privateLinkServiceId": self.target,
            "groupIds": [self.group],
            "privateLinkServiceConnectionState": dict(state),
        }
        if self.message:
            properties["requestMessage"] = self.message
        return {
            "id": connection_id,
            "name": self.name,
            "type": ENDPOINT + "/" + (_MANUAL if self.is_manual else _AUTOMATIC),
            "etag": cloud.new_etag(connection_id),
            "properties": properties,
        }

    @property
    def identity(self) -> tuple[str, str, str, bool]:
        """What may not change."""
        return (self.name.lower(), self.target.lower(), self.group.lower(), self.is_manual)


def read_connection(body: Json, endpoint_id: str) -> Wanted:
    """The one connection of an endpoint's body.

    Raises:
        ArmFault: 400, there is none or more than one, or something of it is missing.
    """
    automatic, manual = items(body, "properties", _AUTOMATIC), items(body, "properties", _MANUAL)
    if len(automatic) + len(manual) != 1:
        raise bad_request(
            f"Private endpoint {endpoint_id} must have exactly one private link service connection; "
            f"{len(automatic) + len(manual)} were given.",
            "InvalidRequestFormat",
        )
    connection, is_manual = (automatic or manual)[0], not automatic
    name = text(connection, "name", default=endpoint_id.rpartition("/")[2])
    connection_id = f"{endpoint_id}/{_MANUAL if is_manual else _AUTOMATIC}/{name}"
    target = text(connection, "properties", "privateLinkServiceId", required=True)
    reference(target, "", f"properties.{_MANUAL if is_manual else _AUTOMATIC}.properties.privateLinkServiceId")
    groups = texts(connection, "properties", "groupIds")
    if not groups or not groups[0]:
        raise bad_request(
            f"Private link service connection {connection_id} is missing required parameter 'group Id'.",
            "MissingParameterOnPrivateLinkServiceConnection",
        )
    if len(groups) > 1:
        raise bad_request(
            f"Private link service connection {connection_id} has the following group Ids: {', '.join(groups)}. "
            f"Only one group Id is permitted when connecting to a first-party resource ({target}).",
            "OnlyOneGroupIdPermitted",
        )
    message = text(connection, "properties", "requestMessage")
    if len(message) > LONGEST_MESSAGE:
        raise bad_request(
            f"The request message of private link service connection {connection_id} has {len(message)} characters; "
            f"at most {LONGEST_MESSAGE} are permitted.",
            "InvalidRequestFormat",
        )
    return Wanted(name, target, groups[0], is_manual, message)


def connections_of(endpoint: Json) -> list[Json]:
    """The connection of a stored endpoint, automatic or manual, as a list of one."""
    return [*items(endpoint, "properties", _AUTOMATIC), *items(endpoint, "properties", _MANUAL)]


def check_same(existing: Json, wanted: Wanted) -> None:
    """Refuse another connection on an endpoint that stands.

    Raises:
        ArmFault: 400 ``CannotChangePrivateLinkConnectionOnPrivateEndpoint``.
    """
    current = read_connection(existing, str(existing["id"]))
    if current.identity != wanted.identity:
        raise bad_request(
            f"Cannot change the private link connection on private endpoint {existing['id']}. Please ensure you are "
            "not updating the details of existing private link connection: "
            f"'{existing['id']}/{_MANUAL if current.is_manual else _AUTOMATIC}/{current.name}'. That is not allowed.",
            "CannotChangePrivateLinkConnectionOnPrivateEndpoint",
        )


def set_state(cloud: Cloud, endpoint: Json, state: Json | None) -> Json:
    """An endpoint's body with its connection in another state; None says that the owner removed it."""
    gone = {"status": "Disconnected", "description": "Connection was removed by the owner.", "actionsRequired": "None"}
    properties = obj(endpoint, "properties")
    for connection in connections_of(endpoint):
        connection["properties"]["privateLinkServiceConnectionState"] = dict(state or gone)
    return stamped(cloud, {**endpoint, "properties": properties}, str(properties["provisioningState"]))
