"""Collections, page by page. Pure.

Invariant: a list is whole or it is an error. A page that cannot be understood, a link that was followed before and a
list without end are failures, never a shorter list.

Source: Azure Resource Manager RPC, common-api-details: ``value`` and ``nextLink``, which is followed verbatim until
it is absent or empty.
"""

from __future__ import annotations

from typing import Any, Final

from runbook.core.arm import Json
from runbook.core.error import AnswerMissing

MAX_PAGES: Final = 1_000
MAX_ITEMS: Final = 200_000


class Pages:
    """Collects the items of one collection.

    Args:
        what: what is listed, for the words of an error; without a query.
    """

    def __init__(self, what: str) -> None:
        self.items: list[Json] = []
        self._what = what
        self._followed: set[str] = set()

    def add(self, body: Any) -> str | None:
        """Take in one parsed page and say which link comes next; None after the last.

        Raises:
            AnswerMissing: not a page of a collection, or the collection has no end.
        """
        values = body.get("value") if isinstance(body, dict) else None
        if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
            raise AnswerMissing(f"{self._what} was answered with something that is not a list of objects.")
        self.items += values
        link = body.get("nextLink")
        if link is None or link == "":
            return None
        if not isinstance(link, str):
            raise AnswerMissing(f"{self._what} has a next page, but its link is not a text.")
        if link in self._followed:
            raise AnswerMissing(f"{self._what} goes in circles: a page links back to one that was read already.")
        if len(self._followed) >= MAX_PAGES - 1 or len(self.items) > MAX_ITEMS:
            raise AnswerMissing(f"{self._what} has more than {MAX_PAGES} pages or {MAX_ITEMS} items.")
        self._followed.add(link)
        return link
