"""Management locks: how far one reaches and what it forbids.

Source: Management Locks 2020-05-01; "Lock your resources to protect your infrastructure", Microsoft Learn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runbook.core.arm import Json
from steps._shared.look import dig, is_under


def level_of(lock: Json) -> str:
    """``cannotdelete``, ``readonly`` or ``notspecified``; a read-only lock forbids deleting, too."""
    return str(dig(lock, "properties", "level") or "").lower()


def lock_scope(lock: Json) -> str:
    """What it is put on."""
    return re.split(r"/providers/Microsoft\.Authorization/locks/", str(lock.get("id", "")), flags=re.IGNORECASE)[0]


def reaches(lock: Json, places: Iterable[str]) -> bool:
    """A lock reaches downwards: it matters to what lies at or below it."""
    return any(is_under(place, lock_scope(lock)) for place in places)


def lock_text(lock: Json) -> str:
    return f"{lock.get('name')} on {lock_scope(lock)}"
