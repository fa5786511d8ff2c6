"""Cold starts, as ratios to starting Python itself, and a whole rehearsal, printed."""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks.table import show, tell
from tests.crash.harness import RUN, begin, play

pytestmark = pytest.mark.bench

RUNS = 5
PYTHON = [sys.executable, "-c", "pass"]


def median_s(command: list[str]) -> float:
    """Median wall seconds of a process, after one run that warms the caches."""
    took = []
    for number in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True, timeout=60)
        if number:
            took.append(time.perf_counter() - began)
    return statistics.median(took)


def test_help_and_status_start_quickly(tmp_path: Path) -> None:
    begin(tmp_path, "arc-preview")
    play(tmp_path)
    floor = median_s(PYTHON)
    runbook = [str(Path(sys.executable).parent / "runbook")]
    help_s = median_s([*runbook, "--help"])
    status_s = median_s([*runbook, "--home", str(tmp_path), "status", RUN, "--json"])
    show("runbook --help, against python -c pass", help_s, floor, 8)
    show("runbook status --json of a whole rehearsal, against the same", status_s, floor, 12)
    assert help_s <= 8 * floor
    assert status_s <= 12 * floor


def first_paint_s(command: list[str], text: bytes, home: Path) -> float:
    """Seconds from starting a program in a terminal of its own until it has painted ``text``."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "36", "RUNBOOK_HOME": str(home)}
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
    )
    seen, deadline = b"", began + 30
    try:
        while text not in seen and time.perf_counter() < deadline:
            if select.select([leader], [], [], 0.05)[0]:
                seen += os.read(leader, 65536)
        took = time.perf_counter() - began
        assert text in seen, seen[-2000:]
        return took
    finally:
        process.kill()
        process.wait()
        os.close(leader)
        os.close(follower)


def test_the_screen_paints_quickly(tmp_path: Path) -> None:
    begin(tmp_path, "arc-preview")
    play(tmp_path)
    floor = median_s([sys.executable, "-c", "import textual.app"])
    command = [str(Path(sys.executable).parent / "runbook"), "resume", RUN]
    first = statistics.median(first_paint_s(command, b"opening", tmp_path) for _ in range(RUNS))
    whole = statistics.median(first_paint_s(command, b"REHEARSAL", tmp_path) for _ in range(RUNS))
    show("first paint of the screen, against importing textual.app", first, floor, 2.5)
    tell("  until the run itself is shown", f"{whole * 1000:.0f} ms, ratio {whole / floor:.2f} (printed, not bound)")
    assert first <= 2.5 * floor


def test_a_whole_rehearsal_is_printed(tmp_path: Path) -> None:
    begin(tmp_path, "arc-preview")
    began = time.perf_counter()
    calls = []
    played = play(tmp_path, lambda session: calls.append(session.transport))
    took = time.perf_counter() - began
    tell(
        "whole Arc rehearsal, headless, at once",
        f"{took:.2f} s, {calls[0].calls} ARM calls, {len(played.entries)} entries",
    )
    assert calls[0].calls > 100
