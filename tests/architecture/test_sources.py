"""What every source file keeps to."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.repository import ROOT, files, modules, texts

LONGEST = 500
OURS = "tests/architecture/"


def lines_with(pattern: str, *folders: str) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts(*folders)
        if not name.startswith(OURS)
        for number, line in enumerate(text.splitlines(), 1)
        if found.search(line)
    ]


def test_no_module_is_longer_than_anybody_reads() -> None:
    long = {name: count for name, text in modules() if (count := len(text.splitlines())) > LONGEST}
    assert long == {}


def test_nothing_is_left_to_be_done_later() -> None:
    assert lines_with(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError") == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert lines_with(r"(?<![\w.])/(work|home|root|Users|mnt)/\w|[A-Z]:\\\\?Users\\") == []


def test_no_command_goes_through_a_shell() -> None:
    assert lines_with(r"shell\s*=\s*True|os\.system\(|os\.popen\(", "runbook", "steps", "tests") == []


def test_nothing_is_pickled_or_evaluated() -> None:
    assert lines_with(r"\b(pickle|marshal)\b|(?<![\w.])(eval|exec)\(|yaml\.load\(", "runbook", "steps") == []


def test_tests_do_not_sleep_and_do_not_mock() -> None:
    assert lines_with(r"\btime\.sleep\(|unittest\.mock|\bMagicMock\b", "tests") == []


def test_the_machines_clock_is_read_at_the_edges_only() -> None:
    # A lease is dated by the machine, also in rehearsals, and `doctor` looks at the machine's clock.
    allowed = {"runbook/core/clock.py", "runbook/journal/lease.py", "runbook/cli/machine.py"}
    found = lines_with(r"\btime\.time(_ns)?\(|datetime\.(now|utcnow|today)\(|date\.today\(", "runbook", "steps")
    assert [line for line in found if line.partition(":")[0] not in allowed] == []


def test_chance_is_never_drawn_unseeded() -> None:
    pattern = r"\buuid[14]\(|\bsecrets\.|\brandom\.(random|choice|randint|shuffle)\(|Random\(\)"
    assert lines_with(pattern, "runbook/core", "runbook/engine", "runbook/journal", "runbook/sim", "steps") == []


def test_every_module_of_the_product_says_what_it_is_for() -> None:
    silent = [name for name, text in modules("runbook", "steps") if text and not ast.get_docstring(ast.parse(text))]
    assert silent == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "common", "base", "manager", "misc"}
    assert [p for p in files() if p.suffix == ".py" and p.stem in empty] == []


def test_the_root_holds_what_it_is_meant_to_hold_and_no_more() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in files()}
    allowed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "runbook", "steps", "tests", "assets"}
    assert {name for name in names if not name.startswith(".")} <= allowed


def test_tests_are_named_as_sentences() -> None:
    names = [
        f"{name}: {node.name}"
        for name, text in modules("tests")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    assert names
    assert [name for name in names if name.count("_") < 4] == []


@pytest.mark.parametrize("word", ["pypi.org", "index-url", "pythonhosted", "/work", "/home", "/root"])
def test_the_check_of_a_clean_checkout_names_no_registry_and_no_machine(word: str) -> None:
    assert word not in (ROOT / ".ci" / "run").read_text("utf-8")
