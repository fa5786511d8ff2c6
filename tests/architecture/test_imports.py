"""Who may import whom: statically through import-linter, and by looking at what a process has loaded."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from runbook.home import journal_path, private_folder, run_dir
from runbook.journal.store import Journal
from tests.architecture.repository import ROOT
from tests.journal.conftest import driven
from tests.journal.walks import CREATED, expanded

HEAVY = ("textual", "azure", "pydantic", "yaml", "aiohttp", "jinja2", "steps")


def python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True, check=False)


def loaded_by(code: str, *args: str) -> set[str]:
    """The modules a fresh process has loaded after running this."""
    done = python(f"{code}\nimport sys\nprint('loaded:', *sys.modules)", *args)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_import_contracts_hold() -> None:
    done = python("from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))")
    assert done.returncode == 0, done.stdout


def test_every_contract_says_why_it_is_there_and_names_every_step_domain() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert all(", " in c["name"] or ": " in c["name"] for c in contracts)
    domains = next(c["modules"] for c in contracts if c["name"].startswith("Step domains"))
    folders = {p.parent.name for p in (ROOT / "steps").glob("*/__init__.py")}
    assert {f"steps.{name}" for name in folders - {"_shared"}} == set(domains)


def test_importing_runbook_imports_nothing_else() -> None:
    bare = loaded_by("")
    assert loaded_by("import runbook") - bare == {"runbook"}


def test_the_core_and_the_step_contract_load_the_standard_library_only() -> None:
    names = [f"runbook.core.{p.stem}" for p in (ROOT / "runbook" / "core").glob("*.py") if p.stem != "__init__"]
    loaded = packages(loaded_by(f"import runbook.step, runbook.assets, {', '.join(names)}") - loaded_by(""))
    assert loaded <= sys.stdlib_module_names | {"runbook"}


RUN = "from runbook.cli.main import run; import sys; assert run(sys.argv[1:]) == 0"


def make_run(home: Path) -> None:
    private_folder(run_dir(home, "run-1"))
    journal = Journal.create(run_dir(home, "run-1") / "journal.db")
    journal.add_driver(0, driven(1))
    journal.append([CREATED, expanded("zone", "a", "b")], 1_000, 1)
    journal.close()
    assert journal_path(home, "run-1").is_file()


@pytest.mark.parametrize(
    "args", [("--help",), ("--version",), ("rehearse", "--help"), ("resume", "--help"), ("simulate", "--help")]
)
def test_help_loads_neither_screen_nor_cloud(args: tuple[str, ...]) -> None:
    assert not packages(loaded_by(RUN, *args)) & {*HEAVY, "apsw"}


@pytest.mark.parametrize("args", [("status", "run-1"), ("status", "run-1", "--json"), ("runs", "--json")])
def test_looking_at_a_run_loads_neither_screen_nor_cloud(tmp_path: Path, args: tuple[str, ...]) -> None:
    make_run(tmp_path)
    assert not packages(loaded_by(RUN, "--home", str(tmp_path), *args)) & set(HEAVY)


def test_the_engine_loads_neither_cloud_nor_screen() -> None:
    loaded = loaded_by("import runbook.engine.engine, runbook.engine.host")
    assert not packages(loaded) & {"azure", "aiohttp", "textual", "click"}
    assert not {name for name in loaded if name.startswith(("runbook.arm", "runbook.sim", "runbook.tui"))}
