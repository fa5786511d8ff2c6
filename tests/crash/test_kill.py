"""A process really killed, again and again, at random moments, and resumed by another each time."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from runbook.home import CLOUD, run_dir
from runbook.sim.state import State
from tests.benchmarks.table import tell
from tests.crash.estates import estate
from tests.crash.harness import RUN, begin, contents, difference

BOUND_S = 180


def drive(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "runbook", "resume", RUN, "--home", str(home), "--headless", "--yes"]
    return subprocess.Popen(
        [*command, "--yes-disruptive", "--speed", "150000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def end(process: subprocess.Popen[bytes]) -> None:
    _, talk = process.communicate(timeout=BOUND_S)
    assert process.returncode == 0, talk.decode()


def is_killed(process: subprocess.Popen[bytes], dice: random.Random, longest_s: float) -> bool:
    """Let a process live for a while, mostly counted from its first word, and kill it; False if it ended before."""
    assert process.stdout is not None
    if dice.random() < 0.8:  # else it may end while it still opens the run
        process.stdout.readline()
    try:
        _, talk = process.communicate(timeout=dice.uniform(0.02, longest_s))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate(timeout=BOUND_S)
        return True
    assert process.returncode == 0, talk.decode()
    return False


def cloud_of(home: Path) -> tuple[dict[str, Any], Counter[tuple[str, str]]]:
    """The cloud's resources, and what its own activity log says the operator did."""
    state = State(run_dir(home, RUN) / CLOUD)
    resources = contents(state)
    deeds = Counter(
        (event["operationName"]["value"], event["resourceId"].lower())
        for _, event in state.items("activity")
        if event["caller"] != "Azure" and event["eventName"]["value"] == "BeginRequest"
    )
    state.close()
    return resources, deeds


def kill_and_resume(
    folder: Path, kills: int, seed: int, scenario: str = "arc-preview", book: str = "", longest_s: float = 0.9
) -> int:
    """Rehearse, killing as we go, until so many kills have hit a living process; returns the rehearsals that took.

    Args:
        longest_s: real seconds that a process lives at most before it is killed; shorter than a whole rehearsal.
    """
    dice = random.Random(seed)
    begin(folder / "whole", scenario, book)
    end(drive(folder / "whole"))
    whole = cloud_of(folder / "whole")
    hit = rehearsals = 0
    while hit < kills:
        rehearsals += 1
        assert rehearsals <= kills + 1, "kills hardly ever hit: they come too late"
        home = folder / f"killed-{rehearsals}"
        begin(home, scenario, book)
        for _ in range(min(12, kills - hit)):
            if not is_killed(drive(home), dice, longest_s):
                break
            hit += 1
        else:
            end(drive(home))
        resources, deeds = cloud_of(home)
        assert resources == whole[0], difference(resources, whole[0])
        assert deeds == whole[1], f"{deeds - whole[1]} too many, {whole[1] - deeds} missing"
        check = [sys.executable, "-m", "runbook", "journal", "check", RUN, "--home", str(home), "--json"]
        assert json.loads(subprocess.run(check, capture_output=True, check=True, timeout=BOUND_S).stdout)
    return rehearsals


def told(what: str, kills: int, rehearsals: int, began_s: float) -> None:
    took = f"{time.monotonic() - began_s:.0f} s"
    tell(f"kill -9 at random moments, {what}", f"{kills} kills over {rehearsals} rehearsals, {took}")


@pytest.mark.timeout(240)
def test_a_process_killed_at_random_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    began_s, kills = time.monotonic(), 6
    rehearsals = kill_and_resume(tmp_path, kills, seed=2026)
    told("arc-preview", kills, rehearsals, began_s)


@pytest.mark.timeout(240)
def test_a_virtual_desktop_rehearsal_killed_at_random_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    began_s, kills = time.monotonic(), 4
    rehearsals = kill_and_resume(tmp_path, kills, seed=2026, scenario="avd-small")
    told("avd-small", kills, rehearsals, began_s)


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_an_estate_killed_at_random_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Twelve host pools, six workspaces, sixty hosts in two subscriptions; a thirteenth pool comes while it runs."""
    began_s, kills = time.monotonic(), 4
    scenario = estate(tmp_path, blocks=(2, 1), growth_s=1_200)
    rehearsals = kill_and_resume(tmp_path, kills, 2026, scenario, "avd-private-link", longest_s=3.0)
    told("estate of 12 pools", kills, rehearsals, began_s)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(16))
def test_very_many_kills_lose_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    began_s = time.monotonic()
    rehearsals = kill_and_resume(tmp_path, kills=25, seed=seed)
    told(f"arc-preview, seed {seed}", 25, rehearsals, began_s)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scenario", ["avd-small", "avd-preview", "avd-brownfield"])
def test_very_many_kills_of_virtual_desktop_rehearsals_lose_and_repeat_nothing(
    tmp_path: Path, scenario: str, seed: int
) -> None:
    began_s = time.monotonic()
    rehearsals = kill_and_resume(tmp_path, kills=25, seed=seed, scenario=scenario)
    told(f"{scenario}, seed {seed}", 25, rehearsals, began_s)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(6))
def test_very_many_kills_of_a_larger_estate_lose_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    """Twenty-four host pools, twelve workspaces, a hundred and twenty hosts in three subscriptions."""
    began_s = time.monotonic()
    scenario = estate(tmp_path, blocks=(3, 2, 1), growth_s=1_800)
    rehearsals = kill_and_resume(tmp_path, 8, seed, scenario, "avd-private-link", longest_s=5.0)
    told(f"estate of 24 pools, seed {seed}", 8, rehearsals, began_s)
