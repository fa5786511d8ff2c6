"""The simulated Azure as a process: sockets, signals, files, many clients at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from runbook.core.clock import iso
from runbook.core.error import UsageError
from runbook.core.loopback import loopback
from runbook.sim.served.clock import FlowingClock
from runbook.sim.served.server import serving
from tests.served.simulate import SUB, Simulated, simulated
from tests.sim.world import scenario

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated(tmp_path_factory.mktemp("empty"), "--empty", "--speed", "600") as running:
        yield running


# ---------------------------------------------------------------- where it listens


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.4", "localhost.example", "", "127.0.0.1.nip.io", "169.254.1.1"]
)
async def test_it_refuses_to_listen_anywhere_but_on_loopback(host: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        async with serving(scenario(), host=host):
            pass


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("127.8.9.1", "127.8.9.1"), ("::1", "::1")],
)
def test_every_loopback_address_will_do(host: str, address: str) -> None:
    assert loopback(host, "")[1] == address


def test_the_command_refuses_it_too_and_says_what_to_do(tmp_path: Path) -> None:
    from runbook.cli.main import run

    assert run(["simulate", "--host", "0.0.0.0"]) == 2


async def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="Nothing can listen"):
        async with serving(scenario(), port=taken.getsockname()[1]):
            pass


# ---------------------------------------------------------------- what it says and leaves


def test_its_first_line_is_all_that_a_client_needs(empty: Simulated) -> None:
    assert set(empty.said) == {"endpoint", "ca_file", "env", "subscriptions"}
    assert urlsplit(empty.endpoint).hostname == "127.0.0.1"
    assert [set(s) for s in empty.said["subscriptions"]] == [{"id", "name", "tenantId"}] * 2
    assert empty.call("GET", "/subscriptions?api-version=2022-12-01")[0] == 200


def test_everything_a_client_is_told_lies_in_a_folder_of_its_own(empty: Simulated) -> None:
    folder = Path(empty.said["ca_file"]).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert empty.said["env"]["AZURE_CONFIG_DIR"] == str(folder / "azure")
    for name in ("azure/config", "azure/clouds.config", "azure/azureProfile.json", "azure/msal_token_cache.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    profile = json.loads((folder / "azure" / "azureProfile.json").read_text())
    assert [s["isDefault"] for s in profile["subscriptions"]] == [True, False]
    shell = (folder / "env.sh").read_text()
    assert all(f"export {name}=" in shell for name in empty.said["env"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_nothing_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    with simulated(tmp_path, "--empty") as running:
        folder = Path(running.said["ca_file"]).parent
        held = socket.create_connection(("127.0.0.1", urlsplit(running.endpoint).port or 0))
        with running.context.wrap_socket(held, server_hostname="127.0.0.1") as idle:
            idle.sendall(b"GET /devicelogin HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(12) == b"HTTP/1.1 200"
            running.process.send_signal(number)
            rest, _ = running.process.communicate(timeout=15)
    assert (running.process.returncode, rest) == (0, "")
    assert not folder.exists()
    assert "Traceback" not in (tmp_path / "simulate.err").read_text()


def test_scenario_and_empty_exclude_each_other() -> None:
    from runbook.cli.main import run

    assert run(["simulate", "--empty", "--scenario", "arc-ga"]) == 2
    assert run(["simulate", "--scenario", "no-such"]) == 2


# ---------------------------------------------------------------- the empty estate


def test_the_empty_estate_has_two_subscriptions_and_nothing_in_them(empty: Simulated) -> None:
    for subscription in empty.said["subscriptions"]:
        home = f"/subscriptions/{subscription['id']}"
        assert empty.call("GET", f"{home}/resources?api-version=2021-04-01")[2] == {"value": []}
    groups = empty.call(
        "GET", f"/subscriptions/{empty.said['subscriptions'][1]['id']}/resourceGroups?api-version=2021-04-01"
    )
    assert groups[2] == {"value": []}


def test_the_arc_flag_of_the_empty_estate_waits_for_an_approval_that_nobody_gives(empty: Simulated) -> None:
    home = f"/subscriptions/{SUB}/providers/Microsoft.Features/providers"
    arc = f"{home}/Microsoft.HybridCompute/features/ArcServerPrivateLinkPreview"
    network = f"{home}/Microsoft.Network/features/AllowPrivateEndpoints"
    for flag in (arc, network):
        assert empty.call("POST", f"{flag}/register?api-version=2021-07-01")[0] == 200

    def state(flag: str) -> str:
        return str(empty.call("GET", f"{flag}?api-version=2021-07-01")[2]["properties"]["state"])

    patience = 0
    while state(network) != "Registered":  # 20 simulated seconds, a thirtieth of a second here
        patience += 1
        assert patience < 5_000
    assert state(arc) == "Pending"


# ---------------------------------------------------------------- time


def test_time_runs_by_itself_while_nobody_calls() -> None:
    clock = FlowingClock(1_000_000, 3_600)
    first = clock.now_ms()
    while clock.now_ms() == first:
        pass
    assert clock.flows
    assert clock.now_ms() > first, iso(first)


async def test_an_operation_ends_by_itself() -> None:
    async with serving(scenario(), speed=10_000) as served:
        context = ssl.create_default_context(cafile=str(served.folder / "ca.pem"))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            head = {"Authorization": "Bearer x"}
            group = f"{served.endpoint}/subscriptions/{SUB}/resourceGroups/rg"
            url = f"{group}/providers/Microsoft.Network/networkSecurityGroups/n?api-version=2024-01-01"
            async with session.put(url, json={"location": "westeurope"}, headers=head) as made:
                assert made.status == 201
                poll = made.headers["Azure-AsyncOperation"]
                assert int(made.headers["Retry-After"]) >= 1
            for _ in range(1_000):
                async with session.get(poll, headers=head) as status:
                    if (await status.json())["status"] == "Succeeded":
                        return
    pytest.fail("it never ended")


# ---------------------------------------------------------------- many clients


def test_each_answer_is_one_piece(empty: Simulated) -> None:
    netloc = urlsplit(empty.endpoint)
    request = b"GET /subscriptions?api-version=2022-12-01 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n"
    with socket.create_connection((netloc.hostname or "", netloc.port or 0)) as plain:
        with empty.context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
            for _ in range(3):
                wrapped.sendall(request)
                piece = wrapped.recv(65_536)  # one TLS record, which is one write of the other side
                head, _, body = piece.partition(b"\r\n\r\n")
                assert f"content-length: {len(body)}".encode() in head.lower()


def test_a_body_beyond_all_measure_is_refused_in_the_envelope(empty: Simulated) -> None:
    status, _, body = empty.call(
        "PUT", f"/subscriptions/{SUB}/resourceGroups/x?api-version=2021-04-01", "x" * 5_000_000
    )
    assert (status, body["error"]["code"]) == (413, "RequestContentTooLarge")


CLIENTS, CALLS = 200, 5


async def test_two_hundred_clients_at_once_are_all_answered(empty: Simulated) -> None:
    context = empty.context
    head = {"Authorization": "Bearer x"}

    async def client(number: int) -> list[int]:
        connector = aiohttp.TCPConnector(ssl=context, limit=1)  # a connection of its own, kept
        async with aiohttp.ClientSession(connector=connector, headers=head) as session:
            statuses = []
            url = f"{empty.endpoint}/subscriptions/{SUB}/resourceGroups/many-{number}?api-version=2021-04-01"
            async with session.put(url, json={"location": "westeurope"}) as made:
                statuses.append(made.status)
            for _ in range(CALLS - 1):
                async with session.get(url) as found:
                    assert (await found.json())["name"] == f"many-{number}"
                    statuses.append(found.status)
            return statuses

    every = await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    assert every == [[201] + [200] * (CALLS - 1)] * CLIENTS


def test_the_log_is_one_json_object_per_request(tmp_path: Path) -> None:
    with simulated(tmp_path, "--empty") as running:
        running.call("GET", "/subscriptions?api-version=2022-12-01", token="very-secret")
        running.call("GET", "/nowhere")
        assert [(r["path"], r["status"]) for r in running.requests()] == [("/subscriptions", 200), ("/nowhere", 404)]
        assert "very-secret" not in running.log.read_text()
    assert os.path.exists(running.log)
