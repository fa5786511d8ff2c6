"""Two runs side by side: what is the same under other names, and what differs, from real rehearsals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.core.command import Command, Skip
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.report.compare import Comparison, Item, compare, compare_doc, compare_lines
from runbook.report.normal import Normal, is_choice, kind_of
from runbook.report.sides import DECIDED, GRAVE, MINOR, SAME, Side
from tests import estate
from tests.crash.harness import Played, reply
from tests.journeys.scenes import MAIN, rehearse, scene

OTHER_MAIN = "77777777-7777-4777-8777-777777777777"


def side(played: Played) -> Side:
    return Side(played.view, played.entries)


def together(left: Played, right: Played) -> Comparison:
    return compare(side(left), side(right))


def of(comparison: Comparison, node: str) -> Item:
    return next(item for item in comparison.items if item.left == node or item.right == node)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return rehearse(tmp_path_factory.mktemp("small"), "arc-ga")


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The same on an estate with other names: another subscription, other servers and another scope."""
    folder = tmp_path_factory.mktemp("renamed")
    path = Path(scene(folder, "arc-ga"))
    text = path.read_text("utf-8")
    for old, new in ((MAIN, OTHER_MAIN), ("srv-", "prod-"), ("vnet-hub", "vnet-core"), ("Contoso", "Fabrikam")):
        text = text.replace(old, new)
    doc = json.loads(text)
    doc["inputs"] |= {"scope_name": "pls-servers", "endpoint_name": "pe-servers"}
    path.write_text(json.dumps(doc), encoding="utf-8")
    return rehearse(folder, str(path))


def leaving_out(*steps: str) -> Any:
    """Skip the nodes of these steps where they would change something."""

    def answer(node: NodeView) -> Command | None:
        if node.doc["step"] in steps and node.state in (NodeState.READY, NodeState.WAITING):
            return Skip(node.id, "not in this rehearsal")
        return reply(node)

    return answer


@pytest.fixture(scope="module")
def skipped(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return rehearse(tmp_path_factory.mktemp("skipped"), "arc-ga", answer=leaving_out("close_public"))


def test_a_run_beside_itself_is_the_same_in_everything(small: Played) -> None:
    comparison = together(small, small)
    assert comparison.is_equal
    assert {item.rank for item in comparison.items} == {SAME}
    assert compare_doc(comparison)["differences"] == []
    assert {item.left for item in comparison.items if item.kind == "node"} == set(small.view.nodes)


def test_other_names_alone_are_no_difference(small: Played, renamed: Played) -> None:
    comparison = together(small, renamed)
    told = {item.left: item.differing for item in comparison.items if item.rank < MINOR}
    assert told == {}
    assert comparison.is_equal
    servers = [i for i in comparison.items if i.left.startswith("associate[")]
    assert servers
    assert all("prod-" in item.right and "srv-" in item.left for item in servers)
    run = comparison.items[0]
    assert {"input scope_name", "input subscription"} <= {f.name for f in run.differing}


def test_a_node_left_out_on_one_side_is_grave_and_comes_first_in_its_phase(small: Played, skipped: Played) -> None:
    comparison = together(small, skipped)
    assert not comparison.is_equal
    item = of(comparison, "close_public")
    assert item.rank == GRAVE
    named = {field.name: (field.left, field.right) for field in item.differing}
    assert named["state"] == (("done",), ("skipped",))
    assert named["why left out"] == ((), ("by the operator: not in this rehearsal",))
    assert named["changes made"][0][0].startswith("PUT Microsoft.HybridCompute/privateLinkScopes")
    ranks = [i.rank for i in comparison.items if i.phase == item.phase]
    assert ranks == sorted(ranks)


def test_what_differs_is_the_same_from_either_side(small: Played, skipped: Played) -> None:
    one, other = together(small, skipped), together(skipped, small)
    left = {(i.left, f.name, f.left, f.right, f.rank) for i in one.items for f in i.differing}
    right = {(i.left, f.name, f.right, f.left, f.rank) for i in other.items for f in i.differing}
    assert left == right


def test_more_nodes_on_one_side_are_told_as_numbers_and_by_name(tmp_path: Path, small: Played) -> None:
    def fewer(doc: dict[str, Any]) -> None:
        doc["resources"] = [r for r in doc["resources"] if "srv-app-02" not in json.dumps(r.get("id", ""))]

    comparison = together(small, rehearse(tmp_path, scene(tmp_path, "arc-ga", fewer)))
    counts = {i.left: i for i in comparison.items if i.kind == "step"}
    if "associate" not in counts:
        pytest.fail(f"the scenario without a server has as many nodes: {list(counts)}")
    fields = {f.name: (f.left, f.right) for f in counts["associate"].fields}
    assert int(fields["nodes"][0][0]) == int(fields["nodes"][1][0]) + 1
    assert fields["without counterpart"] == (("Put srv-app-02 into the scope",), ())


def test_errors_waits_and_decisions_of_a_troubled_run_are_told(tmp_path: Path) -> None:
    calm = rehearse(tmp_path_of(tmp_path, "calm"), "arc-preview")
    troubled = rehearse(tmp_path_of(tmp_path, "troubled"), "arc-trouble")
    comparison = together(calm, troubled)
    names = {field.name for item in comparison.items for field in item.differing}
    assert {"errors met", "checks", "word given", "nodes"} <= names
    doc = compare_doc(comparison)
    assert doc["equal"] is False
    json.dumps(doc)
    assert {d["importance"] for d in doc["differences"]} >= {"decided"}
    text = "\n".join(compare_lines(comparison))
    assert "left   crash: rehearsal" in text
    assert "subnet-too-small" in text


def tmp_path_of(base: Path, name: str) -> Path:
    (base / name).mkdir()
    return base / name


def test_a_run_that_has_not_come_so_far_differs_in_that_alone(small: Played) -> None:
    half = small.entries[: len(small.entries) // 2]
    from runbook.journal.fold import fold

    view = fold(RunView(), half)
    comparison = compare(Side(view, half), side(small))
    pending = [i for i in comparison.items if any(f.left == ("pending",) for f in i.fields)]
    assert pending
    assert all([f.name for f in item.fields] == ["state"] for item in pending)
    assert all(item.rank == DECIDED for item in pending)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (
            "/subscriptions/a/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe",
            "Microsoft.Network/privateEndpoints",
        ),
        (
            "/subscriptions/a/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s?api-version=1",
            "Microsoft.Network/virtualNetworks/subnets",
        ),
        ("/subscriptions/a/providers/Microsoft.HybridCompute/register", "Microsoft.HybridCompute/register"),
        ("/subscriptions/a/resourceGroups/rg", "subscriptions/resourceGroups"),
        ("elsewhere", "elsewhere"),
    ],
)
def test_a_path_is_known_by_its_types(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_names_of_the_run_become_what_they_stand_for_and_choices_stay() -> None:
    view = RunView(
        inputs={"scope_name": "pls-arc", "dns": "azure", "vnet": f"/subscriptions/{MAIN}/x/vnet-hub"},
        book={"inputs": {"scope_name": {"type": "string"}, "dns": {"type": "enum"}, "vnet": {"type": "resource_id"}}},
        pinned={"account": "ana@contoso.example", "subscriptions": {MAIN: "Contoso"}},
    )
    normal = Normal(view)
    assert normal.text("azure: PLS-ARC of vnet-hub") == "azure: ‹scope_name› of ‹vnet›"
    assert normal.text("pls-arcade") == "pls-arcade"
    assert normal.text(f"in {MAIN} at 2026-11-20 08:00 UTC on 10.1.2.3/27") == "in ‹id› at ‹time› on ‹address›"
    assert normal.text("ana@contoso.example in Contoso") == "‹account› in ‹subscription›"
    assert is_choice({"type": "list", "items": {"type": "enum"}})
    assert not is_choice({"type": "list", "items": {"type": "resource_id"}})


def test_large_runs_are_compared_without_searching_every_text_for_every_name() -> None:
    drafts = estate.finished()
    entries = estate.entries(drafts)
    view = estate.view_of(drafts)
    normal = Normal(view)
    normal.call((node, "pool") for node in view.nodes.values())
    assert normal.text("hp-001 and hp-200, but not hp-2000") == "‹pool› and ‹pool›, but not hp-2000"
    assert compare(Side(view, entries), Side(view, entries)).is_equal
