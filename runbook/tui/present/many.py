"""Approving many nodes with one decision: which ones, grouped by step, what each would change, what is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present import node as pages
from runbook.tui.present.along import along
from runbook.tui.present.can import ready_of_step, ready_safe
from runbook.tui.present.header import badge
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
        where: how real it is and which subscriptions it writes to, as the dialog may cover what else says so.
    """

    title: str
    go: str
    groups: tuple[Group, ...]
    remarks: tuple[Line, ...] = ()
    word: str = ""
    where: Line = ()

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
    remarks += along(view, *nodes)
    title = f"Approve {count} in {one_line(titles.get(phase, phase))}?"
    return Batch(title, f"Approve {count}", _groups(view, nodes), tuple(remarks), "", _where(view, nodes))


def of_step(view: RunView, step: str) -> Batch:
    """Every ready node of a step; where one of them disrupts, only after its id was typed."""
    nodes = ready_of_step(view, step)
    count = counted(nodes)
    risky = sum(n.is_disruptive for n in nodes)
    name = next((step_title(s) for s in view.book.get("steps", ()) if s["id"] == step), step)
    title, go, groups, where = (
        f"Approve {count} of “{name}”?",
        f"Approve {count}",
        _groups(view, nodes),
        _where(view, nodes),
    )
    if not risky:
        return Batch(title, go, groups, tuple(along(view, *nodes)), "", where)
    guides = (s.get("guide") for s in view.book.get("steps", ()) if s["id"] == step)
    risk = next((g["risk"] for g in guides if isinstance(g, dict) and g.get("risk")), "")
    text = one_line(risk) or "People or machines may notice."
    text = re.sub(r"^disruptive[:,.]?\s+", "", text, flags=re.IGNORECASE)
    remarks = lines(f"Disruptive, {risky} of {len(nodes)}: {text}", "bad") + along(view, *nodes)
    return Batch(title, go, groups, (*_places(view, nodes), *remarks), step, where)


def _where(view: RunView, nodes: Sequence[NodeView]) -> Line:
    known = view.pinned.get("subscriptions", {})
    names = [one_line(known.get(s) or s) for s in _parts(nodes, "subscriptions")]
    return line(badge(view), f"  {_few(names)}") if names else line(badge(view))


def _places(view: RunView, nodes: Sequence[NodeView]) -> list[Line]:
    """The resource groups and subscriptions that the changes go to: what a slip would hit."""
    known = view.pinned.get("subscriptions", {})
    rows: list[Line] = []
    if groups := _parts(nodes, "resourcegroups"):
        rows += labelled("Resource group" + "s" * (len(groups) > 1), _few(groups), "code")
    if ids := _parts(nodes, "subscriptions"):
        told = [f"{one_line(known.get(s, ''))} {s}".strip() for s in ids]
        rows += labelled("Subscription" + "s" * (len(ids) > 1), _few(told), "code")
    return rows


def _parts(nodes: Sequence[NodeView], kind: str) -> list[str]:
    """What stands behind this word in the paths of the changes, each once."""
    found: dict[str, str] = {}
    for change in (c for node in nodes for c in node.changes):
        parts = one_line(change["path"]).partition("?")[0].strip("/").split("/")
        for word, name in zip(parts[::2], parts[1::2], strict=False):
            if word.lower() == kind:
                found.setdefault(name.lower(), name)
    return list(found.values())


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


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
