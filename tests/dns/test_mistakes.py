"""Every planted mistake is found, named, and told with what puts it right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.cli.planning import WIDTH
from tests.cli.conftest import Shell
from tests.dns.mistakes import Mistake, mistakes, plant
from tests.journeys.scenes import scene

ALL = list(mistakes())
AFTER = [row for row in ALL if not row.rehearse]
BEFORE = [row for row in ALL if row.rehearse]


def finding(doc: dict[str, Any], expect: dict[str, Any]) -> dict[str, Any]:
    """The expected finding."""
    rules = [(f["rule"], f["place"]) for f in doc["findings"]]
    wanted = [
        f
        for f in doc["findings"]
        if f["rule"] == expect["rule"]
        and expect.get("place", f["place"]) == f["place"]
        and set(expect.get("names", ())) <= set(f["names"])
    ]
    assert wanted, rules
    found: dict[str, Any] = wanted[0]
    return found


@pytest.mark.parametrize("row", AFTER, ids=str)
def test_a_planted_mistake_is_found_and_named_with_its_fix(
    row: Mistake, shell: Shell, finished: Path, tmp_path: Path
) -> None:
    plant(finished, row.start, row.patch)
    args = [*row.args, row.start]
    if row.paste:
        (tmp_path / "server.txt").write_text(row.paste, encoding="utf-8")
        args += ["--paste", str(tmp_path / "server.txt")]
    ended = shell(*args, "--json")
    assert ended.code == row.expect["exit"], ended.out + ended.err
    for text in row.expect.get("error", ()):
        assert text in ended.err
    if "rule" not in row.expect:
        return
    doc = json.loads(ended.out)
    found = finding(doc, row.expect)
    for text in row.expect.get("cause", ()):
        assert text in found["cause"], found["cause"]
    for text in row.expect.get("fix", ()):
        assert text in found["fix"], found["fix"]
    if row.expect.get("alone", True):
        assert {f["rule"] for f in doc["findings"]} == {row.expect["rule"], *row.expect.get("also", ())}
    said = shell(*args)
    assert said.code == ended.code
    assert f"✗ {found['rule']}" in said.out
    wide = [line for line in said.out.splitlines() if len(line) > WIDTH and len(line.split()) > 2]
    assert wide == []


@pytest.mark.parametrize("row", BEFORE, ids=str)
def test_a_mistake_that_is_there_before_a_run_stops_it_with_a_way_out(
    row: Mistake, shell: Shell, tmp_path: Path
) -> None:
    wish, expect = row.rehearse, row.expect
    file = scene(tmp_path, wish["scenario"], **wish.get("add", {}))
    options = ("--scenario", file, "--headless", "--run-id", "planted", "--yes", "--yes-disruptive")
    ended = shell("rehearse", wish["book"], *options)
    assert ended.code == expect["exit"], ended.out[-2000:] + ended.err
    nodes = json.loads(shell("status", "planted", "--json").out)["nodes"]
    stopped = {n["id"]: n["error"] for n in nodes if n["error"]}
    assert expect["node"] in stopped, stopped
    error = stopped[expect["node"]]
    assert error["code"] == expect["rule"], stopped
    for text in expect.get("cause", ()):
        assert text in error["message"], error
    for text in expect.get("fix", ()):
        assert text in error["hint"], error


def test_every_rule_of_the_table_is_planted_somewhere() -> None:
    """What needs a real server or a real connection is planted in ``test_servers.py`` and ``tests/here``."""
    from runbook.dns.model import Rule

    elsewhere = {Rule.OK, Rule.NOT_PROVABLE, Rule.PORT_CLOSED, Rule.WRONG_CERTIFICATE}
    planted = {row.expect.get("rule") for row in ALL}
    assert {r.value for r in set(Rule) - elsewhere} - planted == set()
