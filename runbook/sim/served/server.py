"""Listens: HTTPS on loopback, and nowhere else.

Each answer is one buffered write on a socket without Nagle's delay: in two pieces it costs clients 40 ms. The CA lives
as long as the process; its key is never written down.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme
from aiohttp import web

from runbook.core.clock import RealClock, from_iso
from runbook.core.error import UsageError
from runbook.core.loopback import loopback
from runbook.sim.cloud import Cloud
from runbook.sim.scenario import Scenario
from runbook.sim.served import folder as folders
from runbook.sim.served.clock import FlowingClock
from runbook.sim.served.front import LARGEST_BODY, Answer, Front, Note
from runbook.sim.state import State
from runbook.sim.wire import ArmFault

BACKLOG: Final = 1024
"""Connections that may wait to be taken; a client beyond them would see its connection reset or time out."""
_LAST_ANSWERS_S: Final = 2.0
_ONLY_HERE: Final = (
    "Use 127.0.0.1: whoever can reach the simulated Azure is signed in to it, so it is served on loopback only."
)


@dataclass(frozen=True, slots=True)
class Served:
    """A cloud that is being served.

    Attributes:
        endpoint: its origin, without a trailing slash.
        folder: what signs clients in; gone when serving ends.
        cloud: the cloud itself; only the thread that serves may touch it.
    """

    endpoint: str
    folder: Path
    cloud: Cloud

    @property
    def announcement(self) -> dict[str, Any]:
        """What a client has to know."""
        return {
            "endpoint": self.endpoint,
            "ca_file": str(self.folder / "ca.pem"),
            "env": folders.environment(self.folder, self.endpoint),
            "subscriptions": folders.subscriptions(self.cloud.scenario),
        }


@contextlib.asynccontextmanager
async def serving(
    scenario: Scenario,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    speed: float = 1.0,
    note: Note | None = None,
    broke: Callable[[Exception], None] | None = None,
    make: Callable[[Cloud, Callable[[], int], float, Note | None], Front] = Front,
) -> AsyncIterator[Served]:
    """Serve a scenario's cloud while the context is open; its folder is gone afterwards.

    Args:
        scenario: what the cloud starts from.
        host: a loopback address, or ``localhost``.
        port: 0 for any that is free.
        speed: the cloud's seconds per real second.
        note: told of each request to Resource Manager.
        broke: told of a fault of ours that a client got 500 for.
        make: makes what answers; tests put something of their own there.

    Raises:
        UsageError: the address is not on loopback, or the port is taken.
        BookError: the scenario cannot be made.
    """
    family, address = loopback(host, _ONLY_HERE)
    sock = _listen(family, address, port)
    real = RealClock()
    with contextlib.ExitStack() as undo:
        undo.callback(sock.close)
        name = f"[{address}]" if family == socket.AF_INET6 else address
        endpoint = f"https://{name}:{sock.getsockname()[1]}"
        scenario = scenario.model_copy(update={"endpoint": endpoint})
        clock = FlowingClock(from_iso(scenario.start), speed)
        cloud = Cloud(scenario, clock, State())
        place = Path(tempfile.mkdtemp(prefix="runbook-simulate-"))
        undo.callback(shutil.rmtree, place, ignore_errors=True)
        authority = trustme.CA(organization_name="Simulated Azure", organization_unit_name="runbook simulate")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*dict.fromkeys(["127.0.0.1", "localhost", address])).configure_cert(context)
        now_s = real.now_ms() // 1000
        folders.write(place, scenario, endpoint, authority.cert_pem.bytes(), now_s)
        front = make(cloud, lambda: real.now_ms() // 1000, speed, note)
        runner = web.AppRunner(_application(front, broke), shutdown_timeout=_LAST_ANSWERS_S, access_log=None)
        await runner.setup()
        try:
            await web.SockSite(runner, sock, ssl_context=context, backlog=BACKLOG).start()
            yield Served(endpoint, place, cloud)
        finally:
            await runner.cleanup()


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"Nothing can listen at {address} port {port}: {why}.", "Choose another --port, or none for a free one."
        ) from error


def _application(front: Front, broke: Callable[[Exception], None] | None) -> web.Application:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            content = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _response(front.too_large())
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            answer = front.answer(request.method, request.raw_path, headers, content)
        except Exception as error:
            if broke is not None:
                broke(error)
            fault = ArmFault(500, "InternalServerError", "The simulated Azure has a fault of its own.")
            return _response(front.as_answer(fault.reply))
        if answer.broken and request.transport is not None:
            request.transport.abort()  # by script: the client sees its connection break, before or after the effect
        return _response(answer)

    application = web.Application(client_max_size=LARGEST_BODY)
    application.router.add_route("*", "/{path:.*}", handle)
    return application


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.content)
