"""From a step of the book to nodes of a run, and from a node to what its step is given. Pure functions.

The same book and the same outputs give the same nodes, in the same order, with the same ids: an id is made of the
step's id and a key that comes from the member itself, never from its position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any

from runbook.book.errors import near, shown, sort_of
from runbook.book.graph import item_of
from runbook.book.model import Book, StepSpec
from runbook.book.refs import Template, fill, paths, template
from runbook.book.scope import everywhere, key_of, local
from runbook.book.steps import adapter, load_step, parameters
from runbook.core.docs import NodeDoc
from runbook.core.entry import canonical
from runbook.core.error import BookError
from runbook.core.ids import node_id
from runbook.core.state import NodeState
from runbook.core.view import RunView

EVERY = "*"
"""``step[*]`` among a node's needs: every node of that step, once it has been expanded."""


def expansion_needs(spec: StepSpec, book: Book) -> tuple[str, ...]:
    """The steps whose nodes must all be finished before ``spec`` can become nodes, in book order.

    They are those that its ``for_each``, ``key``, ``title`` and ``target`` refer to.
    """
    named = {p.names[1] for p in paths(_early(spec)) if p.names[0] in ("nodes", "all") and len(p.names) > 1}
    return tuple(s.id for s in book.steps if s.id in named)


def expand(book: Book, spec: StepSpec, view: RunView) -> list[NodeDoc]:
    """The nodes of a step, in the order of what it is repeated over.

    To be called once the nodes of ``expansion_needs`` are finished. A step that is repeated over outputs of a node
    that was skipped has no nodes.

    Raises:
        BookError: a reference has no value, what is to be repeated over is no list, or two members have the same key.
    """
    common = everywhere(view)
    if spec.for_each is None:
        return [_node(book, spec, view, common, None, None)]
    if _reads_skipped(spec.for_each, view):
        return []
    found: dict[str, NodeDoc] = {}
    for item in _members(book, spec, view, common):
        key = key_of(spec, item, common)
        assert key is not None
        if key in found:
            raise BookError(
                f"step `{spec.id}`: two members have the key {shown(key)!r}: "
                f"{shown(canonical(found[key]['item']))} and {shown(canonical(item))}",
                hint="Give the step a `key` that tells them apart, or name each member once.",
            )
        found[key] = _node(book, spec, view, common, item, key)
    return list(found.values())


def when(book: Book, node: NodeDoc, view: RunView) -> bool:
    """Whether the node applies.

    Raises:
        BookError: its ``when`` has no value, or one that is neither true nor false.
    """
    spec = book.step(node["step"])
    if isinstance(spec.when, bool):
        return spec.when
    scope = local(everywhere(view), book, spec, view, node["item"], node["key"])
    with _said_of(node, "when"):
        value = template(spec.when).fill(scope)
        if not isinstance(value, bool):
            raise BookError(f"{shown(spec.when)} is {sort_of(value)}, neither true nor false")
    return value


def params(book: Book, node: NodeDoc, view: RunView) -> Any:
    """The ``Params`` of the node's step, with what its references give now.

    Raises:
        BookError: a reference has no value, or a value is not of the parameter's type.
        StepFault: the step's code breaks its contract.
    """
    spec = book.step(node["step"])
    step = load_step(spec.uses)
    scope = local(everywhere(view), book, spec, view, node["item"], node["key"])
    known = parameters(step)
    values: dict[str, Any] = {}
    for name, text in spec.with_.items():
        with _said_of(node, f"with.{name}"):
            if name not in known:
                raise BookError(f"step {spec.uses} has no such parameter{near(name, known)}")
            values[name] = fill(text, scope)
    from pydantic import ValidationError

    try:
        return adapter(step).validate_python(values)
    except ValidationError as fault:
        lines = [_misfit(e["loc"], e["type"], e["msg"], e.get("input"), spec) for e in fault.errors(include_url=False)]
        raise BookError(f"node {node['id']}: {'; '.join(lines)}") from fault


def _misfit(loc: tuple[str | int, ...], kind: str, message: str, found: Any, spec: StepSpec) -> str:
    where = shown(".".join(str(part) for part in ("with", *loc)))
    if kind == "missing" or kind == "missing_argument":
        return f"`{where}` is missing"
    written = spec.with_.get(str(loc[0])) if loc else None
    source = f", from {shown(written)}" if isinstance(written, str) and "${" in written else ""
    return f"`{where}`: {message[:1].lower()}{message[1:]}, found {sort_of(found)}{source}"


@contextmanager
def _said_of(about: NodeDoc | StepSpec, place: str) -> Iterator[None]:
    """Names the node or step and the place in the book in faults that come from within."""
    try:
        yield
    except BookError as fault:
        who = f"step `{about.id}`" if isinstance(about, StepSpec) else f"node {about['id']}"
        raise BookError(f"{who}: `{place}`: {fault.message}", hint=fault.hint) from fault


def _early(spec: StepSpec) -> list[Any]:
    """What is filled in when the step is expanded."""
    return [spec.for_each, spec.key, spec.title, spec.target]


def _reads_skipped(value: Any, view: RunView) -> bool:
    """Whether a reference in the value reads a node that was skipped."""
    for path in paths(value):
        if path.names[0] == "nodes" and len(path.names) > 1:
            nodes = view.of_step(path.names[1])
            if nodes and all(n.state is NodeState.SKIPPED for n in nodes):
                return True
    return False


def _members(book: Book, spec: StepSpec, view: RunView, common: Mapping[str, Any]) -> Iterator[Any]:
    scope = local(common, book, spec, view)
    del scope["item"], scope["key"]
    lists: dict[str, list[Any]] = {}
    for name, written in spec.dimensions.items():
        place = f"for_each.{name}" if name else "for_each"
        with _said_of(spec, place):
            members = fill(written, scope)
            if not isinstance(members, list):
                raise BookError(f"{shown(written)} is {sort_of(members)}, not a list")
            if any(m is None for m in members):
                raise BookError(f"{shown(written)} has a member without a value")
            try:
                canonical(members)
            except ValueError as fault:
                raise BookError(f"{shown(written)} has a member that is not JSON: {fault}") from fault
        lists[name] = members
    if "" in lists:
        yield from lists[""]
    else:
        for combination in product(*lists.values()):
            yield dict(zip(lists, combination, strict=True))


def _node(book: Book, spec: StepSpec, view: RunView, common: Mapping[str, Any], item: Any, key: str | None) -> NodeDoc:
    scope = local(common, book, spec, view, item, key)
    target = _text(spec, "target", spec.target, scope, view) if spec.target else item if isinstance(item, str) else ""
    return {
        "id": node_id(spec.id, key),
        "step": spec.id,
        "key": key,
        "title": _text(spec, "title", spec.title, scope, view),
        "phase": spec.phase,
        "target": target or key or "",
        "gate": spec.gate,
        "needs": _needs(book, spec, item, common),
        "item": item,
    }


def _text(spec: StepSpec, place: str, written: str, scope: Mapping[str, Any], view: RunView) -> str:
    """A title or target. What a skipped node would have told is left as an ellipsis: a title must not stop a run."""
    text = template(written)
    with _said_of(spec, place):
        if not _reads_skipped(written, view):
            return text.write(scope)
        parts: list[str] = []
        for part in text.parts:
            try:
                parts.append(Template((part,)).write(scope))
            except BookError:
                parts.append("…")
        return "".join(parts)


def _needs(book: Book, spec: StepSpec, item: Any, common: Mapping[str, Any]) -> list[str]:
    """Node ids, and ``step[*]`` for a barrier.

    A barrier on a step that turns out to have no nodes would hold nothing back, not even until what *that* step needs
    is finished. So the needs of a barrier's step are needs here, too.
    """
    found: dict[str, None] = {}
    barriers: list[StepSpec] = []
    for need in spec.needs:
        other = book.step(need.step)
        if other.for_each is None:
            found[other.id] = None
        elif need.all:
            barriers.append(other)
            found[f"{other.id}[{EVERY}]"] = None
        else:
            found[node_id(other.id, key_of(other, item_of(spec, other, item), common))] = None
    while barriers:
        for need in barriers.pop().needs:
            other = book.step(need.step)
            name = other.id if other.for_each is None else f"{other.id}[{EVERY}]"
            if name not in found and other.for_each is not None:
                barriers.append(other)
            found[name] = None
    return list(found)
