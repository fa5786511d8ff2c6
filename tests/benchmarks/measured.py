"""Runs one command and writes down how long it took and how large its largest process grew.

A process of its own, and a small one: Linux counts what a process was forked from to the peak of what it becomes, so
that everything a large test runner starts would seem as large as the runner.

Usage: ``measured.py FIGURES TALK COMMAND...``; FIGURES gets ``{"rc", "s", "mb"}``, TALK what the command prints.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main(figures: str, talk: str, *command: str) -> None:
    with Path(talk).open("wb") as file:
        began = time.perf_counter()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False)
        took = time.perf_counter() - began
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    Path(figures).write_text(json.dumps({"rc": done.returncode, "s": took, "mb": peak_kb / 1024}), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
