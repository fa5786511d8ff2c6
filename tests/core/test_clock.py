from __future__ import annotations

import asyncio
import contextlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.clock import RealClock, VirtualClock, duration, from_iso, iso

DAY_MS = 86_400_000


async def test_a_virtual_clock_without_speed_jumps() -> None:
    clock = VirtualClock(1_000)
    await clock.sleep_until(2 * DAY_MS)
    assert clock.now_ms() == 2 * DAY_MS


async def test_a_virtual_clock_never_goes_back() -> None:
    clock = VirtualClock(5_000)
    await clock.sleep_until(1_000)
    clock.advance_to(2_000)
    assert clock.now_ms() == 5_000


async def test_a_virtual_clock_with_speed_arrives_exactly() -> None:
    clock = VirtualClock(0, speed=1e9)
    await clock.sleep_until(DAY_MS)
    assert clock.now_ms() == DAY_MS


async def test_no_single_wait_is_longer_than_the_longest() -> None:
    clock = VirtualClock(0, speed=1e-9, longest_s=0.001)
    await clock.sleep_until(DAY_MS)
    assert clock.now_ms() == DAY_MS


def test_a_virtual_clock_tells_how_long_a_wait_will_take_in_truth() -> None:
    assert VirtualClock(0).real_s_until(DAY_MS) == 0
    clock = VirtualClock(0, speed=60.0, longest_s=3.0)
    assert clock.real_s_until(60_000) == 1.0
    assert clock.real_s_until(DAY_MS) == 3.0
    assert clock.real_s_until(0) == 0


async def test_while_it_waits_a_virtual_clock_tells_what_is_left_of_it() -> None:
    clock = VirtualClock(0, speed=1.0, longest_s=1_000)
    sleeping = asyncio.create_task(clock.sleep_until(DAY_MS))
    await asyncio.sleep(0)
    assert 990 < clock.real_s_until(DAY_MS) <= 1_000
    assert 490 < clock.real_s_until(DAY_MS // 2) <= 500
    assert 1_990 < clock.real_s_until(2 * DAY_MS) <= 2_000
    sleeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sleeping


async def test_a_cancelled_wait_keeps_the_time_that_passed_and_no_more() -> None:
    clock = VirtualClock(1_000, speed=1.0, longest_s=3_600)
    sleeping = asyncio.create_task(clock.sleep_until(1_000 + DAY_MS))
    await asyncio.sleep(0)
    seen = clock.now_ms()
    sleeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sleeping
    reached = clock.now_ms()
    assert 1_000 <= seen <= reached < 1_000 + DAY_MS
    assert clock.now_ms() == reached, "time stands still outside a wait"


async def test_virtual_time_runs_while_it_is_slept_through() -> None:
    clock = VirtualClock(0, speed=1_000.0, longest_s=3_600)
    sleeping = asyncio.create_task(clock.sleep_until(DAY_MS))
    await asyncio.sleep(0)
    first = clock.now_ms()
    await RealClock().sleep_until(RealClock().now_ms() + 3)
    seen = clock.now_ms()
    sleeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sleeping
    assert first < seen <= clock.now_ms()


async def test_the_real_clock_is_the_machines_and_flows() -> None:
    clock = RealClock()
    before = time.time_ns() // 1_000_000
    await clock.sleep_until(before - 1_000)
    await clock.sleep_until(before + 2)
    assert clock.now_ms() >= before + 2
    assert clock.flows
    assert not VirtualClock(0).flows


@given(st.integers(0, 4_102_444_800_000))
def test_a_moment_survives_being_written_and_read(at_ms: int) -> None:
    text = iso(at_ms)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert from_iso(text) == at_ms


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-20T08:00:00.1234567Z", "2026-11-20T08:00:00.123Z"),
        ("2026-11-20T08:00:00.1234567+01:00", "2026-11-20T07:00:00.123Z"),
        ("2026-11-20T08:00:00", "2026-11-20T08:00:00.000Z"),
        ("2026-11-20T09:30:00+01:30", "2026-11-20T08:00:00.000Z"),
        ("2026-11-20", "2026-11-20T00:00:00.000Z"),
    ],
)
def test_moments_as_others_write_them_are_read(text: str, same: str) -> None:
    assert iso(from_iso(text)) == same


@pytest.mark.parametrize("text", ["", "soon", "20.11.2026", "2026-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_iso(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (40, "40 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (900, "15 min"),
        (3_600, "1 h"),
        (2 * 86_400 + 4 * 3_600 + 59, "2 d 4 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
