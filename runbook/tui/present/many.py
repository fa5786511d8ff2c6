"""Approving many nodes with one decision: which ones, grouped by step, what each would change, what is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present import node as pages
from runbook.tui.present.can import ready_of_step, ready_safe
from runbook.tui.present.rows import step_title
from runbook.tui.present.text import Line, end_of, labelled, line, lines, one_line


@dataclass(frozen=True, slots=True)
class Group:
    """The nodes of one step that are to be approved."""

    title: str
    nodes: tuple[NodeView, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one decision would approve.

    Attributes:
        title: the question.
        go: the words on the button that answers yes.
        remarks: what to know before.
        word: what must be typed first; empty where nothing disrupts.
    """

    title: str
    go: str
    groups: tuple[Group, ...]
    remarks: tuple[Line, ...] = ()
    word: str = ""

    @property
    def nodes(self) -> list[NodeView]:
        return [node for group in self.groups for node in group.nodes]


def of_phase(view: RunView, phase: str) -> Batch:
    """Every ready, safe node of a phase."""
    nodes = ready_safe(view, phase)
    titles = {p["id"]: p.get("title", p["id"]) for p in view.book.get("phases", ())}
    left = [
        n
        for n in view.nodes.values()
        if n.doc["phase"] == phase and n.state is NodeState.READY and n.is_disruptive and not n.is_approved
    ]
    count = counted(nodes)
    remarks = []
    if left:
        how = "with a on their step's row" if len({n.doc["step"] for n in left}) < len(left) else "one by one"
        remarks = lines(f"Not included, because disruptive: {len(left)}. Approve those {how}.", "wait")
    title = f"Approve {count} in {one_line(titles.get(phase, phase))}?"
    return Batch(title, f"Approve {count}", _groups(view, nodes), tuple(remarks))


def of_step(view: RunView, step: str) -> Batch:
    """Every ready node of a step; where one of them disrupts, only after its id was typed."""
    nodes = ready_of_step(view, step)
    count = counted(nodes)
    risky = sum(n.is_disruptive for n in nodes)
    title = next((step_title(s) for s in view.book.get("steps", ()) if s["id"] == step), step)
    if not risky:
        return Batch(f"Approve {count} of “{title}”?", f"Approve {count}", _groups(view, nodes))
    guides = (s.get("guide") for s in view.book.get("steps", ()) if s["id"] == step)
    risk = next((g["risk"] for g in guides if isinstance(g, dict) and g.get("risk")), "")
    text = one_line(risk) or "People or machines may notice."
    text = re.sub(r"^disruptive[:,.]?\s+", "", text, flags=re.IGNORECASE)
    remarks = lines(f"Disruptive, {risky} of {len(nodes)}: {text}", "bad")
    return Batch(f"Approve {count} of “{title}”?", f"Approve {count}", _groups(view, nodes), tuple(remarks), step)


def counted(nodes: Sequence[NodeView]) -> str:
    """``1 node``, ``200 nodes``."""
    return f"{len(nodes)} node{'s' * (len(nodes) != 1)}"


def _groups(view: RunView, nodes: Sequence[NodeView]) -> tuple[Group, ...]:
    """The nodes by step, in book order."""
    by_step: dict[str, list[NodeView]] = {}
    for node in nodes:
        by_step.setdefault(node.doc["step"], []).append(node)
    titles = {s["id"]: step_title(s) for s in view.book.get("steps", ())}
    return tuple(Group(titles.get(step, step), tuple(members)) for step, members in by_step.items())


def group_line(group: Group) -> Line:
    """A step's row in the list."""
    calls = sum(len(n.changes) for n in group.nodes)
    told = f"  {counted(group.nodes)}, {calls} call{'s' * (calls != 1)}"
    return line((group.title, "heading"), (told, "muted"))


def node_line(node: NodeView) -> Line:
    """A node's row in the list."""
    title = one_line(node.doc["title"])
    more = f", {len(node.changes)} calls" if len(node.changes) > 1 else ""
    risky = ("  disruptive", "bad") if node.is_disruptive else ("", "")
    return line("• ", title, (more, "muted"), risky)


def detail(node: NodeView, *, is_whole: bool = False) -> list[Line]:
    """What a node's row stands for: its resource, and its plan; resource ids in full or as far as they differ."""
    rows: list[Line] = []
    for path in dict.fromkeys(change["path"] for change in node.changes):
        rows += labelled("Resource", one_line(path) if is_whole else end_of(path, 2), "code")
    undo = [row for change in node.changes for row in pages.undo_lines(change)]
    return [*rows, *pages.plan(node, is_whole=is_whole, key="F2"), *undo]
