"""README cannot drift from the code."""

from __future__ import annotations

import os
import re

import pytest

from tests.architecture.readme import README, block, blocks, error_classes, meaning, rewritten
from tests.architecture.repository import ROOT

TEST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest"
FIRST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/runbook rehearse arc-private-link"


@pytest.mark.parametrize("name", ["states", "errors", "commands", "exits", "simulated"])
def test_what_readme_says_is_what_the_code_says(name: str) -> None:
    stands = block(README.read_text("utf-8"), name)
    assert stands == blocks()[name], "run `python -m tests.architecture.readme`"


def test_rewriting_adds_what_is_missing_mends_what_is_stale_and_leaves_the_rest() -> None:
    stale = "# Title\n\n<!-- states -->\nold\n<!-- /states -->\n\nWords of our own.\n"
    fresh = rewritten(stale)
    assert {name: block(fresh, name) for name in blocks()} == blocks()
    assert fresh.startswith("# Title\n\n<!-- states -->")
    assert "Words of our own." in fresh
    assert rewritten(fresh) == fresh


def test_every_error_has_a_meaning_and_a_code_fit_for_scripts() -> None:
    for cls in error_classes():
        assert re.fullmatch(r"[a-z_]+", cls.code), cls
        assert meaning(cls), f"{cls.__name__} needs a docstring"


@pytest.mark.parametrize("command", [FIRST_COMMAND, TEST_COMMAND])
def test_readme_prints_the_two_commands_exactly(command: str) -> None:
    assert command in README.read_text("utf-8").splitlines()


def test_the_check_of_a_clean_checkout_runs_readmes_own_test_command() -> None:
    script = ROOT / ".ci" / "run"
    assert TEST_COMMAND in script.read_text("utf-8").splitlines()
    assert os.access(script, os.X_OK)
