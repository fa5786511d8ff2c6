from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from runbook.cli.main import COMMANDS, cli
from tests.cli.conftest import Shell

HEAVY = ("textual", "azure", "pydantic", "yaml", "aiohttp", "jinja2", "dns", "jmespath")


def loaded_by(*args: str) -> set[str]:
    """Top-level modules that a command line imports, seen from a process of its own."""
    code = (
        "import sys, io, json, contextlib\n"
        "from runbook.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    code = run({list(args)!r})\n"
        "print(json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    code_, names = json.loads(done.stdout)
    assert code_ == 0, done.stderr
    return set(names)


def test_help_imports_nothing_heavy() -> None:
    assert not loaded_by("--help") & {*HEAVY, "apsw", "asyncio"}


def test_status_imports_nothing_heavy(parked: Path) -> None:
    assert not loaded_by("status", "arc", "--json") & {*HEAVY, "steps"}


def test_runs_imports_nothing_heavy(parked: Path) -> None:
    assert not loaded_by("runs", "--json") & {*HEAVY, "steps"}


def test_help_lists_every_command_with_its_sentence(shell: Shell) -> None:
    ended = shell("--help")
    assert ended.code == 0
    assert all(name in ended.out and sentence in " ".join(ended.out.split()) for name, sentence in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_takes_the_state_folder(name: str) -> None:
    context = click.Context(cli, info_name="runbook")
    command = cli.get_command(context, name)
    assert command is not None
    leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    for leaf in leaves:
        assert leaf.help
        assert "home" in {p.name for p in leaf.params}
        assert all(p.help for p in leaf.params if isinstance(p, click.Option)), leaf.name


def test_help_says_what_touches_no_real_azure(shell: Shell) -> None:
    assert "touches no real Azure" in " ".join(shell("--help").out.split())
    assert "`live` against the real one" in " ".join(shell("start", "--help").out.split())


def test_an_unknown_command_is_answered_with_near_ones(shell: Shell) -> None:
    ended = shell("rehears")
    assert ended.code == 2
    assert "rehearse" in ended.err
    assert ended.out == ""


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "runbook", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("runbook ")


def test_without_a_command_and_without_a_terminal_it_says_what_to_do(shell: Shell) -> None:
    ended = shell()
    assert ended.code == 2
    assert "not a terminal" in ended.err


def test_the_state_folder_may_be_named_before_or_after_the_command(shell: Shell, parked: Path, tmp_path: Path) -> None:
    assert "arc" in shell("runs").out
    assert shell("--home", str(tmp_path / "no"), "runs").out == ""
    assert shell("runs", "--home", str(tmp_path / "no")).out == ""
    assert "arc" in shell("runs", "--home", str(parked)).out


@pytest.mark.parametrize("redirect", ["1>&-", "2>&-", "0<&-", ">/dev/full"])
@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell's redirections")
def test_closed_or_full_streams_end_without_a_traceback(redirect: str) -> None:
    line = f'exec "$0" -m runbook books {redirect}'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, text=True, check=False)
    assert done.returncode == (1 if "full" in redirect else 0)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell's pipes")
def test_a_reader_that_has_enough_is_no_error() -> None:
    line = '("$0" -m runbook schema; echo code $? >&2) | head -c 1'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["code", "0"]
