"""The approval by Microsoft and what comes after it: silence, rejection, one subscription only, given long ago."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from tests.crash.harness import Played
from tests.journeys.scenes import (
    BRANCH,
    MAIN,
    blocked,
    no_words,
    nodes_of,
    rehearse,
    rules,
    scene,
    skipping,
    stuck,
)

REGISTER = f"/subscriptions/{MAIN}/providers/Microsoft.HybridCompute/register"
DAY_MS = 86_400_000


def registers(played: Played, path: str = REGISTER) -> int:
    return sum(n for (method, where), n in played.writes.items() if (method, where.lower()) == ("POST", path.lower()))


def first_seen(played: Played, node: str, verdict: str) -> int:
    return next(
        e.at_ms for e in played.entries if e.node == node and e.kind is Kind.OBSERVED and e.data["verdict"] == verdict
    )


@pytest.mark.parametrize(
    ("step", "each"),
    [("context", 1), ("rights", 1), ("providers", 3), ("features", 2), ("approval", 1), ("reregister", 1)],
)
def test_what_registers_a_subscription_is_repeated_for_every_one(tmp_path: Path, step: str, each: int) -> None:
    played = rehearse(tmp_path, "arc-preview")
    done = [n.id for n in nodes_of(played, step) if n.state is NodeState.DONE]
    assert [sum(sub in name for name in done) for sub in (MAIN, BRANCH)] == [each, each]


def test_one_message_names_every_subscription_that_waits(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    drafts = [
        e.data["waiting"]["draft"]
        for e in played.entries
        if e.node == "request_sent" and e.kind is Kind.OBSERVED and "waiting" in e.data
    ]
    assert len(drafts) == 1
    assert MAIN in drafts[0]
    assert BRANCH in drafts[0]
    assert rules(played) == {}, "nothing is taken for a rejection"


def test_silence_is_waited_out_gently_and_then_told_to_be_followed_up(tmp_path: Path) -> None:
    nobody = scene(tmp_path, "arc-preview", lambda doc: doc.update(parties=[]))
    played = rehearse(tmp_path, nobody, patience_s=30 * DAY_MS / 1000)
    assert played.view.state is RunState.WAITING
    for node in nodes_of(played, "approval"):
        assert node.waiting is not None
        assert node.waiting["message"].startswith("No answer for ")
        assert "support request" in node.waiting["message"]
        looks = [e.at_ms for e in played.entries if e.node == node.id and e.kind is Kind.OBSERVED]
        fortnight = [at for at in looks if at - looks[0] <= 14 * DAY_MS]
        assert len(fortnight) <= 100
        later = [b - a for a, b in zip(looks[len(fortnight) :], looks[len(fortnight) + 1 :], strict=False)]
        assert later
        assert min(later) >= DAY_MS
    assert not any("privatelinkscopes" in path.lower() for _, path in played.writes)


def test_a_rejection_is_told_and_nothing_is_asked_for_again_without_a_word(tmp_path: Path) -> None:
    def reject(doc: dict[str, Any]) -> None:
        doc["parties"][0]["do"] = "reject"

    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", reject), answer=no_words)
    assert played.view.state is RunState.BLOCKED
    assert stuck(played) == {f"approval[{MAIN}]": "approval-rejected", f"approval[{BRANCH}]": "approval-rejected"}
    asked = [
        path for (_, path), n in played.writes.items() if path.lower().endswith("preview/register") for _ in range(n)
    ]
    assert len(asked) == 2
    assert "turned down" in blocked(played, f"approval[{MAIN}]")


def test_a_rejected_request_is_made_again_with_the_operators_word_and_then_approved(tmp_path: Path) -> None:
    def once(doc: dict[str, Any]) -> None:
        approver = doc["parties"][0]
        doc["parties"] = [
            {**approver, "id": "no", "do": "reject", "nth": 1, "subscription": BRANCH},
            {**approver, "id": "then", "beyond": 1, "subscription": BRANCH},
            {**approver, "id": "yes", "subscription": MAIN},
        ]

    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", once))
    assert played.view.state is RunState.DONE
    assert rules(played)[f"approval[{BRANCH}]"] == ["approval-rejected"]
    assert f"approval[{MAIN}]" not in rules(played)


def only_main(doc: dict[str, Any]) -> None:
    doc["parties"][0]["subscription"] = MAIN


def test_approved_for_one_subscription_only_the_run_waits_for_the_other(tmp_path: Path) -> None:
    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", only_main))
    assert played.view.state is RunState.WAITING
    assert list(stuck(played)) == [f"approval[{BRANCH}]"]
    assert played.view.nodes[f"reregister[{MAIN}]"].state is NodeState.DONE


def test_a_subscription_that_is_never_approved_can_be_left_out(tmp_path: Path) -> None:
    left_out = f"approval[{BRANCH}]"
    played = rehearse(tmp_path, scene(tmp_path, "arc-preview", only_main), answer=skipping(left_out))
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    assert played.view.nodes[f"reregister[{BRANCH}]"].state is NodeState.SKIPPED
    assert "need-skipped" in rules(played)["close_public"], "a disruptive change asks about what was left out"


def test_the_second_registration_comes_after_the_approval_was_seen(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    assert registers(played) == 1, "it reads Registered from the start, so this is the second one"
    intended = next(e for e in played.entries if e.kind is Kind.INTENDED and e.node == f"reregister[{MAIN}]")
    assert intended.at_ms >= first_seen(played, f"approval[{MAIN}]", "satisfied")
    assert played.view.nodes[f"reregister[{MAIN}]"].outputs["evidence"].endswith("in the activity log")


def test_a_colleagues_registration_after_an_approval_of_long_ago_is_evidence_enough(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-brownfield")
    assert played.view.state is RunState.DONE
    assert registers(played) == 0
    assert "by sam@contoso.com" in played.view.nodes[f"reregister[{MAIN}]"].outputs["evidence"]
    assert played.view.nodes["request_sent"].outputs["asked"] is False
    assert played.view.nodes[f"approval[{MAIN}]"].outputs["approved_ms"] is None


def without_scope(doc: dict[str, Any]) -> None:
    """Nobody went on after the approval: no scope, no endpoint, no zone, and the type does not show."""
    gone = ("/privatelinkscopes/", "/privateendpoints/", "/privatednszones/")
    doc["resources"] = [r for r in doc["resources"] if not any(g in r["id"].lower() for g in gone)]
    for resource in doc["resources"]:
        resource.get("properties", {}).pop("privateLinkScopeResourceId", None)
    doc["subscriptions"][0]["providers"]["Microsoft.HybridCompute"] = {"state": "Registered", "sees": []}


@pytest.mark.parametrize("keeps_log", [True, False], ids=["registered before the approval", "never registered again"])
def test_a_registration_from_before_the_approval_is_no_evidence(tmp_path: Path, keeps_log: bool) -> None:
    def change(doc: dict[str, Any]) -> None:
        without_scope(doc)
        if not keeps_log:
            doc["activity"] = []

    played = rehearse(tmp_path, scene(tmp_path, "arc-brownfield", change), edition="preview")
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    assert registers(played) == 1
    assert "dana@contoso.com" in played.view.nodes[f"reregister[{MAIN}]"].outputs["evidence"]


def test_flags_that_no_longer_exist_are_findings_and_the_run_goes_on(tmp_path: Path) -> None:
    gone = {"status": 404, "code": "FeatureNotFound", "message": "The feature could not be found."}
    faults = [{"id": "gone", "method": "GET", "path": "*/features/*", "times": 10_000, "refuse": gone}]
    played = rehearse(tmp_path, scene(tmp_path, "arc-ga", faults=faults), edition="preview")
    assert (played.view.state, stuck(played)) == (RunState.DONE, {})
    for node in [*nodes_of(played, "features"), *nodes_of(played, "approval")]:
        assert node.outputs["state"] == "gone"
        assert any("no such flag" in check["observed"] for check in node.checks)
    assert not any("/features/" in path for _, path in played.writes)
