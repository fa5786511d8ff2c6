"""Opening a run: for driving, for following, or for one answer.

Invariants: whoever drives holds the run's lease before touching its cloud; the virtual clock never starts earlier than
what journal and cloud have seen.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.book import book_from_json
from runbook.core.clock import VirtualClock, duration
from runbook.core.command import Command
from runbook.core.entry import Draft, Kind
from runbook.core.error import Driven, JournalError, UsageError
from runbook.core.redact import redact
from runbook.core.view import RunView
from runbook.engine.decide import decide
from runbook.engine.engine import Engine
from runbook.engine.host import Attachment, Follower, Host, Session
from runbook.engine.log import Log
from runbook.engine.world import Limits
from runbook.home import journal_path
from runbook.journal import lease
from runbook.journal.fold import fold
from runbook.journal.load import keep_snapshot, load_view
from runbook.journal.store import Driver, Journal
from runbook.wiring.world import cloud_file, rehearsal_world

if TYPE_CHECKING:
    from runbook.arm.client import ArmClient
    from runbook.sim.cloud import Cloud
    from runbook.sim.state import State
    from runbook.sim.transport import SimTransport
    from runbook.wiring.live_drive import Consent


class Rehearsal:
    """A run opened for driving against its simulated cloud: a ``Session`` of the engine's host.

    Attributes:
        driver: who drives, in words: this process.
        speed: virtual seconds per second; None when waits are jumped over.
    """

    def __init__(
        self,
        journal: Journal,
        held: lease.Lease,
        clock: VirtualClock,
        state: State,
        transport: SimTransport,
        arm: ArmClient,
        engine: Engine,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.cloud: Cloud = transport.cloud
        self.transport = transport
        self.driver = lease.words(_me(journal, held))
        self.speed = clock.speed
        self._journal, self._lease, self._state, self._arm = journal, held, state, arm

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def real_s(self, at_ms: int) -> float | None:
        return self.clock.real_s_until(at_ms)

    def check_drives(self) -> None:
        self._journal.check_epoch(self._lease.epoch)

    async def close(self) -> None:
        """Let go of cloud, journal and lease, in this order."""
        async with contextlib.AsyncExitStack() as last_first:
            last_first.callback(self._lease.release)
            last_first.callback(self._journal.close)
            last_first.callback(self._state.close)
            last_first.push_async_callback(self._arm.close)
            with contextlib.suppress(JournalError):  # a snapshot is only for speed
                self._journal.check_epoch(self._lease.epoch)
                keep_snapshot(self._journal, self.engine.view)


def _me(journal: Journal, held: lease.Lease) -> Driver:
    return next(row for row in journal.drivers() if row.epoch == held.epoch)


def open_run(
    home: Path,
    run: str,
    *,
    speed: float | None = None,
    longest_s: float = 3.0,
    away_s: float = 0.0,
    take_over: bool = False,
    because: str = "",
    durable: bool = True,
    limits: Limits | None = None,
) -> Rehearsal:
    """Open a run for driving. Call it in the thread whose event loop will drive it.

    Args:
        home: the state folder.
        run: the run's id.
        speed: virtual seconds per second; None jumps over waits.
        longest_s: no wait takes more real seconds.
        away_s: virtual seconds that pass before anything else.
        take_over: also from a driver that is alive.
        because: why, for whoever is taken over.
        durable: whether writes wait for the disk; only tests may say no.
        limits: the engine's bounds, where not its own.

    Raises:
        RunUnknown, Driven, TooNew, Damaged, Unwritable: as the class says.
        UsageError: the run is no rehearsal.
    """
    with contextlib.ExitStack() as undo:
        journal = Journal.open(journal_path(home, run), durable=durable)
        undo.callback(journal.close)
        mode = load_view(journal).mode
        if mode != "rehearsal":
            raise UsageError(f"Run {run} is a {mode or 'nameless'} run, not a rehearsal.", "`runbook resume` opens it.")
        held = lease.take(journal, take_over=take_over, reason=lease.taken_over(because) if take_over else "")
        undo.callback(held.release)
        view = load_view(journal)  # anew: the driver before may have written until now
        state = _open_cloud(journal.path, durable)
        undo.callback(state.close)
        clock = VirtualClock(max(view.updated_ms, state.latest_ms), speed, longest_s)
        if away_s:
            view = _go_away(journal, held.epoch, view, clock, away_s)
        session = _rehearsal(journal, held, view, clock, state, limits)
        undo.pop_all()
    return session


def _open_cloud(journal: Path, durable: bool) -> State:
    from runbook.sim.state import State

    return State(cloud_file(journal), durable=durable)


def _go_away(journal: Journal, epoch: int, view: RunView, clock: VirtualClock, away_s: float) -> RunView:
    clock.advance_to(clock.now_ms() + round(away_s * 1000))
    note = Draft(Kind.NOTED, data={"text": f"{duration(away_s)} went by while nobody drove.", "away_s": away_s})
    return fold(view, journal.append([note], clock.now_ms(), epoch))


def _rehearsal(
    journal: Journal, held: lease.Lease, view: RunView, clock: VirtualClock, state: State, limits: Limits | None
) -> Rehearsal:
    from runbook.sim.cloud import Cloud
    from runbook.sim.scenario import from_doc
    from runbook.sim.transport import SimTransport

    cloud = Cloud(from_doc(view.options["scenario"]), clock, state)
    transport = SimTransport(cloud)
    world, arm = rehearsal_world(view.id, cloud, clock, transport)
    log = Log(journal, held.epoch, view, clock)
    engine = Engine(log, book_from_json(view.book), world, limits)
    return Rehearsal(journal, held, clock, state, transport, arm, engine)


def open_session(home: Path, run: str, *, consent: Consent | None = None, **opening: Any) -> Session:
    """Open a run of either mode for driving.

    Args:
        home: the state folder.
        run: the run's id.
        consent: what a live run is opened with.
        opening: as ``open_run`` takes it; a live run takes what is not about simulated time.

    Raises:
        RunbookError: as ``open_run`` and ``open_live``.
    """
    journal = Journal.open(journal_path(home, run), write=False)
    try:
        first = next(journal.entries(), None)  # it says it: a run of thousands of nodes is not folded for that
    finally:
        journal.close()
    if first is None or first.data.get("mode") != "live":
        return open_run(home, run, **opening)
    from runbook.wiring.live_drive import Consent, open_live

    if opening.get("away_s"):
        raise UsageError("--away is for rehearsals: in the real cloud time passes by itself.", "Leave it out.")
    real = {name: value for name, value in opening.items() if name in ("take_over", "because", "durable", "limits")}
    return open_live(home, run, consent or Consent(), **real)


def attach(
    home: Path, run: str, *, watch: bool = True, on_driven: Callable[[Driven], None] | None = None, **opening: Any
) -> Attachment:
    """What a screen holds: a driver of the run, or a follower where another process drives it.

    Args:
        home: the state folder.
        run: the run's id.
        watch: follow instead of failing where another process drives.
        on_driven: told of that.
        opening: as ``open_session`` takes it.

    Raises:
        RunbookError: as ``open_session``.
    """
    path = journal_path(home, run)
    try:
        return Host(lambda: open_session(home, run, **opening), path)
    except Driven as error:
        if not watch:
            raise
        if on_driven is not None:
            on_driven(error)
        return Follower(path)


def answer_run(home: Path, run: str, *commands: Command) -> RunView:
    """Record commands, all or none, and let go of the run again. Nothing is driven.

    Raises:
        UsageError: a command does not fit the run as it stands.
        RunUnknown, Driven, TooNew, Damaged, Unwritable: as the class says.
    """
    journal = Journal.open(journal_path(home, run))
    try:
        held = lease.take(journal, reason="one answer")
        try:
            view = load_view(journal)
            drafts = [decide(view, command) for command in commands]
            drafts = [Draft(d.kind, d.node, d.to, redact(d.data)) for d in drafts]
            return fold(view, journal.append(drafts, view.updated_ms, held.epoch))
        finally:
            held.release()
    finally:
        journal.close()
