from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.ids import RUN_ID, ResourceId, digest, node_id, resource_id, step_of, subscription_of

name = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1)
VNET = "/subscriptions/S1/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/v1"


@st.composite
def resource_ids(draw: st.DrawFn) -> ResourceId:
    count = draw(st.integers(1, 4))
    names = tuple(draw(st.lists(name, min_size=count, max_size=count)))
    types = tuple(draw(st.lists(name, min_size=count, max_size=count)))
    return ResourceId(draw(name), draw(name), draw(name), types, names)


@given(resource_ids())
def test_a_resource_id_survives_being_written_and_read(rid: ResourceId) -> None:
    assert ResourceId.parse(str(rid)) == rid


@given(resource_ids(), name, name)
def test_the_parent_of_a_child_is_the_resource_itself(rid: ResourceId, kind: str, child: str) -> None:
    below = rid.child(kind, child)
    assert below.parent == rid
    assert below.name == child
    assert below.type == f"{rid.type}/{kind}"


@given(st.text())
def test_any_text_is_a_resource_id_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        rid = ResourceId.parse(text)
        assert ResourceId.parse(str(rid)) == rid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "v1",
        "/subscriptions/S1",
        "/subscriptions/S1/resourceGroups/rg",
        "/subscriptions/S1/resourceGroups/rg/providers/Microsoft.Network",
        "/subscriptions/S1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks",
        "/subscriptions//resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v1",
        "/subscriptions/S1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v1/subnets",
        "/subscriptions/S1/groups/rg/providers/Microsoft.Network/virtualNetworks/v1",
        "/tenants/S1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v1",
        "https://management.azure.com" + VNET,
    ],
)
def test_what_is_not_a_resource_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a resource id"):
        ResourceId.parse(text)


def test_the_parts_of_a_resource_id_are_named() -> None:
    subnet = ResourceId.parse(VNET + "/subnets/s1")
    assert (subnet.subscription, subnet.group, subnet.namespace) == ("S1", "rg-net", "Microsoft.Network")
    assert subnet.type == "Microsoft.Network/virtualNetworks/subnets"
    assert subnet.name == "s1"
    assert str(subnet.parent) == VNET
    assert resource_id("S1", "rg-net", "Microsoft.Network/virtualNetworks/subnets", "v1", "s1") == str(subnet)


def test_ids_that_differ_in_letter_case_alone_have_the_same_key() -> None:
    assert ResourceId.parse(VNET).key == ResourceId.parse(VNET.upper()).key


def test_a_top_level_resource_has_no_parent() -> None:
    with pytest.raises(ValueError, match="no parent"):
        _ = ResourceId.parse(VNET).parent


def test_names_and_types_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        resource_id("S1", "rg", "Microsoft.Network/virtualNetworks/subnets", "v1")


@given(st.text(st.characters(exclude_characters="[")), st.none() | st.text())
def test_the_step_of_a_node_can_be_read_from_its_id(step: str, key: str | None) -> None:
    assert step_of(node_id(step, key)) == step


def test_a_node_id_holds_its_key_in_lower_case() -> None:
    assert node_id("zone") == "zone"
    assert node_id("zone", "Blob") == node_id("zone", "blob") == "zone[blob]"


@pytest.mark.parametrize(
    ("path", "subscription"),
    [
        (VNET, "s1"),
        ("subscriptions/S1", "s1"),
        ("/SUBSCRIPTIONS/S1?api-version=1", "s1"),
        ("/providers/Microsoft.Features", None),
        ("/x/subscriptions/S1", None),
        ("", None),
    ],
)
def test_the_subscription_of_a_path(path: str, subscription: str | None) -> None:
    assert subscription_of(path) == subscription


@pytest.mark.parametrize("text", ["", "-a", "a b", "A", "a/b", "..", "a" * 65, "a\n"])
def test_run_ids_are_safe_names_of_folders(text: str) -> None:
    assert not RUN_ID.fullmatch(text)
    assert RUN_ID.fullmatch("arc-2026.11_20")


def test_digests_are_stable() -> None:
    assert digest("") == "e3b0c44298fc"
    assert len(digest("x", 16)) == 16
