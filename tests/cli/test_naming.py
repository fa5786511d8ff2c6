from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.cli.naming import find, moment, short_ids
from runbook.core.error import UsageError

SUB = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
MACHINE = f"/subscriptions/{SUB}/resourcegroups/rg/providers/microsoft.hybridcompute/machines"
IDS = (
    "scope",
    f"rights[{SUB}]",
    f"rights[{OTHER}]",
    f"providers[microsoft.network/{SUB}]",
    f"associate[{MACHINE}/srv-1]",
    f"associate[{MACHINE}/srv-2]",
    "zones[privatelink.his.arc.azure.com]",
)


def test_ids_are_short_where_that_is_plain() -> None:
    assert list(short_ids(IDS).values()) == [
        "scope",
        "rights[11111111]",
        "rights[22222222]",
        "providers[microsoft.network/11111111]",
        "associate[srv-1]",
        "associate[srv-2]",
        "zones[privatelink.his.arc.azure.com]",
    ]


def test_ids_that_would_be_the_same_stay_whole() -> None:
    twins = (f"associate[{MACHINE}/srv-1]", f"associate[{MACHINE.replace('/rg/', '/rh/')}/srv-1]")
    assert list(short_ids(twins).values()) == list(twins)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("scope", "scope"),
        ("associate[srv-1]", f"associate[{MACHINE}/srv-1]"),
        ("ASSOCIATE[SRV-1]", f"associate[{MACHINE}/srv-1]"),
        ("srv-2", f"associate[{MACHINE}/srv-2]"),
        ("rights[2222", f"rights[{OTHER}]"),
        ("zones", "zones[privatelink.his.arc.azure.com]"),
        (f"rights[{SUB}]", f"rights[{SUB}]"),
        ("nope", "nope"),
        ("", ""),
    ],
)
def test_a_node_is_found_by_as_much_of_its_id_as_is_plain(asked: str, meant: str) -> None:
    assert find(IDS, asked) == meant


@pytest.mark.parametrize("asked", ["rights", "associate", f"{MACHINE}"])
def test_what_fits_several_nodes_is_refused_with_their_names(asked: str) -> None:
    with pytest.raises(UsageError, match="fits 2 nodes") as caught:
        find(IDS, asked)
    assert "11111111" in caught.value.hint or "srv-1" in caught.value.hint


@given(st.lists(st.text(st.sampled_from("ab/[]-1"), max_size=6), unique=True, max_size=6))
def test_every_short_form_leads_back_to_its_node(keys: list[str]) -> None:
    ids = tuple(dict.fromkeys(f"s[{key}]" for key in keys))
    assert all(find(ids, form) == id_ for id_, form in short_ids(ids).items())


def test_a_moment_is_told_to_the_second() -> None:
    assert moment(1_600_000_000_123) == "2020-09-13T12:26:40Z"
