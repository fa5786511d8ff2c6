"""Names are held against Azure's published rules before a run exists, wherever inputs are checked."""

from __future__ import annotations

import pytest

from runbook.book import check_inputs, load_book
from runbook.book.names import GROUP, why_not
from runbook.core.error import BookError
from tests.book.conftest import tiny

ENDPOINT = "Microsoft.Network/privateEndpoints"


@pytest.mark.parametrize("name", ["rg-arc", "rg_(1).a", "Gruppe-Süd", "x", "a" * 90])
def test_a_resource_group_may_be_called(name: str) -> None:
    assert why_not(GROUP, name) == ""


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        (GROUP, "rg arc/mine", "a blank cannot stand in it; allowed: letters, digits"),
        (GROUP, "rg/mine", "'/' cannot stand in it"),
        (GROUP, "rg.", "it cannot end with a period"),
        (GROUP, "a" * 91, "it has 91 characters; from 1 to 90"),
        (ENDPOINT, "pé", "'é' cannot stand in it"),
        (ENDPOINT, "p", "from 2 to 64"),
        (ENDPOINT, "-pe", "it begins with a letter or a digit"),
        (ENDPOINT, "pe-", "it ends with a letter, a digit or _"),
        ("Microsoft.HybridCompute/privateLinkScopes", "pls#1", "'#' cannot stand in it"),
        ("Microsoft.HybridCompute/privateLinkScopes", "pls.", "it cannot end with"),
    ],
)
def test_a_name_that_azure_would_refuse_is_refused_with_the_reason(kind: str, name: str, reason: str) -> None:
    assert reason in why_not(kind, name)


def test_an_input_that_is_a_name_says_of_what_and_why_not() -> None:
    book = tiny({"id": "a"}, inputs={"group": {"type": "string", "of": GROUP, "example": "rg-arc"}})
    assert check_inputs(book, {"group": "rg-arc"}) == {"group": "rg-arc"}
    with pytest.raises(BookError, match=r"expected the name of a resource group, found .*a blank cannot stand in it"):
        check_inputs(book, {"group": "rg arc/mine"})


def test_the_group_in_a_resource_id_is_a_name_too() -> None:
    book = tiny({"id": "a"}, inputs={"net": {"type": "resource_id"}})
    path = "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg a/providers/Microsoft.Network/x/y"
    with pytest.raises(BookError, match="resource group rg a: a blank cannot stand in it"):
        check_inputs(book, {"net": path})


@pytest.mark.parametrize("book", ["arc-private-link", "avd-private-link"])
def test_every_name_that_a_book_asks_for_says_what_it_is_the_name_of(book: str) -> None:
    asked = load_book(book).inputs.values()
    assert [i.name for i in asked if i.name.endswith(("_group", "scope_name", "endpoint_name")) and not i.of] == []
