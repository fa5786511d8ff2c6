"""What a simulated client or session host would experience, and why: discovery, feed, connection, session.

A way is private when a name leads, as seen from there, to the address of an endpoint whose connection is approved; it
is public when it leads to a public address, and then ``publicNetworkAccess`` decides. Anything else leads nowhere.
Whether packets could travel (peering, security groups) is not looked at.

A vantage is a virtual network's resource id, ``on-premises`` or ``internet``.

Source: "Azure Private Link with Azure Virtual Desktop" (the four values, client and host legs; the workspace under the
global endpoint is always reachable publicly; restart of the agent loader after changes), learn.microsoft.com; the
built-in policy "Private session hosts, public end users" for which of the two EnabledFor… values is which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from runbook.core.error import UsageError
from runbook.sim.cloud import Cloud
from runbook.sim.dnsnames import is_public
from runbook.sim.providers.avd_links import (
    SUFFIX,
    addresses_of,
    approved_links,
    links_behind,
    links_of,
    members,
)
from runbook.sim.providers.avd_shapes import access_of
from runbook.sim.providers.link_owner import is_approved
from runbook.sim.resolver import INTERNET, look_up
from runbook.sim.wire import Json, items, obj, text

CLIENT_OPEN: Final = ("Enabled", "EnabledForClientsOnly")
"""Values of a host pool's ``publicNetworkAccess`` under which clients may come in publicly."""
HOST_OPEN: Final = ("Enabled", "EnabledForSessionHostsOnly")
"""Those under which session hosts may."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        works: whether it does.
        route: the way the names lead, whether or not it works.
        why: in words.
    """

    works: bool
    route: Literal["private", "public", "none"]
    why: str


# ---------------------------------------------------------------- clients


def discovery(cloud: Cloud, vantage: str) -> Outcome:
    """Initial feed discovery: the one name of the cloud, private where a global endpoint stands behind it."""
    name = f"rdweb.{SUFFIX[cloud.scenario.cloud]}"
    behind = [addresses_of(cloud, link) for link in links_behind(cloud, name) if is_approved(link)]
    way = _way(cloud, [name], {a for found in behind for a in found}, vantage)
    return Outcome(True, "public", f"{way.why} Discovery is always open to the public.") if _is_open(way) else way


def feed(cloud: Cloud, workspace_id: str, vantage: str) -> Outcome:
    """Reading a workspace's feed."""
    workspace = _target(cloud, workspace_id)
    way = _to(cloud, workspace, "feed", vantage)
    if not _is_open(way):
        return way
    if approved_links(cloud, workspace, "global"):
        return Outcome(True, "public", f"{way.why} The workspace under the global endpoint is always open.")
    access = access_of(workspace)
    return _judged(way, access == "Enabled", f"publicNetworkAccess of {workspace['name']} is {access}")


def connection(cloud: Cloud, pool_id: str, vantage: str) -> Outcome:
    """The client's leg of a session: from the client to the gateway."""
    pool = _target(cloud, pool_id)
    way = _to(cloud, pool, "connection", vantage)
    if not _is_open(way):
        return way
    access = access_of(pool)
    return _judged(way, access in CLIENT_OPEN, f"publicNetworkAccess of {pool['name']} is {access}")


def session(cloud: Cloud, host_id: str, vantage: str) -> Outcome:
    """A session: the client's leg and the host's. The route is the client's."""
    from runbook.sim.providers.avd_hosts import shown

    host = _target(cloud, host_id)
    client = connection(cloud, host_id.rsplit("/", 2)[0], vantage)
    if not client.works:
        return client
    seen = shown(cloud, host)["properties"]
    if seen["status"] != "Available":
        return Outcome(False, client.route, f"The session host is {seen['status']}.")
    if not seen["allowNewSession"]:
        return Outcome(False, client.route, "The session host is drained: it takes no new sessions.")
    return client


# ---------------------------------------------------------------- session hosts


def host_leg(
    cloud: Cloud, pool: Json, vm_id: str, loader_ms: int, held: str, ways: dict[str, Outcome] | None = None
) -> Outcome:
    """A session host's leg: from its agent to the broker and the gateway.

    An agent keeps the connection that it has: one that runs since before the endpoint was approved a public one, and
    one that got its public connection before names led nowhere this one, while public access is open.

    Args:
        cloud: the cloud.
        pool: the stored host pool.
        vm_id: the host's machine.
        loader_ms: when its agent loader last started, UTC milliseconds.
        held: the way that names led when it started.
        ways: what was found for other hosts of this pool, by vantage; it is added to.
    """
    access = access_of(pool)
    is_open = access in HOST_OPEN
    said = f"publicNetworkAccess of {pool['name']} is {access}"
    approvals = [at_ms for _, at_ms in approved_links(cloud, pool, "connection")]
    if approvals and loader_ms < max(approvals):
        why = "The agent loader runs since before the private endpoint was approved and keeps its public connection."
        way = Outcome(True, "public", why)
        return _judged(way, is_open, f"{said}: restart the agent loader")
    way = host_way(cloud, pool, vm_id, ways)
    if way.route == "none" and held == "public" and is_open:
        return Outcome(True, "public", f"{way.why} The agent keeps the public connection that it has.")
    return _judged(way, is_open, said) if _is_open(way) else way


def host_way(cloud: Cloud, pool: Json, vm_id: str, ways: dict[str, Outcome] | None = None) -> Outcome:
    """The way that a host pool's names lead from a machine; ``ways`` as in ``host_leg``."""
    vantage = network_of(cloud, vm_id) or INTERNET
    known = {} if ways is None else ways
    if vantage not in known:
        known[vantage] = _to(cloud, pool, "connection", vantage)
    return known[vantage]


def network_of(cloud: Cloud, vm_id: str) -> str:
    """Id of the virtual network that a machine's first interface lies in; empty when there is none to be found."""
    vm = cloud.find(vm_id)
    for listed in items(obj(vm, "properties", "networkProfile"), "networkInterfaces"):
        nic = cloud.find(text(listed, "id"))
        for config in items(nic, "properties", "ipConfigurations"):
            if subnet := text(config, "properties", "subnet", "id"):
                return subnet.rsplit("/", 2)[0]
    return ""


# ---------------------------------------------------------------- ways


def _target(cloud: Cloud, target_id: str) -> Json:
    found = cloud.find(target_id)
    if found is None:
        raise UsageError(f"There is no {target_id}.")
    return found


def _to(cloud: Cloud, target: Json, group: str, vantage: str) -> Outcome:
    names = [name for m in members(cloud, str(target["id"]), group) for name in m["fqdns"]]
    behind = [addresses_of(cloud, link) for link in links_of(cloud, target, group) if is_approved(link)]
    return _way(cloud, names, {a for found in behind for a in found}, vantage)


def _way(cloud: Cloud, names: list[str], approved: set[str], vantage: str) -> Outcome:
    """Where names lead. Every one must lead somewhere; one that is public makes the way a public one."""
    public: list[str] = []
    for name in names:
        answer = look_up(cloud, name, vantage)
        if answer is None:
            return Outcome(False, "none", f"There is no place {vantage}.")
        if not answer.addresses:
            return Outcome(False, "none", f"{name} does not exist there ({answer.status} from {answer.server}).")
        if any(is_public(address) for address in answer.addresses):
            public.append(name)
            continue
        dead = [address for address in answer.addresses if address not in approved]
        if dead:
            why = f"{name} leads to {dead[0]}, where no approved private endpoint answers."
            return Outcome(False, "none", why)
    if public:
        return Outcome(True, "public", f"{public[0]} leads to a public address.")
    return Outcome(True, "private", f"{names[0]} leads to an approved private endpoint.")


def _is_open(way: Outcome) -> bool:
    """Whether a way is public, so that ``publicNetworkAccess`` has a say."""
    return way.route == "public"


def _judged(way: Outcome, passes: bool, because: str) -> Outcome:
    return Outcome(passes, way.route, f"{way.why} {because}{'.' if passes else ', which refuses it.'}")
