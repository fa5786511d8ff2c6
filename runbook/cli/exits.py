"""Every exit code there is, and from which state of a run each follows."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, assert_never

from runbook.core.state import NodeState, RunState
from runbook.core.view import RunView

if TYPE_CHECKING:
    from runbook.engine.recheck import Recheck
    from runbook.engine.survey import Finding
    from runbook.wiring.verify import Verified


class Exit(IntEnum):
    """What a command ends with. Scripts rely on these numbers."""

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
    """`plan`: something would change. `undo --plan`: something would be taken back."""
    DRIFT = 11
    """`verify`: the cloud drifted. `dns`: a name is not what it must be. `compare`: the runs differ."""
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


def of_plan(findings: Iterable[Finding]) -> Exit:
    """What a plan ends with: 1, then 10, 5, 4, 3.

    A node that could not be read comes first, because the plan is not whole. Then what would change, whatever stands
    beside it. A wait alone counts only where something behind it cannot be told yet.
    """
    every = list(findings)
    verdicts = {f.verdict for f in every}
    if any(f.node.state is NodeState.FAILED for f in every):
        return Exit.FAILED
    if "change" in verdicts:
        return Exit.PLAN
    if "blocked" in verdicts:
        return Exit.BLOCKED
    if "unknown_until" not in verdicts:
        return Exit.DONE
    return Exit.OPERATOR if any(f.node.needs_operator for f in every) else Exit.OUTSIDE


def of_verify(checked: Iterable[Recheck]) -> Exit:
    """What ``verify`` ends with: 11, then 1."""
    outcomes = {c.outcome for c in checked}
    return Exit.DRIFT if "drift" in outcomes else Exit.FAILED if "unreadable" in outcomes else Exit.DONE


def of_verified(found: Verified) -> Exit:
    """As ``of_verify``, with the names: one that can be proven wrong is drift."""
    nodes = of_verify(found.checked)
    if nodes is Exit.DRIFT or (found.names is not None and found.names.is_wrong):
        return Exit.DRIFT
    return Exit.FAILED if found.names_unread else nodes
