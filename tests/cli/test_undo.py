from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Shell


def test_a_plan_of_an_undo_ends_with_10_and_makes_no_run(shell: Shell, finished: Path) -> None:
    ended = shell("undo", "arc", "--plan")
    assert ended.code == 10
    assert "Would be taken back" in ended.out
    assert "» DISRUPTIVE: Remove pe-arc" in ended.out
    assert "Stays, as it cannot be taken back" in ended.out
    assert [p.name for p in (finished / "runs").iterdir()] == ["arc"]


def test_a_plan_as_json_has_the_calls_and_what_stays(shell: Shell, finished: Path) -> None:
    doc = json.loads(shell("undo", "arc", "--plan", "--json").out)
    assert doc["undoes"] == "arc"
    assert all(node["verdict"] == "change" and node["commands"] for node in doc["nodes"])
    assert {"node", "title", "reason"} == set(doc["stays"][0])


def test_an_undo_is_a_run_like_any_other_and_then_nothing_is_left(shell: Shell, finished: Path) -> None:
    asked = shell("undo", "arc", "--headless", "--yes")
    assert asked.code == 4, "what is disruptive wants a go of its own"
    again = shell("undo", "arc", "--headless", "--yes", "--yes-disruptive")
    assert again.code == 2
    assert "resume arc-undo" in again.err
    done = shell("resume", "arc-undo", "--headless", "--yes", "--yes-disruptive")
    assert done.code == 0
    assert shell("report", "arc-undo", "--format", "md").code == 0
    twice = shell("undo", "arc-undo", "--plan")
    assert twice.code == 2
    assert "took back run arc" in twice.err
    moved = shell("migrate", "arc-undo")
    assert moved.code == 2
    assert "takes back run arc" in moved.err
    nothing = shell("verify", "arc-undo")
    assert nothing.code == 0


def test_a_run_that_waits_is_not_taken_back(shell: Shell, parked: Path) -> None:
    ended = shell("undo", "arc", "--headless", "--yes")
    assert ended.code == 2
    assert "abort arc" in ended.err
