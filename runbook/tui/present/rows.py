"""The run as a tree of rows: phases, steps with several nodes, nodes, and steps that have not become nodes yet.

Invariant: an ``Outline`` makes anew only what changed. A branch that is the same as before is the very same object,
so whoever draws it can tell by that alone; an event costs no more in a run of thousands of nodes than in a small one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Final, Literal

from runbook.core.state import FINISHED, GLYPHS, NodeState
from runbook.core.tally import FEW
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
    spelled: str = ""
    """Of a large group: how its nodes stand, in words, for where there is room."""


@dataclass(frozen=True, slots=True)
class Branch:
    row: Row
    children: tuple[Branch, ...] = ()

    @property
    def begins_folded(self) -> bool:
        """Whether it is shown as one row until somebody opens it."""
        return self.row.key[0] == "step" and len(self.children) > FEW


@dataclass(frozen=True, slots=True)
class Tally:
    """How the nodes of a step or a phase stand.

    Attributes:
        states: how many nodes are in each state.
        words: the same by the words on the screen, which tell approved from ready.
        wanted: how many want the operator.
        later: steps that have not become nodes yet.
    """

    states: Mapping[NodeState, int]
    words: Mapping[str, int]
    wanted: int = 0
    later: int = 0

    @property
    def total(self) -> int:
        return sum(self.states.values()) + self.later

    @property
    def finished(self) -> int:
        return sum(count for state, count in self.states.items() if state in FINISHED)

    @property
    def state(self) -> NodeState:
        """What the group shows: its most urgent state."""
        if not self.total:
            return NodeState.SKIPPED
        return most_urgent([*self.states, *([NodeState.PENDING] * bool(self.later))])

    def brief(self) -> str:
        """``4! 143/200``."""
        tally = f"{self.finished}/{self.total}{'+' if self.later else ''}"
        return f"{self.wanted}! {tally}" if self.wanted else tally

    def spelled(self) -> str:
        """``143 of 200 done, 1 blocked, 3 ready``."""
        told = [f"{self.finished} of {self.total}{'+' if self.later else ''} done"]
        told += [f"{count} {name}" for name in _TOLD if (count := self.words.get(name, 0))]
        if at_work := sum(self.words.get(name, 0) for name in _AT_WORK):
            told.append(f"{at_work} at work")
        return ", ".join(told)


_TOLD: Final = ("failed", "blocked", "in doubt", "ready", "waiting", "approved")
_AT_WORK: Final = ("applying", "settling", "observing", "verifying")


def tally(nodes: Iterable[NodeView], later: int = 0) -> Tally:
    """Count nodes."""
    known = list(nodes)
    states, words = Counter(n.state for n in known), Counter(map(word, known))
    return Tally(states, words, sum(map(wants_me, known)), later)


def _together(tallies: Sequence[Tally]) -> Tally:
    states: Counter[NodeState] = Counter()
    words: Counter[str] = Counter()
    for part in tallies:
        states.update(part.states)
        words.update(part.words)
    return Tally(states, words, sum(t.wanted for t in tallies), sum(t.later for t in tallies))


def outline(view: RunView) -> tuple[Branch, ...]:
    """Every phase with what lies below, in book order."""
    return Outline().of(view)


@dataclass(slots=True)
class _Known:
    """What was last made of one step."""

    nodes: list[NodeView]
    is_expanded: bool
    branch: Branch
    tally: Tally


class Outline:
    """The tree of one run, view after view."""

    def __init__(self) -> None:
        self._steps: dict[str, _Known] = {}
        self._phases: dict[str, tuple[tuple[Branch, ...], Branch]] = {}

    def of(self, view: RunView) -> tuple[Branch, ...]:
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
        return tuple(
            self._phase(
                p, titles.get(p, p), [self._step(view, s, by_step.get(s["id"], []), names) for s in by_phase[p]]
            )
            for p in phases
            if p in by_phase
        )

    def _phase(self, id_: str, title: str, steps: Sequence[_Known]) -> Branch:
        children = tuple(known.branch for known in steps)
        before = self._phases.get(id_)
        if before is not None and all(map(_is_same, before[0], children)) and len(before[0]) == len(children):
            return before[1]
        branch = Branch(_group(("phase", id_), title, _together([known.tally for known in steps])), children)
        self._phases[id_] = children, branch
        return branch

    def _step(self, view: RunView, step: Mapping[str, Any], nodes: list[NodeView], names: Mapping[str, str]) -> _Known:
        before = self._steps.get(step["id"])
        is_expanded = step["id"] in view.expanded
        # Equal lists of the very same nodes are told by identity, one pointer each.
        if before is not None and before.nodes == nodes and before.is_expanded == is_expanded:
            return before
        known = self._steps[step["id"]] = _made(step, nodes, is_expanded, names, before)
        return known


def _is_same(one: object, other: object) -> bool:
    return one is other


def _made(
    step: Mapping[str, Any],
    nodes: list[NodeView],
    is_expanded: bool,
    names: Mapping[str, str],
    before: _Known | None,
) -> _Known:
    if not nodes:
        branch = Branch(_without_nodes(step, is_expanded))
        return _Known(nodes, is_expanded, branch, Tally({}, {}, later=int(not is_expanded)))
    count = tally(nodes)
    if len(nodes) == 1:
        return _Known(nodes, is_expanded, Branch(node_row(nodes[0], names)), count)
    if (
        before is not None
        and len(before.nodes) == len(nodes)
        and all(a.doc is b.doc for a, b in zip(before.nodes, nodes, strict=True))
    ):
        title = before.branch.row.title
        old = zip(before.nodes, before.branch.children, nodes, strict=True)
        children = tuple(b if was is now else Branch(_restated(b.row, now)) for was, b, now in old)
    else:
        title, rows = member_rows(step, nodes, names)
        children = tuple(map(Branch, rows))
    return _Known(nodes, is_expanded, Branch(_group(("step", step["id"]), title, count), children), count)


def _group(key: Key, title: str, count: Tally) -> Row:
    state = count.state
    spelled = count.spelled() if count.total > FEW else ""
    return Row(key, GLYPHS[state], one_line(title), count.brief(), role(state), count.wanted > 0, spelled=spelled)


def _restated(row: Row, node: NodeView) -> Row:
    """The row of a node that moved on: its name stays."""
    return replace(row, glyph=glyph(node), word=word(node), role=role(node.state), wants_me=wants_me(node))


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
    tails = [_shared_end([text[len(head) :] for text in c]) for c, head in zip(columns, heads, strict=True)]
    ends = list(zip(columns, heads, tails, strict=True))
    spoken = (c[0] if len(set(c)) == 1 else f"{head}…{tail}" for c, head, tail in ends)
    together = one_line(_EXPRESSION.sub(lambda _: next(spoken), str(step["title"])))
    telling = [end for end in ends if len(set(end[0])) > 1]
    parts = [
        tuple(c[number].removesuffix(tail)[len(head) :] for c, head, tail in telling) for number in range(len(rows))
    ]
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


def _shared_end(texts: Sequence[str]) -> str:
    """The domain that all texts end with, as in ``privatelink.wvd.microsoft.com``; never the whole of one."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*(t[::-1] for t in texts), strict=False))
    end = "".join(letters[0] for letters in same)[::-1]
    end = end[end.find(".") :] if "." in end and len(set(texts)) > 1 else ""
    return end if len(end) >= _WORTH_CUTTING and all(len(t) > len(end) for t in texts) else ""


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
