"""Subnets: their rules, and how one is shown.

Invariant: the subnets of a network lie inside its address space and do not overlap; a range from which addresses are
held is neither shrunk nor removed. What refers to a subnet (interfaces, gateways, endpoints) is looked up when it is
shown, never stored in it.

Source: Microsoft.Network OpenAPI 2024-01-01 (virtualNetwork.json); recorded error answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers.addresses import Network, holders, is_inside, parse_prefix, prefixes_of
from runbook.sim.providers.network import (
    ENDPOINT,
    NSG,
    SUBNET,
    missing_reference,
    reference,
    referenced,
)
from runbook.sim.wire import Json, bad_request, items, obj, one_of, text

GATEWAY: Final = "Microsoft.Network/virtualNetworkGateways"
POLICIES: Final = ("Enabled", "Disabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled")

_KEPT: Final = (
    "routeTable",
    "natGateway",
    "serviceEndpoints",
    "serviceEndpointPolicies",
    "delegations",
    "defaultOutboundAccess",
    "ipAllocations",
    "sharingScope",
)
"""Fields taken over from a body as they stand: nothing here depends on them."""


def made(cloud: Cloud, vnet: Json, name: str, body: Json) -> Json:
    """A subnet's body as it will be stored, from what a client sent. The whole of it counts: what is left out goes.

    ``vnet`` is the network's body, with the address space that is to hold.

    Raises:
        ArmFault: 400, a prefix is wrong, outside the network's space or in use; a reference leads nowhere; policies.
    """
    subnet_id = f"{vnet['id']}/subnets/{name}"
    prefixes = prefixes_of(body)
    if not prefixes:
        raise bad_request(
            f"Subnet '{name}' is not valid: an address prefix is required.", "InvalidRequestFormat", subnet_id
        )
    spaces = [parse_prefix(p, str(vnet["id"])) for p in items(vnet, "properties", "addressSpace", "addressPrefixes")]
    if not all(is_inside(parse_prefix(p, subnet_id), spaces) for p in prefixes):
        raise bad_request(
            f"Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual "
            f"network '{vnet['name']}'.",
            "NetcfgSubnetRangeOutsideVnet",
        )
    _check_kept(cloud, subnet_id, name, prefixes)
    properties: Json = {}
    if items(body, "properties", "addressPrefixes"):
        properties["addressPrefixes"] = prefixes
    else:
        properties["addressPrefix"] = prefixes[0]
    if nsg_id := text(body, "properties", "networkSecurityGroup", "id"):
        properties["networkSecurityGroup"] = {"id": _nsg(cloud, vnet, subnet_id, nsg_id)}
    default = "Enabled" if cloud.scenario.era == "preview" else "Disabled"
    policy = one_of(body, "properties", "privateEndpointNetworkPolicies", among=POLICIES, default=default)
    _check_policy(cloud, subnet_id, policy)
    properties["privateEndpointNetworkPolicies"] = policy
    properties["privateLinkServiceNetworkPolicies"] = one_of(
        body, "properties", "privateLinkServiceNetworkPolicies", among=POLICIES[:2], default="Enabled"
    )
    properties["delegations"] = []
    sent = obj(body, "properties")
    properties |= {key: sent[key] for key in _KEPT if sent.get(key) is not None}
    return {"id": subnet_id, "name": name, "type": SUBNET, "properties": properties}


def check_apart(vnet_name: str, subnets: Sequence[Json]) -> None:
    """Refuse subnets that overlap.

    Raises:
        ArmFault: 400 ``NetcfgSubnetRangesOverlap`` naming the later of the two.
    """
    seen: list[Network] = []
    for subnet in subnets:
        ranges = [parse_prefix(p, str(subnet["id"])) for p in prefixes_of(subnet)]
        if any(a.overlaps(b) for a in ranges for b in seen):
            raise bad_request(
                f"Subnet '{subnet['name']}' is not valid because its IP address range overlaps with that of an "
                f"existing subnet in virtual network '{vnet_name}'.",
                "NetcfgSubnetRangesOverlap",
            )
        seen += ranges


def _check_kept(cloud: Cloud, subnet_id: str, name: str, prefixes: Sequence[str]) -> None:
    existing = cloud.find(subnet_id)
    if existing is None or not users(cloud, existing):
        return
    for gone in [p for p in prefixes_of(existing) if p not in prefixes]:
        raise bad_request(
            f"IpPrefix {gone} on Subnet {name} has active allocations and cannot be deleted.",
            "InUsePrefixCannotBeDeleted",
        )


def _nsg(cloud: Cloud, vnet: Json, subnet_id: str, nsg_id: str) -> str:
    reference(nsg_id, NSG, "properties.networkSecurityGroup.id")
    nsg = referenced(cloud, nsg_id, subnet_id)
    if nsg["location"] != vnet["location"]:
        raise missing_reference(nsg_id, subnet_id)
    return str(nsg["id"])


def _check_policy(cloud: Cloud, subnet_id: str, policy: str) -> None:
    """In the preview's time, policies could not be on where an endpoint stood."""
    if cloud.scenario.era == "preview" and policy != "Disabled" and endpoints_in(cloud, subnet_id):
        raise bad_request(
            f"Private endpoint network policies cannot be enabled on private endpoint subnet {subnet_id}.",
            "PrivateEndpointNetworkPoliciesCannotBeEnabledOnPrivateEndpointSubnet",
        )


# ---------------------------------------------------------------- who stands in a subnet


def endpoints_in(cloud: Cloud, subnet_id: str) -> list[str]:
    """Ids of the private endpoints in a subnet."""
    return cloud.referring(ENDPOINT, subnet_id)


def users(cloud: Cloud, subnet: Json) -> list[str]:
    """Ids of the interface and gateway configurations that stand in a subnet."""
    subnet_id = str(subnet["id"])
    found = holders(cloud, subnet_id)
    for gateway in map(cloud.need, cloud.referring(GATEWAY, subnet_id)):
        for number, config in enumerate(items(gateway, "properties", "ipConfigurations")):
            if text(config, "properties", "subnet", "id").lower() == subnet_id.lower():
                name = text(config, "name", default=f"default{number or ''}")
                found.append(text(config, "id", default=f"{gateway['id']}/ipConfigurations/{name}"))
    return found


def check_unused(cloud: Cloud, subnet: Json) -> None:
    """Refuse to remove a subnet in which something stands.

    Raises:
        ArmFault: 400 ``InUseSubnetCannotBeDeleted`` naming the first.
    """
    standing = users(cloud, subnet)
    if standing:
        raise bad_request(
            f"Subnet {subnet['name']} is in use by {standing[0]} and cannot be deleted. In order to delete the "
            "subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
            "InUseSubnetCannotBeDeleted",
        )


def shown(cloud: Cloud, subnet: Json) -> Json:
    """A stored subnet as a client sees it, with what stands in it."""
    properties = obj(subnet, "properties")
    if standing := users(cloud, subnet):
        properties["ipConfigurations"] = [{"id": i} for i in standing]
    if endpoints := endpoints_in(cloud, str(subnet["id"])):
        properties["privateEndpoints"] = [{"id": i} for i in endpoints]
    return {**subnet, "properties": properties}
