"""Evidence behind the operator's word: a file's name and hash, never its contents."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path

from runbook.core.error import UsageError


def evidence_of(path: str) -> tuple[str, str]:
    """A file's name and SHA-256.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with Path(path).expanduser().open("rb") as file:
            return Path(path).name, file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"The evidence {path} cannot be read: {error.strerror}.") from error
