"""Microsoft.Network/virtualNetworkGateways and connections: read-only, as the scenario states them.

A rehearsal looks for the site-to-site VPN or ExpressRoute circuit; it never makes one.

Source: Microsoft.Network OpenAPI 2024-01-01 (virtualNetworkGateway.json).
"""

from __future__ import annotations

from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.providers.network import HERE, VERSIONS, show
from runbook.sim.routes import Place, route
from runbook.sim.wire import Call, Json, Reply, text

GATEWAY: Final = "Microsoft.Network/virtualNetworkGateways"
CONNECTION: Final = "Microsoft.Network/connections"

_GATEWAYS: Final = HERE + "/virtualNetworkGateways"
_CONNECTIONS: Final = HERE + "/connections"


@route("GET", _GATEWAYS + "/{name}", versions=VERSIONS)
@route("GET", _CONNECTIONS + "/{name}", versions=VERSIONS)
@route("GET", HERE + "/localNetworkGateways/{name}", versions=VERSIONS)
def _get(cloud: Cloud, call: Call, place: Place) -> Reply:
    return show(cloud, place.id)


@route("GET", _GATEWAYS, versions=VERSIONS)
def _list_gateways(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(GATEWAY, place.group_id))


@route("GET", _CONNECTIONS, versions=VERSIONS)
def _list_connections(cloud: Cloud, call: Call, place: Place) -> Reply:
    return cloud.listing(call, cloud.resources(CONNECTION, place.group_id), show=_listed)


@route("GET", _GATEWAYS + "/{name}/connections", versions=VERSIONS)
def _list_of_gateway(cloud: Cloud, call: Call, place: Place) -> Reply:
    gateway_id = str(cloud.need(place.id.rpartition("/")[0])["id"]).lower()
    ends = ("virtualNetworkGateway1", "virtualNetworkGateway2")
    mine = [
        c
        for c in cloud.resources(CONNECTION)
        if gateway_id in (text(c, "properties", end, "id").lower() for end in ends)
    ]
    return cloud.listing(call, mine, show=_listed)


def _listed(connection: Json) -> Json:
    """A connection in a list: ARM shows its state only when it is read by name."""
    properties = {k: v for k, v in connection["properties"].items() if k != "connectionStatus"}
    return {**connection, "properties": properties}
