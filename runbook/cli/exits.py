"""Every exit code there is, and from which state of a run each follows."""

from __future__ import annotations

from enum import IntEnum
from typing import assert_never

from runbook.core.state import RunState
from runbook.core.view import RunView


class Exit(IntEnum):
    """What a command ends with. Scripts rely on these numbers; 10 and 11 are kept for commands to come."""

    DONE = 0
    """Done, or nothing to do. Listings always end so."""
    FAILED = 1
    """A node failed, the run was aborted, or the journal is damaged or cannot be written."""
    USAGE = 2
    """Wrong usage, or an invalid book, inputs or scenario. Nothing was created."""
    OUTSIDE = 3
    """Only waits for somebody outside are left."""
    OPERATOR = 4
    """Something waits for the operator's word."""
    BLOCKED = 5
    """A rule forbids going on."""
    DRIVEN = 6
    """Another process drives this run."""
    PLAN = 10
    """Kept: a plan has changes."""
    DRIFT = 11
    """Kept: the cloud drifted from what the run left."""
    INTERRUPTED = 130
    """Stopped by the operator or the system; the run can be resumed."""


def of_run(view: RunView) -> Exit:
    """What a command that drove a run ends with. Where several hold: 1, then 5, 4, 3, as ``RunState`` orders them."""
    match view.state:
        case RunState.DONE:
            return Exit.DONE
        case RunState.FAILED | RunState.ABORTED:
            return Exit.FAILED
        case RunState.BLOCKED:
            return Exit.BLOCKED
        case RunState.NEEDS_OPERATOR:
            return Exit.OPERATOR
        case RunState.WAITING:
            return Exit.OUTSIDE
        case RunState.ACTIVE:
            return Exit.OPERATOR  # nothing moves, and nobody outside is waited for: it is paused, or was left alone
        case _:
            assert_never(view.state)
