"""A book as the rest of the program sees it: frozen values, checked before they are made.

These are built by ``runbook.book.load`` alone; only the standard library is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

InputKind = Literal[
    "subscription", "string", "integer", "boolean", "enum", "location", "cidr", "ip", "resource_id", "list", "map"
]


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One thing the operator is asked for.

    Attributes:
        is_optional: whether there is a default; it may be None, and may refer to other inputs (``${inputs.x}``).
        values: what an ``enum`` may be, in the order to show.
        of: the resource type of a ``resource_id``, or of what a ``string`` is the name of; empty for any.
        items: what a ``list`` holds, or what each value of a ``map`` is; a map's keys are texts.
    """

    name: str
    type: InputKind
    prompt: str = ""
    help: str = ""
    example: Any = None
    is_optional: bool = False
    default: Any = None
    values: tuple[str, ...] = ()
    of: str = ""
    items: InputSpec | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """A step that must be finished first. ``all``: every node of it, not the one with the same key."""

    step: str
    all: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step as the book writes it. Texts with ``${…}`` are kept as written.

    Attributes:
        uses: ``domain.noun``, the code behind it.
        with_: its parameters, by name.
        for_each: None for one node; else a reference or a list, one node for each member, or a mapping of names to
            such, one node for each combination.
        key: what a node is called; empty for the member itself, its ``id`` or its ``name``.
        when: a reference that gives true or false; or that value itself.
        otherwise: why a node is not needed where ``when`` is false, for whoever reads the run.
        gate: ``operator``, ``team`` or ``microsoft``; empty when nobody must say go.
        grows: whether it only looks, and is looked at again after it is done: when driving starts anew, before the
            run ends, and when the operator says so. What it then finds on top becomes nodes as well.
        unasked: whether its safe changes start by themselves, because whoever gave the go before knew of them; the
            steps where that go, or word, is given, which name it then. Never together with a ``gate``.
        guide: ``why``, ``what`` and ``risk``, each of which may be missing.
    """

    id: str
    title: str
    phase: str
    uses: str
    with_: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    for_each: Any = None
    key: str = ""
    target: str = ""
    when: str | bool = True
    otherwise: str = ""
    gate: str = ""
    grows: bool = False
    unasked: bool | tuple[str, ...] = False
    guide: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def dimensions(self) -> Mapping[str, Any]:
        """What it is repeated over, by name; a single unnamed dimension is called ``""``; empty for one node.

        In the order of the names, not of the file: node ids follow it (``providers[namespace/subscription]``), and a
        run reads the book from its journal, whose JSON has its keys sorted. The file's own order could only be kept
        beside that, and would rename the nodes of every run there is. Who wants another id writes a ``key``.
        """
        if self.for_each is None:
            return {}
        return dict(sorted(self.for_each.items())) if isinstance(self.for_each, dict) else {"": self.for_each}

    @property
    def unneeded(self) -> str:
        """What is said of a node that ``when`` leaves out."""
        return f"not needed here: {self.otherwise or self.when}"

    @property
    def written(self) -> list[Any]:
        """Everything in it that may hold references."""
        return [self.for_each, self.key, self.title, self.target, self.when, dict(self.with_)]


@dataclass(frozen=True, slots=True)
class Book:
    """A whole book. ``doc`` is its JSON form: what a run's journal keeps, and what ``book_from_json`` reads."""

    id: str
    version: int
    title: str
    summary: str
    duration: str
    inputs: Mapping[str, InputSpec]
    phases: tuple[Phase, ...]
    steps: tuple[StepSpec, ...]
    doc: Mapping[str, Any] = field(repr=False)
    repeated: tuple[StepSpec, ...] = field(init=False, repr=False, compare=False)
    """The steps with ``for_each``."""
    _by_id: Mapping[str, StepSpec] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "repeated", tuple(s for s in self.steps if s.for_each is not None))
        object.__setattr__(self, "_by_id", {s.id: s for s in self.steps})

    def step(self, step: str) -> StepSpec:
        """The step of that id.

        Raises:
            KeyError: the book has none.
        """
        return self._by_id[step]

    def has_step(self, step: str) -> bool:
        return step in self._by_id
