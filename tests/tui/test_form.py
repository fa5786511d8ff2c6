"""The form of a book's inputs, without a screen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from runbook.book import InputSpec, list_books, load_book
from runbook.sim.scenario_files import load_scenario
from runbook.tui.present.fields import field_of, read, write
from runbook.tui.present.form import (
    Form,
    called,
    default_text,
    help_rows,
    hint,
    label_row,
    matching,
    nearest_first,
    remark_row,
    tally,
)
from runbook.tui.present.text import as_text

BOOKS = [book.id for book in list_books()]
SUB = "11111111-1111-4111-8111-111111111111"
NET = f"/subscriptions/{SUB}/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-hub"

ARC = load_book("arc-private-link")
TEXTS = InputSpec("a", "list", items=InputSpec("", "string"))
FIXED = InputSpec("a", "map", items=InputSpec("", "list", items=InputSpec("", "ip")))


def filled(scenario: str = "arc-preview") -> Form:
    return Form(ARC).filled(load_scenario(scenario).inputs, f"scenario {scenario}")


@pytest.mark.parametrize("book", BOOKS)
def test_every_input_of_every_book_has_a_field_that_says_what_it_wants(book: str) -> None:
    form = Form(load_book(book))
    for name, spec in form.book.inputs.items():
        asked = field_of(spec)
        text = as_text(help_rows(form, name, asked))
        assert asked.prompt in text
        assert ("Required: " in text) == (not spec.is_optional)
        assert "For example: " in text
        row = as_text([label_row(asked, form.state(name), "", 76)])
        assert row.startswith("* ") == (not spec.is_optional)
        assert row.endswith("○ required" if not spec.is_optional else "· default")


def test_lists_are_offered_for_whatever_type_an_input_names() -> None:
    offered = {n: (f.of, f.is_many) for n, f in ((n, field_of(s)) for n, s in ARC.inputs.items()) if f.of}
    assert offered["subscription"] == ("subscription", False)
    assert offered["additional_subscriptions"] == ("subscription", True)
    assert offered["location"] == ("location", False)
    assert offered["subnet"] == ("Microsoft.Network/virtualNetworks/subnets", False)
    assert offered["machines"] == ("Microsoft.HybridCompute/machines", True)
    assert "scope_name" not in offered
    assert field_of(ARC.inputs["dns"]).values == ("azure", "own")
    assert field_of(ARC.inputs["new_servers"]).values == ("true", "false")


@pytest.mark.parametrize("scenario", ["arc-preview", "arc-ga", "arc-brownfield", "arc-trouble"])
def test_what_a_scenario_fills_in_is_right_and_reads_back_as_it_was(scenario: str) -> None:
    inputs = load_scenario(scenario).inputs
    form = Form(ARC).filled(inputs, "it")
    assert form.is_right
    assert {n: form.judged.values[n] for n in inputs} == {n: v for n, v in inputs.items()}
    assert form.touched == {}


def test_a_form_without_anything_names_what_is_required() -> None:
    form = Form(ARC)
    assert not form.is_right
    assert form.first_open() == "subscription"
    assert as_text([tally(form)]).startswith("○ 5 required are empty")
    assert form.state("dns") == "default"


def test_what_is_wrong_is_told_while_typing_and_briefly() -> None:
    form = Form(ARC).typed("subscription", "x").typed("dns", "azur")
    assert form.state("subscription") == "wrong"
    assert form.reason("subscription") == "expected a subscription id, found the text 'x'"
    assert "did you mean `azure`?" in form.reason("dns")
    assert "expected one of azure, own" in as_text([remark_row(form, "dns", {}, 76)])
    assert as_text([tally(form)]).startswith("○ 4 required are empty, ✗ 2 are wrong")
    assert form.typed("subscription", SUB).state("subscription") == "given"


def test_a_text_that_is_emptied_falls_back_to_the_default() -> None:
    form = filled().typed("dns", "own").typed("dns", " ")
    assert form.state("dns") == "default"
    assert form.judged.values["dns"] == "azure"


def test_brackets_that_do_not_close_are_told_where_they_are() -> None:
    form = Form(load_book("avd-private-link")).typed("static_addresses", "hp: [10.0.0.4").typed("host_pools", "[")
    assert form.reason("static_addresses").startswith("cannot be read at character")
    assert form.state("host_pools") == "wrong"


def test_defaults_are_shown_as_they_would_come_out() -> None:
    form = Form(ARC)
    assert default_text(form, "dns") == "azure"
    assert default_text(form, "machines") == "none named"
    assert default_text(form, "new_servers") == "false"
    assert default_text(form, "zones_resource_group") == "as under “Which resource group is to hold the scope?”"
    form = form.typed("resource_group", "rg-x").typed("vnet", NET)
    assert default_text(form, "zones_resource_group") == "rg-x"
    assert default_text(form, "resolving_networks") == "vnet-hub in rg-network"
    assert hint(form, "resolving_networks", field_of(ARC.inputs["resolving_networks"])).startswith("default: vnet-hub")


def test_another_place_takes_back_what_the_former_filled_in_and_nobody_touched() -> None:
    form = filled().typed("location", "northeurope")
    assert form.touched == {"location": "northeurope"}
    left = form.without("scenario arc-preview")
    assert {n: t for n, t in left.texts.items() if t} == {"location": "northeurope"}


def test_ids_are_told_by_name_below_their_field() -> None:
    form = filled()
    assert as_text([remark_row(form, "vnet", {}, 76)]).strip() == "vnet-hub in rg-network"
    assert as_text([remark_row(form, "subscription", {}, 76)]) == ""
    assert as_text([remark_row(form, "subscription", {SUB: "Contoso"}, 76)]).strip() == "Contoso"
    assert called(f"{NET}/subnets/pe", {}) == "vnet-hub/pe in rg-network"


def test_chosen_subscriptions_are_those_that_are_right() -> None:
    form = Form(ARC).typed("subscription", SUB.upper()).typed("additional_subscriptions", "rubbish")
    assert form.subscriptions == [SUB.upper().lower()]
    assert filled().subscriptions == [SUB, "22222222-2222-4222-8222-222222222222"]


def test_subnets_of_the_chosen_network_come_first_and_none_is_left_out() -> None:
    other = f"{NET}-2/subnets/a"
    values = [other, f"{NET}/subnets/b", f"{NET.upper()}/subnets/c"]
    assert nearest_first(values, filled(), "subnet") == [1, 2, 0]
    assert nearest_first(values, Form(ARC), "subnet") == [0, 1, 2]


def test_search_wants_every_word_and_knows_no_case() -> None:
    labels = ["vnet-hub/pe 10.1.0.0/27", "vnet-hub/Gateway", "vnet-spoke/pe"]
    assert matching(labels, "HUB pe") == [0]
    assert matching(labels, "") == [0, 1, 2]


@pytest.mark.parametrize("width", [40, 76, 120])
def test_wide_and_hostile_names_keep_to_their_line(width: int) -> None:
    spec = InputSpec("a", "string", prompt="開發環境的訂閱要放在哪裡" * 9 + "\x1b[31m")
    row = label_row(field_of(spec), "given", "run \x07" + "名" * 60, width)
    assert cell_len(as_text([row])) <= width
    assert "\x1b" not in as_text([row])


plain_texts = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@given(st.lists(plain_texts, max_size=4))
def test_a_list_reads_back_as_it_was_written(value: list[str]) -> None:
    assert (read(TEXTS, write(TEXTS, value)) or []) == value


@given(st.dictionaries(plain_texts, st.lists(plain_texts, max_size=3), max_size=3))
def test_a_mapping_reads_back_as_it_was_written(value: dict[str, Any]) -> None:
    value.pop("<<", None)  # no YAML name
    assert (read(FIXED, write(FIXED, value)) or {}) == value
