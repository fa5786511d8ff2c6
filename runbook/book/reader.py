"""YAML and JSON text to values that know where they stand in their file.

The text is read event by event into a tree that is bounded while it grows: its size, its depth, and the size it would
have with every alias written out. Nothing is constructed but text, numbers, true, false, null, lists and mappings with
text keys, so a value read here is always a JSON value.

Plain scalars are read by the rules of YAML 1.2's core schema, not 1.1's: ``no`` and ``on`` are text, a date is text.
Source: YAML 1.2.2, section 10.3.2 (tag resolution of the core schema).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from runbook.book.errors import shown
from runbook.core.error import BookError

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_BYTES: Final = 1_000_000
"""Largest file that is read."""
MAX_DEPTH: Final = 32
"""Deepest nesting of lists and mappings."""
MAX_NODES: Final = 100_000
"""Most values in a file, every alias counted as often as it is used."""
_MAX_NUMBER: Final = 2**53 - 1  # beyond it, JSON readers disagree

Trail = Sequence[str | int]
"""Where a value stands: keys and positions from the root."""
Place = tuple[int, int]
"""Line and column, counted from 1."""


@dataclass(slots=True)
class Node:
    """One value and its place.

    Attributes:
        value: a scalar, a list of nodes, or a mapping from text to nodes.
        keys: where each key of a mapping stands.
        weight: values below and with this one, aliases written out.
        height: levels of nesting below and with this one.
    """

    value: Any
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)
    weight: int = 1
    height: int = 1

    def plain(self) -> Any:
        """The JSON value without places."""
        match self.value:
            case dict():
                return {k: v.plain() for k, v in self.value.items()}
            case list():
                return [v.plain() for v in self.value]
            case _:
                return self.value


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: what it says and where.

    Attributes:
        faults: what is wrong with it although it could be read, such as a key written twice.
    """

    file: str
    root: Node
    faults: tuple[BookError, ...] = ()

    def find(self, path: Trail) -> Node | None:
        """The node at a path, or None."""
        node = self.root
        for part in path:
            inside = node.value
            if isinstance(inside, dict) and part in inside:
                node = inside[part]
            elif isinstance(inside, list) and isinstance(part, int) and part < len(inside):
                node = inside[part]
            else:
                return None
        return node

    def place(self, path: Trail, *, on_key: bool = False) -> Place:
        """Line and column of the value at a path, or of its key; of the nearest thing around it that exists."""
        if on_key and path:
            parent = self.find(path[:-1])
            if parent is not None and path[-1] in parent.keys:
                return parent.keys[str(path[-1])]
        for length in range(len(path), 0, -1):
            if (node := self.find(path[:length])) is not None:
                return node.place
        return self.root.place

    def fault(self, message: str, path: Trail = (), *, on_key: bool = False, hint: str = "") -> BookError:
        """An error at the value, or at the key, that a path names."""
        line, column = self.place(path, on_key=on_key)
        return BookError(message, file=self.file, line=line, column=column, hint=hint)


def read_text(path: Path) -> str:
    """The text of a file the operator wrote.

    Raises:
        BookError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        raise BookError(f"{shown(path, 200)} cannot be read: {reason}") from fault
    if len(raw) > MAX_BYTES:
        raise BookError(f"larger than {MAX_BYTES:,} bytes", file=str(path), line=1, column=1)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line, column = _place_of_byte(raw, fault.start)
        message = f"not UTF-8 text: byte 0x{raw[fault.start]:02x}"
        raise BookError(message, file=str(path), line=line, column=column) from fault


def read(path: Path) -> Source:
    """Read and parse a file.

    Raises:
        BookError: it cannot be read or is not YAML within bounds.
    """
    return parse(read_text(path), str(path))


def parse(text: str, file: str) -> Source:
    """Parse YAML (and so nearly all JSON) text. ``file`` is only named in errors. Empty text is an empty mapping.

    Raises:
        BookError: the syntax is wrong, or a bound is passed. Faults that leave the text readable are returned.
    """
    builder = _Builder(file)
    scan(text, file, builder.take)
    return Source(file, builder.root or Node({}, (1, 1)), tuple(builder.faults))


def scan(text: str, file: str, take: Callable[[yaml.Event], bool]) -> None:
    """Feed the text's events to ``take`` until it returns False or they end.

    Raises:
        BookError: the syntax is wrong.
    """
    if len(text) > MAX_BYTES:
        raise BookError(f"larger than {MAX_BYTES:,} characters", file=file, line=1, column=1)
    loader = None
    try:
        loader = _Loader(text)
        while (event := loader.get_event()) is not None and take(event):
            pass
    except yaml.reader.ReaderError as fault:
        raise _unreadable(text, file, fault) from fault
    except UnicodeEncodeError as fault:  # a lone surrogate
        line, column = _place_of_byte(text[: fault.start].encode("utf-8", "replace"), None)
        raise BookError("a character that is not text", file=file, line=line, column=column) from fault
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        context = f" {fault.context}" if fault.context else ""
        message = f"not YAML: {fault.problem or 'syntax error'}{context}"
        raise BookError(message, file=file, line=line, column=column) from fault
    finally:
        if loader is not None:
            loader.dispose()


def _unreadable(text: str, file: str, fault: yaml.reader.ReaderError) -> BookError:
    # libyaml counts bytes, the pure Python reader characters.
    raw = text.encode("utf-8", "replace")
    if fault.encoding == "unicode":
        raw = text[: fault.position].encode("utf-8", "replace")
        line, column = _place_of_byte(raw, None)
    else:
        line, column = _place_of_byte(raw, fault.position)
    return BookError("a control character, which YAML does not allow", file=file, line=line, column=column)


def _place_of_byte(raw: bytes, at: int | None) -> Place:
    before = raw if at is None else raw[:at]
    line = before.count(b"\n")
    return line + 1, len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1


class _Builder:
    """Builds the tree; ``take`` is given one event after the other."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.faults: list[BookError] = []
        self.open: list[tuple[Node, str | None, str | None]] = []  # node, its anchor, the key that waits for a value
        self.anchors: dict[str, Node | None] = {}  # None while the anchored value is still open

    def take(self, event: yaml.Event) -> bool:
        place = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)
        match event:
            case yaml.DocumentStartEvent() if self.root is not None:
                raise self.fault("a second document begins here; one file holds one", place)
            case yaml.ScalarEvent() if self.wants_key():
                self.begin_value(event, place)
            case yaml.AliasEvent() if self.wants_key():
                raise self.fault("an alias cannot be a key", place)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self.start(event, place)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                node, anchor, _ = self.open.pop()
                self.add(node, anchor)
            case yaml.ScalarEvent():
                self.add(Node(self.scalar(event, place), place), event.anchor)
            case yaml.AliasEvent():
                self.add(self.aliased(event.anchor or "", place), None)
        return True

    def fault(self, message: str, place: Place) -> BookError:
        return BookError(message, file=self.file, line=place[0], column=place[1])

    def wants_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1][0].value, dict) and self.open[-1][2] is None

    def begin_value(self, event: yaml.ScalarEvent, place: Place) -> None:
        """The key of the next value."""
        node, anchor, _ = self.open[-1]
        key = event.value
        if not key:
            raise self.fault("a key is empty", place)
        if key == "<<" and event.implicit[0]:
            raise self.fault("merge keys (`<<`) are not supported; write the keys out", place)
        if key in node.keys:
            line = node.keys[key][0]
            self.faults.append(self.fault(f"`{shown(key)}` is written twice; the first is on line {line}", place))
        else:
            node.keys[key] = place
        if event.anchor:
            self.anchors[event.anchor] = Node(key, place)
        self.open[-1] = (node, anchor, key)

    def start(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent, place: Place) -> None:
        if self.wants_key():
            raise self.fault("a key must be text, not a list or a mapping", place)
        if event.tag not in (None, "!"):
            raise self.fault(f"the tag {shown(event.tag)} is not allowed", place)
        if len(self.open) >= MAX_DEPTH:
            raise self.fault(f"nested deeper than {MAX_DEPTH} levels", place)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.open.append((Node(value, place), event.anchor, None))
        if event.anchor:
            self.anchors[event.anchor] = None

    def aliased(self, name: str, place: Place) -> Node:
        if name not in self.anchors:
            raise self.fault(f"`*{shown(name)}` names no anchor above it", place)
        node = self.anchors[name]
        if node is None:
            raise self.fault(f"`*{shown(name)}` stands inside what it repeats", place)
        if len(self.open) + node.height > MAX_DEPTH:
            raise self.fault(f"nested deeper than {MAX_DEPTH} levels once `*{shown(name)}` is written out", place)
        return node

    def add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent, parent_anchor, key = self.open[-1]
        parent.weight += node.weight
        parent.height = max(parent.height, node.height + 1)
        if parent.weight > MAX_NODES:
            raise self.fault(f"more than {MAX_NODES:,} values once aliases are written out", node.place)
        if key is None:
            parent.value.append(node)
        else:
            parent.value.setdefault(key, node)  # of a key written twice, the first stays
            self.open[-1] = (parent, parent_anchor, None)

    def scalar(self, event: yaml.ScalarEvent, place: Place) -> Any:
        if event.tag is not None or not event.implicit[0]:
            if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
                raise self.fault(f"the tag {shown(event.tag)} is not allowed", place)
            return event.value
        value = plain_scalar(event.value)
        if isinstance(value, int | float) and abs(value) > _MAX_NUMBER:
            self.faults.append(self.fault("the number is too large; write it in quotes to mean text", place))
            return 0
        return value


_INT = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def plain_scalar(text: str) -> Any:
    """What unquoted text means: null, true, false, a number, or itself. Infinities and not-a-number stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        if len(text) > 300:  # Python refuses to convert thousands of digits
            return math.inf
        return int(text, 0 if text[:2] in ("0x", "0o") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
