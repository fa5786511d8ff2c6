"""A run's past as its journal's file has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from runbook.core.entry import Entry
from runbook.core.mark import Mark
from runbook.core.view import RunView
from runbook.journal.load import load_view
from runbook.journal.store import Driver, Journal


class JournalPast:
    """The past in a journal's file, opened anew for each reading, so that nobody is kept from anything."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self) -> RunView:
        journal = Journal.open(self._path, write=False)
        try:
            return load_view(journal)
        finally:
            journal.close()

    def marks(self, after: int = 0) -> list[Mark]:
        journal = Journal.open(self._path, write=False)
        try:
            return list(journal.marks(after))
        finally:
            journal.close()

    def entries(self, after: int, upto: int) -> list[Entry]:
        journal = Journal.open(self._path, write=False)
        try:
            return list(journal.entries(after=after, upto=upto))
        finally:
            journal.close()

    def each(self, upto: int) -> Iterator[Entry]:
        journal = Journal.open(self._path, write=False)
        try:
            yield from journal.entries(upto=upto)
        finally:
            journal.close()

    def drivers(self) -> Sequence[Driver]:
        journal = Journal.open(self._path, write=False)
        try:
            return journal.drivers()
        finally:
            journal.close()
