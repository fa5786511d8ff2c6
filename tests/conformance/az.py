"""The real Azure CLI, in an environment of its own.

``CONFORMANCE_AZ`` names its ``az``; without it, it is installed into a temporary folder, which takes a minute and
needs a package index. Whatever is started gets the environment of a served cloud, which keeps it on this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

WORKER = Path(__file__).with_name("az_worker.py")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    rc: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out) if self.out.strip() else None


class Az:
    """The Azure CLI, signed in to a served cloud: one process that runs command after command."""

    def __init__(self, az: Path, env: dict[str, str], talk: Path) -> None:
        self._talk = talk.open("w", encoding="utf-8")
        self._worker = subprocess.Popen(
            [str(az.with_name("python")), str(WORKER)],
            env={**environment(), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._talk,
            text=True,
        )
        assert self._read().out == "ready", talk.read_text("utf-8")

    def __call__(self, *args: str) -> Ran:
        """Run ``az`` with these arguments."""
        assert self._worker.stdin is not None
        self._worker.stdin.write(json.dumps({"args": list(args)}) + "\n")
        self._worker.stdin.flush()
        return self._read()

    def _read(self) -> Ran:
        assert self._worker.stdout is not None
        line = self._worker.stdout.readline()
        assert line, Path(self._talk.name).read_text("utf-8")
        return Ran(**json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._worker.poll() is None:
            self._worker.kill()
        self._worker.communicate()
        self._talk.close()


def environment() -> dict[str, str]:
    """The machine's environment without anything that could sign in elsewhere."""
    foreign = ("AZURE_", "ARM_", "MSI_", "IDENTITY_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}


def run_az(az: Path, env: dict[str, str], args: Sequence[str]) -> Ran:
    """Run the program itself, as an operator does."""
    done = subprocess.run(
        [str(az), *args], env={**environment(), **env}, capture_output=True, text=True, timeout=110, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def installed(variable: str, folder: Path, packages: Sequence[str], program: str) -> Path:
    """A program of an environment of its own: the one a variable names, or one that is made now.

    Skips where neither is to be had, and says why.
    """
    if named := os.environ.get(variable):
        if not Path(named).is_file():
            pytest.skip(f"{variable} names {named}, which is no file")
        return Path(named)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", *packages]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(packages)} cannot be installed here, and {variable} names none: {done.stderr[-300:]}")
    return folder / "bin" / program
