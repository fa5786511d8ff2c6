"""What goes on beside a node that stands still: what can be worked on, what works by itself, what comes after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.state import FINISHED
from runbook.core.view import NodeView, RunView
from runbook.tui.present.standing import standing
from runbook.tui.present.text import Line, line, lines, one_line
from runbook.tui.present.words import glyph, role, wants_me, word


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """The other nodes of a run, as seen from one.

    Attributes:
        wanting: those that want the operator, in book order.
        at_work: those where something moves by itself.
        waiting: how many others wait for somebody.
        behind: how many nodes that exist already come after this one, directly or not.
    """

    wanting: tuple[NodeView, ...] = ()
    at_work: tuple[NodeView, ...] = ()
    waiting: int = 0
    behind: int = 0


def meanwhile(view: RunView, node: str) -> Meanwhile:
    """Look at a run from one node. It reads every node once; keep what it says for as long as the view is the same."""
    now = standing(view)
    return Meanwhile(
        tuple(n for n in now.wanting if n.id != node),
        tuple(n for n in now.at_work if n.id != node),
        sum(n.id != node and not wants_me(n) for n in now.waiting),
        _behind(view, node),
    )


def _behind(view: RunView, node: str) -> int:
    after: dict[str, list[str]] = {}
    for other in view.nodes.values():
        if other.state not in FINISHED:
            for need in other.doc["needs"]:
                after.setdefault(need, []).append(other.id)
    seen: set[str] = set()
    todo = [node]
    while todo:
        todo = [i for need in todo for i in after.get(need, ()) if i not in seen and not seen.add(i)]  # type: ignore[func-returns-value]
    return len(seen - {node})


_SHOWN: Final = 4


def meanwhile_lines(of: Meanwhile) -> list[Line]:
    """What goes on meanwhile, in a few lines."""
    rows: list[Line] = []
    if of.wanting:
        rows.append(line((f"{_nodes(len(of.wanting))} you now; ", ""), ("n", "key"), " goes there:"))
        rows += [_row(n) for n in of.wanting[:_SHOWN]]
        if len(of.wanting) > _SHOWN:
            rows += lines(f"  and {len(of.wanting) - _SHOWN} more", "muted")
    if of.at_work:
        first = one_line(of.at_work[0].doc["title"])
        more = f" and {len(of.at_work) - 1} more" if len(of.at_work) > 1 else ""
        rows += lines(f"At work by itself: {first}{more}.")
    if of.waiting:
        rows += lines(f"Waiting for others, too: {of.waiting}.")
    if not rows:
        rows += lines("Nothing else can be worked on until this is over.")
    if of.behind:
        rows += lines(f"Behind this one: {of.behind} node{'s' * (of.behind != 1)} that cannot begin.", "muted")
    return rows


def _nodes(count: int) -> str:
    return "One other node needs" if count == 1 else f"{count} other nodes need"


def _row(node: NodeView) -> Line:
    return line((f"  {glyph(node)} {word(node):<9} ", role(node.state)), one_line(node.doc["title"]))
