"""Looking at a cloud for a plan or a report on drift: no journal is written, no lease taken, nothing sent.

Invariants: between client and cloud stands ``ReadOnly``, so a write cannot pass whoever asks for it; and what is looked
at in a rehearsal is a copy in memory, so a look leaves no trace there either, and disturbs nobody who drives it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.book import Book, book_from_json
from runbook.core.clock import RealClock, VirtualClock
from runbook.core.entry import Entry, Kind, canonical
from runbook.core.redact import redact
from runbook.core.view import RunView
from runbook.engine.recheck import Recheck, recheck
from runbook.engine.survey import Finding, Told, survey
from runbook.engine.world import World
from runbook.home import journal_path
from runbook.journal.fold import fold
from runbook.journal.lease import driver, words
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.wiring.create import Wish, prepare, prepare_live
from runbook.wiring.live import SignedIn, SignIn, live_world, sign_in_for
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
    """

    book: Book
    view: RunView
    world: World
    driver: str | None
    _arm: ArmClient
    _sim: SimTransport | None = None

    @property
    def transport(self) -> SimTransport:
        """To the simulated cloud; only what passed ``ReadOnly`` reaches it.

        Raises:
            LookupError: the cloud is a real one.
        """
        if self._sim is None:
            raise LookupError("a live look has no simulated cloud")
        return self._sim

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[World]:
        """The world itself, for other looks; its client is closed in the end."""
        try:
            yield self.world
        finally:
            await self._arm.close()

    async def survey(self, told: Told = lambda done, of: None) -> tuple[Finding, ...]:
        """What a run would do from here. ``told`` hears how far the look has come."""
        try:
            return await survey(self.book, self.view, self.world, told=told)
        finally:
            await self._arm.close()

    async def recheck(self) -> tuple[Recheck, ...]:
        """What still holds of what the run has done."""
        try:
            return await recheck(self.book, self.view, self.world)
        finally:
            await self._arm.close()


def look_ahead(wish: Wish, signed_in: SignedIn | None = None) -> Lookout:
    """A run as it would begin. Nothing is made on the disk.

    Args:
        wish: what it would be made from.
        signed_in: for a live run, who looks.

    Raises:
        UsageError: the mode, scenario or edition will not do.
        BookError: a fault in the book, the scenario or the inputs.
        ContextError, ArmError: a live run's subscriptions cannot be seen.
    """
    from runbook.sim.state import State

    if wish.mode == "live" and signed_in is not None:
        _, first = prepare_live(wish, signed_in)
        view = begun(first, RealClock().now_ms())
        return _live_lookout(view, signed_in, None)
    _, scenario, first = prepare(wish)
    return _lookout(begun(first, scenario.start_ms), State(), None)


def begun(first: Mapping[str, Any], at_ms: int) -> RunView:
    """A run as its first entry makes it, without one."""
    doc = json.loads(canonical(redact({"id": PLAN, **first})))  # as a run would read it back from its journal
    return fold(RunView(), [Entry(1, at_ms, Kind.RUN_CREATED, None, None, doc, "")])


def look_again(
    home: Path, run: str, sign_in: SignIn | None = None, instead: Callable[[Journal, RunView], RunView] | None = None
) -> Lookout:
    """A run that exists, as it stands, and its cloud as it stands. In a rehearsal time does not pass for either.

    Args:
        home: the state folder.
        run: the run's id.
        sign_in: how a live run's looker signs in; as the run was made when absent.
        instead: makes another run of it, which is then looked at in the same cloud.

    Raises:
        RunUnknown, TooNew, Damaged, Unwritable: as the class says.
        ContextError, SignInNeeded: a live run's looker is not signed in where the run is pinned to.
    """
    from runbook.sim.state import copy_of

    path = journal_path(home, run)
    journal = Journal.open(path, write=False)
    try:
        view, row = load_view(journal), driver(journal)
        view = instead(journal, view) if instead is not None else view
    finally:
        journal.close()
    who = words(row) if row else None
    if view.mode == "live":
        return _live_lookout(view, (sign_in or sign_in_for)(view), who)
    return _lookout(view, copy_of(cloud_file(path)), who)


def _live_lookout(view: RunView, signed_in: SignedIn, driver: str | None) -> Lookout:
    world, arm = live_world(view, signed_in, is_read_only=True)
    return Lookout(book_from_json(view.book), view, world, driver, arm)


def _lookout(view: RunView, state: State, driver: str | None) -> Lookout:
    from runbook.arm.policies import ReadOnly
    from runbook.sim.cloud import Cloud
    from runbook.sim.scenario import from_doc
    from runbook.sim.transport import SimTransport

    clock = VirtualClock(max(view.updated_ms, state.latest_ms))
    transport = SimTransport(Cloud(from_doc(view.options["scenario"]), clock, state))
    world, arm = rehearsal_world(view.id, transport.cloud, clock, ReadOnly(transport))
    return Lookout(book_from_json(view.book), view, world, driver, arm, transport)
