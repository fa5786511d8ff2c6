"""The simulated cloud's memory: JSON tables, in memory or in a file of their own that outlives the process.

Invariant: a reply is handed out only after ``commit`` returned, and what ``commit`` wrote is all that a new process
needs to go on exactly there. A file has one owner; opening it takes ownership, and a commit by an owner that lost it
raises ``CloudLost`` and writes nothing.

``get``, ``items`` and ``Docs`` hand out copies and ``put`` takes one, so a document changes only through ``put``.
An index follows every ``put``, ``delete`` and ``rollback`` and lies in memory alone: it is worked out again when the
file is opened. What is asked for by index costs what is found, whatever else the table holds.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, overload

import apsw

from runbook.core.error import RunbookError, Unwritable

Json = dict[str, Any]
Finder = Callable[[str, Json], Iterable[tuple[str, str]]]

SCHEMA: Final = 1


class CloudLost(RunbookError):
    """Another process opened this simulated cloud for writing; this one may change nothing any more."""

    code = "cloud_lost"
    exit_status = 6


class Docs(Sequence[Json]):
    """Documents by key, in this order, each copied when it is looked at and not before.

    The keys are those of the moment it was made; going through it leaves out what has gone since.
    """

    def __init__(self, state: State, table: str, keys: Sequence[str]) -> None:
        self._state, self._table, self._keys = state, table, keys

    @property
    def keys(self) -> Sequence[str]:
        """The keys, in order."""
        return self._keys

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, at: int) -> Json: ...
    @overload
    def __getitem__(self, at: slice) -> Docs: ...
    def __getitem__(self, at: int | slice) -> Json | Docs:
        if isinstance(at, slice):
            return Docs(self._state, self._table, self._keys[at])
        doc = self._state.get(self._table, self._keys[at])
        if doc is None:
            raise LookupError(f"{self._keys[at]} is gone")
        return doc

    def __iter__(self) -> Iterator[Json]:
        for key in self._keys:
            if (doc := self._state.get(self._table, key)) is not None:
                yield doc


class State:
    """Tables of JSON documents by key.

    Args:
        path: the file; None keeps everything in memory.
        durable: False skips waiting for the disk, for tests only.

    Raises:
        Unwritable: the file cannot be opened, or was written by a later release.
    """

    def __init__(self, path: Path | None = None, *, durable: bool = True) -> None:
        self._tables: dict[str, dict[str, Json]] = {}
        self._keys: dict[str, list[str]] = {}
        self._finders: dict[str, dict[str, Finder]] = {}  # by table, then name
        self._found: dict[str, dict[str, list[str]]] = {}  # by index, then value: entries, sorted
        self._undo: list[tuple[str, str, Json | None, bool]] = []  # table, key, what stood there, soft
        self._soft: set[tuple[str, str]] = set()  # committed in memory, not yet in the file
        self._db: apsw.Connection | None = None
        self._owner = 0
        self.latest_ms = 0
        """The latest time at which anything was committed, UTC milliseconds; 0 when nothing was."""
        self.copies = 0
        """How many documents were handed out so far: what reading costs."""
        if path is not None:
            self._open(path, durable)

    # ------------------------------------------------------------ tables

    def get(self, table: str, key: str) -> Json | None:
        """A copy of one document, or None."""
        doc = self._tables.get(table, {}).get(key)
        if doc is None:
            return None
        self.copies += 1
        found: Json = _copy(doc)
        return found

    def has(self, table: str, key: str) -> bool:
        """Whether there is such a document."""
        return key in self._tables.get(table, {})

    def put(self, table: str, key: str, doc: Json, *, soft: bool = False) -> None:
        """Store a copy of a JSON document.

        A ``soft`` one is alone worth no disk write (a throttling bucket): it is saved along with the next commit that
        has something else to save, and may be older after a crash.
        """
        self._undo.append((table, key, self._place(table, key, _copy(doc)), soft))

    def delete(self, table: str, key: str) -> None:
        """Remove a document; nothing happens when it is absent."""
        if self.has(table, key):
            self._undo.append((table, key, self._place(table, key, None), False))

    def count(self, table: str) -> int:
        """How many documents a table holds."""
        return len(self._keys.get(table, ()))

    def keys(self, table: str, prefix: str = "") -> list[str]:
        """The keys that begin with ``prefix``, sorted."""
        return _beginning(self._keys.get(table, []), prefix)

    def items(self, table: str, prefix: str = "") -> Iterator[tuple[str, Json]]:
        """``(key, copy)`` of the documents whose keys begin with ``prefix``, sorted by key."""
        for key in self.keys(table, prefix):
            doc = self.get(table, key)
            if doc is not None:
                yield key, doc

    def first_key(self, table: str) -> str | None:
        """The smallest key, or None."""
        keys = self._keys.get(table)
        return keys[0] if keys else None

    def next_number(self, name: str) -> int:
        """Count up a named counter; the first number is 1."""
        number = int((self.get("counters", name) or {"n": 0})["n"]) + 1
        self.put("counters", name, {"n": number})
        return number

    # ------------------------------------------------------------ indices

    def index(self, table: str, name: str, finder: Finder) -> None:
        """Keep an index of a table from now on. ``finder(key, doc)`` gives ``(value, entry)`` pairs."""
        if name in self._found:
            return
        self._found[name] = {}
        self._finders.setdefault(table, {})[name] = finder
        for key, doc in self._tables.get(table, {}).items():
            self._follow(name, set(), set(finder(key, doc)))

    def entries(self, index: str, value: str, prefix: str = "") -> list[str]:
        """The entries of an index under a value that begin with ``prefix``, sorted."""
        return _beginning(self._found[index].get(value, []), prefix)

    def _follow(self, index: str, before: set[tuple[str, str]], after: set[tuple[str, str]]) -> None:
        found = self._found[index]
        for value, entry in before - after:
            entries = found[value]
            del entries[bisect_left(entries, entry)]
            if not entries:
                del found[value]
        for value, entry in after - before:
            insort(found.setdefault(value, []), entry)

    def _place(self, table: str, key: str, doc: Json | None) -> Json | None:
        """Let a document, or none, stand under a key, with everything that follows from it; what stood there before."""
        rows, keys = self._tables.setdefault(table, {}), self._keys.setdefault(table, [])
        before = rows.get(key)
        for name, finder in self._finders.get(table, {}).items():
            old = set() if before is None else set(finder(key, before))
            self._follow(name, old, set() if doc is None else set(finder(key, doc)))
        if doc is not None:
            rows[key] = doc
            if before is None:
                insort(keys, key)
        elif before is not None:
            del rows[key]
            del keys[bisect_left(keys, key)]
        return before

    # ------------------------------------------------------------ all or nothing

    def mark(self) -> int:
        """A point to ``rollback`` to; good until the next ``commit``."""
        return len(self._undo)

    def rollback(self, mark: int = 0) -> None:
        """Undo every write since ``mark``."""
        while len(self._undo) > mark:
            table, key, before, _ = self._undo.pop()
            self._place(table, key, before)

    def commit(self, now_ms: int = 0) -> None:
        """Make everything written since the last commit durable, in one transaction.

        Raises:
            CloudLost: another process owns the file now. Nothing was written, and memory is as last committed.
            Unwritable: the disk is full or refuses. Likewise.
        """
        self.latest_ms = max(self.latest_ms, now_ms)
        changed = {(table, key) for table, key, _, soft in self._undo if not soft}
        self._soft |= {(table, key) for table, key, _, soft in self._undo if soft}
        if self._db is not None and changed:
            try:
                self._write(self._db, sorted(changed | self._soft))
            except apsw.Error as error:
                self.rollback()
                raise Unwritable(
                    f"The simulated cloud could not be saved: {error}", "Free some space, then resume the run."
                ) from error
            except CloudLost:
                self.rollback()
                raise
            self._soft.clear()
        self._undo.clear()

    def close(self) -> None:
        """Give the file back. What was not committed is lost."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def dump(self) -> dict[str, dict[str, Json]]:
        """A copy of everything, for comparing two clouds."""
        return {table: dict(self.items(table)) for table in sorted(self._tables) if self._tables[table]}

    # ------------------------------------------------------------ the file

    def _open(self, path: Path, durable: bool) -> None:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # so that SQLite never makes it with wider rights
            db = apsw.Connection(str(path))
            db.set_busy_timeout(10_000)
            db.execute(f"PRAGMA journal_mode=WAL; PRAGMA synchronous={'FULL' if durable else 'OFF'}")
            with db:
                db.execute(
                    "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
                    "CREATE TABLE IF NOT EXISTS rows(tbl TEXT, key TEXT, doc TEXT NOT NULL, PRIMARY KEY(tbl, key))"
                    " WITHOUT ROWID"
                )
                meta = {str(name): int(str(value)) for name, value in db.execute("SELECT name, value FROM meta")}
                if meta.get("schema", SCHEMA) > SCHEMA:
                    raise Unwritable(
                        f"{path} was written by a later release of runbook.", "Resume with that release or a newer one."
                    )
                self._owner = meta.get("owner", 0) + 1
                values = (("schema", SCHEMA), ("owner", self._owner))
                db.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", values)
            for table, key, doc in db.execute("SELECT tbl, key, doc FROM rows ORDER BY tbl, key"):
                self._tables.setdefault(str(table), {})[str(key)] = json.loads(str(doc))
                self._keys.setdefault(str(table), []).append(str(key))
        except (apsw.Error, OSError) as error:
            frozen = "The driver before may be frozen in the midst of a write: end that process, then resume."
            hint = frozen if isinstance(error, apsw.BusyError) else ""
            raise Unwritable(f"The simulated cloud {path} cannot be opened: {error}", hint) from error
        self.latest_ms = meta.get("latest_ms", 0)
        self._db = db

    def _write(self, db: apsw.Connection, changed: list[tuple[str, str]]) -> None:
        db.execute("BEGIN IMMEDIATE")
        try:
            owner = next(db.execute("SELECT value FROM meta WHERE name='owner'"))[0]
            if owner != self._owner:
                raise CloudLost(
                    "Another process has taken over this rehearsal's simulated cloud.",
                    "Look at the run with `runbook status`; it is driven elsewhere.",
                )
            gone, kept = [], []
            for table, key in changed:
                doc = self._tables.get(table, {}).get(key)
                if doc is None:
                    gone.append((table, key))
                else:
                    kept.append((table, key, json.dumps(doc, separators=(",", ":"))))
            db.executemany("DELETE FROM rows WHERE tbl=? AND key=?", gone)
            db.executemany("INSERT OR REPLACE INTO rows VALUES(?, ?, ?)", kept)
            db.execute("INSERT OR REPLACE INTO meta VALUES('latest_ms', ?)", (self.latest_ms,))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def copy_of(path: Path) -> State:
    """What a file holds, in memory: read in one go, whoever owns it. Nothing is written, and its owner keeps it.

    Raises:
        Unwritable: the file cannot be read, or was written by a later release.
    """
    state = State()
    try:
        db = _reader(path)
        try:
            with db:  # one moment of it, also while its owner goes on writing
                meta = {str(name): int(str(value)) for name, value in db.execute("SELECT name, value FROM meta")}
                if meta.get("schema", SCHEMA) > SCHEMA:
                    raise Unwritable(
                        f"{path} was written by a later release of runbook.",
                        "Read it with that release or a newer one.",
                    )
                for table, key, doc in db.execute("SELECT tbl, key, doc FROM rows"):
                    state.put(str(table), str(key), json.loads(str(doc)))
        finally:
            db.close()
    except apsw.Error as error:
        raise Unwritable(
            f"The simulated cloud {path} cannot be read: {error}.", "Restore it from a copy, or start a new rehearsal."
        ) from error
    state.commit(meta.get("latest_ms", 0))
    return state


def _reader(path: Path) -> apsw.Connection:
    """A connection that cannot write, also where the folder may not be written to and no log is left."""
    log = path.with_name(f"{path.name}-wal")
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        db.set_busy_timeout(10_000)
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if log.exists() and log.stat().st_size:
            raise
        uri = f"{path.absolute().as_uri()}?immutable=1"
        db = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    return db


def _beginning(texts: list[str], prefix: str) -> list[str]:
    """Those of sorted texts that begin with a prefix."""
    first = bisect_left(texts, prefix)
    return texts[first : bisect_left(texts, True, first, key=lambda text: not text.startswith(prefix))]


def _copy(value: Any) -> Any:
    """A deep copy of a JSON value; three times as fast as ``copy.deepcopy``, which need not know what JSON is."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item) for item in value]
    return value
