from __future__ import annotations

import asyncio
from pathlib import Path

from runbook.core.command import Approve
from runbook.core.view import RunView
from runbook.engine.engine import Until
from runbook.engine.host import Follower, Host
from runbook.wiring import Wish, attach, create_run, open_run

SECOND = 1000


def made(home: Path) -> str:
    return create_run(home, Wish("arc-private-link"), durable=False)


async def drive(home: Path, run: str, away_s: float = 0) -> tuple[RunView, int]:
    session = open_run(home, run, away_s=away_s, durable=False)
    try:
        return await session.engine.run(Until.STUCK), session.now_ms()
    finally:
        await session.close()


def test_the_clock_goes_on_where_journal_and_cloud_stopped(tmp_path: Path) -> None:
    run = made(tmp_path)
    _, first_ms = asyncio.run(drive(tmp_path, run))
    _, second_ms = asyncio.run(drive(tmp_path, run))
    _, third_ms = asyncio.run(drive(tmp_path, run, away_s=3600))
    assert first_ms <= second_ms
    assert third_ms >= second_ms + 3600 * SECOND


def test_driving_again_changes_nothing_that_stands(tmp_path: Path) -> None:
    run = made(tmp_path)
    first, _ = asyncio.run(drive(tmp_path, run))
    second, _ = asyncio.run(drive(tmp_path, run))
    assert second == first


def test_a_second_one_follows(tmp_path: Path) -> None:
    run = made(tmp_path)
    driver = attach(tmp_path, run, durable=False)
    try:
        follower = attach(tmp_path, run, durable=False)
        try:
            assert isinstance(driver, Host)
            assert isinstance(follower, Follower)
            assert follower.is_read_only
            assert "process" in follower.driver
            assert follower.submit(Approve("scope")).exception() is not None
        finally:
            follower.close()
    finally:
        driver.close()
