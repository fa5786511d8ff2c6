"""The estate, as runs of the shipped books and of one that nobody has seen before know it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.report.claims import is_zone_name, place
from runbook.report.topology import ON_PREMISES, Edge, Kind, Plotter, Thing, Topology, topology
from tests.maps import first, many, rehearsed, with_state

S = NodeState
SUB = "11111111-1111-4111-8111-111111111111"
SCENARIOS = ("arc-ga", "arc-brownfield", "arc-trouble", "avd-small", "avd-brownfield", "avd-trouble")


def named(map_: Topology, name: str, kind: Kind | None = None) -> Thing:
    found = [t for t in map_.things.values() if t.name == name and kind in (None, t.kind)]
    assert len(found) == 1, (name, found)
    return found[0]


def edges(map_: Topology, kind: str) -> dict[tuple[str, str], Edge]:
    """Edges by the names of their ends."""
    every = [e for some in map_.out.values() for e in some if e.kind == kind]
    return {(map_.things[e.source].name, map_.things[e.target].name): e for e in every}


def names(map_: Topology, kind: Kind) -> set[str]:
    return {t.name for t in map_.of_kind(kind)}


# ---------------------------------------------------------------- the shipped books


def test_an_arc_run_knows_its_endpoint_with_addresses_subnet_scope_and_zones() -> None:
    map_ = topology(rehearsed("arc-ga")[-1])
    endpoint = named(map_, "pe-arc")
    subnet = map_.things[endpoint.parent]
    assert (subnet.name, subnet.fact("prefix")) == ("pe", "10.20.1.0/27")
    assert map_.things[subnet.parent].name == "vnet-hub"
    assert [a.ip for a in endpoint.addresses] == [f"10.20.1.{n}" for n in range(4, 11)]
    assert endpoint.addresses[0].fqdn == "gbl.his.arc.azure.com"
    assert (endpoint.node, endpoint.state) == ("endpoint", S.DONE)
    leads = edges(map_, "leads")["pe-arc", "pls-arc"]
    assert (leads.is_made, leads.label, leads.node) == (True, "hybridcompute", "endpoint")
    assert {t.name for t in map_.of_kind(Kind.MACHINE) if map_.things[t.parent].name == "pls-arc"} == {
        "srv-app-01",
        "srv-app-02",
        "srv-db-01",
        "srv-branch-01",
    }
    zones = {zone for zone, _ in edges(map_, "link")}
    assert len(zones) == 3
    assert all(e.is_made and e.node.startswith("links[") for e in edges(map_, "link").values())
    assert map_.things[ON_PREMISES].node == "forwarding"
    assert named(map_, "cn-expressroute").observed == ("Connected", True)
    assert map_.seen["the premises"] == (7, 7)


def test_an_avd_run_knows_which_endpoint_leads_where_and_the_hosts_of_each_pool() -> None:
    map_ = topology(rehearsed("avd-small")[-1])
    assert {pair for pair, e in edges(map_, "leads").items() if e.is_made} == {
        ("pe-hp-finance-connection", "hp-finance"),
        ("pe-hp-office-connection", "hp-office"),
        ("pe-ws-finance-feed", "ws-finance"),
        ("pe-ws-office-feed", "ws-office"),
        ("pe-ws-discovery-global", "ws-discovery"),
    }
    hosts = {t.name: map_.things[t.parent].name for t in map_.of_kind(Kind.HOST)}
    assert hosts["vm-finance-1.contoso.local"] == "hp-finance"
    assert named(map_, "vm-finance-1.contoso.local").observed == ("deallocated", True)
    written = edges(map_, "writes")
    assert written["pe-hp-office-connection", "privatelink.wvd.microsoft.com"].label == "4"
    assert written["pe-ws-discovery-global", "privatelink-global.wvd.microsoft.com"].is_made


def test_what_is_not_known_yet_is_not_there() -> None:
    views = rehearsed("arc-ga")
    early = topology(views[0])
    assert not early.of_kind(Kind.MACHINE, Kind.ZONE)
    view = first(views, "endpoint", S.READY)
    map_ = topology(view)
    endpoint = named(map_, "pe-arc")
    assert (endpoint.addresses, endpoint.state, endpoint.fact("members")) == ((), S.READY, 7)
    assert not edges(map_, "leads")["pe-arc", "pls-arc"].is_made


def test_a_zone_that_is_not_linked_says_so_by_the_node_that_links_it() -> None:
    views = rehearsed("arc-ga")
    link = "links[privatelink.his.arc.azure.com]"
    view = with_state(first(views, link, S.SETTLING), S.FAILED, link)
    found = edges(topology(view), "link")["privatelink.his.arc.azure.com", "vnet-hub"]
    assert (found.is_made, found.node, found.state) == (False, link, S.FAILED)


def test_an_endpoint_that_was_found_takes_the_place_of_the_one_that_was_meant() -> None:
    views = rehearsed("avd-brownfield")
    assert "pe-hp-office-connection" in names(topology(first(views, "estate", S.DONE)), Kind.ENDPOINT)
    last = topology(views[-1])
    assert "pe-hp-office-connection" not in names(last, Kind.ENDPOINT)
    assert edges(last, "leads")["hp-office-by-hand", "hp-office"].is_made


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_view_of_a_rehearsal_has_a_whole_map(scenario: str) -> None:
    plotter = Plotter()
    views = rehearsed(scenario)
    for view in views[:: max(1, len(views) // 25)]:
        map_ = plotter.of(view)
        assert map_ == topology(view)
        for thing in map_.things.values():
            assert not thing.parent or thing.parent in map_.things
            assert set(thing.about) <= set(view.nodes)
            assert (thing.state is None) == (not thing.node)
            assert thing.state is None or view.nodes[thing.node].state is thing.state
        for edge in (e for some in map_.out.values() for e in some):
            assert edge.source in map_.things
            assert edge.target in map_.things
            assert edge in map_.into[edge.target]


def test_an_estate_of_hundreds_is_whole() -> None:
    map_ = topology(many())
    assert len(map_.of_kind(Kind.POOL)) == 202
    assert len(map_.of_kind(Kind.WORKSPACE)) == 63
    assert len({a.ip for t in map_.of_kind(Kind.ENDPOINT) for a in t.addresses}) == 4 * 201 + 2 * 61 + 1


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_large_estate_of_three_subscriptions_is_whole_all_the_way() -> None:
    plotter = Plotter()
    for view in rehearsed("avd-estate", every=1000):
        map_ = plotter.of(view)
    assert names(map_, Kind.NETWORK) == {"vnet-desktops (West)", "vnet-desktops (Branches)", "vnet-desktops (Partners)"}
    assert (len(map_.of_kind(Kind.POOL)), len(map_.of_kind(Kind.HOST))) == (201, 2000)
    assert all(t.addresses and map_.things[t.parent].kind is Kind.SUBNET for t in map_.of_kind(Kind.ENDPOINT))
    assert len(edges(map_, "link")) == 6
    assert all(e.is_made for kind in ("link", "leads", "writes") for e in edges(map_, kind).values())
    assert map_ == topology(view)


# ---------------------------------------------------------------- only what changed


def test_a_change_of_state_makes_only_its_own_things_anew() -> None:
    plotter, view = Plotter(), many()
    before = plotter.of(view)
    after = plotter.of(with_state(view, S.FAILED, "hosts[rg-avd/hp-007]"))
    changed = [k for k in after.things if after.things[k] is not before.things[k]]
    assert {after.things[k].name for k in changed} == {
        "hp-007",
        *(f"vm-007-{n}.contoso.local" for n in range(3)),
    }
    assert after == topology(with_state(view, S.FAILED, "hosts[rg-avd/hp-007]"))
    assert plotter.of(view) == before


def test_new_outputs_leave_everything_else_the_very_same() -> None:
    views = rehearsed("avd-small")
    plotter = Plotter()
    before = plotter.of(first(views, "connection_endpoint[rg-avd/hp-finance]", S.SETTLING))
    after = plotter.of(first(views, "connection_endpoint[rg-avd/hp-finance]", S.DONE))
    one = named(after, "pe-hp-finance-connection")
    assert one.addresses
    assert not before.things[one.key].addresses
    assert named(after, "ws-office") is before.things[named(after, "ws-office").key]


def test_a_view_without_news_gives_the_same_map() -> None:
    plotter, view = Plotter(), rehearsed("arc-ga")[-1]
    map_ = plotter.of(view)
    assert plotter.of(replace(view, head=view.head + 1)) is map_
    assert plotter.of(replace(view, nodes=dict(view.nodes))) is map_


# ---------------------------------------------------------------- a third book


NET = f"/subscriptions/{SUB}/resourceGroups/rg-net/providers/Microsoft.Network"
VAULT = f"/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-app"


def third(*nodes: NodeView, steps: list[dict[str, Any]] | None = None) -> RunView:
    """A run of a book whose steps have names that nobody knows."""
    return RunView(
        id="third",
        book={"id": "vaults", "steps": steps or [{"id": n.doc["step"], "with": {}} for n in nodes]},
        inputs={"where": f"{NET}/virtualNetworks/vnet-a/subnets/snet-x"},
        pinned={"subscriptions": {SUB: "Contoso"}},
        nodes={n.id: n for n in nodes},
    )


def thing_node(step: str, target: str = "", state: NodeState = S.DONE, **more: Any) -> NodeView:
    return NodeView(
        {
            "id": step,
            "step": step,
            "key": None,
            "title": step,
            "phase": "",
            "target": target,
            "gate": "",
            "needs": [],
            "item": None,
        },
        state=state,
        **more,
    )


def test_a_book_that_nobody_has_seen_before_draws_as_well() -> None:
    given = {
        "subscription": SUB,
        "resource_group": "rg-app",
        "name": "pe-kv",
        "subnet": "${inputs.where}",
        "target": VAULT,
        "group": "vault",
    }
    link = {
        "title": "Link",
        "path": f"{NET}/privateDnsZones/privatelink.vaultcore.azure.net/virtualNetworkLinks/l1",
        "body": {"properties": {"virtualNetwork": {"id": f"{NET}/virtualNetworks/vnet-a"}}},
    }
    view = third(
        thing_node("knock", state=S.PENDING),
        thing_node("ring", "privatelink.vaultcore.azure.net", S.READY, changes=(link,)),
        steps=[{"id": "knock", "with": given}, {"id": "ring", "with": {}}],
    )
    map_ = topology(view)
    assert named(map_, "pe-kv").state is S.PENDING
    assert map_.things[named(map_, "pe-kv").parent].name == "snet-x"
    assert edges(map_, "leads")["pe-kv", "kv-app"].label == "vault"
    found = edges(map_, "link")["privatelink.vaultcore.azure.net", "vnet-a"]
    assert (found.is_made, found.state) == (False, S.READY)


def test_two_networks_of_one_name_are_told_apart_by_their_subscriptions() -> None:
    other = SUB.replace("1", "2")
    ids = [f"{NET}/virtualNetworks/vnet-a", f"{NET}/virtualNetworks/vnet-a".replace(SUB, other)]
    view = third(thing_node("one", ids[0]), thing_node("two", ids[1]))
    view = replace(view, pinned={"subscriptions": {SUB: "Contoso Apps West", other: "Contoso Apps East"}})
    assert names(topology(view), Kind.NETWORK) == {"vnet-a (West)", "vnet-a (East)"}


def test_a_skipped_node_says_nothing_and_an_empty_run_has_an_empty_map() -> None:
    left_out = thing_node("one", f"{NET}/virtualNetworks/vnet-a", S.SKIPPED, skipped={"by": "when", "reason": "no"})
    assert topology(third(left_out)).things == {}
    assert topology(RunView()).things == {}


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        {"id": 7},
        {"id": None, "subnet": ["x"]},
        [[]],
        {"zone": 3},
        {"records": [{"fqdn": 1}]},
        {"links": [None]},
    ],
)
def test_garbage_in_outputs_is_no_thing(value: Any) -> None:
    node = thing_node("one", outputs={"id": value, "value": value, **(value if isinstance(value, dict) else {})})
    assert topology(third(node)).things == {}


def test_ids_are_read_by_their_types_alone() -> None:
    known = place(f"{NET}/privateEndpoints/pe/privateDnsZoneGroups/default")
    assert known is not None
    assert (known.kind, known.parent) == (Kind.GROUP, f"{NET}/privateEndpoints/pe".lower())
    below = place(f"{NET}/virtualNetworks/v/providers/Microsoft.Authorization/locks/l")
    assert below is not None
    assert (below.kind, below.is_exact) == (Kind.NETWORK, False)
    for text in ("", "/", "hub", "/subscriptions/x", f"{NET}/virtualNetworks", f"{NET}//x"):
        assert place(text) is None
    assert is_zone_name("privatelink-global.wvd.microsoft.com")
    assert not is_zone_name("wvd.microsoft.com")
