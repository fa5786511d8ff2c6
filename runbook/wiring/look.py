"""Looking at a cloud for a plan or a report on drift: no journal is written, no lease taken, nothing sent.

Invariants: between client and cloud stands ``ReadOnly``, so a write cannot pass whoever asks for it; and what is looked
at is a copy in memory, so a look leaves no trace in a rehearsal either, and disturbs nobody who drives it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.book import Book, book_from_json
from runbook.core.clock import VirtualClock
from runbook.core.entry import Entry, Kind, canonical
from runbook.core.error import UsageError
from runbook.core.redact import redact
from runbook.core.view import RunView
from runbook.engine.recheck import Recheck, recheck
from runbook.engine.survey import Finding, survey
from runbook.engine.world import World
from runbook.home import journal_path
from runbook.journal.fold import fold
from runbook.journal.lease import driver, words
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.wiring.create import LIVE_IS_NOT_HERE, Wish, prepare
from runbook.wiring.world import cloud_file, rehearsal_world

if TYPE_CHECKING:
    from runbook.arm.client import ArmClient
    from runbook.sim.state import State
    from runbook.sim.transport import SimTransport

PLAN = "plan"
"""What stands for the id of a run that does not exist."""


@dataclass(frozen=True, slots=True)
class Lookout:
    """A run, or one that could be made, and a world that can only be read.

    Attributes:
        driver: in words, who drives the run at this moment; None when nobody does.
        transport: to the simulated cloud; only what passed ``ReadOnly`` reaches it.
    """

    book: Book
    view: RunView
    world: World
    transport: SimTransport
    driver: str | None
    _arm: ArmClient

    async def survey(self) -> tuple[Finding, ...]:
        """What a run would do from here."""
        try:
            return await survey(self.book, self.view, self.world)
        finally:
            await self._arm.close()

    async def recheck(self) -> tuple[Recheck, ...]:
        """What still holds of what the run has done."""
        try:
            return await recheck(self.book, self.view, self.world)
        finally:
            await self._arm.close()


def look_ahead(wish: Wish) -> Lookout:
    """A run as it would begin. Nothing is made on the disk.

    Raises:
        UsageError: the mode, scenario or edition will not do.
        BookError: a fault in the book, the scenario or the inputs.
    """
    from runbook.sim.state import State

    _, scenario, first = prepare(wish)
    first = json.loads(canonical(redact({"id": PLAN, **first})))  # as a run would read it back from its journal
    view = fold(RunView(), [Entry(1, scenario.start_ms, Kind.RUN_CREATED, None, None, first, "")])
    return _lookout(view, State(), None)


def look_again(home: Path, run: str) -> Lookout:
    """A run that exists, as it stands, and its cloud as it stands; time does not pass for either.

    Raises:
        RunUnknown, TooNew, Damaged, Unwritable: as the class says.
        UsageError: the run is a live one.
    """
    from runbook.sim.state import copy_of

    path = journal_path(home, run)
    journal = Journal.open(path, write=False)
    try:
        view, row = load_view(journal), driver(journal)
    finally:
        journal.close()
    if view.mode != "rehearsal":
        raise UsageError(
            f"Run {run} is a {view.mode or 'nameless'} run. {LIVE_IS_NOT_HERE}", "A later release looks at it."
        )
    return _lookout(view, copy_of(cloud_file(path)), words(row) if row else None)


def _lookout(view: RunView, state: State, driver: str | None) -> Lookout:
    from runbook.arm.policies import ReadOnly
    from runbook.sim.cloud import Cloud
    from runbook.sim.scenario import from_doc
    from runbook.sim.transport import SimTransport

    clock = VirtualClock(max(view.updated_ms, state.latest_ms))
    transport = SimTransport(Cloud(from_doc(view.options["scenario"]), clock, state))
    world, arm = rehearsal_world(view.id, transport.cloud, clock, ReadOnly(transport))
    return Lookout(book_from_json(view.book), view, world, transport, driver, arm)
