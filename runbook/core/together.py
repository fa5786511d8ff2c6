"""Several reads at a time, but not too many: ARM grants 25 a second once a burst of 250 is used up.

Source: "Understand how Azure Resource Manager throttles requests", Microsoft Learn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

AT_ONCE: Final = 8
"""Reads of one step, or of one look, under way at the same time."""


async def together(reads: Iterable[Awaitable[T]], at_once: int = AT_ONCE) -> list[T]:
    """The results of some reads, in their order; the first failure is raised once all of them have ended."""
    turn = asyncio.Semaphore(at_once)

    async def one(read: Awaitable[T]) -> T:
        async with turn:
            return await read

    found = await asyncio.gather(*(one(r) for r in reads), return_exceptions=True)
    results: list[T] = []
    for result in found:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results
