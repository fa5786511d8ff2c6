"""A twin of an estate: planned on, it says what the estate itself says."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.core.arm import Json
from runbook.engine.survey import Finding
from runbook.sim.providers.namespaces import ARC_FLAG
from runbook.sim.scenario_files import list_scenarios, load_scenario
from runbook.wiring import Wish, look_ahead
from runbook.wiring.live import read_twin
from runbook.wiring.twin import fitting, with_other_ids
from tests.cli.conftest import Shell, _run
from tests.live.cloud import Azure, azure
from tests.live.test_signin import TENANT, az, there

__all__ = ["az", "there"]

SCENARIOS = [name for name in list_scenarios() if name != "avd-estate"]  # that one is thousands of the same


@pytest.fixture
def shell() -> Shell:
    return _run


def book_of(scenario: str) -> str:
    return "avd-private-link" if scenario.startswith("avd") else "arc-private-link"


def captured(there: Azure) -> tuple[Json, list[str]]:
    return asyncio.run(read_twin(there.signed_in(), (), "twin", there.scenario.inputs))


def planned(book: str, scenario: str, edition: str) -> dict[str, Finding]:
    found = asyncio.run(look_ahead(Wish(book, scenario=scenario, edition=edition)).survey())
    return {f.node.id: f for f in found}


def said(found: Finding) -> Any:
    node = found.node
    blocked = node.blocked["rule"] if node.blocked else ""
    who = node.waiting["who"] if node.waiting else ""
    return (found.verdict, found.after, [c["digest"] for c in node.changes], blocked, who)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_plan_on_the_twin_says_what_the_plan_on_the_original_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load_scenario(name)
    with azure(name, monkeypatch, speed=1.0) as served:
        doc, remarks = captured(served)
        assert served.writes == []
    assert remarks == []
    assert (doc["era"], doc["cloud"]) == (scenario.era, scenario.cloud)
    # The simulated on-premises DNS is no part of ARM, so it is told here as it would be by its owner.
    file = tmp_path / "twin.yaml"
    file.write_text(yaml.safe_dump({**doc, "dns": scenario.dns}, sort_keys=False), encoding="utf-8")
    original = planned(book_of(name), name, scenario.edition)
    twin = planned(book_of(name), str(file), scenario.edition)
    assert {k: said(f) for k, f in twin.items()} == {k: said(f) for k, f in original.items()}


def test_a_twin_with_other_ids_tells_nothing_of_the_tenant_and_plans_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load_scenario("arc-brownfield")
    with azure("arc-brownfield", monkeypatch, speed=1.0) as served:
        doc, _ = captured(served)
    changed = with_other_ids(doc)
    text = json.dumps(changed)
    ids = set(re.findall(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", json.dumps(doc).lower()))
    assert len(ids) > 3
    for secret in (*ids, scenario.operator.name, scenario.tenant.domain):
        assert secret not in text
    assert changed["tenant"]["name"] == "Tenant"
    file = tmp_path / "twin.yaml"
    file.write_text(text, encoding="utf-8")
    twin = planned("arc-private-link", str(file), scenario.edition)
    original = planned("arc-private-link", "arc-brownfield", scenario.edition)
    assert [f.verdict for f in twin.values()] == [f.verdict for f in original.values()]


def test_rights_and_locks_of_the_account_are_part_of_the_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    from runbook.sim.scenario import Grant

    scenario = load_scenario("arc-ga")
    home = f"/subscriptions/{scenario.subscriptions[0].id}/resourceGroups/rg-servers"
    held = [Grant(actions=["*/read"]), Grant(scope=home, actions=["Microsoft.HybridCompute/*"])]
    who = scenario.operator.model_copy(update={"permissions": held})
    lock = {"id": f"{home}/providers/Microsoft.Authorization/locks/keep", "properties": {"level": "ReadOnly"}}
    changed = scenario.model_copy(update={"operator": who, "resources": [*scenario.resources, lock]})
    with azure(changed, monkeypatch, speed=1.0) as served:
        doc, _ = captured(served)
    grants = {(g["scope"].lower(), *g["actions"]) for g in doc["operator"]["permissions"]}
    assert (home.lower(), "Microsoft.HybridCompute/*") in grants
    assert sum("*/read" in g for g in grants) == len(scenario.subscriptions)
    assert any(str(body["id"]).endswith("/locks/keep") for body in doc["resources"])


def test_what_the_simulated_azure_refuses_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("arc-ga", monkeypatch, speed=1.0) as served:
        doc, _ = captured(served)
    net = next(body["id"] for body in doc["resources"] if "/virtualNetworks/" in body["id"])
    odd = {"id": f"{net}-odd", "location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["x"]}}}
    fit, remarks = fitting({**doc, "resources": [*doc["resources"], odd]})
    assert fit["resources"] == doc["resources"]
    assert len(remarks) == 1
    assert "-odd" in remarks[0]


def test_braces_in_an_estate_are_no_words_of_a_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load_scenario("arc-ga")
    name = f"/subscriptions/{scenario.subscriptions[0].id}/resourceGroups/rg-odd"
    group = {"id": name, "location": "westeurope", "tags": {"note": "a }} b"}}
    changed = scenario.model_copy(update={"resources": [*scenario.resources, group]})
    with azure(changed, monkeypatch, speed=1.0) as served:
        doc, remarks = captured(served)
    assert remarks == []
    assert ARC_FLAG not in json.dumps(doc["features"])


def test_the_command_writes_a_new_file_for_its_owner_alone(
    shell: Shell, there: Azure, az: Path, tmp_path: Path
) -> None:
    out = tmp_path / "twin.yaml"
    (tmp_path / "inputs.json").write_text(json.dumps(there.scenario.inputs))
    args = ("capture", "--out", str(out), "--inputs", str(tmp_path / "inputs.json"), "--replace-ids")
    ended = shell(*args)
    assert ended.code == 0, ended.err
    assert "Nothing was changed." in ended.err
    assert TENANT not in out.read_text("utf-8")
    assert out.stat().st_mode & 0o077 == 0
    assert shell("plan", "arc-private-link", "--scenario", str(out), "--edition", "ga").code == 10
    assert shell(*args).code == 2
    assert shell("capture", "--out", str(tmp_path / "twin.txt")).code == 2
    assert shell("capture", "--out", str(tmp_path / "twin.json"), *args[3:]).code == 0
    assert shell("plan", "arc-private-link", "--scenario", str(tmp_path / "twin.json"), "--edition", "ga").code == 10
    assert shell("capture", "--out", str(tmp_path / "x.yaml"), "--subscription", "nobody").code == 5
    assert there.writes == []
