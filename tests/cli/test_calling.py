from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runbook.cli import output
from runbook.cli.calling import called_as


def program(folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / "runbook"
    path.write_text("#!/bin/sh\n", "utf-8")
    path.chmod(0o755)
    return path


def test_what_the_shell_finds_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(path.parent))
    assert called_as(str(path)) == "runbook"
    assert called_as("runbook") == "runbook"


def test_what_the_shell_does_not_find_is_called_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "my venv" / "bin")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert called_as(".venv/bin/runbook") == ".venv/bin/runbook"
    assert called_as("my venv/bin/runbook") == "'my venv/bin/runbook'"
    assert called_as("/somewhere/runbook/__main__.py") == f"{Path(sys.executable).stem} -m runbook"
    assert called_as("/usr/bin/pytest") == "runbook"


def test_a_named_home_goes_with_it() -> None:
    assert called_as("runbook", "/a b") == "runbook --home '/a b'"


def test_remarks_name_the_program_as_it_has_to_be_typed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_called", [".venv/bin/runbook"])
    output.talk("Go on: runbook resume r, or `runbook runs`. See /x/runbook resume and the runbook.")
    said = capsys.readouterr().err
    assert said == (
        "Go on: .venv/bin/runbook resume r, or `.venv/bin/runbook runs`. See /x/runbook resume and the runbook.\n"
    )
