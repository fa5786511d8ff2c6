"""The calls that drain a session host, restart its agent and open it again, and what a run command's result means.

A managed run command can be read back: its script names the endpoint it was made for, so a second run, a colleague or
a resumed process sees that this host has been restarted already. That is why it may be sent twice (``safe``): it is
sent again only when looking shows that it is not there, and a restart that did happen twice ends in the same cloud.
The restart of a machine leaves nothing to be read and is never repeated without a word.

Sources: DesktopVirtualization 2024-04-03, session host PATCH; Compute 2024-03-01, run commands of a virtual machine
(``asyncExecution``, instance view) and restart; "Set up Private Link with Azure Virtual Desktop", Microsoft Learn,
2023-07-17 (restart the Remote Desktop Agent Loader, service RDAgentBootLoader). HTTP 200 tells only that a script ran.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from runbook.core.arm import Json, Reader
from runbook.core.ids import digest
from runbook.step import Change, Diff
from steps._shared import versions
from steps._shared.faces import by_hand, in_context, word
from steps._shared.look import dig, find, is_busy, name_of, properties, region, state_of
from steps._shared.records import Record
from steps.avd._hosts import Host, instant

COMMAND: Final = "runbook-rdagent-restart"
LIMIT_S: Final = 300
"""How long Azure lets the script run."""
LATE_MS: Final = 30 * 60_000
"""After this a script without a result counts as failed."""
_MARK: Final = re.compile(r"^# runbook: agent restart for endpoint ([0-9a-f]+), attempt (\d+)\r?$", re.MULTILINE)


def identity(endpoint: str, records: Sequence[Record]) -> str:
    """What a restart is for: this endpoint with these addresses. Other addresses need another restart."""
    return digest("\n".join([endpoint.strip("/").lower(), *sorted({r.ip for r in records})]), 16)


def script(mark: str, attempt: int) -> str:
    """Restarts the loader and says how it is. The first line is read back; the attempt makes a new one another call."""
    return (
        f"# runbook: agent restart for endpoint {mark}, attempt {attempt}\n"
        "$ErrorActionPreference = 'Stop'\n"
        "Restart-Service -Name RDAgentBootLoader -Force\n"
        "(Get-Service -Name RDAgentBootLoader).Status"
    )


@dataclass(frozen=True, slots=True)
class Ran:
    """The last run command of ours on a machine.

    Attributes:
        state: ``ok``, ``running`` or ``failed``.
        said: what it came to, in words.
        began_ms: when its script started, as the machine says; None when it does not.
        location: the region that the run command, and so its machine, is in.
    """

    attempt: int
    state: Literal["ok", "running", "failed"]
    said: str
    began_ms: int | None = None
    location: str = ""


async def read_run(arm: Reader, vm: str, mark: str) -> Ran | None:
    """What became of the restart for this endpoint; None when there was none, or one for another endpoint."""
    doc = await find(arm, f"{vm}/runCommands/{COMMAND}", versions.COMPUTE, **{"$expand": "instanceView"})
    match = _MARK.search(str(dig(doc, "properties", "source", "script") or ""))
    if doc is None or match is None or match[1] != mark:
        return None
    return replace(ran_of(doc, int(match[2])), location=region(str(doc.get("location") or "")))


def ran_of(doc: Json, attempt: int) -> Ran:
    """Judge a run command by its own output."""
    view = properties(doc).get("instanceView") or {}
    state = str(view.get("executionState") or "").lower()
    began_ms = instant(str(view.get("startTime") or ""))
    output, error = (str(view.get(k) or "").strip() for k in ("output", "error"))
    if state == "succeeded":
        is_up = (output.splitlines() or [""])[-1].strip().lower() == "running"
        if not view.get("exitCode") and is_up and not error:
            return Ran(attempt, "ok", "RDAgentBootLoader is Running", began_ms)
    elif state not in ("failed", "timedout", "canceled") and state_of(doc).lower() not in ("failed", "canceled"):
        word_ = state_of(doc) if is_busy(doc) else str(view.get("executionState") or "not started yet")
        return Ran(attempt, "running", f"the script is {word_}", began_ms)
    parts = [f"the script ended as {view.get('executionState') or state_of(doc)}"]
    if view.get("exitCode") is not None:
        parts.append(f"exit code {view['exitCode']}")
    message = str(view.get("executionMessage") or "")
    for name, text in (("stdout", output), ("stderr", error), ("Azure", message if not (output or error) else "")):
        if text:
            parts.append(f"{name}: {excerpt(text)}")
    return Ran(attempt, "failed", ", ".join(parts), began_ms)


def excerpt(text: str) -> str:
    """The end of a long text, on one line: errors stand there."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 240 else f"… {flat[-238:]}"


# ---------------------------------------------------------------- calls


def admit(host: Host, allows: bool) -> Change:
    """Have a host take new sessions, or none."""
    _, subscription, _, group, *_ = host.id.strip("/").split("/")
    pool = host.id.strip("/").split("/")[7]
    value = "true" if allows else "false"
    line = (
        f"Update-AzWvdSessionHost -ResourceGroupName {word(group)} -HostPoolName {word(pool)} "
        f"-Name {word(host.name)} -AllowNewSession:${value}"
    )
    return Change(
        title=f"Let {host.name} take new sessions again" if allows else f"Drain {host.name}: no new sessions",
        method="PATCH",
        path=host.id,
        api_version=versions.AVD,
        body={"properties": {"allowNewSession": allows}},
        diff=(Diff("properties.allowNewSession", not allows, allows),),
        by_hand=by_hand(powershell=(in_context(subscription, line),)),
    )


def restart_loader(host: Host, mark: str, attempt: int) -> Change:
    """Have the machine run the script."""
    _, subscription, _, group, *_ = host.vm.strip("/").split("/")
    name, line = name_of(host.vm), "Restart-Service -Name RDAgentBootLoader -Force"
    again = "" if attempt == 1 else f", attempt {attempt}"
    return Change(
        title=f"Restart the agent loader on {host.name}{again}",
        method="PUT",
        path=f"{host.vm}/runCommands/{COMMAND}",
        api_version=versions.COMPUTE,
        body={
            "location": host.location,
            "properties": {
                "source": {"script": script(mark, attempt)},
                "asyncExecution": True,
                "timeoutInSeconds": LIMIT_S,
            },
        },
        risk="disruptive",
        by_hand=by_hand(
            az=(
                f"az vm run-command invoke --subscription {subscription} -g {group} -n {name} "
                f'--command-id RunPowerShellScript --scripts "{line}"',
            ),
            powershell=(
                in_context(
                    subscription,
                    f"Invoke-AzVMRunCommand -ResourceGroupName {word(group)} -VMName {word(name)} "
                    f"-CommandId RunPowerShellScript -ScriptString '{line}'",
                ),
            ),
            note="By hand the result stands in the answer and nowhere else; ours can be read back.",
        ),
    )


def restart_machine(host: Host) -> Change:
    """Restart the machine, and the agent with it."""
    _, subscription, _, group, *_ = host.vm.strip("/").split("/")
    name = name_of(host.vm)
    line = f"Restart-AzVM -ResourceGroupName {word(group)} -Name {word(name)}"
    return Change(
        title=f"Restart the virtual machine of {host.name}",
        method="POST",
        path=f"{host.vm}/restart",
        api_version=versions.COMPUTE,
        repeat="never",
        risk="disruptive",
        by_hand=by_hand(
            az=(f"az vm restart --subscription {subscription} -g {group} -n {name}",),
            powershell=(in_context(subscription, line),),
        ),
    )
