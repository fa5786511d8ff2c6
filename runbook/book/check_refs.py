"""Whether each reference of a book will find what it names: known before the book runs.

A step may refer only to what is sure to be finished when it is looked at: to nodes among its needs, and to *all* nodes
of a step only behind a barrier.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from runbook.book.errors import near, shown
from runbook.book.graph import before, covered, wholly_before
from runbook.book.model import Book, StepSpec
from runbook.book.reader import Trail
from runbook.book.refs import Expression, Path, template, texts
from runbook.book.scope import NODE_FACTS, ROOTS, RUN_FACTS
from runbook.core.error import BookError


class Faults(Protocol):
    def add(self, message: str, path: Trail = (), *, on_key: bool = False, hint: str = "") -> None: ...


def check_references(book: Book, faults: Faults) -> None:
    """Report every reference that is malformed or names what is not there. The book's needs must be sound."""
    _check_defaults(book, faults)
    checker = _Checker(book, faults)
    for at, step in enumerate(book.steps):
        checker.check(step, at)


class _Checker:
    def __init__(self, book: Book, faults: Faults) -> None:
        self.book, self.faults = book, faults
        self.ids = [s.id for s in book.steps]
        self.before, self.wholly_before = before(book), wholly_before(book)

    def check(self, step: StepSpec, at: int) -> None:
        repeated = ("item", "key") if step.for_each is not None else ()
        anywhere = ("inputs", "run", "nodes", "all", *repeated)
        for place, value, allowed in (
            ("title", step.title, anywhere),
            ("target", step.target, anywhere),
            ("with", step.with_, anywhere),
            ("when", step.when, anywhere),
            ("for_each", step.for_each, ("inputs", "run", "nodes", "all")),
            ("key", step.key, ("inputs", "run", "item")),
        ):
            for path, expression in self.expressions(step, value, ("steps", at, place)):
                for read in expression.paths:
                    if complaint := self.complaint(step, read, place, allowed):
                        self.add(step, f"${{{shown(expression.text)}}}: {complaint}", path)
        self.check_alone(step, "when", step.when, ("steps", at, "when"))
        for name, members in step.dimensions.items():
            path = ("steps", at, "for_each", name) if name else ("steps", at, "for_each")
            self.check_alone(step, "for_each", members, path)

    def add(self, step: StepSpec, message: str, path: Trail) -> None:
        self.faults.add(f"step `{step.id}`: {message}", path)

    def expressions(self, step: StepSpec, value: Any, path: Trail) -> Iterable[tuple[Trail, Expression]]:
        for inner, text in texts(value):
            try:
                found = template(text).expressions
            except BookError as fault:
                self.add(step, f"{fault.message} {fault.hint}".rstrip(), (*path, *inner))
                continue
            for expression in found:
                yield (*path, *inner), expression

    def check_alone(self, step: StepSpec, place: str, value: Any, path: Trail) -> None:
        """Where a value and not a text is wanted, a text must be exactly one reference."""
        if not isinstance(value, str):
            return
        try:
            is_reference = template(value).is_reference
        except BookError:
            return  # said already
        if not is_reference:
            self.add(step, f"`{place}` must be exactly one ${{…}}, not {shown(value)!r}", path)

    def complaint(self, step: StepSpec, read: Path, place: str, allowed: tuple[str, ...]) -> str:
        """What is wrong with what an expression reads; empty when nothing is."""
        root, *rest = read.names
        if common := _root_complaint(read, allowed):
            if root in ("item", "key") and step.for_each is None:
                return f"`{root}` exists only in a step with `for_each`"
            return common
        match root:
            case "inputs" if rest[0] not in self.book.inputs:
                return f"there is no input `{shown(rest[0])}`{near(rest[0], self.book.inputs)}"
            case "run" if rest[0] not in RUN_FACTS:
                return f"there is no `run.{shown(rest[0])}`{near(rest[0], RUN_FACTS)}"
            case "item" if rest and isinstance(step.for_each, dict) and rest[0] not in step.for_each:
                return f"`for_each` has no `{shown(rest[0])}`{near(rest[0], step.for_each)}"
            case "nodes" | "all":
                return self.node_complaint(step, root, rest, place)
        return ""

    def node_complaint(self, step: StepSpec, root: str, rest: list[str], place: str) -> str:
        name = rest[0]
        if name not in self.before:
            return f"there is no step `{shown(name)}`{near(name, self.ids)}"
        if name == step.id:
            return "a step cannot refer to itself"
        if name not in self.before[step.id]:
            return f"`{name}` is not among what this step needs, directly or through others; add it to `needs`"
        other = self.book.step(name)
        if root == "all":
            if name not in self.wholly_before[step.id]:
                return f"not every node of `{name}` is finished by then; add {{step: {name}, all: true}} to `needs`"
            return ""
        if other.for_each is not None and (place == "for_each" or covered(step, other) is None):
            return f"`{name}` has several nodes; refer to `all.{name}`"
        if len(rest) > 1 and rest[1] not in NODE_FACTS:
            return f"a node has no `{shown(rest[1])}`{near(rest[1], NODE_FACTS)}; it has {', '.join(NODE_FACTS)}"
        return ""


def _root_complaint(read: Path, allowed: tuple[str, ...]) -> str:
    root = read.names[0]
    if root == "@":
        return f"names no value; begin with {_or(allowed)}"
    if root not in ROOTS:
        return f"`{shown(root)}` is not known; begin with {_or(allowed)}, and write text in single quotes"
    if root not in allowed:
        return f"`{root}` is not known here; begin with {_or(allowed)}"
    if root in ("inputs", "run", "nodes", "all") and len(read.names) < 2:
        return f"`{root}` takes a name after it, `{root}.name`; a negation takes brackets, `!({root}.name)`"
    return ""


def _or(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _check_defaults(book: Book, faults: Faults) -> None:
    """Defaults may refer to other inputs, but not in a circle."""
    reads: dict[str, set[str]] = {}
    for name, spec in book.inputs.items():
        reads[name] = set()
        for inner, text in texts(spec.default):
            path = ("inputs", name, "default", *inner)
            try:
                expressions = template(text).expressions
            except BookError as fault:
                faults.add(f"input `{name}`: {fault.message}", path)
                continue
            for read in (r for e in expressions for r in e.paths):
                if complaint := _root_complaint(read, ("inputs",)):
                    faults.add(f"input `{name}`: {complaint}", path)
                elif read.names[1] not in book.inputs:
                    known = near(read.names[1], book.inputs)
                    faults.add(f"input `{name}`: there is no input `{shown(read.names[1])}`{known}", path)
                else:
                    reads[name].add(read.names[1])
    settled: set[str] = set()
    while more := {n for n, needs in reads.items() if n not in settled and needs <= settled}:
        settled |= more
    for name in book.inputs:
        # Those that only refer to a circle are not part of it, but they have no value either.
        if name not in settled:
            faults.add(
                f"input `{name}`: its default refers to itself, directly or in a circle", ("inputs", name, "default")
            )
