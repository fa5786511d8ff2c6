"""The world of a rehearsal: one simulated cloud, seen through the client and the resolver that a live run uses, too."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from runbook.core.clock import Clock
from runbook.core.error import Damaged
from runbook.engine.world import Account, World
from runbook.home import CLOUD

if TYPE_CHECKING:
    from runbook.arm.client import ArmClient
    from runbook.arm.policies import ReadOnly
    from runbook.sim.cloud import Cloud
    from runbook.sim.transport import SimTransport


def rehearsal_world(
    run: str, cloud: Cloud, clock: Clock, transport: SimTransport | ReadOnly
) -> tuple[World, ArmClient]:
    """The seams of a rehearsal, and the client among them, which is to be closed.

    Args:
        run: the run's id, from which the ids of its reads are made.
        cloud: the simulated Azure.
        clock: the time of both.
        transport: the way to it.
    """
    from runbook.arm.auth import static_credential
    from runbook.arm.client import ArmClient
    from runbook.sim.resolver import SimResolver

    numbers = itertools.count(1)
    arm = ArmClient(
        transport,
        static_credential("rehearsal"),
        endpoint=cloud.endpoint,
        new_id=lambda: str(uuid5(NAMESPACE_URL, f"runbook:{run}:read:{next(numbers)}")),
    )
    who = cloud.scenario
    account = Account(who.operator.name, who.tenant.id, who.cloud)
    return World(arm, SimResolver(cloud), clock, account), arm


def cloud_file(journal: Path) -> Path:
    """The simulated cloud beside a run's journal.

    Raises:
        Damaged: it is gone.
    """
    path = journal.with_name(CLOUD)
    if not path.is_file():
        raise Damaged(
            f"The simulated cloud of this run is gone: {path} does not exist.",
            "Restore it beside the journal, or start a new rehearsal.",
        )
    return path
