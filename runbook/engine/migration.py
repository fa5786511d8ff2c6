"""Moving a run to a newer book: what would differ, and the one entry that does it. Pure functions.

A run keeps the book it began with; nothing but this entry ever replaces it. What is done and asked for as before
stays. What is asked for otherwise begins again, and looks first, so nothing that stands is made twice; approvals, words
and changes of the node stay with it. What the newer book does not ask for any more is left out with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from runbook.book import Book, Need, StepSpec, expand, expansion_needs
from runbook.core.docs import NodeDoc
from runbook.core.entry import Draft, Kind, canonical
from runbook.core.error import RunbookError, UsageError
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView, RunView

LOOKED_AT: Final = {"uses": "uses", "with_": "with", "when": "when"}
"""What decides what a node finds: where it differs, the node is looked at again."""
ARRANGED: Final = {"for_each": "for_each", "key": "key", "needs": "needs", "gate": "gate", "unasked": "unasked"}
"""What decides which nodes there are and when they begin."""
WORDED: Final = {"title": "title", "target": "target", "phase": "phase", "guide": "guide", "source": "source"}


@dataclass(frozen=True, slots=True)
class Migration:
    """What moving a run comes to.

    Attributes:
        steps: step id → what differs: ``new``, ``left out``, or the names of its parts that do.
        stays: nodes that are finished and stay so.
        again: nodes that are looked at again.
        left_out: node → why.
    """

    run: str
    versions: tuple[int, int]
    steps: Mapping[str, str]
    stays: tuple[str, ...]
    again: tuple[str, ...]
    left_out: Mapping[str, str]
    data: Mapping[str, Any]

    @property
    def is_different(self) -> bool:
        return bool(self.steps or self.left_out or self.again) or self.versions[0] != self.versions[1]

    @property
    def text(self) -> str:
        """The whole in a sentence."""
        return (
            f"Moved from {self.way}. Finished nodes that stay: {len(self.stays)}; looked at again: {len(self.again)}; "
            f"left out: {len(self.left_out)}."
        )

    @property
    def way(self) -> str:
        """From which book to which; two texts of one version are told apart, too."""
        before, after = self.versions
        if before == after:
            return f"version {before} of the book as it was to version {after} as it is now"
        return f"version {before} of the book to version {after}"

    def draft(self) -> Draft:
        return Draft(Kind.MIGRATED, data={**self.data, "text": self.text})


def migration(view: RunView, old: Book, new: Book, inputs: Mapping[str, Any]) -> Migration:
    """What moving a run to another book would do.

    Args:
        view: the run.
        old: its own book.
        new: the one to move to.
        inputs: the run's inputs as the new book takes them.

    Raises:
        UsageError: the run is over, the books are not the same one's, or a call is under way where things change.
    """
    if view.state in (RunState.DONE, RunState.ABORTED):
        raise UsageError(f"Run {view.id} is {view.state}; there is nothing to move.", "Start a new run.")
    if old.id != new.id:
        raise UsageError(f"Run {view.id} is of the book {old.id}, not of {new.id}.", "Name a newer file of its book.")
    steps = _steps(old, new)
    after = replace(view, book=dict(new.doc), inputs=inputs)
    docs, expand_again = _docs(new, after)
    reset = [n for n in view.nodes.values() if _begins_again(n, docs.get(n.id), old, new)]
    gone = {n.id: _why_left_out(n, new) for n in view.nodes.values() if n.id not in docs and _is_left(n)}
    for node in (*reset, *(view.nodes[name] for name in gone)):
        if node.intent is not None or node.operation is not None:
            raise UsageError(
                f"{node.id} is {node.state.value.replace('_', ' ')}: a call of its is not settled, and the newer book "
                "asks for something else there.",
                "Resume the run until that is settled, then move it.",
            )
    names = {n.doc["step"] for n in reset}
    expand_again |= {s.id for s in new.repeated if names & set(expansion_needs(s, new)) and s.id in view.expanded}
    changed = [doc for name, doc in docs.items() if name in view.nodes and doc != view.nodes[name].doc]
    expand_again |= {doc["step"] for name, doc in docs.items() if name not in view.nodes}
    again = [n.id for n in reset]
    finished = (NodeState.DONE, NodeState.SKIPPED)
    stays = [n.id for n in view.nodes.values() if n.state in finished and n.id not in again and n.id not in gone]
    data = {
        "book": dict(new.doc),
        "inputs": dict(inputs),
        "nodes": changed,
        "reset": again,
        "removed": gone,
        "again": sorted(expand_again),
    }
    return Migration(view.id, (old.version, new.version), steps, tuple(stays), tuple(again), gone, data)


def _steps(old: Book, new: Book) -> dict[str, str]:
    found: dict[str, str] = {}
    for spec in new.steps:
        if not old.has_step(spec.id):
            found[spec.id] = "new"
        elif parts := _differ(old.step(spec.id), spec, {**LOOKED_AT, **ARRANGED, **WORDED, "otherwise": "otherwise"}):
            found[spec.id] = ", ".join(parts)
    return found | {spec.id: "left out" for spec in old.steps if not new.has_step(spec.id)}


def _differ(a: StepSpec, b: StepSpec, parts: Mapping[str, str]) -> list[str]:
    return [name for part, name in parts.items() if _text(getattr(a, part)) != _text(getattr(b, part))]


def _text(value: Any) -> str:
    return canonical(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Need):
        return [value.step, value.all]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _docs(new: Book, view: RunView) -> tuple[dict[str, NodeDoc], set[str]]:
    """The nodes as the new book makes them of what is known, and the steps of which that cannot be told yet."""
    docs: dict[str, NodeDoc] = {}
    later: set[str] = set()
    for spec in new.steps:
        if spec.id not in view.expanded:
            continue
        try:
            docs |= {doc["id"]: doc for doc in expand(new, spec, view)}
        except RunbookError:
            later.add(spec.id)
            docs |= {n.id: n.doc for n in view.of_step(spec.id)}
    return docs, later


def _is_left(node: NodeView) -> bool:
    """Whether a node that is not asked for any more has still to be left out: one that is skipped, is."""
    return node.state is not NodeState.SKIPPED


def _why_left_out(node: NodeView, new: Book) -> str:
    what = "this member" if new.has_step(node.doc["step"]) else "this step"
    done = " What it changed stays." if node.applied else ""
    return f"version {new.version} of the book does not have {what} any more.{done}"


def _begins_again(node: NodeView, doc: NodeDoc | None, old: Book, new: Book) -> bool:
    step = node.doc["step"]
    if doc is None or node.state is NodeState.PENDING or not old.has_step(step):
        return False
    if node.skipped is not None and node.skipped["by"] == "operator":
        return False
    return doc["item"] != node.doc["item"] or bool(_differ(old.step(step), new.step(step), LOOKED_AT))
