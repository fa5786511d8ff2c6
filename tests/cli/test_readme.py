"""README's tables of commands and exit codes are what the code says."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from runbook.cli import exits
from runbook.cli.main import COMMANDS, cli

README = Path(__file__).parents[2] / "README.md"


def commands_table() -> str:
    rows = ["| Command | What it does |", "| --- | --- |"]
    rows.append("| `runbook` | The home screen: runs to go on with, books to rehearse. |")
    context = click.Context(cli, info_name="runbook")
    for name, sentence in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        usages = " · ".join(f"`{usage}`" for usage in usages_of(command, context, name))
        rows.append(f"| {usages} | {sentence} |")
    return "\n".join(rows)


def usages_of(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    if isinstance(command, click.Group):
        for child, below in command.commands.items():
            yield from usages_of(below, context, child)
        return
    words = [p.make_metavar(context) for p in command.params if isinstance(p, click.Argument)]
    yield " ".join([f"runbook {context.command_path.removeprefix('runbook ')}", *words]).replace("|", r"\|")


def exits_table() -> str:
    rows = ["| Code | Meaning |", "| --- | --- |"]
    (made,) = (n for n in ast.parse(inspect.getsource(exits.Exit)).body if isinstance(n, ast.ClassDef))
    for at, statement in enumerate(made.body):
        if isinstance(statement, ast.Assign) and isinstance(target := statement.targets[0], ast.Name):
            said = made.body[at + 1]
            assert isinstance(said, ast.Expr)
            assert isinstance(said.value, ast.Constant)
            rows.append(f"| {int(exits.Exit[target.id])} | {said.value.value} |")
    return "\n".join(rows)


@pytest.mark.parametrize("table", [commands_table, exits_table])
def test_readme_has_the_table_as_the_code_makes_it(table: object) -> None:
    assert callable(table)
    text = table()
    assert text in README.read_text("utf-8"), f"README.md should hold:\n{text}"
