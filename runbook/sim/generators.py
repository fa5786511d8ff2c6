"""Entries of a scenario's ``resources`` that stand for many: their shape, and what they are made into.

What stands between braces in them is told in ``words.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from runbook.sim.words import Value, is_generator, written

Json = dict[str, Any]
Place = tuple[str | int, ...]

MOST_RESOURCES: Final = 100_000
"""How many a scenario may stand for."""


class Misplaced(ValueError):
    """Something in a document has no meaning. ``place`` is the way to it, ``why`` says what is wrong."""

    def __init__(self, place: Place, why: str) -> None:
        super().__init__(why)
        self.place, self.why = place, why


class Many(BaseModel):
    """An entry of ``resources`` that stands for many: ``times`` or ``each``, the word ``as``, and what is made.

    ``times: 20`` counts 1 to 20 (with ``from: 5``, 5 to 24); ``each`` takes a list of texts and numbers, or of
    mappings of them. Words of generators around it may stand for any of these. ``resources`` are made once for every
    value, in order, and may hold such entries themselves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    times: int | str | None = None
    start: Annotated[int | str, Field(alias="from")] = 1
    each: list[str | int | dict[str, str | int]] | None = Field(default=None, min_length=1)
    name: Annotated[str, Field(alias="as", pattern="^[a-z][a-z_]*$")]
    """The word that stands for the value."""
    resources: list[Entry] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.times is None) == (self.each is None):
            raise ValueError("an entry that stands for many has either `times` or `each`")
        if self.each is not None and len({frozenset(v) if isinstance(v, dict) else None for v in self.each}) > 1:
            raise ValueError("the items of `each` have the same keys, or none has any")
        return self

    def values(self, words: Mapping[str, Value]) -> list[Value]:
        """What the word stands for, round by round. ``words`` are those of the generators around this one.

        Raises:
            ValueError: a word has no meaning, or ``times`` or ``from`` is no whole number that can be counted to.
        """
        if self.each is not None:
            return [written(value, words) for value in self.each]
        times, start = written(self.times, words), written(self.start, words)
        if not isinstance(times, int) or not 1 <= times <= MOST_RESOURCES or not isinstance(start, int) or start < 0:
            raise ValueError(f"{times!r} times from {start!r} cannot be counted; both are whole numbers")
        return list(range(start, start + times))


def _sort(entry: Any) -> str:
    return "generator" if isinstance(entry, Many) or is_generator(entry) else "resource"


Entry = Annotated[Annotated[Many, Tag("generator")] | Annotated[Json, Tag("resource")], Discriminator(_sort)]


def each(
    entries: Sequence[Many | Json], words: Mapping[str, Value], place: Place, *, samples: bool = False
) -> Iterator[Json]:
    """The resources that entries stand for, in order; with ``samples``, only the first round of each generator.

    Raises:
        Misplaced: a word or a calculation has no meaning.
    """
    for number, entry in enumerate(entries):
        here = (*place, number)
        try:
            if isinstance(entry, Many):
                for value in entry.values(words)[: 1 if samples else None]:
                    inner = {**words, entry.name: value}
                    yield from each(entry.resources, inner, (*here, "resources"), samples=samples)
            else:
                yield written(entry, words) if words else entry
        except Misplaced:
            raise
        except ValueError as error:
            raise Misplaced(here, str(error)) from error
