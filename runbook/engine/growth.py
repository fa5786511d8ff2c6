"""Steps that become nodes, and whether a node is to be looked at at all. Pure functions.

Invariant: what is wrong with one step or node ends in a failure of its own, in words, and stops nobody else.
"""

from __future__ import annotations

from runbook.book import Book, StepSpec, expand, when
from runbook.core.docs import NodeDoc
from runbook.core.entry import Draft, Kind
from runbook.core.error import RunbookError, StepFault
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.agenda import is_missing
from runbook.engine.judge import error_doc


def grow(book: Book, spec: StepSpec, view: RunView) -> tuple[Draft, ...]:
    """The entries by which a step becomes nodes. Where it cannot, one node stands in for them all, and fails."""
    try:
        docs = expand(book, spec, view)
    except RunbookError as error:
        return (_expanded(spec, [_stand_in(spec)]), *failure(spec.id, error))
    return (_expanded(spec, docs),)


def _expanded(spec: StepSpec, docs: list[NodeDoc]) -> Draft:
    return Draft(Kind.EXPANDED, data={"step": spec.id, "nodes": docs})


def _stand_in(spec: StepSpec) -> NodeDoc:
    return {
        "id": spec.id,
        "step": spec.id,
        "key": None,
        "title": spec.title,
        "phase": spec.phase,
        "target": "",
        "gate": spec.gate,
        "needs": [],
        "item": None,
    }


def applies(book: Book, node: NodeView, view: RunView) -> bool:
    """Whether a node is to be looked at; if not, it is not needed here.

    Raises:
        BookError: its ``when`` has no value, or it stands in for nodes that could not be.
        StepFault: it needs a node that there will never be.
    """
    spec = book.step(node.doc["step"])
    if spec.for_each is not None and node.doc["key"] is None:
        expand(book, spec, view)
        raise StepFault(f"Step {spec.id} could not become nodes when its turn came.", "Skip it, or start a new run.")
    if missing := [need for need in node.doc["needs"] if is_missing(view, need)]:
        raise StepFault(
            f"{node.id} needs {', '.join(missing)}, and there is no such node.", "Skip it: it cannot begin."
        )
    return when(book, node.doc, view)


def failure(name: str, error: RunbookError) -> tuple[Draft, ...]:
    """The entries by which a node fails before anything was looked at."""
    doc = error_doc(error.code, error.message, error.hint)
    begun = Draft(Kind.BEGUN, name, NodeState.OBSERVING)
    return begun, Draft(Kind.FAILED, name, NodeState.FAILED, {"error": doc})


def skipped_needs(view: RunView, node: NodeView) -> tuple[str, ...]:
    """Nodes the operator skipped on which this one stands, directly or not."""
    found: set[str] = set()
    seen: set[str] = set()
    left = list(node.doc["needs"])
    while left:
        need = left.pop()
        if need in seen:
            continue
        seen.add(need)
        members = view.of_step(need[:-3]) if need.endswith("[*]") else [view.nodes[need]] if need in view.nodes else []
        for member in members:
            if member.skipped and member.skipped["by"] == "operator":
                found.add(member.id)
            left.extend(member.doc["needs"])
    return tuple(sorted(found))
