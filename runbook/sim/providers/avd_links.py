"""Private link of host pools and workspaces: what endpoints get addresses for, and which names lead to them.

Invariants: a name of a host pool or workspace is an alias to its private name only while an approved connection stands
behind it; the one name of feed discovery always is. A feed connection made while its workspace had a ``global`` one
leaves the feed's name as it was: it resolves publicly until it is made again without.

Group ids and members are those of the setup article's samples (the examples of the OpenAPI are stale). Which names
belong to which member is published nowhere: the simulator's are its own, but for the two that clients look up.

Source: "Azure Private Link with Azure Virtual Desktop" and "Set up Private Link with Azure Virtual Desktop",
learn.microsoft.com, 2023-07-17; "Azure Private Endpoint private DNS zone values", learn.microsoft.com;
MicrosoftDocs/azure-docs issue 101906 (feed and global on one workspace); the preview article of 2022-12-06 (manual
approval is a known issue there).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runbook.core.ids import subscription_of
from runbook.sim.cloud import Cloud
from runbook.sim.dnsnames import clean, is_below
from runbook.sim.hooks import alias, on
from runbook.sim.providers import link_owner
from runbook.sim.providers.avd_shapes import POOL, WORKSPACE
from runbook.sim.providers.features import need_feature
from runbook.sim.providers.interfaces import interface_of, members_of
from runbook.sim.providers.registration import flags_for, is_visible
from runbook.sim.wire import ArmFault, Json, bad_request, text, texts

SUFFIX: Final = {
    "AzureCloud": "wvd.microsoft.com",
    "AzureUSGovernment": "wvd.azure.us",
    "AzureChinaCloud": "wvd.azure.cn",
}
GROUPS: Final = {POOL: ("connection",), WORKSPACE: ("feed", "global")}
"""Group ids by resource type."""
MEMBERS: Final = {
    "connection": {
        "broker": "{id}.rdbroker.{suffix}",
        "diagnostics": "{id}.rddiagnostics.{suffix}",
        "gateway-ring-map": "{id}.afdfp-rdgateway.{suffix}",
        "web": "{id}.rdweb.{suffix}",
    },
    "feed": {"web-r0": "{id}.{suffix}", "web-r1": "{id}-r1.{suffix}"},
    "global": {"web": "rdweb.{suffix}"},
}
"""By group id: member → public name; ``{id}`` is the target's ``objectId``."""

_NAMES: Final = "avd_names"
"""Name → ``{"links": {connection id in lower case: whether the name follows it}}``."""
_APPROVALS: Final = "avd_approvals"
"""Connection id in lower case → ``{"at_ms"}``: when it was last approved."""


# ---------------------------------------------------------------- what endpoints ask


def members(cloud: Cloud, target_id: str, group_id: str) -> list[Json]:
    """What an endpoint to a host pool or workspace gets an address for: ``{"member", "fqdns"}``, in order.

    Raises:
        ArmFault: 404 no such target; 400 the group id is none of its type.
    """
    target = cloud.need(target_id)
    group = _group(target, group_id)
    words = {"id": text(target, "properties", "objectId"), "suffix": SUFFIX[cloud.scenario.cloud]}
    return [{"member": m, "fqdns": [shape.format(**words)]} for m, shape in MEMBERS[group].items()]


def _group(target: Json, group_id: str) -> str:
    kind = str(target["type"])
    if group_id.lower() not in GROUPS[kind]:
        raise bad_request(
            f"Call to {kind} failed. Error message: Invalid groupId '{group_id}'. "
            f"The group ids of {kind} are: {', '.join(GROUPS[kind])}.",
            "InvalidGroupId",
        )
    return group_id.lower()


def connect(
    cloud: Cloud, target_id: str, endpoint_id: str, group_ids: Sequence[str], manual: bool, message: str
) -> Json:
    """Make or renew the connection of an endpoint, and return its state: ``{status, description, actionsRequired}``.

    Raises:
        ArmFault: 400, the feature is wanted first, or the provider's registration after it, or manual approval does
            not work yet; 403, the caller may not approve; 404; 400 for a wrong group id.
    """
    target = cloud.need(target_id)
    groups = [_group(target, group_id) for group_id in group_ids]
    _check_gate(cloud, target)
    if manual and cloud.scenario.era == "preview":
        raise bad_request(
            f"Call to {target['type']} failed. Error message: private endpoints with manual connection approval are "
            "not supported in the public preview of Private Link with Azure Virtual Desktop.",
            "ManualConnectionApprovalNotSupported",
        )
    own_id = link_owner.connection_id(cloud, target, endpoint_id)
    is_new = cloud.find(own_id) is None
    is_late = "feed" in groups and bool(links_of(cloud, target, "global"))
    state = link_owner.connect(cloud, target, endpoint_id, groups, manual, message)
    if is_new:
        for group in groups:
            for member in members(cloud, target_id, group):
                for name in member["fqdns"]:
                    row = cloud.state.get(_NAMES, name) or {"links": {}}
                    row["links"][own_id.lower()] = not is_late
                    cloud.state.put(_NAMES, name, row)
        _note(cloud, own_id, state)
    return state


def _check_gate(cloud: Cloud, target: Json) -> None:
    kind, subscription = f"{target['type']}/{link_owner.CHILD}", subscription_of(str(target["id"])) or ""
    if cloud.turn.caller.kind == "platform":
        return
    for feature in flags_for(cloud, kind):
        need_feature(cloud, subscription, feature)
    if not is_visible(cloud, subscription, kind):
        namespace, _, name = kind.partition("/")
        raise ArmFault(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for the subscription '{subscription}' and type '{name}' in "
            f"namespace '{namespace}'. The supported api-versions are ''. The feature was approved after the provider "
            "was last registered: register the provider again.",
        )


def disconnect(cloud: Cloud, target_id: str, endpoint_id: str) -> None:
    """Forget the connection of an endpoint that is gone. Nothing happens when there is none."""
    target = cloud.find(target_id)
    if target is not None:
        _forget(cloud, link_owner.connection_id(cloud, target, endpoint_id), target)
        link_owner.disconnect(cloud, target_id, endpoint_id)


def _forget(cloud: Cloud, connection_id: str, target: Json) -> None:
    key = connection_id.lower()
    cloud.state.delete(_APPROVALS, key)
    for group in GROUPS[str(target["type"])]:
        for member in members(cloud, str(target["id"]), group):
            for name in member["fqdns"]:
                row = cloud.state.get(_NAMES, name)
                if row is not None and row["links"].pop(key, None) is not None:
                    if row["links"]:
                        cloud.state.put(_NAMES, name, row)
                    else:
                        cloud.state.delete(_NAMES, name)


@on("connection_changed")
def _follow(cloud: Cloud, event: Json) -> None:
    """The owner approved, rejected or removed a connection."""
    target = cloud.find(str(event["target"]))
    if target is None or str(target["type"]) not in GROUPS:
        return
    if event["state"] is None:
        _forget(cloud, str(event["connection"]), target)
    else:
        _note(cloud, str(event["connection"]), event["state"])


def _note(cloud: Cloud, connection_id: str, state: Json) -> None:
    if state["status"] == "Approved":
        cloud.state.put(_APPROVALS, connection_id.lower(), {"at_ms": cloud.now_ms})
    else:
        cloud.state.delete(_APPROVALS, connection_id.lower())


def sever(cloud: Cloud, target: Json) -> None:
    """The target goes: its endpoints are told that their connections are gone."""
    for connection in link_owner.connections(cloud, str(target["id"]), str(target["type"])):
        link_owner.remove(cloud, connection)


# ---------------------------------------------------------------- what clients and hosts find


def links_of(cloud: Cloud, target: Json, group: str) -> list[Json]:
    """The connections of a target for one group id, whatever their state."""
    every = link_owner.connections(cloud, str(target["id"]), str(target["type"]))
    return [c for c in every if group in texts(c, "properties", "groupIds")]


def approved_links(cloud: Cloud, target: Json, group: str) -> list[tuple[Json, int]]:
    """``(connection, when it was approved in UTC milliseconds)`` of a target's approved connections of a group id."""
    found = []
    for connection in links_of(cloud, target, group):
        row = cloud.state.get(_APPROVALS, str(connection["id"]).lower())
        if row is not None and link_owner.is_approved(connection):
            found.append((connection, int(row["at_ms"])))
    return found


def links_behind(cloud: Cloud, name: str) -> list[Json]:
    """The connections, of whatever targets, whose endpoints a public name can lead to."""
    row = cloud.state.get(_NAMES, clean(name)) or {"links": {}}
    return [found for key in sorted(row["links"]) if (found := cloud.find(key)) is not None]


def addresses_of(cloud: Cloud, connection: Json) -> list[str]:
    """The private addresses of the endpoint that a connection belongs to."""
    endpoint = cloud.find(text(connection, "properties", "privateEndpoint", "id"))
    nic = None if endpoint is None else interface_of(cloud, endpoint)
    return [member["address"] for member in members_of(nic)]


@alias
def _alias(cloud: Cloud, name: str) -> bool | None:
    suffix = SUFFIX[cloud.scenario.cloud]
    if not is_below(name, suffix) or name == f"rdweb.{suffix}":
        return None
    row = cloud.state.get(_NAMES, name) or {"links": {}}
    followed = [cloud.find(key) for key, follows in row["links"].items() if follows]
    return any(link is not None and link_owner.is_approved(link) for link in followed)
