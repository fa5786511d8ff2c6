"""Steps that become nodes, or more nodes, and whether a node is to be looked at at all. Pure functions.

Invariant: what is wrong with one step or node ends in a failure of its own, in words, and stops nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runbook.book import Book, StepSpec, expand, expansion_needs, ordered, when
from runbook.core.docs import NodeDoc
from runbook.core.entry import Draft, Kind
from runbook.core.error import RunbookError, StepFault
from runbook.core.state import FINISHED, NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.agenda import is_missing
from runbook.engine.judge import error_doc


def grow(book: Book, spec: StepSpec, view: RunView) -> tuple[Draft, ...]:
    """The entries by which a step becomes nodes, or more nodes. Where it cannot, one stands in for them all, and fails.

    Nodes that it has already stay as they are, also where what they stand for is gone.
    """
    try:
        docs = expand(book, spec, view)
    except RunbookError as error:
        known = view.nodes.get(spec.id)
        if known is not None and known.state in FINISHED:
            text = f"{spec.id} could not become more nodes: {error.message} Those it has stand."
            return _expanded(book, spec, [], view), Draft(Kind.NOTED, data={"text": text})
        return (_expanded(book, spec, [] if known else [_stand_in(spec)], view), *failure(spec.id, error))
    return (_expanded(book, spec, [doc for doc in docs if doc["id"] not in view.nodes], view),)


def _expanded(book: Book, spec: StepSpec, docs: list[NodeDoc], view: RunView) -> Draft:
    data = {"step": spec.id, "nodes": docs}
    again = _repeated_over(book, spec.id, view) if docs else []
    return Draft(Kind.EXPANDED, data=data | ({"again": again} if again else {}))


def _repeated_over(book: Book, step: str, view: RunView) -> list[str]:
    """The steps that became nodes already and are repeated over what this one says or is."""
    return [s.id for s in book.repeated if s.id in view.expanded and step in expansion_needs(s, book)]


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


# ---------------------------------------------------------------- looking again


def growers(book: Book, view: RunView) -> list[str]:
    """The done nodes that are looked at again, each after those it needs."""
    steps = [s.id for s in ordered(book) if s.grows]
    return [n.id for step in steps for n in view.of_step(step) if n.state is NodeState.DONE]


def regrown(book: Book, node: NodeView, seen: Draft, view: RunView) -> Draft | None:
    """What a fresh look at a done node comes to: new members are taken up, anything but satisfaction is noted.

    A node that nothing is repeated over takes up whatever its outputs say now. None when nothing is new. ``seen`` is
    the entry that the look would have made of a node at work.
    """
    d = seen.data
    if seen.to is NodeState.DONE:
        again = _repeated_over(book, node.doc["step"], view)
        fresh = {name: d[name] for name in ("outputs", "checks", "summary")}
        if d["outputs"] == dict(node.outputs) or (again and not _has_members(book, again, node, d["outputs"], view)):
            return None
        return Draft(Kind.GREW, node.id, data={**fresh, "again": again})
    why = d["error"]["message"] if "error" in d else d["summary"] or d["verdict"]
    return note(node, f"A look for what is new did not succeed: {why} What was found before stands; retry looks again.")


def _has_members(book: Book, steps: list[str], node: NodeView, outputs: Mapping[str, Any], view: RunView) -> bool:
    """Whether one of the steps would become more nodes if the node said this."""
    after = replace(view, nodes={**view.nodes, node.id: node.altered({"outputs": outputs})})
    try:
        return any(doc["id"] not in view.nodes for step in steps for doc in expand(book, book.step(step), after))
    except RunbookError:
        return True  # to be told by the step itself


def note(node: NodeView, text: str) -> Draft:
    """A remark on a node."""
    return Draft(Kind.NOTED, node.id, data={"text": text})
