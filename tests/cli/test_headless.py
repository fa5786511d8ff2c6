from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.core.state import TRANSITIONS, NodeState
from tests.cli.conftest import Shell


def test_a_rehearsal_with_every_answer_given_is_done(finished: Path, shell: Shell) -> None:
    status = json.loads(shell("status", "arc", "--json").out)
    assert status["run"]["state"] == "done"
    assert set(status["totals"]) == {"done", "skipped"}
    assert "Run arc: done" in (finished / "err.txt").read_text("utf-8")


def test_a_rehearsal_without_answers_stops_for_the_operator_and_says_for_what(parked: Path) -> None:
    said = (parked / "err.txt").read_text("utf-8")
    assert "Run arc: needs operator" in said
    assert " answer arc " in said
    assert "applying" not in (parked / "out.txt").read_text("utf-8")


def test_every_command_is_shown_before_its_outcome(finished: Path) -> None:
    lines = (finished / "out.txt").read_text("utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if "applying   resource_group" in line)
    assert lines[at + 1].strip().startswith("az group create")


def test_yes_does_not_cover_what_is_disruptive(shell: Shell, home: Path) -> None:
    ended = shell("rehearse", "--headless", "--yes", "--run-id", "r")
    assert ended.code == 4
    left = [n for n in json.loads(shell("status", "r", "--json").out)["nodes"] if n["state"] == "ready"]
    assert left
    assert "--yes-disruptive" in ended.err


def test_trouble_ends_blocked(shell: Shell, home: Path) -> None:
    ended = shell("rehearse", "--headless", "--yes", "--yes-disruptive", "--scenario", "arc-trouble", "--run-id", "t")
    assert ended.code == 5
    assert "is blocked" in ended.err


def test_json_gives_one_event_per_line_in_order(shell: Shell, parked: Path) -> None:
    ended = shell("resume", "arc", "--headless", "--json", "--yes")
    events = [json.loads(line) for line in ended.out.splitlines()]
    assert [e["seq"] for e in events] == list(range(events[0]["seq"], events[0]["seq"] + len(events)))
    assert set(events[0]) == {"seq", "at", "node", "kind", "from", "to", "data"}
    moves = {(e["from"], e["to"]) for e in events if e["node"] and e["from"] != e["to"]}
    assert moves <= {(t.source, t.target) for t in TRANSITIONS}
    assert any(e["to"] == NodeState.DONE for e in events)


def test_the_same_answers_give_the_same_journal(shell: Shell, tmp_path: Path, parked_home: Path) -> None:
    other = str(tmp_path / "other")
    shell("rehearse", "--headless", "--run-id", "arc", "--home", other)
    assert (
        shell("journal", "export", "arc", "--home", other).out
        == shell("journal", "export", "arc", "--home", str(parked_home)).out
    )


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_exits_130_and_can_be_resumed(number: int, shell: Shell, home: Path) -> None:
    # Slow enough that it is still waiting when the signal comes: the first wait of the approval alone takes minutes.
    args = [sys.executable, "-m", "runbook", "rehearse", "--headless", "--yes", "--run-id", "r", "--speed", "1000"]
    child = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert child.stdout is not None
    for line in child.stdout:
        if "approved" in line:
            break
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "interrupted; nothing was lost" in err
    assert "Traceback" not in err
    assert shell("journal", "check", "r").code == 0
    assert shell("resume", "r", "--headless", "--yes", "--yes-disruptive").code == 0
