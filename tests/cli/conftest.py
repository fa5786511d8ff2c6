"""Command lines run in this process, and two rehearsals to look at: one that waits for the operator, one done."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from runbook.cli.main import run


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


Shell = Callable[..., Ended]


def _run(*args: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(args)
    return Ended(code, out.getvalue(), err.getvalue())


@pytest.fixture
def shell() -> Shell:
    """Runs a command line against the state folder of the environment."""
    return _run


@pytest.fixture
def home() -> Path:
    """The state folder of the environment; it does not exist yet."""
    return Path(os.environ["RUNBOOK_HOME"])


def _rehearsed(folder: Path, *options: str) -> Path:
    ended = _run("--home", str(folder), "rehearse", "--headless", "--run-id", "arc", *options)
    (folder / "out.txt").write_text(ended.out, encoding="utf-8")
    (folder / "err.txt").write_text(ended.err, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def parked_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _rehearsed(tmp_path_factory.mktemp("parked"))


@pytest.fixture(scope="session")
def finished_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _rehearsed(tmp_path_factory.mktemp("finished"), "--yes", "--yes-disruptive")


@pytest.fixture
def parked(parked_home: Path, home: Path) -> Path:
    """The environment's state folder, with a run ``arc`` that waits for the operator's first approvals."""
    shutil.copytree(parked_home, home)
    return home


@pytest.fixture
def finished(finished_home: Path, home: Path) -> Path:
    """The environment's state folder, with a run ``arc`` that is done."""
    shutil.copytree(finished_home, home)
    return home
