"""Serves the screens to a browser: textual-serve's protocol and terminal, our page, behind our gate.

Each page that opens has a process of its own that draws for it; it is asked to end when the page closes, so that a run
is let go as on any terminal. textual-serve's own page loads a font from elsewhere, starts its command in a shell and
answers whoever comes, so this serves a page, starts a process and asks the gate by itself.

Invariants: nothing is answered but what the gate admits, and all else gets the same 404; nothing listens before all is
ready; the token is in no process's command line or environment; no process outlives the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager
from textual_serve.server import Server

from runbook import assets
from runbook.core.error import UsageError
from runbook.core.loopback import loopback
from runbook.web.gate import Gate

_ONLY_HERE: Final = (
    "Use 127.0.0.1: what is served can drive your runs. From another machine, use `ssh -L` to reach this one's port."
)
MOST: Final = 8
"""Pages that may be open at the same time; each is a process."""
_MOST_CELLS: Final = 500
_LAST_WORDS_S: Final = 2.0
PATIENCE_S: Final = 100.0
"""For so long a process may let its calls in flight end, before it is killed. A call takes no longer."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The page may load from this server alone; the address with its token is told to nobody."""


class Process(AppService):
    """One page's process, started without a shell and ended for sure."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        socket: web.WebSocketResponse,
    ) -> None:
        super().__init__(
            argv[0],
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=_closer(socket),
            download_manager=DownloadManager(),
        )
        self._argv, self._environment = argv, environment

    async def _open_app_process(self, width: int = 80, height: int = 24) -> asyncio.subprocess.Process:
        environment = {**self._build_environment(width, height), **self._environment}
        # In a session of its own: Ctrl-C in our terminal is for us, and we ask it to end.
        self._process = started = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self._stdin = started.stdin
        return started

    async def on_meta(self, data: bytes) -> None:
        """Files are not delivered to the browser: the download would be asked for without the token."""
        if b'"deliver_file_start"' not in data:
            await super().on_meta(data)

    async def ended(self) -> None:
        """Until the process has ended by itself."""
        if self._task is not None:
            await asyncio.wait({self._task})
        if self._process is not None:
            await self._process.wait()

    async def end(self, patience_s: float) -> None:
        """Ask the process to end, and see that it does."""
        if self._process is None:  # it could not be started
            return
        with contextlib.suppress(OSError):
            await self.send_meta({"type": "quit"})
            self.stdin.close()  # the end of its input is for one that does not listen
        try:
            await asyncio.wait_for(self.ended(), patience_s)
        except TimeoutError:
            self.kill()
            await self.ended()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()


def _closer(socket: web.WebSocketResponse) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        with contextlib.suppress(OSError):
            await socket.close()

    return close


class Pages(Server):
    """The page, its files, and a process for each that opens.

    Args:
        argv: what draws; started anew for each page.
        environment: what it is told besides.
        gate: who is let in.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], gate: Gate) -> None:
        super().__init__(argv[0])
        self.gate = gate
        self._argv, self._environment = argv, environment
        self._files = _files()
        self._open: set[Process] = set()
        self._ending: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        """What answers. The token is no part of a route, so that it is compared in one place, and in constant time."""
        application = web.Application(middlewares=[self._guard])
        application.router.add_get("/{token}/", self._page)
        application.router.add_get("/{token}/ws", self.handle_websocket)
        application.router.add_get("/{token}/static/{name:.+}", self._file)
        application.on_shutdown.append(self._close)
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        is_socket = "upgrade" in request.headers.get("Connection", "").lower() or request.path.endswith("/ws")
        if not self.gate.admits(request.path, request.headers, is_socket=is_socket):
            return _nothing()
        try:
            return await handler(request)
        except web.HTTPException:
            return _nothing()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(assets.path("web", "index.html"), headers=_HEADERS)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """One of the files known at the start: no path is made from what was asked."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            return _nothing()
        kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
        return web.FileResponse(found, headers=_HEADERS | {"Content-Type": kind})

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Draw for one page until it closes or the operator leaves."""
        opened = web.WebSocketResponse(heartbeat=15)
        if len(self._open) >= MOST:
            raise web.HTTPServiceUnavailable
        while self._ending:  # a page that is read anew finds the run let go by the one before
            await asyncio.wait(set(self._ending))
        await opened.prepare(request)
        process = Process(self._argv, self._environment, opened)
        self._open.add(process)
        try:
            await process.start(_cells(request, "width"), _cells(request, "height"))
            with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError, AssertionError, OSError):
                await self._process_messages(opened, process)  # what is not of its protocol ends it
        finally:
            ending = asyncio.create_task(process.end(PATIENCE_S))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            self._open.discard(process)
            await asyncio.shield(ending)
        return opened

    async def _close(self, _: web.Application) -> None:
        await asyncio.gather(*(process.end(PATIENCE_S) for process in self._open), *self._ending)

    def kill(self) -> None:
        """End every process at once."""
        for process in self._open:
            process.kill()


def _nothing() -> web.Response:
    return web.Response(status=404, text="404: Not Found\n", headers={"Cache-Control": "no-store"})


def _cells(request: web.Request, name: str) -> int:
    asked = request.query.get(name, "")
    return max(1, min(int(asked), _MOST_CELLS)) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 80


def _files() -> dict[str, Path]:
    """What the page may load, by name: the terminal of textual-serve, and our own."""
    spec = find_spec("textual_serve")
    theirs = Path(spec.origin).parent / "static" if spec and spec.origin else Path()
    ours = assets.path("web")
    found = {file.relative_to(theirs).as_posix(): file for file in theirs.rglob("*") if file.is_file()}
    return found | {file.name: file for file in ours.iterdir() if file.suffix in (".css", ".js")}


@contextlib.asynccontextmanager
async def serving(
    argv: Sequence[str], environment: Mapping[str, str] | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[tuple[str, Pages]]:
    """Serve while the context is open; gives the page's address, with its token.

    Args:
        argv: what draws; started anew for each page.
        environment: what it is told besides.
        host: a loopback address, or ``localhost``.
        port: 0 for any that is free.

    Raises:
        UsageError: the address is not on loopback, or the port is taken.
    """
    family, address = loopback(host, _ONLY_HERE)
    with contextlib.ExitStack() as undo:
        sock = _bound(family, address, port)
        undo.callback(sock.close)
        number = sock.getsockname()[1]
        name = f"[{address}]" if family == socket.AF_INET6 else address
        gate = Gate(frozenset({f"{name}:{number}", f"localhost:{number}"}))
        pages = Pages(argv, environment or {}, gate)
        # The address has a secret in it: no log of requests.
        runner = web.AppRunner(pages.application(), shutdown_timeout=_LAST_WORDS_S, access_log=None)
        await runner.setup()
        try:
            await web.SockSite(runner, sock).start()
            yield f"http://{name}:{number}/{gate.token}/", pages
        finally:
            await runner.cleanup()


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    """A socket that has the port, and does not listen yet."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
    except (OSError, OverflowError) as error:
        sock.close()
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"Nothing can listen at {address} port {port}: {why}.", "Choose another --port, or none for a free one."
        ) from error
    return sock
