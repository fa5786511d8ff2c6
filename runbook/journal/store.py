"""One run's journal in one SQLite file.

Invariants: rows are only added; a row's hash binds it to the row before; every append checks, in its own
transaction, that the epoch it was made under is still the newest; an append that returned is on the disk.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import apsw

from runbook.core.clock import iso
from runbook.core.entry import GENESIS, Draft, Entry, Kind, canonical, entry_hash
from runbook.core.error import Damaged, JournalError, LeaseLost, RunUnknown, Unwritable
from runbook.core.expected import Move
from runbook.core.mark import Mark, mark_from
from runbook.core.state import NodeState
from runbook.journal.migrate import migrate, refuse_newer

FILE: Final = "journal.db"

_BUSY_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Driver:
    """One row of the driver table: outside the hash chain, so that who drove does not alter what happened.

    Times are the machine's, in UTC milliseconds, also in rehearsals.
    """

    epoch: int
    host: str
    pid: int
    account: str
    since_ms: int
    reason: str


class Journal:
    """An open journal file. Not shared between threads: each opens its own."""

    def __init__(self, path: Path, db: apsw.Connection) -> None:
        self.path = path
        self._db = db
        self._head: tuple[int, str, int] | None = None

    # ------------------------------------------------------------ opening

    @classmethod
    def create(cls, path: Path, *, durable: bool = True) -> Self:
        """Make a new journal, readable by its owner only.

        Args:
            path: the file to make; its folder must exist.
            durable: whether each append waits for the disk. Only tests that never cut the power may say no.

        Raises:
            Unwritable: it exists already, or cannot be made.
        """
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            raise Unwritable(f"{path} exists already.", "Choose another run id.") from None
        except OSError as error:
            raise Unwritable(f"Cannot create {path}: {error.strerror}.", "Check the folder and its rights.") from error
        return cls.open(path, durable=durable)

    @classmethod
    def open(cls, path: Path, *, write: bool = True, durable: bool = True) -> Self:
        """Open an existing journal; for writing, also bring it to the newest schema.

        Raises:
            RunUnknown: there is no such file.
            TooNew: a later release wrote it.
            Damaged: it is not a journal.
            Unwritable: opened for writing where that cannot be.
        """
        if not path.is_file():
            raise RunUnknown(f"No run {path.parent.name!r}: {path} does not exist.", "`runbook runs` lists the runs.")
        flags = apsw.SQLITE_OPEN_READWRITE if write else apsw.SQLITE_OPEN_READONLY
        with _told(path):
            db = _connect(path, flags, write)
            db.set_busy_timeout(_BUSY_MS)
            refuse_newer(db, path.parent.name)
            if write:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
                migrate(db, path.parent.name)
            journal = cls(path, db)
            if write:
                journal._check_end()
        return journal

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # ------------------------------------------------------------ appending

    def append(self, drafts: Sequence[Draft], at_ms: int, epoch: int) -> list[Entry]:
        """Commit drafts in order, all or none, and return them numbered and chained.

        Time never runs backwards: a row is dated no earlier than the row before it.

        Raises:
            LeaseLost: a later epoch exists; nothing was written.
            Unwritable: the disk is full or read-only; nothing was written.
        """
        with _told(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._check_epoch(epoch)
                seq, previous, last_ms = self._head or self._read_head()
                entries: list[Entry] = []
                rows: list[tuple[int | str | None, ...]] = []
                last_ms = max(at_ms, last_ms)
                for draft in drafts:
                    seq, text = seq + 1, draft.text or canonical(draft.data)
                    previous = entry_hash(previous, seq, last_ms, draft.kind, draft.node, draft.to, text)
                    entries.append(Entry(seq, last_ms, draft.kind, draft.node, draft.to, draft.data, previous))
                    rows.append((seq, last_ms, draft.kind, draft.node, draft.to, text, previous, draft.side))
                self._db.executemany(_INSERT, rows)
                self._db.execute("REPLACE INTO meta VALUES ('head', ?)", (f"{seq} {previous}",))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                self._head = None
                raise
        self._head = (seq, previous, last_ms)
        return entries

    def check_epoch(self, epoch: int) -> None:
        """Whether this epoch may still act.

        Raises:
            LeaseLost: another driver has taken over.
        """
        with _told(self.path):
            self._check_epoch(epoch)

    def _check_epoch(self, epoch: int) -> None:
        if self._newest_epoch() != epoch:
            newest = "SELECT account, host, pid, since_ms, reason FROM driver ORDER BY epoch DESC LIMIT 1"
            row = self._db.execute(newest).fetchone()
            who, host, pid, since_ms, reason = row or ("somebody", "another machine", "?", 0, "")
            when = f", at {iso(since_ms)[:16].replace('T', ' ')}Z" if since_ms else ""
            said = str(reason).partition(": ")[2]  # what its operator said, after how it came about
            why = f", because: {said}" if said else ""
            raise LeaseLost(
                f"Another process has taken over this run: {who} on {host} (process {pid}){when}{why}.",
                "Nothing more was written or sent from here. `runbook status` shows who drives it now.",
            )

    def _newest_epoch(self) -> int:
        row = self._db.execute("SELECT max(epoch) FROM driver").fetchone()
        return int(row[0] or 0) if row else 0

    def _recorded_head(self) -> str:
        """What was noted as the newest entry when it was written, as ``SEQ HASH``; empty when nothing was."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'head'").fetchone()
        return str(row[0]) if row else ""

    def _check_end(self) -> None:
        """Whether the last entry is the one that was written last. If not, what is written now would hide the gap.

        Raises:
            Damaged: it is not.
        """
        seq, hash_, _ = self._read_head()
        if self._recorded_head() not in ("", f"{seq} {hash_}"):
            raise Damaged(
                f"{self.path} is damaged: its last entries are not those that were written last.", _CHECK_HINT
            )

    def _read_head(self) -> tuple[int, str, int]:
        row = self._db.execute("SELECT seq, hash, at_ms FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(row[0]), str(row[1]), int(row[2])) if row else (0, GENESIS, 0)

    # ------------------------------------------------------------ reading

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry; ``(0, GENESIS)`` when there is none."""
        with _told(self.path):
            seq, hash_, _ = self._read_head()
            return seq, hash_

    def hash_at(self, seq: int) -> str | None:
        """The hash of entry ``seq``; None when there is no such entry. Before the first stands ``GENESIS``."""
        if seq == 0:
            return GENESIS
        with _told(self.path):
            row = self._db.execute("SELECT hash FROM entry WHERE seq = ?", (seq,)).fetchone()
            return str(row[0]) if row else None

    def entries(
        self, after: int = 0, node: str | None = None, last: int | None = None, upto: int | None = None
    ) -> Iterator[Entry]:
        """Entries in order.

        Args:
            after: only those numbered above this.
            node: only those of this node.
            last: only this many, the newest.
            upto: only those numbered no higher than this.
        """
        where = "seq > ?" if node is None else "seq > ? AND node = ?"
        args: tuple[Any, ...] = (after,) if node is None else (after, node)
        if upto is not None:
            where, args = f"{where} AND seq <= ?", (*args, upto)
        columns = "seq, at_ms, kind, node, state, data, hash"
        sql = f"SELECT {columns} FROM entry WHERE {where} ORDER BY seq"
        if last is not None:
            sql = f"SELECT * FROM ({sql} DESC LIMIT {last:d}) ORDER BY seq"
        with _told(self.path):
            for seq, at_ms, kind, node_, state, data, hash_ in self._db.execute(sql, args):
                try:
                    to = None if state is None else NodeState(state)
                    yield Entry(seq, at_ms, Kind(kind), node_, to, json.loads(data), hash_)
                except ValueError as error:
                    raise Damaged(f"Row {seq} of {self.path} cannot be read: {error}.", _CHECK_HINT) from error

    def moves(self, limit: int) -> list[Move]:
        """The first rows that moved a node, without reading what they carry: for lengths of time."""
        sql = "SELECT at_ms, node, state FROM entry WHERE state IS NOT NULL AND node IS NOT NULL ORDER BY seq LIMIT ?"
        known = NodeState._value2member_map_
        with _told(self.path):
            rows = self._db.execute(sql, (limit,))
            return [Move(at_ms, node, NodeState(state)) for at_ms, node, state in rows if state in known]

    def marks(self, after: int = 0) -> Iterator[Mark]:
        """Every entry in brief, in order; a hundred thousand take a fraction of a second.

        Args:
            after: only those numbered above this.

        Raises:
            Damaged: a row cannot be read, or is missing.
        """
        with _told(self.path):
            for row in self._db.execute(_MARKS, (after,)):
                if row[0] != after + 1:
                    raise Damaged(f"In {self.path} {_rows(after + 1, row[0] - 1)} missing.", _CHECK_HINT)
                try:
                    yield mark_from(*row)
                except ValueError as error:
                    raise Damaged(f"Row {row[0]} of {self.path} cannot be read: {error}.", _CHECK_HINT) from error
                after += 1

    def side(self, seq: int) -> str | None:
        """What is kept beside entry ``seq``, outside hash and exports."""
        with _told(self.path):
            row = self._db.execute("SELECT side FROM entry WHERE seq = ?", (seq,)).fetchone()
            return row[0] if row else None

    def check(self) -> list[str]:
        """Walk the whole chain; one sentence per fault, none when it holds."""
        faults: list[str] = []
        expected, previous = 1, [GENESIS]
        with _told(self.path), self._db:  # one transaction, so that a driver's append meanwhile is not half seen
            rows = self._db.execute("SELECT seq, at_ms, kind, node, state, data, hash FROM entry ORDER BY seq")
            for seq, at_ms, kind, node, state, data, hash_ in rows:
                own = [entry_hash(p, seq, at_ms, kind, node, state, data) for p in previous]
                if seq < expected:
                    faults.append(f"row {seq} does not belong to the journal")
                    continue
                if seq > expected:
                    faults.append(f"{_rows(expected, seq - 1)} missing")
                elif hash_ not in own:
                    faults.append(f"row {seq} ({kind}{f' of {node}' if node else ''}) was altered or reordered")
                # The row after a faulty one may be bound to what that one should read, or to its neighbour if the
                # two changed places: then it is not at fault.
                expected, previous = seq + 1, [hash_] if hash_ in own else [hash_, own[0], previous[0]]
            last, _, newest = (self._recorded_head() or f"0 {GENESIS}").partition(" ")
            if last.isdecimal() and int(last) >= expected:
                faults.append(f"{_rows(expected, int(last))} missing at the end")
            elif last != str(expected - 1) or newest not in previous:
                faults.append("the last row is not the recorded head")
        return faults

    # ------------------------------------------------------------ drivers and snapshots

    def add_driver(self, expected: int, row: Driver) -> None:
        """Begin a new epoch, if ``expected`` is still the newest.

        Raises:
            LeaseLost: somebody else was quicker.
        """
        with _told(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if self._newest_epoch() != expected:
                    raise LeaseLost("Another process took this run just now.", "`runbook status` shows who drives it.")
                values = (row.epoch, row.host, row.pid, row.account, row.since_ms, row.reason)
                self._db.execute("INSERT INTO driver VALUES (?, ?, ?, ?, ?, ?)", values)
                self._db.execute("COMMIT")
                self._head = None  # the driver before may have appended
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def drivers(self) -> list[Driver]:
        """Everybody who ever drove this run, oldest first."""
        with _told(self.path):
            return [Driver(*row) for row in self._db.execute("SELECT * FROM driver ORDER BY epoch")]

    def save_snapshot(self, seq: int, hash_: str, form: str, view: str) -> None:
        """Keep the fold at entry ``seq``; older ones go."""
        with _told(self.path), self._db:
            self._db.execute("DELETE FROM snapshot")
            self._db.execute("INSERT INTO snapshot VALUES (?, ?, ?, ?)", (seq, form, hash_, view))

    def snapshot(self, form: str) -> str | None:
        """The kept fold, if it is of this form and its entry is still what it was."""
        with _told(self.path):
            row = self._db.execute(
                "SELECT view FROM snapshot s JOIN entry e ON e.seq = s.seq AND e.hash = s.hash WHERE form = ?", (form,)
            ).fetchone()
            return row[0] if row else None


_INSERT: Final = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_MARKS: Final = """
SELECT seq, at_ms, kind, node, state,
       CASE state WHEN 'waiting' THEN data->>'$.waiting.who' END,
       CASE state WHEN 'waiting' THEN data->>'$.waiting.attest' <> '' OR data->>'$.waiting.next_poll_ms' IS NULL
                  WHEN 'in_doubt' THEN kind = 'observed' AND data->>'$.due_ms' IS NULL END
FROM entry WHERE seq > ? ORDER BY seq
"""
_CHECK_HINT: Final = "`runbook journal check` names every damaged row."


def _rows(first: int, last: int) -> str:
    return f"row {first} is" if first == last else f"rows {first} to {last} are"


def _connect(path: Path, flags: int, write: bool) -> apsw.Connection:
    try:
        db = apsw.Connection(str(path), flags=flags)
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if write:
            raise
        # A folder that may not be written to: SQLite cannot make its shared-memory file there.
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise Unwritable(
                f"The newest entries of {path} are in {log.name}, which cannot be read where nothing may be written.",
                "Copy the whole folder to where you may write, and open it there.",
            ) from None
        uri = f"{path.absolute().as_uri()}?immutable=1"
        db = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    return db


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise Damaged(f"{path} is damaged: {error}.", "Restore it from a copy, or start a new run.") from error
    except apsw.FullError as error:
        raise Unwritable(f"The disk that holds {path} is full.", "Free some space, then resume the run.") from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError) as error:
        raise Unwritable(f"{path} cannot be written: {error}.", "Check the folder's rights and the disk.") from error
    except apsw.IOError as error:
        raise Unwritable(f"The disk under {path} failed: {error}.", "Check the disk, then resume the run.") from error
    except apsw.BusyError as error:
        raise JournalError(
            f"{path} is being written by another process: {error}.",
            "Try again in a moment. If that process is frozen in the midst of it, end it: `runbook status` names it.",
        ) from error
    except apsw.SQLError as error:
        raise Damaged(f"{path} is not a runbook journal: {error}.", "Restore it from a copy.") from error
