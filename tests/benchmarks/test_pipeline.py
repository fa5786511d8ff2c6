"""What one call through our client costs beyond a bare aiohttp request to the same simulator, and where that goes.

The three ways read the same resource group, turn and turn about, over connections that are open already: bare
aiohttp; our transport, which is azure-core's around an aiohttp session; and the whole client. A profile of the bare
way and of the whole one, layer by layer, says what the difference consists of:

- azure-core: objects for a request, its context and its answer, a runner around each policy, the token policy. That is
  the price of the field's own pipeline, with its claims challenges and sign-ins, and the largest part.
- Ours: the address is held against the cloud's own, ids and headers are set, the answer is bounded while it is read,
  and its JSON is refused where it could not be stored again.
- asyncio and TLS: one deadline around the whole call, and one more turn of the event loop.

No way waits more often than another (once, for the answer). So the work of this process itself is the figure to trust:
on a busy machine the real time is mostly waiting for a processor, and whoever works longer is put off more often.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
import ssl
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.core.rest import HttpRequest

from runbook.arm.auth import static_credential
from runbook.arm.client import ArmClient
from runbook.arm.transport import LiveTransport
from tests.benchmarks.table import tell
from tests.served.simulate import SUB, Simulated, simulated

pytestmark = pytest.mark.bench

CALLS = 30
TURNS = 31
PROFILED = 300
PATH = f"/subscriptions/{SUB}/resourceGroups/rg-speed"
VERSION = "2021-04-01"
HEADERS = {"Authorization": "Bearer any", "Accept": "application/json"}

Way = Callable[[], Awaitable[object]]

LAYERS = (
    ("/runbook/", "our own policies, bounds and checks"),
    ("/azure/", "azure-core"),
    ("/aiohttp/", "aiohttp"),
    ("/yarl/", "aiohttp"),
    ("/multidict/", "aiohttp"),
    ("/asyncio/", "asyncio and TLS"),
    ("/ssl.py", "asyncio and TLS"),
    ("/selectors.py", "asyncio and TLS"),
)
REST = "the rest"

Line = tuple[str, int, str]


def layer_of(line: Line) -> str:
    """Whose code a line of a profile is."""
    file = line[0].replace("\\", "/")
    return next((name for part, name in LAYERS if part in file), REST)


def by_layer(lines: Mapping[Line, Any]) -> Counter[str]:
    """Seconds of each layer's own. What belongs to none (C code, Python's own library) counts for who called it."""
    spent: Counter[str] = Counter()
    for line, (_, _, own_s, _, callers) in lines.items():
        if (layer := layer_of(line)) != REST or not callers:
            spent[layer] += own_s
            continue
        for caller, (_, _, from_there_s, _) in callers.items():
            spent[layer_of(caller)] += from_there_s
    return spent


async def timed(way: Way) -> tuple[float, float]:
    """Seconds for a call: real ones, and those of this process's own work."""
    began, worked = time.perf_counter(), time.process_time()
    for _ in range(CALLS):
        await way()
    return (time.perf_counter() - began) / CALLS, (time.process_time() - worked) / CALLS


async def profiled(way: Way) -> Counter[str]:
    """Seconds of its own work that each layer spends on these calls, as the profiler has it."""
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(PROFILED):
        await way()
    profile.disable()
    return by_layer(pstats.Stats(profile).stats)  # type: ignore[attr-defined]


async def compare(there: Simulated) -> tuple[list[tuple[str, float, float]], Counter[str]]:
    """Each way's name with both figures, and what the whole client spends more than the bare way by layer."""
    url = f"{there.endpoint}{PATH}?api-version={VERSION}"
    context: ssl.SSLContext = there.context
    wire = LiveTransport(there.said["ca_file"])
    client = ArmClient(LiveTransport(there.said["ca_file"]), static_credential("any"), endpoint=there.endpoint)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session, wire, client:

        async def bare() -> object:
            async with session.get(url, headers=HEADERS) as answer:
                return json.loads(await answer.read())

        async def through_transport() -> object:
            answer = await wire.send(HttpRequest("GET", url, headers=HEADERS), stream=True)
            try:
                return json.loads(b"".join([part async for part in answer.iter_raw()]))
            finally:
                await answer.close()

        async def through_client() -> object:
            return await client.get(PATH, VERSION)

        ways: dict[str, Way] = {
            "bare aiohttp": bare,
            "  our transport (azure-core's around aiohttp)": through_transport,
            "  our client, policies and all": through_client,
        }
        answers = [await way() for way in ways.values()]  # also opens the connections
        assert answers[0] == answers[1] == answers[2]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(TURNS):
            for name, way in ways.items():
                found[name].append(await timed(way))
        more = await profiled(through_client)
        more.subtract(await profiled(bare))
    table = [
        (name, statistics.median(real for real, _ in times), statistics.median(own for _, own in times))
        for name, times in found.items()
    ]
    return table, more


def test_what_a_call_costs_beyond_a_bare_request_is_told_with_its_reasons(tmp_path: Path) -> None:
    with simulated(tmp_path, "--empty") as there:
        assert there.call("PUT", f"{PATH}?api-version={VERSION}", {"location": "westeurope"})[0] == 201
        table, more = asyncio.run(compare(there))
    _, bare_s, bare_own_s = table[0]
    for name, real_s, own_s in table:
        tell(
            f"{name}, {CALLS * TURNS} reads",
            f"{own_s * 1e6:.0f} µs of own work, ratio {own_s / bare_own_s:.2f}; "
            f"{real_s * 1e6:.0f} µs of real time, ratio {real_s / bare_s:.2f}",
        )
    _, whole_s, whole_own_s = table[-1]
    own_us, real_us = (whole_own_s - bare_own_s) * 1e6, (whole_s - bare_s) * 1e6
    tell(
        "  overhead of our client for a call", f"{own_us:.0f} µs of own work, {real_us:.0f} µs of real time (no bound)"
    )
    dearer = sum(spent for spent in more.values() if spent > 0)
    shares = [f"{name} {spent / dearer:.0%}" for name, spent in more.most_common() if spent > 0.01 * dearer]
    tell("  what remains, by a profile", ", ".join(shares))
    assert dearer > 0
