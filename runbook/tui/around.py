"""What the screens are given beside a run and the home screen: what the operator set, and what else is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.core.view import RunView
from runbook.journal.past import ToldPast
from runbook.tui.memory import Memory
from runbook.tui.runs import Runs
from runbook.tui.settings import Kept

if TYPE_CHECKING:
    from runbook.dns.model import Table
    from runbook.engine.host import Attachment
    from runbook.tui.making import Making


def _no_runs() -> Runs:
    return Runs(lambda: (), lambda _: ToldPast())


@dataclass(frozen=True, slots=True)
class Around:
    """By itself it holds nothing and keeps nothing.

    Attributes:
        kept: the operator's settings and where they are.
        memory: where the operator looked last in each run, and how long things take.
        runs: what is known of other runs.
        names: looks up every name of a run; called in a worker thread. None where that is not possible.
        report: writes a run's report to a file, with True also over one that exists; returns the journal's faults.
            None where that is not allowed.
        making: makes new runs; None where that is not allowed.
        take_over: opens a run for driving, also where its driver is alive, with why, which may be empty; called in a
            worker thread. None where that is not allowed.
    """

    kept: Kept = field(default_factory=Kept)
    memory: Memory = field(default_factory=Memory)
    runs: Runs = field(default_factory=_no_runs)
    names: Callable[[RunView], Table] | None = None
    making: Making | None = None
    report: Callable[[str, Path, bool], Sequence[str]] | None = None
    take_over: Callable[[str, str], Attachment] | None = None
