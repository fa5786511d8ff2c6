"""Opening a live run for driving.

Invariants: nothing is opened before the sign-in was held against what the run is pinned to and the operator has named
the subscriptions it writes to; whoever drives holds the run's lease before anything can be sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.book import book_from_json
from runbook.core.clock import Clock, RealClock
from runbook.core.entry import Draft, Kind
from runbook.core.error import JournalError, UsageError
from runbook.core.view import RunView
from runbook.engine.engine import Engine
from runbook.engine.log import Log
from runbook.engine.world import Limits
from runbook.home import journal_path
from runbook.journal import lease
from runbook.journal.fold import fold
from runbook.journal.load import keep_snapshot, load_view
from runbook.journal.store import Journal
from runbook.wiring.confirm import confirmation, is_confirmed
from runbook.wiring.live import CALL_S, SignedIn, check_pinned, live_world, sign_in_for

if TYPE_CHECKING:
    from runbook.arm.auth import OnPrompt, Prompt
    from runbook.arm.client import ArmClient


@dataclass(frozen=True, slots=True)
class Consent:
    """What a live run is opened with.

    Attributes:
        signed_in: who drives; None signs in when the run is opened.
        auth: how, where that is not as the run was made.
        via: what makes the changes, where that is not as the run was made.
        said: names of subscriptions, as the operator typed them.
        on_prompt: told what a device code wants.
    """

    signed_in: SignedIn | None = None
    auth: str = ""
    via: str = ""
    said: tuple[str, ...] = ()
    on_prompt: OnPrompt | None = None

    def given(self, view: RunView) -> SignedIn:
        """The sign-in for a run.

        Raises:
            UsageError: signing in wants somebody at a terminal, and none was named.
            ContextError, SignInNeeded: nobody is signed in, or not where the run is pinned to.
        """
        kind = self.auth or str(view.options.get("auth", "auto"))
        if self.signed_in is None and self.on_prompt is None and kind == "device-code":
            raise UsageError(
                f"Run {view.id} signs in by a device code, which is shown in a terminal.",
                f"Open it there: runbook resume {view.id}",
            )
        signed_in = self.signed_in or sign_in_for(view, self.auth, self.on_prompt)
        check_pinned(view, signed_in)
        return signed_in


class Live:
    """A run opened for driving against the real cloud: a ``Session`` of the engine's host."""

    speed: float | None = None

    def __init__(self, journal: Journal, held: lease.Lease, clock: Clock, arm: ArmClient, engine: Engine) -> None:
        self.engine = engine
        self.driver = lease.words(next(row for row in journal.drivers() if row.epoch == held.epoch))
        self._journal, self._lease, self._clock, self._arm = journal, held, clock, arm

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def real_s(self, at_ms: int) -> float | None:
        return None

    def check_drives(self) -> None:
        self._journal.check_epoch(self._lease.epoch)

    async def close(self) -> None:
        """Let go of connections, journal and lease, in this order."""
        async with contextlib.AsyncExitStack() as last_first:
            last_first.callback(self._lease.release)
            last_first.callback(self._journal.close)
            last_first.push_async_callback(self._arm.close)
            with contextlib.suppress(JournalError):  # a snapshot is only for speed
                self._journal.check_epoch(self._lease.epoch)
                keep_snapshot(self._journal, self.engine.view)


def open_live(
    home: Path,
    run: str,
    consent: Consent,
    *,
    take_over: bool = False,
    because: str = "",
    durable: bool = True,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> Live:
    """Open a live run for driving. Call it in the thread whose event loop will drive it.

    Args:
        home: the state folder.
        run: the run's id.
        consent: who drives, and what was confirmed.
        take_over: also from a driver that is alive.
        because: why, for whoever is taken over.
        durable: whether writes wait for the disk; only tests may say no.
        limits: the engine's bounds, where not its own.
        clock: another than the machine's; for tests, whose cloud's time runs faster.

    Raises:
        ContextError, SignInNeeded: the sign-in is missing, or not the one the run is pinned to.
        UsageError: a subscription was not confirmed.
        RunUnknown, Driven, TooNew, Damaged, Unwritable: as the class says.
    """
    with contextlib.ExitStack() as undo:
        journal = Journal.open(journal_path(home, run), durable=durable)
        undo.callback(journal.close)
        view = load_view(journal)
        signed_in = consent.given(view)
        word = None
        if not is_confirmed(journal, view.pinned, signed_in.account):
            word = confirmation(view.pinned, signed_in.account, consent.said)
        held = lease.take(journal, take_over=take_over, reason=lease.taken_over(because) if take_over else "")
        undo.callback(held.release)
        view = load_view(journal)  # anew: the driver before may have written until now
        time = clock or RealClock()
        if word is not None:
            view = fold(view, journal.append([word], time.now_ms(), held.epoch))
        escape_s = CALL_S if held.took_over else 0.0
        world, arm = live_world(view, signed_in, is_read_only=False, escape_s=escape_s, clock=time, via=consent.via)
        log = Log(journal, held.epoch, view, time)
        engine = Engine(log, book_from_json(view.book), world, limits)
        session = Live(journal, held, time, arm, engine)
        _tell_prompts(signed_in, log)
        undo.pop_all()
    return session


def _tell_prompts(signed_in: SignedIn, log: Log) -> None:
    """From now on, what a sign-in wants of the operator is an entry: every screen shows it, wherever it stands.

    A device code is good for minutes, and only for whoever can sign in themselves; it opens nothing to a reader.
    """
    prompts = getattr(signed_in.credential, "prompts", None)
    if prompts is None:
        return
    loop = asyncio.get_running_loop()

    def note(prompt: Prompt) -> None:
        entry = Draft(Kind.NOTED, data={"text": f"{prompt}.", "prompt": True})
        with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(log.post, entry)

    prompts.on_prompt = note


def is_known_to(home: Path, run: str, signed_in: SignedIn) -> bool:
    """Whether this account has confirmed the run's subscriptions before."""
    journal = Journal.open(journal_path(home, run), write=False)
    try:
        return is_confirmed(journal, load_view(journal).pinned, signed_in.account)
    finally:
        journal.close()
