"""What each node's step is given: the ``with`` of its step in the book, as far as the run knows the values by now.

The engine fills in everything or fails; this is for readers, who want what is known and no more. A value that cannot
be told yet is left out. Invariant: a node's values are computed again only after something that they were read from
has changed, so that following a run of thousands of nodes costs little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook.book.refs import fill, paths, texts
from runbook.book.scope import Lazy, everywhere, node_doc
from runbook.core.docs import NodeDoc
from runbook.core.error import BookError
from runbook.core.view import NodeView, RunView

_DOTTED: Final = re.compile(r"\$\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)\s*\}")

Read = tuple[str, Any]
"""A node's or a step's id, and the very outputs that were read of it; None where there were none."""


@dataclass(frozen=True, slots=True)
class _Value:
    """One name of a step's ``with``."""

    name: str
    written: Any
    names: tuple[str, ...]
    """Where the value is nothing but a path, its names: most are, and need no expression to be evaluated."""
    is_plain: bool
    steps: frozenset[str] | None
    """The steps of whose nodes it reads one; None where it reads what is each node's own."""


@dataclass(frozen=True, slots=True)
class _Known:
    doc: NodeDoc
    reads: tuple[Read, ...]
    values: Mapping[str, Any]


class Givens:
    """The values of one run's nodes, view after view."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._steps: dict[str, tuple[_Value, ...]] = {}
        self._book: object = None

    def of(self, view: RunView, by_step: Mapping[str, Sequence[NodeView]]) -> dict[str, Mapping[str, Any]]:
        """What is known of each node's values; the same object again where nothing changed."""
        if view.book is not self._book:
            self._book, self._known = view.book, {}
            self._steps = {s["id"]: _values(s.get("with") or {}) for s in view.book.get("steps", ())}
        look = _Look(view, by_step)
        found = {}
        for node in view.nodes.values():
            known = self._known.get(node.id)
            if known is None or known.doc is not node.doc or not look.is_current(known.reads):
                known = look.fill(node, self._steps.get(node.doc["step"], ()))
                self._known[node.id] = known
            found[node.id] = known.values
        return found


def _values(written: Mapping[str, Any]) -> tuple[_Value, ...]:
    rows = []
    for name, value in written.items():
        try:
            roots = [p.names for p in paths(value)]
        except BookError:
            continue
        dotted = _DOTTED.fullmatch(value) if isinstance(value, str) else None
        of_one = {names[1] for names in roots if names[0] == "nodes" and len(names) > 1}
        has_own = any(names[0] not in ("inputs", "run", "all", "nodes") or names == ("nodes",) for names in roots)
        steps = None if has_own else frozenset(of_one)
        path = tuple(dotted[1].split(".")) if dotted else ()
        rows.append(_Value(name, value, path, not any(True for _ in texts(value)), steps))
    return tuple(rows)


class _Look:
    """One pass over one view."""

    def __init__(self, view: RunView, by_step: Mapping[str, Sequence[NodeView]]) -> None:
        self._view, self._by_step = view, by_step
        self._common = everywhere(view)
        self._shared: dict[tuple[str, str], tuple[Any, list[Read]]] = {}

    def is_current(self, reads: Sequence[Read]) -> bool:
        return all(self._outputs(id_) is was for id_, was in reads if id_[-1] != "*") and all(
            _is_same(self._every(id_[:-1]), was) for id_, was in reads if id_[-1] == "*"
        )

    def _outputs(self, id_: str) -> Any:
        node = self._view.nodes.get(id_)
        return node.outputs if node is not None else None

    def _every(self, step: str) -> list[Any]:
        return [n.outputs for n in self._by_step.get(step, ())]

    def fill(self, node: NodeView, wanted: Sequence[_Value]) -> _Known:
        reads: list[Read] = []
        values: dict[str, Any] = {}
        scope: dict[str, Any] | None = None
        for want in wanted:
            if want.is_plain:
                values[want.name] = want.written
                continue
            place = (node.doc["step"], want.name)
            is_shared = want.steps is not None and all(len(self._by_step.get(s, ())) == 1 for s in want.steps)
            if is_shared and place in self._shared:
                value, read = self._shared[place]
            else:
                read = []
                if want.names and want.names[0] in ("inputs", "item", "nodes"):
                    value = self._walk(node, want.names, read)
                else:
                    scope = self._scope(node, read)
                    value = _filled(want.written, scope)
                if is_shared:  # every node of the step is given the same
                    self._shared[place] = value, read
            reads += read
            if value is not None:
                values[want.name] = value
        return _Known(node.doc, tuple(reads), values)

    def _walk(self, node: NodeView, names: Sequence[str], read: list[Read]) -> Any:
        value: Any
        if names[0] == "nodes":
            other = self._belonging(node, names[1], read)
            if other is None or len(names) < 3 or names[2] != "outputs":
                return None
            value, rest = other.outputs, names[3:]
        else:
            value, rest = (self._view.inputs if names[0] == "inputs" else node.doc["item"]), names[1:]
        for name in rest:
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value

    def _belonging(self, node: NodeView, step: str, read: list[Read]) -> NodeView | None:
        """The node of another step that this one looks at: that with its own key, else the only one it needs."""
        id_ = f"{step}[{node.doc['key']}]" if node.doc["key"] is not None else step
        nodes = self._by_step.get(step, ())
        if id_ not in self._view.nodes:
            needed = [n for n in node.doc["needs"] if n.startswith(step + "[") and n in self._view.nodes]
            id_ = nodes[0].id if len(nodes) == 1 else needed[0] if len(needed) == 1 else id_
        other = self._view.nodes.get(id_)
        read.append((id_, other.outputs if other is not None else None))
        return other

    def _scope(self, node: NodeView, read: list[Read]) -> dict[str, Any]:
        def one(step: str) -> Any:
            other = self._belonging(node, step, read)
            if other is None:
                raise KeyError(step)
            return node_doc(other)

        def every(step: str) -> Any:
            read.append((step + "*", self._every(step)))
            return [node_doc(n) for n in self._by_step.get(step, ())]

        here = {"item": node.doc["item"], "key": node.doc["key"]} if node.doc["key"] is not None else {}
        return {**self._common, "nodes": Lazy(one), "all": Lazy(every), **here}


def _filled(written: Any, scope: Mapping[str, Any]) -> Any:
    """The value, or as much of it as has one."""
    try:
        return fill(written, scope)
    except BookError:
        match written:
            case dict():
                return {k: v for k, part in written.items() if (v := _filled(part, scope)) is not None}
            case list():
                return [v for part in written if (v := _filled(part, scope)) is not None]
            case _:
                return None


def _is_same(now: Sequence[Any], was: Sequence[Any]) -> bool:
    return len(now) == len(was) and all(a is b for a, b in zip(now, was, strict=True))
