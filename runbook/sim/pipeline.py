"""How one call is answered: the checks ARM makes before a resource provider sees it, then the provider, then the log.

Invariant: a refused call changes nothing but throttling buckets and fault counters.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from runbook.core.clock import iso
from runbook.sim import faults, throttle
from runbook.sim.providers import authorization, insights, resources
from runbook.sim.routes import Place, Route, check_version, find
from runbook.sim.wire import ArmFault, Call, Reply

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud


_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def answer(cloud: Cloud, call: Call) -> Reply:
    """Answer ``call`` as ``cloud.turn.caller``'s."""
    turn = cloud.turn
    client_id = call.headers.get("x-ms-client-request-id", "")
    number = cloud.state.get("counters", "call") or {"n": 0}
    cloud.state.put("counters", "call", {"n": int(number["n"]) + 1}, soft=True)
    request_id = cloud.guid("request", client_id or number["n"], call.method, call.path, cloud.now_ms)
    given = call.headers.get("x-ms-correlation-request-id", "")
    turn.correlation = given if _GUID.fullmatch(given) else cloud.guid("correlation", request_id)
    headers: dict[str, str] = {}
    mark = cloud.state.mark()
    try:
        reply = _checked(cloud, call, headers)
    except ArmFault as fault:
        if not turn.keep:
            cloud.state.rollback(mark)
        reply = fault.reply
    headers |= {
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": turn.correlation,
        "x-ms-routing-request-id": f"SIMULATED:{iso(cloud.now_ms)}:{request_id}",
    }
    if client_id and call.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        headers["x-ms-client-request-id"] = client_id
    body = None if call.method == "HEAD" else reply.body
    return replace(reply, headers={**headers, **turn.headers, **reply.headers}, body=body)


def _checked(cloud: Cloud, call: Call, headers: dict[str, str]) -> Reply:
    turn = cloud.turn
    found, place = find(call)
    turn.action, turn.subject = place.action, place.id
    if turn.caller.kind == "operator":
        headers |= throttle.take(cloud, call.method, place.sub)
    turn.keep = True  # a bucket that was drawn on, a fault that was counted, stay so whatever comes of the call
    act = faults.before(cloud, call, place) if turn.caller.kind == "operator" else None
    if act is not None:
        return act
    turn.keep = False
    mark = cloud.state.mark()
    try:
        reply = _provided(cloud, call, found, place)
    except ArmFault:
        cloud.state.rollback(mark)
        turn.keep = True
        raise
    if found.is_write and reply.status < 400:
        _log(cloud, place, reply)
        cloud.emit("write", {"method": call.method, "path": place.id, "caller": turn.caller.name})
    return faults.after(cloud, call, place, reply) if turn.caller.kind == "operator" else reply


def _provided(cloud: Cloud, call: Call, found: Route, place: Place) -> Reply:
    caller = cloud.turn.caller
    if place.sub:
        subscription = resources.subscription(cloud, place.sub)
        is_closed = subscription["state"] in ("Disabled", "Deleted", "Warned")
        if found.is_write and is_closed and not cloud.is_seeding:
            raise ArmFault(
                409,
                "ReadOnlyDisabledSubscription",
                f"The subscription '{place.sub}' is disabled and therefore marked as read only. "
                "You cannot perform any write actions on this subscription until it is re-enabled.",
            )
    check_version(found, call)
    namespace = found.type.partition("/")[0]
    if found.needs_registration and place.sub:
        resources.check_registered(cloud, place.sub, namespace)
    if caller.kind == "operator":
        authorization.check(cloud, place)
    if found.needs_group and place.group:
        resources.check_group(cloud, place.sub, place.group)
    if found.is_write and caller.kind != "platform":
        authorization.check_locks(cloud, place.id, "delete" if call.method == "DELETE" else "write")
    faults.arm(cloud, call, place)
    return found.handler(cloud, call, place)


def _log(cloud: Cloud, place: Place, reply: Reply) -> None:
    turn = cloud.turn
    status = "Accepted" if turn.operation else "Succeeded"
    insights.record(
        cloud,
        caller=turn.caller.name,
        operation=place.action,
        resource_id=place.id,
        status=status,
        sub_status=str(reply.status),
        correlation=turn.correlation,
    )
