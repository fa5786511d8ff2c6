"""What a run screen is given beside its run: where its operator looked last, and how long things usually take.

Invariant: nothing of this is state of the run. A place that is lost or out of date costs a keypress and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

from runbook.core.expected import Expected
from runbook.core.view import RunView
from runbook.tui.present.rows import Key

_MOST: Final = 200
"""So many rows and nodes are kept at most."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operator looks in a run.

    Attributes:
        row: the selected one.
        page: the name of the page beside it.
        follows: whether the selection went by itself to what needed somebody.
        folded: rows that were folded.
        opened: rows that were open.
        wanted: nodes that wanted the operator then.
        head: number of the newest entry they saw; 0 where that is not known. It is no place, so it makes none another.
    """

    row: Key | None = None
    page: str = ""
    follows: bool = True
    folded: frozenset[Key] = frozenset()
    opened: frozenset[Key] = frozenset()
    wanted: frozenset[str] = frozenset()
    head: int = field(default=0, compare=False)

    def to_doc(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "row": list(self.row) if self.row else None,
            "page": self.page,
            "follows": self.follows,
            "folded": [list(key) for key in sorted(self.folded)[:_MOST]],
            "opened": [list(key) for key in sorted(self.opened)[:_MOST]],
            "wanted": sorted(self.wanted)[:_MOST],
            "head": self.head,
        }

    @classmethod
    def from_doc(cls, doc: Any) -> Self | None:
        """From the JSON of ``to_doc``; None of anything else."""
        try:
            row = _key(doc["row"]) if doc["row"] else None
            folded, opened = (frozenset(_key(key) for key in doc[name][:_MOST]) for name in ("folded", "opened"))
            wanted = frozenset(str(id_) for id_ in doc["wanted"][:_MOST])
            head = int(doc.get("head", 0))  # an earlier release kept none
            return cls(row, str(doc["page"]), bool(doc["follows"]), folded, opened, wanted, head)
        except (KeyError, TypeError, ValueError):
            return None


def _key(doc: Any) -> Key:
    kind, id_ = doc
    if kind not in ("phase", "step", "node"):
        raise ValueError(kind)
    return (kind, str(id_))


@dataclass(frozen=True, slots=True)
class Memory:
    """All three may be slow, and are called from worker threads.

    Attributes:
        recall: where the operator looked last in a run.
        keep: where they look now. What goes wrong is nobody's concern.
        expected: how long the steps of a run usually settle and wait.
    """

    recall: Callable[[str], Place | None] = lambda _: None
    keep: Callable[[str, Place], None] = lambda _, __: None
    expected: Callable[[RunView], Expected] | None = None
