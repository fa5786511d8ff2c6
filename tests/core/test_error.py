from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial

import pytest

from runbook.core import error
from runbook.core.error import BookError, Refused, RunbookError, Throttled

CLASSES = {
    name: cls
    for name, cls in inspect.getmembers(error, inspect.isclass)
    if issubclass(cls, RunbookError) and cls.__module__ == error.__name__
}


def drawn() -> dict[str, str | None]:
    """Class → the class it hangs from, as the docstring draws it."""
    parents: dict[str, str | None] = {}
    stack: list[tuple[int, str]] = []
    for line in (error.__doc__ or "").splitlines():
        if not (match := re.match(r"([ │├└─]{4,})([A-Z]\w+)  ", line)):
            continue
        depth, name = len(match[1]), match[2]
        while stack and stack[-1][0] >= depth:
            stack.pop()
        parents[name] = stack[-1][1] if stack else None
        stack.append((depth, name))
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    real = {name: None if cls is RunbookError else cls.__mro__[1].__name__ for name, cls in CLASSES.items()}
    assert drawn() == real


def test_every_class_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in CLASSES.values()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


def test_every_class_ends_in_an_exit_status_of_the_contract() -> None:
    assert {cls.exit_status for cls in CLASSES.values()} <= {1, 2, 5, 6}


def test_an_error_reads_as_a_sentence_and_a_hint() -> None:
    assert str(RunbookError("It broke.", "Mend it.")) == "It broke. Mend it."
    assert str(RunbookError("It broke.")) == "It broke."


def test_a_fault_in_a_file_says_where() -> None:
    fault = BookError("unknown key 'x'", file="b.yaml", line=3, column=5, hint="Remove it.")
    assert str(fault) == "b.yaml:3:5: unknown key 'x'"
    assert str(BookError("no such book")) == "no such book"


@pytest.mark.parametrize("cls", [Refused, partial(Throttled, retry_after_s=None)])
def test_a_refusal_reads_with_arms_own_code(cls: Callable[..., Refused]) -> None:
    refusal = cls("No room.", status=400, arm_code="SubnetIsFull")
    assert str(refusal) == "SubnetIsFull: No room."
    assert refusal.details == []
