"""Books, lint, schema and completion: the commands that need no run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from runbook.cli.main import run
from tests.cli.conftest import Shell


def test_books_are_listed_with_what_to_expect(shell: Shell) -> None:
    books = json.loads(shell("books", "--json").out)
    assert "arc-private-link" in {b["id"] for b in books}
    assert all(set(b) == {"id", "version", "title", "summary", "duration"} for b in books)
    assert "arc-private-link" in shell("books").out


def test_lint_names_file_line_and_column_and_exits_2(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text("id: x\nversion: one\n")
    ended = shell("lint", str(file))
    assert ended.code == 2
    assert f"{file}:2:" in ended.out
    faults = json.loads(shell("lint", str(file), "--json").out)
    assert faults
    assert faults[0]["line"] >= 1


def test_lint_of_a_sound_book_prints_nothing(shell: Shell) -> None:
    ended = shell("lint", "arc-private-link")
    assert (ended.code, ended.out) == (0, "")
    assert "sound" in ended.err


def test_the_schema_is_a_schema(shell: Shell) -> None:
    Draft202012Validator.check_schema(json.loads(shell("schema").out))


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_this_program(name: str, shell: Shell) -> None:
    assert f"_RUNBOOK_COMPLETE={name}_complete" in shell("completion", name).out


@pytest.mark.parametrize(
    ("words", "at", "expected"),
    [
        ("runbook stat", 1, "status"),
        ("runbook status ", 2, "arc"),
        ("runbook rehearse ar", 2, "arc-private-link"),
        ("runbook rehearse --scenario arc-tr", 3, "arc-trouble"),
        ("runbook answer arc res", 3, "resource_group"),
        ("runbook answer arc resource_group ", 4, "approve"),
        ("runbook journal ", 2, "check"),
    ],
)
def test_commands_books_scenarios_runs_and_nodes_complete(
    words: str,
    at: int,
    expected: str,
    parked: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("_RUNBOOK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(at))
    assert run([]) == 0
    assert f"plain,{expected}" in capsys.readouterr().out.splitlines()


def test_completing_in_an_unknown_run_offers_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_RUNBOOK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "runbook answer nothing ")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert run([]) == 0
    assert capsys.readouterr().out.strip() == ""


def test_the_inputs_of_a_book_are_listed_with_what_they_take(shell: Shell) -> None:
    said = shell("books", "arc-private-link").out
    for part in ("subscription: ", "(required)", "dns: one of azure, own", "close_public_access: ", "(default true)"):
        assert part in said
    assert "${" not in said
    inputs = json.loads(shell("books", "arc-private-link", "--json").out)
    assert {"name", "kind", "prompt", "is_optional", "default"} <= set(inputs[0])


def test_the_inputs_of_an_unknown_book_are_a_wrong_usage(shell: Shell) -> None:
    assert shell("books", "nope").code == 2
