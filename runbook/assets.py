"""The only module that knows where ``assets/`` lies: beside the packages in a checkout, inside the wheel otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def root() -> Path:
    """The folder that holds ``books``, ``scenarios`` and ``styles``."""
    inside = Path(__file__).parent / "_assets"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "assets"


def path(*parts: str) -> Path:
    """A file or folder below ``assets/``; it need not exist."""
    return root().joinpath(*parts)
