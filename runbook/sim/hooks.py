"""Names for what happens later or elsewhere, so that it survives the process.

A timer and an operation store the *name* of an effect, never a function: a new process finds the function again by
that name. Listeners let one provider react to another without importing it.

    @effect("network.endpoint_done")
    def endpoint_done(cloud: Cloud, args: Json) -> Any: ...

    @on("connection_changed")
    def follow(cloud: Cloud, event: Json) -> None: ...

A service that knows its own public names says which of them lead to a private one with ``@alias``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

Json = dict[str, Any]
Effect = Callable[["Cloud", Json], Any]
Listener = Callable[["Cloud", Json], None]

Alias = Callable[["Cloud", str], bool | None]

Finder = Callable[[str, Json], Iterable[tuple[str, str]]]
"""Reads a stored document: ``(value, entry)`` for everything it is to be found by. It must neither change nor raise."""

EFFECTS: dict[str, Effect] = {}
ALIASES: list[Alias] = []
LISTENERS: dict[str, list[Listener]] = {}
INDICES: dict[tuple[str, str], Finder] = {}
"""By table and name."""


def effect(name: str) -> Callable[[Effect], Effect]:
    """Register what a timer or an operation does when its time comes. ``name`` must never change its meaning."""

    def register(function: Effect) -> Effect:
        if name in EFFECTS:
            raise ValueError(f"two effects are called {name!r}")
        EFFECTS[name] = function
        return function

    return register


def on(event: str) -> Callable[[Listener], Listener]:
    """Register a reaction to ``Cloud.emit(event, …)``. Reactions run at once, in the order of registration."""

    def register(function: Listener) -> Listener:
        LISTENERS.setdefault(event, []).append(function)
        return function

    return register


def alias(function: Alias) -> Alias:
    """Register who knows whether the public DNS answers a clean name with a CNAME to its private name.

    ``function(cloud, name)`` says None of a name that is not its service's.
    """
    ALIASES.append(function)
    return function


def index(table: str, name: str) -> Callable[[Finder], Finder]:
    """Register what documents of a table are found by: ``cloud.state.entries(name, value)`` gives their entries.

    An index is worked out from the documents and never stored, so it may change from release to release.
    """

    def register(function: Finder) -> Finder:
        if (table, name) in INDICES:
            raise ValueError(f"two indices are called {name!r}")
        INDICES[table, name] = function
        return function

    return register
