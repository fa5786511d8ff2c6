"""What must hold across a book's keys: names that exist, needs without a cycle, phases, inputs, references, parameters.

Every check goes on after a fault, so that one look finds all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runbook.book.check_refs import check_references
from runbook.book.check_steps import check_steps
from runbook.book.errors import near, shown
from runbook.book.graph import covered, cycle
from runbook.book.kinds import HOLDERS, accept
from runbook.book.model import Book, InputSpec, StepSpec
from runbook.book.reader import Source, Trail
from runbook.book.refs import paths, texts
from runbook.core.error import BookError


class Faults:
    """What was found so far. Without a source, faults have no place."""

    def __init__(self, source: Source | None = None) -> None:
        self.source = source
        self.found: list[BookError] = []

    def add(self, message: str, path: Trail = (), *, on_key: bool = False, hint: str = "") -> None:
        if self.source is None:
            self.found.append(BookError(message, hint=hint))
        else:
            self.found.append(self.source.fault(message, path, on_key=on_key, hint=hint))


def check(book: Book, source: Source | None = None, *, with_steps: bool = True) -> list[BookError]:
    """Every fault of a book of the right form, in file order.

    With ``with_steps``, the steps it uses are loaded and their parameters checked, too.
    """
    faults = Faults(source)
    _check_unique("step", "steps", [s.id for s in book.steps], faults)
    _check_unique("phase", "phases", [p.id for p in book.phases], faults)
    for name, spec in book.inputs.items():
        _check_input(spec, ("inputs", name), faults)
    phases = [p.id for p in book.phases]
    for at, step in enumerate(book.steps):
        if step.phase not in phases:
            message = f"step `{step.id}`: there is no phase `{step.phase}`{near(step.phase, phases)}"
            faults.add(message, ("steps", at, "phase"))
        _check_repeat(step, at, faults)
        _check_unasked(book, step, at, faults)
        _check_growth(book, step, at, faults)
        _check_needs(book, step, at, faults)
    ring = cycle(book)
    if ring:
        at = max(i for i, s in enumerate(book.steps) if s.id == ring[0])
        faults.add(f"these steps need each other in a circle: {' → '.join(ring)}", ("steps", at, "needs"))
    else:
        check_references(book, faults)
    if with_steps:
        check_steps(book, faults)
    return sorted(faults.found, key=lambda f: (f.line, f.column))


def _check_unique(what: str, group: str, ids: Iterable[str], faults: Faults) -> None:
    first: dict[str, int] = {}
    for at, name in enumerate(ids):
        if name in first:
            where = f"the first is on line {faults.source.place((group, first[name]))[0]}" if faults.source else ""
            faults.add(f"two {group} have the id `{name}`{'; ' if where else ''}{where}", (group, at, "id"))
        first.setdefault(name, at)


def _check_input(spec: InputSpec, path: tuple[str | int, ...], faults: Faults) -> None:
    for complaint, key in _unfitting(spec):
        faults.add(f"input `{spec.name}`: {complaint}", (*path, key))
    if spec.items is not None:
        _check_input(spec.items, (*path, "items"), faults)
    is_sound = spec.type not in HOLDERS or spec.items is not None
    if is_sound and spec.default not in (None, "", [], {}) and not any(texts(spec.default)):
        try:
            accept(spec, spec.default)
        except ValueError as fault:
            faults.add(f"input `{spec.name}`: its default: {fault}", (*path, "default"))


def _unfitting(spec: InputSpec) -> Iterator[tuple[str, str]]:
    if (spec.type == "enum") != bool(spec.values):
        yield ("an enum needs `values`" if spec.type == "enum" else f"`values` does not fit a {spec.type}"), "values"
    if spec.of and spec.type not in ("resource_id", "string"):
        yield f"`of` does not fit a {spec.type}", "of"
    if (spec.type in HOLDERS) != (spec.items is not None):
        yield (
            (f"a {spec.type} needs `items`" if spec.type in HOLDERS else f"`items` does not fit a {spec.type}"),
            "items",
        )
    elif spec.items is not None and spec.items.type in HOLDERS and (spec.type, spec.items.type) != ("map", "list"):
        yield f"a {spec.type} of {spec.items.type}s is not supported", "items"


def _check_repeat(step: StepSpec, at: int, faults: Faults) -> None:
    path: tuple[str | int, ...] = ("steps", at, "for_each")
    if isinstance(step.for_each, dict) and not step.for_each:
        faults.add(f"step `{step.id}`: `for_each` names nothing to repeat over", path)
    for name, members in step.dimensions.items():
        here = (*path, name) if name else path
        if isinstance(step.for_each, dict) and not (name.isidentifier() and name.isascii()):
            faults.add(f"step `{step.id}`: {shown(name)!r} is not a name: letters, digits and `_`", here, on_key=True)
        if not isinstance(members, str | list):
            faults.add(f"step `{step.id}`: `for_each` takes a reference or a list", here)
    if step.key and step.for_each is None:
        faults.add(f"step `{step.id}`: `key` without `for_each`", ("steps", at, "key"), on_key=True)
    if step.unasked and step.gate:
        message = f"step `{step.id}`: `unasked` and `gate` exclude each other"
        faults.add(message, ("steps", at, "unasked"), on_key=True, hint="Somebody must say go there, or nobody.")
    if not isinstance(step.when, str | bool):
        faults.add(f"step `{step.id}`: `when` takes a reference, true or false", ("steps", at, "when"))


def _check_unasked(book: Book, step: StepSpec, at: int, faults: Faults) -> None:
    known = {other.id for other in book.steps} - {step.id}
    for place, name in enumerate(step.unasked if isinstance(step.unasked, tuple) else ()):
        if name not in known:
            message = f"step `{step.id}`: `unasked`: there is no other step `{shown(name)}`{near(name, known)}"
            faults.add(message, ("steps", at, "unasked", place))


def _check_growth(book: Book, step: StepSpec, at: int, faults: Faults) -> None:
    """Looking again helps only where somebody reads what is found; a last step is read by people."""
    others = [s for s in book.steps if s is not step]
    if not step.grows or not any(need.step == step.id for other in others for need in other.needs):
        return
    try:
        read = {p.names[1] for s in others for p in paths(s.written) if p.names[0] in ("nodes", "all") and p.names[1:]}
    except BookError:
        return  # a reference that is not well formed is told at its place
    if step.id not in read:
        message = f"step `{step.id}`: `grows` has no effect: no step reads what it finds"
        hint = "Leave it out, or name it in a `for_each`."
        faults.add(message, ("steps", at, "grows"), on_key=True, hint=hint)


def _check_needs(book: Book, step: StepSpec, at: int, faults: Faults) -> None:
    seen: set[str] = set()
    for number, need in enumerate(step.needs):
        path = ("steps", at, "needs", number)
        if not book.has_step(need.step):
            known = [s.id for s in book.steps]
            faults.add(f"step `{step.id}` needs `{need.step}`, which does not exist{near(need.step, known)}", path)
            continue
        if need.step in seen:
            faults.add(f"step `{step.id}` needs `{need.step}` twice", path)
        seen.add(need.step)
        other = book.step(need.step)
        if other.for_each is not None and not need.all and covered(step, other) is None:
            faults.add(
                f"step `{step.id}` needs `{need.step}`, which has one node for each member of its `for_each`; "
                f"write {{step: {need.step}, all: true}} to wait for all of them, "
                "or repeat this step over the same `for_each`",
                path,
            )
