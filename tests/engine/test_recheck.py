"""What a report on drift may say, over the tiny cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runbook.core.error import Refused
from runbook.engine.engine import Until
from runbook.engine.recheck import Recheck, recheck
from tests.engine.test_survey import world
from tests.engine.tiny import Rig, TinyArm, path_of, tiny_book


async def done(folder: Path, arm: TinyArm, *steps: dict[str, Any]) -> Rig:
    rig = Rig(folder, tiny_book(*steps), arm)
    await rig.engine.run()
    rig.close()
    return rig


async def look(rig: Rig, *steps: dict[str, Any]) -> dict[str, Recheck]:
    writes = list(rig.arm.writes)
    found = {c.node.id: c for c in await recheck(tiny_book(*steps), rig.view, world(rig.arm))}
    assert rig.arm.writes == writes
    return found


async def test_what_holds_is_ok_and_what_is_gone_is_drift_with_what_would_put_it_right(tmp_path: Path) -> None:
    steps = ({"id": "a"}, {"id": "b", "needs": ["a"]}, {"id": "c"})
    rig = await done(tmp_path, TinyArm(), *steps)
    assert {c.outcome for c in (await look(rig, *steps)).values()} == {"ok"}
    del rig.arm.resources[path_of("a")], rig.arm.resources[path_of("b")]
    found = await look(rig, *steps)
    assert {name: c.outcome for name, c in found.items()} == {"a": "drift", "b": "drift", "c": "ok"}
    assert found["a"].verdict == "change"
    assert [c["title"] for c in found["a"].node.changes] == ["Make a"]
    assert (found["a"].after, found["b"].after) == ((), ("a",))


async def test_a_call_that_was_made_once_is_not_held_against_what_undid_it_later(tmp_path: Path) -> None:
    step = {"id": "a", "with": {"name": "a", "repeat": "never"}}
    rig = await done(tmp_path, TinyArm(), step)
    del rig.arm.resources[path_of("a")]
    assert (await look(rig, step))["a"].verdict == "change"


async def test_what_only_this_run_knows_to_be_done_still_is(tmp_path: Path) -> None:
    step = {"id": "a", "uses": "testing.blind"}
    rig = await done(tmp_path, TinyArm(), step)
    assert (await look(rig, step))["a"].outcome == "ok"


async def test_a_gate_that_closed_again_and_a_check_that_is_not_met_are_drift(tmp_path: Path) -> None:
    gate = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}
    moody = {"id": "moody", "uses": "testing.moody"}
    rig = await done(tmp_path, TinyArm({path_of("key"): {"made": "key"}, path_of("moody"): {}}), gate, moody)
    del rig.arm.resources[path_of("key")]
    rig.arm.resources[path_of("x").replace("things/x", "mood")] = {"says": "unmet"}
    found = await look(rig, gate, moody)
    assert (found["gate"].outcome, found["gate"].verdict) == ("drift", "waiting")
    assert (found["moody"].outcome, found["moody"].verdict) == ("drift", "blocked")
    assert [c["ok"] for c in found["moody"].node.checks] == [False]


async def test_what_is_not_done_and_what_cannot_be_read_are_told_as_such(tmp_path: Path) -> None:
    steps = (
        {"id": "a"},
        {"id": "gate", "uses": "testing.gate", "with": {"name": "key", "blocks": True}},
        {"id": "never", "when": False},
        {"id": "late", "needs": ["gate"]},
    )
    rig = Rig(tmp_path, tiny_book(*steps), TinyArm())
    await rig.engine.run(Until.PARKED)
    rig.close()
    rig.arm.read_errors.append(Refused("no", status=403, arm_code="AuthorizationFailed"))
    found = {name: c.outcome for name, c in (await look(rig, *steps)).items()}
    assert found == {"a": "unreadable", "gate": "not_done", "never": "skipped", "late": "not_done"}
