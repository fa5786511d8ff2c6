from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.cli.machine import every_point
from tests.cli.conftest import Shell


def test_every_point_has_a_verdict_and_bad_ones_say_what_to_do(shell: Shell, home: Path) -> None:
    points = json.loads(shell("doctor", "--json").out)
    assert {p["verdict"] for p in points} <= {"ok", "warn", "fail"}
    assert all(p["advice"] for p in points if p["verdict"] != "ok")
    assert {"python", "sqlite", "home", "disk", "terminal", "locale", "clock"} <= {p["name"] for p in points}
    assert not home.exists()


def test_a_state_folder_that_cannot_be_fails(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = shell("doctor", "--home", str(tmp_path / "file"))
    assert ended.code == 2 or "fail" in ended.out
    (home,) = (p for p in every_point(tmp_path / "file" / "below") if p.name == "home")
    assert home.verdict == "fail"


def test_a_state_folder_open_to_others_is_warned_of(tmp_path: Path) -> None:
    open_ = tmp_path / "open"
    open_.mkdir()
    open_.chmod(0o755)
    (home,) = (p for p in every_point(open_) if p.name == "home")
    assert home.verdict == "warn"
    assert "chmod 700" in home.advice


def test_the_azure_cli_is_only_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\ntouch ran\n")
    az.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (point,) = (p for p in every_point(tmp_path) if p.name == "azure cli")
    assert point.found == str(az)
    assert not (tmp_path / "ran").exists()
