"""Driving a run without a person: prints what happens, answers what was allowed beforehand, ends when nothing moves.

Invariants: stdout carries the events and nothing else; being interrupted lets calls in flight finish, and the run
stays as its journal has it.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial

from runbook.cli import output
from runbook.cli.exits import Exit, of_run
from runbook.cli.lines import Teller, closing_lines
from runbook.cli.policy import Policy
from runbook.cli.signals import hearing
from runbook.core.error import UsageError
from runbook.core.event import Event
from runbook.core.view import NodeView, RunView
from runbook.engine.engine import Until
from runbook.engine.host import Session


def run_headless(
    open_session: Callable[[], Session],
    policy: Policy,
    *,
    as_json: bool,
    is_whole: bool = False,
    until: Until = Until.STUCK,
) -> Exit:
    """Drive a run to where nothing moves any more.

    Args:
        open_session: opens the run; called inside the event loop that drives it.
        policy: what may be answered.
        as_json: one event object per line instead of lines for people.
        is_whole: lines for every node, also of steps with many.
        until: ``PARKED`` leaves waits for outsiders to another time, ``STUCK`` sits through them.

    Raises:
        RunbookError: the run could not be opened, or its journal not be written.
    """
    teller = None if as_json else Teller(is_whole=is_whole)
    view, is_interrupted = asyncio.run(_drive(open_session, policy, teller, until))
    for line in closing_lines(view, is_interrupted):
        output.talk(line)
    return Exit.INTERRUPTED if is_interrupted else of_run(view)


async def _drive(
    open_session: Callable[[], Session], policy: Policy, teller: Teller | None, until: Until
) -> tuple[RunView, bool]:
    session = open_session()
    driver = _Driver(session, policy, teller, until)
    try:
        with hearing((signal.SIGINT, signal.SIGTERM), driver.interrupt, is_once=True):
            return await driver.run(), driver.is_interrupted
    finally:
        await session.close()


class _Driver:
    def __init__(self, session: Session, policy: Policy, teller: Teller | None, until: Until) -> None:
        self.is_interrupted = False
        self._session = session
        self._policy = policy
        self._teller = teller
        self._until = until
        self._answered = False
        self._asked: set[str] = set()
        self._failure: BaseException | None = None
        session.engine.listen(self._hear)

    def interrupt(self) -> None:
        if not self.is_interrupted:
            output.talk("Interrupted: letting calls in flight finish. Once more stops at once.")
        self.is_interrupted = True
        self._session.engine.close()

    async def run(self) -> RunView:
        engine = self._session.engine
        self._answer_all(is_stuck=False)
        while True:
            self._answered = False
            await engine.run(self._until)
            if self._failure is not None:
                raise self._failure
            if not self._answered and not self.is_interrupted:
                self._answer_all(is_stuck=True)
            if not self._answered or self.is_interrupted:
                return engine.view

    def _hear(self, event: Event) -> None:
        try:
            if self._teller is None:
                output.json_data(event.to_json(), is_line=True)
            else:
                for line in self._teller.lines(event):
                    output.data(line)
        except BrokenPipeError:
            self.is_interrupted = True
            self._session.engine.close()
        if event.entry.node is not None:
            node = event.view.nodes[event.entry.node]
            if event.entry.to is node.state:  # else the same commit holds a later entry of this node
                self._answer(node, is_stuck=False)

    def _answer_all(self, *, is_stuck: bool) -> None:
        for node in self._session.engine.view.nodes.values():
            self._answer(node, is_stuck=is_stuck)

    def _answer(self, node: NodeView, *, is_stuck: bool) -> None:
        command = self._policy.answer(node, is_stuck=is_stuck)
        if command is None or self.is_interrupted or node.id in self._asked:
            return
        self._answered = True
        self._asked.add(node.id)
        self._session.engine.submit(command).add_done_callback(partial(self._decided, node.id))

    def _decided(self, name: str, task: asyncio.Task[None]) -> None:
        self._asked.discard(name)
        error = task.exception()
        # A refusal means that the node moved on meanwhile; its next event asks anew.
        if error is not None and not isinstance(error, UsageError):
            self._failure = self._failure or error
            self._session.engine.close()
