"""Bringing a journal file to the newest schema. Each script and its version number commit together."""

from __future__ import annotations

from typing import Final

import apsw

from runbook.core.error import Damaged, TooNew

NEWEST: Final = 1
"""Schema version this release writes; SQLite's ``user_version`` holds a file's own."""


def version(db: apsw.Connection) -> int:
    """Schema version of an open journal; 0 for an empty file."""
    return int(db.pragma("user_version"))


def refuse_newer(db: apsw.Connection, name: str) -> None:
    """Stop before reading what a later release wrote.

    Raises:
        TooNew: the file's schema is above ``NEWEST``.
    """
    if (found := version(db)) > NEWEST:
        raise TooNew(
            f"The journal of {name} has schema {found}; this release knows schemas up to {NEWEST}.",
            "Open it with the release that wrote it, or a later one. Nothing was changed.",
        )


def migrate(db: apsw.Connection, name: str) -> None:
    """Run the scripts the file lacks, one transaction each.

    Raises:
        TooNew: written by a later release.
        Damaged: it is a database, but not a journal.
    """
    from importlib.resources import files  # slow to import, and reading a journal never needs it

    refuse_newer(db, name)
    if not version(db) and db.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise Damaged(f"The file of {name} is a database, but not a runbook journal.", "Nothing was changed in it.")
    for number in range(version(db) + 1, NEWEST + 1):
        script = files("runbook.journal.migrations").joinpath(f"{number:04d}.sql").read_text("utf-8")
        with db:
            db.execute(script)
            db.execute(f"PRAGMA user_version = {number}")
