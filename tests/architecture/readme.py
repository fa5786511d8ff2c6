"""The parts of README that are made from the code. ``python -m tests.architecture.readme`` writes them anew."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise

import click

import runbook
from runbook.cli.exits import Exit
from runbook.cli.main import COMMANDS, cli
from runbook.core import error
from runbook.core.error import RunbookError
from runbook.core.state import diagram
from runbook.sim.coverage import implemented
from tests.architecture.repository import ROOT

README = ROOT / "README.md"


def error_classes() -> list[type[RunbookError]]:
    """Every error the runbook raises on purpose, wherever it is defined, in the order of the tree."""
    for module in pkgutil.walk_packages(runbook.__path__, "runbook."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    found: list[type[RunbookError]] = []
    left: list[type[RunbookError]] = [RunbookError]
    while left:
        cls = left.pop(0)
        found.append(cls)
        left[:0] = [c for c in cls.__subclasses__() if c.__module__.startswith("runbook.")]
    return found


def meaning(cls: type[RunbookError]) -> str:
    """What the drawn tree says about a class, or the first sentence of its docstring."""
    if match := re.search(rf"^[ │├└─]+{cls.__name__} +(\S.*)$", error.__doc__ or "", re.MULTILINE):
        return match[1]
    return (inspect.cleandoc(cls.__doc__ or "")).partition("\n")[0].rstrip(".")


def errors() -> str:
    """A table with one row per code."""
    rows = ["| code | exit | what it is |", "|---|---|---|"]
    seen: set[str] = set()
    for cls in error_classes()[1:]:
        if cls.code not in seen:
            seen.add(cls.code)
            rows.append(f"| `{cls.code}` | {cls.exit_status} | {meaning(cls).replace('``', '`')} |")
    return "\n".join(rows)


def commands() -> str:
    """A table with every command line, as the commands themselves declare it."""
    rows = ["| Command | What it does |", "|---|---|"]
    rows.append("| `runbook` | The home screen: runs to go on with, books to rehearse. |")
    context = click.Context(cli, info_name="runbook")
    for name, sentence in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        rows.append(f"| {' · '.join(f'`{usage}`' for usage in _usages(command, context, name))} | {sentence} |")
    return "\n".join(rows)


def _usages(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    if isinstance(command, click.Group):
        for child, below in command.commands.items():
            yield from _usages(below, context, child)
        return
    words = [p.make_metavar(context) for p in command.params if isinstance(p, click.Argument)]
    yield " ".join([context.command_path, *words]).replace("|", r"\|")


def exit_codes() -> str:
    """A table with one row per exit code, from the line below each member."""
    rows = ["| code | meaning |", "|---|---|"]
    (made,) = (n for n in ast.parse(inspect.getsource(Exit)).body if isinstance(n, ast.ClassDef))
    for statement, said in pairwise(made.body):
        if isinstance(statement, ast.Assign) and isinstance(name := statement.targets[0], ast.Name):
            rows.append(f"| {int(Exit[name.id])} | {ast.literal_eval(ast.unparse(said))} |")
    return "\n".join(rows)


def simulated() -> str:
    """A table with one row per resource type that the simulated Azure answers for."""
    rows = ["| resource type | operations | api-versions |", "|---|---|---|"]
    rows += [f"| {row.type} | {', '.join(row.operations)} | {row.span} |" for row in implemented()]
    return "\n".join(rows)


def blocks() -> dict[str, str]:
    """What stands between ``<!-- name -->`` and ``<!-- /name -->``, by name."""
    states = f"```mermaid\n{diagram()}\n```"
    lists = {"errors": errors(), "commands": commands(), "exits": exit_codes(), "simulated": simulated()}
    return {"states": states, **lists}


def block(text: str, name: str) -> str | None:
    """The marked block as it stands; None without its marks."""
    match = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", text, re.DOTALL)
    return match[1] if match else None


def rewritten(text: str) -> str:
    """README with every block as the code says; marks that are missing are added at the end."""
    for name, content in blocks().items():
        marked = f"<!-- {name} -->\n{content}\n<!-- /{name} -->"
        if (old := block(text, name)) is None:
            text = f"{text.rstrip()}\n\n{marked}\n".lstrip()
        else:
            text = text.replace(f"<!-- {name} -->\n{old}\n<!-- /{name} -->", marked)
    return text


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text("utf-8")), "utf-8")
