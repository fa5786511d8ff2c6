"""One run beside another of the same book: a pure function of their views and entries.

Nodes are matched by id; where keys differ, as between a rehearsal and the live run, by step and order in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.clock import iso
from runbook.core.redact import redact
from runbook.core.state import NodeState, RunState
from runbook.core.tally import by_step, title_of
from runbook.core.view import NodeView, RunView
from runbook.report.normal import is_choice
from runbook.report.sides import DECIDED, GRAVE, MINOR, SAME, Fact, Side

Json = dict[str, Any]

FORM: Final = 1
"""Version of the document's form."""

IMPORTANCE: Final = ("grave", "decided", "minor", "same")
"""By rank."""

_NOT_YET: Final = NodeState.PENDING.value

_APART: Final = 2.0
_APART_MS: Final = 60_000
"""Two lengths differ when one is more than twice the other, and by more than a minute."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing, left and right."""

    name: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    rank: int
    """``SAME`` when both sides agree."""

    @property
    def apart(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The lines that only one side has; all of them where that leaves none."""
        left = tuple(text for text in self.left if text not in self.right)
        right = tuple(text for text in self.right if text not in self.left)
        return (left, right) if left or right else (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Item:
    """The runs themselves, a step whose nodes cannot all be matched, or a pair of nodes."""

    kind: str
    """``run``, ``step`` or ``node``."""
    phase: str
    title: str
    left: str
    """The node's id, or the step's; empty where there is none on this side."""
    right: str
    fields: tuple[Field, ...]

    @property
    def rank(self) -> int:
        """That of the field that matters most."""
        return min((f.rank for f in self.fields), default=SAME)

    @property
    def differing(self) -> tuple[Field, ...]:
        """What differs, what matters most first."""
        return tuple(sorted((f for f in self.fields if f.rank < SAME), key=lambda f: f.rank))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs. ``items`` are by phase in the book's order, and within a phase what matters most first."""

    left: RunView
    right: RunView
    items: tuple[Item, ...]

    @property
    def is_equal(self) -> bool:
        """Whether nothing but names, numbers and lengths differs."""
        return all(item.rank >= MINOR for item in self.items)

    @property
    def phases(self) -> dict[str, str]:
        """Titles by id."""
        found = {p["id"]: p.get("title", p["id"]) for v in (self.right, self.left) for p in v.book.get("phases", ())}
        return {"": "The runs", **found}


def compare(left: Side, right: Side) -> Comparison:
    """Lay one run beside the other."""
    matches = list(_matches(left.view, right.view))
    renamed = [
        (a, b, f"{match.step} {number}")
        for match in matches
        for number, (a, b) in enumerate(match.pairs, 1)
        if a.id != b.id
    ]
    left.call((a, word) for a, _, word in renamed)
    right.call((b, word) for _, b, word in renamed)
    items = [_runs(left.view, right.view)]
    for match in matches:
        items += [_counts(left.view, right.view, match)] if match.is_uneven else []
        items += [_pair(left, right, match.phase, a, b) for a, b in match.pairs]
    order = {phase: number for number, phase in enumerate(dict.fromkeys(item.phase for item in items))}
    return Comparison(left.view, right.view, tuple(sorted(items, key=lambda item: (order[item.phase], item.rank))))


@dataclass(frozen=True, slots=True)
class _Match:
    """One step's nodes: those that belong together, and those that only one side has."""

    step: str
    phase: str
    pairs: list[tuple[NodeView, NodeView]]
    left: list[NodeView]
    right: list[NodeView]

    @property
    def is_uneven(self) -> bool:
        return bool(self.left or self.right)


def _matches(left: RunView, right: RunView) -> Iterator[_Match]:
    ours, theirs = by_step(left.nodes.values()), by_step(right.nodes.values())
    for step, phase in _steps(left, right):
        known = {node.id: node for node in theirs.get(step, [])}
        mine = ours.get(step, [])
        pairs = [(node, known.pop(node.id)) for node in mine if node.id in known]
        matched = {node.id for node, _ in pairs}
        rest, others = [node for node in mine if node.id not in matched], list(known.values())
        few = min(len(rest), len(others))
        pairs += zip(rest[:few], others[:few], strict=True)
        yield _Match(step, phase, pairs, rest[few:], others[few:])


def _steps(left: RunView, right: RunView) -> Iterator[tuple[str, str]]:
    """Every step of either book with its phase, in the order of the left one."""
    found: dict[str, str] = {}
    for view in (left, right):
        for step in view.book.get("steps", ()):
            found.setdefault(step["id"], step.get("phase", ""))
    phases = list(dict.fromkeys([*(p["id"] for p in left.book.get("phases", ())), *found.values()]))
    return iter(sorted(found.items(), key=lambda row: phases.index(row[1])))


# ---------------------------------------------------------------- the runs


def _runs(left: RunView, right: RunView) -> Item:
    bad = {RunState.FAILED, RunState.BLOCKED, RunState.ABORTED}
    grave = GRAVE if {left.state, right.state} & bad else DECIDED
    fields = [
        _plain("state", left.state.value.replace("_", " "), right.state.value.replace("_", " "), grave),
        _plain("book", f"{left.book.get('id')} {left.book.get('version')}", _book(right), DECIDED),
        _plain("edition asked for", left.edition, right.edition, DECIDED),
        _plain("mode", left.mode, right.mode, MINOR),
        _plain("scenario", left.scenario, right.scenario, MINOR),
        _plain("cloud", left.cloud, right.cloud, MINOR),
        _plain("account", left.pinned.get("account", ""), right.pinned.get("account", ""), MINOR),
    ]
    specs = {**right.book.get("inputs", {}), **left.book.get("inputs", {})}
    for name in dict.fromkeys([*left.inputs, *right.inputs]):
        rank = DECIDED if is_choice(specs.get(name, {})) else MINOR
        fields.append(_plain(f"input {name}", left.inputs.get(name), right.inputs.get(name), rank))
    return Item("run", "", "What the runs were made from", left.id, right.id, tuple(fields))


def _book(view: RunView) -> str:
    return f"{view.book.get('id')} {view.book.get('version')}"


def _plain(name: str, left: Any, right: Any, rank: int) -> Field:
    return Field(name, _lines(left), _lines(right), rank if left != right else SAME)


def _lines(value: Any) -> tuple[str, ...]:
    value = redact(value)
    if value in (None, "", [], {}):
        return ()
    if isinstance(value, list | tuple):
        return tuple(str(inner) for inner in value)
    if isinstance(value, dict):
        return tuple(f"{name}: {inner}" for name, inner in value.items())
    return ("yes" if value is True else "no" if value is False else str(value),)


# ---------------------------------------------------------------- steps and nodes


def _counts(left: RunView, right: RunView, match: _Match) -> Item:
    """A step with more nodes on one side: how many, and which have no counterpart."""
    step, both = match.step, len(match.pairs)
    counts = ((left, both + len(match.left)), (right, both + len(match.right)))
    is_lacking = not all(_has(view, step) for view, _ in counts)
    is_empty = any(not count and step in view.expanded for view, count in counts)
    rank = GRAVE if is_lacking or is_empty else DECIDED
    here, there = (tuple(node.doc["title"] for node in nodes) for nodes in (match.left, match.right))
    told = [(_number(view, step, count),) for view, count in counts]
    fields = (Field("nodes", told[0], told[1], rank), Field("without counterpart", here, there, rank))
    return Item("step", match.phase, title_of(left if _has(left, step) else right, step), step, step, fields)


def _number(view: RunView, step: str, count: int) -> str:
    if count:
        return str(count)
    if not _has(view, step):
        return "the book has no such step"
    return "none" if step in view.expanded else "not known yet"


def _has(view: RunView, step: str) -> bool:
    return any(s["id"] == step for s in view.book.get("steps", ()))


def _pair(left: Side, right: Side, phase: str, a: NodeView, b: NodeView) -> Item:
    facts = list(zip(left.facts(a), right.facts(b), strict=True))
    if a.state is not b.state and NodeState.PENDING in (
        a.state,
        b.state,
    ):  # one run has not come so far: no more to say
        facts = facts[:1]
    fields = tuple(_field(x, y) for x, y in facts if x.shown or y.shown)
    return Item("node", phase, a.doc["title"] or a.id, a.id, b.id, fields)


def _field(left: Fact, right: Fact) -> Field:
    if left.lasted_ms is not None or right.lasted_ms is not None:
        is_apart = _is_apart(left.lasted_ms or 0, right.lasted_ms or 0)
        return Field(left.name, left.shown, right.shown, left.rank if is_apart else SAME)
    rank = DECIDED if left.name == "state" and _NOT_YET in left.like + right.like else min(left.rank, right.rank)
    return Field(left.name, left.shown, right.shown, SAME if left.like == right.like else rank)


def _is_apart(left_ms: int, right_ms: int) -> bool:
    longer, shorter = max(left_ms, right_ms), min(left_ms, right_ms)
    return longer - shorter > _APART_MS and longer > _APART * shorter


# ---------------------------------------------------------------- as a document


def compare_doc(comparison: Comparison) -> Json:
    """What ``compare --json`` prints: the differences, never what is the same."""
    return {
        "form": FORM,
        "equal": comparison.is_equal,
        "left": _run_doc(comparison.left),
        "right": _run_doc(comparison.right),
        "differences": [_item_doc(item) for item in comparison.items if item.rank < SAME],
    }


def _run_doc(view: RunView) -> Json:
    book = {"id": view.book.get("id"), "version": view.book.get("version")}
    times = {"created_at": iso(view.created_ms), "updated_at": iso(view.updated_ms)}
    return {"id": view.id, "book": book, "mode": view.mode, "state": view.state.value, **times}


def _item_doc(item: Item) -> Json:
    return {
        "kind": item.kind,
        "phase": item.phase,
        "title": item.title,
        "left": item.left,
        "right": item.right,
        "importance": IMPORTANCE[item.rank],
        "fields": [
            {"name": f.name, "left": list(f.left), "right": list(f.right), "importance": IMPORTANCE[f.rank]}
            for f in item.differing
        ],
    }


def compare_lines(comparison: Comparison, *, is_whole: bool = False) -> Iterable[str]:
    """The differences in plain lines; ``is_whole`` has those of names, numbers and lengths, too."""
    left, right = comparison.left, comparison.right
    yield f"left   {left.id}: {left.mode}, {left.state.value.replace('_', ' ')}"
    yield f"right  {right.id}: {right.mode}, {right.state.value.replace('_', ' ')}"
    least = MINOR if is_whole else DECIDED
    phase: str | None = None
    for item in comparison.items:
        if item.rank > least:
            continue
        if item.phase != phase:
            phase = item.phase
            yield ""
            yield comparison.phases.get(phase, phase)
        yield f"  {_SIGNS[item.rank]} {item.title}{_renamed(item)}"
        for field in item.differing:
            if field.rank <= least:
                left_, right_ = (_joined(lines) for lines in field.apart)
                yield f"      {field.name}: {left_} | {right_}"
    if comparison.is_equal:
        yield ""
        yield "Nothing was decided, done or met otherwise."


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(" ".join(text.split()) for text in texts) or "nothing"


_SIGNS: Final = "!≠· "
"""By rank."""


def _renamed(item: Item) -> str:
    return f" (right: {item.right})" if item.kind == "node" and item.left != item.right else ""
