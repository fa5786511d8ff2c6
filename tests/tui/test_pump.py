from __future__ import annotations

from runbook.core.entry import Draft, Entry, Kind
from runbook.core.event import Event
from runbook.core.view import RunView
from runbook.tui.pump import Pump

EVENT = Event(Entry.chain(Draft(Kind.NOTED), 1, 0, ""), None, RunView())


def test_many_events_wake_the_screen_once_and_none_is_forgotten() -> None:
    woken: list[int] = []
    pump = Pump(lambda: woken.append(1))
    for _ in range(100):
        pump(EVENT)
    assert woken == [1]
    assert pump.take()
    assert not pump.take()
    pump(EVENT)  # while the screen rests
    assert woken == [1]
    assert pump.rested()
    assert pump.take()
    assert not pump.rested()
    assert not pump.is_awake
    pump(EVENT)
    assert woken == [1, 1]
