"""Microsoft.HybridCompute privateEndpointConnections: the scope owner looks, approves, rejects, removes.

Invariant: what the owner does ends in ``connection_changed``, by which the endpoint's side follows.

Source: Microsoft.HybridCompute OpenAPI 2022-12-27 (privateLinkScopes); recorded Azure CLI answers (202, empty body).
"""

from __future__ import annotations

from typing import Final

from runbook.sim import operations
from runbook.sim.cloud import Cloud, Place
from runbook.sim.hooks import effect
from runbook.sim.parties import ANSWERS
from runbook.sim.providers.hybridcompute import HYBRID, ONE, connections, scope_at
from runbook.sim.providers.link_owner import remove, set_state
from runbook.sim.routes import route
from runbook.sim.wire import Call, Json, Reply, json_body, one_of, text

ANSWERS["connection_pending"] = "connection.answer"

_LINK: Final = ONE + "/privateEndpointConnections"


@route("GET", _LINK, versions=HYBRID)
def _list_connections(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, connections(cloud, scope_at(cloud, place)["id"]))


@route("GET", _LINK + "/{name}", versions=HYBRID)
def _get_connection(cloud: Cloud, call: Call, place: Place) -> Reply:
    scope_at(cloud, place)
    return Reply(200, {}, cloud.need(place.id))


@route("PUT", _LINK + "/{name}", versions=HYBRID)
def _put_connection(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    scope = scope_at(cloud, place)
    connection = cloud.need(place.id)
    where = ("properties", "privateLinkServiceConnectionState")
    text(body, *where, "status", required=True)
    status = one_of(body, *where, "status", among=("Approved", "Rejected"), default="")
    state = {"status": status, "description": text(body, *where, "description"), "actionsRequired": "None"}
    started = operations.begin(
        cloud,
        place,
        operations.HYBRID_STYLE,
        "POST",  # 202 with an empty body, although it is a PUT: as recorded
        takes_ms=cloud.takes_ms("connection"),
        effect="hybridcompute.connection",
        args={"id": connection["id"], "state": state},
        location=scope["location"],
        locks=(connection["id"],),
    )
    return Reply(202, started.headers)


@effect("hybridcompute.connection")
def _connection_settled(cloud: Cloud, args: Json) -> Json | None:
    connection = cloud.find(args["id"])
    if connection is None:
        return None
    return set_state(cloud, connection, args["state"])


@effect("connection.answer")
def _answer(cloud: Cloud, args: Json) -> None:
    """The owner of a target, of whatever type, answers a pending connection."""
    words = ("Approved", "Approved by") if args["approved"] else ("Rejected", "Rejected by")
    state = {"status": words[0], "description": f"{words[1]} {args['who']}", "actionsRequired": "None"}
    connection = cloud.find(args["connection"])
    if connection and connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending":
        _connection_settled(cloud, {"id": args["connection"], "state": state})


@route("DELETE", _LINK + "/{name}", versions=HYBRID)
def _delete_connection(cloud: Cloud, call: Call, place: Place) -> Reply:
    scope = scope_at(cloud, place)
    connection = cloud.find(place.id)
    if connection is None:
        return Reply(204)
    started = operations.begin(
        cloud,
        place,
        operations.HYBRID_STYLE,
        "DELETE",
        takes_ms=cloud.takes_ms("connection"),
        effect="hybridcompute.remove_connection",
        args={"id": connection["id"]},
        location=scope["location"],
        locks=(connection["id"],),
    )
    return Reply(202, started.headers)


@effect("hybridcompute.remove_connection")
def _connection_removed(cloud: Cloud, args: Json) -> None:
    connection = cloud.find(args["id"])
    if connection is not None:
        remove(cloud, connection)
