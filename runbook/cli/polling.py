"""One pass over a run that waits: look at what is due, do what needs no person, and let go of it again.

Invariants: a live run of which nothing is due is read and not opened, so that a pass every minute signs in to nothing
and asks the cloud no more often than the wait itself would; who drives a run is never disturbed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook.cli.exits import Exit, of_run
from runbook.cli.lines import event_lines
from runbook.cli.naming import short_ids
from runbook.cli.signals import hearing
from runbook.core.clock import RealClock
from runbook.core.entry import Kind
from runbook.core.error import Driven, LeaseLost
from runbook.core.event import Event
from runbook.core.patience import sentences, standing
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView, RunView
from runbook.engine.agenda import next_act_ms
from runbook.engine.engine import Until
from runbook.engine.host import Session

PASS_S: Final = 900.0
"""Real seconds after which a pass begins nothing new: what Azure still works on is for the next one."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What came of one run.

    Attributes:
        looked: whether anything was looked at.
        news: what changed, in lines; empty when all is as it was.
        passed_over: why it was not opened, though something is due; empty when it was, or nothing is.
    """

    view: RunView
    driver: str | None
    looked: bool = False
    news: tuple[str, ...] = ()
    passed_over: str = ""
    is_interrupted: bool = False

    @property
    def exit(self) -> Exit:
        if self.is_interrupted:
            return Exit.INTERRUPTED
        return Exit.DONE if self.passed_over else of_run(self.view)


def is_waiting(view: RunView) -> bool:
    """Whether a run goes on by itself one day: neither over nor paused, and something is due or under way."""
    if view.state in (RunState.DONE, RunState.ABORTED) or view.paused:
        return False
    return next_act_ms(view, view.updated_ms) is not None


def poll_run(
    home: Path,
    run: str,
    open_session: Callable[[float], Session],
    away_s: float | None = None,
    limit_s: float = PASS_S,
) -> Pass:
    """Look at one run, if something of it is due.

    Args:
        home: the state folder.
        run: the run's id.
        open_session: opens it, after that many seconds of simulated time; called in the loop that drives it.
        away_s: simulated seconds that pass first; None in a rehearsal lets pass what is left until the next look.
        limit_s: see ``PASS_S``.

    Raises:
        RunbookError: it could not be opened, or its driving ended by an error.
    """
    from runbook.cli.reading import view_of

    view, driver = view_of(home, run)
    if driver is not None:
        return Pass(view, driver, passed_over=f"driven by {driver}")
    if not is_waiting(view):
        return Pass(view, driver)
    wait_s = _left_s(view) if away_s is None else away_s
    if view.mode != "rehearsal":  # its time passes by itself
        wait_s, now_ms = 0.0, RealClock().now_ms()
        due_ms = next_act_ms(view, now_ms)
        if due_ms is None or due_ms > now_ms:
            return Pass(view, driver)
    try:
        return asyncio.run(_pass(view, lambda: open_session(wait_s), limit_s))
    except (Driven, LeaseLost) as error:
        return Pass(view, driver, passed_over=str(error.message).rstrip("."))


def _left_s(view: RunView) -> float:
    due_ms = next_act_ms(view, view.updated_ms)
    return 0.0 if due_ms is None else max(0.0, (due_ms - view.updated_ms) / 1000)


async def _pass(before: RunView, open_session: Callable[[], Session], limit_s: float) -> Pass:
    session = open_session()
    events: list[Event] = []
    interrupted: list[bool] = []
    engine = session.engine
    engine.listen(events.append)

    def interrupt() -> None:
        interrupted.append(True)
        engine.close()

    limit = asyncio.get_running_loop().call_later(limit_s, engine.close)
    try:
        with hearing((signal.SIGINT, signal.SIGTERM), interrupt, is_once=True):
            view = await engine.run(Until.PARKED)
    finally:
        limit.cancel()
        await session.close()
    has_looked = any(event.entry.kind is Kind.BEGUN for event in events)
    return Pass(view, None, has_looked, tuple(news_of(before, view, events)), is_interrupted=bool(interrupted))


def news_of(before: RunView, after: RunView, events: Iterable[Event] = ()) -> list[str]:
    """What to tell of a pass: what happened, and whom to remind now. Nothing, when every wait goes on as it was."""
    told = [line for event in events if _is_news(event) for line in event_lines(event)]
    names = short_ids(after.nodes)
    for node in after.nodes.values():
        if (word := _due(node, before.updated_ms, after.updated_ms)) is not None:
            told.append(f"{names[node.id]}: {word}")
    return told


def _is_news(event: Event) -> bool:
    entry = event.entry
    if entry.node is None:
        return entry.kind is not Kind.NOTED
    # That a wait could not be looked at changes nothing about it, and a rule that still blocks has been told.
    if entry.kind is Kind.OBSERVED and entry.to is NodeState.BLOCKED:
        return event.view.nodes[entry.node].blocked_since_ms == entry.at_ms
    return not (entry.kind is Kind.DEFERRED and entry.to in (NodeState.WAITING, NodeState.BLOCKED))


def _due(node: NodeView, from_ms: int, to_ms: int) -> str | None:
    """What became due at a wait between two moments, in a sentence."""
    wait = node.waiting
    if wait is None or node.state is not NodeState.WAITING:
        return None
    moments = list(wait.get("remind_ms") or [])
    if escalate := wait.get("escalate"):
        moments.append(escalate["at_ms"])
    if not any(from_ms < at <= to_ms for at in moments):
        return None
    return sentences(standing(wait, to_ms), wait["who"])[0]


def worst(codes: Iterable[Exit]) -> Exit:
    """What several runs end with together: 130, then 1, 5, 4, 3."""
    found = set(codes)
    order = (Exit.INTERRUPTED, Exit.FAILED, Exit.BLOCKED, Exit.OPERATOR, Exit.OUTSIDE)
    return next((code for code in order if code in found), Exit.DONE)
