"""Finished rehearsals to plant mistakes in, and command lines run in this process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Shell, _run
from tests.dns.mistakes import RUNS

Finished = Callable[[str], Path]


@pytest.fixture(scope="session")
def finished_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dns")
    for run, options in RUNS.items():
        ended: Ended = _run(
            "--home", str(folder), "rehearse", *options, "--headless", "--run-id", run, "--yes", "--yes-disruptive"
        )
        assert ended.code == 0, ended.err
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
