"""A rehearsal that waits for the operator, to be looked at by pages."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from runbook.cli.main import run


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsed")
    run(["--home", str(folder), "rehearse", "--headless", "--run-id", "arc"])
    return folder


@pytest.fixture
def parked(rehearsed: Path) -> Path:
    """The environment's state folder, with a run ``arc`` that waits for the operator's first approvals."""
    home = Path(os.environ["RUNBOOK_HOME"])
    shutil.copytree(rehearsed, home)
    return home
