"""Which keys mean something now. The engine has the last word; this keeps the screen from offering what cannot be."""

from __future__ import annotations

from runbook.core.state import NodeState, RunState, is_allowed
from runbook.core.view import NodeView, RunView
from runbook.report.handover import can_be_handed
from runbook.tui.present.matter import matter
from runbook.tui.present.standing import next_for_me, standing
from runbook.tui.present.words import can_say

_RETRYABLE = frozenset({NodeState.READY, NodeState.WAITING, NodeState.BLOCKED, NodeState.FAILED, NodeState.IN_DOUBT})
DECISIONS = frozenset({"approve", "approve_phase", "retry", "skip", "attest", "hand", "note", "pause", "abort"})


def available(
    view: RunView, selected: str | None, phase: str | None, is_read_only: bool, step: str = ""
) -> frozenset[str]:
    """The ids of the decisions that fit the run and the selected row now, and of ``next`` and ``open``.

    Args:
        view: the run.
        selected: the node that is selected, if it is one.
        phase: where the selected row lies.
        is_read_only: whether nothing can be decided from here.
        step: the step that is selected, if it is one.
    """
    can = {"next"} if next_for_me(view, selected) is not None else set()
    if (shown := view.nodes.get(selected or "")) is not None and matter(shown):
        can.add("open")
    if is_read_only or not view.id or view.state in (RunState.DONE, RunState.ABORTED):
        node = None if is_read_only else view.nodes.get(selected or "")
        is_open = view.state is RunState.DONE and node is not None and is_looked_at_again(view, node)
        noted = {"note"} if view.id and not is_read_only else set()  # for whoever reads a run that is over
        return frozenset(can | noted | ({"retry"} if is_open else set()))
    can |= {"pause", "abort", "note"}
    if phase is not None and ready_safe(view, phase):
        can.add("approve_phase")
    if step and ready_of_step(view, step):
        can.add("approve")
    node = view.nodes.get(selected or "")
    if node is not None:
        can |= _for_node(node)
        if is_looked_at_again(view, node):
            can.add("retry")
    return frozenset(can)


def unfit(view: RunView, is_read_only: bool) -> frozenset[str]:
    """What cannot mean anything from this seat, whatever is selected: it is not even shown."""
    decided = DECISIONS if is_read_only or view.state in (RunState.DONE, RunState.ABORTED) else frozenset()
    return decided | {"take_over"}


def renamed(view: RunView, node: NodeView | None) -> dict[str, str]:
    """Keys that do something else now than their names say."""
    names = {"pause": "Go on"} if view.paused else {}
    if node is not None and node.handed and node.state is NodeState.WAITING:
        names["retry"] = "Take back"
    return names


def _for_node(node: NodeView) -> set[str]:
    can = set()
    if node.state is NodeState.READY and not node.is_approved:
        can.add("approve")
    if node.state in _RETRYABLE:
        can.add("retry")
    if is_allowed(node.state, NodeState.SKIPPED) and node.state is not NodeState.OBSERVING:
        can.add("skip")
    if can_say(node):
        can.add("attest")
    if can_be_handed(node):
        can.add("hand")
    return can


def is_looked_at_again(view: RunView, node: NodeView) -> bool:
    """Whether a node that is done can be asked for what is new."""
    return node.state is NodeState.DONE and view.grows(node.doc["step"])


def ready_of_step(view: RunView, step: str) -> list[NodeView]:
    """The nodes of a step that wait for a go, whatever their risk."""
    return [n for n in standing(view).ready if n.doc["step"] == step]


def ready_safe(view: RunView, phase: str) -> list[NodeView]:
    """The nodes of a phase that wait for a go and change nothing disruptively."""
    return [n for n in standing(view).ready if n.doc["phase"] == phase and not n.is_disruptive]
