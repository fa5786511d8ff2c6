"""Walks through everything the books touch with Azure's own SDKs. Run by an interpreter that has them.

    python sdk_walk.py ENDPOINT SUBSCRIPTION TENANT

Prints one JSON object per step: ``{"step", "found", "wanted"}``; a step is right when both are equal. Bodies go out
through the SDKs' own models and answers come back through them: what they cannot read is an error here.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential

GROUP, PLACE = "rg-sdk", "westeurope"


def told(step: str, found: Any, wanted: Any) -> None:
    print(json.dumps({"step": step, "found": found, "wanted": wanted}, default=str), flush=True)


def names(things: Iterable[Any]) -> list[str]:
    return sorted(thing.name for thing in things)


def refusal(call: Callable[[], Any]) -> str:
    try:
        call()
    except HttpResponseError as error:
        return f"{error.status_code} {error.error.code if error.error else ''}"
    return "none"


def is_gone(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ResourceNotFoundError:
        return True
    return False


class Walk:
    def __init__(self, endpoint: str, subscription: str, tenant: str) -> None:
        self.sub = subscription
        self.credential = ClientSecretCredential(
            tenant, "an-app", "any", authority=endpoint, disable_instance_discovery=True
        )
        self.common: dict[str, Any] = {
            "base_url": endpoint,
            "credential_scopes": ["https://management.core.windows.net//.default"],
        }
        self.home = f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers"

    def client(self, kind: Any) -> Any:
        return kind(self.credential, self.sub, **self.common)

    # ------------------------------------------------------------ resource

    def resources(self) -> None:
        from azure.mgmt.resource.resources import ResourceManagementClient
        from azure.mgmt.resource.resources.models import ResourceGroup
        from azure.mgmt.resource.subscriptions import SubscriptionClient

        subscriptions = SubscriptionClient(self.credential, **self.common)
        told("subscriptions", self.sub in [s.subscription_id for s in subscriptions.subscriptions.list()], True)
        told("subscription", subscriptions.subscriptions.get(self.sub).state, "Enabled")
        told("tenants", len(list(subscriptions.tenants.list())) >= 1, True)
        told("locations", PLACE in names(subscriptions.subscriptions.list_locations(self.sub)), True)
        client = self.client(ResourceManagementClient)
        made = client.resource_groups.create_or_update(GROUP, ResourceGroup(location=PLACE))
        told("group made", (made.name, made.location, made.properties.provisioning_state), [GROUP, PLACE, "Succeeded"])
        told("group listed", GROUP in names(client.resource_groups.list()), True)
        told("group exists", client.resource_groups.check_existence(GROUP), True)
        told("no such group", client.resource_groups.check_existence("rg-none"), False)
        told("tagged", client.resource_groups.update(GROUP, {"tags": {"a": "b"}}).tags, {"a": "b"})
        namespaces = [p.namespace for p in client.providers.list()]
        told("providers", {"Microsoft.Network", "Microsoft.HybridCompute"} <= set(namespaces), True)
        for namespace in ("Microsoft.HybridCompute", "Microsoft.DesktopVirtualization", "Microsoft.Network"):
            client.providers.register(namespace)
            state = ""
            while state != "Registered":  # time runs by itself
                state = client.providers.get(namespace).registration_state
            told(f"registered {namespace}", state, "Registered")

    def end(self) -> None:
        from azure.mgmt.resource.resources import ResourceManagementClient

        client = self.client(ResourceManagementClient)
        told("left in the group", names(client.resources.list_by_resource_group(GROUP)), [])
        client.resource_groups.begin_delete(GROUP).result()
        told("group gone", client.resource_groups.check_existence(GROUP), False)

    # ------------------------------------------------------------ network

    def network(self) -> None:
        from azure.mgmt.network import NetworkManagementClient
        from azure.mgmt.network import models as m

        client = self.client(NetworkManagementClient)
        rule = m.SecurityRule(
            name="AllowEntra", priority=200, direction="Outbound", access="Allow", protocol="Tcp",
            source_address_prefix="VirtualNetwork", source_port_range="*",
            destination_address_prefix="AzureActiveDirectory", destination_port_range="443",
        )  # fmt: skip
        nsg = client.network_security_groups.begin_create_or_update(
            GROUP, "nsg", m.NetworkSecurityGroup(location=PLACE)
        ).result()
        told("nsg made", nsg.provisioning_state, "Succeeded")
        made = client.security_rules.begin_create_or_update(GROUP, "nsg", "AllowEntra", rule).result()
        told("rule made", (made.name, made.priority, made.access), ["AllowEntra", 200, "Allow"])
        told("rules", names(client.security_rules.list(GROUP, "nsg")), ["AllowEntra"])
        told("default rules", len(list(client.default_security_rules.list(GROUP, "nsg"))) >= 6, True)
        vnet = m.VirtualNetwork(
            location=PLACE,
            address_space=m.AddressSpace(address_prefixes=["10.77.0.0/16"]),
            subnets=[m.Subnet(name="pe", address_prefix="10.77.1.0/24")],
        )
        told(
            "vnet made",
            client.virtual_networks.begin_create_or_update(GROUP, "vnet", vnet).result().provisioning_state,
            "Succeeded",
        )
        told("vnets", names(client.virtual_networks.list(GROUP)), ["vnet"])
        told("vnets of all", "vnet" in names(client.virtual_networks.list_all()), True)
        subnet = client.subnets.get(GROUP, "vnet", "pe")
        subnet.network_security_group = m.NetworkSecurityGroup(id=nsg.id)
        subnet.private_endpoint_network_policies = "Disabled"
        changed = client.subnets.begin_create_or_update(GROUP, "vnet", "pe", subnet).result()
        told("subnet changed", changed.private_endpoint_network_policies, "Disabled")
        more = m.Subnet(address_prefix="10.77.2.0/24")
        client.subnets.begin_create_or_update(GROUP, "vnet", "more", more).result()
        told("subnets", names(client.subnets.list(GROUP, "vnet")), ["more", "pe"])
        client.subnets.begin_delete(GROUP, "vnet", "more").result()
        told("subnet gone", is_gone(lambda: client.subnets.get(GROUP, "vnet", "more")), True)
        address = client.virtual_networks.check_ip_address_availability(GROUP, "vnet", ip_address="10.77.1.9")
        told("address", address.available, True)

    def endpoint(self, name: str, target: str, group_id: str) -> Any:
        from azure.mgmt.network import NetworkManagementClient
        from azure.mgmt.network import models as m

        client = self.client(NetworkManagementClient)
        connection = m.PrivateLinkServiceConnection(name=name, private_link_service_id=target, group_ids=[group_id])
        subnet = m.Subnet(id=f"{self.home}/Microsoft.Network/virtualNetworks/vnet/subnets/pe")
        endpoint = m.PrivateEndpoint(location=PLACE, subnet=subnet, private_link_service_connections=[connection])
        made = client.private_endpoints.begin_create_or_update(GROUP, name, endpoint).result()
        told(f"endpoint {name}", made.provisioning_state, "Succeeded")
        state = made.private_link_service_connections[0].private_link_service_connection_state.status
        told(f"endpoint {name} is let in", state, "Approved")
        told(f"endpoint {name} has addresses", len(made.custom_dns_configs) > 0, True)
        told(f"endpoint {name} is listed", name in names(client.private_endpoints.list(GROUP)), True)
        card = made.network_interfaces[0].id.rpartition("/")[2]
        told(f"endpoint {name} has a card", len(client.network_interfaces.get(GROUP, card).ip_configurations) > 0, True)
        return made

    def zone_group(self, endpoint: str, zone: str) -> None:
        from azure.mgmt.network import NetworkManagementClient
        from azure.mgmt.network import models as m

        client = self.client(NetworkManagementClient)
        zone_id = f"{self.home}/Microsoft.Network/privateDnsZones/{zone}"
        configs = [m.PrivateDnsZoneConfig(name="zone", private_dns_zone_id=zone_id)]
        group = m.PrivateDnsZoneGroup(private_dns_zone_configs=configs)
        made = client.private_dns_zone_groups.begin_create_or_update(GROUP, endpoint, "default", group).result()
        told("zone group made", made.provisioning_state, "Succeeded")
        told("zone group wrote", len(made.private_dns_zone_configs[0].record_sets) > 0, True)
        told("zone groups", names(client.private_dns_zone_groups.list(endpoint, GROUP)), ["default"])
        client.private_dns_zone_groups.begin_delete(GROUP, endpoint, "default").result()
        told("zone group gone", is_gone(lambda: client.private_dns_zone_groups.get(GROUP, endpoint, "default")), True)

    def drop_endpoint(self, name: str) -> None:
        from azure.mgmt.network import NetworkManagementClient

        client = self.client(NetworkManagementClient)
        client.private_endpoints.begin_delete(GROUP, name).result()
        told(f"endpoint {name} gone", is_gone(lambda: client.private_endpoints.get(GROUP, name)), True)

    def end_network(self) -> None:
        from azure.mgmt.network import NetworkManagementClient

        client = self.client(NetworkManagementClient)
        client.virtual_networks.begin_delete(GROUP, "vnet").result()
        client.security_rules.begin_delete(GROUP, "nsg", "AllowEntra").result()
        told("no rule left", names(client.security_rules.list(GROUP, "nsg")), [])
        client.network_security_groups.begin_delete(GROUP, "nsg").result()
        told("networks gone", names(client.virtual_networks.list(GROUP)), [])

    # ------------------------------------------------------------ private DNS

    def names_of(self, zone: str) -> None:
        from azure.mgmt.privatedns import PrivateDnsManagementClient
        from azure.mgmt.privatedns import models as m

        client = self.client(PrivateDnsManagementClient)
        made = client.private_zones.begin_create_or_update(GROUP, zone, m.PrivateZone(location="global")).result()
        told("zone made", made.provisioning_state, "Succeeded")
        told("zones", names(client.private_zones.list_by_resource_group(GROUP)), [zone])
        told("zones of all", zone in names(client.private_zones.list()), True)
        vnet = m.SubResource(id=f"{self.home}/Microsoft.Network/virtualNetworks/vnet")
        link = m.VirtualNetworkLink(location="global", virtual_network=vnet, registration_enabled=False)
        linked = client.virtual_network_links.begin_create_or_update(GROUP, zone, "link", link).result()
        told("link made", linked.virtual_network_link_state, "Completed")
        told("links", names(client.virtual_network_links.list(GROUP, zone)), ["link"])
        record = m.RecordSet(ttl=60, a_records=[m.ARecord(ipv4_address="10.77.1.200")])
        set_ = client.record_sets.create_or_update(GROUP, zone, "A", "host", record)
        told("record made", (set_.fqdn, [r.ipv4_address for r in set_.a_records]), [f"host.{zone}.", ["10.77.1.200"]])
        anew = {"etag": "*", "match_condition": MatchConditions.IfMissing}
        again = refusal(lambda: client.record_sets.create_or_update(GROUP, zone, "A", "host", record, **anew))
        told("record not made twice", again, "412 PreconditionFailed")
        told("records", [r.name for r in client.record_sets.list_by_type(GROUP, zone, "A")], ["host"])
        told("records of all types", "host" in names(client.record_sets.list(GROUP, zone)), True)
        changed = client.record_sets.update(GROUP, zone, "A", "host", m.RecordSet(ttl=10))
        told("record changed", changed.ttl, 10)
        client.record_sets.delete(GROUP, zone, "A", "host")
        told("record gone", is_gone(lambda: client.record_sets.get(GROUP, zone, "A", "host")), True)

    def end_names(self, zone: str) -> None:
        from azure.mgmt.privatedns import PrivateDnsManagementClient

        client = self.client(PrivateDnsManagementClient)
        client.virtual_network_links.begin_delete(GROUP, zone, "link").result()
        client.private_zones.begin_delete(GROUP, zone).result()
        told("zone gone", is_gone(lambda: client.private_zones.get(GROUP, zone)), True)

    # ------------------------------------------------------------ Arc

    def arc(self) -> None:
        from azure.mgmt.hybridcompute import HybridComputeManagementClient
        from azure.mgmt.hybridcompute import models as m

        client = self.client(HybridComputeManagementClient)
        scope = m.HybridComputePrivateLinkScope(
            location=PLACE, properties=m.HybridComputePrivateLinkScopeProperties(public_network_access="Enabled")
        )
        made = client.private_link_scopes.create_or_update(GROUP, "scope", scope)
        told("scope made", made.properties.public_network_access, "Enabled")
        told("scopes", names(client.private_link_scopes.list_by_resource_group(GROUP)), ["scope"])
        told("scopes of all", "scope" in names(client.private_link_scopes.list()), True)
        tagged = client.private_link_scopes.update_tags(GROUP, "scope", m.TagsResource(tags={"a": "b"}))
        told("scope tagged", tagged.tags, {"a": "b"})
        link = client.private_link_resources.list_by_private_link_scope(GROUP, "scope")
        told("link resources", [r.properties.group_id for r in link], ["hybridcompute"])
        machine = m.Machine(location=PLACE, properties=m.MachineProperties())
        client.machines.create_or_update(GROUP, "server", machine)
        told("machines", names(client.machines.list_by_resource_group(GROUP)), ["server"])
        change = m.MachineUpdate(properties=m.MachineUpdateProperties(private_link_scope_resource_id=made.id))
        changed = client.machines.update(GROUP, "server", change)
        told("machine bound", changed.properties.private_link_scope_resource_id.lower(), made.id.lower())
        self.endpoint("pe-arc", made.id, "hybridcompute")
        connections = list(client.private_endpoint_connections.list_by_private_link_scope(GROUP, "scope"))
        state = connections[0].properties.private_link_service_connection_state
        told("connection", state.status, "Approved")
        state.description = "seen"
        settled = client.private_endpoint_connections.begin_create_or_update(
            GROUP, "scope", connections[0].name, connections[0]
        ).result()
        told("connection settled", settled.properties.private_link_service_connection_state.description, "seen")
        self.zone_group("pe-arc", "privatelink.his.arc.azure.com")
        self.drop_endpoint("pe-arc")
        client.machines.begin_delete(GROUP, "server").result()
        client.private_link_scopes.begin_delete(GROUP, "scope").result()
        told("scope gone", is_gone(lambda: client.private_link_scopes.get(GROUP, "scope")), True)

    # ------------------------------------------------------------ Virtual Desktop

    def desktop(self) -> None:
        from azure.mgmt.desktopvirtualization import DesktopVirtualizationMgmtClient
        from azure.mgmt.desktopvirtualization import models as m

        client = self.client(DesktopVirtualizationMgmtClient)
        pool = m.HostPool(
            location=PLACE,
            host_pool_type="Pooled",
            load_balancer_type="BreadthFirst",
            preferred_app_group_type="Desktop",
        )
        made = client.host_pools.create_or_update(GROUP, "pool", pool)
        told("pool made", (made.name, made.host_pool_type), ["pool", "Pooled"])
        changed = client.host_pools.update(GROUP, "pool", m.HostPoolPatch(friendly_name="Pool"))
        told("pool changed", changed.friendly_name, "Pool")
        told("pools", names(client.host_pools.list_by_resource_group(GROUP)), ["pool"])
        group = m.ApplicationGroup(location=PLACE, host_pool_arm_path=made.id, application_group_type="Desktop")
        apps = client.application_groups.create_or_update(GROUP, "apps", group)
        told("apps made", apps.host_pool_arm_path.lower(), made.id.lower())
        space = client.workspaces.create_or_update(
            GROUP, "space", m.Workspace(location=PLACE, application_group_references=[apps.id])
        )
        told("workspace made", [r.lower() for r in space.application_group_references], [apps.id.lower()])
        told("workspaces", names(client.workspaces.list_by_resource_group(GROUP)), ["space"])
        link = client.private_link_resources.list_by_host_pool(GROUP, "pool")
        told("link resources of a pool", sorted({r.group_id for r in link}), ["connection"])
        link = client.private_link_resources.list_by_workspace(GROUP, "space")
        told("link resources of a workspace", sorted({r.group_id for r in link}), ["feed", "global"])
        self.endpoint("pe-pool", made.id, "connection")
        self.endpoint("pe-feed", space.id, "feed")
        linked = list(client.private_endpoint_connections.list_by_host_pool(GROUP, "pool"))
        told("connection of a pool", [c.private_link_service_connection_state.status for c in linked], ["Approved"])
        linked = list(client.private_endpoint_connections.list_by_workspace(GROUP, "space"))
        told(
            "connection of a workspace", [c.private_link_service_connection_state.status for c in linked], ["Approved"]
        )
        shut = client.host_pools.update(
            GROUP, "pool", m.HostPoolPatch(public_network_access="EnabledForSessionHostsOnly")
        )
        told("pool closed to clients", shut.public_network_access, "EnabledForSessionHostsOnly")
        shut = client.workspaces.update(GROUP, "space", m.WorkspacePatch(public_network_access="Disabled"))
        told("feed closed", shut.public_network_access, "Disabled")
        self.drop_endpoint("pe-pool")
        self.drop_endpoint("pe-feed")
        client.workspaces.delete(GROUP, "space")
        client.application_groups.delete(GROUP, "apps")
        client.host_pools.delete(GROUP, "pool")
        told("pool gone", is_gone(lambda: client.host_pools.get(GROUP, "pool")), True)
        self.hosts(client, m)

    def hosts(self, client: Any, m: Any) -> None:
        """Session hosts come from agents, not from clients: those of the estate."""
        pools = list(client.host_pools.list())
        found = [
            (p.id.split("/")[4], p.name, list(client.session_hosts.list(p.id.split("/")[4], p.name))) for p in pools
        ]
        group, pool, every = max(found, key=lambda row: len(row[2]))
        told("session hosts over several pages of two", len(every) > 2, True)
        name = every[0].name.rpartition("/")[2]
        for allow in (False, True):
            changed = client.session_hosts.update(
                group, pool, name, session_host=m.SessionHostPatch(allow_new_session=allow)
            )
            told(f"session host allows new sessions: {allow}", changed.allow_new_session, allow)
        told("session host", client.session_hosts.get(group, pool, name).name, name)


def main() -> None:
    walk = Walk(*sys.argv[1:4])
    zone = "privatelink.his.arc.azure.com"
    steps: tuple[Callable[[], None], ...] = (
        walk.resources, walk.network, lambda: walk.names_of(zone), walk.arc, walk.desktop,
        lambda: walk.end_names(zone), walk.end_network, walk.end,
    )  # fmt: skip
    for step in steps:
        try:
            step()
        except Exception:
            told(f"{step.__name__} broke off", traceback.format_exc(), "")
    told("the end", "", "")


if __name__ == "__main__":
    main()
