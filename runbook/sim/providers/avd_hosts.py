"""Microsoft.DesktopVirtualization/hostPools/sessionHosts: the calls, and how a host fares.

A host's status, heartbeat, sessions and health checks are worked out when it is read: from its machine's power
(``compute.py``), the start of its agent loader (``avd_loaders``), its drain (``avd_drains``) and its way to the service
(``clients.host_leg``). No timer runs for it.

Invariants: the heartbeat is fresh while the host is Available and stands still while it is not; a host is Available
again with the first beat after its loader started; its sessions end with its Windows. Hosts come from scenarios only:
no client makes one.

Source: Microsoft.DesktopVirtualization OpenAPI 2024-04-03 (statuses, health checks, names of list items as recorded);
"Azure Private Link with Azure Virtual Desktop" (a change of access does not end sessions), learn.microsoft.com. How
often an agent reports and the words of a failed check are ours.
"""

from __future__ import annotations

from typing import Final

from runbook.core.clock import iso
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import on
from runbook.sim.providers.avd_pools import ACCESS
from runbook.sim.providers.avd_shapes import HOST, IN_GROUP, POOL, VERSIONS
from runbook.sim.providers.compute import boots_of, power_of, since_of
from runbook.sim.routes import Place, route
from runbook.sim.seeding import seeder
from runbook.sim.wire import ArmFault, Call, Json, Reply, flag, integer, json_body, obj, text

BEAT_MS: Final = 30_000
"""How often an agent reports."""
CHECKS: Final = (
    "DomainJoinedCheck",
    "DomainReachable",
    "SxSStackListenerCheck",
    "UrlsAccessibleCheck",
    "MonitoringAgentCheck",
)
_LOADERS: Final = "avd_loaders"
"""VM id in lower case → ``{"at_ms", "way"}``: when its agent loader last started, and the way that names led then.

A host that the scenario put there was connected publicly.
"""
_BOOTS: Final = "avd_boots"
"""Host id in lower case → ``{"boots"}``: the run of its Windows that its sessions belong to."""
_DRAINS: Final = "avd_drains"
"""Host id in lower case → ``{"at_ms"}``: since when it takes no new sessions."""
_HOSTS: Final = IN_GROUP + POOL + "/{pool}/sessionhosts"
_ONE: Final = _HOSTS + "/{host}"


# ---------------------------------------------------------------- seeding, and what machines tell


@seeder(HOST)
def _seed(cloud: Cloud, body: Json) -> None:
    parts = str(body["id"]).strip("/").split("/")
    host_id = "/".join(["", parts[0], parts[1], "resourcegroups", *parts[3:6], "hostpools", parts[7], "sessionhosts"])
    host_id += f"/{parts[9]}"
    cloud.need(host_id.rsplit("/", 2)[0], as_parent=True)
    properties: Json = {
        "objectId": cloud.resource_guid(host_id, "object"),
        "sessions": 0,
        "allowNewSession": True,
        "agentVersion": "1.0.8804.1400",
        "osVersion": "10.0.22631.3155",
        "sxSStackVersion": "rdp-sxs240116001",
        "updateState": "Succeeded",
        "lastUpdateTime": iso(cloud.now_ms),
        **obj(body, "properties"),
    }
    vm_id = text(properties, "resourceId")
    if vm_id:
        properties["virtualMachineId"] = cloud.resource_guid(vm_id, "vm")
    cloud.save({"id": host_id, "name": parts[9], "type": HOST, "properties": properties})
    cloud.state.put(_LOADERS, vm_id.lower(), {"at_ms": cloud.now_ms, "way": "public"})
    cloud.state.put(_BOOTS, host_id.lower(), {"boots": boots_of(cloud, vm_id)})


@on("loader_restarted")
def _restarted(cloud: Cloud, event: Json) -> None:
    from runbook.sim.clients import host_way  # late: the resolver knows the providers

    vm_id, way = str(event["vm"]), "public"
    for host_id in cloud.referring(HOST, vm_id):
        way = host_way(cloud, cloud.need(host_id.rsplit("/", 2)[0]), vm_id).route
    cloud.state.put(_LOADERS, vm_id.lower(), {"at_ms": cloud.now_ms, "way": way})


# ---------------------------------------------------------------- how a host fares


def shown(cloud: Cloud, host: Json, memo: dict[str, Json] | None = None) -> Json:
    """A stored host as it is now.

    Args:
        cloud: the cloud.
        host: the stored body.
        memo: for other hosts of the same pool, in the same call: what was found is kept there.
    """
    memo = {} if memo is None else memo
    stored = obj(host, "properties")
    status, beat_ms, failed = _fares(cloud, host, stored, memo)
    properties = {
        **stored,
        "status": status,
        "lastHeartBeat": iso(beat_ms),
        "statusTimestamp": iso(beat_ms),
        "sessions": _sessions(cloud, host, stored),
        "sessionHostHealthCheckResults": [_check(name, status, failed, beat_ms) for name in CHECKS],
    }
    return {**host, "properties": properties}


def _fares(cloud: Cloud, host: Json, stored: Json, memo: dict[str, Json]) -> tuple[str, int, tuple[str, str]]:
    """Status, time of the last heartbeat in UTC milliseconds, and the check that fails with its words."""
    from runbook.sim.clients import host_leg  # late: the resolver knows the providers

    now_ms, host_id, vm_id = cloud.now_ms, str(host["id"]), text(stored, "resourceId")
    if (power := power_of(cloud, vm_id)) != "running":
        beat_ms = _beat(cloud, host_id, since_of(cloud, vm_id))
        if power in ("deallocated", "stopped"):
            return "Shutdown", beat_ms, ("", "")
        return "Unavailable", beat_ms, ("MonitoringAgentCheck", f"The virtual machine is {power}.")
    pool_id = host_id.rsplit("/", 2)[0]
    if "pool" not in memo:
        changed = cloud.state.get(ACCESS, pool_id.lower()) or {"at_ms": 0}
        memo["pool"] = {"body": cloud.need(pool_id), "changed_ms": int(changed["at_ms"])}
    pool = memo["pool"]
    loader = cloud.state.get(_LOADERS, vm_id.lower()) or {"at_ms": 0, "way": "public"}
    loader_ms, held = int(loader["at_ms"]), str(loader["way"])
    leg = host_leg(cloud, pool["body"], vm_id, loader_ms, held, memo.setdefault("ways", {}))
    if not leg.works:
        return "Unavailable", _beat(cloud, host_id, pool["changed_ms"]), ("UrlsAccessibleCheck", leg.why)
    latest_ms = _beat(cloud, host_id, now_ms)
    if latest_ms < loader_ms:
        why = "The agent loader has just started; the agent has not reported yet."
        return "Unavailable", _beat(cloud, host_id, loader_ms), ("MonitoringAgentCheck", why)
    trouble = text(stored, "status", default="Available")
    if trouble != "Available":
        return trouble, latest_ms, ("MonitoringAgentCheck", f"The agent reports {trouble}.")
    return "Available", latest_ms, ("", "")


def _beat(cloud: Cloud, host_id: str, until_ms: int) -> int:
    """When a host last reported by then, UTC milliseconds: each host keeps its own beat."""
    phase = int(cloud.guid("beat", host_id)[:8], 16) % BEAT_MS
    return max(0, until_ms - (until_ms - phase) % BEAT_MS)


def _sessions(cloud: Cloud, host: Json, stored: Json) -> int:
    """Open sessions: those of a drained host have ended by a while later, and all when Windows ends."""
    key = str(host["id"]).lower()
    begun = cloud.state.get(_BOOTS, key)
    if begun is not None and boots_of(cloud, text(stored, "resourceId")) != begun["boots"]:
        return 0
    drain = cloud.state.get(_DRAINS, key)
    if drain is not None and cloud.now_ms >= int(drain["at_ms"]) + cloud.takes_ms("session"):
        return 0
    return integer(stored, "sessions")


def _check(name: str, status: str, failed: tuple[str, str], at_ms: int) -> Json:
    result, message, code = "HealthCheckSucceeded", f"{name} succeeded.", 0
    if status == "Shutdown":
        result, message = "SessionHostShutdown", "The session host is shut down."
    elif name == failed[0]:
        result, message, code = "HealthCheckFailed", failed[1], -2147467259
    details = {"message": message, "errorCode": code, "lastHealthCheckDateTime": iso(at_ms)}
    return {"healthCheckName": name, "healthCheckResult": result, "additionalFailureDetails": details}


# ---------------------------------------------------------------- calls


@route("GET", _HOSTS, versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    pool = cloud.need(place.id.rpartition("/")[0], as_parent=True)
    memo: dict[str, Json] = {}

    def show(host: Json) -> Json:
        return {**shown(cloud, host, memo), "name": f"{pool['name']}/{host['name']}"}

    return cloud.listing(call, cloud.resources(HOST, str(pool["id"])), show=show)


@route("GET", _ONE, versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    cloud.need(place.parent_id, as_parent=True)
    return Reply(200, {}, shown(cloud, cloud.need(place.id)))


@route("PATCH", _ONE, versions=VERSIONS)
def _patch(cloud: Cloud, call: Call, place: Place) -> Reply:
    body = json_body(call)
    cloud.need(place.parent_id, as_parent=True)
    host = cloud.need(place.id)
    stored, key = obj(host, "properties"), str(host["id"]).lower()
    given = obj(body, "properties")
    for name in ("assignedUser", "friendlyName"):
        if given.get(name) is not None:
            stored[name] = text(body, "properties", name)
    if given.get("allowNewSession") is not None:
        allows = flag(body, "properties", "allowNewSession")
        stored |= {"sessions": _sessions(cloud, host, stored), "allowNewSession": allows}
        if allows:
            cloud.state.delete(_DRAINS, key)
        elif cloud.state.get(_DRAINS, key) is None:
            cloud.state.put(_DRAINS, key, {"at_ms": cloud.now_ms})
    host["properties"] = stored
    cloud.save(host)
    return Reply(200, {}, shown(cloud, host))


@route("DELETE", _ONE, versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    host = cloud.find(place.id)
    if host is None:
        return Reply(204)
    sessions = _sessions(cloud, host, obj(host, "properties"))
    if sessions and call.query.get("force", "").lower() != "true":
        raise ArmFault(
            409,
            "SessionHostHasUserSessions",
            f"Session host '{host['name']}' cannot be deleted: it has {sessions} user session(s). End them first, or "
            "say force=true.",
        )
    for table in (_DRAINS, _BOOTS):
        cloud.state.delete(table, str(host["id"]).lower())
    cloud.drop(str(host["id"]))
    return Reply(200)
