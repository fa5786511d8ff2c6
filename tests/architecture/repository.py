"""The files that make up this repository, for tests that read them as text."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = {".py", ".md", ".toml", ".yaml", ".tcss", ".sql", ".json", ".j2", ".txt", ""}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, under version control; in an unpacked archive, every source file."""
    found: list[Path] = []
    if (ROOT / ".git").exists() and shutil.which("git"):
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\0")
        found = [ROOT / name for name in names if name]
    if not found:  # no history, or git distrusts its owner
        found = [path for folder in ("runbook", "steps", "tests", "assets") for path in (ROOT / folder).rglob("*")]
    return tuple(sorted(p for p in found if p.is_file() and "__pycache__" not in p.parts))


def texts(*folders: str) -> Iterator[tuple[str, str]]:
    """``(path, text)`` of every text file, or of those below these folders. Paths are relative, with slashes."""
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in TEXT and (not folders or name.startswith(tuple(f"{f}/" for f in folders))):
            yield name, path.read_text("utf-8")


def modules(*folders: str) -> Iterator[tuple[str, str]]:
    """``(path, source)`` of every Python module below these folders."""
    return ((name, text) for name, text in texts(*folders) if name.endswith(".py"))
