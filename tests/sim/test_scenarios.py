from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.error import BookError, UsageError
from runbook.sim.scenario import from_doc, parse_span
from runbook.sim.scenario_files import list_scenarios, load_scenario, parse_scenario
from tests.sim.world import RG, World, scenario

MINIMAL = """\
id: x
title: X
era: ga
start: 2021-03-22T08:00:00Z
tenant: {id: t}
operator: {name: d, object_id: o}
subscriptions: [{id: s, name: S}]
"""


@pytest.mark.parametrize("name", list_scenarios())
def test_every_shipped_scenario_can_be_started_and_its_inputs_point_at_what_is_there(name: str) -> None:
    world = World(load_scenario(name))
    inputs = world.scenario.inputs
    there = ["vnet", "subnet", *(key for key in ("nsg",) if key in inputs)]
    for wanted in (*(inputs[key] for key in there), *inputs.get("resolving_networks", [])):
        assert world.cloud.find(wanted) is not None, wanted
    assert world.cloud.now_ms == world.scenario.start_ms
    known = {s.id for s in world.scenario.subscriptions}
    named = inputs["subscriptions"] if "subscriptions" in inputs else [inputs["subscription"]]
    assert {*named, *inputs.get("additional_subscriptions", [])} <= known


def test_the_four_shipped_scenarios_are_there() -> None:
    assert {"arc-preview", "arc-ga", "arc-brownfield", "arc-trouble"} <= set(list_scenarios())


def test_a_scenario_comes_back_whole_from_its_document() -> None:
    for name in list_scenarios():
        made = load_scenario(name)
        assert from_doc(made.doc) == made


def test_an_unknown_scenario_is_told_which_there_are() -> None:
    with pytest.raises(UsageError, match="arc-preview"):
        load_scenario("nope")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (MINIMAL + "extra: 1\n", (8, 8), "extra"),
        (MINIMAL + "faults:\n  - {id: a, method: PUT, nth: 0}\n", (9, 31), "nth"),
        (MINIMAL + "durations: {zone: soon}\n", (8, 19), "duration"),
        (MINIMAL + "a: [\n", (9, 1), "not YAML"),
        (MINIMAL + "resources: [&a {id: b}, *a]\n", (8, 25), "aliases"),
        (MINIMAL.replace("id: x", "id: '{{y}}'"), (1, 1), "{{y}}"),
        ("- 1\n", (1, 1), "mapping"),
        ("", (1, 1), "empty"),
    ],
)
def test_a_fault_in_a_file_is_named_with_its_place(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(BookError, match=r"x\.yaml") as caught:
        parse_scenario(text, "x.yaml")
    assert (caught.value.line, caught.value.column) == place
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": "soon"}, "soon"),
        ({"durations": {"lunch": 60}}, "lunch"),
        ({"faults": [{"id": "a", "method": "PUT"}]}, "exactly one act"),
        ({"faults": [{"id": "a", "method": "PUT", "not_sent": True, "slow": 5}]}, "exactly one act"),
        ({"faults": [{"id": "a", "method": "PUT", "not_sent": True}] * 2}, "one id"),
        ({"faults": [{"id": "a", "not_sent": True}]}, "names the method"),
        ({"faults": [{"id": "a", "method": "PUT", "script_error": "no"}]}, "no method"),
        ({"parties": [{"id": "a", "who": "b", "do": "approve"}]}, "either `at` or `on`"),
        ({"parties": [{"id": "a", "who": "b", "at": 5, "do": "approve"}]}, "feature_pending"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BookError, match=words):
        scenario(**changes)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "here"},
        {"id": "/subscriptions"},
        {"id": f"{RG}/providers/Microsoft.HybridCompute/machines/m"},
        {"id": f"{RG}/providers/Microsoft.HybridCompute/machines/m", "location": "westeurope", "properties": 5},
        {"id": f"{RG}/providers/Microsoft.HybridCompute/privateLinkScopes/s", "location": "mars"},
        {"id": f"{RG}/providers/Microsoft.Network/virtualNetworks/v", "location": "westeurope", "properties": []},
        {"id": f"{RG}/providers/Microsoft.KeyVault/vaults/v", "properties": []},
    ],
)
def test_a_resource_that_could_not_be_is_refused_by_its_id(body: dict[str, Any]) -> None:
    with pytest.raises(BookError, match="small"):
        World(scenario(resources=[{"id": RG, "location": "westeurope"}, body]))


def test_words_of_let_stand_for_texts_and_may_build_on_one_another() -> None:
    made = parse_scenario(MINIMAL + "let: {a: one, b: '{{a}}-two'}\ninputs: {x: '{{b}}/{{a}}'}\n", "x.yaml")
    assert made.inputs == {"x": "one-two/one"}


def test_on_is_a_word_and_a_date_a_text() -> None:
    party = "parties: [{id: a, who: b, on: write, do: {do: put, path: /x}}]\n"
    made = parse_scenario(MINIMAL + party, "x.yaml")
    assert (made.parties[0].on, made.start) == ("write", "2021-03-22T08:00:00Z")


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("2d", 172_800)])
def test_durations_are_read_in_their_units(text: str, seconds: float) -> None:
    assert parse_span(text) == seconds


def faulted(make: Callable[[], object]) -> BookError | None:
    """The error a scenario is refused with; None when it is taken."""
    try:
        make()
    except BookError as error:
        return error
    return None


@given(st.text(max_size=200))
def test_garbage_for_a_file_is_a_book_error_or_a_scenario(text: str) -> None:
    error = faulted(lambda: parse_scenario(text, "x.yaml"))
    assert error is None or error.line >= 1


@given(
    st.dictionaries(
        st.sampled_from(["let", "parties", "faults", "resources", "subscriptions", "start", "throttle", "activity"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
        ),
        max_size=3,
    )
)
def test_garbage_for_a_document_is_a_book_error_or_a_scenario(changes: dict[str, Any]) -> None:
    error = faulted(lambda: scenario(**changes))
    assert error is None or error.message


def test_the_small_desktop_estate_is_public_in_use_and_has_one_machine_switched_off() -> None:
    world = World(load_scenario("avd-small"), version="2024-04-03")
    home = f"/subscriptions/{world.scenario.subscriptions[0].id}/providers/Microsoft.DesktopVirtualization"
    pools = world.get(home + "/hostPools")["value"]
    hosts = [h["properties"] for p in pools for h in world.get(p["id"] + "/sessionHosts")["value"]]
    assert sorted(h["status"] for h in hosts) == ["Available"] * 4 + ["Shutdown"]
    assert sum(h["sessions"] for h in hosts) == 6
    assert all(world.cloud.find(h["resourceId"]) for h in hosts)
    assert len(world.get(home + "/workspaces")["value"]) == len(world.get(home + "/applicationGroups")["value"]) == 2
    closed = [p for p in pools if p["properties"].get("publicNetworkAccess", "Enabled") != "Enabled"]
    assert (len(pools), closed) == (2, [])
    assert world.cloud.find(world.scenario.inputs["placeholder"]) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "not JSON"), ("[]", "a scenario is a mapping"), ('{"id": "x"}', "scenario: title: Field required")],
)
def test_a_scenario_that_a_program_wrote_is_checked_as_any_other(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "twin.json"
    file.write_text(text)
    with pytest.raises(BookError, match=words):
        load_scenario(str(file))
