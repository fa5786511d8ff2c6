"""Scripts in virtual machines: the action run-command, and managed run commands.

Invariants: the action runs one script at a time in a machine and its HTTP result says only that the script ran; a
managed command is a resource that remembers how its script ended (table ``script_runs``). A script that runs while its
machine is restarted or stopped never comes to its end.

That a PUT of a managed command with an unchanged body does not run the script again is the simulator's own reading
(unconfirmed).

Source: Microsoft.Compute OpenAPI 2024-03-01 (runCommand.json) and its examples; "Run scripts in your Windows VM by
using action Run Commands" and "… managed Run Commands", learn.microsoft.com (one at a time; error texts).
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final

from runbook.core.clock import iso
from runbook.sim import operations
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import effect, on
from runbook.sim.providers.compute import COMPUTE, ONE, boots_of, check_running, expands_view, is_windows, power_of
from runbook.sim.providers.compute_scripts import run
from runbook.sim.providers.network import region_for
from runbook.sim.routes import Place, route
from runbook.sim.wire import (
    ArmFault,
    Call,
    Json,
    Reply,
    bad_request,
    flag,
    integer,
    json_body,
    obj,
    tags_of,
    text,
    texts,
)

COMMAND: Final = "Microsoft.Compute/virtualMachines/runCommands"
_COMMANDS: Final = ONE + "/runCommands"
_COMMAND: Final = _COMMANDS + "/{name}"
_RUNS: Final = "script_runs"
_SECRET: Final = ("protectedParameters", "runAsPassword")
_LONGEST_S: Final = 5400
"""How long a managed command may take where it does not say: 90 minutes."""


# ---------------------------------------------------------------- the action


@route("POST", ONE + "/runCommand", versions=COMPUTE)
def _invoke(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    vm = cloud.need(place.id)
    command, fitting = (
        text(body, "commandId", required=True),
        "RunPowerShellScript" if is_windows(vm) else "RunShellScript",
    )
    if command.lower() != fitting.lower():
        raise bad_request(f"The command '{command}' cannot run in '{vm['name']}'; '{fitting}' can.", "InvalidParameter")
    script = "\n".join(texts(body, "script"))
    lock = f"{vm['id']}/runCommand"
    check_running(cloud, vm)
    try:
        operations.check_free(cloud, (lock,))
    except ArmFault:
        message = (
            "Run command extension execution is in progress. Please wait for completion before invoking a run command."
        )
        raise ArmFault(409, "Conflict", message) from None
    started = operations.begin(
        cloud,
        place,
        operations.COMPUTE_STYLE,
        "POST",
        takes_ms=cloud.takes_ms("run_command"),
        effect="compute.script_done",
        args={"vm": vm["id"], "script": script, "boots": boots_of(cloud, place.id)},
        location=str(vm["location"]),
        locks=(lock,),
    )
    return Reply(202, started.headers)


@effect("compute.script_done")
def _done(cloud: Cloud, args: Json) -> Json:
    if _was_cut(cloud, args):
        message = "Operation execution has been preempted by a more recent operation."
        raise ArmFault(409, "OperationPreempted", message)
    ran = run(cloud, args["vm"], args["script"])
    parts = (("StdOut", ran.output), ("StdErr", ran.error))
    said = {"level": "Info", "displayStatus": "Provisioning succeeded"}
    return {"value": [{"code": f"ComponentStatus/{p}/succeeded", **said, "message": m} for p, m in parts]}


def _was_cut(cloud: Cloud, args: Json) -> bool:
    """Whether the machine of a script did not run all the time."""
    is_same = boots_of(cloud, args["vm"]) == args["boots"]
    return cloud.find(args["vm"]) is None or not is_same or power_of(cloud, args["vm"]) != "running"


# ---------------------------------------------------------------- managed commands


@route("PUT", _COMMAND, versions=COMPUTE)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    vm = cloud.need(place.parent_id, as_parent=True)
    existing = cloud.find(place.id)
    command_id = f"{vm['id']}/runCommands/{place.name}" if existing is None else str(existing["id"])
    if (location := region_for(cloud, place, body)) != vm["location"]:
        raise bad_request(f"'{place.name}' must be in '{vm['location']}', where its machine is.", "InvalidParameter")
    script, is_async = (
        text(body, "properties", "source", "script", required=True),
        flag(body, "properties", "asyncExecution"),
    )
    longest_s = integer(body, "properties", "timeoutInSeconds") or _LONGEST_S
    if longest_s < 0 or flag(body, "properties", "treatFailureAsDeploymentFailure"):
        raise bad_request("timeoutInSeconds must not be negative; treatFailureAsDeploymentFailure is not simulated.")
    command: Json = {"id": command_id, "name": command_id.rpartition("/")[2], "type": COMMAND, "location": location}
    if tags := tags_of(body):
        command["tags"] = tags
    sent = obj(body, "properties")
    state = {"provisioningState": "Creating" if existing is None else "Updating"}
    command["properties"] = {k: v for k, v in sent.items() if k not in (*_SECRET, "instanceView")} | state
    asked = sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()
    row = cloud.state.get(_RUNS, command_id.lower()) or {"asked": "", "turn": 0}
    if existing is not None and row["asked"] == asked and existing["properties"]["provisioningState"] != "Failed":
        kept = {**command, "properties": existing["properties"]}
        cloud.save(kept)
        return Reply(200, {}, kept)
    check_running(cloud, vm)
    takes_ms = min(cloud.takes_ms("run_command"), longest_s * 1000)
    args = {
        "id": command_id, "vm": vm["id"], "script": script, "boots": boots_of(cloud, str(vm["id"])),
        "turn": row["turn"] + 1, "takes_ms": takes_ms, "in_time": takes_ms == cloud.takes_ms("run_command"),
    }  # fmt: skip
    started = operations.begin(
        cloud,
        place,
        operations.COMPUTE_STYLE,
        "PUT",
        takes_ms=cloud.takes_ms("run_command_start") if is_async else takes_ms,
        effect="compute.command_started" if is_async else "compute.command_done",
        args=args,
        failed="compute.command_failed",
        location=location,
        locks=(command_id,),
    )
    view = {"executionState": "Pending" if is_async else "Running"}
    cloud.state.put(_RUNS, command_id.lower(), {"asked": asked, "turn": args["turn"], "view": _view(cloud, view)})
    cloud.save(command)
    return Reply(200 if existing else 201, started.headers, command)


def _view(cloud: Cloud, changes: Json, before: Json | None = None) -> Json:
    """The view of a script's run: begun now, or as before with changes."""
    empty = {"executionMessage": "", "exitCode": 0, "output": "", "error": "", "startTime": iso(cloud.now_ms)}
    return {**(before or empty), **changes}


@effect("compute.command_started")
def _started(cloud: Cloud, args: Json) -> None:
    _note(cloud, args, {"executionState": "Running", "startTime": iso(cloud.now_ms)}, "Succeeded")
    cloud.later(cloud.now_ms + args["takes_ms"], "compute.command_ended", args)


@effect("compute.command_done")
@effect("compute.command_ended")
def _ended(cloud: Cloud, args: Json) -> None:
    """The script's time is over: it ran, was cut off with its machine, or took longer than it may."""
    row = cloud.state.get(_RUNS, args["id"].lower())
    if row is None or row["turn"] != args["turn"]:
        return  # deleted, or run anew
    changes: Json = {"endTime": iso(cloud.now_ms)}
    if _was_cut(cloud, args):
        why = "The machine was stopped or restarted while the script ran."
        changes |= {"executionState": "Failed", "exitCode": -1, "executionMessage": why}
    elif not args["in_time"]:
        why = "The script ran longer than timeoutInSeconds allows."
        changes |= {"executionState": "TimedOut", "exitCode": -1, "executionMessage": why}
    else:
        ran = run(cloud, args["vm"], args["script"])
        state = "Failed" if ran.exit_code else "Succeeded"
        changes |= {"executionState": state, "exitCode": ran.exit_code, "output": ran.output, "error": ran.error}
    _note(cloud, args, changes, "Succeeded")


@effect("compute.command_failed")
def _failed(cloud: Cloud, args: Json) -> None:
    _note(cloud, args, {"executionState": "Failed", "endTime": iso(cloud.now_ms)}, "Failed")


def _note(cloud: Cloud, args: Json, changes: Json, state: str) -> None:
    """Keep how a run stands, in its view and in the command's body."""
    row, command = cloud.state.get(_RUNS, args["id"].lower()), cloud.find(args["id"])
    if row is not None and command is not None and row["turn"] == args["turn"]:
        cloud.state.put(_RUNS, args["id"].lower(), {**row, "view": _view(cloud, changes, row["view"])})
        command["properties"]["provisioningState"] = state
        cloud.save(command)


@route("GET", _COMMAND, versions=COMPUTE)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id, as_parent=True)
    return Reply(200, {}, _shown(cloud, cloud.need(place.id), expands_view(call)))


@route("GET", _COMMANDS, versions=COMPUTE)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    vm, expands = cloud.need(place.id.rpartition("/")[0], as_parent=True), expands_view(call)
    return cloud.listing(call, cloud.resources(COMMAND, str(vm["id"])), show=lambda c: _shown(cloud, c, expands))


def _shown(cloud: Cloud, command: Json, expands: bool) -> Json:
    row = cloud.state.get(_RUNS, str(command["id"]).lower()) if expands else None
    return command if row is None else {**command, "properties": {**command["properties"], "instanceView": row["view"]}}


@route("DELETE", _COMMAND, versions=COMPUTE)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    """Take a command away; a script of it that still runs is ended without effect."""
    vm = cloud.need(place.parent_id, as_parent=True)
    if (command := cloud.find(place.id)) is None:
        return Reply(204)
    started = operations.begin(
        cloud,
        place,
        operations.COMPUTE_STYLE,
        "DELETE",
        takes_ms=cloud.takes_ms("run_command_start"),
        effect="compute.command_gone",
        args={"id": command["id"]},
        location=str(vm["location"]),
        locks=(str(command["id"]),),
    )
    cloud.state.delete(_RUNS, str(command["id"]).lower())
    command["properties"]["provisioningState"] = "Deleting"
    cloud.save(command)
    return Reply(202, started.headers)


@effect("compute.command_gone")
def _gone(cloud: Cloud, args: Json) -> None:
    cloud.drop(args["id"])


@on("group_deleted")
def _forget(cloud: Cloud, event: Json) -> None:
    for key in cloud.state.keys(_RUNS, str(event["id"]).lower() + "/"):
        cloud.state.delete(_RUNS, key)
