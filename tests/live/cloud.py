"""A simulated Azure served on loopback in a thread of its own, and live runs against it.

Its time runs fast, and the engine's as fast: what takes a quarter of an hour is over in a fraction of a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runbook.arm.auth import static_credential
from runbook.arm.clouds import Cloud
from runbook.book import load_book
from runbook.core.clock import RealClock, iso
from runbook.core.command import Attest, Command
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.engine import Until
from runbook.sim.scenario import Scenario
from runbook.sim.scenario_files import load_scenario
from runbook.sim.served.server import Served, serving
from runbook.wiring import Wish, create_run
from runbook.wiring.live import SignedIn
from runbook.wiring.live_drive import Consent, Live, open_live
from tests.crash.harness import EVERYTHING, settled

SPEED = 3000.0
RUN = "live"
BOOK = "arc-private-link"
NAMES = ("Contoso Landing Zone", "Contoso Branch Offices")
"""Of the subscriptions that the shipped Arc scenarios name in their inputs."""


@dataclass(frozen=True)
class Azure:
    """A served cloud, as a test sees it."""

    served: Served
    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scenario(self) -> Scenario:
        return self.served.cloud.scenario

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Every request that was no read, whatever came of it."""
        return [(r["method"], r["path"]) for r in self.requests if r["method"] not in ("GET", "HEAD")]

    def place(self) -> Cloud:
        return Cloud("Rehearsal", self.served.endpoint, "127.0.0.1", "any/.default", self.scenario.cloud)

    def signed_in(self, **other: Any) -> SignedIn:
        """Signed in by a token that nobody looks at."""
        who = self.scenario
        there: dict[str, Any] = {
            "account": who.operator.name,
            "tenant": who.tenant.id,
            "credential": static_credential("any"),
        }
        return SignedIn(self.place(), **there | other)

    def wish(self, book: str = BOOK, **more: Any) -> Wish:
        known = load_book(book).inputs
        inputs = {name: value for name, value in self.scenario.inputs.items() if name in known}
        return Wish(book, mode="live", edition=self.scenario.edition, sets=inputs, run=RUN, **more)

    def resources(self) -> dict[str, Any]:
        """What there is, without what two equal clouds may differ in."""
        return {key: settled(body) for key, body in self.served.cloud.state.items("resources")}


@contextlib.contextmanager
def azure(scenario: Scenario | str, monkeypatch: pytest.MonkeyPatch, speed: float = SPEED) -> Iterator[Azure]:
    """Serve a scenario; this process trusts its CA meanwhile."""
    ready: Future[tuple[Azure, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    found = load_scenario(scenario) if isinstance(scenario, str) else scenario
    found = found.model_copy(update={"start": iso(RealClock().now_ms())})
    requests: list[dict[str, Any]] = []

    async def serve() -> None:
        over = asyncio.Event()
        try:
            async with serving(found, speed=speed, note=requests.append) as served:
                ready.set_result((Azure(served, requests), asyncio.get_running_loop(), over))
                await over.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="azure", daemon=True)
    thread.start()
    there, loop, over = ready.result(30)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(there.served.folder / "ca.pem"))
    try:
        yield there
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(30)
        with warnings.catch_warnings():  # what the server had not finished closing when its loop ended
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def reply(node: NodeView) -> Command | None:
    """Every answer that may be given; also the word on what only others can see."""
    if node.state is NodeState.BLOCKED and node.blocked and node.blocked["attest"] and not node.attested:
        return Attest(node.id, "cleared up with those concerned", EVERYTHING.by)
    return EVERYTHING.answer(node, is_stuck=node.state is NodeState.WAITING and node.due_ms is None)


@dataclass(frozen=True)
class Driven:
    """What driving came to."""

    view: RunView
    kinds: list[str]


def drive(
    home: Path,
    there: Azure,
    answer: Callable[[NodeView], Command | None] = reply,
    *,
    signed_in: SignedIn | None = None,
    said: tuple[str, ...] = NAMES,
    until: Until = Until.PARKED,
    prepare: Callable[[Live], None] = lambda _: None,
    run: str = RUN,
) -> Driven:
    """Drive the run to where nothing moves without somebody else."""

    async def go() -> Driven:
        clock = there.served.cloud.clock
        consent = Consent(signed_in or there.signed_in(), said=said)
        session = open_live(home, run, consent, durable=False, clock=clock)
        prepare(session)
        engine = session.engine
        kinds: list[str] = []

        def respond(node: NodeView) -> None:
            if (command := answer(node)) is not None:
                engine.submit(command).add_done_callback(lambda task: task.exception())

        def hear(event: Event) -> None:
            kinds.append(event.entry.kind)
            if event.entry.to is not None:
                respond(engine.view.nodes[event.entry.node or ""])

        engine.listen(hear)
        for node in list(engine.view.nodes.values()):
            respond(node)
        try:
            return Driven(await engine.run(until), kinds)
        finally:
            await session.close()

    return asyncio.run(go())


def begin(home: Path, there: Azure, **more: Any) -> None:
    """Make the run."""
    create_run(home, there.wish(**more), durable=False, signed_in=there.signed_in())
