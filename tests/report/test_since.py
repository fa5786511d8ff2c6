"""What happened since somebody last looked."""

from __future__ import annotations

from pathlib import Path

from runbook.core.command import HandOver, Note, Skip
from runbook.engine.engine import Until
from runbook.report.since import MOST, since
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book


async def test_the_news_is_what_was_done_decided_said_and_waited_for(tmp_path: Path) -> None:
    arm = TinyArm()
    book = tiny_book({"id": "a"}, {"id": "b"}, {"id": "c"})
    rig = Rig(tmp_path, book, arm, approve=False)
    await rig.engine.run(Until.PARKED)
    seen = rig.view.head
    await rig.engine.decide(HandOver("a", "the DNS team", "anna"))
    await rig.engine.decide(Skip("b", "not wanted"))
    await rig.engine.decide(Note("Kim has the keys", "anna"))
    await rig.engine.run(Until.PARKED)
    entries = list(rig.journal.entries(after=seen))
    assert since(rig.view, entries) == [
        "Waits now for (1): the DNS team: Thing a",
        "Handed over (1): Thing a to the DNS team by anna",
        "Notes (1): Kim has the keys (anna)",
        "Left out (1): Thing b: not wanted",
    ]
    seen = rig.view.head
    arm.resources[path_of("a")] = {}
    rig.clock.advance_to((rig.view.nodes["a"].due_ms or 0) + 1)
    await rig.engine.run(Until.PARKED)
    told = since(rig.view, list(rig.journal.entries(after=seen)))
    assert told[0] == "Done (1): Thing a"
    assert told[1].startswith("Waits ended (1): the DNS team, after ")
    rig.close()


async def test_no_entries_are_no_news_and_many_are_counted(tmp_path: Path) -> None:
    count = MOST + 2
    rig = Rig(tmp_path, tiny_book(*({"id": f"n{n}"} for n in range(count))), TinyArm())
    assert since(rig.view, []) == []
    await rig.engine.run()
    told = since(rig.view, list(rig.journal.entries()))
    assert told[0].startswith(f"Done ({count}): ")
    assert told[0].endswith("; and 2 more")
    rig.close()
