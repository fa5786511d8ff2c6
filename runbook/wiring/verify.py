"""Whether the cloud is still as a run left it: its nodes, its names, and who changed what since. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runbook.core.error import ArmError
from runbook.core.state import RunState
from runbook.dns.estate import wanted
from runbook.dns.model import Table
from runbook.engine.recheck import Recheck, recheck
from runbook.engine.since import Since, since_of
from runbook.wiring.look import Lookout
from runbook.wiring.names import truth_in


@dataclass(frozen=True, slots=True)
class Verified:
    """What one look found.

    Attributes:
        since: the newest write at what drifted, by node.
        names: what each place answers for the run's private names; None where the run has none, or is not through.
        names_unread: why the names could not be looked at; empty where they could.
    """

    checked: tuple[Recheck, ...]
    since: Mapping[str, Since] = field(default_factory=dict)
    names: Table | None = None
    names_unread: str = ""


async def verified(lookout: Lookout) -> Verified:
    """Look afresh at everything a run has done. The look-out is closed afterwards."""
    async with lookout.reading() as world:
        checked = await recheck(lookout.book, lookout.view, world)
        since = await since_of(checked, lookout.view, world.arm, world.clock.now_ms())
        if lookout.view.state is not RunState.DONE or not wanted(lookout.view).records:
            return Verified(checked, since)  # names are right only once all of it is done
        try:
            return Verified(checked, since, await truth_in(world, lookout.view))
        except ArmError as error:
            return Verified(checked, since, None, error.message)
