"""Microsoft.Compute/virtualMachines: machines, their instance view and what is done to their power.

Invariants: whether a machine runs lies in the table ``power`` and nowhere else; an action that ends well tells
``power_changed`` (``{"vm", "state"}``, when the state is another than before) and, when Windows came up anew,
``loader_restarted`` (``{"vm"}``). One power action at a time.

Seed a machine that does not run by the ARM field that says so::

    properties: {instanceView: {statuses: [{code: PowerState/deallocated}]}}

Source: Microsoft.Compute OpenAPI 2024-03-01 (virtualMachine.json) and its examples; api-versions as published for the
type. Error texts, and what a restart shows meanwhile, are the simulator's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from runbook.core.clock import iso
from runbook.sim import operations
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import effect, on
from runbook.sim.providers.addresses import NIC
from runbook.sim.providers.network import reference, referenced, region_for
from runbook.sim.providers.resources import check_location
from runbook.sim.routes import GROUP, SUBSCRIPTION, Place, route
from runbook.sim.seeding import seeder
from runbook.sim.wire import ArmFault, Call, Json, Reply, bad_request, items, json_body, obj, tags_of, text

COMPUTE: Final = frozenset(
    {
        "2019-07-01", "2019-12-01", "2020-06-01", "2020-12-01", "2021-03-01", "2021-04-01", "2021-07-01", "2021-11-01",
        "2022-03-01", "2022-08-01", "2022-11-01", "2023-03-01", "2023-07-01", "2023-09-01", "2024-03-01", "2024-07-01",
        "2024-11-01", "2025-04-01",
    }
)  # fmt: skip
VM: Final = "Microsoft.Compute/virtualMachines"
_HOME: Final = "/providers/" + VM
ONE: Final = GROUP + _HOME + "/{vm}"
_POWER: Final = "power"
_STATES: Final = ("running", "deallocated", "stopped")


# ---------------------------------------------------------------- what others ask


def power_of(cloud: Cloud, vm_id: str) -> str:
    """``running``, ``deallocated`` or ``stopped``; on the way there ``starting``, ``deallocating`` or ``stopping``."""
    return str(_power(cloud, vm_id)["state"])


def since_of(cloud: Cloud, vm_id: str) -> int:
    """Since when a machine's power is what it is, UTC milliseconds."""
    return int(_power(cloud, vm_id)["since_ms"])


def boots_of(cloud: Cloud, vm_id: str) -> int:
    """How often a machine's Windows was ended so far: what ran before another number runs no more."""
    return int(_power(cloud, vm_id)["boots"])


def is_windows(vm: Json) -> bool:
    """Whether PowerShell scripts run in it."""
    return text(vm, "properties", "storageProfile", "osDisk", "osType", default="Windows").lower() == "windows"


def _power(cloud: Cloud, vm_id: str) -> Json:
    return cloud.state.get(_POWER, vm_id.lower()) or {"state": "running", "boots": 0, "since_ms": cloud.now_ms}


def _set_power(cloud: Cloud, vm_id: str, state: str, *, ends_windows: bool = False) -> None:
    boots = boots_of(cloud, vm_id) + ends_windows
    cloud.state.put(_POWER, vm_id.lower(), {"state": state, "boots": boots, "since_ms": cloud.now_ms})


# ---------------------------------------------------------------- bodies


def _made(cloud: Cloud, vm_id: str, body: Json, location: str) -> Json:
    """A machine's body as it is stored.

    Raises:
        ArmFault: 400, an interface does not exist or belongs to another machine.
    """
    for entry in items(body, "properties", "networkProfile", "networkInterfaces"):
        nic_id = text(entry, "id", required=True)
        reference(nic_id, NIC, "properties.networkProfile.networkInterfaces.id")
        nic = referenced(cloud, nic_id, vm_id)
        others = [i for i in cloud.referring(VM, nic_id) if i.lower() != vm_id.lower()]
        if others or obj(nic, "properties", "privateEndpoint"):
            owner = others[0] if others else text(nic, "properties", "privateEndpoint", "id")
            message = f"Network interface '{nic_id}' cannot be attached to '{vm_id}': it belongs to '{owner}'."
            raise bad_request(message, "NicInUse")
    name = vm_id.rpartition("/")[2]
    properties: Json = {
        "vmId": cloud.resource_guid(vm_id, "vm"),
        "hardwareProfile": {"vmSize": "Standard_D4s_v3"},
        "storageProfile": {"osDisk": {"name": f"{name}-os", "osType": "Windows", "createOption": "FromImage"}},
        "osProfile": {"computerName": name[:15]},
        "networkProfile": {"networkInterfaces": []},
        "provisioningState": "Succeeded",
        "timeCreated": iso(cloud.now_ms),
        **{k: v for k, v in obj(body, "properties").items() if k not in ("instanceView", "provisioningState")},
    }
    vm: Json = {"id": vm_id, "name": name, "type": VM, "location": location, "properties": properties}
    if tags := tags_of(body):
        vm["tags"] = tags
    return vm


@seeder(VM)
def _seed(cloud: Cloud, body: Json) -> None:
    vm = _made(cloud, str(body["id"]), body, check_location(cloud, body, VM))
    wanted = [text(s, "code") for s in items(body, "properties", "instanceView", "statuses")]
    for code in wanted:
        state = code.removeprefix("PowerState/")
        if state not in _STATES:
            raise bad_request(f"{vm['name']} cannot start as {code!r}; only as PowerState/{', '.join(_STATES)}.")
        _set_power(cloud, str(vm["id"]), state)
    cloud.save(vm)


def instance_view(cloud: Cloud, vm: Json, *, only_statuses: bool = False) -> Json:
    """A machine as it is now. The agent answers only while Windows runs."""
    power = _power(cloud, str(vm["id"]))
    provisioning, since = text(vm, "properties", "provisioningState"), iso(int(power["since_ms"]))
    statuses: list[Json] = [
        {
            "code": f"ProvisioningState/{provisioning.lower()}",
            "level": "Info",
            "displayStatus": f"Provisioning {provisioning.lower()}",
            "time": since,
        },
        {"code": f"PowerState/{power['state']}", "level": "Info", "displayStatus": f"VM {power['state']}"},
    ]
    if only_statuses:
        return {"statuses": statuses}
    view: Json = {"computerName": text(vm, "properties", "osProfile", "computerName"), "hyperVGeneration": "V2"}
    if power["state"] == "running":
        view["osName"] = "Windows 11 Enterprise multi-session" if is_windows(vm) else "ubuntu"
        agent = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready", "time": since}
        agent["message"] = "GuestAgent is running and processing the extensions."
        view["vmAgent"] = {"vmAgentVersion": "2.7.41491.1172", "statuses": [agent], "extensionHandlers": []}
    return {**view, "disks": [], "statuses": statuses}


def _with_view(cloud: Cloud, vm: Json, *, only_statuses: bool = False) -> Json:
    view = instance_view(cloud, vm, only_statuses=only_statuses)
    return {**vm, "properties": {**obj(vm, "properties"), "instanceView": view}}


# ---------------------------------------------------------------- reading and writing


def expands_view(call: Call) -> bool:
    """Whether a call asks for the instance view.

    Raises:
        ArmFault: 400, it asks for something else.
    """
    given = call.query.get("$expand", "")
    if given.lower() not in ("", "instanceview"):
        raise bad_request(f"The value '{given}' of '$expand' is not valid: only 'instanceView'.", "InvalidParameter")
    return bool(given)


@route("GET", ONE, versions=COMPUTE)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    vm = cloud.need(place.id)
    return Reply(200, {}, _with_view(cloud, vm) if expands_view(call) else vm)


@route("GET", ONE + "/instanceView", versions=COMPUTE, kind=VM, action=VM + "/instanceView/read")
def _view(cloud: Cloud, call: Call, place: Place) -> Reply:
    return Reply(200, {}, instance_view(cloud, cloud.need(place.id.rpartition("/")[0])))


@route("GET", GROUP + _HOME, versions=COMPUTE)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    show = partial(_with_view, cloud) if expands_view(call) else None
    return cloud.listing(call, cloud.resources(VM, place.group_id), show=show)


@route("GET", SUBSCRIPTION + _HOME, versions=COMPUTE)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    if call.query.get("$filter"):
        raise bad_request("'$filter' is not supported for virtual machines in this simulated cloud.")
    show = partial(_with_view, cloud) if expands_view(call) else None
    if call.query.get("statusOnly", "").lower() == "true":
        show = partial(_with_view, cloud, only_statuses=True)
    return cloud.listing(call, cloud.resources(VM, f"/subscriptions/{place.sub}"), show=show)


@route("PUT", ONE, versions=COMPUTE)
def _put(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    existing = cloud.find(place.id)
    vm_id = place.id if existing is None else str(existing["id"])
    vm = _made(cloud, vm_id, body, region_for(cloud, place, body))
    if existing is not None:
        vm["properties"]["timeCreated"] = existing["properties"]["timeCreated"]
    vm["properties"]["provisioningState"] = "Creating" if existing is None else "Updating"
    started = _begin(cloud, place, vm, "PUT", "vm_create", "compute.vm_settled", {})
    cloud.save(vm)
    return Reply(201 if existing is None else 200, started.headers, vm)


@route("PATCH", ONE, versions=COMPUTE)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    vm = cloud.need(place.id)
    if obj(body, "properties"):
        raise bad_request("Only the tags of a virtual machine can be patched in this simulated cloud.")
    vm["tags"] = tags_of(body)
    cloud.save(vm)
    return Reply(200, {}, vm)


def _begin(
    cloud: Cloud, place: Place, vm: Json, method: str, takes: str, effect: str, args: Json
) -> operations.Started:
    return operations.begin(
        cloud,
        place,
        operations.COMPUTE_STYLE,
        method,
        takes_ms=cloud.takes_ms(takes),
        effect=effect,
        args={"id": vm["id"], **args},
        failed="compute.vm_failed",
        location=str(vm["location"]),
        locks=(str(vm["id"]),),
    )


@effect("compute.vm_settled")
def _settled(cloud: Cloud, args: Json) -> None:
    _settle(cloud, args["id"], "Succeeded")


@effect("compute.vm_failed")
def _failed(cloud: Cloud, args: Json) -> None:
    _settle(cloud, args["id"], "Failed")
    if before := args.get("before"):
        _set_power(cloud, args["id"], before)


def _settle(cloud: Cloud, vm_id: str, state: str) -> None:
    if (vm := cloud.find(vm_id)) is not None:
        vm["properties"]["provisioningState"] = state
        cloud.save(vm)


# ---------------------------------------------------------------- power


@dataclass(frozen=True, slots=True)
class _Action:
    """``takes``: key of its duration; ``during`` and ``after``: the power state; ``from_running``: only then."""

    takes: str
    during: str
    after: str
    from_running: bool = False


_ACTIONS: Final = {
    "start": _Action("vm_start", "starting", "running"),
    "restart": _Action("vm_restart", "starting", "running", from_running=True),
    "deallocate": _Action("vm_deallocate", "deallocating", "deallocated"),
    "powerOff": _Action("vm_deallocate", "stopping", "stopped"),
}


def check_running(cloud: Cloud, vm: Json) -> None:
    """Refuse what needs a running machine.

    Raises:
        ArmFault: 409 ``OperationNotAllowed``.
    """
    if power_of(cloud, str(vm["id"])) != "running":
        raise ArmFault(
            409, "OperationNotAllowed", "The operation requires the VM to be running (or set to run).", str(vm["name"])
        )


def _act(name: str, cloud: Cloud, call: Call, place: Place) -> Reply:
    vm, action = cloud.need(place.id), _ACTIONS[name]
    vm_id, before = str(vm["id"]), power_of(cloud, place.id)
    operations.check_free(cloud, (vm_id,))
    if action.from_running:
        check_running(cloud, vm)
    started = _begin(cloud, place, vm, "POST", action.takes, "compute.acted", {"do": name, "before": before})
    if name == "restart" or before != action.after:
        _set_power(cloud, vm_id, action.during, ends_windows=before == "running")
    _settle(cloud, vm_id, "Updating")
    return Reply(202, started.headers)


for _name in _ACTIONS:
    route("POST", ONE + "/" + _name, versions=COMPUTE)(partial(_act, _name))


@effect("compute.acted")
def _acted(cloud: Cloud, args: Json) -> None:
    vm_id, action = str(args["id"]), _ACTIONS[args["do"]]
    _settle(cloud, vm_id, "Succeeded")
    if cloud.find(vm_id) is None or power_of(cloud, vm_id) == action.after:
        return
    _set_power(cloud, vm_id, action.after)
    if args["before"] != action.after:
        cloud.emit("power_changed", {"vm": vm_id, "state": action.after})
    if action.after == "running":
        cloud.emit("loader_restarted", {"vm": vm_id})


@on("group_deleted")
def _forget(cloud: Cloud, event: Json) -> None:
    for key in cloud.state.keys(_POWER, str(event["id"]).lower() + "/"):
        cloud.state.delete(_POWER, key)
