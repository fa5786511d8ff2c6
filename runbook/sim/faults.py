"""Scripted faults: which of the operator's calls go wrong, and how.

Counters lie in the state and are committed with the call they count, so a fault that struck does not strike again
after a restart.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from runbook.sim.routes import Place
from runbook.sim.scenario import Fault
from runbook.sim.wire import ArmFault, Call, Reply

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud


def before(cloud: Cloud, call: Call, place: Place) -> Reply | None:
    """A reply that stands for a call that never arrived, or None to go on.

    Raises:
        ArmFault: the script refuses this call.
    """
    for fault in _matching(cloud, call, place):
        if not (fault.not_sent or fault.refuse) or not _strikes(fault, _count(cloud, fault)):
            continue
        if fault.not_sent:
            return Reply(0, broken="not_sent")
        if fault.refuse is not None:
            wait = fault.refuse.retry_after
            headers = {} if wait is None else {"Retry-After": str(wait)}
            raise ArmFault(fault.refuse.status, fault.refuse.code, fault.refuse.message, headers=headers)
    return None


def arm(cloud: Cloud, call: Call, place: Place) -> None:
    """Bend the operation that this call may begin."""
    if cloud.turn.caller.kind != "operator":
        return
    for fault in _matching(cloud, call, place):
        if _strikes(fault, _seen(cloud, fault) + 1):
            if fault.slow is not None:
                cloud.turn.slow_s += fault.slow
            if fault.fail_operation is not None:
                cloud.turn.fail = fault.fail_operation.model_dump()


def after(cloud: Cloud, call: Call, place: Place, reply: Reply) -> Reply:
    """Count an effect; mark the reply as lost when the script says so."""
    if reply.status >= 400:
        return reply
    lost = False
    for fault in _matching(cloud, call, place):
        if not (fault.not_sent or fault.refuse):
            lost = (_strikes(fault, _count(cloud, fault)) and fault.lose_answer) or lost
    return replace(reply, broken="lose_answer") if lost else reply


def script_error(cloud: Cloud, machine_id: str) -> str:
    """What a script that runs in a machine now leaves on its standard error by the scenario's word; else empty."""
    said = ""
    for fault in cloud.scenario.faults:
        if fault.script_error and fnmatchcase(machine_id.lower(), fault.path.lower()):
            said = fault.script_error if _strikes(fault, _count(cloud, fault)) else said
    return said


def _matching(cloud: Cloud, call: Call, place: Place) -> list[Fault]:
    return [
        fault
        for fault in cloud.scenario.faults
        if fault.method == call.method
        and fault.type.lower() in ("", place.type.lower())
        and fnmatchcase(place.id.lower(), fault.path.lower())
    ]


def _strikes(fault: Fault, count: int) -> bool:
    return fault.nth <= count < fault.nth + fault.times


def _seen(cloud: Cloud, fault: Fault) -> int:
    return int((cloud.state.get("faults", fault.id) or {"seen": 0})["seen"])


def _count(cloud: Cloud, fault: Fault) -> int:
    seen = _seen(cloud, fault) + 1
    cloud.state.put("faults", fault.id, {"seen": seen})
    return seen
