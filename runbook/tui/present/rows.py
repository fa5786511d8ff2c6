"""The run as a tree of rows: phases, steps with several nodes, nodes, and steps that have not become nodes yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal

from runbook.core.state import FINISHED, GLYPHS, NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present.text import one_line
from runbook.tui.present.words import glyph, most_urgent, role, wants_me, word

Key = tuple[Literal["phase", "step", "node"], str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the tree."""

    key: Key
    glyph: str
    title: str
    word: str
    """The state in a word, or how many of a group are finished."""
    role: str
    wants_me: bool = False
    is_member: bool = False
    """One of several nodes of a step: its title may lack what the step's row says already."""


@dataclass(frozen=True, slots=True)
class Branch:
    row: Row
    children: tuple[Branch, ...] = ()


def outline(view: RunView) -> tuple[Branch, ...]:
    """Every phase with what lies below, in book order."""
    by_step: dict[str, list[NodeView]] = {}
    for node in view.nodes.values():
        by_step.setdefault(node.doc["step"], []).append(node)
    by_phase: dict[str, list[Mapping[str, Any]]] = {}
    for step in view.book.get("steps", ()):
        by_phase.setdefault(step.get("phase", ""), []).append(step)
    names = {id_.lower(): one_line(name) for id_, name in view.pinned.get("subscriptions", {}).items() if name}
    titles = {p["id"]: p.get("title", p["id"]) for p in view.book.get("phases", ())}
    phases = [*titles, *(p for p in by_phase if p not in titles)]
    return tuple(_phase(view, p, titles.get(p, p), by_phase[p], by_step, names) for p in phases if p in by_phase)


def _phase(
    view: RunView,
    id_: str,
    title: str,
    steps: Iterable[Mapping[str, Any]],
    by_step: Mapping[str, list[NodeView]],
    names: Mapping[str, str],
) -> Branch:
    children: list[Branch] = []
    nodes: list[NodeView] = []
    later = 0
    for step in steps:
        of_step = by_step.get(step["id"], [])
        nodes += of_step
        if len(of_step) > 1:
            row = _group(("step", step["id"]), step_title(step), of_step, 0)
            children.append(Branch(row, tuple(Branch(r) for r in member_rows(step, of_step, names))))
        elif of_step:
            children.append(Branch(node_row(of_step[0], names)))
        else:
            is_empty = step["id"] in view.expanded
            later += not is_empty
            children.append(Branch(_without_nodes(step, is_empty)))
    return Branch(_group(("phase", id_), title, nodes, later), tuple(children))


def _group(key: Key, title: str, nodes: list[NodeView], later: int) -> Row:
    states = [n.state for n in nodes] + [NodeState.PENDING] * later
    finished = sum(s in FINISHED for s in states)
    state = most_urgent(states) if states else NodeState.SKIPPED
    wanted = sum(map(wants_me, nodes))
    tally = f"{finished}/{len(states)}{'+' if later else ''}"
    return Row(key, GLYPHS[state], one_line(title), f"{wanted}! {tally}" if wanted else tally, role(state), wanted > 0)


def _without_nodes(step: Mapping[str, Any], is_empty: bool) -> Row:
    state = NodeState.SKIPPED if is_empty else NodeState.PENDING
    return Row(("step", step["id"]), GLYPHS[state], step_title(step), "none" if is_empty else "later", role(state))


def node_row(node: NodeView, names: Mapping[str, str]) -> Row:
    """A node's row. Subscriptions are called by their names (``id → name``); the node's own head gives the ids."""
    title = one_line(node.doc["title"]) or node.id
    if names:
        title = _GUID.sub(lambda found: names.get(found[0].lower(), found[0]), title)
    return Row(("node", node.id), glyph(node), title, word(node), role(node.state), wants_me(node))


def member_rows(step: Mapping[str, Any], nodes: list[NodeView], names: Mapping[str, str]) -> list[Row]:
    """The rows of several nodes of one step. What all their titles share is left out, so that they can be told apart.

    An ellipsis stands for shared words that the step's own row does not show either.
    """
    rows = [node_row(n, names) for n in nodes]
    titles = [r.title for r in rows]
    if len(set(titles)) < len(titles):
        titles = [f"{t} {_last(n.doc['key'] or n.id)}" for t, n in zip(titles, nodes, strict=True)]
    before, _, after = _EXPRESSION.sub("\0", str(step.get("title", ""))).partition("\0")
    head = _shared(titles)
    tail = _shared([t[len(head) :][::-1] for t in titles])[::-1]
    opening = "…" if len(head) > len(one_line(before)) + 1 else ""
    closing = "…" if len(tail) > len(one_line(after)) + 1 else ""
    short_titles = [opening + t[len(head) : len(t) - len(tail)] + closing for t in titles]
    return [replace(r, title=t, is_member=True) for r, t in zip(rows, short_titles, strict=True)]


def _shared(texts: list[str]) -> str:
    """What all texts begin with, up to a boundary between words; never the whole of one."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    start = "".join(letters[0] for letters in same)
    if start in texts:
        start = start[:-1]
    end = max((start.rfind(sign) for sign in " ./:-"), default=-1)
    return start[: end + 1]


def _last(key: str) -> str:
    return one_line(key).rstrip("/").rpartition("/")[2]


_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_EXPRESSION = re.compile(r"\$\{[^}]*\}")


def step_title(step: Mapping[str, Any]) -> str:
    """A step's title as the book has it, with an ellipsis for each expression that only its nodes can fill."""
    title = one_line(_EXPRESSION.sub("…", str(step.get("title", ""))))
    return title if title.strip("… ") else one_line(step["id"])
