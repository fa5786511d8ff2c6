"""What steps read with: lists are read once for all looks that may use them, and nothing stale is ever judged.

A moment is a number from one counter. A look became due at some moment (its needs were finished, its own write was
answered, its poll was due, the operator asked). It may use what another look read if that reading *began* at that
moment or later: whatever made it due is in what was read. Two looks that want the same list at once share one reading.

One member of a collection is read by a call of its own, until three looks in a row could have shared a list; then the
list is read. So a single node costs one GET and hundreds that look at once cost a few pages, without anybody having to
say in advance how many there will be. A node that sent something reads its own object by itself: what ARM lists may
lag behind what it was just told.

What is shared cannot be altered: steps may not disturb each other.

A look that ARM turned away half-way, because there were too many calls, goes on where it stopped: what it has read
since it became due still holds. Otherwise a look of twenty reads would use up what others wait for again and again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from runbook.core.arm import Json, Reading
from runbook.core.clock import Clock
from runbook.core.error import Refused

ALONE: Final = 3
"""Members of one collection that are read one by one before its list is."""
MOST_ITEMS: Final = 20_000
"""Items that are kept, of all lists together; the list that was read longest ago goes first."""
LONGEST_MS: Final = 60_000
"""Nothing that was read is used for longer, by the run's clock."""

MOST_COLLECTIONS: Final = 1_000
"""Collections of which it is known how their members were read."""

_Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Path in lower case, api-version, query."""


@dataclass
class _List:
    """A reading of a collection, under way or done."""

    began: int
    began_ms: int
    reading: asyncio.Task[list[Json]]
    by_id: dict[str, Json] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Single:
    """One object as it was read; None where it was not there."""

    at_ms: int
    doc: Json | None


class SharedReader:
    """The readings of one run.

    Args:
        reader: where to read.
        clock: the run's, by which lists age.
        fence: raises when this process may not act any more; asked before every answer.
        moment: gives the next number of the counter that also says when looks become due.
    """

    def __init__(self, reader: Reading, clock: Clock, fence: Callable[[], None], moment: Callable[[], int]) -> None:
        self._reader = reader
        self._clock = clock
        self._moment = moment
        self._lists: OrderedDict[_Key, _List] = OrderedDict()
        self._singles: OrderedDict[_Key, deque[int]] = OrderedDict()
        self._closed: set[_Key] = set()
        self.kept = 0
        """Items of lists that are kept."""
        self.fence = fence

    def due(self, moment: int | None, *, has_sent: bool) -> LookReader:
        """A reader for one look.

        Args:
            moment: when the look became due; None for now.
            has_sent: whether its node sent something, whose outcome a list may not show yet.
        """
        return LookReader(self, self._moment() if moment is None else moment, has_sent, None)

    @property
    def now_ms(self) -> int:
        return self._clock.now_ms()

    def is_fresh(self, at_ms: int) -> bool:
        """Whether what was read then may still be used."""
        return self._clock.now_ms() - at_ms <= LONGEST_MS

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        """One object, always anew."""
        self.fence()
        return await self._reader.get(path, api_version, **query)

    async def read(self, path: str, api_version: str, query: Mapping[str, str], due: int) -> _List:
        """A list that began at ``due`` or later: one that is there, one that is under way, or a new one."""
        self.fence()
        key = _key(path, api_version, query)
        known = self._usable(key, due)
        if known is None:
            began, now_ms = self._moment(), self._clock.now_ms()
            self._drop(key)
            reading = asyncio.ensure_future(self._list(path, api_version, query))
            known = self._lists[key] = _List(began, now_ms, reading)
            try:
                docs = await asyncio.shield(known.reading)
            except BaseException:
                if self._lists.get(key) is known:
                    del self._lists[key]  # who waits for it gets the same error; who comes later reads anew
                raise
            known.by_id = {str(doc["id"]).lower(): doc for doc in docs if "id" in doc}
            if self._lists.get(key) is known:  # else a later reading has taken its place
                known.size = len(docs)
                self.kept += known.size
                self._forget_oldest()
        else:
            await asyncio.shield(known.reading)
            self.fence()
        return known

    async def _list(self, path: str, api_version: str, query: Mapping[str, str]) -> list[Json]:
        self.fence()  # once more: a task begins later than it is made
        return [freeze(doc) for doc in await self._reader.list(path, api_version, **query)]

    async def member(self, path: str, api_version: str, of: str, due: int) -> Json | None:
        """One member of a collection, from its list where that pays."""
        key = _key(of, api_version, {})
        if key in self._closed:
            return await self.alone(path, api_version)
        if self._usable(key, due) is None:
            singles = self._singles.setdefault(key, deque(maxlen=ALONE))
            self._singles.move_to_end(key)
            if len(self._singles) > MOST_COLLECTIONS:
                self._closed.discard(self._singles.popitem(last=False)[0])
            if len(singles) < ALONE or singles[0] < due:
                singles.append(self._moment())
                return await self.alone(path, api_version)
        try:
            return (await self.read(of, api_version, {}, due)).by_id.get(path.lower())
        except Refused as refused:
            if refused.status != 403:
                raise
            self._closed.add(key)  # rights on some resource groups only: their members can still be read one by one
            return await self.alone(path, api_version)

    async def alone(self, path: str, api_version: str) -> Json | None:
        """One object; None also where its provider has a wording of its own for its absence."""
        try:
            return await self.get(path, api_version)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def _usable(self, key: _Key, due: int) -> _List | None:
        known = self._lists.get(key)
        if known is None or known.began < due or not self.is_fresh(known.began_ms):
            return None
        return known

    def _forget_oldest(self) -> None:
        while self.kept > MOST_ITEMS or len(self._lists) > MOST_COLLECTIONS:
            oldest = next((key for key, known in self._lists.items() if known.reading.done()), None)
            if oldest is None:
                return
            self._drop(oldest)

    def _drop(self, key: _Key) -> None:
        if (known := self._lists.pop(key, None)) is not None:
            self.kept -= known.size


class LookReader:
    """What one look reads with: a ``Reader``."""

    def __init__(self, shared: SharedReader, due: int, has_sent: bool, earlier: Mapping[_Key, _Single] | None) -> None:
        self._shared = shared
        self._due = due
        self._has_sent = has_sent
        self._read: dict[_Key, _Single] = {}
        self._earlier = earlier or {}

    def again(self) -> LookReader:
        """For the same look, which was turned away."""
        return LookReader(self._shared, self._due, self._has_sent, {**self._earlier, **self._read})

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        key = _key(path, api_version, query)
        return await self._once(key, lambda: self._shared.get(path, api_version, **query))

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        known = await self._shared.read(path, api_version, query, self._due)
        return [*known.reading.result()]

    async def member(self, path: str, api_version: str, of: str) -> Json | None:
        async def read() -> Json | None:
            if self._has_sent:
                return await self._shared.alone(path, api_version)
            return await self._shared.member(path, api_version, of, self._due)

        return await self._once(_key(path, api_version, {}), read)

    async def _once(self, key: _Key, read: Callable[[], Awaitable[Json | None]]) -> Json | None:
        self._shared.fence()
        earlier = self._earlier.get(key)
        if earlier is not None and self._shared.is_fresh(earlier.at_ms):
            return earlier.doc
        at_ms = self._shared.now_ms
        self._read[key] = _Single(at_ms, await read())
        return self._read[key].doc


def _key(path: str, api_version: str, query: Mapping[str, str]) -> _Key:
    return path.rstrip("/").lower(), api_version, tuple(sorted(query.items()))


# ---------------------------------------------------------------- what cannot be altered


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError("what was read is shared with other steps and cannot be altered; copy it first")


class FrozenDict(dict[str, Any]):
    """A JSON object that is shared. ``{**it}``, ``dict(it)`` and ``copy.deepcopy`` give one's own."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        return {key: thawed(value) for key, value in self.items()}


class FrozenList(list[Any]):
    """A JSON array that is shared."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = append = clear = extend = insert = pop = remove = _refuse
    reverse = sort = _refuse

    def __copy__(self) -> list[Any]:
        return list(self)

    def __deepcopy__(self, memo: Any) -> list[Any]:
        return [thawed(value) for value in self]


def freeze(value: Any) -> Any:
    """A JSON value that nobody can alter."""
    match value:
        case dict():
            return FrozenDict({key: freeze(inside) for key, inside in value.items()})
        case list():
            return FrozenList(freeze(inside) for inside in value)
        case _:
            return value


def thawed(value: Any) -> Any:
    """A copy of a JSON value that is one's own."""
    match value:
        case dict():
            return {key: thawed(inside) for key, inside in value.items()}
        case list():
            return [thawed(inside) for inside in value]
        case _:
            return value
