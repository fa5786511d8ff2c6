from __future__ import annotations

import asyncio
import threading

import pytest

from runbook.tui.aside import Aside, CalledOff


def test_work_aside_gives_its_answer() -> None:
    async def work() -> int:
        return 3

    assert Aside(work).run() == 3


def test_work_that_is_called_off_meanwhile_ends_at_once() -> None:
    begun = threading.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    aside = Aside(work)

    def call_off() -> None:
        begun.wait(10)
        aside.call_off()

    threading.Thread(target=call_off).start()
    with pytest.raises(CalledOff):
        aside.run()


def test_work_that_is_called_off_before_it_begins_never_does() -> None:
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)

    aside = Aside(work)
    aside.call_off()
    with pytest.raises(CalledOff):
        aside.run()
    assert begun == []
