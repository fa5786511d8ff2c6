"""README's section "Against real clients", followed word by word with the real Azure CLI."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.repository import ROOT
from tests.conformance.az import environment
from tests.served.simulate import Simulated, simulated

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(400)]

ALONE = ("--headless", "--yes", "--yes-disruptive", "--confirm-subscription", "Contoso Landing Zone")
"""What stands for the person at the screen."""


def blocks() -> list[str]:
    """The shell lines of the section, block by block."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text[text.index("\n## Against real clients\n") + 1 :]
    return re.findall(r"^```sh\n(.*?)^```", section[: section.index("\n## ")], re.DOTALL | re.MULTILINE)


class Newcomer:
    """A shell that is signed in to a served cloud, with a state folder of its own."""

    def __init__(self, running: Simulated, az: Path, home: Path) -> None:
        programs = [str(Path(sys.executable).parent), str(az.parent), os.environ["PATH"]]
        self._env = {**environment(), "PATH": os.pathsep.join(programs), "RUNBOOK_HOME": str(home)}
        self._sign_in = Path(running.said["ca_file"]).with_name("env.sh")

    def types(self, lines: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euc", f". {self._sign_in}\n{lines}"],
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        return self.types(f"runbook {shlex.join(args)}")

    def status(self) -> Any:
        (run,) = json.loads(self.run("runs", "--json").stdout)
        return json.loads(self.run("status", run["id"], "--json").stdout)


def test_what_readme_says_of_real_clients_works_as_it_stands(az: Path, tmp_path: Path) -> None:
    serve, begin, finish = blocks()
    assert serve.startswith("runbook simulate --empty")
    plan, start = 'runbook plan "$@"\n', 'runbook start "$@" --via az\n'
    assert finish.endswith(plan + start)
    by_hand = finish.removesuffix(plan + start)
    inputs = by_hand[by_hand.index("vnet=$(") :]
    with simulated(tmp_path, "--empty", "--speed", "600") as running:
        newcomer = Newcomer(running, az, tmp_path / "home")
        done = newcomer.types(begin)
        assert done.returncode == 0, done.stderr
        done = newcomer.types(by_hand + plan)
        assert done.returncode == 10, done.stderr
        done = newcomer.types(f"{inputs}{start.rstrip()} {shlex.join(ALONE)}")
        assert done.returncode == 3, done.stdout + done.stderr
        answered: set[str] = set()
        for _ in range(8):  # what only people know is told; the rest goes on
            status = newcomer.status()
            run = status["run"]["id"]
            waits = [n["id"] for n in status["nodes"] if n["state"] in ("waiting", "blocked")]
            if not waits:
                break
            for node in waits:
                newcomer.run("answer", run, node, "attest", "--text", "seen to by those concerned")
                answered.add(node)
            done = newcomer.run("resume", run, *ALONE[:3])
        assert newcomer.status()["run"]["state"] == "done", (answered, done.stdout[-3000:], done.stderr[-1000:])
        commands = {r["command"] for r in running.requests()}
    assert {"group create", "network vnet create", "network private-endpoint create", "rest"} <= commands
