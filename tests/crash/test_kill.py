"""A process really killed, again and again, at random moments, and resumed by another each time."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from runbook.home import CLOUD, run_dir
from runbook.sim.state import State
from tests.benchmarks.table import tell
from tests.crash.harness import RUN, begin, settled

BOUND_S = 60


def drive(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "runbook", "resume", RUN, "--home", str(home), "--headless", "--yes"]
    return subprocess.Popen(
        [*command, "--yes-disruptive", "--speed", "150000"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def end(process: subprocess.Popen[bytes]) -> None:
    _, talk = process.communicate(timeout=BOUND_S)
    assert process.returncode == 0, talk.decode()


def cloud_of(home: Path) -> tuple[dict[str, Any], Counter[tuple[str, str]]]:
    """The cloud's resources, and what its own activity log says the operator did."""
    state = State(run_dir(home, RUN) / CLOUD)
    resources = {key: settled(body) for key, body in state.items("resources")}
    deeds = Counter(
        (event["operationName"]["value"], event["resourceId"].lower())
        for _, event in state.items("activity")
        if event["caller"] != "Azure" and event["eventName"]["value"] == "BeginRequest"
    )
    state.close()
    return resources, deeds


def kill_and_resume(folder: Path, kills: int, seed: int) -> int:
    """Rehearse, killing as we go, until so many kills have hit a living process; returns the rehearsals that took."""
    dice = random.Random(seed)
    begin(folder / "whole", "arc-preview")
    end(drive(folder / "whole"))
    whole = cloud_of(folder / "whole")
    hit = rehearsals = 0
    while hit < kills:
        rehearsals += 1
        assert rehearsals <= kills + 1, "kills hardly ever hit: they come too late"
        home = folder / f"killed-{rehearsals}"
        begin(home, "arc-preview")
        for _ in range(12):
            process = drive(home)
            try:
                process.communicate(timeout=dice.uniform(0.2, 1.2))
                assert process.returncode == 0
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate(timeout=BOUND_S)
                hit += 1
        else:
            end(drive(home))
        assert cloud_of(home) == whole
        check = [sys.executable, "-m", "runbook", "journal", "check", RUN, "--home", str(home), "--json"]
        assert json.loads(subprocess.run(check, capture_output=True, check=True, timeout=BOUND_S).stdout)
    return rehearsals


@pytest.mark.timeout(240)
def test_a_process_killed_at_random_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    kills = 25
    rehearsals = kill_and_resume(tmp_path, kills, seed=2026)
    tell("kill -9 at random moments", f"{kills} kills over {rehearsals} rehearsals")


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(16))
def test_very_many_kills_lose_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    rehearsals = kill_and_resume(tmp_path, kills=25, seed=seed)
    tell("kill -9 at random moments", f"25 kills over {rehearsals} rehearsals, seed {seed}")
