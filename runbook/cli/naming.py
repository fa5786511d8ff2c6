"""Short forms for people, of nodes and moments: to be read in a table and to be typed. JSON keeps the whole.

Invariant: whatever ``short_ids`` shows, ``find`` takes back to the same node.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from runbook.core.clock import iso
from runbook.core.error import UsageError

_GUID: Final = re.compile(r"([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def moment(at_ms: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return f"{iso(at_ms)[:19]}Z"


def short_ids(ids: Iterable[str]) -> Mapping[str, str]:
    """Each id with its short form: of a resource id its last name, of a GUID its first eight letters.

    Where two of them would be the same, they stay whole.
    """
    return _short_ids(tuple(ids))


@lru_cache(maxsize=8)
def _short_ids(ids: tuple[str, ...]) -> Mapping[str, str]:
    shown = {id_: _short(id_) for id_ in ids}
    often = Counter(shown.values())
    return {
        id_: form if often[form] == 1 and (form == id_ or form not in shown) else id_ for id_, form in shown.items()
    }


def _short(id_: str) -> str:
    step, bracket, key = id_.removesuffix("]").partition("[")
    if not bracket:
        return id_
    if key.startswith("/"):
        key = key.rstrip("/").rpartition("/")[2]
    brief = _GUID.sub(r"\1", key)
    return f"{step}[{brief}]"


def find(ids: Iterable[str], asked: str) -> str:
    """The id that is meant by a whole id, its short form, or the beginning or end of its key.

    Args:
        ids: of every node there is.
        asked: as typed: ``associate[srv-app-01]``, ``srv-app-01``, ``rights[2222``, or a step that has one node.

    Returns:
        The id; what was asked where nothing fits, so that whoever takes it says so.

    Raises:
        UsageError: more than one node fits.
    """
    known = tuple(ids)
    if asked in known or not asked:
        return asked
    wanted = asked.lower()
    shown = short_ids(known)
    exact = [i for i in known if shown[i].lower() == wanted]
    fitting = exact or [i for i in known if _fits(i, wanted)]
    if len(fitting) > 1:
        some = ", ".join(shown[i] for i in fitting[:6]) + (", …" if len(fitting) > 6 else "")
        raise UsageError(f"{asked!r} fits {len(fitting)} nodes.", f"Say which: {some}.")
    return fitting[0] if fitting else asked


def _fits(id_: str, wanted: str) -> bool:
    step, _, key = id_.lower().removesuffix("]").partition("[")
    in_step, bracket, part = wanted.removesuffix("]").partition("[")
    if bracket:
        return step == in_step and bool(part) and _is_part(key, part)
    return step == wanted or _is_part(key, wanted)


def _is_part(key: str, part: str) -> bool:
    """Whether a key begins with this, or ends with it after a slash."""
    return bool(key) and (key.startswith(part) or key.endswith(f"/{part}"))
