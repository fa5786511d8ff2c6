"""The same ten writes by this program, by a script of `az rest`, and by Ansible, side by side against one simulator.

The bounds hold the run itself, durable as ever, from its journal's first entry to its last: what the engine, the
client and the journal take. The whole command stands beside it. It also starts Python and asks `az` for a token, once
for a run however long, which for ten writes that Azure takes a third of a second for is most of what it does.

Takes some minutes, most of them Ansible's, so it is no part of the usual table of speed:

    CONFORMANCE_AZ=…/bin/az CONFORMANCE_ANSIBLE=…/bin/ansible-playbook \\
        pytest -n 0 -s -m "bench and conformance" tests/benchmarks/test_clients.py

Without the variables, both are installed into environments of their own, which takes a package index and a minute more.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.contenders import TEN, Course, Took, median, ratio
from tests.benchmarks.table import tell
from tests.conformance.az import installed
from tests.conformance.conftest import az
from tests.served.simulate import simulated

pytestmark = [
    pytest.mark.bench,
    pytest.mark.conformance,
    pytest.mark.timeout(900),
    pytest.mark.skipif("PYTEST_XDIST_WORKER" in os.environ, reason="times worth comparing need -n 0"),
]

__all__ = ["az"]

TURNS = 3
FASTER_THAN_AZ = 7.0
FASTER_THAN_ANSIBLE = 12.0


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ansible's program."""
    folder = tmp_path_factory.mktemp("ansible") / "venv"
    return installed("CONFORMANCE_ANSIBLE", folder, ["ansible-core"], "ansible-playbook")


def test_ten_writes_take_a_run_a_fraction_of_what_they_take_scripts(az: Path, ansible: Path, tmp_path: Path) -> None:
    ours: list[Took] = []
    single: list[Took] = []
    fourfold: list[Took] = []
    play: list[Took] = []
    token: list[Took] = []
    with simulated(tmp_path, "--empty") as there:
        course = Course(there, az, ansible, tmp_path)
        course.warm_up()
        for turn in range(TURNS):
            ours.append(course.runbook(turn))
            single.append(course.script(turn, is_parallel=False))
            fourfold.append(course.script(turn, is_parallel=True))
            play.append(course.play(turn))
            token.append(course.token())
    we = median(ours)
    tell(
        f"{TEN} writes, polled and read back: a durable run, its journal's span",
        f"{we.run_s:.2f} s, {we.requests:.0f} requests",
    )
    tell(
        "  the command around it, from its start to its end",
        f"{we.s:.2f} s, of them {median(token).s:.2f} s for a token from `az`; largest process {we.peak_mb:.0f} MB",
    )
    for what, theirs, bound in (
        ("  az rest, one after another", single, f" (≥ {FASTER_THAN_AZ:g})"),
        ("  az rest, 4 at a time", fourfold, ""),
        ("  Ansible's uri", play, f" (≥ {FASTER_THAN_ANSIBLE:g})"),
    ):
        took, whole = median(theirs), [replace(our, run_s=our.s) for our in ours]
        tell(
            what,
            f"{took.s:.2f} s, {ratio(theirs, ours):.1f} × the run{bound}, {ratio(theirs, whole):.1f} × the command; "
            f"{took.requests:.0f} requests; largest process {took.peak_mb:.0f} MB",
        )
    assert ratio(single, ours) >= FASTER_THAN_AZ
    assert ratio(play, ours) >= FASTER_THAN_ANSIBLE
