"""Long-running operations: what answers 201 or 202 now and is over later.

    started = operations.begin(
        cloud, place, NETWORK_STYLE, "PUT", takes_ms=cloud.takes_ms("private_endpoint"), location="westeurope",
        effect="network.endpoint_done", args={"id": place.id}, failed="network.endpoint_failed", locks=(vnet_id,),
    )
    return Reply(201, started.headers, body)

When the time has come, ``effect(cloud, args)`` runs. It may write, return a body for the ``Location`` URL of a POST,
or raise ``ArmFault``: its writes are undone, the operation ends ``Failed`` with that error, and ``failed(cloud, args)``
runs (set ``provisioningState`` to ``Failed`` there). A fault script can make it slower or fail it in the same way.

Source: Azure Resource Manager RPC, async-api-reference; operation URLs as in recorded Network, Private DNS and
HybridCompute answers, and in the Compute OpenAPI's examples (``monitor=true``). That a Compute operation's status holds
the result of a POST as ``properties.output`` is unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.clock import iso
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import EFFECTS, effect
from runbook.sim.routes import GROUP, SUBSCRIPTION, Place, route
from runbook.sim.wire import ArmFault, Call, Json, Reply


@dataclass(frozen=True, slots=True)
class Style:
    """Where a namespace puts its operations. ``{sub}``, ``{group}``, ``{location}`` and ``{operation}`` are filled in.

    ``put_location``: whether a PUT also hands out the ``Location`` URL.
    """

    name: str
    status: str
    result: str
    version: str
    put_location: bool = False


_NETWORK = SUBSCRIPTION + "/providers/Microsoft.Network/locations/{location}"
_DNS = GROUP + "/providers/Microsoft.Network"
_COMPUTE = SUBSCRIPTION + "/providers/Microsoft.Compute/locations/{location}"
_HYBRID = SUBSCRIPTION + "/providers/Microsoft.HybridCompute/locations/{location}"

NETWORK_STYLE: Final = Style(
    "network", _NETWORK + "/operations/{operation}", _NETWORK + "/operationResults/{operation}", "2024-01-01"
)
DNS_STYLE: Final = Style(
    "dns",
    _DNS + "/privateDnsOperationStatuses/{operation}",
    _DNS + "/privateDnsOperationResults/{operation}",
    "2020-06-01",
    put_location=True,
)
HYBRID_STYLE: Final = Style(
    "hybrid",
    _HYBRID + "/operationstatus/{operation}",
    _HYBRID + "/operationresults/{operation}",
    "2022-12-27",
    put_location=True,
)
COMPUTE_STYLE: Final = Style(
    "compute", _COMPUTE + "/operations/{operation}", _COMPUTE + "/operations/{operation}", "2024-03-01"
)
"""Both URLs have one path here; the ``Location`` URL has ``monitor=true``."""
RESOURCES_STYLE: Final = Style(
    "resources", "", SUBSCRIPTION + "/operationresults/{operation}", "2021-04-01", put_location=True
)
STYLES: Final = {s.name: s for s in (NETWORK_STYLE, DNS_STYLE, HYBRID_STYLE, COMPUTE_STYLE, RESOURCES_STYLE)}


@dataclass(frozen=True, slots=True)
class Started:
    """An operation under way: its id and the headers its answer carries."""

    id: str
    headers: dict[str, str]


def begin(
    cloud: Cloud,
    place: Place,
    style: Style,
    method: str,
    *,
    takes_ms: int,
    effect: str,
    args: Mapping[str, Any],
    failed: str = "",
    location: str = "",
    locks: Sequence[str] = (),
) -> Started:
    """Start an operation on ``place.id``.

    Args:
        cloud: the cloud.
        place: where the call points.
        style: the namespace's way.
        method: ``PUT``, ``DELETE`` or ``POST``; decides the headers and what the ``Location`` URL ends in.
        takes_ms: how long it takes.
        effect: what happens at its end, by registered name.
        args: handed to it; JSON.
        failed: what happens instead when it fails, by registered name.
        location: the region for its URLs.
        locks: resource ids nobody else may write meanwhile; checked here, see ``check_free``.

    Raises:
        ArmFault: 409 ``AnotherOperationInProgress``.
    """
    check_free(cloud, locks)
    turn = cloud.turn
    number = cloud.state.next_number("operation")
    operation = cloud.guid("operation", place.id, number)
    doc: Json = {
        "id": operation,
        "style": style.name,
        "method": method,
        "status": "InProgress",
        "start_ms": cloud.now_ms,
        "end_ms": cloud.now_ms + takes_ms + round(turn.slow_s * 1000),
        "resource": place.id,
        "where": {"sub": place.sub, "group": place.group, "location": location.lower().replace(" ", "")},
        "effect": effect,
        "failed": failed,
        "args": dict(args),
        "fail": turn.fail,
        "locks": [lock.lower() for lock in locks],
        "caller": turn.caller.name,
        "action": turn.action or place.action,
        "correlation": turn.correlation,
    }
    for name in (effect, failed):
        if name and name not in EFFECTS:
            raise ValueError(f"no effect is called {name!r}")
    cloud.state.put("operations", operation, doc)
    for lock in doc["locks"]:
        cloud.state.put("held", f"{lock}|{operation}", {"operation": operation})
    cloud.later(doc["end_ms"], "operation.end", {"operation": operation})
    turn.operation = operation
    return Started(operation, _headers(cloud, doc, first=True))


def check_free(cloud: Cloud, locks: Sequence[str]) -> None:
    """Refuse a write to something that an operation under way holds. For synchronous writes; ``begin`` calls it.

    Raises:
        ArmFault: 409 ``AnotherOperationInProgress``.
    """
    for lock in locks:
        for key in cloud.state.keys("held", lock.lower() + "|"):
            doc = cloud.state.get("operations", key.rpartition("|")[2])
            if doc is not None:
                raise ArmFault(
                    409,
                    "AnotherOperationInProgress",
                    "Another operation on this or dependent resource is in progress. "
                    f"To retrieve status of the operation use uri: {_url(cloud, doc, is_status=True)}.",
                )


@effect("operation.end")
def _end(cloud: Cloud, args: Json) -> None:
    doc = cloud.state.get("operations", args["operation"])
    if doc is None:
        return
    cloud.turn.correlation, cloud.turn.action = doc["correlation"], doc["action"]
    for lock in doc["locks"]:
        cloud.state.delete("held", f"{lock}|{doc['id']}")
    mark = cloud.state.mark()
    try:
        if doc["fail"] is not None:
            raise ArmFault(200, doc["fail"]["code"], doc["fail"]["message"])
        doc["result"] = EFFECTS[doc["effect"]](cloud, doc["args"])
        doc["status"] = "Succeeded"
    except ArmFault as fault:
        cloud.state.rollback(mark)
        doc["status"], doc["error"] = "Failed", fault.error
        if doc["failed"]:
            EFFECTS[doc["failed"]](cloud, doc["args"])
    cloud.state.put("operations", doc["id"], doc)
    cloud.emit("operation_ended", doc)


def _status(cloud: Cloud, call: Call, place: Place) -> Reply:
    doc = _operation(cloud, place)
    body: Json = {"name": doc["id"], "status": doc["status"], "startTime": iso(doc["start_ms"])}
    if doc["style"] == "network":
        body = {"status": doc["status"]}
    if doc["status"] == "InProgress":
        return Reply(200, {"Retry-After": str(_retry_after(cloud, doc))}, body)
    if doc["style"] != "network":
        body["endTime"] = iso(doc["end_ms"])
    if "error" in doc:
        body["error"] = doc["error"]
    elif doc["style"] == "compute" and doc.get("result"):
        body["properties"] = {"output": doc["result"]}
    return Reply(200, {}, body)


def _result(cloud: Cloud, call: Call, place: Place) -> Reply:
    doc = _operation(cloud, place)
    if doc["status"] == "InProgress":
        return Reply(202, _headers(cloud, doc, first=False))
    if "error" in doc:
        return Reply(400 if doc["style"] == "network" else 409, {}, {"error": doc["error"]})
    if doc["method"] == "DELETE":
        return Reply(200 if doc["style"] == "resources" else 204)
    if doc["style"] == "compute" and doc["method"] == "POST":
        return Reply(200, {}, doc.get("result"))
    body = doc.get("result") or cloud.find(doc["resource"])
    return Reply(204) if body is None else Reply(200, {}, body)


def _either(cloud: Cloud, call: Call, place: Place) -> Reply:
    return (_result if call.query.get("monitor", "").lower() == "true" else _status)(cloud, call, place)


def _operation(cloud: Cloud, place: Place) -> Json:
    doc = cloud.state.get("operations", place["operation"].lower())
    if doc is None or doc["where"]["sub"].lower() != place.sub.lower():
        raise ArmFault(404, "OperationNotFound", f"The operation '{place['operation']}' was not found.")
    return doc


def _headers(cloud: Cloud, doc: Json, *, first: bool) -> dict[str, str]:
    style = STYLES[doc["style"]]
    headers = {"Retry-After": str(_retry_after(cloud, doc))}
    if style.status and first:
        headers["Azure-AsyncOperation"] = _url(cloud, doc, is_status=True)
    if doc["method"] != "PUT" or style.put_location:
        headers["Location"] = _url(cloud, doc, is_status=False)
    return headers


def _url(cloud: Cloud, doc: Json, *, is_status: bool) -> str:
    style = STYLES[doc["style"]]
    path = style.status if is_status and style.status else style.result
    for name, value in {**doc["where"], "operation": doc["id"]}.items():
        path = path.replace("{" + name + "}", value)
    monitor = {} if is_status or style.status != style.result else {"monitor": "true"}
    signature = {"t": str(doc["start_ms"]), "c": "simulated", "h": cloud.guid("signature", doc["id"]).replace("-", "")}
    return cloud.url(path, {"api-version": style.version, **monitor, **signature})


def _retry_after(cloud: Cloud, doc: Json) -> int:
    """Whole seconds, 1 to 10: a third of what is left. Never 0, which clients take for half a minute."""
    left_s = (doc["end_ms"] - cloud.now_ms) / 1000
    return int(min(10, max(1, -(-left_s // 3))))


def _register() -> None:
    for style in STYLES.values():
        versions = EVERY_VERSION
        if style.status == style.result:
            route("GET", style.status, versions=versions, registered=False)(_either)
            continue
        if style.status:
            route("GET", style.status, versions=versions, registered=False)(_status)
        route("GET", style.result, versions=versions, registered=False)(_result)


EVERY_VERSION: Final = frozenset(
    {
        "2018-09-01",
        "2020-06-01",
        "2021-04-01",
        "2022-12-27",
        "2024-01-01",
        "2024-03-01",
    }
)
_register()
