"""What a reference can see: the run so far, as one node or one step being expanded sees it.

Only what is asked for is computed, and each thing once per scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from runbook.book.errors import shown
from runbook.book.graph import covered, item_of
from runbook.book.model import Book, StepSpec
from runbook.book.refs import fill
from runbook.core.error import BookError
from runbook.core.ids import node_id
from runbook.core.view import NodeView, RunView

ROOTS: Final = ("inputs", "run", "nodes", "all", "item", "key")
RUN_FACTS: Final = ("id", "mode", "edition", "cloud", "tenant", "account", "subscriptions")
NODE_FACTS: Final = ("id", "key", "state", "item", "outputs")


class Lazy(Mapping[str, Any]):
    """A mapping whose values are looked up when they are first read. A lookup that raises KeyError is a missing key."""

    def __init__(self, look_up: Callable[[str], Any]) -> None:
        self._look_up = look_up
        self._found: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def everywhere(view: RunView) -> dict[str, Any]:
    """The part of a scope that is the same for every node: inputs, run, all."""
    pinned = view.pinned
    run = {
        "id": view.id,
        "mode": view.mode,
        "edition": view.edition,
        "cloud": pinned.get("cloud", ""),
        "tenant": pinned.get("tenant", ""),
        "account": pinned.get("account", ""),
        "subscriptions": dict(pinned.get("subscriptions", {})),
    }
    return {
        "inputs": dict(view.inputs),
        "run": run,
        "all": Lazy(lambda step: [node_doc(n) for n in view.of_step(step)]),
    }


def local(
    common: Mapping[str, Any], book: Book, spec: StepSpec, view: RunView, item: Any = None, key: str | None = None
) -> dict[str, Any]:
    """The scope of one node of ``spec``, on top of what is the same everywhere."""
    scope = {**common, "nodes": Lazy(lambda step: node_doc(_belonging(book, spec, view, common, item, step)))}
    if spec.for_each is not None:
        scope |= {"item": item, "key": key}
    return scope


def node_doc(node: NodeView) -> dict[str, Any]:
    """What a reference sees of a node."""
    return {
        "id": node.id,
        "key": node.doc["key"],
        "state": node.state.value,
        "item": node.doc["item"],
        "outputs": dict(node.outputs),
    }


def _belonging(book: Book, spec: StepSpec, view: RunView, common: Mapping[str, Any], item: Any, step: str) -> NodeView:
    """The node of ``step`` that belongs to this member of ``spec``; KeyError when there is none."""
    other = book.step(step)
    if covered(spec, other) is not None:
        return view.nodes[node_id(step, key_of(other, item_of(spec, other, item), common))]
    nodes = view.of_step(step)
    if len(nodes) != 1:
        raise KeyError(step)
    return nodes[0]


def key_of(spec: StepSpec, item: Any, common: Mapping[str, Any]) -> str | None:
    """What the node of this member is called, in lower case; None for a step that is not repeated.

    Raises:
        BookError: the member gives no usable name.
    """
    if spec.for_each is None:
        return None
    key = fill(spec.key, {**common, "item": item}) if spec.key else _own_name(spec, item)
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise BookError(f"step `{spec.id}`: the key of {shown(item)} is not text: {shown(key)}")
    text = str(key).strip().lower()
    if not text or text == "*" or len(text) > 1000 or not text.isprintable():
        raise BookError(f"step `{spec.id}`: {shown(key)!r} cannot be a key, for {shown(item)}")
    return text


def _own_name(spec: StepSpec, item: Any) -> str | int:
    if isinstance(spec.for_each, dict):
        return "/".join(str(_name(spec, item[dimension])) for dimension in spec.dimensions)
    return _name(spec, item)


def _name(spec: StepSpec, member: Any) -> str | int:
    if isinstance(member, dict):
        member = member.get("id") or member.get("name")
    if isinstance(member, str | int) and not isinstance(member, bool):
        return member
    raise BookError(f"step `{spec.id}`: {shown(member)} has neither `id` nor `name`; give the step a `key`")
