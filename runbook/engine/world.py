"""What the engine is given of the outside. Rehearsal and live differ here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.core.arm import Arm
from runbook.core.clock import Clock
from runbook.step import Resolver


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in, where."""

    name: str
    tenant: str
    cloud: str


@dataclass(frozen=True, slots=True)
class World:
    """The seams: transport (inside ``arm``), clock, resolver, account.

    Args:
        escape_s: how long a call of a driver that was taken over may still be under way, in real seconds.
    """

    arm: Arm
    dns: Resolver
    clock: Clock
    account: Account
    escape_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what runs at once and on patience.

    Attributes:
        activities: looks, sends and polls under way at the same time.
        deferrals: postponements in a row before a node fails.
        first_delay_s: after the first postponement; doubles each time.
        longest_delay_s: no postponement is longer, unless ARM asks for it.
        poll_s: between polls when ARM does not say.
        horizon_s: a driver without a screen gives up when nothing has moved for this long.
    """

    activities: int = 16
    deferrals: int = 8
    first_delay_s: float = 2.0
    longest_delay_s: float = 300.0
    poll_s: float = 10.0
    horizon_s: float = 45 * 86_400.0
