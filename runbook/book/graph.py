"""What follows from a book's needs: who waits for whom, and which node of another step belongs to a node.

All of it is derived from the book alone; nothing here knows a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook.book.model import Book, StepSpec
from runbook.core.entry import canonical


def covered(spec: StepSpec, other: StepSpec) -> Mapping[str, str] | None:
    """For each dimension of ``other``, the dimension of ``spec`` that runs over the same members.

    None when there is one without: then a node of ``spec`` does not belong to one node of ``other``, but to several
    or to none. Dimensions match by what is written; among several that match, the one of the same name.
    """
    mine = {name: canonical(members) for name, members in spec.dimensions.items()}
    found: dict[str, str] = {}
    for name, members in other.dimensions.items():
        text = canonical(members)
        same = [n for n, t in mine.items() if t == text]
        if not same:
            return None
        found[name] = name if name in same else same[0]
    return found


def item_of(spec: StepSpec, other: StepSpec, item: Any) -> Any:
    """The member of ``other`` that belongs to this member of ``spec``.

    Raises:
        LookupError: ``other`` is not covered by ``spec``.
    """
    match = covered(spec, other)
    if match is None:
        raise LookupError(other.id)

    def part(dimension: str) -> Any:
        return item[dimension] if dimension else item

    if "" in match:
        return part(match[""])
    return {theirs: part(mine) for theirs, mine in match.items()}


def cycle(book: Book) -> list[str]:
    """Step ids around one cycle of needs, the first repeated at the end; empty when there is none."""
    finished: set[str] = set()
    for start in book.steps:
        trail: list[str] = []
        stack: list[tuple[str, bool]] = [(start.id, False)]
        while stack:
            step, is_left = stack.pop()
            if is_left:
                finished.add(trail.pop())
            elif step in trail:
                return [*trail[trail.index(step) :], step]
            elif step not in finished and book.has_step(step):
                trail.append(step)
                stack.append((step, True))
                stack += [(n.step, False) for n in reversed(book.step(step).needs)]
    return []


def before(book: Book) -> dict[str, frozenset[str]]:
    """For each step, every step it needs, directly or through others. The needs must have no cycle."""
    found: dict[str, frozenset[str]] = {}
    for step in ordered(book):
        direct = [n.step for n in step.needs if book.has_step(n.step)]
        found[step.id] = frozenset(direct).union(*(found[d] for d in direct))
    return found


def wholly_before(book: Book) -> dict[str, frozenset[str]]:
    """For each step, the steps of which *every* node is finished before one of its own begins.

    A need for the node with the same key says nothing about that step's other nodes.
    """
    every = before(book)
    found: dict[str, frozenset[str]] = {}
    for step in ordered(book):
        mine: set[str] = set()
        for need in step.needs:
            if not book.has_step(need.step):
                continue
            if need.all or book.step(need.step).for_each is None:
                mine |= {need.step} | every[need.step]
            else:
                mine |= found[need.step]
        found[step.id] = frozenset(mine)
    return found


def ordered(book: Book) -> list[StepSpec]:
    """The steps, each after those it needs."""
    found: dict[str, StepSpec] = {}
    stack = [(s, False) for s in reversed(book.steps)]
    while stack:
        step, is_left = stack.pop()
        if step.id in found:
            continue
        if is_left:
            found[step.id] = step
        else:
            stack.append((step, True))
            stack += [(book.step(n.step), False) for n in step.needs if book.has_step(n.step)]
    return list(found.values())
