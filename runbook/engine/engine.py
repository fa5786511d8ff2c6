"""The engine: one loop that hands nodes their next act and waits for what stirs it.

    command ─→ decide ─→ entry ┐
    agenda  ─→ machine ─→ judge ┴→ log (commit, then publish) ─→ agenda

A node's activity is one task: a look (and, when judged so, the committed intent's call), or a poll. Nothing sleeps
inside an activity: whatever must wait is an entry with a due time, so a resumed run goes on exactly as it was.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from functools import partial
from itertools import count
from typing import Any

from runbook.book import Book, expansion_needs
from runbook.core.clock import PUT_BACK_MS
from runbook.core.command import Command
from runbook.core.entry import Draft, Kind
from runbook.core.error import ContextError, RunbookError
from runbook.core.event import Event
from runbook.core.state import FINISHED, NodeState, RunState
from runbook.core.view import NodeView, RunView
from runbook.engine.agenda import Act, Agenda, is_too_far_ahead
from runbook.engine.decide import decide
from runbook.engine.growth import applies, failure, grow, growers, note, regrown, skipped_needs
from runbook.engine.judge import Scene, error_doc
from runbook.engine.locks import Locks
from runbook.engine.log import Log
from runbook.engine.machine import Machine
from runbook.engine.pace import Pace
from runbook.engine.world import Limits, World

_STANDING = (NodeState.OBSERVING, NodeState.SETTLING, NodeState.WAITING, NodeState.BLOCKED)
"""States a node may come back into for ever without getting any further."""


_GROWTH = "look for growth"
_EXPAND = "expand "
"""Names of activities that are no node's: no id holds a space before its key."""


_COLLECT = (50_000, 20, 50)
"""Thresholds of the garbage collector while driving. A view of thousands of nodes has no rings, yet Python's own
thresholds would have it walked through again and again: a sixth of the engine's time for a thousand nodes at once."""


class Until(Enum):
    """When ``Engine.run`` returns of itself."""

    CLOSED = auto()
    """Only when closed: a screen is attached."""
    STUCK = auto()
    """When nothing moves without a person; waits for time and outsiders are sat through."""
    PARKED = auto()
    """When nothing moves without a person or an outsider."""


class Engine:
    """Drives one run. Use it from one event loop only."""

    def __init__(self, log: Log, book: Book, world: World, limits: Limits | None = None) -> None:
        self._log = log
        self._book = book
        self._world = world
        self._limits = limits or Limits()
        moment = partial(next, count(1))
        self._pace = Pace(self._limits.activities)
        self._machine = Machine(book, world, self._limits, self._fence, moment, self._pace)
        self._agenda = Agenda(log.view, moment)
        self._grows = any(spec.grows for spec in book.steps)
        self._specs = {spec.id: spec for spec in book.steps}
        self._expandable = [spec.id for spec in book.steps if spec.id not in log.view.expanded]
        self._look_again: set[str] = set()
        self._asked_again: set[str] = set()
        self._has_news = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks = Locks(self._turn_came)
        self._stirred = asyncio.Event()
        self._failure: BaseException | None = None
        self._is_closed = False
        self._deciding: set[asyncio.Task[None]] = set()
        self._newest: dict[str | None, tuple[Command, asyncio.Task[None]]] = {}
        self._moved_ms = world.clock.now_ms()
        self._seen_ms = log.view.updated_ms
        log.listen(self._hear)

    @property
    def view(self) -> RunView:
        """The run as committed."""
        return self._log.view

    @property
    def calls(self) -> int:
        """Activities under way."""
        return len(self._tasks)

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Be told of every committed entry, in order, in the engine's loop. Returns a function that stops it."""
        return self._log.listen(callback)

    def submit(self, command: Command) -> asyncio.Task[None]:
        """Hand in a command. From this moment ``run`` does not return before it is recorded or refused.

        The task ends when the command is committed, or with ``UsageError`` when it does not fit the run as it
        stands, or with ``JournalError`` when it could not be written. What was asked last of a node, or of the run,
        and is still on its way is not asked twice: whoever says it again is given the same task.
        """
        subject = getattr(command, "node", None)
        known, task = self._newest.get(subject, (None, None))
        if known == command and task is not None and not task.done():
            return task
        task = asyncio.create_task(self._decide(command))
        self._newest[subject] = command, task
        self._deciding.add(task)
        task.add_done_callback(partial(self._decided, subject))
        return task

    async def decide(self, command: Command) -> None:
        """Hand in a command and wait for it; raises as ``submit`` says."""
        await asyncio.shield(self.submit(command))  # others may wait for the same one

    async def _decide(self, command: Command) -> None:
        name = getattr(command, "node", None)
        while name in self._tasks:  # a look under way would not know of the command, nor would one that follows at once
            await asyncio.wait([self._tasks[name]])
        self._log.flush()
        await self._log.commit(decide(self.view, command))

    def _decided(self, subject: str | None, task: asyncio.Task[None]) -> None:
        self._deciding.discard(task)
        if subject in self._newest and self._newest[subject][1] is task:
            del self._newest[subject]
        self._stirred.set()

    def close(self) -> None:
        """Start nothing new; ``run`` returns when what is under way has ended."""
        self._is_closed = True
        self._stirred.set()

    # ------------------------------------------------------------ the loop

    async def run(self, until: Until = Until.STUCK) -> RunView:
        """Drive until told otherwise.

        Raises:
            ContextError: the sign-in is not the one the run is pinned to; nothing was started.
            LeaseLost: another driver took over; nothing more was written or sent.
            Unwritable: the journal cannot be written.
        """
        self._check_context()
        thresholds = gc.get_threshold()
        gc.set_threshold(*_COLLECT)
        try:
            await self._recover()
            while True:
                self._stirred.clear()  # before looking at what there is to do, so that nothing that follows is missed
                self._launch()
                if self._is_over(until):
                    break
                await self._wait()
        finally:
            gc.set_threshold(*thresholds)
            await self._settle_tasks()
        self._log.flush()
        if (error := self._ended_by) is not None:
            raise error
        return self.view

    @property
    def _is_stopped(self) -> bool:
        """Whether nothing new may begin."""
        view = self.view
        return view.paused or view.aborted is not None or self._is_closed or self._ended_by is not None

    @property
    def _ended_by(self) -> BaseException | None:
        """What went wrong with the driving itself: in an activity, with the journal, or in a listener that broke."""
        return self._failure or self._log.failure or self._log.broken

    def _is_over(self, until: Until) -> bool:
        if self._ended_by:
            return True
        if self._tasks or self._deciding or self._stirred.is_set():
            return False
        if self._is_closed or self.view.aborted is not None:
            return self._is_closed or until is not Until.CLOSED
        if until is Until.CLOSED:
            return False
        if self._pace.opens_ms(self._world.clock.now_ms()) is not None and not self.view.paused:
            return False
        next_ms = self._agenda.next_ms(self.view)
        if next_ms is None or self.view.paused:
            return True
        if next_ms - self._moved_ms > self._limits.horizon_s * 1000:
            return True
        return until is Until.PARKED and not any(
            n.due_ms is not None and n.state not in (NodeState.WAITING, NodeState.BLOCKED)
            for n in self.view.nodes.values()
        )

    async def _wait(self) -> None:
        """Until something stirs, or the next due time; virtual time stands still while anything is under way."""
        is_held = self._is_stopped or _GROWTH in self._tasks
        opens_ms = self._pace.opens_ms(self._world.clock.now_ms())
        next_ms = None if is_held else opens_ms or self._agenda.next_ms(self.view)
        is_idle = not (self._tasks or self._deciding or self._stirred.is_set())
        if next_ms is None or not (self._world.clock.flows or is_idle):
            await self._stirred.wait()
            return
        waits = [asyncio.ensure_future(self._stirred.wait())]
        waits.append(asyncio.ensure_future(self._world.clock.sleep_until(next_ms)))  # type: ignore[arg-type]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _launch(self) -> None:
        view = self.view
        if self._grow(view) or self._is_stopped:
            return
        self._expand_ready(view)
        now_ms = self._world.clock.now_ms()
        self._mind_clock(now_ms)
        if self._pace.opens_ms(now_ms) is not None:
            return
        room = self._pace.room - len(self._tasks)
        for act, node in self._agenda.take(view, now_ms, room, self._tasks.__contains__, self._may_send):
            activity = self._begin if act is Act.BEGIN else self._poll if act is Act.POLL else self._look
            self._start(node.id, activity(node))

    def _mind_clock(self, now_ms: int) -> None:
        """A clock that was put back leaves what was due soon far ahead: that is looked at now.

        What lies no further ahead than its own delay is left alone, so that nothing is looked at more often for it.
        """
        if now_ms < self._seen_ms - PUT_BACK_MS:
            self._moved_ms = min(self._moved_ms, now_ms)
            self._agenda.hasten([n.id for n in self.view.nodes.values() if is_too_far_ahead(n, now_ms)])
        self._seen_ms = now_ms

    def _start(self, name: str, activity: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await activity
                if self._pace.opens_ms(self._world.clock.now_ms()) is None:
                    self._pace.went_well()
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self._failure = self._failure or error
            finally:
                del self._tasks[name]
                if (node := self.view.nodes.get(name)) is not None:
                    self._let_go(node)  # first: a turn that came to nothing passes to those who wait already
                    self._agenda.touch(name)
                self._stirred.set()

        self._tasks[name] = asyncio.create_task(guarded(), name=name)

    async def _settle_tasks(self) -> None:
        """Let what is under way end: its answers are worth recording, and whoever asked for something is answered."""
        while under_way := [*self._tasks.values(), *self._deciding]:
            await asyncio.wait(under_way)

    # ------------------------------------------------------------ activities

    def _grow(self, view: RunView) -> bool:
        """Look for growth where that is due. Whether it is under way: meanwhile nothing begins.

        No step becomes nodes while somebody looks, and the other way round: each would miss what the other finds.
        """
        if not self._grows:
            return False
        if _GROWTH in self._tasks:
            return True
        is_over = not (self._tasks or self._agenda.left) and view.state is RunState.DONE
        if self._has_news and is_over:
            self._has_news = False
            self._look_again.update(growers(self._book, view))
        # The last look belongs to the run even if it is closed by then; any other is for the next driver.
        if not self._look_again or (self._is_stopped and not (is_over and self._is_closed and not self._ended_by)):
            return False
        wanted = [n for n in growers(self._book, view) if n in self._look_again]
        due = [n for n in wanted if self._agenda.is_met(view, view.nodes[n])]
        if due and not self._expanding:
            self._look_again.discard(due[0])
            self._start(_GROWTH, self._look_for_growth(view.nodes[due[0]]))
        return bool(due)

    async def _look_for_growth(self, node: NodeView) -> None:
        """One node at a time: what the next one is given may depend on what this one finds."""
        judgement = await self._machine.look(node, lambda: self.view, lambda: self._scene(node))
        is_asked = node.id in self._asked_again
        self._asked_again.discard(node.id)
        draft = regrown(self._book, node, judgement.drafts[0], self.view)
        if draft is None and is_asked:
            draft = note(node, "Looked again: nothing is new.")
        if draft is not None:
            await self._log.commit(draft)

    @property
    def _expanding(self) -> bool:
        return any(name.startswith(_EXPAND) for name in self._tasks)

    def _expand_ready(self, view: RunView) -> None:
        for step in list(self._expandable):
            spec = self._specs[step]
            if all(self._agenda.is_step_over(view, need) for need in expansion_needs(spec, self._book)):
                self._expandable.remove(step)
                self._start(f"{_EXPAND}{step}", self._expand(step))

    async def _expand(self, step: str) -> None:
        await self._log.commit(*grow(self._book, self._specs[step], self.view))

    def _now(self, handed_out: NodeView) -> NodeView | None:
        """The node as it stands: a decision may have been committed since its act was handed out.

        None when the act is not what the node needs any more.
        """
        node = self.view.nodes[handed_out.id]
        return node if node.state is handed_out.state else None

    async def _begin(self, handed_out: NodeView) -> None:
        if (node := self._now(handed_out)) is None:
            return
        try:
            is_wanted = applies(self._book, node, self.view)
        except RunbookError as error:
            await self._log.commit(*failure(node.id, error))
            return
        if is_wanted:
            await self._look(node)
        else:
            spec = self._specs[node.doc["step"]]
            data = {"by": "when", "reason": spec.unneeded}
            await self._log.commit(Draft(Kind.SKIPPED, node.id, NodeState.SKIPPED, data))

    async def _look(self, handed_out: NodeView) -> None:
        if (node := self._now(handed_out)) is None:
            return
        self._log.post(Draft(Kind.BEGUN, node.id, NodeState.OBSERVING))
        due = self._agenda.became_due(node.id)
        judgement = await self._machine.look(node, lambda: self.view, lambda: self._scene(node), due)
        if judgement.send is not None:
            self._locks.hold(node.id, judgement.send.locks)
        await self._log.commit(*judgement.drafts)
        if judgement.send is not None:
            committed = self.view.nodes[node.id]
            if self._is_stopped:  # between judgement and commit
                await self._log.commit(self._machine.unsent(committed))
            else:
                await self._log.commit(await self._machine.send(committed, judgement.send, self.view.id))

    async def _poll(self, handed_out: NodeView) -> None:
        if (node := self._now(handed_out)) is None:
            return
        url = self._log.journal.side(node.operation["seq"]) if node.operation else None
        await self._log.commit(await self._machine.poll(node, url))

    def _scene(self, node: NodeView) -> Scene:
        # The node's own decisions may have changed while it was looked at: judge by what is committed now.
        fresh = self.view.nodes[node.id]
        is_free = partial(self._locks.is_free, node.id)
        now_ms = self._world.clock.now_ms()
        return Scene(self.view, fresh, now_ms, self._is_stopped, is_free, lambda: skipped_needs(self.view, fresh))

    def _may_send(self, node: NodeView) -> bool:
        return self._locks.take(node.id, node.changes[0]["locks"])

    def _turn_came(self, name: str) -> None:
        self._agenda.touch(name)
        self._stirred.set()

    def _let_go(self, node: NodeView) -> None:
        """Give up locks that no call under way or in doubt, nor what Azure still makes of one, accounts for."""
        is_at_work = node.state in (NodeState.APPLYING, NodeState.SETTLING)
        if node.intent is None and node.operation is None and not is_at_work:
            self._locks.release(node.id)

    # ------------------------------------------------------------ what was committed

    def _hear(self, event: Event) -> None:
        entry, view = event.entry, event.view
        self._stirred.set()
        if entry.kind is Kind.EXPANDED:
            self._agenda.add_nodes(view, [doc["id"] for doc in entry.data["nodes"]])
            self._agenda.step_expanded(view, entry.data["step"])
        if entry.data.get("again"):
            self._expandable += [step for step in entry.data["again"] if step not in self._expandable]
        if entry.node is None:
            return
        node = view.nodes[entry.node]
        self._agenda.touch(node.id)
        if entry.to not in (None, event.before, *_STANDING) or entry.kind is Kind.ACCEPTED:
            self._moved_ms = entry.at_ms
        if entry.to in FINISHED and event.before not in FINISHED:
            self._agenda.finished(node)
            self._has_news = True
        if entry.kind is Kind.RETRIED and node.state is NodeState.DONE:
            self._look_again.add(node.id)
            self._asked_again.add(node.id)
        if node.id not in self._tasks and node.state is not NodeState.READY:  # a ready one may stand in line
            self._let_go(node)

    # ------------------------------------------------------------ starting

    def _fence(self) -> None:
        self._log.journal.check_epoch(self._log.epoch)

    def _check_context(self) -> None:
        pinned, account = self.view.pinned, self._world.account
        for what, want, have in (
            ("tenant", pinned["tenant"], account.tenant),
            ("cloud", pinned["cloud"], account.cloud),
        ):
            if want.lower() != have.lower():
                raise ContextError(
                    f"This run is pinned to {what} {want}, and {account.name} is signed in to {have}.",
                    "Sign in to the run's own tenant and cloud, then resume. Nothing was sent.",
                )

    async def _recover(self) -> None:
        """Re-enter where the last driver stopped: sent calls without an answer are in doubt."""
        open_intents = [n for n in self.view.nodes.values() if n.state is NodeState.APPLYING]
        if open_intents and self._world.escape_s:
            await asyncio.sleep(self._world.escape_s)
        for node in self.view.nodes.values():
            if work := node.intent or node.operation:
                self._locks.hold(node.id, work["locks"])
        if open_intents:
            doc = error_doc("answer_missing", "The process that sent this call ended before the answer came.")
            drafts = [Draft(Kind.DOUBTED, n.id, NodeState.IN_DOUBT, {"error": doc}) for n in open_intents]
            await self._log.commit(*drafts)
        self._look_again.update(growers(self._book, self.view))
