from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbook.cli.exits import Exit, of_plan
from runbook.cli.planning import IN_FULL, MANY, WIDTH, plan_lines, summary
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.looks import Said
from runbook.engine.survey import Finding
from runbook.step import Change, Diff
from tests.cli.conftest import Shell
from tests.cli.test_exits import view

VERDICTS = {"satisfied", "change", "in_progress", "waiting", "blocked", "unknown_until"}


def test_a_plan_with_changes_ends_with_ten_and_makes_no_run(shell: Shell, home: Path) -> None:
    ended = shell("plan", "arc-private-link", "--scenario", "arc-ga")
    assert ended.code == 10
    assert "? change       resource_group: Make sure resource group rg-arc-privatelink exists" in ended.out.replace(
        "\n                 ", " "
    )
    assert "$ az group create --name rg-arc-privatelink" in ended.out
    assert "+ location: westeurope" in ended.out
    assert "(after resource_group, providers)" in " ".join(ended.out.split())
    assert "Nothing was changed." in ended.err
    assert not home.exists()


def test_what_is_blocked_is_told_with_its_ways_out(shell: Shell) -> None:
    said = " ".join(shell("plan", "arc-private-link", "--scenario", "arc-trouble").out.split())
    assert "■ blocked capacity: Check the room in the subnet subnet-too-small:" in said
    assert "- Start a run with another subnet of this virtual network." in said
    assert "2 blocked" in said


def test_the_plan_has_the_published_form(shell: Shell) -> None:
    doc = json.loads(shell("plan", "arc-private-link", "--json").out)
    status = {"id", "step", "title", "phase", "target", "state", "changed", "attempts", "waiting_on", "commands"}
    assert set(doc) == {"run", "nodes", "totals"}
    assert (doc["run"]["id"], doc["run"]["mode"], doc["run"]["driver"]) == ("", "plan", None)
    for node in doc["nodes"]:
        assert set(node) >= status | {"checks", "error", "verdict", "diff", "changes", "after", "remark"}
        assert node["verdict"] in VERDICTS
        assert bool(node["commands"]) == (node["verdict"] == "change")
    group = next(n for n in doc["nodes"] if n["id"] == "resource_group")
    assert group["diff"] == [{"path": "", "before": None, "after": {"location": "westeurope"}}]
    assert group["changes"] == [{"title": "Create resource group rg-arc-privatelink", "risk": "safe"}]
    assert set(group["commands"][0]) == {"az", "powershell", "rest"}
    assert sum(doc["totals"].values()) == len(doc["nodes"])


def test_the_same_question_gets_the_same_bytes(shell: Shell) -> None:
    args = ("plan", "arc-private-link", "--scenario", "arc-brownfield", "--json")
    assert shell(*args).out == shell(*args).out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "Name a BOOK"),
        (("arc-private-link", "--run", "arc"), "Name a BOOK"),
        (("--run", "arc", "--edition", "ga"), "do not go with --run"),
        (("arc-privat-link",), "arc-private-link"),
        (("arc-private-link", "--auth", "cli"), "go with --mode live"),
        (("arc-private-link", "--here", "on-premises"), "go with --mode live"),
        (("arc-private-link", "--scenario", "arc-prevew"), "Did you mean arc-preview"),
        (("arc-private-link", "--set", "lcation=x"), "did you mean `location`"),
        (("--run", "nowhere"), "no run"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_made(args: tuple[str, ...], words: str, shell: Shell, home: Path) -> None:
    ended = shell("plan", *args)
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == ""
    assert not home.exists()


def test_inputs_and_edition_are_taken_as_start_takes_them(shell: Shell) -> None:
    ended = shell("plan", "arc-private-link", "--edition", "ga", "--set", "resource_group=rg-other", "--json")
    doc = json.loads(ended.out)
    assert doc["run"]["edition"] == "ga"
    group = next(n for n in doc["nodes"] if n["id"] == "resource_group")
    assert group["target"] == "rg-other"


def test_the_plan_of_a_run_tells_what_is_left_and_the_run_stays_as_it_is(shell: Shell, parked: Path) -> None:
    journal = (parked / "runs" / "arc" / "journal.db").read_bytes()
    ended = shell("plan", "--run", "arc")
    assert ended.code == 10
    assert "of this run: done or skipped, and not looked at" in ended.out
    assert "✓ satisfied    edition" not in ended.out
    assert "$ az group create" in ended.out
    assert (parked / "runs" / "arc" / "journal.db").read_bytes() == journal
    doc = json.loads(shell("plan", "--run", "arc", "--json").out)
    assert (doc["run"]["id"], doc["run"]["mode"]) == ("arc", "rehearsal")


def test_the_plan_of_a_finished_run_has_nothing_left(shell: Shell, finished: Path) -> None:
    ended = shell("plan", "--run", "arc")
    assert ended.code == 0
    assert "Nothing is left to do." in ended.out


def test_an_aborted_run_has_no_plan(shell: Shell, parked: Path) -> None:
    assert shell("abort", "arc").code == 0
    ended = shell("plan", "--run", "arc")
    assert ended.code == 2
    assert "aborted" in ended.err


def test_sentences_are_folded_and_commands_are_not(shell: Shell) -> None:
    for scenario in ("arc-ga", "arc-trouble", "arc-brownfield", "arc-preview"):
        lines = shell("plan", "arc-private-link", "--scenario", scenario).out.splitlines()
        long = [line for line in lines if len(line) > WIDTH and not line.lstrip().startswith("$ ")]
        assert [line for line in long if len(line.split()) > 1] == []


# ---------------------------------------------------------------- exit codes and lines, from findings


def found(*nodes: NodeView, verdict: Said = "satisfied", **more: Any) -> list[Finding]:
    return [Finding(node, verdict, **more) for node in nodes]


def nodes(*states: NodeState) -> list[NodeView]:
    return list(view(*states).nodes.values())


S = NodeState


@pytest.mark.parametrize(
    ("states", "verdicts", "code"),
    [
        ((S.DONE, S.SKIPPED), ("satisfied", "satisfied"), Exit.DONE),
        ((S.READY,), ("change",), Exit.PLAN),
        ((S.BLOCKED, S.READY), ("blocked", "change"), Exit.PLAN),
        ((S.FAILED, S.READY), ("unknown_until", "change"), Exit.FAILED),
        ((S.BLOCKED, S.PENDING), ("blocked", "unknown_until"), Exit.BLOCKED),
        ((S.WAITING,), ("waiting",), Exit.DONE),
        ((S.SETTLING, S.PENDING), ("in_progress", "unknown_until"), Exit.OUTSIDE),
    ],
)
def test_a_plan_ends_with_the_first_that_holds_of_1_10_5_4_3(
    states: tuple[NodeState, ...], verdicts: tuple[Said, ...], code: Exit
) -> None:
    made = [Finding(node, verdict) for node, verdict in zip(nodes(*states), verdicts, strict=True)]
    assert of_plan(made) is code


def test_what_follows_a_wait_for_the_operators_word_ends_with_four() -> None:
    wait = {"who": "you", "message": "", "then": "", "since_ms": 0, "next_poll_ms": None, "draft": "", "attest": "x"}
    waiting, pending = nodes(S.WAITING, S.PENDING)
    waits = replace(waiting, waiting={**wait, "polls": 0})  # type: ignore[arg-type]
    findings = [Finding(waits, "waiting"), Finding(pending, "unknown_until", (waits.id,))]
    assert of_plan(findings) is Exit.OPERATOR


def _of_one_step(node: NodeView, count: int, **fields: Any) -> list[NodeView]:
    return [
        replace(node, doc={**node.doc, "id": f"s[{n}]", "step": "s", "key": str(n)}, **fields) for n in range(count)
    ]


def test_many_quiet_nodes_of_a_step_are_one_line() -> None:
    (node,) = nodes(S.DONE)
    few = list(plan_lines(RunView(), found(*_of_one_step(node, MANY))))
    many = list(plan_lines(RunView(), found(*_of_one_step(node, MANY + 1))))
    assert sum("satisfied  " in line for line in few) == MANY
    assert sum("satisfied  " in line for line in many) == 1
    assert any("7 nodes, such as s[0]" in line for line in many)


def test_every_change_is_named_but_only_the_first_of_a_step_with_their_commands() -> None:
    (node,) = nodes(S.READY)
    change = Change(
        "Make it", "PUT", "/subscriptions/x", "1", {"a": 1}, risk="disruptive", diff=(Diff("a", 2, 1),)
    ).doc()
    findings = found(*_of_one_step(node, IN_FULL + 5, changes=(change,)), verdict="change")
    lines = list(plan_lines(RunView(), findings))
    assert sum("» DISRUPTIVE: Make it" in line for line in lines) == IN_FULL + 5
    assert sum("$ az rest" in line for line in lines) == IN_FULL
    assert sum("~ a: 2 becomes 1" in line for line in lines) == IN_FULL
    assert any("last 5 are in --json" in line for line in lines)
    assert summary(findings) == "15 nodes: 15 change (15 of them disruptive)."
