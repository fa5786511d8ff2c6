"""Whatever a client sends, the network providers answer with ARM's words and leave nothing half done."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sim.net import (
    DNS,
    ENDPOINT,
    GROUP,
    HERE,
    NET,
    SUBNET,
    VNET,
    ZONES,
    NetWorld,
    endpoint_body,
    group_body,
    link_body,
    vnet_body,
    zone_id,
)

NSG = f"{HERE}/networkSecurityGroups/n1"
RULE: dict[str, Any] = {
    "properties": {
        "protocol": "Tcp",
        "sourcePortRange": "*",
        "destinationPortRange": "443",
        "sourceAddressPrefix": "VirtualNetwork",
        "destinationAddressPrefix": "AzureActiveDirectory",
        "access": "Allow",
        "priority": 150,
        "direction": "Outbound",
    }
}
STATIC = [{"name": "a", "properties": {"groupId": "hybridcompute", "memberName": "m", "privateIPAddress": "10.0.1.4"}}]
ZONE = zone_id(ZONES[0])
WRITES: list[tuple[str, str, dict[str, Any]]] = [
    (VNET, NET, vnet_body(dhcpOptions={"dnsServers": ["10.0.0.4"]})),
    (SUBNET, NET, {"properties": {"addressPrefix": "10.0.1.0/27", "networkSecurityGroup": {"id": NSG}}}),
    (NSG, NET, {"location": "westeurope", "properties": {"securityRules": [{"name": "r", **RULE}]}}),
    (f"{NSG}/securityRules/r", NET, RULE),
    (ENDPOINT, NET, endpoint_body(ipConfigurations=STATIC)),
    (f"{HERE}/privateEndpoints/pe2", NET, endpoint_body(manual=True)),
    (GROUP, NET, group_body(ZONE)),
    (ZONE, DNS, {"location": "global", "tags": {"a": "b"}}),
    (f"{ZONE}/virtualNetworkLinks/l1", DNS, link_body()),
    (f"{ZONE}/A/gbl", DNS, {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.1.4"}], "metadata": {}}}),
]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from([[], {}, [{}], [None], {"id": None}, "10.0.0.0/8", "/subscriptions/x", "*", "::1/64"]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, item in inner for p in places(item, (*path, key)))]


def bent(body: dict[str, Any], path: tuple[Any, ...], junk: Any) -> Any:
    """A copy of a body with something else at one place."""
    if not path:
        return junk
    result = copy.deepcopy(body)
    here: Any = result
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = junk
    return result


@settings(max_examples=120)
@given(st.data())
def test_a_body_bent_anywhere_is_taken_or_refused_but_never_breaks_the_cloud(data: st.DataObject) -> None:
    world = NetWorld()
    world.settled("PUT", ENDPOINT, body=endpoint_body())
    world.link(world.zone(ZONES[0]))
    path, version, body = data.draw(st.sampled_from(WRITES))
    method = data.draw(st.sampled_from(["PUT", "PUT", "PATCH"]))
    sent = bent(body, data.draw(st.sampled_from(places(body))), data.draw(JUNK))
    plain = super(NetWorld, world).call
    before = world.cloud.state.dump()["resources"]
    reply = plain(method, path, version, sent)
    assert 200 <= reply.status < 500, reply
    if reply.status >= 400:
        assert reply.body["error"]["code"]
        assert world.cloud.state.dump()["resources"] == before
    world.wait(600)
    for kind in ("virtualNetworks", "networkSecurityGroups", "privateEndpoints", "networkInterfaces"):
        assert plain("GET", f"{HERE}/{kind}", NET).status == 200
    assert plain("GET", f"{HERE}/privateDnsZones", DNS).status == 200
    assert plain("GET", f"{VNET}/usages", NET).status == 200
