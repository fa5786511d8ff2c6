"""The composition root: makes runs, and builds the world a run is driven in. It alone knows both engine and cloud."""

from __future__ import annotations

from runbook.home import run_dir
from runbook.wiring.create import Wish, create_run, find_scenario
from runbook.wiring.drive import Rehearsal, answer_run, attach, open_run, open_session
from runbook.wiring.look import Lookout, look_again, look_ahead

__all__ = [
    "Lookout",
    "Rehearsal",
    "Wish",
    "answer_run",
    "attach",
    "create_run",
    "find_scenario",
    "look_again",
    "look_ahead",
    "open_run",
    "open_session",
    "run_dir",
]
