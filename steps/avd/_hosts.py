"""Session hosts of a host pool as the service sees them, and the virtual machines under them.

A host that reports itself runs, so Compute is asked about the others alone: machine by machine, or with one list where
there are many. ARM grants 25 reads a second and subscription, and such a list has a page for every hundred machines.

Sources: DesktopVirtualization 2024-04-03, session hosts (status words, health checks, ``resourceId``); Compute
2024-03-01, instance view of a virtual machine, and virtual machines of a subscription with ``statusOnly=true``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from runbook.core.arm import Json, Reader
from runbook.core.clock import duration
from runbook.core.error import Refused
from runbook.core.ids import subscription_of
from runbook.core.together import together
from steps._shared import versions
from steps._shared.look import find, find_member, name_of, properties, region

FRESH_MS: Final = 5 * 60_000
"""A heartbeat older than this says nothing about now. The number is ours."""
MANY: Final = 20
"""Machines of one subscription that are asked one by one; more of them are read with its list."""
OFF: Final = frozenset({"deallocated", "deallocating", "stopped", "stopping", "starting"})
"""Power states in which the agent is not up: it starts together with the machine."""
NEEDED: Final = {
    "urlsaccessiblecheck": "it does not reach the URLs it needs: look at DNS, NSGs and the proxy on it",
    "monitoringagentcheck": "the monitoring agent is not healthy: the Azure Monitor addresses must stay reachable",
    "sxsstacklistenercheck": "the side-by-side stack does not listen: restart the VM, then reinstall the agent",
    "domainreachable": "it does not reach its domain: look at DNS and the way to the domain controllers",
}
"""Health checks, lower case, that a network change can break, each with what to do."""
STATUS: Final = {
    "unavailable": "the service has lost it: restart RDAgentBootLoader, then look at DNS and NSGs on its subnet",
    "shutdown": "the service takes it for shut down: wait for the agent, or restart the VM",
    "disconnected": "it is disconnected from the service: look at DNS and NSGs on its subnet",
    "upgrading": "its agent is being upgraded: wait",
    "upgradefailed": "its agent's upgrade failed: restart the VM, or reinstall the agent",
    "noheartbeat": "its agent sends nothing: restart RDAgentBootLoader, and see that the broker's name is private",
    "notjoinedtodomain": "it is joined to no domain: join it",
    "domaintrustrelationshiplost": "its domain no longer trusts it: reset the machine account, or join it again",
    "sxsstacklistenernotready": "the side-by-side stack does not listen: restart the VM",
    "fslogixnothealthy": "FSLogix is not healthy: look at the way to the profile share",
    "needsassistance": "it needs assistance: read the failed health check",
}
"""Status words other than ``Available``, lower case, each with what to do."""


@dataclass(frozen=True, slots=True)
class Host:
    """One session host.

    Attributes:
        id: the session host's resource id; ``vm`` is its machine's, and empty where the service names none.
        power: ``running``, ``deallocated`` …; empty when Compute does not show the machine.
        location: the machine's region, where somebody has looked it up.
        failed: health checks that failed, with the service's own words.
    """

    id: str
    name: str
    vm: str
    allows: bool
    sessions: int
    status: str
    heartbeat_ms: int | None
    user: str
    failed: tuple[tuple[str, str], ...]
    power: str = ""
    location: str = ""

    def reports(self, now_ms: int) -> bool:
        """Whether the service hears from it, which only a host that runs can bring about."""
        is_fresh = self.heartbeat_ms is not None and now_ms - self.heartbeat_ms <= FRESH_MS
        return self.status.lower() == "available" and is_fresh

    @property
    def is_running(self) -> bool:
        return self.power == "running"

    @property
    def is_off(self) -> bool:
        return self.power in OFF

    @property
    def told(self) -> str:
        """What the screen shows of it."""
        parts = [self.power or "no virtual machine found", f"{self.sessions} sessions"]
        parts.append("takes new sessions" if self.allows else "takes no new sessions")
        return ", ".join([*parts, f"personal, of {self.user}"] if self.user else parts)


async def hosts_of(arm: Reader, pools: Iterable[str], now_ms: int) -> dict[str, list[Host]]:
    """The hosts of some pools, by pool as given: one list for each pool, and what Compute says of those unheard of."""
    wanted = list(pools)
    listed = await together(arm.list(f"{pool}/sessionHosts", versions.AVD) for pool in wanted)
    found = {pool: [_host(d) for d in docs] for pool, docs in zip(wanted, listed, strict=True)}
    silent = {h.vm.lower() for hosts in found.values() for h in hosts if not h.reports(now_ms)} - {""}
    power = await _power(arm, silent)

    def told(host: Host) -> Host:
        is_heard = host.vm and host.reports(now_ms)
        return replace(host, power="running" if is_heard else power.get(host.vm.lower(), ""))

    return {pool: sorted(map(told, hosts), key=lambda h: h.name.lower()) for pool, hosts in found.items()}


async def hosts_in(arm: Reader, pool: str, now_ms: int) -> list[Host]:
    """The hosts of one pool."""
    return (await hosts_of(arm, (pool,), now_ms))[pool]


async def region_of(arm: Reader, vm: str) -> str:
    """Where a machine is; empty when Compute does not show it."""
    try:
        doc = await find_member(arm, vm, versions.COMPUTE)
    except Refused as refused:
        if refused.status != 403:
            raise
        return ""
    return region(str((doc or {}).get("location") or ""))


async def _power(arm: Reader, machines: Iterable[str]) -> dict[str, str]:
    """Power states by machine, for ids in lower case."""
    by_home: dict[str, list[str]] = defaultdict(list)
    for vm in sorted(machines):
        by_home[str(subscription_of(vm))].append(vm)
    found: dict[str, str] = {}
    for home, inside in by_home.items():
        if len(inside) > MANY:
            path = f"/subscriptions/{home}/providers/Microsoft.Compute/virtualMachines"
            docs = await arm.list(path, versions.COMPUTE, statusOnly="true")
            found |= {str(d.get("id", "")).lower(): _state(properties(d).get("instanceView")) for d in docs}
        else:
            found |= zip(inside, await together(_asked(arm, vm) for vm in inside), strict=True)
    return found


async def _asked(arm: Reader, vm: str) -> str:
    """The power state of one machine; empty when it is not there, or not to be read."""
    try:
        return _state(await find(arm, f"{vm}/instanceView", versions.COMPUTE))
    except Refused as refused:
        if refused.status != 403:
            raise
        return ""


def vm_of(doc: Json) -> str:
    """The machine behind a session host; empty when it is none of Azure Compute: other clouds, Arc, or never told."""
    resource = str(properties(doc).get("resourceId") or "")
    return resource if "/providers/microsoft.compute/virtualmachines/" in resource.lower() else ""


def trouble(host: Host, now_ms: int, not_before_ms: int | None = None) -> str:
    """Why a host is not fit, and what to do; empty when it is, or when its machine is off."""
    if host.is_off:
        return ""
    status = host.status.lower()
    if status != "available":
        return f"{host.name} is {host.status}: {STATUS.get(status, 'read its health checks')}"
    for check, words in host.failed:
        detail = f" ({words})" if words else ""
        return f"{host.name}: {check} failed, {NEEDED[check.lower()]}{detail}"
    if host.heartbeat_ms is None:
        return f"{host.name} is Available and has never sent a heartbeat: restart RDAgentBootLoader"
    if now_ms - host.heartbeat_ms > FRESH_MS:
        age = duration((now_ms - host.heartbeat_ms) / 1000)
        return f"{host.name}: its last heartbeat is {age} old: restart RDAgentBootLoader if none comes"
    if not_before_ms is not None and host.heartbeat_ms < not_before_ms:
        return f"{host.name}: no heartbeat since the restart yet: wait"
    return ""


def _host(doc: Json) -> Host:
    at = properties(doc)
    reports = [
        (str(r.get("healthCheckName", "")), r)
        for r in at.get("sessionHostHealthCheckResults") or ()
        if str(r.get("healthCheckResult", "")).lower() == "healthcheckfailed"
    ]
    details = [(name, str((r.get("additionalFailureDetails") or {}).get("message") or "")) for name, r in reports]
    return Host(
        id=str(doc.get("id", "")),
        name=name_of(str(doc.get("id") or doc.get("name", ""))),
        vm=vm_of(doc),
        allows=at.get("allowNewSession") is not False,
        sessions=int(at.get("sessions") or 0),
        status=str(at.get("status") or "Unknown"),
        heartbeat_ms=instant(str(at.get("lastHeartBeat") or "")),
        user=str(at.get("assignedUser") or ""),
        failed=tuple((name, words) for name, words in details if name.lower() in NEEDED),
    )


def _state(view: Json | None) -> str:
    statuses = (view or {}).get("statuses") or ()
    codes = (str(s.get("code", "")).lower() for s in statuses)
    return next((c.removeprefix("powerstate/") for c in codes if c.startswith("powerstate/")), "")


def instant(text: str) -> int | None:
    """An ISO 8601 time as UTC milliseconds; the service writes seven digits of a second, and a year 1 for never."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?:Z|\+00:00)?", text)
    if match is None or match[1].startswith("0001"):
        return None
    seconds = datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp()
    return round((seconds + float(match[2] or 0)) * 1000)
