"""The run as a tree of rows: phases, steps with several nodes, nodes, and steps that have not become nodes yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
    parts: tuple[str, ...] = ()
    """For one of several nodes of a step: what its title is made of, to be shortened one by one."""


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
            together, members = member_rows(step, of_step, names)
            children.append(
                Branch(_group(("step", step["id"]), together, of_step, 0), tuple(Branch(r) for r in members))
            )
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


def member_rows(step: Mapping[str, Any], nodes: list[NodeView], names: Mapping[str, str]) -> tuple[str, list[Row]]:
    """What to call several nodes of one step together, and their rows, which leave out what that says already."""
    rows = [node_row(n, names) for n in nodes]
    values = [_values(step, row.title) for row in rows]
    if any(v is None for v in values) or len({r.title for r in rows}) < len(rows):
        keys = [_last(n.doc["key"] or n.id) for n in nodes]
        return step_title(step), [replace(r, title=key, parts=(key,)) for r, key in zip(rows, keys, strict=True)]
    columns = list(zip(*(v for v in values if v is not None), strict=True))
    heads = [_shared(column) for column in columns]
    spoken = (c[0] if len(set(c)) == 1 else f"{head}…" for c, head in zip(columns, heads, strict=True))
    together = one_line(_EXPRESSION.sub(lambda _: next(spoken), str(step["title"])))
    telling = [(c, len(head)) for c, head in zip(columns, heads, strict=True) if len(set(c)) > 1]
    parts = [tuple(column[number][cut:] for column, cut in telling) for number in range(len(rows))]
    return together, [replace(r, title=" · ".join(p), parts=p) for r, p in zip(rows, parts, strict=True)]


def _values(step: Mapping[str, Any], title: str) -> tuple[str, ...] | None:
    """What stands in a node's title where the step's title has its expressions; None when they do not match."""
    literals = _EXPRESSION.split(one_line(step.get("title", "")))
    found = re.fullmatch("(.*?)".join(map(re.escape, literals)), title)
    return tuple(found.groups()) if found and found.groups() else None


def _shared(texts: Sequence[str]) -> str:
    """What all texts begin with, up to a boundary between words; never the whole of one, and nothing short."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    start = "".join(letters[0] for letters in same)
    if start in texts:
        start = start[:-1]
    end = max((start.rfind(sign) for sign in " ./:-"), default=-1)
    return start[: end + 1] if end >= _WORTH_CUTTING else ""


_WORTH_CUTTING = 5
"""Shorter beginnings are left where they are: `srv-app-01` is a name, `app-01` is a riddle."""


def _last(key: str) -> str:
    return one_line(key).rstrip("/").rpartition("/")[2]


_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_EXPRESSION = re.compile(r"\$\{[^}]*\}")


def step_title(step: Mapping[str, Any]) -> str:
    """A step's title as the book has it, with an ellipsis for each expression that only its nodes can fill."""
    title = one_line(_EXPRESSION.sub("…", str(step.get("title", ""))))
    return title if title.strip("… ") else one_line(step["id"])
