"""Waits that last for weeks: how often they are looked at, whatever happens to network and clock meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runbook.core.clock import PUT_BACK_MS, RealClock
from runbook.core.command import Attest
from runbook.core.entry import Kind
from runbook.core.error import NotSent, Throttled, UsageError
from runbook.core.state import NodeState, RunState
from runbook.core.waiting import Poll
from runbook.engine.engine import Until
from tests.engine.tiny import SUB, Rig, TinyArm, path_of, tiny_book

DAY_MS = 86_400_000
BOOK = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}


def looks(rig: Rig) -> list[int]:
    """When the gate was looked at."""
    return [e.at_ms for e in rig.journal.entries() if e.kind is Kind.BEGUN and e.node == "gate"]


async def parked(folder: Path, arm: TinyArm | None = None) -> Rig:
    """A run that waits at the gate."""
    rig = Rig(folder, tiny_book(BOOK), arm or TinyArm())
    await rig.engine.run(Until.PARKED)
    assert rig.outcome() is RunState.WAITING
    return rig


def put_clock(rig: Rig, at_ms: int) -> None:
    """Set the machine's clock, forwards or back, as an operating system may."""
    rig.clock._now_ms = at_ms


async def test_a_pass_before_the_next_look_is_due_asks_nothing(tmp_path: Path) -> None:
    rig = await parked(tmp_path)
    for _ in range(5):
        await rig.engine.run(Until.PARKED)
    assert len(looks(rig)) == 1


async def test_after_a_sleep_of_weeks_there_is_one_look_and_not_one_for_each_that_was_missed(tmp_path: Path) -> None:
    rig = await parked(tmp_path)
    put_clock(rig, rig.clock.now_ms() + 30 * DAY_MS)
    await rig.engine.run(Until.PARKED)
    assert len(looks(rig)) == 2
    assert rig.state("gate") is NodeState.WAITING


async def test_a_clock_that_jumped_far_ahead_and_is_put_right_again_does_not_leave_the_wait_for_a_year(
    tmp_path: Path,
) -> None:
    rig = await parked(tmp_path)
    right_ms = rig.clock.now_ms()
    put_clock(rig, right_ms + 365 * DAY_MS)
    await rig.engine.run(Until.PARKED)
    put_clock(rig, right_ms + 60_000)
    await rig.engine.run(Until.PARKED)
    assert len(looks(rig)) == 3, "put back: looked at now, not in a year"
    for _ in range(5):
        await rig.engine.run(Until.PARKED)
    assert len(looks(rig)) == 3, "and from then on as before: not at every pass"
    due_ms = rig.view.nodes["gate"].due_ms
    assert due_ms is not None
    assert due_ms - rig.clock.now_ms() <= 600 * 1100


async def test_the_next_process_minds_a_clock_that_was_put_back_before_it_began(tmp_path: Path) -> None:
    arm = TinyArm()
    first = await parked(tmp_path, arm)
    right_ms = first.clock.now_ms()
    put_clock(first, right_ms + 40 * DAY_MS)
    await first.engine.run(Until.PARKED)
    first.close()
    second = Rig(tmp_path, tiny_book(BOOK), arm)
    put_clock(second, right_ms)
    await second.engine.run(Until.PARKED)
    await second.engine.run(Until.PARKED)
    assert len(looks(second)) == 3
    second.close()


async def test_a_clock_that_is_kept_right_by_seconds_changes_nothing(tmp_path: Path) -> None:
    rig = await parked(tmp_path)
    put_clock(rig, rig.clock.now_ms() - PUT_BACK_MS // 2)
    await rig.engine.run(Until.PARKED)
    assert len(looks(rig)) == 1


async def test_a_sleep_of_the_real_clock_ends_when_it_is_put_back() -> None:
    class PutBack(RealClock):
        _LONGEST_NAP_S = 0.0

        def __init__(self) -> None:
            self.readings = iter([10 * DAY_MS, 9 * DAY_MS])

        def now_ms(self) -> int:
            return next(self.readings)

    await PutBack().sleep_until(11 * DAY_MS)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system keeps its zone elsewhere")
def test_daylight_saving_does_not_move_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> int:
        time.tzset()
        return RealClock().now_ms()

    monkeypatch.setenv("TZ", "Europe/Berlin")
    before = read()
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    after = read()
    monkeypatch.undo()
    time.tzset()
    assert 0 <= after - before < PUT_BACK_MS, "UTC milliseconds know no zone"


async def test_a_wait_goes_on_while_there_is_no_network_however_long_that_lasts(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = await parked(tmp_path, arm)
    arm.read_errors.extend([NotSent("no network", "")] * 40)
    before = len(looks(rig))
    put_clock(rig, rig.clock.now_ms() + DAY_MS)
    for _ in range(40):
        due_ms = rig.view.nodes["gate"].due_ms
        assert due_ms is not None
        put_clock(rig, max(rig.clock.now_ms(), due_ms))
        await rig.engine.run(Until.PARKED)
        assert rig.state("gate") is NodeState.WAITING
    assert len(looks(rig)) == before + 40, "one look in each interval"
    gaps = [b - a for a, b in zip(looks(rig)[-10:], looks(rig)[-9:], strict=False)]
    assert min(gaps) >= 600_000, "in the end as rarely as the wait itself"
    node = rig.view.nodes["gate"]
    assert node.error is not None
    arm.resources[path_of("key")] = {"made": "key"}
    assert node.due_ms is not None
    put_clock(rig, node.due_ms)
    await rig.engine.run(Until.PARKED)
    assert rig.state("gate") is NodeState.DONE


async def test_a_rule_that_looks_again_by_itself_is_as_patient(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.resources[f"/subscriptions/{SUB}/mood"] = {"says": "blocked"}
    rig = Rig(tmp_path, tiny_book({"id": "a", "uses": "testing.moody"}), arm)
    await rig.engine.run(Until.PARKED)
    assert rig.outcome() is RunState.BLOCKED
    arm.read_errors.extend([NotSent("no network", "")] * 20)
    for _ in range(20):
        due_ms = rig.view.nodes["a"].due_ms
        assert due_ms is not None
        put_clock(rig, max(rig.clock.now_ms(), due_ms))
        await rig.engine.run(Until.PARKED)
    node = rig.view.nodes["a"]
    assert (node.state, node.blocked and node.blocked["rule"]) == (NodeState.BLOCKED, "rule")
    assert node.error is not None


async def test_what_arm_asks_for_is_waited_for(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = await parked(tmp_path, arm)
    arm.read_errors.append(Throttled("busy", status=503, arm_code="ServerBusy", retry_after_s=7_200))
    put_clock(rig, rig.clock.now_ms() + DAY_MS)
    await rig.engine.run(Until.PARKED)
    node = rig.view.nodes["gate"]
    assert node.state is NodeState.WAITING
    assert node.waiting is not None
    assert node.waiting["next_poll_ms"] == node.due_ms
    assert node.due_ms is not None
    assert node.due_ms - rig.clock.now_ms() == 7_200_000


def test_the_jitter_makes_a_delay_longer_by_a_tenth_at_most() -> None:
    poll = Poll(60, 2, 600)
    assert poll.delay_s(0) == 60
    assert poll.delay_s(0, part=1.0) == pytest.approx(66)
    assert poll.delay_s(50, part=0.5) == pytest.approx(630)


async def test_a_word_that_a_wait_does_not_take_is_refused(tmp_path: Path) -> None:
    rig = await parked(tmp_path)
    with pytest.raises(UsageError, match="takes no word “approved”"):
        await rig.engine.decide(Attest("gate", "they said so", "anna", says="approved"))
    await rig.engine.decide(Attest("gate", "I saw it", "anna", reference=" T-1 ", dated_ms=5))
    word = rig.view.nodes["gate"].attested[-1]
    assert (word.get("reference"), word.get("dated_ms"), word.get("says")) == ("T-1", 5, None)
