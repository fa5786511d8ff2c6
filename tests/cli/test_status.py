from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runbook.cli.listing import run_doc, runs_lines, status_doc, status_lines
from runbook.cli.output import data, table
from runbook.core.state import NodeState
from tests.cli.conftest import Shell
from tests.cli.test_exits import view


def test_status_has_the_published_form(shell: Shell, parked: Path) -> None:
    doc = json.loads(shell("status", "arc", "--json").out)
    assert set(doc) == {"run", "nodes", "totals"}
    assert set(doc["run"]) == {
        "id",
        "book",
        "book_version",
        "mode",
        "edition",
        "scenario",
        "state",
        "created_at",
        "updated_at",
        "driver",
    }
    node = next(n for n in doc["nodes"] if n["id"] == "resource_group")
    assert set(node) == {
        "id",
        "step",
        "title",
        "phase",
        "target",
        "state",
        "changed",
        "attempts",
        "waiting_on",
        "commands",
        "checks",
        "error",
        "patience",
        "attested",
    }
    assert set(node["commands"][0]) == {"az", "powershell", "rest"}
    assert set(node["checks"][0]) == {"name", "expected", "observed", "ok"}
    assert sum(doc["totals"].values()) == len(doc["nodes"])


def test_status_text_shows_the_commands_that_wait_for_a_go(shell: Shell, parked: Path) -> None:
    said = shell("status", "arc").out
    assert "needs your go: Create resource group" in said
    assert "$ az group create" in said


def test_runs_lists_the_run_objects(shell: Shell, parked: Path) -> None:
    (run,) = json.loads(shell("runs", "--json").out)
    assert run == json.loads(shell("status", "arc", "--json").out)["run"]


def test_an_unreadable_run_does_not_hide_the_others(shell: Shell, parked: Path) -> None:
    bad = parked / "runs" / "bad"
    bad.mkdir()
    (bad / "journal.db").write_bytes(b"no database at all" * 100)
    ended = shell("runs", "--json")
    assert ended.code == 0
    assert [run["id"] for run in json.loads(ended.out)] == ["arc"]
    assert "bad" in ended.err


def test_no_runs_is_an_empty_list(shell: Shell, home: Path) -> None:
    assert json.loads(shell("runs", "--json").out) == []
    assert not home.exists()


def test_a_wait_says_for_whom_and_since_when(shell: Shell, home: Path) -> None:
    run = view(NodeState.WAITING)
    wait = {
        "who": "the DNS team",
        "message": "They must act.",
        "then": "",
        "since_ms": 0,
        "next_poll_ms": 60_000,
        "draft": "",
        "attest": "",
        "polls": 0,
    }
    node = replace(run.nodes["n0"], waiting=wait)  # type: ignore[arg-type]
    doc = status_doc(replace(run, nodes={"n0": node}), None)
    assert doc["nodes"][0]["waiting_on"] == {
        "who": "the DNS team",
        "since": "1970-01-01T00:00:00.000Z",
        "next_poll": "1970-01-01T00:01:00.000Z",
        "message": "They must act.",
    }


@given(st.text())
def test_no_text_from_outside_reaches_the_terminal_as_a_control_character(text: str) -> None:
    run = view(NodeState.READY, NodeState.DONE)
    doc = {**run.nodes["n0"].doc, "title": text, "id": "n0", "target": text}
    odd = replace(run, nodes={**run.nodes, "n0": replace(run.nodes["n0"], doc=doc)})  # type: ignore[arg-type]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        for line in (*status_lines(odd, None), *runs_lines([(odd, None)])):
            data(line)
    assert not any(sign in out.getvalue() for sign in "\x1b\x07\r\x9b\u202e")
    assert json.dumps(status_doc(odd, None)).isascii()
    assert run_doc(odd, None)["id"] == "r"


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), max_size=5))
def test_a_table_has_a_line_for_each_row_and_no_control_characters(rows: list[list[str]]) -> None:
    lines = list(table(rows))
    assert len(lines) == len(rows)
    assert not any(sign in line for line in lines for sign in "\x1b\n\r\x00\x9b\u202e")


def test_what_blocks_or_failed_is_folded_below_its_node_with_the_ways_out() -> None:
    run = view(NodeState.BLOCKED, NodeState.FAILED)
    long = "The subnet pe has two free addresses and the endpoint needs seven of them, " * 4
    block = {
        "rule": "subnet-too-small",
        "message": long,
        "ways_out": ["Have its owner enlarge the subnet, and this goes on by itself. " * 2, "Name another subnet."],
        "attest": "",
        "next_poll_ms": None,
    }
    error = {"code": "SubnetIsFull", "message": long, "hint": "Choose a larger subnet."}
    nodes = {
        "n0": replace(run.nodes["n0"], blocked=block),  # type: ignore[arg-type]
        "n1": replace(run.nodes["n1"], error=error),  # type: ignore[arg-type]
    }
    lines = list(status_lines(replace(run, nodes=nodes), None))
    assert max(map(len, lines)) <= 80
    said = " ".join(" ".join(lines).split())
    assert said.count(" ".join(long.split())) == 2
    assert any(line.strip() == "- Name another subnet." for line in lines)
    assert any(line.strip() == "- Choose a larger subnet." for line in lines)
    assert any("■ blocked" in line and line.endswith("subnet-too-small") for line in lines)
