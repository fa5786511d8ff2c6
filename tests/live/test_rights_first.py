"""In every shipped book, whatever can write comes after the check of rights."""

from __future__ import annotations

import sys

import pytest

from runbook.book import Book, load_book, load_step


def before(book: Book, step: str) -> set[str]:
    """Every step that one stands on, directly or not."""
    found: set[str] = set()
    left = [step]
    while left:
        for need in book.step(left.pop()).needs:
            name = need if isinstance(need, str) else need.step
            if name not in found:
                found.add(name)
                left.append(name)
    return found


@pytest.mark.parametrize("name", ["arc-private-link", "avd-private-link"])
def test_whatever_can_write_comes_after_the_check_of_rights(name: str) -> None:
    book = load_book(name)
    writing = [s for s in book.steps if hasattr(sys.modules[load_step(s.uses).__module__], "Changes")]
    assert len(writing) > 8
    for step in writing:
        assert any(book.step(s).uses == "context.rights" for s in before(book, step.id)), step.id
