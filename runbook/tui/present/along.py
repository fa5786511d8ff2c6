"""What a go, or a word, covers beside what is shown: steps that then send their calls without asking again.

Invariant: nobody's go covers a call that was not named where the go was given.
"""

from __future__ import annotations

from runbook.core.view import NodeView, RunView
from runbook.tui.present.rows import step_title
from runbook.tui.present.text import Line, lines


def along(view: RunView, *nodes: NodeView) -> list[Line]:
    """One line for each step that goes along with a decision on these nodes; none where nothing does."""
    steps = {s["id"]: s for node in nodes for s in view.goes_along(node.doc["step"])}
    told = "Covered by this too, sent later without asking again"
    return [row for s in steps.values() for row in lines(f"{told}: {step_title(s)}.", "wait")]
