"""A live run as a process of its own, killed without notice, against a simulator that is another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from runbook.core.state import NodeState
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.sim.scenario_files import load_scenario
from tests.live.cloud import NAMES
from tests.live.test_signin import az
from tests.served.simulate import simulated

__all__ = ["az"]

RUNBOOK = [sys.executable, "-m", "runbook"]
CONFIRM = [part for name in NAMES for part in ("--confirm-subscription", name)]


@pytest.mark.soak
def test_a_live_run_killed_after_a_call_was_sent_goes_on_and_sends_nothing_twice(tmp_path: Path, az: Path) -> None:
    inputs = tmp_path / "inputs.json"
    inputs.write_text(json.dumps(load_scenario("arc-ga").inputs))
    home = ["--home", str(tmp_path / "state")]
    begun = ["start", "arc-private-link", "--mode", "live", "--inputs", str(inputs), "--run-id", "live", *CONFIRM]
    driving = ["--headless", "--json", "--yes", "--yes-disruptive"]
    with simulated(tmp_path, "--scenario", "arc-ga", "--speed", "3000") as there:
        env = {**there.env, "PATH": f"{az}{os.pathsep}{os.environ['PATH']}"}
        with (tmp_path / "talk").open("w") as talk:
            process = subprocess.Popen(
                [*RUNBOOK, *home, *begun, *driving], env=env, stdout=subprocess.PIPE, stderr=talk, text=True
            )
            assert process.stdout is not None
            kinds: list[str] = []
            for line in process.stdout:
                event = json.loads(line)
                kinds.append(event["kind"])
                if event["kind"] == "intended" and event["node"] == "endpoint":
                    process.kill()
                    break
            process.communicate()
        assert "intended" in kinds, (tmp_path / "talk").read_text()
        resumed = subprocess.run(
            [*RUNBOOK, *home, "resume", "live", *driving], env=env, capture_output=True, text=True, timeout=100
        )
        assert resumed.returncode in (3, 4), resumed.stderr
        sent = Counter((r["method"], r["path"].lower()) for r in there.requests() if r["method"] not in ("GET", "HEAD"))
    # The call under way may have left or not; if it had, its endpoint was found and not made again.
    endpoint = [count for (method, path), count in sent.items() if path.endswith("/privateendpoints/pe-arc")]
    assert endpoint == [1]
    assert {key: count for key, count in sent.items() if count > 1} == {}
    journal = Journal.open(tmp_path / "state" / "runs" / "live" / "journal.db", write=False)
    try:
        assert journal.check() == []
        view = load_view(journal)
    finally:
        journal.close()
    assert view.nodes["endpoint"].state is NodeState.DONE
    assert view.nodes["zone_group"].state is NodeState.DONE
