"""The served page at the level of HTTP: who gets what, and what becomes of the processes behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from runbook import assets
from runbook.cli.main import run
from runbook.cli.reading import every_run, view_of
from runbook.cli.serve import child
from runbook.core.error import UsageError
from runbook.tui.served import DRIVER
from runbook.web.server import serving

pytestmark = pytest.mark.timeout(60)

NOBODY = [sys.executable, "-c", "import sys; sys.stdin.read()"]
"""Draws nothing and ends with its input."""


@asynccontextmanager
async def served(home: Path, run: str = "", *, may_write: bool = False) -> AsyncIterator[str]:
    async with serving(child(home, run, may_write), {"TEXTUAL_DRIVER": DRIVER}) as (address, _):
        yield address


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def origin(address: str) -> dict[str, str]:
    return {"Origin": "/".join(address.split("/")[:3])}


class Screen:
    """One page, as a browser would open it."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self.wire = wire
        self.drawn = ""

    async def until(self, text: str) -> None:
        async with asyncio.timeout(40):
            while text not in self.drawn:
                message = await self.wire.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, f"{message} after {self.drawn[-2000:]}"
                self.drawn += re.sub(r"\x1b\[[0-9;?<>$]*[a-zA-Z]", " ", message.data.decode())

    async def type(self, keys: str) -> None:
        await self.wire.send_json(["stdin", keys])

    async def until_closed(self) -> None:
        async with asyncio.timeout(40):
            async for _ in self.wire:
                pass


@asynccontextmanager
async def opened(http: aiohttp.ClientSession, address: str) -> AsyncIterator[Screen]:
    async with http.ws_connect(f"{address}ws?width=100&height=30", headers=origin(address)) as wire:
        yield Screen(wire)


def children(parent: int | None = None) -> list[int]:
    """The processes that a process has started, by the system's own account."""
    pid = parent or os.getpid()
    return [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]


def drawing(parent: int | None = None) -> list[int]:
    return [pid for pid in children(parent) if b"runbook.cli.served" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def known(pid: int) -> bytes:
    """What a process was started with."""
    return b"".join(Path(f"/proc/{pid}/{what}").read_bytes() for what in ("cmdline", "environ"))


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes by /proc")


# ---------------------------------------------------------------- who gets what


async def test_without_the_token_everything_is_the_same_404(http: aiohttp.ClientSession) -> None:
    async with serving(NOBODY) as (address, _):
        root = "/".join(address.split("/")[:3])
        wrong = address.replace(address[-5:-1], "AAAA")
        paths = [root, f"{root}/", f"{root}/ws", f"{root}/static/js/textual.js", f"{root}/download/x"]
        paths += [wrong, f"{wrong}ws", f"{wrong}static/page.js", f"{address}static/nothing", f"{address}nothing"]
        answers = set()
        for path in paths:
            async with http.get(path) as answer:
                answers.add((answer.status, await answer.text()))
        assert answers == {(404, "404: Not Found\n")}


async def test_with_the_token_there_is_a_page_with_all_it_needs(http: aiohttp.ClientSession) -> None:
    async with serving(NOBODY) as (address, pages):
        async with http.get(address) as answer:
            assert answer.status == 200
            text = await answer.text()
            assert pages.gate.token not in text
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        style = assets.path("web", "page.css").read_text("utf-8")
        named = re.findall(r'(?:href|src)="(static/[^"]+)"', text)
        named += [f"static/{name}" for name in re.findall(r'url\("([^"]+)"\)', style)]
        assert len(named) >= 5
        for name in named:
            async with http.get(address + name) as answer:
                assert answer.status == 200, name
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["index.html", "page.js", "page.css"])
def test_the_page_names_no_other_server(name: str) -> None:
    assert not re.search(r"https?://|[\"'(]//", assets.path("web", name).read_text("utf-8"))


async def test_a_path_cannot_climb_out_of_the_files(http: aiohttp.ClientSession) -> None:
    async with serving(NOBODY) as (address, _):
        host, port = address.split("/")[2].split(":")
        token = address.split("/")[3]
        for path in ("static/../server.py", "static/%2e%2e/server.py", "static//etc/passwd", "static/"):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET /{token}/{path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
            assert b" 404 " in await reader.readline()
            writer.close()
            await writer.wait_closed()


async def test_another_host_name_gets_nothing(http: aiohttp.ClientSession) -> None:
    async with serving(NOBODY) as (address, _):
        async with http.get(address, headers={"Host": "rebound.example"}) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("said", [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
async def test_a_socket_from_elsewhere_is_not_opened(http: aiohttp.ClientSession, said: dict[str, str]) -> None:
    async with serving(NOBODY) as (address, _):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{address}ws", headers=said)
        assert refused.value.status == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.4", "localhost.example", "127.0.0.1.nip.io"])
async def test_it_refuses_to_listen_anywhere_but_on_loopback(host: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        async with serving(NOBODY, host=host):
            pass


def test_the_command_refuses_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--host", "0.0.0.0"]) == 2
    said = capsys.readouterr()
    assert "127.0.0.1" in said.err
    assert not said.out


def test_a_port_in_use_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["serve", "--port", str(taken.getsockname()[1])]) == 2
    said = capsys.readouterr()
    assert "--port" in said.err
    assert not said.out


def test_an_unknown_run_is_told_before_anything_listens(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err


def test_without_its_extra_the_command_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "runbook.web.server", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "textual_serve"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    assert run(["serve"]) == 2
    said = capsys.readouterr().err
    assert "runbook[serve]" in said
    assert "Traceback" not in said


# ---------------------------------------------------------------- what a page can do


async def test_a_page_only_looks_on_unless_told_otherwise(
    http: aiohttp.ClientSession, parked: Path, clean_environment: Path
) -> None:
    before = (parked / "runs" / "arc" / "journal.db").read_bytes()
    async with served(parked) as address, opened(http, address) as screen:
        await screen.until("needs you")
        assert "ehearse" not in screen.drawn.replace("rehearsal", "")
        await screen.type("\r")
        await screen.until("READ-ONLY")
        await screen.type("a")
        await screen.until("You are watching")
    assert (parked / "runs" / "arc" / "journal.db").read_bytes() == before
    assert not any(p.stat().st_size for p in (parked / "runs" / "arc").glob("journal.db-wal"))


async def test_a_page_that_may_write_drives(http: aiohttp.ClientSession, parked: Path) -> None:
    async with served(parked, "arc", may_write=True) as address, opened(http, address) as screen:
        await screen.until("you drive")
        await screen.until("Approve:")
        await screen.type("a")
        await screen.until("being recorded")
    view, driver = view_of(parked, "arc")
    assert driver is None or "nobody" in driver
    assert any(node.applied or node.approved for node in view.nodes.values())


async def test_a_page_read_anew_drives_again(http: aiohttp.ClientSession, parked: Path) -> None:
    async with served(parked, "arc", may_write=True) as address:
        for _ in range(2):
            async with opened(http, address) as screen:
                await screen.until("you drive")


async def test_leaving_the_home_screen_closes_the_page(http: aiohttp.ClientSession, parked: Path) -> None:
    async with served(parked) as address, opened(http, address) as screen:
        await screen.until("needs you")
        await screen.type("q")
        await screen.until_closed()


@pytest.mark.parametrize("nonsense", ["nothing", "{}", "[]", '["stdin"]', '["resize", 3]', '["stdin", 3]'])
async def test_nonsense_from_a_page_ends_it_and_nothing_else(
    http: aiohttp.ClientSession, nonsense: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(NOBODY) as (address, _):
        async with http.ws_connect(f"{address}ws", headers=origin(address)) as wire:
            await wire.send_str(nonsense)
            async with asyncio.timeout(40):
                async for _message in wire:
                    pass
        async with http.get(address) as answer:
            assert answer.status == 200
    assert "Traceback" not in "".join(capfd.readouterr())


# ---------------------------------------------------------------- what becomes of processes


@linux
async def test_the_process_of_a_page_knows_no_token_and_ends_with_the_page(
    http: aiohttp.ClientSession, parked: Path
) -> None:
    async with served(parked) as address:
        token = address.split("/")[3].encode()
        async with opened(http, address) as screen:
            await screen.until("needs you")
            (pid,) = drawing()
            assert token not in known(pid)
            handle = os.pidfd_open(pid)
        assert await asyncio.to_thread(gone, handle)


@linux
async def test_too_many_pages_are_refused(http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.web.server.MOST", 1)
    async with serving(NOBODY) as (address, _):
        async with http.ws_connect(f"{address}ws", headers=origin(address)):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(f"{address}ws", headers=origin(address))


def gone(handle: int) -> bool:
    """Whether a process ends within a minute."""
    try:
        return bool(select.select([handle], [], [], 60)[0])
    finally:
        os.close(handle)


@linux
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_no_process_outlives_the_command(http: aiohttp.ClientSession, parked: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "runbook", "--home", str(parked), "serve", "arc", "--write"]
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        assert server.stdout is not None
        address = (await server.stdout.readline()).decode().strip()
        async with opened(http, address) as screen:
            await screen.until("you drive")
            (pid,) = drawing(server.pid)
            handle = os.pidfd_open(pid)
            server.send_signal(how)
            out, err = await asyncio.wait_for(server.communicate(), 60)
        assert await asyncio.to_thread(gone, handle)
        if how is not signal.SIGKILL:
            assert server.returncode == 0
        assert out == b""
        assert address.split("/")[3].encode() not in err
        assert b"Traceback" not in err
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()
    assert [driver for _, driver in every_run(parked) if driver] == []
