from __future__ import annotations

from typing import Any

import pytest

from runbook.arm import paging
from runbook.arm.paging import Pages
from runbook.core.error import AnswerMissing


def test_pages_are_joined_until_the_link_is_absent_or_empty() -> None:
    for last in ({}, {"nextLink": ""}, {"nextLink": None}):
        pages = Pages("GET /x")
        assert pages.add({"value": [{"n": 1}], "nextLink": "https://h/2"}) == "https://h/2"
        assert pages.add({"value": [{"n": 2}], **last}) is None
        assert pages.items == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("body", [None, [], "x", {}, {"value": None}, {"value": {}}, {"value": [1]}, {"value": [None]}])
def test_what_is_no_page_is_an_error_and_not_an_empty_list(body: Any) -> None:
    with pytest.raises(AnswerMissing, match="not a list of objects"):
        Pages("GET /x").add(body)


def test_a_link_that_is_no_text_is_an_error() -> None:
    with pytest.raises(AnswerMissing, match="not a text"):
        Pages("GET /x").add({"value": [], "nextLink": 2})


def test_a_list_that_goes_in_circles_is_an_error() -> None:
    pages = Pages("GET /x")
    pages.add({"value": [], "nextLink": "a"})
    pages.add({"value": [], "nextLink": "b"})
    with pytest.raises(AnswerMissing, match="circles"):
        pages.add({"value": [], "nextLink": "a"})


def test_a_list_without_end_is_an_error() -> None:
    pages = Pages("GET /x")
    for n in range(paging.MAX_PAGES - 1):
        assert pages.add({"value": [], "nextLink": f"p{n}"})
    with pytest.raises(AnswerMissing, match="more than"):
        pages.add({"value": [], "nextLink": "one more"})


def test_too_many_items_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_ITEMS", 2)
    with pytest.raises(AnswerMissing, match="2 items"):
        Pages("GET /x").add({"value": [{}, {}, {}], "nextLink": "more"})
