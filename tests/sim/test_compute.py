"""Virtual machines, their power, and the scripts that run in them; every answer is held against the OpenAPI."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from runbook.core.error import BookError
from runbook.sim.cloud import Call, Reply
from runbook.sim.hooks import LISTENERS
from tests.sim.net import HERE, NET, SUBNET, NetWorld
from tests.sim.world import RG, SUB

V = "2024-03-01"
VMS = f"{RG}/providers/Microsoft.Compute/virtualMachines"
VM = f"{VMS}/sh-1"
OFF = f"{VMS}/sh-2"
NSG = f"{HERE}/networkSecurityGroups/nsg"
COMMAND = f"{VM}/runCommands/loader"
LOADER = "Restart-Service -Name RDAgentBootLoader -Force; (Get-Service RDAgentBootLoader).Status"
INVOKE = {"commandId": "RunPowerShellScript", "script": [LOADER]}


def nic(name: str, **config: Any) -> dict[str, Any]:
    inner = {"name": "ipconfig1", "properties": {"subnet": {"id": SUBNET}, **config}}
    properties = {"ipConfigurations": [inner], "networkSecurityGroup": {"id": NSG}}
    return {"id": f"{HERE}/networkInterfaces/{name}", "location": "westeurope", "properties": properties}


def machine(vm: str, nic_name: str, *statuses: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "networkProfile": {"networkInterfaces": [{"id": f"{HERE}/networkInterfaces/{nic_name}"}]}
    }
    if statuses:
        properties["instanceView"] = {"statuses": [{"code": code} for code in statuses]}
    return {"id": vm, "location": "westeurope", "properties": properties}


class Machines(NetWorld):
    """A world with ``sh-1``, which runs, and ``sh-2``, which does not; ``told`` are the events about machines."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
        self.told: list[tuple[str, str]] = []
        for event in ("loader_restarted", "power_changed"):
            listener = lambda cloud, about, event=event: self.told.append((event, about.get("state", "")))  # noqa: E731
            monkeypatch.setitem(LISTENERS, event, [*LISTENERS.get(event, []), listener])
        resources = (
            {"id": NSG, "location": "westeurope"},
            nic("nic-1"),
            nic("nic-2", privateIPAddress="10.0.1.9"),
            machine(VM, "nic-1"),
            machine(OFF, "nic-2", "PowerState/deallocated"),
        )
        super().__init__(resources=resources, **changes)
        self.version = V

    def followed(self, reply: Reply, header: str = "Location") -> Reply:
        url = urlsplit(reply.headers[header])
        return self.cloud.handle(Call("GET", url.path, dict(parse_qsl(url.query)), {}, None))

    def power(self, vm: str = VM) -> str:
        return str(self.get(f"{vm}/instanceView")["statuses"][1]["code"])

    def did(self, action: str, vm: str = VM) -> str:
        """Carry out an action to its end; the state of its operation."""
        reply = self.call("POST", f"{vm}/{action}")
        assert reply.status == 202
        assert self.followed(reply).status == 202
        self.wait(61)
        assert self.followed(reply).status == 200
        return str(self.followed(reply, "Azure-AsyncOperation").body["status"])

    def command(self, **properties: Any) -> dict[str, Any]:
        return {"location": "westeurope", "properties": {"source": {"script": LOADER}, **properties}}

    def view(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{COMMAND}?$expand=instanceView")["properties"]["instanceView"]
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Machines:
    return Machines(monkeypatch)


# ---------------------------------------------------------------- machines and interfaces


def test_a_machine_is_read_alone_in_its_group_and_in_its_subscription(world: Machines) -> None:
    assert world.get(VM)["properties"]["networkProfile"]["networkInterfaces"] == [
        {"id": f"{HERE}/networkInterfaces/nic-1"}
    ]
    for path in (VMS, f"/subscriptions/{SUB}/providers/Microsoft.Compute/virtualMachines"):
        assert [vm["name"] for vm in world.get(path)["value"]] == ["sh-1", "sh-2"]
    assert "instanceView" not in world.get(VM)["properties"]
    assert "instanceView" in world.get(f"{VM}?$expand=instanceView")["properties"]


def test_the_power_of_a_whole_subscription_is_one_list(world: Machines) -> None:
    found = world.get(f"/subscriptions/{SUB}/providers/Microsoft.Compute/virtualMachines?statusOnly=true")["value"]
    codes = [vm["properties"]["instanceView"]["statuses"][1]["code"] for vm in found]
    assert codes == ["PowerState/running", "PowerState/deallocated"]


def test_the_agent_answers_only_while_the_machine_runs(world: Machines) -> None:
    assert world.get(f"{VM}/instanceView")["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
    assert "vmAgent" not in world.get(f"{OFF}/instanceView")


def test_an_interface_of_a_machine_holds_an_address_and_names_its_machine_and_group(world: Machines) -> None:
    first, second = world.get(f"/subscriptions/{SUB}/providers/Microsoft.Network/networkInterfaces", NET)["value"]
    assert first["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.1.4"
    assert second["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.1.9"
    assert first["properties"]["virtualMachine"] == {"id": VM}
    assert [i["id"] for i in world.get(NSG, NET)["properties"]["networkInterfaces"]] == [first["id"], second["id"]]
    assert len(world.get(SUBNET, NET)["properties"]["ipConfigurations"]) == 2
    assert world.refused("DELETE", first["id"], NET)[1] == "NetworkInterfaceInUse"
    assert world.refused("DELETE", NSG, NET)[1] == "InUseNetworkSecurityGroupCannotBeDeleted"


def test_a_machine_can_be_made_and_tagged_but_not_with_another_ones_interface(world: Machines) -> None:
    made = machine(f"{VMS}/new", "nic-1")
    assert world.refused("PUT", f"{VMS}/new", body={k: v for k, v in made.items() if k != "id"})[1] == "NicInUse"
    bare = {"location": "westeurope", "properties": {}}
    assert world.settled("PUT", f"{VMS}/new", body=bare)["properties"]["provisioningState"] == "Succeeded"
    assert world.power(f"{VMS}/new") == "PowerState/running"
    assert world.ok("PATCH", VM, body={"tags": {"a": "b"}})["tags"] == {"a": "b"}
    assert world.refused("PATCH", VM, body={"properties": {"licenseType": "x"}})[0] == 400


def test_a_machine_cannot_start_in_a_state_that_none_has(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BookError, match="PowerState/asleep"):
        NetWorld(
            resources=(
                machine(VM, "x", "PowerState/asleep")
                | {"properties": {"instanceView": {"statuses": [{"code": "PowerState/asleep"}]}}},
            )
        )


# ---------------------------------------------------------------- power


def test_a_restart_starts_the_loader_anew(world: Machines) -> None:
    assert world.did("restart") == "Succeeded"
    assert world.power() == "PowerState/running"
    assert world.told == [("loader_restarted", "")]


@pytest.mark.parametrize(("action", "state"), [("deallocate", "deallocated"), ("powerOff", "stopped")])
def test_a_machine_that_is_stopped_and_started_tells_both(world: Machines, action: str, state: str) -> None:
    assert world.did(action) == "Succeeded"
    assert world.power() == f"PowerState/{state}"
    assert world.did("start") == "Succeeded"
    assert world.told == [("power_changed", state), ("power_changed", "running"), ("loader_restarted", "")]


def test_starting_what_runs_and_stopping_what_is_off_change_nothing(world: Machines) -> None:
    world.did("start")
    world.did("deallocate", OFF)
    assert world.told == []


def test_what_needs_a_running_machine_is_refused_without_one(world: Machines) -> None:
    for path, body in ((f"{OFF}/restart", None), (f"{OFF}/runCommand", INVOKE)):
        assert world.refused("POST", path, body=body)[:2] == (409, "OperationNotAllowed")
    assert world.refused("PUT", f"{OFF}/runCommands/c", body=world.command())[:2] == (409, "OperationNotAllowed")


def test_one_power_action_at_a_time(world: Machines) -> None:
    world.call("POST", f"{VM}/restart")
    assert world.refused("POST", f"{VM}/deallocate")[:2] == (409, "AnotherOperationInProgress")


def test_an_action_that_fails_leaves_the_power_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = {"id": "f", "method": "POST", "fail_operation": {"code": "AllocationFailed", "message": "No room."}}
    world = Machines(monkeypatch, faults=[fault])
    reply = world.call("POST", f"{OFF}/start")
    world.wait(61)
    assert world.followed(reply).status == 409
    assert world.power(OFF) == "PowerState/deallocated"
    assert world.told == []


# ---------------------------------------------------------------- the action run-command


def test_the_loader_script_says_running_and_starts_the_loader_anew(world: Machines) -> None:
    reply = world.call("POST", f"{VM}/runCommand", body=INVOKE)
    assert reply.status == 202
    assert world.told == []
    world.wait(31)
    found = world.followed(reply)
    assert [(p["code"], p["message"]) for p in found.body["value"]] == [
        ("ComponentStatus/StdOut/succeeded", "Running"),
        ("ComponentStatus/StdErr/succeeded", ""),
    ]
    assert world.told == [("loader_restarted", "")]


def test_one_script_at_a_time_runs_in_a_machine(world: Machines) -> None:
    world.ok("POST", f"{VM}/runCommand", body=INVOKE)
    assert world.refused("POST", f"{VM}/runCommand", body=INVOKE)[:2] == (409, "Conflict")
    world.wait(31)
    world.ok("POST", f"{VM}/runCommand", body=INVOKE)


def test_a_script_that_fails_still_gives_200_and_says_so_on_stderr_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = {"id": "f", "path": "*/virtualMachines/SH-1", "times": 1, "script_error": "Service cannot be started."}
    world = Machines(monkeypatch, faults=[fault])
    for output, error, told in (("", "Service cannot be started.", 0), ("Running", "", 1)):
        reply = world.call("POST", f"{VM}/runCommand", body=INVOKE)
        world.wait(31)
        found = world.followed(reply)
        assert found.status == 200
        assert [p["message"] for p in found.body["value"]] == [output, error]
        assert len(world.told) == told


def test_a_script_whose_machine_is_restarted_meanwhile_never_ends_well(world: Machines) -> None:
    reply = world.call("POST", f"{VM}/runCommand", body=INVOKE)
    world.call("POST", f"{VM}/restart")
    world.wait(31)
    assert world.followed(reply).body["error"]["code"] == "OperationPreempted"


@pytest.mark.parametrize(
    "body", [{}, {"commandId": "RunShellScript"}, {"commandId": "RunPowerShellScript", "script": "x"}]
)
def test_a_script_that_cannot_be_read_is_refused(world: Machines, body: dict[str, Any]) -> None:
    assert world.refused("POST", f"{VM}/runCommand", body=body)[0] == 400


# ---------------------------------------------------------------- managed commands


def test_a_managed_command_lasts_as_long_as_its_script_and_remembers_how_it_ended(world: Machines) -> None:
    reply = world.call("PUT", COMMAND, body=world.command())
    assert reply.status == 201
    assert world.view()["executionState"] == "Running"
    world.wait(31)
    assert world.get(COMMAND)["properties"]["provisioningState"] == "Succeeded"
    assert "instanceView" not in world.get(COMMAND)["properties"]
    view = world.view()
    assert (view["executionState"], view["exitCode"], view["output"], view["error"]) == ("Succeeded", 0, "Running", "")
    assert view["startTime"] < view["endTime"]
    assert [c["name"] for c in world.get(f"{VM}/runCommands")["value"]] == ["loader"]


def test_an_asynchronous_command_is_written_when_its_script_starts(world: Machines) -> None:
    world.ok("PUT", COMMAND, body=world.command(asyncExecution=True))
    world.wait(6)
    assert world.get(COMMAND)["properties"]["provisioningState"] == "Succeeded"
    assert world.view()["executionState"] == "Running"
    assert world.told == []
    world.wait(31)
    assert world.view()["executionState"] == "Succeeded"
    assert world.told == [("loader_restarted", "")]


def test_an_unchanged_command_does_not_run_again_and_a_changed_one_does(world: Machines) -> None:
    world.settled("PUT", COMMAND, body=world.command())
    same = world.call("PUT", COMMAND, body=world.command())
    assert (same.status, "Azure-AsyncOperation" in same.headers) == (200, False)
    assert len(world.told) == 1
    world.settled("PUT", COMMAND, body=world.command(timeoutInSeconds=600))
    assert len(world.told) == 2


@pytest.mark.parametrize(("stops", "state", "code"), [("", "Succeeded", 0), (" -ErrorAction Stop", "Failed", 1)])
def test_an_error_fails_a_script_only_when_it_makes_errors_terminating(
    monkeypatch: pytest.MonkeyPatch, stops: str, state: str, code: int
) -> None:
    world = Machines(monkeypatch, faults=[{"id": "f", "path": "*/sh-1", "script_error": "No."}])
    world.settled("PUT", COMMAND, body=world.command(source={"script": LOADER + stops}))
    view = world.view()
    assert (view["executionState"], view["exitCode"], view["output"], view["error"]) == (state, code, "", "No.")
    assert world.told == []


def test_a_command_ends_with_its_time_or_its_machine(world: Machines) -> None:
    world.settled("PUT", COMMAND, body=world.command(timeoutInSeconds=10))
    assert world.view()["executionState"] == "TimedOut"
    world.ok("PUT", COMMAND, body=world.command(asyncExecution=True))
    world.wait(6)
    world.did("restart")
    assert world.view()["executionState"] == "Failed"
    assert world.told == [("loader_restarted", "")]  # the machine's own, not the script's


def test_a_deleted_command_is_gone_and_its_script_without_effect(world: Machines) -> None:
    world.ok("PUT", COMMAND, body=world.command(asyncExecution=True))
    world.wait(6)
    assert world.call("DELETE", COMMAND).status == 202
    world.wait(60)
    assert world.refused("GET", COMMAND)[0] == 404
    assert world.told == []
    assert world.call("DELETE", COMMAND).status == 204


def test_a_password_is_kept_nowhere(world: Machines) -> None:
    secret = {"runAsPassword": "hunter22", "protectedParameters": [{"name": "a", "value": "hunter22"}]}
    world.settled("PUT", COMMAND, body=world.command(**secret))
    assert "hunter22" not in repr(world.state.dump())


@pytest.mark.parametrize(
    "properties",
    [{"source": {}}, {"timeoutInSeconds": -1}, {"treatFailureAsDeploymentFailure": True}, {"asyncExecution": "yes"}],
)
def test_a_command_that_cannot_be_carried_out_is_refused(world: Machines, properties: dict[str, Any]) -> None:
    assert world.refused("PUT", COMMAND, body=world.command(**properties))[0] == 400
    assert world.refused("GET", COMMAND)[0] == 404
