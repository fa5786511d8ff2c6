from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from runbook.arm import client as client_module
from runbook.arm.auth import static_credential
from runbook.arm.client import ArmClient
from runbook.arm.transport import LiveTransport, proxy_for
from runbook.core.arm import Ended, Operation, Request
from runbook.core.error import AnswerMissing, NotSent, UsageError
from tests.arm.scripted import TOKEN

PUT = Request("PUT", "/x", "1", {"a": 1})
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))


class Served:
    """A real HTTPS server on loopback, and what it saw."""

    def __init__(self) -> None:
        self.raw: list[str] = []
        self.connections: set[object] = set()
        self.origin = ""


@asynccontextmanager
async def serving(authority: trustme.CA, handler: Handler) -> AsyncIterator[Served]:
    served = Served()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        served.raw.append(f"{request.method} {request.raw_path}")
        served.connections.add(request.transport)
        await request.read()
        return await handler(request)

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        host, port = runner.addresses[0][:2]
        served.origin = f"https://{host}:{port}"
        yield served
    finally:
        await runner.cleanup()


@asynccontextmanager
async def listening(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A bare TCP server, for what no HTTP server would do; gives ``127.0.0.1:port``."""
    over: list[asyncio.Future[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over.append(asyncio.get_running_loop().create_future())
        await talk(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        over[-1].set_result(None)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*over)


def arm_at(origin: str, bundle: Path | None) -> ArmClient:
    return ArmClient(LiveTransport(bundle), static_credential(TOKEN), endpoint=origin, timeout_s=20)


async def test_calls_go_out_verbatim_over_one_connection_with_a_private_ca(
    authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody listens there: loopback needs no proxy
    signature = "s=" + "Ab%2F%2b-%7e" * 900

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response({"status": "Succeeded"})
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        headers = {"Azure-AsyncOperation": f"https://{request.host}/op?{signature}", "Set-Cookie": "a=b"}
        return web.json_response(await request.json(), status=201, headers=headers)

    async with serving(authority, handler) as served, arm_at(served.origin, None) as arm:
        answered = await arm.write(PUT, "id")
        assert answered.body == PUT.body
        assert answered.operation == Operation(f"{served.origin}/op?{signature}", "async-operation")
        short = Operation(f"{served.origin}/op?t=%2F&s=a%2Bb%7e%20c", "async-operation")
        assert await arm.poll(short) == Ended("Succeeded")
        await arm.get("/y", "1")
    assert served.raw == ["PUT /x?api-version=1", "GET /op?t=%2F&s=a%2Bb%7e%20c", "GET /y?api-version=1"]
    assert len(served.connections) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
async def test_a_write_whose_connection_breaks_is_sent_once_and_left_open(
    authority: trustme.CA, bundle: Path, method: str
) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serving(authority, handler) as served, arm_at(served.origin, bundle) as arm:
        with pytest.raises(AnswerMissing):
            await arm.write(Request(method, "/x", "1"), "id")  # type: ignore[arg-type]  # parametrised
    assert served.raw == [f"{method} /x?api-version=1"]


async def test_an_answer_that_breaks_off_in_its_body_was_sent(authority: trustme.CA, bundle: Path) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"a": ')
        assert request.transport is not None
        request.transport.close()
        return response

    async with serving(authority, handler) as served, arm_at(served.origin, bundle) as arm:
        with pytest.raises(AnswerMissing, match="broke off"):
            await arm.write(PUT, "id")
    assert len(served.raw) == 1


async def test_packed_answers_are_unpacked_within_bounds(
    authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [gzip.compress(b'{"a": 1}'), gzip.compress(b" " * 3_000_000), b"not packed at all"]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "gzip"
        return web.Response(body=bodies.pop(0), headers={"Content-Encoding": "gzip"})

    monkeypatch.setattr(client_module, "MAX_BODY_BYTES", 1_000_000)
    async with serving(authority, handler) as served, arm_at(served.origin, bundle) as arm:
        assert await arm.get("/x", "1") == {"a": 1}
        with pytest.raises(AnswerMissing, match="longer"):
            await arm.get("/x", "1")
        with pytest.raises(AnswerMissing, match="broke off"):
            await arm.get("/x", "1")


async def test_a_redirect_is_not_followed_over_the_wire(authority: trustme.CA, bundle: Path) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with serving(authority, handler) as served, arm_at(served.origin, bundle) as arm:
        with pytest.raises(Exception, match="Http307"):
            await arm.write(PUT, "id")
    assert len(served.raw) == 1


async def test_an_untrusted_certificate_means_not_sent(authority: trustme.CA) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response()

    async with serving(authority, handler) as served, arm_at(served.origin, None) as arm:
        with pytest.raises(NotSent, match="certificate"):
            await arm.write(PUT, "id")
    assert served.raw == []


async def test_nobody_listening_means_not_sent(bundle: Path) -> None:
    async with arm_at("https://127.0.0.1:9", bundle) as arm:
        with pytest.raises(NotSent, match="Connect"):
            await arm.write(PUT, "id")


async def test_a_connection_that_does_not_come_about_in_time_means_not_sent(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr("runbook.arm.transport._CONNECT_TIMEOUT_S", 0.05)
    async with listening(silent) as address, arm_at(f"https://{address}", bundle) as arm:  # never says hello
        with pytest.raises(NotSent, match="in time"):
            await arm.write(PUT, "id")


async def test_a_proxy_that_refuses_means_not_sent(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")

    async with listening(proxy) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        async with arm_at("https://arm.invalid", bundle) as arm:
            with pytest.raises(NotSent, match="proxy answered 407"):
                await arm.write(PUT, "id")
    assert seen[0].startswith(b"CONNECT arm.invalid:443")
    assert TOKEN.encode() not in seen[0]


async def test_an_overlong_header_leaves_a_write_open_and_is_not_quoted(authority: trustme.CA, bundle: Path) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(headers={"Location": "https://h/?s=" + "signature" * 10_000})

    async with serving(authority, handler) as served, arm_at(served.origin, bundle) as arm:
        with pytest.raises(AnswerMissing) as caught:
            await arm.write(PUT, "id")
    assert len(served.raw) == 1
    assert "signature" not in str(caught.value)


async def test_a_closed_transport_sends_nothing(bundle: Path) -> None:
    transport = LiveTransport(bundle)
    arm = ArmClient(transport, static_credential(TOKEN), endpoint="https://127.0.0.1:9")
    await transport.open()
    await arm.close()
    with pytest.raises(NotSent, match="closed"):
        await arm.write(PUT, "id")


def test_a_ca_folder_is_taken_and_a_missing_bundle_named(tmp_path: Path) -> None:
    LiveTransport(tmp_path)
    with pytest.raises(UsageError, match=r"missing\.pem"):
        LiveTransport(tmp_path / "missing.pem")
    (tmp_path / "junk.pem").write_text("junk")
    with pytest.raises(UsageError, match=r"junk\.pem"):
        LiveTransport(tmp_path / "junk.pem")


def test_the_proxy_is_the_environments_unless_it_names_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "inside.example")
    proxies = {"https": "http://proxy:3128", "http": "http://other:1"}
    assert proxy_for("https", "arm.example", proxies) == "http://proxy:3128"
    assert proxy_for("https", "arm.example", {"all": "proxy:3128"}) == "http://proxy:3128"
    assert proxy_for("https", "inside.example", proxies) is None
    assert proxy_for("https", "127.0.0.1", proxies) is None
    assert proxy_for("https", "localhost", proxies) is None
    assert proxy_for("https", "::1", proxies) is None
    assert proxy_for("https", "arm.example", {}) is None
