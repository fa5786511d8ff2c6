"""The report of a whole rehearsal, as the command writes it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Shell, finished, finished_home, home, shell

__all__ = ["finished", "finished_home", "home", "shell"]


def test_it_shows_every_command_every_check_and_the_wait_for_approval(shell: Shell, finished: Path) -> None:
    doc = json.loads(shell("report", "arc", "--format", "json").out)
    exported = [json.loads(line) for line in shell("journal", "export", "arc").out.splitlines()[1:]]
    nodes = [node for phase in doc["phases"] for node in phase["nodes"]]
    intended = [e for e in exported if e["kind"] == "intended"]
    assert sum(len(n["commands"]) for n in nodes) == len(intended) > 20
    assert all(c["az"] and c["powershell"] and c["rest"] for n in nodes for c in n["commands"])
    assert all(n["checks"] for n in nodes if n["state"] == "done")
    approvals = [w for w in doc["waits"] if w["node"].startswith("approval[")]
    assert approvals
    assert all(w["lasted"].startswith("2 d") for w in approvals)
    assert doc["attention"] == []
    assert doc["journal"]["holds"]
    markdown, page = shell("report", "arc").out, shell("report", "arc", "--format", "html").out
    for node in nodes:
        assert node["id"] in markdown
        assert node["id"] in page
        for command in node["commands"]:
            assert command["az"] in markdown


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_a_report_file_is_its_owners_alone(form: str, shell: Shell, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / f"report.{form}"
    ended = shell("report", "arc", "--format", form, "--out", str(out))
    assert (ended.code, ended.out) == (0, "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_text("utf-8") == shell("report", "arc", "--format", form).out


def test_a_report_that_cannot_be_written_is_told(shell: Shell, finished: Path, tmp_path: Path) -> None:
    ended = shell("report", "arc", "--out", str(tmp_path / "no" / "r.md"))
    assert ended.code == 2
    assert "cannot be written" in ended.err
