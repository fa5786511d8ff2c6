"""Finished rehearsals to plant mistakes in, what one without a mistake writes, and command lines in this process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from runbook.core.state import RunState
from runbook.wiring import Wish, create_run
from tests.cli.conftest import Shell, _run
from tests.journeys.scenes import drive, rehearse
from tests.mistakes.table import RUNS

Clean = Callable[[str, str], frozenset[str]]


@pytest.fixture(scope="session")
def finished_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    for run, (book, scenario) in RUNS.items():
        create_run(folder, Wish(book, scenario=scenario, run=run), durable=False)
        assert drive(folder, run=run).view.state is RunState.DONE
    return folder


@pytest.fixture
def shell() -> Shell:
    """Runs a command line against the state folder of the environment."""
    return _run


@pytest.fixture
def finished(finished_runs: Path) -> Path:
    """The environment's state folder, with runs ``arc`` and ``avd`` that are done."""
    home = Path(os.environ["RUNBOOK_HOME"])
    shutil.copytree(finished_runs, home)
    return home


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """The writes, as ``method path``, of a rehearsal in which nobody made a mistake; each is played once."""

    @cache
    def writes(book: str, scenario: str) -> frozenset[str]:
        played = rehearse(tmp_path_factory.mktemp("clean"), scenario, book=book)
        assert played.view.state is RunState.DONE
        return frozenset(f"{method} {path}".lower() for method, path in played.writes)

    return writes
