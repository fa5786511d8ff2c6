"""Writes that ARM serialises: who holds which lock, and who waits in line for it. Pure bookkeeping.

Invariants: a lock has at most one holder; nobody waits for locks that are all free; who comes first is served first,
unless another lock that it wants as well is taken. A turn is a hold: nobody can slip in between, and a node whose
turn comes to nothing passes it on by ``release``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_Names = tuple[str, ...]


class Locks:
    """Locks by lower-cased resource id.

    Args:
        on_turn: called with the name of a node that waited and now holds what it waited for.
    """

    def __init__(self, on_turn: Callable[[str], None]) -> None:
        self._on_turn = on_turn
        self._holder: dict[str, str] = {}
        self._held: dict[str, _Names] = {}
        self._wanted: dict[str, _Names] = {}
        self._lines: dict[str, dict[str, None]] = {}

    def is_free(self, name: str, locks: Iterable[str]) -> bool:
        """Whether nobody else holds one of these."""
        return all(self._holder.get(lock, name) == name for lock in _each_once(locks))

    def hold(self, name: str, locks: Iterable[str]) -> None:
        """Hold these and no others."""
        wanted = _each_once(locks)
        self._leave_lines(name)
        before = self._held.pop(name, ())
        self._held[name] = wanted
        self._holder.update((lock, name) for lock in wanted)
        self._pass_on(name, [lock for lock in before if lock not in wanted])

    def take(self, name: str, locks: Iterable[str]) -> bool:
        """Hold these if all are free; else let go of everything and stand in line."""
        wanted = _each_once(locks)
        if self.is_free(name, wanted):
            self.hold(name, wanted)
            return True
        if self._wanted.get(name) != wanted:
            self.release(name)
            self._wanted[name] = wanted
            for lock in wanted:
                self._lines.setdefault(lock, {})[name] = None
        return False

    def release(self, name: str) -> None:
        """Neither hold nor wait for anything."""
        self._leave_lines(name)
        self._pass_on(name, self._held.pop(name, ()))

    def _leave_lines(self, name: str) -> None:
        for lock in self._wanted.pop(name, ()):
            del self._lines[lock][name]

    def _pass_on(self, name: str, locks: Iterable[str]) -> None:
        freed = [lock for lock in locks if self._holder.get(lock) == name]
        for lock in freed:
            del self._holder[lock]
        for lock in freed:
            line = self._lines.get(lock, {})
            turn = next((next_ for next_ in line if self.is_free(next_, self._wanted[next_])), None)
            if turn is not None:
                self.hold(turn, self._wanted[turn])
                self._on_turn(turn)


def _each_once(locks: Iterable[str]) -> _Names:
    return tuple(dict.fromkeys(lock.lower() for lock in locks))
