"""Network interfaces: those of private endpoints, with one address for each member of the target, and of machines.

Invariants: an endpoint's interface is made once and keeps its addresses for the endpoint's life; it is the only place
where member, address and public names come together. Static addresses are given for every member or for none.
Machines' interfaces come from scenarios alone.

Source: Microsoft.Network OpenAPI 2024-01-01 (networkInterface.json, privateEndpoint.json); recorded answers and
error answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.hooks import index
from runbook.sim.providers.addresses import NIC, pool
from runbook.sim.providers.network import (
    HERE,
    NSG,
    SUBNET,
    VERSIONS,
    etag_of,
    missing_reference,
    reference,
    referenced,
)
from runbook.sim.providers.resources import check_location
from runbook.sim.routes import SUBSCRIPTION, Place, route
from runbook.sim.seeding import seeder
from runbook.sim.wire import ArmFault, Call, Json, Reply, bad_request, items, obj, tags_of, text, texts

VM: Final = "Microsoft.Compute/virtualMachines"


def interface_id(cloud: Cloud, endpoint: Json) -> str:
    """The id an endpoint's interface has: the custom name, or ``{endpoint}.nic.{guid}``."""
    name = text(endpoint, "properties", "customNetworkInterfaceName")
    guid = cloud.resource_guid(str(endpoint["id"]), "nic")
    home = str(endpoint["id"]).rsplit("/", 2)[0]
    return f"{home}/networkInterfaces/{name or str(endpoint['name']) + '.nic.' + guid}"


def make(cloud: Cloud, endpoint: Json, subnet: Json, group: str, members: Sequence[Json]) -> Json:
    """The interface of an endpoint, holding its addresses; the one that stands, if there is one.

    Raises:
        ArmFault: 400, the subnet is full, or the static addresses do not fit.
    """
    nic_id = interface_id(cloud, endpoint)
    statics = static_addresses(endpoint, group, members)
    if (standing := cloud.find(nic_id)) is not None:
        _check_owner(standing, endpoint)
        _check_kept(endpoint, standing, statics)
        return standing
    here = pool(cloud, subnet)
    ids = [f"{nic_id}/ipConfigurations/{_config_name(cloud, endpoint, m)}" for m in members]
    if statics:
        given = [here.claim(statics[m["member"].lower()], i) for m, i in zip(members, ids, strict=True)]
    else:
        given = here.take(len(members))
    configs = [
        _config(cloud, config_id, str(subnet["id"]), address, group, member, bool(statics), number == 0)
        for number, (config_id, address, member) in enumerate(zip(ids, given, members, strict=True))
    ]
    nic: Json = {
        "id": nic_id,
        "name": nic_id.rpartition("/")[2],
        "type": NIC,
        "location": endpoint["location"],
        "etag": cloud.new_etag(nic_id),
        "properties": {**_properties(cloud, nic_id, configs), "privateEndpoint": {"id": endpoint["id"]}},
    }
    cloud.save(nic)
    return nic


def _properties(cloud: Cloud, nic_id: str, configs: list[Json]) -> Json:
    return {
        "provisioningState": "Succeeded",
        "resourceGuid": cloud.resource_guid(nic_id, "resource"),
        "ipConfigurations": configs,
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
        "macAddress": "",
        "enableAcceleratedNetworking": False,
        "enableIPForwarding": False,
        "hostedWorkloads": [],
        "nicType": "Standard",
    }


def _config_name(cloud: Cloud, endpoint: Json, member: Json) -> str:
    return f"privateEndpointIpConfig.{cloud.resource_guid(str(endpoint['id']), 'config', member['member'])}"


def _config(
    cloud: Cloud,
    config_id: str,
    subnet_id: str,
    address: str,
    group: str,
    member: Json | None,
    is_static: bool,
    is_first: bool,
) -> Json:
    config: Json = {
        "id": config_id,
        "name": config_id.rpartition("/")[2],
        "type": NIC + "/ipConfigurations",
        "etag": cloud.new_etag(config_id),
        "properties": {
            "provisioningState": "Succeeded",
            "privateIPAddress": address,
            "privateIPAllocationMethod": "Static" if is_static else "Dynamic",
            "subnet": {"id": subnet_id},
            "primary": is_first,
            "privateIPAddressVersion": "IPv4",
        },
    }
    if member is not None:
        link = {"groupId": group, "requiredMemberName": member["member"], "fqdns": list(member["fqdns"])}
        config["properties"]["privateLinkConnectionProperties"] = link
    return config


def static_addresses(endpoint: Json, group: str, members: Sequence[Json]) -> dict[str, str]:
    """The addresses that an endpoint's body asks for: member in lower case → address; empty when it asks for none.

    Raises:
        ArmFault: 400, some member has none, an address is asked for twice, or one is for no member.
    """
    asked: dict[str, str] = {}
    for config in items(endpoint, "properties", "ipConfigurations"):
        member = text(config, "properties", "memberName", required=True)
        where, address = text(config, "properties", "groupId"), text(config, "properties", "privateIPAddress")
        if where.lower() == group.lower() and address:
            asked[member.lower()] = address
    if not items(endpoint, "properties", "ipConfigurations"):
        return {}
    missing = [m["member"] for m in members if m["member"].lower() not in asked]
    if missing or len(asked) > len(members):
        listed = "; ".join(f"GroupId: {group}, MemberName: {name}" for name in missing)
        raise bad_request(
            f"Private Endpoint {endpoint['id']} contains static ipconfigurations, but is missing these "
            f"membernames/groupids requested by Private Link service [{listed}]. Private Endpoint needs to be "
            "reconfigured with missing memberNames.",
            "PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps",
        )
    twice = sorted({a for a in asked.values() if list(asked.values()).count(a) > 1})
    if twice:
        raise bad_request(
            f"Private Endpoint {endpoint['id']} asks for the private IP address {twice[0]} more than once.",
            "PrivateIPAddressIsAllocated",
        )
    return asked


def _check_owner(nic: Json, endpoint: Json) -> None:
    if text(nic, "properties", "privateEndpoint", "id").lower() != str(endpoint["id"]).lower():
        raise ArmFault(
            400,
            "NetworkInterfaceNameAlreadyInUse",
            f"The network interface {nic['id']} exists already and does not belong to private endpoint "
            f"{endpoint['id']}. Choose another customNetworkInterfaceName.",
        )


def _check_kept(endpoint: Json, nic: Json, statics: dict[str, str]) -> None:
    """An endpoint may fix the addresses it has, not get others."""
    for member in members_of(nic):
        wanted = statics.get(member["member"].lower(), member["address"])
        if wanted != member["address"]:
            raise bad_request(
                f"Private Endpoint {endpoint['id']}: the static IP address {wanted} of member {member['member']} must "
                f"match its present address {member['address']}.",
                "PrivateEndpointStaticIpMustMatchDynamicIpMapping",
            )


def members_of(nic: Json | None) -> list[Json]:
    """What an endpoint's interface maps: ``{"group", "member", "address", "fqdns"}``, in order."""
    found = []
    for config in items(nic, "properties", "ipConfigurations"):
        link = obj(config, "properties", "privateLinkConnectionProperties")
        if link:
            found.append(
                {
                    "group": text(link, "groupId"),
                    "member": text(link, "requiredMemberName"),
                    "address": text(config, "properties", "privateIPAddress"),
                    "fqdns": texts(link, "fqdns"),
                }
            )
    return found


def interface_of(cloud: Cloud, endpoint: Json) -> Json | None:
    """The interface of a stored endpoint, or None."""
    for nic in items(endpoint, "properties", "networkInterfaces"):
        if (found := cloud.find(text(nic, "id"))) is not None:
            return found
    return None


@index("resources", "fqdn")
def _by_name(key: str, doc: Json) -> Iterator[tuple[str, str]]:
    """Public name in lower case → key of the interface that has an address for it."""
    if str(doc.get("type", "")).lower() == NIC.lower():
        try:
            for member in members_of(doc):
                yield from ((fqdn.lower().rstrip("."), key) for fqdn in member["fqdns"])
        except ArmFault:
            return  # stored as no service would


def has_endpoint(cloud: Cloud, name: str) -> bool:
    """Whether some endpoint has an address for a public name (in lower case, without a dot at its end)."""
    return bool(cloud.state.entries("fqdn", name))


# ---------------------------------------------------------------- interfaces of machines


@seeder(NIC)
def _seed(cloud: Cloud, body: Json) -> None:
    """A machine's interface, by what of it is told: for each configuration its subnet, and an address if it matters.

    Without ``privateIPAddress`` a configuration gets the lowest free address of its subnet.
    """
    nic_id, location = str(body["id"]), check_location(cloud, body, NIC)
    configs = []
    for number, told in enumerate(items(body, "properties", "ipConfigurations")):
        config_id = f"{nic_id}/ipConfigurations/{text(told, 'name', default=f'ipconfig{number + 1}')}"
        subnet = _subnet(cloud, text(told, "properties", "subnet", "id", required=True), nic_id, location)
        here, wanted = pool(cloud, subnet), text(told, "properties", "privateIPAddress")
        address = here.claim(wanted, config_id) if wanted else here.take(1)[0]
        config = _config(cloud, config_id, str(subnet["id"]), address, "", None, bool(wanted), number == 0)
        configs.append(config)
    if not configs:
        raise bad_request(f"Network interface {nic_id} needs an IP configuration.", "InvalidRequestFormat")
    properties = _properties(cloud, nic_id, configs)
    if nsg_id := text(body, "properties", "networkSecurityGroup", "id"):
        reference(nsg_id, NSG, "properties.networkSecurityGroup.id")
        properties["networkSecurityGroup"] = {"id": referenced(cloud, nsg_id, nic_id)["id"]}
    nic = {"id": nic_id, "name": nic_id.rpartition("/")[2], "type": NIC, "location": location}
    cloud.save({**nic, "etag": cloud.new_etag(nic_id), "tags": tags_of(body), "properties": properties})


def _subnet(cloud: Cloud, subnet_id: str, nic_id: str, location: str) -> Json:
    parsed = reference(subnet_id, SUBNET, "properties.ipConfigurations.properties.subnet.id")
    subnet, vnet = referenced(cloud, subnet_id, nic_id), referenced(cloud, str(parsed.parent), nic_id)
    if vnet["location"] != location:
        raise missing_reference(subnet_id, nic_id)
    return subnet


def shown(cloud: Cloud, nic: Json) -> Json:
    """A stored interface as a client sees it, with the machine it belongs to."""
    machines = cloud.referring(VM, str(nic["id"]))
    return {**nic, "properties": {**obj(nic, "properties"), "virtualMachine": {"id": machines[0]}}} if machines else nic


# ---------------------------------------------------------------- routes


@route("GET", HERE + "/networkInterfaces/{name}", versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    nic = cloud.need(place.id)
    return Reply(200, {"ETag": str(etag_of(nic))}, shown(cloud, nic))


@route("GET", HERE + "/networkInterfaces", versions=VERSIONS)
def _list(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(NIC, place.group_id), show=partial(shown, cloud))


@route("GET", SUBSCRIPTION + "/providers/Microsoft.Network/networkInterfaces", versions=VERSIONS)
def _list_all(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(NIC, f"/subscriptions/{place.sub}"), show=partial(shown, cloud))


@route("DELETE", HERE + "/networkInterfaces/{name}", versions=VERSIONS)
def _delete(cloud: Cloud, call: Call, place: Place) -> Reply:
    nic = cloud.find(place.id)
    if nic is None:
        return Reply(204)
    owner = text(nic, "properties", "privateEndpoint", "id") or "".join(cloud.referring(VM, place.id))
    raise bad_request(
        f"Network interface {nic['id']} cannot be deleted: it belongs to {owner or 'a machine elsewhere'}. "
        "Delete that instead.",
        "NetworkInterfaceInUse",
    )
