"""What a run without a person may answer by itself: a pure function of a node and of what was allowed beforehand."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.core.command import Approve, Attest
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView

WORDS = 5
"""How often it vouches at one node before that is left to a person: it plainly does not help."""


def account(view: RunView) -> str:
    """In whose name something is decided from here: who is signed in."""
    return str(view.pinned.get("account", "")) or "operator"


@dataclass(frozen=True, slots=True)
class Policy:
    """Answers given beforehand.

    Attributes:
        yes: approve safe changes; in rehearsals, also vouch for what others would have done.
        yes_disruptive: approve disruptive changes.
        attests: whether it may vouch at all; never outside rehearsals.
        by: in whose name.
    """

    yes: bool = False
    yes_disruptive: bool = False
    attests: bool = False
    by: str = ""

    def answer(self, node: NodeView, *, is_stuck: bool = False) -> Approve | Attest | None:
        """The answer to what a node asks now, if it may be given.

        A rule that blocks is never answered: it is what a rehearsal is there to find.

        Args:
            node: as it stands.
            is_stuck: nothing else moves any more, so waits that could also be settled by reading are vouched for.
        """
        if node.state is NodeState.READY and not node.is_approved and node.changes:
            risks = {c["risk"] for c in node.changes}
            allowed = ({"safe"} if self.yes else set()) | ({"disruptive"} if self.yes_disruptive else set())
            return Approve(node.id, tuple(c["digest"] for c in node.changes), self.by) if risks <= allowed else None
        if node.handed:  # what another team does is seen by looking, and vouched for by nobody here
            return None
        wait = node.waiting
        if node.state is NodeState.WAITING and wait and wait["attest"] and self.yes and self.attests:
            word = f"{wait['attest']} (said by --yes in a rehearsal)"
            is_due = is_stuck or wait["next_poll_ms"] is None
            if is_due and sum(a["by"] == self.by for a in node.attested) < WORDS:
                return Attest(node.id, word, self.by)
        return None
