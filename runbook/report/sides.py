"""One run as it is laid beside another: for each node what was decided, done, met and waited for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runbook.core.clock import duration, from_iso
from runbook.core.docs import ChangeDoc, skipped_why
from runbook.core.entry import Entry, Kind, canonical
from runbook.core.redact import redact
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.report.normal import Normal, kind_of
from runbook.report.story import Story

GRAVE: Final = 0
"""Failed, stuck, left out or there on one side only."""
DECIDED: Final = 1
"""Something else was decided, done, seen or waited for."""
MINOR: Final = 2
"""How long it took, by whose name, with which numbers: two runs always differ so."""
SAME: Final = 3


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know of a node or a run.

    Attributes:
        shown: as it was, in lines; empty when there is nothing.
        like: the same for comparing, without names; ``lasted_ms`` takes its place where a length is compared.
        rank: how much it matters when it differs.
    """

    name: str
    shown: tuple[str, ...]
    like: tuple[str, ...]
    rank: int
    lasted_ms: int | None = None


@dataclass(slots=True)
class _Node:
    story: Story = field(default_factory=Story)
    changes: dict[str, ChangeDoc] = field(default_factory=dict)


class Side:
    """One run, heard from its first entry to its newest.

    Args:
        view: as it stands.
        entries: all of them, in order.
    """

    def __init__(self, view: RunView, entries: Iterable[Entry]) -> None:
        self.view = view
        self._normal = Normal(view)
        self._nodes: dict[str, _Node] = {}
        for entry in entries:
            if entry.node is not None:
                known = self._nodes.setdefault(entry.node, _Node())
                known.story.hear(entry)
                if entry.kind is Kind.OBSERVED:
                    known.changes |= {c["digest"]: c for c in entry.data.get("changes", ())}
        for known in self._nodes.values():
            known.story.still_waiting(view.updated_ms)

    def call(self, nodes: Iterable[tuple[NodeView, str]]) -> None:
        """Take the names of these nodes for what each is called; the other run has them under other names."""
        self._normal.call(nodes)

    def facts(self, node: NodeView) -> list[Fact]:
        """Everything about one node that can differ, what matters most first."""
        known = self._nodes.get(node.id) or _Node()
        story = known.story
        checks = [(c["name"], c["ok"], c["observed"]) for c in node.checks]
        codes = list(dict.fromkeys(str(trouble["code"]) for trouble in story.troubles))
        if node.state is NodeState.BLOCKED and node.blocked and node.blocked["rule"] not in codes:
            codes.append(node.blocked["rule"])
        waits = list(dict.fromkeys(str(wait["who"]) for wait in story.waits))
        words = [f"{word['by']}: {word['text']}" for word in story.attestations]
        facts = [
            self._fact(node, "state", [_state(node)], GRAVE if node.state in _GRAVE else DECIDED, [node.state.value]),
            self._fact(node, "why left out", _why(node), DECIDED),
            self._fact(node, "changes made", self._made(known, node), DECIDED, self._made(known, node, is_like=True)),
            self._fact(node, "changes not made", [c["title"] for c in node.changes], DECIDED),
            self._fact(node, "checks", [f"{'✓' if ok else '✗'} {name}" for name, ok, _ in checks], DECIDED),
            self._fact(node, "errors met", [f"{t['code']}: {t['message']}" for t in story.troubles], DECIDED, codes),
            self._fact(node, "waited for", waits, DECIDED),
            self._fact(node, "word given", words, DECIDED, ["yes"] if words else []),
            self._fact(node, "said go", list(dict.fromkeys(a["by"] for a in story.approvals)), MINOR),
            _length("wait lasted", sum(map(self._waited_ms, story.waits)) if story.waits else None),
            _length("took", _took_ms(story)),
            self._fact(node, "observed", [f"{name}: {observed}" for name, _, observed in checks], MINOR),
        ]
        return [fact for fact in facts if fact is not None]

    def _fact(
        self, node: NodeView, name: str, shown: Iterable[str], rank: int, like: Iterable[str] | None = None
    ) -> Fact:
        lines = tuple(str(redact(text)) for text in shown)
        return Fact(name, lines, tuple(self._normal.text(t, node) for t in (lines if like is None else like)), rank)

    def _waited_ms(self, wait: Mapping[str, Any]) -> int:
        until_ms = from_iso(wait["until"]) if wait["until"] else self.view.updated_ms
        return max(0, until_ms - from_iso(wait["since"]))

    def _made(self, known: _Node, node: NodeView, *, is_like: bool = False) -> list[str]:
        """Every change that took effect: what was written, and what it altered."""
        lines: list[str] = []
        taken = {applied["digest"] for applied in node.applied}
        for command in known.story.commands:
            if command["digest"] not in taken:
                continue
            change = known.changes.get(command["digest"])
            kind = kind_of(command["path"])
            lines.append(
                f"{command['method']} {kind}" if is_like else f"{command['method']} {kind}: {command['title']}"
            )
            for diff in change["diff"] if change else ():
                lines.append(f"  {diff['path']}: {_value(diff['before'])} → {_value(diff['after'])}")
        return lines


_GRAVE: Final = frozenset({NodeState.FAILED, NodeState.BLOCKED, NodeState.IN_DOUBT, NodeState.SKIPPED})


def _state(node: NodeView) -> str:
    return node.state.value.replace("_", " ")


def _why(node: NodeView) -> list[str]:
    if node.skipped is None or node.state is not NodeState.SKIPPED:
        return []
    by = "the operator" if node.skipped["by"] == "operator" else "the book"
    return [f"by {by}: {skipped_why(node.skipped) or 'its condition does not hold'}"]


def _value(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else canonical(value)


def _took_ms(story: Story) -> int | None:
    if story.started_ms is None or story.ended_ms is None:
        return None
    return max(0, story.ended_ms - story.started_ms)


def _length(name: str, lasted_ms: int | None) -> Fact:
    shown = () if lasted_ms is None else (duration(lasted_ms / 1000),)
    return Fact(name, shown, (), MINOR, lasted_ms)
