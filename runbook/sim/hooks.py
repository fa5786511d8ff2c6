"""Names for what happens later or elsewhere, so that it survives the process.

A timer and an operation store the *name* of an effect, never a function: a new process finds the function again by
that name. Listeners let one provider react to another without importing it.

    @effect("network.endpoint_done")
    def endpoint_done(cloud: Cloud, args: Json) -> Any: ...

    @on("connection_changed")
    def follow(cloud: Cloud, event: Json) -> None: ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

Json = dict[str, Any]
Effect = Callable[["Cloud", Json], Any]
Listener = Callable[["Cloud", Json], None]

EFFECTS: dict[str, Effect] = {}
LISTENERS: dict[str, list[Listener]] = {}


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
