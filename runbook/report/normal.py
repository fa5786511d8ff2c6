"""Text of one run without the names that are its own, so that runs on different estates can be laid side by side.

Invariant: what an input, a node's key or Azure itself chose becomes a word for what it stands for; everything else
stays, so that two texts that differ afterwards differ in what was done or seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from runbook.core.entry import canonical
from runbook.core.view import NodeView, RunView

CHOICES: Final = frozenset({"enum", "boolean", "integer"})
"""Kinds of input that say what is to be done; the others name things."""

_SHORTEST: Final = 3
"""A shorter name is left alone: it would be found in other words."""

_PATH = re.compile(r"/subscriptions/[^\s\"',;|)]+", re.IGNORECASE)
_WORD = re.compile(r"\w[\w.@-]*\w")
"""What may be a name of one piece. Names are looked up, never searched for: a large estate has thousands."""
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?UTC|Z|\+00:00)?)?")
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\d.])")


class Normal:
    """What one run's names stand for.

    Args:
        view: the run; its inputs, subscriptions, account and tenant are named.
    """

    def __init__(self, view: RunView) -> None:
        names = list(_of_inputs(view))
        names += [(str(view.pinned.get(part) or ""), part) for part in ("account", "tenant")]
        self._names = _by_text(names)
        self._phrases = _by_text((name, "subscription") for name in view.pinned.get("subscriptions", {}).values())
        longest_first = sorted(self._phrases, key=len, reverse=True)
        self._phrase = re.compile(
            rf"(?<![\w@.-])(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?![\w@-])", re.IGNORECASE
        )

    def call(self, nodes: Iterable[tuple[NodeView, str]]) -> None:
        """Also replace the names of these nodes, each by what it is called."""
        for node, word in nodes:
            self._names |= dict.fromkeys(_by_text(_of_node(node)), word)

    def text(self, value: object, node: NodeView | None = None) -> str:
        """A text, or any value as JSON, with names replaced; ``node``'s own key and target are names, too."""
        text = value if isinstance(value, str) else canonical(value)
        own = _by_text(_of_node(node)) if node is not None else {}

        def called(name: str) -> str | None:
            found = own.get(name.lower()) or self._names.get(name.lower())
            return f"‹{found}›" if found else None

        text = self._phrase.sub("‹subscription›", text)
        text = _PATH.sub(lambda hit: called(hit[0]) or f"‹{kind_of(hit[0])}›", text)
        text = _WORD.sub(lambda hit: called(hit[0]) or hit[0], text)
        text = _ADDRESS.sub("‹address›", _TIME.sub("‹time›", _GUID.sub("‹id›", text)))
        return " ".join(text.split())


def kind_of(path: str) -> str:
    """What a path leads to, without the names in it: ``Microsoft.Network/privateEndpoints``."""
    parts = path.partition("?")[0].strip("/").split("/")
    at = [number for number, part in enumerate(parts) if part.lower() == "providers"]
    if at and len(parts) > at[-1] + 1:
        provider, *rest = parts[at[-1] + 1 :]
        return "/".join([provider, *rest[::2]])
    return "/".join(parts[::2]) if parts[0].lower() == "subscriptions" else path


def is_choice(spec: Mapping[str, Any]) -> bool:
    """Whether an input says what is to be done, rather than to what."""
    while spec.get("type") in ("list", "map") and isinstance(spec.get("items"), Mapping):
        spec = spec["items"]
    return spec.get("type") in CHOICES


def _of_inputs(view: RunView) -> Iterator[tuple[str, str]]:
    specs = view.book.get("inputs", {})
    for name, value in view.inputs.items():
        if not is_choice(specs.get(name, {})):
            for text in _leaves(value):
                yield text, name
                yield text.rstrip("/").rpartition("/")[2], name


def _of_node(node: NodeView) -> Iterator[tuple[str, str]]:
    for text in (node.doc["key"] or "", node.doc["target"]):
        yield text, "key"
        yield text.rstrip("/").rpartition("/")[2], "key"


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)


def _by_text(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text, name in names:
        if len(text) >= _SHORTEST:
            found.setdefault(text.lower(), name)
    return found
